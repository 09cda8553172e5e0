//! One list of commands, seen from every side: declared, handled, built, granted, typed, used.

use std::collections::BTreeSet;

use contract::commands::{COMMANDS, typescript};
use serde_json::Value;

use crate::source;

fn set<'a>(names: impl IntoIterator<Item = &'a str>) -> BTreeSet<String> {
    names.into_iter().map(str::to_owned).collect()
}

fn contracted() -> BTreeSet<String> {
    set(COMMANDS.iter().map(|command| command.name))
}

/// A command as it is declared in Rust.
#[derive(Debug)]
struct Declared {
    module: String,
    name: String,
    parameters: BTreeSet<String>,
    snake_case: bool,
}

fn declared(module: &str, code: &str) -> Vec<Declared> {
    let mut found = Vec::new();
    for (at, _) in code.match_indices("#[tauri::command") {
        let rest = &code[at..];
        let attribute = &rest[..rest.find(']').expect("an attribute ends")];
        let function = &rest[rest.find(" fn ").expect("a function follows") + 4..];
        let name: String = function.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        let open = function.find('(').expect("parameters");
        let mut depth = 0;
        let mut parameters = BTreeSet::new();
        let mut start = open + 1;
        for (at, c) in function[open..].char_indices().map(|(at, c)| (at + open, c)) {
            match c {
                '(' | '<' | '[' => depth += 1,
                ')' | '>' | ']' => depth -= 1,
                _ => {}
            }
            if (c == ',' && depth == 1) || depth == 0 {
                let parameter = function[start..at].trim();
                if let Some((name, kind)) = parameter.split_once(':')
                    && !["State<", "Webview<", "AppHandle", "Window<"]
                        .iter()
                        .any(|given| kind.trim().starts_with(given))
                {
                    parameters.insert(name.trim().to_owned());
                }
                start = at + 1;
            }
            if depth == 0 {
                break;
            }
        }
        found.push(Declared {
            module: module.to_owned(),
            name,
            parameters,
            snake_case: attribute.contains("rename_all"),
        });
    }
    found
}

fn all_declared() -> Vec<Declared> {
    let mut all = Vec::new();
    for (path, text) in source::files("src-tauri/src", &[".rs"]) {
        let module = path.rsplit('/').next().unwrap_or_default().trim_end_matches(".rs").to_owned();
        all.extend(declared(&module, &source::rust_code(&text)));
    }
    all
}

/// The handlers, as `module::name`.
fn handled(code: &str) -> BTreeSet<String> {
    let start = code.find("generate_handler![").expect("the handlers");
    let list = &code[start + "generate_handler![".len()..];
    let list = &list[..list.find(']').expect("their end")];
    set(list.split(',').map(|path| path.trim().trim_start_matches("commands::")).filter(|path| !path.is_empty()))
}

fn built(text: &str) -> BTreeSet<String> {
    let start = text.find("COMMANDS: &[&str] = &[").expect("the list");
    let list = &text[start..];
    set(list[..list.find("];").expect("its end")].split('"').skip(1).step_by(2))
}

/// The arguments that the contract's TypeScript names.
fn arguments(args: &str) -> BTreeSet<String> {
    let inner = args.trim_start_matches('{').trim_end_matches('}');
    set(inner
        .split([',', ';'])
        .filter_map(|part| part.split_once(':'))
        .map(|(name, _)| name.trim().trim_end_matches('?')))
}

#[test]
fn commands_declared_handled_built_granted_and_typed_are_the_same() {
    let every = contracted();
    assert_eq!(every.len(), COMMANDS.len(), "no name twice");
    let declared = all_declared();
    assert_eq!(set(declared.iter().map(|command| command.name.as_str())), every, "declared in src-tauri/src/commands");
    let by_path: BTreeSet<String> =
        declared.iter().map(|command| format!("{}::{}", command.module, command.name)).collect();
    assert_eq!(
        handled(&source::rust_code(&source::file("src-tauri/src/lib.rs"))),
        by_path,
        "handlers in src-tauri/src/lib.rs"
    );
    assert_eq!(built(&source::file("src-tauri/build.rs")), every, "the list in src-tauri/build.rs");
}

