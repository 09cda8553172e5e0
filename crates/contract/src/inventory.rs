//! The inventory: every grant of the organization as last read, cut into windows of rows, drawn as a map, compared with what
//! was read before. The page names filters, offsets and ids; it never holds the set, and it never names a file.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::connected_apps::AppFace;
use crate::connections::Environment;
use crate::members::MemberFace;
use crate::refusal::Problem;
use crate::{UnreadableRow, Utc};

// ---- what there is ------------------------------------------------------------------------------------------------

/// Where the inventory stands.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
pub struct InventoryStatus {
    /// What the lists are cut from. `null`: nothing was ever read here.
    pub picture: Option<PictureFacts>,
    /// A reading is under way.
    pub reading: Option<ReadingProgress>,
    /// How many snapshots the journal keeps of this organization.
    pub snapshots: u32,
}

/// Where a picture comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum PictureSource {
    /// Read in this run.
    Read,
    /// The last snapshot of an earlier run. With nobody signed in it can be looked at and nothing more.
    Kept,
    /// As much as the first reading, still under way, has brought so far.
    UnderWay,
}

/// Facts of one picture.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
pub struct PictureFacts {
    /// Where it comes from.
    pub source: PictureSource,
    /// The organization's id.
    pub organization_id: String,
    /// The organization's name.
    pub organization_name: String,
    /// Scheme, host and port it was read from.
    pub base_url: String,
    /// Which kind of place that is.
    pub environment: Environment,
    /// The address of the member who read it; `null` when it is not known any more.
    pub read_by: Option<String>,
    /// Its number in the journal, `null` until it is stored.
    pub snapshot: Option<u32>,
    /// When its first call was made.
    pub began_at: Utc,
    /// When its last answer came.
    pub read_at: Utc,
    /// Whether everything could be read. If not, `missing` says what.
    pub complete: bool,
    /// What is missing, each with its cause.
    pub missing: Vec<Missing>,
    /// Apps in the organization's list.
    pub apps: u32,
    /// How many of them have been read, every row.
    pub apps_read: u32,
    /// Members known, those among them who are known by id only included.
    pub members: u32,
    /// Whether names could be read.
    pub names: NamesReading,
    /// Grants.
    pub grants: u32,
    /// What is different from `since`.
    pub changes: ChangeCounts,
    /// The snapshot that `changes`, the change of each row and the filter's `changes` compare with: the one you last looked
    /// at. `null`: this is the first reading, in which nothing is new.
    pub since: Option<SnapshotMark>,
    /// The next question to the server is refused in advance, or nobody is signed in: read only.
    pub read_only: bool,
}

/// Whether members' names could be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum NamesReading {
    /// All that search returned.
    Read,
    /// `search` on `stytch.member` is missing: members are shown by id.
    Denied,
    /// Not, or not all, for another reason: see `missing`.
    Incomplete,
}

/// One thing that could not be read.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
pub struct Missing {
    /// `names`, `app` (its members), `app_rows` (some of its rows), `member_rows`, `list_rows` (some rows of the list of apps).
    pub what: String,
    /// Which app, for `app` and `app_rows`.
    pub app: Option<AppFace>,
    /// `denied`, `offline`, `server_error`, `garbled`, `app_gone`, `unreadable_rows`, `refused`, `cancelled`, `hidden` (the policy
    /// hides an app that was known before), `cut_short` (a list lacks what an earlier reading had, and nothing bears out that it is
    /// gone: the app; so many of its grants, none if its members' own lists have them all; so many apps, by their own views).
    pub cause: String,
    /// Facts of the answer.
    pub problem: Problem,
    /// How many rows, for those that could not be read.
    pub rows: u32,
}

/// How far a reading is. Whole, at most ten a second.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ReadingProgress {
    /// When it began.
    pub began_at: Utc,
    /// Calls answered.
    pub calls: u32,
    /// Calls it will take in all, as far as is known: `null` until the list of apps is there.
    pub calls_expected: Option<u32>,
    /// Apps in the list; `null` until it is there.
    pub apps: Option<u32>,
    /// Apps read, refused ones included.
    pub apps_done: u32,
    /// Members named so far.
    pub members: u32,
    /// Grants so far.
    pub grants: u32,
    /// Milliseconds it will take from here, by the pace so far. `null`: too early to tell.
    pub left_ms: Option<u32>,
    /// The server limits the rate: nothing is sent before then.
    pub waiting_until: Option<Utc>,
}

