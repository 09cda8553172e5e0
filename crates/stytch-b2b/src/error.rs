//! What can go wrong with a call, one variant for each thing that a caller does differently. The words for people are not here.

use std::fmt;
use std::time::Duration;

use crate::id::RequestId;

/// What is known about a failed call. Every text in it is cut short, free of control characters and free of what was sent as secret.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// The HTTP status, if an answer began to arrive.
    pub status: Option<u16>,
    /// Stytch's name of the error. An open set.
    pub error_type: Option<String>,
    /// What Stytch's support asks for.
    pub request_id: Option<RequestId>,
    /// Stytch's sentence, or the beginning of an answer that was not Stytch's.
    pub message: Option<String>,
    /// The `Date` header as it stood in the answer.
    pub server_date: Option<String>,
}

/// A `(resource, action)` pair of the project's policy.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Permission {
    /// Such as `stytch.member`.
    pub resource: String,
    /// Such as `revoke.connected-app`.
    pub action: String,
}

impl Permission {
    /// Puts the two together.
    pub fn new(resource: &str, action: &str) -> Self {
        Self { resource: resource.to_owned(), action: action.to_owned() }
    }
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} on {}", self.action, self.resource)
    }
}

/// How far a request got that had no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// No connection was made: certainly not carried out.
    NotSent,
    /// It may have reached the server: only a later read can tell.
    MaybeCarriedOut,
}

/// Why there was no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The host's name has no address.
    Dns,
    /// The host refused the connection.
    Refused,
    /// No trustworthy encrypted connection could be made.
    Tls,
    /// It took longer than the timeouts allow.
    TimedOut,
    /// The connection broke.
    Reset,
    /// Something else, such as no network at all.
    Other,
}

impl Cause {
    fn word(self) -> &'static str {
        match self {
            Self::Dns => "the host's name has no address",
            Self::Refused => "the connection was refused",
            Self::Tls => "no trusted encrypted connection could be made",
            Self::TimedOut => "it took too long",
            Self::Reset => "the connection broke",
            Self::Other => "the network failed",
        }
    }
}

/// A call that did not succeed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// The session is refused on a call made with it (`unauthorized_credentials`, `user_unauthenticated`,
    /// `invalid_secret_authentication`, `session_not_found`). Final on session authenticate and revoke; after any other
    /// call, authenticate the session once and believe that, as Stytch's web SDK does.
    SignedOut(Facts),
    /// The member's roles do not hold the permission (`session_authorization_error`, `unauthorized_action`).
    NotAllowed {
        /// What is known.
        facts: Facts,
        /// The permission that the table of methods names, since the answer does not. `None` where none is documented.
        needs: Option<Permission>,
    },
    /// The id belongs to another organization than the session (`session_authorization_tenancy_error`).
    WrongOrganization(Facts),
    /// The vendor has suspended the organization (`organization_suspended`).
    OrganizationSuspended(Facts),
    /// Too many calls (429).
    RateLimited {
        /// What is known.
        facts: Facts,
        /// How long to wait, when the answer says so. Stytch does not document the header.
        retry_after: Option<Duration>,
    },
    /// No such member (`member_not_found`).
    MemberNotFound(Facts),
    /// No such connected app (`connected_app_not_found`).
    ConnectedAppNotFound(Facts),
    /// Something else was not found (any other 404).
    NotFound(Facts),
    /// The code is wrong or too old.
    CodeRejected(Facts),
    /// The project does not know this app (`bad_app_bundle_for_stytch_sdk`).
    BundleIdNotRegistered {
        /// What is known.
        facts: Facts,
        /// The identifier that was sent: exactly what the project's owner must add.
        identifier: String,
    },
    /// The API took this app for a web page of a domain that the project does not know (`bad_domain_for_stytch_sdk`).
    DomainRefused(Facts),
    /// The project has this method, or all member actions, switched off for apps (`endpoint_not_authorized_for_sdk`).
    SdkEndpointOff(Facts),
    /// The project's bot protection wants a proof that this app cannot give. Do not repeat.
    CaptchaRequired(Facts),
    /// The project hands out tokens in HttpOnly cookies only, which this app does not keep.
    CookiesOnly(Facts),
    /// The API does not accept the shape of the request.
    BadRequest {
        /// What is known.
        facts: Facts,
        /// The fields it complains about, as it names them.
        fields: Vec<String>,
    },
    /// Any other clear refusal (4xx).
    Refused(Facts),
    /// The server failed (5xx). The call may have been carried out.
    ServerError(Facts),
    /// The answer points elsewhere. Redirects are never followed: the session is bound to one host.
    Redirected {
        /// What is known.
        facts: Facts,
        /// The host it points to, with its port when it is not the usual one.
        to_host: Option<String>,
    },
    /// An answer that does not say what an answer must say, or is not an answer of this API.
    Garbled {
        /// What is known.
        facts: Facts,
        /// What was wrong with it, without its contents.
        why: String,
    },
    /// No answer, or not all of one.
    Unreachable {
        /// What is known.
        facts: Facts,
        /// How far it got.
        phase: Phase,
        /// Why.
        cause: Cause,
    },
    /// Refused here; nothing was sent.
    InvalidInput {
        /// The name of the field, such as `member_id`. `Display` says what is right.
        what: &'static str,
    },
}

