//! A secret neither prints nor serializes, and no reply has a place for one.

use std::fmt::{Debug, Display};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::source;

/// Whether a type implements a trait, known at compile time: the inherent constant is there only where the bound holds.
macro_rules! implements {
    ($ty:ty: $bound:path) => {{
        #[allow(dead_code, reason = "used only where the bound does not hold")]
        trait Otherwise {
            const YES: bool = false;
        }
        impl<T: ?Sized> Otherwise for T {}
        #[allow(dead_code, reason = "used only where the bound holds")]
        struct Asked<T: ?Sized>(std::marker::PhantomData<T>);
        #[allow(dead_code, reason = "used only where the bound holds")]
        impl<T: ?Sized + $bound> Asked<T> {
            const YES: bool = true;
        }
        <Asked<$ty>>::YES
    }};
}

#[test]
fn a_session_token_neither_prints_nor_serializes() {
    assert!(!implements!(stytch_b2b::SessionToken: Display));
    assert!(!implements!(stytch_b2b::SessionToken: Serialize));
    assert!(!implements!(stytch_b2b::SessionToken: ToString));
    assert!(!implements!(stytch_b2b::SessionToken: AsRef<str>));
    assert!(!implements!(stytch_b2b::SessionToken: std::ops::Deref));
    assert!(!implements!(stytch_b2b::IntermediateSessionToken: Display));
    assert!(!implements!(stytch_b2b::IntermediateSessionToken: Serialize));
    assert!(!implements!(stytch_b2b::IntermediateSessionToken: ToString));
    assert!(!implements!(stytch_b2b::IntermediateSessionToken: AsRef<str>));
    assert!(!implements!(stytch_b2b::IntermediateSessionToken: std::ops::Deref));
    assert!(!format!("{:?}", stytch_b2b::SessionToken::new("canary-0".into())).contains("canary"));
    assert!(!format!("{:?}", stytch_b2b::IntermediateSessionToken::new("canary-1".into())).contains("canary"));
}

#[test]
fn what_holds_a_token_cannot_be_sent_anywhere() {
    assert!(!implements!(cutoff::session::Session: Serialize));
    assert!(!implements!(cutoff::session::State: Serialize));
    assert!(!implements!(cutoff::session::Session: Debug));
    assert!(!implements!(cutoff::session::State: Debug));
    assert!(!implements!(cutoff::Desk: Serialize));
    assert!(!implements!(stytch_b2b::Authenticated: Serialize));
    assert!(!implements!(stytch_b2b::LiveSession: Serialize));
    assert!(!implements!(vault::Vault: Serialize));
    let vault = vault::Vault::memory(vault::Trouble::Missing);
    vault.save(&uuid::Uuid::nil(), "canary-2").expect("kept");
    assert!(!format!("{vault:?}").contains("canary"));
}

#[test]
fn the_question_itself_can_be_answered_with_yes() {
    assert!(implements!(String: Display) && implements!(String: Serialize) && implements!(Vec<u8>: Debug));
    assert!(implements!(String: DeserializeOwned) && !implements!(std::thread::Thread: Serialize));
}

/// The fields of a TypeScript file whose names sound like a secret.
fn secret_fields(typescript: &str) -> Vec<String> {
    let code = source::js_code(typescript);
    let mut found = Vec::new();
    for (at, name) in source::words(&code) {
        let after = code[at + name.len()..].trim_start().trim_start_matches(['"', '?']).trim_start();
        let is_field = after.starts_with(':');
        let lower = name.to_lowercase();
        let sounds = ["token", "secret", "password", "jwt", "credential", "cookie", "bearer"]
            .iter()
            .any(|word| lower.contains(word));
        if is_field && sounds {
            found.push(name.to_owned());
        }
    }
    found
}

#[test]
fn no_reply_has_a_field_for_a_secret() {
    let mut fields = secret_fields(&contract::commands::typescript());
    // The public token is none, and `tokens_until` is a time.
    fields.retain(|name| name != "public_token" && name != "tokens_until");
    source::none("fields that sound like a secret", &fields);
    let bad = "export type X = { session_token: string, \"jwt\"?: string, /* token: x */ name: string, tokens: Array<string> }";
    assert_eq!(secret_fields(bad), ["session_token", "jwt", "tokens"]);
}

/// Structs and enums with a derive, in code without literals: attribute, name and body.
fn derived(code: &str) -> Vec<(String, String, String)> {
    let mut found = Vec::new();
    for (at, _) in code.match_indices("#[derive(") {
        let rest = &code[at..];
        let Some(close) = rest.find(")]") else { continue };
        let attribute = rest[..close].to_owned();
        let body = &rest[close..];
        let Some(open) = body.find(['{', ';']) else { continue };
        let head = &body[..open];
        let name =
            source::words(head).map(|(_, word)| word).skip_while(|word| *word != "struct" && *word != "enum").nth(1);
        let end = body[open..].find("\n}").map_or(body.len(), |end| open + end);
        let body = body[head.find('(').unwrap_or(open)..end.max(open)].to_owned();
        found.push((attribute, name.unwrap_or_default().to_owned(), body));
    }
    found
}

/// Types that hold a token and derive what would carry it out.
fn leaking(code: &str) -> Vec<String> {
    let holds =
        |body: &str| source::words(body).any(|(_, word)| word == "SessionToken" || word == "IntermediateSessionToken");
    derived(code)
        .into_iter()
        .filter(|(attribute, _, body)| holds(body) && source::words(attribute).any(|(_, word)| word == "Serialize"))
        .map(|(_, name, _)| name)
        .collect()
}

#[test]
fn no_type_that_holds_a_token_serializes() {
    let mut wrong = Vec::new();
    for (path, code) in source::shipped() {
        wrong.extend(leaking(&code).into_iter().map(|name| format!("{path}: {name}")));
    }
    source::none("types that would carry a token out", &wrong);
    let bad = "#[derive(Clone, Serialize)]\npub struct A {\n  token: SessionToken,\n}\n#[derive(Debug)]\nstruct B {\n t: SessionToken,\n}\n";
    assert_eq!(leaking(bad), ["A"]);
}

#[test]
fn the_token_is_taken_out_of_its_type_in_few_places() {
    // Each is a place where it must be bare: on its way into a header or body, into the keyring, or compared with another.
    const ALLOWED: &[&str] = &["crates/stytch-b2b/src/", "crates/cutoff/src/desk.rs", "crates/vault/src/"];
    let wrong: Vec<String> = source::shipped()
        .iter()
        .filter(|(path, code)| code.contains(".expose()") && !ALLOWED.iter().any(|allowed| path.starts_with(allowed)))
        .map(|(path, _)| path.clone())
        .collect();
    source::none("`expose()` outside its places", &wrong);
    assert!(
        source::shipped().iter().any(|(path, code)| path.ends_with("desk.rs") && code.contains(".expose()")),
        "the guard sees it where it is"
    );
}
