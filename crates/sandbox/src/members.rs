//! Members: oneself, and the search with its cursor, filters and limits.

use std::collections::HashSet;

use axum::Router;
use axum::extract::State as Held;
use axum::response::Response;
use axum::routing::{get, post};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};

use crate::caller::{Fields, Signed, out_of_range, wrong_type};
use crate::grants::MemberNo;
use crate::organization;
use crate::rbac;
use crate::reply::{Refusal, data, object};
use crate::world::{Member, State, Status, World, rfc3339};

pub fn routes() -> Router<State> {
    Router::new()
        .route("/sdk/v1/b2b/organizations/members/me", get(own))
        .route("/sdk/v1/b2b/organizations/me/members/search", post(search))
}

async fn own(Held(state): Held<State>, signed: Signed) -> Response {
    let world = state.world();
    let member = &world.members[signed.member as usize];
    data(object(json!({"member": json_of(member, &signed.roles)})))
}

async fn search(Held(state): Held<State>, signed: Signed, fields: Fields) -> Result<Response, Refusal> {
    signed.may("stytch.member", "search")?;
    let limit = match fields.optional_whole("limit")?.unwrap_or(100) {
        // Nought stands for "the default", as an unset number does on the backend.
        0 => 100,
        limit @ 1..=1000 => usize::try_from(limit).unwrap_or(1000),
        ..0 => return Err(out_of_range("limit", "minimum", ">=", 0)),
        _ => return Err(out_of_range("limit", "maximum", "<=", 1000)),
    };
    let from = match fields.optional_text("cursor")? {
        None | Some("") => 0,
        Some(cursor) => place(cursor)?,
    };
    let query = Query::read(fields.optional_object("query")?)?;

    let world = state.world();
    let wanted = |number: &MemberNo| {
        let member = &world.members[*number as usize];
        member.organization == signed.organization && query.wants(member)
    };
    let found: Vec<MemberNo> = match query.only_these(&world) {
        Some(few) => few.into_iter().filter(wanted).collect(),
        None => (0..world.members.len() as MemberNo).filter(wanted).collect(),
    };
    let total = found.len();
    let mut rest = found.into_iter().skip_while(|number| *number < from);
    let page: Vec<MemberNo> = rest.by_ref().take(limit).collect();
    let next_cursor = rest.next().map(|next| URL_SAFE_NO_PAD.encode(format!("from:{next}")));

    let members: Vec<Value> = page
        .iter()
        .map(|number| {
            let member = &world.members[*number as usize];
            let roles: Vec<String> = member.role_ids().map(str::to_owned).collect();
            json_of(member, &roles)
        })
        .collect();
    let organization = &world.organizations[signed.organization];
    let mut organizations = Map::new();
    organizations.insert(organization.id.clone(), organization::json_of(organization));
    Ok(data(object(json!({
        "members": members,
        "organizations": organizations,
        "results_metadata": {"total": total, "next_cursor": next_cursor},
    }))))
}

fn place(cursor: &str) -> Result<MemberNo, Refusal> {
    URL_SAFE_NO_PAD
        .decode(cursor)
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .and_then(|text| text.strip_prefix("from:")?.parse().ok())
        .ok_or_else(|| Refusal::api(400, "member_search_invalid_cursor", "The cursor was not issued by this search."))
}

/// A search's filters, joined by `all` (AND) or by any (OR).
struct Query {
    all: bool,
    filters: Vec<Filter>,
}

enum Filter {
    Ids(HashSet<String>),
    Emails(HashSet<String>),
    EmailFuzzy(String),
    Breakglass(bool),
    Statuses(HashSet<String>),
    Phones(HashSet<String>),
    PhoneFuzzy(String),
    PasswordExists(bool),
    Roles(HashSet<String>),
}

impl Query {
    fn read(query: Option<&Map<String, Value>>) -> Result<Self, Refusal> {
        let Some(query) = query else {
            return Ok(Self { all: true, filters: Vec::new() });
        };
        let all = match query.get("operator") {
            None => true,
            Some(Value::String(word)) if word == "AND" => true,
            Some(Value::String(word)) if word == "OR" => false,
            Some(_) => {
                return Err(Refusal::schema(
                    "enum",
                    ".query.operator",
                    json!({"allowedValues": ["AND", "OR"]}),
                    "should be equal to one of the allowed values",
                ));
            }
        };
        let operands = match query.get("operands") {
            None => &Vec::new(),
            Some(Value::Array(operands)) => operands,
            Some(_) => return Err(wrong_type("query.operands", "array")),
        };
        let filters =
            operands.iter().enumerate().map(|(at, operand)| Filter::read(at, operand)).collect::<Result<_, _>>()?;
        Ok(Self { all, filters })
    }

    fn wants(&self, member: &Member) -> bool {
        // Deleted members are found only by those who ask for them.
        let asked_for_deleted =
            self.filters.iter().any(|filter| matches!(filter, Filter::Statuses(words) if words.contains("deleted")));
        if member.status == Status::Deleted && !asked_for_deleted {
            return false;
        }
        if self.filters.is_empty() {
            return true;
        }
        match self.all {
            true => self.filters.iter().all(|filter| filter.wants(member)),
            false => self.filters.iter().any(|filter| filter.wants(member)),
        }
    }

