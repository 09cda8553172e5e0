//! From the mind's words to the wire's, and back. It moves facts and decides nothing.

pub(crate) mod come_backs;
pub(crate) mod contain;
pub(crate) mod evidence;
pub(crate) mod indicators;
pub(crate) mod inventory;
pub(crate) mod plans;
pub(crate) mod sweeps;

use contract::UnreadableRow;
use contract::connected_apps::AppFace;
use contract::connections as wire;
use contract::members::{MemberApps, MemberFace, MemberGrant};
use contract::refusal::{self, Problem, Refusal};
use contract::revoke::{self, RevokePlan, RevokeReport};
use contract::session as wire_session;
use cutoff::clock::rfc3339;
use cutoff::connections::Draft;
use cutoff::desk::SessionEnd;
use cutoff::directory::MemberGrants;
use cutoff::permission::{self, Allowance, Denial};
use cutoff::plan_file::Unusable;
use cutoff::report::Report;
use cutoff::revoke::{Confirmation, impersonator};
use cutoff::session::{Session, app_forbidden};
use cutoff::sweep::verdict::{Outcome, Why};
use cutoff::watch::ListedAgain;
use cutoff::{Error, Fault, Field};
use journal::SavedConnection;
use stytch_b2b::{Cause, ClientType, ConnectedAppId, DiscoveredOrganization, Error as ApiError, Member, MemberId};
use vault::{Keeping, Trouble};

// ---- connections -----------------------------------------------------------------------------------------------------

pub(crate) fn draft(draft: wire::ConnectionDraft) -> Draft {
    Draft {
        public_token: draft.public_token,
        base_url: draft.base_url,
        organization_slug: draft.organization_slug,
        app_identifier: draft.app_identifier,
        sdk_identifier: draft.sdk_identifier,
        host_confirmed: draft.host_confirmed,
    }
}

pub(crate) fn connection(saved: &SavedConnection) -> wire::Connection {
    let environment = if saved.sandbox {
        wire::Environment::Sandbox
    } else if saved.public_token.starts_with("public-token-live-") {
        wire::Environment::Live
    } else {
        wire::Environment::Test
    };
    let host = saved.base_url.as_str();
    wire::Connection {
        id: saved.id.to_string(),
        // The organization is what somebody knows it by, once one has been there.
        name: saved.organization_name.clone().filter(|_| !saved.sandbox).unwrap_or_else(|| saved.name.clone()),
        base_url: saved.base_url.clone(),
        public_token: saved.public_token.clone(),
        environment,
        stytch_host: host == "https://test.stytch.com" || host == "https://api.stytch.com",
        app_identifier: saved.app_identifier.clone(),
        organization_slug: saved.organization_slug.clone(),
        email: saved.email.clone(),
    }
}

pub(crate) fn sandbox_offer(card: &sandbox::Card, connection: &SavedConnection) -> wire::SandboxOffer {
    let people = card.people.iter();
    wire::SandboxOffer {
        connection: self::connection(connection),
        people: people
            .map(|person| wire::SandboxPerson { role: person.role.to_string(), email: person.email.clone() })
            .collect(),
    }
}

pub(crate) fn letters(inbox: Vec<sandbox::Mail>) -> Vec<wire::Letter> {
    inbox.into_iter().rev().map(|mail| wire::Letter { to: mail.to, code: mail.code, at: mail.at }).collect()
}

// ---- session ---------------------------------------------------------------------------------------------------------

pub(crate) fn session(session: &Session) -> wire_session::Session {
    let state = session.state();
    let keeping =
        if session.connection.sandbox { wire_session::Keeping::MemorySandbox } else { keeping(state.keeping) };
    wire_session::Session {
        connection: connection(&session.connection),
        organization_name: state.organization.organization_name,
        organization_id: state.organization.organization_id.to_string(),
        member_id: state.member.member_id.to_string(),
        member_name: state.member.name,
        member_email: state.member.email_address,
        expires_at: state.member_session.expires_at.clone().unwrap_or_default(),
        impersonator: impersonator(&state.member_session),
        roles: state.member_session.roles,
        keeping,
        policy_read_at: state.policy.map(|(_, at)| rfc3339(at)),
        may: wire_session::Permissions {
            search_members: allowance(session.may(permission::search_members())),
            read_member_apps: allowance(session.may(permission::read_member_apps())),
            revoke_member_app: allowance(session.may(permission::revoke_member_app())),
            read_own_apps: allowance(session.may(permission::read_own_apps())),
            revoke_own_app: allowance(session.may(permission::revoke_own_app())),
        },
    }
}

