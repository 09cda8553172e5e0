//! From an e-mail address to a session: code, organization, factors. One attempt at a time; the intermediate session
//! token of an attempt lives here and dies with it.

use std::time::Duration;

use jiff::Timestamp;
use stytch_b2b::{
    Authenticated, Client, DiscoveredOrganization, Error as ApiError, Facts, IntermediateSessionToken, OrganizationId,
    SignInOutcome,
};

use crate::clock::rfc3339;
use crate::connections::Checked;
use crate::error::{Error, Fault, Field};

/// What is asked for as the session's length. Stytch's backend gives as much when nothing is asked; the project may cap
/// it lower and then refuses with its own words.
pub const SESSION_MINUTES: u32 = 60;

/// How long a code is valid, by Stytch's default.
const CODE_LIFE: Duration = Duration::from_secs(600);

/// A sign-in that has begun.
pub struct Attempt {
    pub(crate) connection: journal::SavedConnection,
    pub(crate) client: Client,
    email: String,
    stage: Stage,
}

enum Stage {
    /// A code is out: for one organization, or for discovery.
    Code { organization: Option<OrganizationId> },
    /// The address is proven; an organization is to be chosen.
    Choose { token: IntermediateSessionToken, organizations: Vec<DiscoveredOrganization> },
}

/// Where an attempt stands after a step.
pub enum Step {
    /// A code is on its way.
    CodeSent {
        /// To this address.
        email: String,
        /// Valid until about then, RFC 3339.
        valid_until: String,
    },
    /// Choose one.
    ChooseOrganization(Vec<DiscoveredOrganization>),
    /// The organization wants a factor that this version cannot give.
    MoreNeeded {
        /// `mfa` or `primary`.
        what: &'static str,
        /// The methods that would do.
        methods: Vec<String>,
    },
    /// The server let them in; the desk has yet to sit them down.
    Answered(Box<Authenticated>),
    /// Signed in.
    SignedIn,
}

/// Says whether an address looks like one, so that nothing is sent for a slip of the finger.
///
/// # Errors
/// [`Error::BadInput`].
pub fn check_email(email: &str) -> Result<String, Error> {
    let email = email.trim();
    if email.is_empty() {
        return Err(Error::bad(Field::Email, Fault::Empty));
    }
    if email.len() > 320 {
        return Err(Error::bad(Field::Email, Fault::TooLong));
    }
    let shape = email.split_once('@').is_some_and(|(local, domain)| {
        !local.is_empty()
            && !domain.is_empty()
            && !domain.contains('@')
            && !domain.starts_with('.')
            && !domain.ends_with('.')
    });
    if !shape || email.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Err(Error::bad(Field::Email, Fault::Malformed));
    }
    Ok(email.to_owned())
}

/// Says whether a code looks like one: six digits, however they were spaced.
///
/// # Errors
/// [`Error::BadInput`].
pub fn check_code(code: &str) -> Result<String, Error> {
    let code: String = code.chars().filter(|c| !c.is_whitespace() && *c != '-').collect();
    if code.is_empty() {
        return Err(Error::bad(Field::Code, Fault::Empty));
    }
    if code.len() != 6 || !code.chars().all(|c| c.is_ascii_digit()) {
        return Err(Error::bad(Field::Code, Fault::Malformed));
    }
    Ok(code)
}

impl Attempt {
    /// Sends a code: through discovery, or to the organization that the connection names.
    pub(crate) async fn begin(
        connection: journal::SavedConnection,
        checked: &Checked,
        client: Client,
        email: &str,
        now: Timestamp,
    ) -> Result<(Self, Step), Error> {
        let email = check_email(email)?;
        let organization = match &checked.organization_slug {
            None => {
                client.send_discovery_code(&email).await?;
                None
            }
            Some(slug) => {
                let found = client.organization_by_slug(slug).await?.data.ok_or(Error::NoOrganization)?;
                client.send_login_code(&found.organization_id, &email).await?;
                Some(found.organization_id)
            }
        };
        let valid_until = rfc3339(now + CODE_LIFE);
        let step = Step::CodeSent { email: email.clone(), valid_until };
        Ok((Self { connection, client, email, stage: Stage::Code { organization } }, step))
    }

