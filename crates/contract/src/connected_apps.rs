//! A connected app as every list, plan and report shows it.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// As much of an app as the lists tell. Names and descriptions are whatever the app's author wrote: show as text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct AppFace {
    /// Its client id.
    pub connected_app_id: String,
    /// Its name.
    pub name: String,
    /// Its description, often empty.
    pub description: String,
    /// `first_party`, `first_party_public`, `third_party`, `third_party_public`, or what Stytch may add.
    pub client_type: String,
    /// Whether it is the vendor's own.
    pub first_party: bool,
}
