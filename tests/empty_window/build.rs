//! Embeds the page, as every Tauri app's build script does.

fn main() {
    println!("cargo:rerun-if-changed=page");
    tauri_build::build();
}
