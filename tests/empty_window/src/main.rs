//! The least that is a Tauri app: a window of Cutoff's size whose page has one field. It does nothing, which is its use.

#![cfg_attr(not(debug_assertions), windows_subsystem = "windows")]

fn main() -> tauri::Result<()> {
    tauri::Builder::default().run(tauri::generate_context!())
}