/// One snapshot, named.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct SnapshotMark {
    /// Its number in the journal.
    pub snapshot: u32,
    /// When its last answer came.
    pub read_at: Utc,
}

/// How many grants changed in which way.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ChangeCounts {
    /// Not there before.
    pub new: u32,
    /// More scopes than before.
    pub widened: u32,
    /// Fewer scopes than before.
    pub narrowed: u32,
    /// Other scopes than before, neither more nor fewer.
    pub altered: u32,
    /// There before, and not in a complete reading since.
    pub gone: u32,
}

// ---- filters, sorting, windows ------------------------------------------------------------------------------------

/// What a row must be like. All that is given must hold; within one list any one of its entries does. An app or a member
/// matches when one of its grants does (those without grants: when they themselves do).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(default)]
pub struct Filter {
    /// Words, each of which must occur in the app's name, description, id or type, in the member's name, address, id, status
    /// or roles, or in a scope. In any case.
    #[ts(optional, as = "Option<_>")]
    pub text: String,
    /// Ids of connected apps.
    #[ts(optional, as = "Option<_>")]
    pub apps: Vec<String>,
    /// Client types as Stytch names them.
    #[ts(optional, as = "Option<_>")]
    pub client_types: Vec<String>,
    /// Ids of members.
    #[ts(optional, as = "Option<_>")]
    pub members: Vec<String>,
    /// Roles of the member.
    #[ts(optional, as = "Option<_>")]
    pub roles: Vec<String>,
    /// Statuses of the member. `unknown`: search did not return them.
    #[ts(optional, as = "Option<_>")]
    pub statuses: Vec<String>,
    /// Scopes, whole.
    #[ts(optional, as = "Option<_>")]
    pub scopes: Vec<String>,
    /// Widths by level, 0 (no scopes) to 3.
    #[ts(optional, as = "Option<_>")]
    pub levels: Vec<u8>,
    /// Changes since you last looked: `new`, `widened`, `narrowed`, `altered`.
    #[ts(optional, as = "Option<_>")]
    pub changes: Vec<GrantChange>,
    /// First seen in a reading after this one, by its number in the journal.
    #[ts(optional, as = "Option<_>")]
    pub first_seen_after: Option<u32>,
    /// Look-alikes: `grouped` (in a group of several), `odd` (flagged beside one).
    #[ts(optional, as = "Option<_>")]
    pub look_alikes: Vec<LookAlikeKind>,
    /// The group of look-alikes with this id.
    #[ts(optional, as = "Option<_>")]
    pub group: Option<String>,
}

/// Kinds of look-alikes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum LookAlikeKind {
    /// One of several clients of one name and type.
    Grouped,
    /// Flagged: close to others, and different in a way that is named.
    Odd,
}

/// How a grant differs from the snapshot you last looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum GrantChange {
    /// Not there before.
    New,
    /// More scopes than before.
    Widened,
    /// Fewer scopes than before.
    Narrowed,
    /// Other scopes, neither more nor fewer.
    Altered,
    /// There before, and not in a complete reading since.
    Gone,
}

/// What to sort by. Ties are broken by name and id, so that one order is always the same order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum SortKey {
    /// The app's name, or the member's on the list of members.
    #[default]
    Name,
    /// The member's name, on a list of grants.
    Member,
    /// The app's client type.
    Type,
    /// How many grants.
    Grants,
    /// How wide.
    Width,
    /// When first seen.
    FirstSeen,
    /// The member's status.
    Status,
}

/// Which part of which list.
#[derive(Clone, Debug, Default, Serialize, Deserialize, TS)]
pub struct InventoryQuery {
    /// What rows must be like.
    #[serde(default)]
    pub filter: Filter,
    /// What to sort by.
    #[serde(default)]
    pub sort: SortKey,
    /// Largest, widest, newest or last in the alphabet first.
    #[serde(default)]
    pub descending: bool,
    /// On the list of apps: one row for each group of look-alikes instead of one for each of its apps.
    #[serde(default)]
    pub fold: bool,
    /// First row, from 0.
    #[serde(default)]
    pub offset: u32,
    /// At most this many rows, 1000 at the most.
    pub count: u32,
}