fn allowance(allowance: Allowance) -> wire_session::Allowance {
    wire_session::Allowance {
        allowed: allowance.allowed,
        resource: allowance.needs.resource,
        action: allowance.needs.action,
        roles_that_hold_it: allowance.roles_that_hold_it,
    }
}

pub(crate) fn keeping(keeping: Keeping) -> wire_session::Keeping {
    match keeping {
        Keeping::Keyring => wire_session::Keeping::Keyring,
        Keeping::Memory(Trouble::Missing) => wire_session::Keeping::MemoryNoKeyring,
        Keeping::Memory(Trouble::Locked) => wire_session::Keeping::MemoryLocked,
        Keeping::Memory(Trouble::Refused | Trouble::TooLong) => wire_session::Keeping::MemoryRefused,
        Keeping::Memory(Trouble::TimedOut) => wire_session::Keeping::MemoryTimedOut,
    }
}

pub(crate) fn session_end(ended: SessionEnd) -> wire_session::SessionEnd {
    wire_session::SessionEnd { at: ended.at, organization_name: ended.organization_name, request_id: ended.request_id }
}

pub(crate) fn organization_choice(found: &DiscoveredOrganization) -> wire_session::OrganizationChoice {
    wire_session::OrganizationChoice {
        organization_id: found.organization.organization_id.to_string(),
        name: found.organization.organization_name.clone(),
        slug: found.organization.organization_slug.clone(),
        membership: found.membership.kind.clone(),
    }
}

// ---- faces -----------------------------------------------------------------------------------------------------------

fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

fn unreadable(rows: &[stytch_b2b::UnreadableRow]) -> Vec<UnreadableRow> {
    rows.iter().map(|row| UnreadableRow { index: number(row.index), reason: row.reason.clone() }).collect()
}

fn face(id: &MemberId, member: Option<&Member>, session: &Session) -> MemberFace {
    MemberFace {
        member_id: id.to_string(),
        name: member.map(|member| member.name.clone()),
        email: member.map(|member| member.email_address.clone()),
        yourself: session.is_self(id),
    }
}

fn app_face(id: &str, name: &str, description: &str, client_type: &ClientType) -> AppFace {
    AppFace {
        connected_app_id: id.to_owned(),
        name: name.to_owned(),
        description: description.to_owned(),
        client_type: client_type.as_str().to_owned(),
        first_party: matches!(client_type, ClientType::FirstParty | ClientType::FirstPartyPublic),
    }
}

pub(crate) fn member_apps(id: &str, member: Option<&Member>, grants: &MemberGrants, session: &Session) -> MemberApps {
    MemberApps {
        member: face(&MemberId::from(id), member, session),
        grants: grants
            .rows
            .iter()
            .map(|grant| MemberGrant {
                app: app_face(grant.connected_app_id.as_str(), &grant.name, &grant.description, &grant.client_type),
                scopes: grant.scopes(),
            })
            .collect(),
        unreadable: unreadable(&grants.unreadable),
        read_at: rfc3339(grants.read_at),
    }
}

// ---- revoke ----------------------------------------------------------------------------------------------------------

pub(crate) fn revoke_plan(confirmation: Confirmation, session: &Session) -> RevokePlan {
    let plan_hash = confirmation.plan.hash().to_owned();
    let [item] = confirmation.plan.items.as_slice() else { unreachable!("a single revoke plans one grant") };
    let state = session.state();
    let client_type = item.client_type.clone().unwrap_or(ClientType::Other(String::new()));
    RevokePlan {
        plan_hash,
        member: MemberFace {
            member_id: item.member_id.to_string(),
            name: item.member_name.clone(),
            email: item.member_email.clone(),
            yourself: item.own,
        },
        app: app_face(
            item.connected_app_id.as_str(),
            item.app_name.as_deref().unwrap_or_default(),
            item.app_description.as_deref().unwrap_or_default(),
            &client_type,
        ),
        scopes: item.scopes.clone(),
        organization_name: state.organization.organization_name,
        environment: connection(&session.connection).environment,
        may_reconnect: confirmation.may_reconnect,
        full_access: item.scopes.as_deref().map(full_access),
        denied: confirmation.denied.map(denial),
    }
}