    /// The address that this attempt is for.
    pub(crate) fn email(&self) -> &str {
        &self.email
    }

    /// Gives the code. A rejected one may be tried again, as long as the server allows.
    pub(crate) async fn code(&mut self, code: &str) -> Result<Step, Error> {
        let code = check_code(code)?;
        let organization = match &self.stage {
            Stage::Code { organization } => organization,
            // The code was right the first time, and only what came after it failed.
            Stage::Choose { organizations, .. } => return Ok(Step::ChooseOrganization(organizations.clone())),
        };
        match organization {
            Some(organization) => {
                let answer =
                    self.client.authenticate_login_code(organization, &self.email, &code, SESSION_MINUTES).await?.data;
                Ok(after(answer))
            }
            None => {
                let answer = self.client.authenticate_discovery_code(&self.email, &code).await?.data;
                let organizations = answer.discovered_organizations.rows;
                let unreadable = answer.discovered_organizations.unreadable.len();
                let mut members = organizations.iter().filter(|found| found.membership.kind == "active_member");
                let only = match (members.next(), organizations.len()) {
                    (Some(found), 1) if unreadable == 0 => Some(found.organization.organization_id.clone()),
                    _ => None,
                };
                if organizations.is_empty() {
                    return Err(match unreadable {
                        0 => Error::NoOrganization,
                        _ => ApiError::Garbled {
                            facts: Facts::default(),
                            why: format!("none of its {unreadable} organizations can be read"),
                        }
                        .into(),
                    });
                }
                self.stage =
                    Stage::Choose { token: answer.intermediate_session_token, organizations: organizations.clone() };
                match only {
                    Some(organization) => self.choose(&organization).await,
                    None => Ok(Step::ChooseOrganization(organizations)),
                }
            }
        }
    }

    /// Chooses one of the organizations that were offered.
    pub(crate) async fn choose(&mut self, organization: &OrganizationId) -> Result<Step, Error> {
        let Stage::Choose { token, organizations } = &self.stage else { return Err(Error::OutOfOrder) };
        if !organizations.iter().any(|found| found.organization.organization_id == *organization) {
            return Err(Error::bad(Field::OrganizationId, Fault::Unknown));
        }
        let answer = self.client.exchange_intermediate_session(token, organization, SESSION_MINUTES).await?.data;
        Ok(after(answer))
    }
}

fn after(answer: Authenticated) -> Step {
    match &answer.outcome {
        SignInOutcome::SignedIn { .. } => Step::Answered(Box::new(answer)),
        SignInOutcome::MoreNeeded { mfa_required, primary_required, .. } => {
            if let Some(primary) = primary_required {
                return Step::MoreNeeded { what: "primary", methods: primary.allowed_auth_methods.clone() };
            }
            let options = mfa_required.as_ref().and_then(|mfa| mfa.member_options.as_ref());
            let mut methods = Vec::new();
            if options.is_some_and(|options| !options.mfa_phone_number.is_empty()) {
                methods.push("sms_otp".to_owned());
            }
            if options.is_some_and(|options| !options.totp_registration_id.is_empty()) {
                methods.push("totp".to_owned());
            }
            Step::MoreNeeded { what: "mfa", methods }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_finger_is_caught_before_anything_is_sent() {
        assert!(matches!(check_email(""), Err(Error::BadInput { fault: Fault::Empty, .. })));
        for slip in ["nora", "nora@", "@acme.test", "nora@acme.test extra", "a@b@c", "nora@.test"] {
            assert!(matches!(check_email(slip), Err(Error::BadInput { fault: Fault::Malformed, .. })), "{slip}");
        }
        assert_eq!(check_email(" nora@acme.test ").expect("an address"), "nora@acme.test");
        assert_eq!(check_code("123 456").expect("a code"), "123456");
        for slip in ["12345", "1234567", "12345a", "१२३४५६"] {
            assert!(matches!(check_code(slip), Err(Error::BadInput { fault: Fault::Malformed, .. })), "{slip}");
        }
    }
}
