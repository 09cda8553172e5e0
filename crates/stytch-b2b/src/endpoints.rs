//! The table of the API's methods: name, verb, path, who may call, and the permission that is checked.
//!
//! It is data and the only place where a path or an action is written. The names are those of the official SDKs' methods.
//! A denial does not say which action was missing, so the error takes it from here. Methods of the SDKs that only read a
//! local cache have no path and no row.

use serde_json::{Map, Value};

use crate::error::Permission;

/// The HTTP verb of a method. The API uses these four.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verb {
    /// `GET`, without a body.
    Get,
    /// `POST`, always with a JSON object.
    Post,
    /// `PUT`, always with a JSON object.
    Put,
    /// `DELETE`, without a body.
    Delete,
}

impl Verb {
    /// The verb as it stands in the request.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Delete => "DELETE",
        }
    }

    /// Whether the request carries a JSON object.
    pub(crate) fn has_body(self) -> bool {
        matches!(self, Self::Post | Self::Put)
    }
}

/// What stands behind the public token in the `Authorization` header.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Auth {
    /// The public token again: anybody may call.
    Public,
    /// A session token.
    Session,
    /// A session token, or the public token together with an intermediate session token in the body.
    Either,
}

/// One method of the API.
#[derive(Clone, Copy, Debug)]
pub struct Endpoint {
    /// Its name in the official SDKs, such as `organization.members.revokeConnectedApp`.
    pub name: &'static str,
    /// Its verb.
    pub verb: Verb,
    /// Its path from the root of the host, with `{names}` for the segments that are filled in.
    pub path: &'static str,
    /// Who may call it.
    pub auth: Auth,
    /// The `(resource, action)` that Stytch checks, as the web SDK and the backend reference name it.
    /// `None` when no check is documented, or when it depends on the fields that are sent.
    pub permission: Option<(&'static str, &'static str)>,
    /// `(field, resource, action)` where each field that is sent is checked on its own.
    pub permission_by_field: &'static [(&'static str, &'static str, &'static str)],
    /// The `(resource, action)` that is enough when the member is the caller.
    pub permission_on_oneself: Option<(&'static str, &'static str)>,
    /// The fields that must be sent beside those in the path.
    pub required: &'static [&'static str],
    /// The fields that may be sent.
    pub optional: &'static [&'static str],
}

impl Endpoint {
    /// The row of that name.
    pub fn find(name: &str) -> Option<&'static Endpoint> {
        ENDPOINTS.iter().find(|endpoint| endpoint.name == name)
    }

    /// The names of the path's open segments, in order.
    pub fn segments(&self) -> impl Iterator<Item = &'static str> {
        self.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
    }

    /// The permission that a refusal of this request points to, if the table can tell.
    ///
    /// Where each field is checked on its own, it can tell only if all fields sent ask for the same action.
    pub fn needs(&self, sent: &Map<String, Value>) -> Option<Permission> {
        if let Some((resource, action)) = self.permission {
            return Some(Permission::new(resource, action));
        }
        let mut asked = self
            .permission_by_field
            .iter()
            .filter(|(field, _, _)| sent.contains_key(*field))
            .map(|(_, resource, action)| (*resource, *action));
        let first = asked.next()?;
        asked.all(|other| other == first).then(|| Permission::new(first.0, first.1))
    }

    const fn needs_one(mut self, resource: &'static str, action: &'static str) -> Self {
        self.permission = Some((resource, action));
        self
    }

    const fn needs_by_field(mut self, fields: &'static [(&'static str, &'static str, &'static str)]) -> Self {
        self.permission_by_field = fields;
        self
    }

    const fn on_oneself(mut self, resource: &'static str, action: &'static str) -> Self {
        self.permission_on_oneself = Some((resource, action));
        self
    }

    const fn required(mut self, fields: &'static [&'static str]) -> Self {
        self.required = fields;
        self
    }

    const fn optional(mut self, fields: &'static [&'static str]) -> Self {
        self.optional = fields;
        self
    }
}

const fn row(name: &'static str, verb: Verb, path: &'static str, auth: Auth) -> Endpoint {
    Endpoint {
        name,
        verb,
        path,
        auth,
        permission: None,
        permission_by_field: &[],
        permission_on_oneself: None,
        required: &[],
        optional: &[],
    }
}