fn full_access(scopes: &[String]) -> bool {
    scopes.iter().any(|scope| scope == "full_access")
}

pub(crate) fn revoke_report(
    report: &Report,
    session: Option<&Session>,
    organization_name: Option<String>,
    again: &ListedAgain,
) -> RevokeReport {
    let grant = &report.grant;
    let client_type = ClientType::from(grant.client_type.clone().unwrap_or_default());
    let here = session.filter(|_| report.here).map(Session::state);
    let may_reconnect = here
        .as_ref()
        .and_then(|state| app_forbidden(&state.organization, &grant.connected_app_id, grant.client_type.as_deref()))
        .map(|forbidden| !forbidden);
    let denial = report.needs.clone().map(|needs| match (&here, session) {
        (Some(_), Some(session)) => {
            let denial = session.denial(Some(needs), report.request_id.clone(), true);
            self::denial(Denial { your_roles: report.roles.clone(), ..denial })
        }
        _ => self::denial(Denial {
            needs: Some(needs),
            your_roles: report.roles.clone(),
            roles_that_hold_it: Vec::new(),
            policy_read_at: None,
            request_id: report.request_id.clone(),
            asked: true,
        }),
    });
    let went_wrong =
        matches!(report.outcome, Outcome::Failed | Outcome::Unknown | Outcome::Hidden | Outcome::MemberGone)
            || report.failure.is_some()
            || report.status.is_some_and(|status| status >= 400);
    RevokeReport {
        sweep_id: report.sweep_id.to_string(),
        began_at: report.began_at.clone(),
        outcome: outcome(report.outcome),
        member: MemberFace {
            member_id: grant.member_id.clone(),
            name: report.person.as_ref().and_then(|person| person.name.clone()),
            email: report.person.as_ref().and_then(|person| person.email.clone()),
            // Who looks, and not who began the sweep.
            yourself: session.is_some_and(|session| session.is_self(&MemberId::from(grant.member_id.as_str()))),
        },
        app: app_face(&grant.connected_app_id, report.app_name.as_deref().unwrap_or_default(), "", &client_type),
        scopes: grant.scopes.clone(),
        organization_name: organization_name.unwrap_or_else(|| report.connection.organization_id.clone()),
        here: report.here,
        environment: environment(report.connection.environment),
        request_id: report.request_id.clone(),
        attempts: report.attempts,
        sent_at: report.sent_at.clone(),
        answered_at: report.answered_at.clone(),
        read_at: report.read_at.clone(),
        gone_at: report.gone_at.clone(),
        listed_again_at: again
            .of_grant(
                report.sweep_id,
                &MemberId::from(grant.member_id.as_str()),
                &ConnectedAppId::from(grant.connected_app_id.as_str()),
            )
            .map(rfc3339),
        confirm_due_at: report.confirm_due_at.clone(),
        confirmed_at: report.confirmed_at.clone(),
        tokens_until: report.tokens_until.clone(),
        may_reconnect,
        full_access: full_access(&grant.scopes),
        why: report.why.map(why),
        denial,
        problem: went_wrong.then(|| Problem {
            status: report.status,
            error_type: report.error_type.clone(),
            request_id: report.request_id.clone(),
            message: None,
            cause: report.failure.clone(),
        }),
        unsettled: report.unsettled,
        left_behind: report.left_behind,
        alone: report.alone,
        head: report.head.clone(),
    }
}

/// A word that only a later version knows is told as a test's.
pub(crate) fn environment(environment: journal::Environment) -> wire::Environment {
    match environment {
        journal::Environment::Live => wire::Environment::Live,
        journal::Environment::Sandbox => wire::Environment::Sandbox,
        _ => wire::Environment::Test,
    }
}

fn outcome(outcome: Outcome) -> revoke::Outcome {
    match outcome {
        Outcome::Revoked => revoke::Outcome::Revoked,
        Outcome::Accepted => revoke::Outcome::Accepted,
        Outcome::StillThere => revoke::Outcome::StillThere,
        Outcome::AlreadyGone => revoke::Outcome::AlreadyGone,
        Outcome::Hidden => revoke::Outcome::Hidden,
        Outcome::MemberGone => revoke::Outcome::MemberGone,
        Outcome::Denied => revoke::Outcome::Denied,
        Outcome::Failed => revoke::Outcome::Failed,
        Outcome::Unknown => revoke::Outcome::Unknown,
    }
}

