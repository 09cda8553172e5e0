//! What must stay true of the sources: the arrows between the rooms, the list of commands, where a secret may be, what the
//! page may do, where a clock may be read. Every check is a function over text that has its own test on a bad sample, so
//! that a guard which has gone blind is noticed.

mod arrows;
mod clock;
mod commands;
mod names;
mod page;
mod papers;
mod paths;
mod secrets;
mod source;
