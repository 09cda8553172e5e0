//! Members: oneself, and the search that finds the others. There is no frontend call that reads one member by id.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::client::{Call, Client, Reply};
use crate::error::Error;
use crate::id::{MemberId, OrganizationId};
use crate::lenient;
use crate::rows::Rows;
use crate::token::SessionToken;

/// A member of an organization.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Member {
    /// Their id.
    pub member_id: MemberId,
    /// Their organization.
    pub organization_id: OrganizationId,
    /// Their e-mail address.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub email_address: String,
    /// Whether they have proven the address.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub email_address_verified: bool,
    /// `pending`, `invited`, `active` or `deleted`.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub status: String,
    /// Their name; often empty.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub name: String,
    /// Their roles and where each comes from. Permissions follow the session's roles instead.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub roles: Vec<MemberRole>,
    /// Whether they hold the administrator role.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub is_admin: bool,
    /// Whether they may sign in past the organization's restrictions.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub is_breakglass: bool,
    /// Whether Stytch has locked them out for now.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub is_locked: bool,
    /// Whether they are asked for a second factor.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub mfa_enrolled: bool,
    /// The vendor's own id for them.
    pub external_id: Option<String>,
    /// RFC 3339, UTC.
    pub created_at: Option<String>,
    /// RFC 3339, UTC.
    pub updated_at: Option<String>,
}

/// A role that a member holds.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct MemberRole {
    /// Such as `stytch_admin`.
    pub role_id: String,
    /// Where it comes from; one role may come from several places.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub sources: Vec<RoleSource>,
}

/// Where a role comes from.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct RoleSource {
    /// Such as `direct_assignment`, `email_assignment` or `sso_connection`.
    #[serde(rename = "type", default, deserialize_with = "lenient::or_default")]
    pub kind: String,
}

/// What to search for. The default finds all members that are not deleted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MemberSearch {
    /// `next_cursor` of the page before; `None` for the first page.
    pub cursor: Option<String>,
    /// How many on a page, 1 to 1000; the API's own default is 100.
    pub limit: Option<u32>,
    /// All of these must hold.
    pub operands: Vec<MemberOperand>,
}

/// One condition of a search. Search by name does not exist.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MemberOperand {
    /// One of these ids.
    Ids(Vec<MemberId>),
    /// One of these whole e-mail addresses.
    Emails(Vec<String>),
    /// A part of the e-mail address, three characters or more.
    EmailFuzzy(String),
    /// One of these statuses. Deleted members show only when asked for.
    Statuses(Vec<String>),
    /// One of these roles.
    Roles(Vec<String>),
    /// Whether they may sign in past the organization's restrictions.
    IsBreakglass(bool),
    /// Whether they have a password.
    PasswordExists(bool),
    /// One of these whole phone numbers.
    MfaPhoneNumbers(Vec<String>),
    /// A part of the phone number, three characters or more.
    MfaPhoneNumberFuzzy(String),
}

impl MemberOperand {
    fn to_json(&self) -> Result<Value, Error> {
        let fuzzy = |what: &'static str, text: &str| {
            if text.chars().count() < 3 { Err(Error::InvalidInput { what }) } else { Ok(json!(text)) }
        };
        let (name, value) = match self {
            Self::Ids(ids) => ("member_ids", json!(ids)),
            Self::Emails(emails) => ("member_emails", json!(emails)),
            Self::EmailFuzzy(part) => ("member_email_fuzzy", fuzzy("member_email_fuzzy", part)?),
            Self::Statuses(statuses) => ("statuses", json!(statuses)),
            Self::Roles(roles) => ("member_roles", json!(roles)),
            Self::IsBreakglass(is) => ("member_is_breakglass", json!(is)),
            Self::PasswordExists(exists) => ("member_password_exists", json!(exists)),
            Self::MfaPhoneNumbers(numbers) => ("member_mfa_phone_numbers", json!(numbers)),
            Self::MfaPhoneNumberFuzzy(part) => {
                ("member_mfa_phone_number_fuzzy", fuzzy("member_mfa_phone_number_fuzzy", part)?)
            }
        };
        Ok(json!({ "filter_name": name, "filter_value": value }))
    }
}

/// A page of a search.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberPage {
    /// The members on this page.
    pub members: Rows<Member>,
    /// How many match in all; `None` when the project has totals switched off, which the API says as −1.
    pub total: Option<i64>,
    /// Where the next page begins; `None` on the last.
    pub next_cursor: Option<String>,
}

#[derive(Deserialize)]
struct Page {
    members: Rows<Member>,
    results_metadata: Option<Metadata>,
}

#[derive(Default, Deserialize)]
struct Metadata {
    total: Option<i64>,
    next_cursor: Option<String>,
}

#[derive(Deserialize)]
struct One {
    member: Member,
}

impl Client {
    /// The member whose session this is.
    ///
    /// # Errors
    /// Any of [`Error`].
    pub async fn own_member(&self, token: &SessionToken) -> Result<Reply<Member>, Error> {
        Ok(self.ask::<One>(Call::session("self.get", token)).await?.map(|one| one.member))
    }

    /// One page of the organization's members. Needs `search` on `stytch.member`; Stytch documents up to 9 s for it.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] for a limit or a part that the API refuses, or any of [`Error`].
    pub async fn search_members(
        &self,
        token: &SessionToken,
        search: &MemberSearch,
    ) -> Result<Reply<MemberPage>, Error> {
        let mut call = Call::session("organization.members.search", token);
        // The web SDK leaves an absent cursor out.
        if let Some(cursor) = &search.cursor {
            call = call.field("cursor", cursor.as_str());
        }
        if let Some(limit) = search.limit {
            if !(1..=1000).contains(&limit) {
                return Err(Error::InvalidInput { what: "limit" });
            }
            call = call.field("limit", limit);
        }
        if !search.operands.is_empty() {
            let operands = search.operands.iter().map(MemberOperand::to_json).collect::<Result<Vec<_>, _>>()?;
            call = call.field("query", json!({ "operator": "AND", "operands": operands }));
        }
        let reply = self.ask::<Page>(call).await?;
        Ok(reply.map(|page| {
            let metadata = page.results_metadata.unwrap_or_default();
            MemberPage {
                members: page.members,
                total: metadata.total.filter(|total| *total >= 0),
                next_cursor: metadata.next_cursor.filter(|cursor| !cursor.is_empty()),
            }
        }))
    }
}
