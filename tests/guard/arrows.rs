//! The arrows between the rooms go one way, and what is dear or dangerous has one home.

use std::process::Command;

use serde_json::Value;

use crate::source;

/// Which of our packages each may depend on, in any kind of dependency.
const ARROWS: &[(&str, &[&str])] = &[
    ("contract", &[]),
    ("journal", &[]),
    ("vault", &[]),
    ("stytch-b2b", &[]),
    // The second witness: one struct shared with the client and a misread field would be wrong twice and pass.
    ("sandbox", &[]),
    // Not `contract`: the wire may change without the mind changing. Not `sandbox`: nothing that ships thinks about tests.
    ("cutoff", &["stytch-b2b", "vault", "journal"]),
    ("cutoff-cli", &["cutoff", "stytch-b2b", "vault", "journal", "sandbox"]),
    ("cutoff-desktop", &["cutoff", "stytch-b2b", "vault", "journal", "contract", "sandbox"]),
    ("promises", &["contract", "cutoff", "cutoff-cli", "cutoff-desktop", "journal", "sandbox", "stytch-b2b", "vault"]),
    ("soak", &["cutoff", "journal", "sandbox", "stytch-b2b", "vault"]),
    // What the bench compares the app's start with: a window and nothing of ours.
    ("empty-window", &[]),
    ("xtask", &["contract", "cutoff", "cutoff-cli", "cutoff-desktop", "journal", "sandbox", "stytch-b2b", "vault"]),
];

/// Which packages may depend on a crate that is dear (a second copy of the engine) or dangerous (secrets, the network).
const HOMES: &[(&str, &[&str])] = &[
    ("tauri", &["cutoff-desktop", "promises", "empty-window"]),
    ("tauri-build", &["cutoff-desktop", "empty-window"]),
    ("rusqlite", &["journal"]),
    ("keyring", &["vault"]),
    ("keyring-core", &["vault"]),
    ("secret-service", &["vault"]),
    ("zbus-secret-service-keyring-store", &["vault"]),
    ("apple-native-keyring-store", &["vault"]),
    ("windows-native-keyring-store", &["vault"]),
    // The sandbox's tests and ours speak HTTP to the sandbox; of what ships, the client alone has a network.
    ("reqwest", &["stytch-b2b", "sandbox", "promises", "soak"]),
    ("ts-rs", &["contract"]),
    ("axum", &["sandbox"]),
];

struct Edge {
    from: String,
    to: String,
    kind: String,
}

fn edges(metadata: &Value) -> (Vec<String>, Vec<Edge>) {
    let packages = metadata["packages"].as_array().expect("packages");
    let name = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let names = packages.iter().map(|package| name(&package["name"])).collect();
    let mut edges = Vec::new();
    for package in packages {
        for dependency in package["dependencies"].as_array().expect("dependencies") {
            let kind = dependency["kind"].as_str().unwrap_or("normal").to_owned();
            edges.push(Edge { from: name(&package["name"]), to: name(&dependency["name"]), kind });
        }
    }
    (names, edges)
}

fn wrong_arrows(metadata: &Value) -> Vec<String> {
    let (names, edges) = edges(metadata);
    let mut wrong: Vec<String> = names
        .iter()
        .filter(|name| !ARROWS.iter().any(|(known, _)| known == name))
        .map(|name| format!("{name} is a room that no arrow names"))
        .collect();
    for Edge { from, to, kind } in &edges {
        if names.contains(to) {
            let allowed = ARROWS.iter().any(|(known, may)| known == from && may.contains(&to.as_str()));
            if !allowed {
                wrong.push(format!("{from} must not depend on {to} ({kind})"));
            }
        }
        if let Some((_, homes)) = HOMES.iter().find(|(dear, _)| dear == to)
            && !homes.contains(&from.as_str())
        {
            wrong.push(format!("{from} must not depend on {to} ({kind}): its home is {}", homes.join(", ")));
        }
        if from == "sandbox" && to == "reqwest" && kind != "dev" {
            wrong.push("the sandbox calls nobody: reqwest is for its tests".to_owned());
        }
    }
    wrong
}

fn metadata() -> Value {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
    let told = Command::new(cargo)
        .args(["metadata", "--no-deps", "--format-version", "1", "--offline"])
        .current_dir(source::root())
        .output()
        .expect("cargo runs");
    assert!(told.status.success(), "{}", String::from_utf8_lossy(&told.stderr));
    serde_json::from_slice(&told.stdout).expect("JSON")
}

#[test]
fn every_arrow_points_the_one_way() {
    let metadata = metadata();
    assert!(edges(&metadata).0.len() >= 9, "cargo told of our packages");
    source::none("arrows that must not be", &wrong_arrows(&metadata));
}

#[test]
fn a_wrong_arrow_would_be_seen() {
    let package = |name: &str, to: &str, kind: Value| serde_json::json!({"name": name, "dependencies": [{"name": to, "kind": kind}]});
    let bad = serde_json::json!({"packages": [
        package("cutoff", "contract", Value::Null),
        package("sandbox", "stytch-b2b", "dev".into()),
        package("journal", "keyring", Value::Null),
        package("contract", "serde", Value::Null),
        package("stytch-b2b", "promises", "dev".into()),
        package("promises", "cutoff", Value::Null),
        package("newcomer", "serde", Value::Null),
    ]});
    let wrong = wrong_arrows(&bad);
    assert_eq!(wrong.len(), 5, "{wrong:#?}");
    for word in ["newcomer", "contract", "stytch-b2b (dev)", "keyring", "promises"] {
        assert!(wrong.iter().any(|line| line.contains(word)), "{word}: {wrong:#?}");
    }
}

/// What a package's manifest names by itself instead of inheriting.
fn not_inherited(manifest: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut table = "";
    let mut lints = false;
    for line in manifest.lines().map(str::trim) {
        if let Some(name) = line.strip_prefix('[') {
            table = name.trim_end_matches(']').trim();
            continue;
        }
        let Some((key, value)) = line.split_once('=').map(|(key, value)| (key.trim(), value.trim())) else { continue };
        if line.starts_with('#') {
            continue;
        }
        let inherited = key.ends_with(".workspace") || value.contains("workspace = true");
        match table {
            "package" if ["version", "edition", "rust-version", "license", "authors", "publish"].contains(&key) => {
                wrong.push(format!("[package] {line}"));
            }
            "lints" if key == "workspace" && value == "true" => lints = true,
            // A crate that one package alone uses on one platform may be named there.
            name if name.ends_with("dependencies") && !name.starts_with("target") && !inherited => {
                wrong.push(format!("[{name}] {line}"));
            }
            _ => {}
        }
    }
    if !lints {
        wrong.push("[lints] workspace = true is missing".to_owned());
    }
    wrong
}

#[test]
fn versions_and_lints_are_named_once_and_inherited() {
    let mut wrong = Vec::new();
    for (name, text) in source::files("", &["/Cargo.toml"]) {
        wrong.extend(not_inherited(&text).into_iter().map(|line| format!("{name}: {line}")));
    }
    source::none("not inherited from the workspace", &wrong);
    let bad = "[package]\nversion = \"1\"\nedition.workspace = true\n[dependencies]\nserde = \"1\"\ntokio = { workspace = true }\n";
    assert_eq!(not_inherited(bad).len(), 3, "{:?}", not_inherited(bad));
}
