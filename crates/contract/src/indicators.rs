//! Indicators of an advisory: client ids and names from a file that the user chose, and which apps of the inventory they name. A
//! finding lives in Rust under its id; the page names the id and a window.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::Utc;
use crate::connected_apps::AppFace;
use crate::inventory::Missing;

/// What a file of indicators came to.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
pub struct Finding {
    /// What it is called by the other commands.
    pub finding: String,
    /// The file's name, without its folder.
    pub file: String,
    /// Indicators in it, each once.
    pub indicators: u32,
    /// Those of which something was found.
    pub found: u32,
    /// Those among them that were found only by the look of a name.
    pub by_look_only: u32,
    /// Apps that were found by id or name.
    pub apps: u32,
    /// Grants to those.
    pub grants: u32,
    /// Apps that were found, those included that only look like a name.
    pub apps_with_look_alikes: u32,
    /// Grants to those.
    pub grants_with_look_alikes: u32,
    /// Apps listed.
    pub apps_listed: u32,
    /// Apps whose members were read to the end.
    pub apps_read: u32,
    /// Whether nothing that is there could have been missed: everything was read.
    pub complete: bool,
    /// What could not be read.
    pub missing: Vec<Missing>,
    /// Client ids of which nothing was found, 200 at the most: each can be blocked before anybody has connected it.
    pub ids_not_found: Vec<String>,
    /// How many of those there are in all.
    pub ids_not_found_total: u32,
    /// Ids in no list that were asked for by their own view.
    pub asked: u32,
    /// Apps in no list of which nothing can be told: the policy may hide them, or their view could not be read.
    pub unknown: u32,
    /// Ids in no list that were not asked for: more than are asked for one by one, or nobody is signed in.
    pub unasked: u32,
    /// A name that was not found may be that of an app that the policy hides: nobody can ask for an app by its name.
    pub names_may_hide: bool,
    /// Lines of the file that were not understood, the first characters of the first few.
    pub not_understood: Vec<String>,
    /// How many.
    pub not_understood_total: u32,
    /// When the inventory was read.
    pub read_at: Utc,
    /// Grants that it had then and that are not counted: sweeps have found them gone since.
    pub found_gone: u32,
}

/// What an indicator may name an app by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum IndicatorKind {
    /// Its client id.
    Id,
    /// Its name.
    Name,
    /// Either: the file does not say which.
    Any,
}

/// How an app was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum MatchedBy {
    /// Its client id is the indicator.
    Id,
    /// Its name is the indicator, but for case.
    Name,
    /// Its name only looks like the indicator.
    LookAlike,
}

/// One indicator.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
pub struct FindingRow {
    /// As written in the file, its first 1000 characters.
    pub text: String,
    /// What it may name an app by.
    pub kind: IndicatorKind,
    /// In the surest way that anything was found. `null`: nothing was.
    pub by: Option<MatchedBy>,
    /// Apps found in that way, 20 at the most.
    pub apps: Vec<AppFace>,
    /// How many.
    pub apps_total: u32,
    /// Apps whose names look like it, beside those that have the very name; 20 at the most.
    pub look_alikes: Vec<AppFace>,
    /// How many.
    pub look_alikes_total: u32,
    /// Grants to `apps`.
    pub grants: u32,
}

/// Which indicators are wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum FindingPart {
    /// All.
    #[default]
    All,
    /// Those of which something was found.
    Found,
    /// Those of which nothing was.
    NotFound,
}

/// A window of a finding's indicators, in the order of the file.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
pub struct FindingRows {
    /// The rows from `offset` on.
    pub rows: Vec<FindingRow>,
    /// Rows there are of that part.
    pub total: u32,
}