#[test]
fn the_capability_grants_every_command_to_the_one_window_and_nothing_else() {
    let capability: Value = serde_json::from_str(&source::file("src-tauri/capabilities/main.json")).expect("JSON");
    let granted: Vec<&str> = capability["permissions"]
        .as_array()
        .expect("permissions")
        .iter()
        .map(|entry| entry.as_str().expect("a name"))
        .collect();
    let wanted: BTreeSet<String> =
        contracted().iter().map(|name| format!("allow-{}", name.replace('_', "-"))).collect();
    assert_eq!(set(granted.iter().copied()), wanted);
    assert_eq!(granted.len(), wanted.len(), "each once");
    assert_eq!(capability["windows"], serde_json::json!(["main"]));
    let keys: BTreeSet<String> = capability.as_object().expect("an object").keys().cloned().collect();
    assert_eq!(keys, set(["$schema", "identifier", "description", "windows", "permissions"]), "no remote, no webviews");
    let files = source::files("src-tauri/capabilities", &[".json", ".json5", ".toml"]);
    assert_eq!(files.len(), 1, "one capability file");
    let config: Value = serde_json::from_str(&source::file("src-tauri/tauri.conf.json")).expect("JSON");
    assert_eq!(config["app"]["security"]["capabilities"], serde_json::json!(["main"]));
}

#[test]
fn arguments_are_named_alike_in_rust_and_on_the_page() {
    let declared = all_declared();
    for command in COMMANDS {
        let ours = declared.iter().find(|one| one.name == command.name).expect("declared");
        assert_eq!(ours.parameters, arguments(command.args), "{}", command.name);
        assert!(ours.snake_case, "{} renames its arguments to camel case", command.name);
    }
}

#[test]
fn the_page_supplies_no_path_and_no_url_but_that_of_a_connection() {
    for command in COMMANDS {
        for argument in arguments(command.args) {
            let bad = ["path", "file", "url", "host", "dir"].iter().any(|word| argument.contains(word));
            assert!(!bad, "{} takes {argument} from the page", command.name);
        }
    }
}

#[test]
fn contract_d_ts_is_what_the_contract_says() {
    let (present, wanted) = (source::file("ui/contract.d.ts"), typescript());
    let parts = present.lines().zip(wanted.lines()).position(|(a, b)| a != b);
    assert!(
        parts.is_none() && present.lines().count() == wanted.lines().count(),
        "run `cargo xtask contract`; line {parts:?}"
    );
}

/// The command names that a page's code asks for.
fn asked(code: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for (at, _) in code.match_indices("ask(") {
        let before = code[..at].chars().next_back();
        if before.is_some_and(|c| c.is_alphanumeric() || c == '_') {
            continue;
        }
        let rest = code[at + 4..].trim_start();
        if let Some(quote) = rest.chars().next().filter(|c| matches!(c, '"' | '\'' | '`')) {
            names.insert(rest[1..].chars().take_while(|c| *c != quote).collect());
        }
    }
    names
}

#[test]
fn the_page_asks_for_every_command_and_for_no_other() {
    let mut names = BTreeSet::new();
    for (_, text) in source::files("ui", &[".js"]) {
        names.extend(asked(&source::js_code(&text)));
    }
    assert_eq!(names, contracted());
}

#[test]
fn a_list_that_differs_would_be_seen() {
    let bad = "#[tauri::command]\npub async fn a(shell: State<'_, Shell>, b: Option<(u8, u8)>, c: Vec<String>) -> Reply<()> {}";
    let found = declared("x", bad);
    assert_eq!((found[0].name.as_str(), found[0].snake_case), ("a", false));
    assert_eq!(found[0].parameters, set(["b", "c"]));
    assert_eq!(handled("generate_handler![commands::x::a, commands::y::b,]"), set(["x::a", "y::b"]));
    assert_eq!(built("const COMMANDS: &[&str] = &[\"a\", \"b\"];\n\"c\""), set(["a", "b"]));
    assert_eq!(asked("ask(\"a\", {}); task(\"no\"); ask( 'b')"), set(["a", "b"]));
    assert_eq!(arguments("{ a: string, b?: Array<string> }"), set(["a", "b"]));
}
