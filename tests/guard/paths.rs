//! One revoke path, and one way out to the network.

use crate::source;

/// Where a revoke may be sent from: the one engine. The client's own methods lie below it.
fn revokes_beside_the_engine(files: &[(String, String)]) -> Vec<String> {
    let mut found = Vec::new();
    for (path, code) in files {
        if path == "crates/cutoff/src/sweep/engine.rs" || path.starts_with("crates/stytch-b2b/src/") {
            continue;
        }
        for call in [".revoke_member_connected_app(", ".revoke_own_connected_app("] {
            for (at, _) in code.match_indices(call) {
                found.push(format!("{path}, line {}: {call}", source::line(code, at)));
            }
        }
    }
    found
}

#[test]
fn every_revoke_goes_through_the_one_engine() {
    let shipped = source::shipped();
    source::none("revokes beside the engine", &revokes_beside_the_engine(&shipped));
    let engine = shipped.iter().find(|(path, _)| path == "crates/cutoff/src/sweep/engine.rs").expect("the engine");
    assert!(engine.1.contains(".revoke_member_connected_app(") && engine.1.contains(".revoke_own_connected_app("));
    let bad = ("crates/cutoff/src/x.rs".to_owned(), "client.revoke_member_connected_app(&t, &m, &a)".to_owned());
    assert_eq!(revokes_beside_the_engine(&[bad]).len(), 1);
}

/// HTTP clients and sockets opened outside the API client.
fn ways_out(files: &[(String, String)]) -> Vec<String> {
    let mut found = Vec::new();
    for (path, code) in files {
        // The sandbox listens and calls nobody.
        if path.starts_with("crates/stytch-b2b/src/") || path.starts_with("crates/sandbox/src/") {
            continue;
        }
        for way in ["reqwest", "hyper", "TcpStream", "UdpSocket", "ureq", "ToSocketAddrs"] {
            for (at, _) in source::words(code).filter(|(_, word)| *word == way) {
                found.push(format!("{path}, line {}: {way}", source::line(code, at)));
            }
        }
    }
    found
}

#[test]
fn nothing_but_the_client_goes_out() {
    source::none("ways out to the network", &ways_out(&source::shipped()));
    let bad = ("src-tauri/src/x.rs".to_owned(), "let c = reqwest::Client::new();".to_owned());
    assert_eq!(ways_out(&[bad]).len(), 1);
}

/// What every HTTP client of ours must be built with.
fn missing_from_builders(code: &str) -> Vec<String> {
    let mut missing = Vec::new();
    for (at, _) in code.match_indices("Client::builder()") {
        let built = &code[at..];
        let built = &built[..built.find(".build()").unwrap_or(built.len())];
        for needed in ["redirect(reqwest::redirect::Policy::none())", ".connect_timeout(", ".timeout("] {
            if !built.contains(needed) {
                missing.push(format!("line {}: {needed}", source::line(code, at)));
            }
        }
    }
    for (at, _) in code.match_indices("Client::new()").chain(code.match_indices("danger_accept")) {
        missing.push(format!("line {}: a client without limits", source::line(code, at)));
    }
    missing
}

#[test]
fn the_client_follows_no_redirect_and_waits_for_nothing_for_ever() {
    let mut wrong = Vec::new();
    let mut builders = 0;
    for (path, code) in source::shipped().iter().filter(|(path, _)| path.starts_with("crates/stytch-b2b/src/")) {
        builders += code.matches("Client::builder()").count();
        wrong.extend(missing_from_builders(code).into_iter().map(|line| format!("{path}, {line}")));
    }
    assert_eq!(builders, 1, "one client");
    source::none("clients without limits", &wrong);
    assert_eq!(missing_from_builders("reqwest::Client::builder().timeout(x).build(); reqwest::Client::new()").len(), 3);
}
