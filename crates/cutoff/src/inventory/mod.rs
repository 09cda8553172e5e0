//! The inventory: every grant of the organization at one moment, its history, and what can be asked of it.

mod borne_out;
pub mod changes;
pub mod export;
pub mod filter;
pub mod find;
pub mod history;
pub mod list;
pub mod look_alike;
pub mod map;
pub mod picture;
pub mod reading;
pub mod selection;
pub mod shown;
pub mod take;
pub mod width;

pub use borne_out::MOST_ASKED;
