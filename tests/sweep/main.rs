//! The promises of the sweep, kept against a live sandbox: what is called revoked is gone by a later read, an unanswered
//! request is never called either way, and a kill between any two steps loses nothing.

mod frozen;
mod killed;
mod outcomes;