    /// The few members a filter by id or exact address can mean, in their order, so that such a search scans nobody else.
    fn only_these(&self, world: &World) -> Option<Vec<MemberNo>> {
        if !self.all {
            return None;
        }
        let mut few: Vec<MemberNo> = self.filters.iter().find_map(|filter| match filter {
            Filter::Ids(ids) => Some(ids.iter().filter_map(|id| world.member_by_id.get(id).copied()).collect()),
            _ => None,
        })?;
        few.sort_unstable();
        few.dedup();
        Some(few)
    }
}

impl Filter {
    fn read(at: usize, operand: &Value) -> Result<Self, Refusal> {
        let path = format!("query.operands[{at}]");
        let name = match operand.get("filter_name") {
            Some(Value::String(name)) => name.as_str(),
            _ => return Err(wrong_type(&format!("{path}.filter_name"), "string")),
        };
        let path = format!("{path}.filter_value");
        let value = operand.get("filter_value").unwrap_or(&Value::Null);
        let texts = || -> Result<HashSet<String>, Refusal> {
            value
                .as_array()
                .ok_or_else(|| wrong_type(&path, "array"))?
                .iter()
                .map(|one| one.as_str().map(str::to_owned))
                .collect::<Option<_>>()
                .ok_or_else(|| wrong_type(&path, "string[]"))
        };
        let text = || value.as_str().ok_or_else(|| wrong_type(&path, "string"));
        let flag = || value.as_bool().ok_or_else(|| wrong_type(&path, "boolean"));
        let lower = |texts: HashSet<String>| texts.iter().map(|text| text.to_lowercase()).collect();
        Ok(match name {
            "member_ids" => Self::Ids(texts()?),
            "member_emails" => Self::Emails(lower(texts()?)),
            "member_email_fuzzy" => Self::EmailFuzzy(fuzzy(text()?, "member_search_member_email_fuzzy_too_short")?),
            "member_is_breakglass" => Self::Breakglass(flag()?),
            "statuses" => Self::Statuses(texts()?),
            "member_mfa_phone_numbers" => Self::Phones(texts()?),
            "member_mfa_phone_number_fuzzy" => {
                Self::PhoneFuzzy(fuzzy(text()?, "member_search_member_mfa_phone_number_fuzzy_too_short")?)
            }
            "member_password_exists" => Self::PasswordExists(flag()?),
            "member_roles" => Self::Roles(texts()?),
            _ => {
                return Err(Refusal::api(
                    400,
                    "member_search_invalid_filter_name",
                    "The search query names a filter that does not exist.",
                ));
            }
        })
    }

    fn wants(&self, member: &Member) -> bool {
        match self {
            Self::Ids(ids) => ids.contains(&member.id),
            Self::Emails(emails) => emails.contains(&member.email.to_lowercase()),
            Self::EmailFuzzy(part) => member.email.to_lowercase().contains(part),
            Self::Breakglass(flag) => member.is_breakglass == *flag,
            Self::Statuses(words) => words.contains(member.status.word()),
            Self::Phones(phones) => phones.contains(&member.mfa_phone_number),
            Self::PhoneFuzzy(part) => member.mfa_phone_number.contains(part),
            // Nobody in the sandbox has a password: everybody signs in by code.
            Self::PasswordExists(flag) => !*flag,
            Self::Roles(roles) => member.role_ids().any(|role| roles.contains(role)),
        }
    }
}

fn fuzzy(text: &str, too_short: &'static str) -> Result<String, Refusal> {
    match text.chars().count() {
        ..3 => Err(Refusal::api(400, too_short, "A fuzzy filter needs at least 3 characters.")),
        _ => Ok(text.to_lowercase()),
    }
}

/// The whole member object, with these roles.
pub fn json_of(member: &Member, roles: &[String]) -> Value {
    let roles_with_sources: Vec<Value> = roles
        .iter()
        .map(|role| json!({"role_id": role, "sources": [{"type": "direct_assignment", "details": {}}]}))
        .collect();
    json!({
        "organization_id": member.organization_id,
        "member_id": member.id,
        "email_address": member.email,
        "email_address_verified": member.status == Status::Active,
        "status": member.status.word(),
        "name": member.name,
        "roles": roles_with_sources,
        "is_breakglass": member.is_breakglass,
        "is_admin": roles.iter().any(|role| role == rbac::ADMIN),
        "is_locked": false,
        "lock_created_at": null,
        "lock_expires_at": null,
        "mfa_enrolled": false,
        "mfa_phone_number": member.mfa_phone_number,
        "mfa_phone_number_verified": false,
        "default_mfa_method": "",
        "totp_registration_id": "",
        "member_password_id": "",
        "sso_registrations": [],
        "oauth_registrations": [],
        "retired_email_addresses": [],
        "scim_registration": null,
        "external_id": null,
        "trusted_metadata": {},
        "untrusted_metadata": {},
        "created_at": rfc3339(member.created_at),
        "updated_at": rfc3339(member.updated_at),
    })
}