/// Which noun a list is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Noun {
    /// Apps, or groups of look-alikes.
    Apps,
    /// Members.
    Members,
    /// Grants.
    Grants,
}

/// When something was first seen: after one reading that lacked it, and by another that had it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct FirstSeen {
    /// The last complete reading that lacked it. `null`: it was there in the first reading.
    pub after: Option<Utc>,
    /// The first reading that had it.
    pub by: Utc,
}

/// How wide scopes are, and by which of the rules.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Width {
    /// 0: no scopes; 1: narrow; 2: wider; 3: wide.
    pub level: u8,
    /// The label of the rule that gave it; empty without scopes.
    pub rule: String,
    /// The scope that the rule matched; empty without scopes.
    pub scope: String,
}

/// Why an app is flagged beside others of its look.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Oddity {
    /// `confusable` (a letter of another script that looks the same), `invisible` (zero-width or other characters that cannot be
    /// seen), `bidi` (characters that reorder the text), `other_type`, `wider_scopes`.
    pub kind: String,
    /// What exactly, such as `U+0430 CYRILLIC SMALL LETTER A`, a client type, or a scope.
    pub detail: String,
    /// The id of the group beside which it is odd.
    pub beside: Option<String>,
}

/// A row of the list of apps: one app, or, folded, one group of look-alikes.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
pub struct AppRow {
    /// The app; of a group, the member of it with the most grants.
    pub app: AppFace,
    /// Id of the group of look-alikes it is in, if it is in one.
    pub group: Option<String>,
    /// How many clients the row stands for: more than 1 for a folded group.
    pub clients: u32,
    /// Grants, which for one app is its members.
    pub grants: u32,
    /// How many members gave them: fewer than grants where somebody connected several clients of a group.
    pub members: u32,
    /// How many of them match the filter.
    pub grants_matching: u32,
    /// Scopes that occur, the widest first, 12 at the most.
    pub scopes: Vec<String>,
    /// How many different scopes occur.
    pub scope_count: u32,
    /// How many different sets of scopes its grants have.
    pub scope_sets: u32,
    /// The widest of its grants.
    pub width: Width,
    /// When the app was first seen.
    pub first_seen: FirstSeen,
    /// What changed in it since you last looked.
    pub changes: ChangeCounts,
    /// Why it is flagged; empty when it is not.
    pub odd: Vec<Oddity>,
    /// Whether the organization's policy lets members connect it again. `null`: not told.
    pub may_reconnect: Option<bool>,
    /// `complete`, `partial` (some rows could not be read), `denied`, or another cause as in `Missing`.
    pub reading: String,
}

/// A row of the list of members.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
pub struct MemberInventoryRow {
    /// Who.
    pub face: MemberFace,
    /// `active`, `invited`, `pending`, as Stytch names it; `null` when search did not return them.
    pub status: Option<String>,
    /// Their roles.
    pub roles: Vec<String>,
    /// How many apps act for them.
    pub grants: u32,
    /// How many of those match the filter.
    pub grants_matching: u32,
    /// The widest of their grants.
    pub width: Width,
    /// What changed since you last looked.
    pub changes: ChangeCounts,
}

/// A row of a list of grants.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
pub struct GrantRow {
    /// Whose.
    pub member: MemberFace,
    /// To which app.
    pub app: AppFace,
    /// With which scopes.
    pub scopes: Vec<String>,
    /// How wide.
    pub width: Width,
    /// When it was first seen.
    pub first_seen: FirstSeen,
    /// How it differs from what you last looked at; `null`: not at all.
    pub change: Option<GrantChange>,
    /// The scopes it had then, when they were others.
    pub scopes_before: Option<Vec<String>>,
}

/// A window of the apps that match.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
pub struct AppRows {
    /// The rows from `offset` on.
    pub rows: Vec<AppRow>,
    /// Rows that match.
    pub matching: u32,
    /// Rows there are.
    pub total: u32,
    /// Grants that match.
    pub grants_matching: u32,
    /// Grants there are.
    pub grants: u32,
    /// Rows of the list that could not be read.
    pub unreadable: Vec<UnreadableRow>,
    /// When the picture was read.
    pub read_at: Utc,
}

