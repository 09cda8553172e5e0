//! What goes back over the wire: the `data` envelope, the error object and the schema error. Knows no endpoint.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::{Map, Value, json};
use uuid::Uuid;

/// A refusal in one of the two shapes the API uses.
#[derive(Debug, Clone)]
pub enum Refusal {
    /// The unwrapped error object with an `error_type`.
    Api { status: u16, error_type: &'static str, message: String },
    /// A validator's complaint: no `error_type`, no `request_id`, always 400.
    Schema(Value),
}

impl Refusal {
    pub fn api(status: u16, error_type: &'static str, message: impl Into<String>) -> Self {
        Self::Api { status, error_type, message: message.into() }
    }

    /// One complaint about the body, worded as the API's JSON-schema validator words it.
    pub fn schema(keyword: &str, data_path: &str, params: Value, message: &str) -> Self {
        let schema_path = match data_path.strip_prefix('.') {
            Some(field) => format!("#/properties/{}/{keyword}", field.replace('.', "/properties/")),
            None => format!("#/{keyword}"),
        };
        Self::Schema(json!({"body": [{
            "keyword": keyword, "dataPath": data_path, "schemaPath": schema_path, "params": params, "message": message,
        }]}))
    }

    pub fn unauthorized_credentials() -> Self {
        Self::api(401, "unauthorized_credentials", "Unauthorized credentials.")
    }

    pub fn session_not_found() -> Self {
        Self::api(404, "session_not_found", "Session could not be found.")
    }

    pub fn not_authorized() -> Self {
        Self::api(
            403,
            "session_authorization_error",
            "The Member is not authorized to perform the requested action on that resource.",
        )
    }

    pub fn other_tenant() -> Self {
        Self::api(
            403,
            "session_authorization_tenancy_error",
            "OrganizationID in AuthorizationCheck request does not match session's Organization ID",
        )
    }

    pub fn endpoint_off() -> Self {
        Self::api(
            401,
            "endpoint_not_authorized_for_sdk",
            "The project owner has not authorized the SDK to call this endpoint. Please enable it in the dashboard to continue: https://stytch.com/dashboard/sdk-configuration.",
        )
    }

    pub fn bad_bundle() -> Self {
        Self::api(
            400,
            "bad_app_bundle_for_stytch_sdk",
            "This app bundle ID has not been registered as an allowed app for the Stytch SDK. Please add it here: https://stytch.com/dashboard/sdk-configuration",
        )
    }

    pub fn bad_domain() -> Self {
        Self::api(
            400,
            "bad_domain_for_stytch_sdk",
            "This website has not been registered as an allowed domain for the Stytch SDK. Please add it here: https://stytch.com/dashboard/sdk-configuration",
        )
    }

    pub fn app_not_found() -> Self {
        Self::api(404, "connected_app_not_found", "The Connected App requested could not be found.")
    }

    pub fn member_not_found() -> Self {
        Self::api(404, "member_not_found", "Member could not be found.")
    }

    pub fn organization_not_found() -> Self {
        Self::api(404, "organization_not_found", "Organization could not be found.")
    }

    pub fn route_not_found() -> Self {
        Self::api(404, "route_not_found", "The requested route could not be found.")
    }

    pub fn method_not_allowed() -> Self {
        Self::api(405, "method_not_allowed", "The requested method is not allowed for this route.")
    }

    pub fn too_many_requests() -> Self {
        Self::api(429, "too_many_requests", "Too many requests have been made. Please try again later.")
    }

    pub fn internal() -> Self {
        Self::api(
            500,
            "internal_server_error",
            "Oops, something seems to have gone wrong, please reach out to support@stytch.com to let us know what went wrong.",
        )
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        match self {
            Self::Api { status, error_type, message } => respond(
                status,
                &json!({
                    "status_code": status,
                    "request_id": request_id(),
                    "error_type": error_type,
                    "error_message": message,
                    "error_url": format!("https://stytch.com/docs/b2b/api/errors/{status}#{error_type}"),
                }),
            ),
            Self::Schema(issues) => respond(400, &issues),
        }
    }
}

/// A 200: `fields` plus `status_code` and `request_id`, wrapped in `data`.
pub fn data(mut fields: Map<String, Value>) -> Response {
    fields.insert("status_code".into(), json!(200));
    fields.insert("request_id".into(), json!(request_id()));
    respond(200, &json!({ "data": fields }))
}

/// An answer that says no more than "done".
pub fn done() -> Response {
    data(Map::new())
}

/// Any JSON with any status; the control side uses it bare.
pub fn respond(status: u16, body: &impl Serialize) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    // What is written here are texts, numbers and lists of them: none can fail to be JSON.
    let text = serde_json::to_string(body).unwrap_or_default();
    let mut response = (status, text).into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

fn request_id() -> String {
    format!("request-id-test-{}", Uuid::new_v4())
}

/// The fields of a JSON object literal.
pub fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}