static NO_FACTS: Facts = Facts { status: None, error_type: None, request_id: None, message: None, server_date: None };

impl Error {
    /// What is known about the failure; all empty when nothing was sent.
    pub fn facts(&self) -> &Facts {
        match self {
            Self::SignedOut(facts)
            | Self::WrongOrganization(facts)
            | Self::OrganizationSuspended(facts)
            | Self::MemberNotFound(facts)
            | Self::ConnectedAppNotFound(facts)
            | Self::NotFound(facts)
            | Self::CodeRejected(facts)
            | Self::DomainRefused(facts)
            | Self::SdkEndpointOff(facts)
            | Self::CaptchaRequired(facts)
            | Self::CookiesOnly(facts)
            | Self::Refused(facts)
            | Self::ServerError(facts)
            | Self::NotAllowed { facts, .. }
            | Self::RateLimited { facts, .. }
            | Self::BundleIdNotRegistered { facts, .. }
            | Self::BadRequest { facts, .. }
            | Self::Redirected { facts, .. }
            | Self::Garbled { facts, .. }
            | Self::Unreachable { facts, .. } => facts,
            Self::InvalidInput { .. } => &NO_FACTS,
        }
    }

    /// The variant's name in snake case. Stable: scripts may rely on it.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::SignedOut(_) => "signed_out",
            Self::NotAllowed { .. } => "not_allowed",
            Self::WrongOrganization(_) => "wrong_organization",
            Self::OrganizationSuspended(_) => "organization_suspended",
            Self::RateLimited { .. } => "rate_limited",
            Self::MemberNotFound(_) => "member_not_found",
            Self::ConnectedAppNotFound(_) => "connected_app_not_found",
            Self::NotFound(_) => "not_found",
            Self::CodeRejected(_) => "code_rejected",
            Self::BundleIdNotRegistered { .. } => "bundle_id_not_registered",
            Self::DomainRefused(_) => "domain_refused",
            Self::SdkEndpointOff(_) => "sdk_endpoint_off",
            Self::CaptchaRequired(_) => "captcha_required",
            Self::CookiesOnly(_) => "cookies_only",
            Self::BadRequest { .. } => "bad_request",
            Self::Refused(_) => "refused",
            Self::ServerError(_) => "server_error",
            Self::Redirected { .. } => "redirected",
            Self::Garbled { .. } => "garbled",
            Self::Unreachable { .. } => "unreachable",
            Self::InvalidInput { .. } => "invalid_input",
        }
    }

    /// Whether the request may have had its effect all the same.
    ///
    /// A clear refusal (4xx) had none, and neither had a request that never left. A server error, a redirect, an answer
    /// nobody can read, and a connection lost after sending prove nothing: only a later read can tell.
    pub fn maybe_carried_out(&self) -> bool {
        match self {
            Self::ServerError(_) | Self::Redirected { .. } | Self::Garbled { .. } => true,
            // A sign-in whose tokens did not arrive has been carried out: the code is used up.
            Self::CookiesOnly(facts) => facts.status.is_some_and(|status| (200..300).contains(&status)),
            Self::Unreachable { phase, .. } => *phase == Phase::MaybeCarriedOut,
            Self::SignedOut(_)
            | Self::NotAllowed { .. }
            | Self::WrongOrganization(_)
            | Self::OrganizationSuspended(_)
            | Self::RateLimited { .. }
            | Self::MemberNotFound(_)
            | Self::ConnectedAppNotFound(_)
            | Self::NotFound(_)
            | Self::CodeRejected(_)
            | Self::BundleIdNotRegistered { .. }
            | Self::DomainRefused(_)
            | Self::SdkEndpointOff(_)
            | Self::CaptchaRequired(_)
            | Self::BadRequest { .. }
            | Self::Refused(_)
            | Self::InvalidInput { .. } => false,
        }
    }
}

