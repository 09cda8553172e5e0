//! What the tests of several rooms share: each module is a piece of a stage on which the real thing runs.

pub mod frozen;
pub mod ground;
pub mod ipc;
pub mod relay;
#[cfg(target_os = "linux")]
pub mod stage;
#[cfg(target_os = "linux")]
pub mod stories;
