//! Evidence of one sweep as one file: made from the journal, checked from its bytes alone. The rows are the record; table, letter
//! and report are derived from them. It proves order and integrity since a head was noted, and nothing more. The format stands in
//! `EVIDENCE.md`.

mod archive;
mod events;
mod finding;
mod heads;
mod letter;
mod manifest;
mod pack;
mod record;
mod report;
mod table;
mod verify;

pub use archive::LARGEST;
pub(crate) use finding::INDICATORS;
pub use heads::Noted;
pub use manifest::{FILES, GRANTS, LETTER, MANIFEST, PEOPLE, REPORT, ROWS};
pub use pack::{Pack, Redacted, redact};
pub use verify::{Broken, Since, Sought, Verified, verify, verify_by};