/// The row of a method that the typed client itself calls.
pub(crate) fn known(name: &'static str) -> &'static Endpoint {
    Endpoint::find(name).unwrap_or_else(|| panic!("the table has no row {name}"))
}

/// All methods that have a path, in the order of the official reference.
pub const ENDPOINTS: &[Endpoint] = &[
    row("projects.bootstrap", Verb::Get, "/sdk/v1/projects/bootstrap/{public_token}", Auth::Public),
    row("organization.get", Verb::Get, "/sdk/v1/b2b/organizations/me", Auth::Session),
    row("organization.getBySlug", Verb::Post, "/sdk/v1/b2b/organizations/search", Auth::Public)
        .required(&["organization_slug"]),
    row("organization.update", Verb::Put, "/sdk/v1/b2b/organizations/me", Auth::Session)
        .needs_by_field(&[
            ("organization_name", "stytch.organization", "update.info.name"),
            ("organization_slug", "stytch.organization", "update.info.slug"),
            ("organization_logo_url", "stytch.organization", "update.info.logo-url"),
            ("sso_default_connection_id", "stytch.organization", "update.settings.default-sso-connection"),
            ("sso_jit_provisioning", "stytch.organization", "update.settings.sso-jit-provisioning"),
            ("sso_jit_provisioning_allowed_connections", "stytch.organization", "update.settings.sso-jit-provisioning"),
            ("email_allowed_domains", "stytch.organization", "update.settings.allowed-domains"),
            ("email_jit_provisioning", "stytch.organization", "update.settings.email-jit-provisioning"),
            ("email_invites", "stytch.organization", "update.settings.email-invites"),
            ("auth_methods", "stytch.organization", "update.settings.allowed-auth-methods"),
            ("allowed_auth_methods", "stytch.organization", "update.settings.allowed-auth-methods"),
            ("mfa_policy", "stytch.organization", "update.settings.mfa-policy"),
            ("mfa_methods", "stytch.organization", "update.settings.allowed-mfa-methods"),
            ("allowed_mfa_methods", "stytch.organization", "update.settings.allowed-mfa-methods"),
            ("rbac_email_implicit_role_assignments", "stytch.organization", "update.settings.implicit-roles"),
            ("oauth_tenant_jit_provisioning", "stytch.organization", "update.settings.oauth-tenant-jit-provisioning"),
            ("allowed_oauth_tenants", "stytch.organization", "update.settings.allowed-oauth-tenants"),
        ])
        .optional(&[
            "organization_name",
            "organization_slug",
            "organization_logo_url",
            "sso_default_connection_id",
            "sso_jit_provisioning",
            "sso_jit_provisioning_allowed_connections",
            "email_allowed_domains",
            "email_jit_provisioning",
            "email_invites",
            "auth_methods",
            "allowed_auth_methods",
            "mfa_policy",
            "rbac_email_implicit_role_assignments",
            "mfa_methods",
            "allowed_mfa_methods",
            "oauth_tenant_jit_provisioning",
            "allowed_oauth_tenants",
            "first_party_connected_apps_allowed_type",
            "allowed_first_party_connected_apps",
            "third_party_connected_apps_allowed_type",
            "allowed_third_party_connected_apps",
            "organization_external_id",
        ]),
    row("organization.delete", Verb::Delete, "/sdk/v1/b2b/organizations/me", Auth::Session)
        .needs_one("stytch.organization", "delete"),
    row("organization.getConnectedApps", Verb::Get, "/sdk/v1/b2b/organizations/connected_apps", Auth::Session),
    row(
        "organization.getConnectedApp",
        Verb::Get,
        "/sdk/v1/b2b/organizations/connected_apps/{connected_app_id}",
        Auth::Session,
    ),
    row("self.get", Verb::Get, "/sdk/v1/b2b/organizations/members/me", Auth::Session),
    row("organization.members.create", Verb::Post, "/sdk/v1/b2b/organizations/members", Auth::Session)
        .needs_one("stytch.member", "create")
        .required(&["email_address", "is_breakglass", "create_member_as_pending", "roles"])
        .optional(&["name", "mfa_enrolled", "mfa_phone_number", "untrusted_metadata"]),
    row("organization.members.update", Verb::Put, "/sdk/v1/b2b/organizations/members/{member_id}", Auth::Session)
        .needs_by_field(&[
            ("name", "stytch.member", "update.info.name"),
            ("untrusted_metadata", "stytch.member", "update.info.untrusted-metadata"),
            ("mfa_phone_number", "stytch.member", "update.info.mfa-phone"),
            ("mfa_enrolled", "stytch.member", "update.settings.mfa-enrolled"),
            ("default_mfa_method", "stytch.member", "update.settings.default-mfa-method"),
            ("is_breakglass", "stytch.member", "update.settings.is-breakglass"),
            ("roles", "stytch.member", "update.settings.roles"),
            ("email_address", "stytch.member", "update.info.email"),
        ])
        .required(&["preserve_existing_sessions"])
        .optional(&[
            "name",
            "mfa_enrolled",
            "mfa_phone_number",
            "untrusted_metadata",
            "is_breakglass",
            "roles",
            "default_mfa_method",
            "email_address",
            "unlink_email",
        ]),
    row("organization.members.search", Verb::Post, "/sdk/v1/b2b/organizations/me/members/search", Auth::Session)
        .needs_one("stytch.member", "search")
        .optional(&["cursor", "limit", "query"]),
    row("organization.members.delete", Verb::Delete, "/sdk/v1/b2b/organizations/members/{member_id}", Auth::Session)
        .needs_one("stytch.member", "delete")
        .on_oneself("stytch.self", "delete"),
    row(
        "organization.members.reactivate",
        Verb::Put,
        "/sdk/v1/b2b/organizations/members/{member_id}/reactivate",
        Auth::Session,
    )
    .needs_one("stytch.member", "create"),
    row(
        "organization.members.deletePassword",
        Verb::Delete,
        "/sdk/v1/b2b/organizations/members/passwords/{member_password_id}",
        Auth::Session,
    )
    .needs_one("stytch.member", "update.info.delete.password"),
    row(
        "organization.members.deleteMFAPhoneNumber",
        Verb::Delete,
        "/sdk/v1/b2b/organizations/members/mfa_phone_numbers/{member_id}",
        Auth::Session,
    )
    .needs_one("stytch.member", "update.info.delete.mfa-phone"),
    row(
        "organization.members.deleteMFATOTP",
        Verb::Delete,
        "/sdk/v1/b2b/organizations/members/totp/{member_id}",
        Auth::Session,
    )
    .needs_one("stytch.member", "update.info.delete.mfa-totp"),
    row(
        "organization.members.unlinkRetiredEmail",
        Verb::Post,
        "/sdk/v1/b2b/organizations/members/{member_id}/unlink_retired_email",
        Auth::Session,
    )
    .needs_one("stytch.member", "update.info.unlink.retired-email")
    .optional(&["email_id", "email_address"]),
    row(
        "organization.members.startEmailUpdate",
        Verb::Post,
        "/sdk/v1/b2b/organizations/members/{member_id}/start_email_update",
        Auth::Session,
    )
    .needs_one("stytch.member", "update.info.email")
    .required(&["email_address"])
    .optional(&["login_redirect_url", "locale", "login_template_id", "delivery_method"]),
    row("self.update", Verb::Put, "/sdk/v1/b2b/organizations/members/update", Auth::Session)
        .needs_by_field(&[
            ("name", "stytch.self", "update.info.name"),
            ("untrusted_metadata", "stytch.self", "update.info.untrusted-metadata"),
            ("mfa_phone_number", "stytch.self", "update.info.mfa-phone"),
            ("mfa_enrolled", "stytch.self", "update.settings.mfa-enrolled"),
            ("default_mfa_method", "stytch.self", "update.settings.default-mfa-method"),
        ])
        .optional(&["name", "mfa_enrolled", "mfa_phone_number", "untrusted_metadata", "default_mfa_method"]),
    row(
        "self.deletePassword",
        Verb::Delete,
        "/sdk/v1/b2b/organizations/members/passwords/{member_password_id}",
        Auth::Session,
    )
    .needs_one("stytch.self", "update.info.delete.password"),
    row(
        "self.deleteMFAPhoneNumber",
        Verb::Delete,
        "/sdk/v1/b2b/organizations/members/deletePhoneNumber",
        Auth::Session,
    )
    .needs_one("stytch.self", "update.info.delete.mfa-phone"),
    row("self.deleteMFATOTP", Verb::Delete, "/sdk/v1/b2b/organizations/members/deleteTOTP", Auth::Session)
        .needs_one("stytch.self", "update.info.delete.mfa-totp"),
    row("self.unlinkRetiredEmail", Verb::Post, "/sdk/v1/b2b/organizations/members/unlink_retired_email", Auth::Session)
        .needs_one("stytch.self", "update.info.unlink.retired-email")
        .optional(&["email_id", "email_address"]),
    row("self.startEmailUpdate", Verb::Post, "/sdk/v1/b2b/organizations/members/start_email_update", Auth::Session)
        .needs_one("stytch.self", "update.info.email")
        .required(&["email_address"])
        .optional(&["login_redirect_url", "locale", "login_template_id", "delivery_method"]),
    row(
        "organization.members.getConnectedApps",
        Verb::Get,
        "/sdk/v1/b2b/organizations/members/{member_id}/connected_apps",
        Auth::Session,
    )
    .needs_one("stytch.member", "get.connected-apps"),
    row("self.getConnectedApps", Verb::Get, "/sdk/v1/b2b/organizations/members/connected_apps", Auth::Session)
        .needs_one("stytch.self", "get.connected-apps"),
    row(
        "organization.members.revokeConnectedApp",
        Verb::Post,
        "/sdk/v1/b2b/organizations/members/{member_id}/connected_apps/{connected_app_id}/revoke",
        Auth::Session,
    )
    .needs_one("stytch.member", "revoke.connected-app"),
    row(
        "self.revokeConnectedApp",
        Verb::Post,
        "/sdk/v1/b2b/organizations/members/connected_apps/{connected_app_id}/revoke",
        Auth::Session,
    )
    .needs_one("stytch.self", "revoke.connected-app"),
    row("magicLinks.email.loginOrSignup", Verb::Post, "/sdk/v1/b2b/magic_links/email/login_or_signup", Auth::Public)
        .required(&["email_address", "organization_id"])
        .optional(&[
            "login_redirect_url",
            "signup_redirect_url",
            "pkce_code_challenge",
            "login_template_id",
            "signup_template_id",
            "locale",
            "login_expiration_minutes",
            "signup_expiration_minutes",
        ]),
    row("magicLinks.email.invite", Verb::Post, "/sdk/v1/b2b/magic_links/email/invite", Auth::Session)
        .needs_one("stytch.member", "create")
        .required(&["email_address"])
        .optional(&[
            "invite_redirect_url",
            "invite_template_id",
            "name",
            "untrusted_metadata",
            "locale",
            "roles",
            "invite_expiration_minutes",
        ]),
    row("magicLinks.authenticate", Verb::Post, "/sdk/v1/b2b/magic_links/authenticate", Auth::Public)
        .required(&["magic_links_token", "session_duration_minutes"])
        .optional(&["pkce_code_verifier", "locale", "dfp_telemetry_id", "captcha_token", "intermediate_session_token"]),
    row("magicLinks.email.discovery.send", Verb::Post, "/sdk/v1/b2b/magic_links/email/discovery/send", Auth::Public)
        .required(&["email_address"])
        .optional(&[
            "discovery_redirect_url",
            "pkce_code_challenge",
            "login_template_id",
            "locale",
            "dfp_telemetry_id",
            "captcha_token",
            "discovery_expiration_minutes",
        ]),
    row(
        "magicLinks.discovery.authenticate",
        Verb::Post,
        "/sdk/v1/b2b/magic_links/discovery/authenticate",
        Auth::Public,
    )
    .required(&["discovery_magic_links_token"])
    .optional(&["pkce_code_verifier", "dfp_telemetry_id", "captcha_token"]),
    row("otps.email.loginOrSignup", Verb::Post, "/sdk/v1/b2b/otps/email/login_or_signup", Auth::Public)
        .required(&["organization_id", "email_address"])
        .optional(&[
            "login_template_id",
            "signup_template_id",
            "locale",
            "captcha_token",
            "dfp_telemetry_id",
            "login_expiration_minutes",
            "signup_expiration_minutes",
        ]),
    row("otps.email.authenticate", Verb::Post, "/sdk/v1/b2b/otps/email/authenticate", Auth::Public)
        .required(&["organization_id", "email_address", "code", "session_duration_minutes"])
        .optional(&["intermediate_session_token", "locale", "captcha_token", "dfp_telemetry_id"]),
    row("otps.email.discovery.send", Verb::Post, "/sdk/v1/b2b/otps/email/discovery/send", Auth::Public)
        .required(&["email_address"])
        .optional(&[
            "login_template_id",
            "locale",
            "captcha_token",
            "dfp_telemetry_id",
            "discovery_expiration_minutes",
        ]),
    row("otps.email.discovery.authenticate", Verb::Post, "/sdk/v1/b2b/otps/email/discovery/authenticate", Auth::Public)
        .required(&["email_address", "code"])
        .optional(&["captcha_token", "dfp_telemetry_id"]),
    row("oauth.start", Verb::Get, "/v1/b2b/public/oauth/{provider}/start", Auth::Public)
        .required(&["public_token"])
        .optional(&[
            "organization_id",
            "slug",
            "login_redirect_url",
            "signup_redirect_url",
            "pkce_code_challenge",
            "custom_scopes",
        ]),
    row("oauth.googleOneTap.start", Verb::Get, "/sdk/v1/b2b/oauth/google/onetap/start", Auth::Public),
    row("oauth.googleOneTap.submit", Verb::Post, "/sdk/v1/b2b/oauth/google/onetap/submit", Auth::Public)
        .required(&["id_token", "organization_id"])
        .optional(&["login_redirect_url", "signup_redirect_url", "pkce_code_challenge"]),
    row(
        "oauth.discovery.googleOneTap.submit",
        Verb::Post,
        "/sdk/v1/b2b/oauth/google/onetap/discovery/submit",
        Auth::Public,
    )
    .required(&["id_token"])
    .optional(&["discovery_redirect_url", "pkce_code_challenge"]),
    row("oauth.authenticate", Verb::Post, "/sdk/v1/b2b/oauth/authenticate", Auth::Public)
        .required(&["oauth_token"])
        .optional(&[
            "session_duration_minutes",
            "pkce_code_verifier",
            "locale",
            "dfp_telemetry_id",
            "captcha_token",
            "intermediate_session_token",
        ]),
    row("oauth.discovery.start", Verb::Get, "/v1/b2b/public/oauth/{provider}/discovery/start", Auth::Public)
        .required(&["public_token"])
        .optional(&["discovery_redirect_url", "pkce_code_challenge", "custom_scopes"]),
    row("oauth.discovery.authenticate", Verb::Post, "/sdk/v1/b2b/oauth/discovery/authenticate", Auth::Public)
        .required(&["discovery_oauth_token"])
        .optional(&["pkce_code_verifier", "dfp_telemetry_id", "captcha_token"]),
    row("session.authenticate", Verb::Post, "/sdk/v1/b2b/sessions/authenticate", Auth::Session)
        .optional(&["session_duration_minutes"]),
    row("session.revoke", Verb::Post, "/sdk/v1/b2b/sessions/revoke", Auth::Session),
    row("session.exchange", Verb::Post, "/sdk/v1/b2b/sessions/exchange", Auth::Session)
        .required(&["organization_id", "session_duration_minutes"])
        .optional(&["locale"]),
    row("session.revokeForMember", Verb::Post, "/sdk/v1/b2b/sessions/revoke/{member_id}", Auth::Session)
        .needs_one("stytch.member", "revoke-sessions")
        .on_oneself("stytch.self", "revoke-sessions"),
    row("session.exchangeAccessToken", Verb::Post, "/sdk/v1/b2b/sessions/exchange_access_token", Auth::Public)
        .required(&["access_token", "session_duration_minutes"]),
    row("session.attest", Verb::Post, "/sdk/v1/b2b/sessions/attest", Auth::Public)
        .required(&["profile_id", "token"])
        .optional(&["organization_id", "session_duration_minutes"]),
    row("sso.start", Verb::Get, "/v1/public/sso/start", Auth::Public).required(&["public_token"]).optional(&[
        "connection_id",
        "organization_id",
        "login_redirect_url",
        "signup_redirect_url",
        "pkce_code_challenge",
    ]),
    row("sso.authenticate", Verb::Post, "/sdk/v1/b2b/sso/authenticate", Auth::Public)
        .required(&["sso_token", "session_duration_minutes"])
        .optional(&["pkce_code_verifier", "locale", "dfp_telemetry_id", "captcha_token", "intermediate_session_token"]),
    row("sso.getConnections", Verb::Get, "/sdk/v1/b2b/sso", Auth::Session).needs_one("stytch.sso", "get"),
    row("sso.discoverConnections", Verb::Get, "/sdk/v1/b2b/sso/discovery/connections", Auth::Public)
        .required(&["email_address"]),
    row("sso.deleteConnection", Verb::Delete, "/sdk/v1/b2b/sso/{connection_id}", Auth::Session)
        .needs_one("stytch.sso", "delete"),
    row("sso.saml.createConnection", Verb::Post, "/sdk/v1/b2b/sso/saml", Auth::Session)
        .needs_one("stytch.sso", "create")
        .optional(&["display_name", "identity_provider"]),
    row("sso.saml.updateConnection", Verb::Put, "/sdk/v1/b2b/sso/saml/{connection_id}", Auth::Session)
        .needs_one("stytch.sso", "update")
        .optional(&[
            "idp_entity_id",
            "display_name",
            "attribute_mapping",
            "x509_certificate",
            "idp_sso_url",
            "saml_connection_implicit_role_assignments",
            "saml_group_implicit_role_assignments",
            "alternative_audience_uri",
            "identity_provider",
            "signing_private_key",
            "allow_gateway_callback",
            "saml_encryption_private_key",
        ]),
    row("sso.saml.updateConnectionByURL", Verb::Put, "/sdk/v1/b2b/sso/saml/{connection_id}/url", Auth::Session)
        .needs_one("stytch.sso", "update")
        .required(&["metadata_url"]),
    row(
        "sso.saml.deleteVerificationCertificate",
        Verb::Delete,
        "/sdk/v1/b2b/sso/saml/{connection_id}/verification_certificates/{certificate_id}",
        Auth::Session,
    )
    .needs_one("stytch.sso", "update"),
    row(
        "sso.saml.deleteEncryptionPrivateKey",
        Verb::Delete,
        "/sdk/v1/b2b/sso/saml/{connection_id}/encryption_private_keys/{private_key_id}",
        Auth::Session,
    )
    .needs_one("stytch.sso", "update"),
    row("sso.oidc.createConnection", Verb::Post, "/sdk/v1/b2b/sso/oidc", Auth::Session)
        .needs_one("stytch.sso", "create")
        .optional(&["display_name", "identity_provider"]),
    row("sso.oidc.updateConnection", Verb::Put, "/sdk/v1/b2b/sso/oidc/{connection_id}", Auth::Session)
        .needs_one("stytch.sso", "update")
        .optional(&[
            "display_name",
            "client_id",
            "client_secret",
            "issuer",
            "authorization_url",
            "token_url",
            "userinfo_url",
            "jwks_url",
            "identity_provider",
            "custom_scopes",
            "attribute_mapping",
        ]),
    row("sso.external.createConnection", Verb::Post, "/sdk/v1/b2b/sso/external", Auth::Session)
        .needs_one("stytch.sso", "create")
        .required(&["external_connection_id", "external_organization_id"])
        .optional(&["display_name"]),
    row("sso.external.updateConnection", Verb::Put, "/sdk/v1/b2b/sso/external/{connection_id}", Auth::Session)
        .needs_one("stytch.sso", "update")
        .required(&["display_name"])
        .optional(&["external_connection_implicit_role_assignments", "external_group_implicit_role_assignments"]),
    row("discovery.organizations.list", Verb::Post, "/sdk/v1/b2b/discovery/organizations", Auth::Either)
        .optional(&["intermediate_session_token"]),
    row("discovery.organizations.create", Verb::Post, "/sdk/v1/b2b/discovery/organizations/create", Auth::Public)
        .required(&["intermediate_session_token", "session_duration_minutes"])
        .optional(&[
            "organization_name",
            "organization_slug",
            "organization_logo_url",
            "sso_jit_provisioning",
            "email_allowed_domains",
            "email_jit_provisioning",
            "email_invites",
            "auth_methods",
            "allowed_auth_methods",
            "mfa_methods",
            "allowed_mfa_methods",
            "mfa_policy",
            "oauth_tenant_jit_provisioning",
            "allowed_oauth_tenants",
        ]),
    row(
        "discovery.intermediateSessions.exchange",
        Verb::Post,
        "/sdk/v1/b2b/discovery/intermediate_sessions/exchange",
        Auth::Public,
    )
    .required(&["intermediate_session_token", "organization_id", "session_duration_minutes"])
    .optional(&["locale"]),
    row("passwords.authenticate", Verb::Post, "/sdk/v1/b2b/passwords/authenticate", Auth::Public)
        .required(&["organization_id", "email_address", "password", "session_duration_minutes"])
        .optional(&["locale", "intermediate_session_token", "dfp_telemetry_id", "captcha_token"]),
    row("passwords.resetByEmailStart", Verb::Post, "/sdk/v1/b2b/passwords/email/reset/start", Auth::Public)
        .required(&["organization_id", "email_address"])
        .optional(&[
            "login_redirect_url",
            "reset_password_redirect_url",
            "reset_password_expiration_minutes",
            "reset_password_template_id",
            "code_challenge",
            "locale",
            "dfp_telemetry_id",
            "captcha_token",
            "verify_email_template_id",
        ]),
    row("passwords.resetByEmail", Verb::Post, "/sdk/v1/b2b/passwords/email/reset", Auth::Public)
        .required(&["password_reset_token", "password", "session_duration_minutes"])
        .optional(&["code_verifier", "captcha_token", "dfp_telemetry_id", "locale", "intermediate_session_token"]),
    row("passwords.resetByExistingPassword", Verb::Post, "/sdk/v1/b2b/passwords/existing_password/reset", Auth::Public)
        .required(&[
            "organization_id",
            "email_address",
            "existing_password",
            "new_password",
            "session_duration_minutes",
        ])
        .optional(&["locale", "captcha_token", "dfp_telemetry_id"]),
    row("passwords.resetBySession", Verb::Post, "/sdk/v1/b2b/passwords/session/reset", Auth::Session)
        .required(&["password"])
        .optional(&["dfp_telemetry_id", "captcha_token"]),
    row("passwords.strengthCheck", Verb::Post, "/sdk/v1/b2b/passwords/strength_check", Auth::Public)
        .required(&["password"])
        .optional(&["email_address"]),
    row(
        "passwords.discovery.resetByEmailStart",
        Verb::Post,
        "/sdk/v1/b2b/passwords/discovery/reset/start",
        Auth::Public,
    )
    .required(&["email_address"])
    .optional(&[
        "discovery_redirect_url",
        "reset_password_redirect_url",
        "reset_password_expiration_minutes",
        "reset_password_template_id",
        "pkce_code_challenge",
        "locale",
        "dfp_telemetry_id",
        "captcha_token",
        "verify_email_template_id",
    ]),
    row("passwords.discovery.resetByEmail", Verb::Post, "/sdk/v1/b2b/passwords/discovery/reset", Auth::Public)
        .required(&["password_reset_token", "password"])
        .optional(&["pkce_code_verifier", "captcha_token", "dfp_telemetry_id", "intermediate_session_token"]),
    row("passwords.discovery.authenticate", Verb::Post, "/sdk/v1/b2b/passwords/discovery/authenticate", Auth::Public)
        .required(&["email_address", "password"])
        .optional(&["dfp_telemetry_id", "captcha_token"]),
    row("scim.createConnection", Verb::Post, "/sdk/v1/b2b/scim", Auth::Session)
        .needs_one("stytch.scim", "create")
        .required(&["display_name"])
        .optional(&["identity_provider"]),
    row("scim.updateConnection", Verb::Put, "/sdk/v1/b2b/scim/{connection_id}", Auth::Session)
        .needs_one("stytch.scim", "update")
        .optional(&["identity_provider", "display_name", "scim_group_implicit_role_assignments"]),
    row("scim.deleteConnection", Verb::Delete, "/sdk/v1/b2b/scim/{connection_id}", Auth::Session)
        .needs_one("stytch.scim", "delete"),
    row("scim.getConnection", Verb::Get, "/sdk/v1/b2b/scim", Auth::Session).needs_one("stytch.scim", "get"),
    row("scim.rotateStart", Verb::Post, "/sdk/v1/b2b/scim/rotate/start", Auth::Session)
        .needs_one("stytch.scim", "update")
        .required(&["connection_id"]),
    row("scim.rotateComplete", Verb::Post, "/sdk/v1/b2b/scim/rotate/complete", Auth::Session)
        .needs_one("stytch.scim", "update")
        .required(&["connection_id"]),
    row("scim.rotateCancel", Verb::Post, "/sdk/v1/b2b/scim/rotate/cancel", Auth::Session)
        .needs_one("stytch.scim", "update")
        .required(&["connection_id"]),
    row("scim.getConnectionGroups", Verb::Post, "/sdk/v1/b2b/scim/groups", Auth::Session)
        .needs_one("stytch.scim", "get")
        .optional(&["cursor", "limit"]),
    row("otps.sms.send", Verb::Post, "/sdk/v1/b2b/otps/sms/send", Auth::Either)
        .required(&["organization_id", "member_id"])
        .optional(&[
            "mfa_phone_number",
            "locale",
            "intermediate_session_token",
            "captcha_token",
            "dfp_telemetry_id",
            "enable_autofill",
        ]),
    row("otps.sms.authenticate", Verb::Post, "/sdk/v1/b2b/otps/sms/authenticate", Auth::Either)
        .required(&["organization_id", "member_id", "code", "session_duration_minutes"])
        .optional(&["intermediate_session_token", "set_mfa_enrollment", "captcha_token", "dfp_telemetry_id"]),
    row("totp.create", Verb::Post, "/sdk/v1/b2b/totp", Auth::Either)
        .required(&["organization_id", "member_id"])
        .optional(&["expiration_minutes", "dfp_telemetry_id", "captcha_token", "intermediate_session_token"]),
    row("totp.authenticate", Verb::Post, "/sdk/v1/b2b/totp/authenticate", Auth::Either)
        .required(&["organization_id", "member_id", "code", "session_duration_minutes"])
        .optional(&[
            "intermediate_session_token",
            "set_mfa_enrollment",
            "set_default_mfa",
            "dfp_telemetry_id",
            "captcha_token",
        ]),
    row("recoveryCodes.recover", Verb::Post, "/sdk/v1/b2b/recovery_codes/recover", Auth::Either)
        .required(&["organization_id", "member_id", "recovery_code", "session_duration_minutes"])
        .optional(&["intermediate_session_token", "dfp_telemetry_id", "captcha_token"]),
    row("recoveryCodes.rotate", Verb::Post, "/sdk/v1/b2b/recovery_codes/rotate", Auth::Session)
        .optional(&["dfp_telemetry_id", "captcha_token"]),
    row("recoveryCodes.get", Verb::Get, "/sdk/v1/b2b/recovery_codes", Auth::Session),
    row("impersonation.authenticate", Verb::Post, "/sdk/v1/b2b/impersonation/authenticate", Auth::Public)
        .required(&["impersonation_token"])
        .optional(&["dfp_telemetry_id", "captcha_token"]),
    row("adminPortal.config", Verb::Get, "/sdk/v1/b2b/admin_portal_config", Auth::Session),
    row("internals.searchMember", Verb::Post, "/sdk/v1/b2b/organizations/members/search", Auth::Public)
        .required(&["email_address", "organization_id"]),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_method_has_one_name() {
        let mut names: Vec<_> = ENDPOINTS.iter().map(|endpoint| endpoint.name).collect();
        names.sort_unstable();
        let before = names.len();
        names.dedup();
        assert_eq!(names.len(), before, "a name stands twice in the table");
    }

    #[test]
    fn every_path_is_whole_and_every_segment_open_or_closed() {
        for endpoint in ENDPOINTS {
            assert!(endpoint.path.starts_with("/sdk/v1/") || endpoint.path.starts_with("/v1/"), "{}", endpoint.path);
            for part in endpoint.path.split('/').skip(1) {
                let open = part.starts_with('{') && part.ends_with('}');
                let plain = !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
                assert!(open || plain, "{} has the odd segment {part:?}", endpoint.name);
            }
        }
    }

    #[test]
    fn a_denied_update_names_the_action_only_when_it_is_certain() {
        let update = known("organization.update");
        let sent = |names: &[&str]| names.iter().map(|name| ((*name).to_owned(), Value::Null)).collect::<Map<_, _>>();
        let one = update.needs(&sent(&["auth_methods", "allowed_auth_methods"]));
        assert_eq!(one, Some(Permission::new("stytch.organization", "update.settings.allowed-auth-methods")));
        assert_eq!(update.needs(&sent(&["auth_methods", "mfa_policy"])), None, "two actions: either may be missing");
        let revoke = known("organization.members.revokeConnectedApp").needs(&Map::new());
        assert_eq!(revoke, Some(Permission::new("stytch.member", "revoke.connected-app")));
    }
}