fn why(why: Why) -> revoke::Why {
    match why {
        Why::NoReadAllowed => revoke::Why::NoReadAllowed,
        Why::HiddenByPolicy => revoke::Why::HiddenByPolicy,
        Why::NotReadYet => revoke::Why::NotReadYet,
        Why::ReadFailed => revoke::Why::ReadFailed,
        Why::ReadIncomplete => revoke::Why::ReadIncomplete,
        Why::SessionEnded => revoke::Why::SessionEnded,
        Why::ListedYet => revoke::Why::ListedYet,
    }
}

pub(crate) fn denial(denial: Denial) -> refusal::Denial {
    let (resource, action) = denial.needs.map(|needs| (needs.resource, needs.action)).unzip();
    refusal::Denial {
        action,
        resource,
        your_roles: denial.your_roles,
        roles_that_hold_it: denial.roles_that_hold_it,
        policy_read_at: denial.policy_read_at,
        request_id: denial.request_id,
        asked: denial.asked,
    }
}

// ---- refusals --------------------------------------------------------------------------------------------------------

pub(crate) fn problem(error: &ApiError) -> Problem {
    let facts = error.facts();
    let cause = match error {
        ApiError::Unreachable { cause, .. } => Some(cause_word(*cause)),
        _ => None,
    };
    let why = match error {
        ApiError::Garbled { why, .. } => Some(why.clone()),
        ApiError::BadRequest { fields, .. } if !fields.is_empty() => Some(fields.join(", ")),
        _ => None,
    };
    Problem {
        status: facts.status,
        error_type: facts.error_type.clone(),
        request_id: facts.request_id.as_ref().map(ToString::to_string),
        message: why.or_else(|| facts.message.clone()),
        cause: cause.map(str::to_owned),
    }
}

fn cause_word(cause: Cause) -> &'static str {
    match cause {
        Cause::Dns => "dns",
        Cause::Refused => "refused",
        Cause::Tls => "tls",
        Cause::TimedOut => "timed_out",
        Cause::Reset => "reset",
        Cause::Other => "other",
    }
}

/// The word for what is wrong with the journal.
pub(crate) fn journal_fault(error: &journal::Error) -> &'static str {
    match error {
        journal::Error::Full => "full",
        journal::Error::Denied(_) => "denied",
        journal::Error::Corrupt(_) => "corrupt",
        journal::Error::NotAJournal => "not_ours",
        journal::Error::Newer { .. } => "newer",
        journal::Error::Busy => "busy",
        journal::Error::RolledBack => "rolled_back",
        _ => "other",
    }
}

fn plan_fault(unusable: Unusable) -> &'static str {
    match unusable {
        Unusable::NotAPlan => "not_a_plan",
        Unusable::TooLarge => "too_large",
        Unusable::Newer => "newer",
        Unusable::Grants => "grants",
        Unusable::Block => "block",
        Unusable::Expired => "expired",
        Unusable::Elsewhere => "elsewhere",
        Unusable::CarriedOut => "carried_out",
        Unusable::Unfinished => "unfinished",
        Unusable::OtherMember => "other_member",
        Unusable::TooOld => "too_old",
    }
}

pub(crate) fn refusal(error: Error) -> Refusal {
    match error {
        Error::BadInput { field, fault } => Refusal::BadInput { field: field_word(field), fault: fault_word(fault) },
        Error::UnknownHost { base_url } => Refusal::UnknownHost { base_url },
        Error::SignedOut { request_id, email } => Refusal::SignedOut { request_id, resume_as: email },
        Error::NotAllowed(missing) => Refusal::NotAllowed(denial(*missing)),
        Error::Api(error) => api_refusal(&error),
        Error::Journal(error) => Refusal::Journal { fault: journal_fault(&error).to_owned(), sent: false },
        Error::JournalAfterSending(error) => Refusal::Journal { fault: journal_fault(&error).to_owned(), sent: true },
        Error::Keyring(trouble) => Refusal::Keyring { keeping: keeping(Keeping::Memory(trouble)) },
        Error::NoOrganization => Refusal::NoOrganization,
        Error::PlanChanged => Refusal::PlanChanged,
        Error::PolicyChanged(differs) => Refusal::PolicyChanged { differs: contain::differences(&differs, None) },
        Error::Block(refused) => contain::refused(refused),
        Error::Plan(unusable) => Refusal::Plan { fault: plan_fault(unusable).to_owned() },
        Error::NothingRead => Refusal::NothingRead,
        Error::Cancelled => Refusal::Cancelled,
        Error::WidthRules(fault) => {
            Refusal::BadInput { field: refusal::Field::WidthRules, fault: inventory::width_fault(fault) }
        }
        Error::Busy { pid } => Refusal::Busy { pid },
        Error::OutOfOrder => Refusal::OutOfOrder,
        Error::NotSignedOutAtServer(error) => Refusal::NotSignedOutAtServer(problem(&error)),
    }
}

