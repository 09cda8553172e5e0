//! Names every command for Tauri's access control list. A test compares these names with the handlers, the capability
//! file and the contract.

// The same list as in `src/lib.rs`: a build script cannot see the crate it builds. A test compares them.
const COMMANDS: &[&str] = &[
    "connection_list",
    "connection_add",
    "connection_remove",
    "sandbox_start",
    "sandbox_inbox",
    "sign_in_send_code",
    "sign_in_check_code",
    "sign_in_choose_organization",
    "sign_in_cancel",
    "session_status",
    "session_restore",
    "session_extend",
    "policy_read_again",
    "sign_out",
    "keyring_try_again",
    "member_connected_apps",
    "inventory_status",
    "inventory_read",
    "inventory_cancel",
    "inventory_looked",
    "inventory_apps",
    "inventory_members",
    "inventory_grants",
    "inventory_facets",
    "inventory_selection",
    "inventory_find",
    "inventory_map",
    "inventory_copy",
    "inventory_export",
    "snapshot_list",
    "snapshot_changes",
    "snapshot_changes_export",
    "width_rules",
    "width_rules_set",
    "revoke_plan",
    "revoke_connected_app",
    "revoke_list",
    "revoke_settle",
    "plan_make",
    "plan_grants",
    "plan_shares",
    "plan_save",
    "plan_open",
    "sweep_start",
    "sweep_resume",
    "sweep_wish",
    "sweep_retry",
    "sweep_list",
    "sweep_watch",
    "sweep_grants",
    "sweep_pairs",
    "contain_look",
    "contain_rows",
    "contain_make",
    "lift_look",
    "lift",
    "evidence_export",
    "evidence_check",
    "journal_status",
    "erase_person",
    "come_back_list",
    "come_back_dismiss",
    "indicators_check",
    "indicators_rows",
    "indicators_export",
    "window_notify",
    "window_notices",
    "window_close",
];

fn main() {
    // Without this a *new* file under ui/ is not embedded until something else changes.
    println!("cargo:rerun-if-changed=../ui");
    let manifest = tauri_build::AppManifest::new().commands(COMMANDS);
    if let Err(error) = tauri_build::try_build(tauri_build::Attributes::new().app_manifest(manifest)) {
        println!("cargo:warning={error:#}");
        std::process::exit(1);
    }
}