/// A window of the members that match.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
pub struct MemberRows {
    /// The rows from `offset` on.
    pub rows: Vec<MemberInventoryRow>,
    /// Rows that match.
    pub matching: u32,
    /// Rows there are.
    pub total: u32,
    /// Grants that match.
    pub grants_matching: u32,
    /// Grants there are.
    pub grants: u32,
    /// Rows of the search that could not be read.
    pub unreadable: Vec<UnreadableRow>,
    /// When the picture was read.
    pub read_at: Utc,
}

/// A window of the grants that match.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
pub struct GrantRows {
    /// The rows from `offset` on.
    pub rows: Vec<GrantRow>,
    /// Rows that match.
    pub matching: u32,
    /// Rows there are.
    pub total: u32,
    /// Rows that could not be read, when the filter names one app.
    pub unreadable: Vec<UnreadableRow>,
    /// When the picture was read.
    pub read_at: Utc,
}

/// What can be chosen in filters, with how many grants each has.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
pub struct Facets {
    /// Client types.
    pub client_types: Vec<Facet>,
    /// Roles.
    pub roles: Vec<Facet>,
    /// Statuses, `unknown` among them.
    pub statuses: Vec<Facet>,
    /// Scopes, the most common first, 500 at the most.
    pub scopes: Vec<Facet>,
    /// Levels of width: the value is the level as a number in text.
    pub levels: Vec<Facet>,
}

/// One thing to choose.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Facet {
    /// Its value, as a filter takes it.
    pub value: String,
    /// Grants that have it.
    pub grants: u32,
}

// ---- selections, copies, exports ----------------------------------------------------------------------------------

/// What is selected, as a rule: it holds for rows that were never on screen and survives every new reading.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Selection {
    /// Of which list.
    pub noun: Noun,
    /// Whether groups of look-alikes count as one row: their ids then begin with `group:`.
    #[serde(default)]
    pub fold: bool,
    /// `true`: all rows that match `filter`, except `ids`. `false`: exactly `ids`, whatever the filter.
    pub all: bool,
    /// The filter that `all` means; empty otherwise.
    #[serde(default)]
    pub filter: Filter,
    /// Ids of rows: an app's, a member's, `group:` and a group's, or for grants member id, line feed, app id.
    pub ids: Vec<String>,
}

/// What a selection comes to, by the present picture.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct SelectionCount {
    /// Rows.
    pub rows: u32,
    /// Different apps.
    pub apps: u32,
    /// Different members.
    pub members: u32,
    /// Grants.
    pub grants: u32,
    /// Ids of the rule that the picture does not have any more.
    pub lost: u32,
}

/// What a copy or an export takes: a list as its filter shows it, or only what is selected in it.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
pub struct ExportWhat {
    /// Which list.
    pub noun: Noun,
    /// Its filter and order; the window is not looked at.
    pub query: InventoryQuery,
    /// Only these.
    #[serde(default)]
    #[ts(optional = nullable)]
    pub selection: Option<Selection>,
    /// `csv` or `json`.
    pub format: ExportFormat,
}

/// Formats of copies and exports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum ExportFormat {
    /// RFC 4180, UTF-8, cells that a spreadsheet would take for a formula neutralised.
    Csv,
    /// One object: facts of the picture, what is missing from it, and the rows.
    Json,
}

/// An export that was written.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
pub struct Exported {
    /// The file, in the user's folder for downloads.
    pub path: String,
    /// Rows in it.
    pub rows: u32,
    /// Its size, bytes.
    pub bytes: u32,
    /// Whether the picture was complete; if not, the file says what is missing.
    pub complete: bool,
}

/// Rows as text, for the clipboard.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
pub struct Copied {
    /// The text.
    pub text: String,
    /// Rows in it.
    pub rows: u32,
    /// How many more there are: a copy takes 5,000 rows at the most, an export takes all.
    pub left_out: u32,
}

/// One thing that the palette found.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum PaletteHit {
    /// An app.
    App {
        /// Which.
        app: AppFace,
        /// Its grants.
        grants: u32,
    },
    /// A member.
    Member {
        /// Who.
        member: MemberFace,
        /// Their grants.
        grants: u32,
    },
    /// Nothing was found, and what was looked for can only be a client id.
    ClientId {
        /// The id, as it is asked for.
        connected_app_id: String,
    },
}

// ---- history ------------------------------------------------------------------------------------------------------

