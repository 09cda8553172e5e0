//! The stories in the real window: the app as it is built, driven through WebDriver on a display of its own, with a real Secret
//! Service, against the sandbox. Each module is a story.
#![cfg(target_os = "linux")]

mod canary;
mod containment;
mod hostile_names;
mod hostile_network;
mod interrupted;
mod inventory;
mod no_keyring;
mod no_permission;
mod one_member_one_app;
mod plain_member;
mod sandbox;
mod sweeps;