impl std::error::Error for Error {}

impl fmt::Display for Error {
    /// One line for logs and for a support engineer.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InvalidInput { what } => return f.write_str(&what_is_right(what)),
            Self::SignedOut(_) => f.write_str("the session is refused")?,
            Self::NotAllowed { needs: Some(needs), .. } => write!(f, "not allowed: it needs {needs}")?,
            Self::NotAllowed { needs: None, .. } => f.write_str("not allowed")?,
            Self::WrongOrganization(_) => f.write_str("it belongs to another organization")?,
            Self::OrganizationSuspended(_) => f.write_str("the organization is suspended")?,
            Self::RateLimited { retry_after: Some(wait), .. } => {
                write!(f, "too many calls: wait {} s", wait.as_secs())?;
            }
            Self::RateLimited { retry_after: None, .. } => f.write_str("too many calls")?,
            Self::MemberNotFound(_) => f.write_str("no such member")?,
            Self::ConnectedAppNotFound(_) => f.write_str("no such connected app")?,
            Self::NotFound(_) => f.write_str("not found")?,
            Self::CodeRejected(_) => f.write_str("the code is wrong or too old")?,
            Self::BundleIdNotRegistered { identifier, .. } => {
                write!(f, "the project does not list the app {identifier} among its bundle ids")?;
            }
            Self::DomainRefused(_) => f.write_str("the project does not list the domain of this caller")?,
            Self::SdkEndpointOff(_) => f.write_str("the project has this method switched off for apps")?,
            Self::CaptchaRequired(_) => f.write_str("the project's bot protection blocks this app")?,
            Self::CookiesOnly(_) => f.write_str("the project hands out tokens in HttpOnly cookies only")?,
            Self::BadRequest { fields, .. } => {
                write!(f, "the API does not accept the shape of the request: {}", fields.join(", "))?;
            }
            Self::Refused(_) => f.write_str("refused")?,
            Self::ServerError(_) => f.write_str("the server failed")?,
            Self::Redirected { to_host: Some(host), .. } => {
                write!(f, "the answer points to {host}; redirects are not followed")?;
            }
            Self::Redirected { to_host: None, .. } => f.write_str("the answer points elsewhere; not followed")?,
            Self::Garbled { why, .. } => write!(f, "the answer cannot be read: {why}")?,
            Self::Unreachable { phase, cause, .. } => {
                f.write_str(match phase {
                    Phase::NotSent => "not sent: ",
                    Phase::MaybeCarriedOut => "sent, but no whole answer came: ",
                })?;
                f.write_str(cause.word())?;
            }
        }
        let facts = self.facts();
        let known: Vec<String> = [
            facts.status.map(|status| status.to_string()),
            facts.error_type.clone(),
            facts.request_id.as_ref().map(|id| id.to_string()),
        ]
        .into_iter()
        .flatten()
        .collect();
        if !known.is_empty() {
            write!(f, " ({})", known.join(", "))?;
        }
        if let Some(message) = &facts.message {
            write!(f, ": {message}")?;
        }
        Ok(())
    }
}

fn what_is_right(what: &str) -> String {
    match what {
        "email_address" => "An e-mail address has a name, an @ and a domain, without blanks.".to_owned(),
        "code" => "The code from the e-mail must be given.".to_owned(),
        "session_token" => "A session token must be given.".to_owned(),
        "limit" => "The limit of a member search is a number from 1 to 1000.".to_owned(),
        "member_email_fuzzy" | "member_mfa_phone_number_fuzzy" => format!("{what} must have three characters or more."),
        "app.identifier" | "sdk.identifier" => {
            format!("{what} must be visible text of at most 200 characters, such as com.example.app.")
        }
        "organization_update" => "An update of the organization must give at least one field.".to_owned(),
        "arguments" => "The arguments must be a JSON object.".to_owned(),
        "url" => "The ids given make an address that is too long to be sent.".to_owned(),
        "http_client" => "The system's network or certificate settings cannot be used.".to_owned(),
        _ => format!("{what} must be given, and must not be `.` or `..` in any spelling."),
    }
}