/// One snapshot of the history.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
pub struct SnapshotRow {
    /// Its number in the journal.
    pub snapshot: u32,
    /// When its first call was made.
    pub began_at: Utc,
    /// When its last answer came.
    pub read_at: Utc,
    /// The address of the member who read it, if it is known.
    pub read_by: Option<String>,
    /// Apps listed, and how many of them were read completely.
    pub apps: u32,
    /// Apps read completely.
    pub apps_read: u32,
    /// Grants.
    pub grants: u32,
    /// Whether it was complete.
    pub complete: bool,
}

/// A window of the grants that differ between two snapshots.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
pub struct ChangeRows {
    /// The earlier one.
    pub from: SnapshotMark,
    /// The later one.
    pub to: SnapshotMark,
    /// How many of each kind, before the filter.
    pub counts: ChangeCounts,
    /// The rows from `offset` on; `change` is never `null`.
    pub rows: Vec<GrantRow>,
    /// Rows that match the filter.
    pub matching: u32,
    /// Rows there are.
    pub total: u32,
    /// Apps that cannot be compared, since one of the two did not read them.
    pub not_compared: Vec<AppFace>,
}

// ---- width --------------------------------------------------------------------------------------------------------

/// The rules that scopes are rated by, in order: for each scope the first that matches counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct WidthRules {
    /// The rules.
    pub rules: Vec<WidthRule>,
    /// Whether they are the ones that came with the app.
    #[serde(default)]
    pub standard: bool,
}

/// One rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct WidthRule {
    /// Its label, which stands on every rating it gives: 1 to 24 characters.
    pub label: String,
    /// Patterns of scopes, in any case. Without a star: whole words, wherever they stand (`read` finds `files.read`). Between
    /// quotes: the whole scope. With stars: `*` stands for any run of characters. `\*` is the character itself.
    pub patterns: Vec<String>,
    /// 1: narrow; 2: wider; 3: wide.
    pub level: u8,
}

// ---- the map ------------------------------------------------------------------------------------------------------

/// Which part of the map, and how finely.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
pub struct MapQuery {
    /// What grants must be like.
    #[serde(default)]
    pub filter: Filter,
    /// First row (an app or a group of look-alikes), from 0.
    #[serde(default)]
    pub row: u32,
    /// How many rows; 0 for all.
    #[serde(default)]
    pub rows: u32,
    /// First column (a member), from 0.
    #[serde(default)]
    pub column: u32,
    /// How many columns; 0 for all.
    #[serde(default)]
    pub columns: u32,
    /// At most so many cells down. Several rows share one when there are more.
    pub cells_down: u32,
    /// At most so many cells across. Several members share one when there are more.
    pub cells_across: u32,
}

/// A part of the map: apps downwards, the most connected first; members across, so that those with the same apps stand
/// together.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
pub struct MapPicture {
    /// Rows (apps and groups) that have a matching grant, in all.
    pub total_rows: u32,
    /// Members who have a matching grant, in all.
    pub total_columns: u32,
    /// First row of this part.
    pub row: u32,
    /// Rows of this part.
    pub rows: u32,
    /// First column of this part.
    pub column: u32,
    /// Columns of this part.
    pub columns: u32,
    /// What each line of cells stands for, from the top.
    pub down: Vec<MapBand>,
    /// What each column of cells stands for, from the left.
    pub across: Vec<MapBand>,
    /// The cells that are not empty.
    pub cells: Vec<MapCell>,
    /// When the picture was read.
    pub read_at: Utc,
}

/// What a line or a column of cells stands for.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
pub struct MapBand {
    /// First row or column.
    pub first: u32,
    /// How many.
    pub count: u32,
    /// Grants in it.
    pub grants: u32,
    /// The app, when it is exactly one app or group; of a group its face.
    pub app: Option<AppFace>,
    /// The group of look-alikes, when it is exactly one.
    pub group: Option<String>,
    /// How many clients the group has.
    pub clients: u32,
    /// Whether it is flagged.
    pub odd: bool,
    /// The member, when it is exactly one.
    pub member: Option<MemberFace>,
}

/// One cell that is not empty.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct MapCell {
    /// Index into `down`.
    pub y: u32,
    /// Index into `across`.
    pub x: u32,
    /// Grants in it.
    pub grants: u32,
    /// How many there could be.
    pub room: u32,
    /// The widest, 0 to 3.
    pub level: u8,
    /// How many are new or widened since you last looked.
    pub fresh: u32,
}