fn api_refusal(error: &ApiError) -> Refusal {
    let problem = problem(error);
    match error {
        ApiError::SignedOut(_) => Refusal::Refused(problem),
        ApiError::NotAllowed { needs, .. } => {
            let (resource, action) = needs.clone().map(|needs| (needs.resource, needs.action)).unzip();
            Refusal::NotAllowed(refusal::Denial {
                action,
                resource,
                your_roles: Vec::new(),
                roles_that_hold_it: Vec::new(),
                policy_read_at: None,
                request_id: problem.request_id,
                asked: true,
            })
        }
        ApiError::WrongOrganization(_) | ApiError::OrganizationSuspended(_) => Refusal::OrganizationRefused(problem),
        ApiError::RateLimited { retry_after, .. } => {
            let until = retry_after.and_then(|wait| jiff::Timestamp::now().checked_add(wait).ok()).map(rfc3339);
            Refusal::RateLimited { until, problem }
        }
        ApiError::MemberNotFound(_) => Refusal::MemberGone(problem),
        ApiError::ConnectedAppNotFound(_) => Refusal::AppGone(problem),
        ApiError::CodeRejected(_) => Refusal::CodeRejected(problem),
        ApiError::BundleIdNotRegistered { identifier, .. } => {
            Refusal::BundleIdNotRegistered { identifier: identifier.clone(), problem }
        }
        ApiError::SdkEndpointOff(_) => Refusal::SdkEndpointOff { method: None, problem },
        ApiError::CaptchaRequired(_) => Refusal::CaptchaRequired(problem),
        ApiError::CookiesOnly(_) => Refusal::CookiesOnly(problem),
        ApiError::ServerError(_) => Refusal::ServerError(problem),
        ApiError::Redirected { to_host, .. } => Refusal::Redirected { to_host: to_host.clone(), problem },
        ApiError::Garbled { .. } => Refusal::Garbled(problem),
        ApiError::Unreachable { .. } => Refusal::Offline(problem),
        ApiError::NotFound(_)
        | ApiError::DomainRefused(_)
        | ApiError::BadRequest { .. }
        | ApiError::Refused(_)
        | ApiError::InvalidInput { .. } => Refusal::Refused(problem),
    }
}

fn field_word(field: Field) -> refusal::Field {
    match field {
        Field::PublicToken => refusal::Field::PublicToken,
        Field::BaseUrl => refusal::Field::BaseUrl,
        Field::Email => refusal::Field::Email,
        Field::OrganizationSlug => refusal::Field::OrganizationSlug,
        Field::Code => refusal::Field::Code,
        Field::MemberId => refusal::Field::MemberId,
        Field::ConnectedAppId => refusal::Field::ConnectedAppId,
        Field::OrganizationId => refusal::Field::OrganizationId,
        Field::AppIdentifier => refusal::Field::AppIdentifier,
        Field::SdkIdentifier => refusal::Field::SdkIdentifier,
        Field::ConnectionId => refusal::Field::ConnectionId,
        Field::Snapshot => refusal::Field::Snapshot,
    }
}

fn fault_word(fault: Fault) -> refusal::Fault {
    match fault {
        Fault::Empty => refusal::Fault::Empty,
        Fault::Malformed => refusal::Fault::Malformed,
        Fault::PlainHttp => refusal::Fault::PlainHttp,
        Fault::Extras => refusal::Fault::Extras,
        Fault::Secret => refusal::Fault::Secret,
        Fault::Dots => refusal::Fault::Dots,
        Fault::TooLong => refusal::Fault::TooLong,
        Fault::Unknown => refusal::Fault::Unknown,
    }
}
