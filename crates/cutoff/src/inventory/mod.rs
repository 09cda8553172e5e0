//! The inventory: every grant of the organization at one moment, its history, and what can be asked of it.

pub mod filter;
pub mod find;
pub mod list;
pub mod look_alike;
pub mod map;
pub mod picture;
pub mod selection;
pub mod width;
pub mod history;
pub mod reading;
pub mod shown;
