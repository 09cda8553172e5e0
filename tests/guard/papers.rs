//! What the papers promise can be typed: the commands they name exist, and their links lead somewhere.

use std::collections::BTreeSet;

use crate::source;

/// The subcommands of `cargo xtask`, from its enum.
fn tasks(code: &str) -> BTreeSet<String> {
    let start = code.find("enum Task {").expect("the tasks");
    let body = &code[start + "enum Task {".len()..];
    let mut depth = 0;
    let mut names = BTreeSet::new();
    let mut at_start = true;
    for (at, c) in body.char_indices() {
        match c {
            '{' | '(' | '[' => depth += 1,
            '}' if depth == 0 => break,
            '}' | ')' | ']' => depth -= 1,
            ',' if depth == 0 => at_start = true,
            c if depth == 0 && at_start && c.is_alphabetic() => {
                let name: String = body[at..].chars().take_while(|c| c.is_alphanumeric()).collect();
                names.insert(name.to_lowercase());
                at_start = false;
            }
            _ => {}
        }
    }
    names
}

/// The tasks that a text tells its reader to run.
fn named(text: &str) -> BTreeSet<String> {
    text.match_indices("cargo xtask ")
        .map(|(at, lead)| text[at + lead.len()..].chars().take_while(|c| c.is_ascii_lowercase()).collect::<String>())
        .filter(|name| !name.is_empty())
        .collect()
}

fn papers() -> Vec<(String, String)> {
    let mut papers = source::files("", &[".md", ".yml", ".ci/run"]);
    papers.retain(|(path, _)| !path.contains("/bundler/"));
    papers
}

#[test]
fn every_xtask_command_that_the_papers_name_exists() {
    let tasks = tasks(&source::rust_code(&source::file("xtask/src/main.rs")));
    assert!(tasks.contains("demo") && tasks.contains("test"), "{tasks:?}");
    let mut wrong = Vec::new();
    for (path, text) in papers() {
        for name in named(&text).difference(&tasks) {
            wrong.push(format!("{path}: cargo xtask {name}"));
        }
    }
    source::none("commands that do not exist", &wrong);
    assert_eq!(
        named("run `cargo xtask demo`, then cargo xtask test"),
        BTreeSet::from(["demo".to_owned(), "test".to_owned()])
    );
}

#[test]
fn the_two_commands_of_the_readme_are_the_ones_that_run_unattended() {
    let readme = source::file("README.md");
    let named = named(&readme);
    assert!(named.contains("demo") && named.contains("test"), "the README names its two commands: {named:?}");
    assert!(source::file(".ci/run").contains("cargo xtask test"));
    assert!(source::file(".cargo/config.toml").contains("xtask = "), "the alias behind both");
}

/// Links of a Markdown text that lead into the repository.
fn links(text: &str) -> Vec<String> {
    text.match_indices("](")
        .map(|(at, _)| text[at + 2..].split([')', ' ', '#']).next().unwrap_or_default().to_owned())
        .filter(|link| !link.is_empty() && !link.contains(':'))
        .collect()
}

#[test]
fn the_links_of_the_papers_lead_somewhere() {
    let mut wrong = Vec::new();
    for (path, text) in source::files("", &[".md"]) {
        let beside = source::root().join(&path).parent().expect("a directory").to_owned();
        wrong.extend(
            links(&text).into_iter().filter(|link| !beside.join(link).exists()).map(|link| format!("{path}: {link}")),
        );
    }
    source::none("links that lead nowhere", &wrong);
    assert_eq!(links("[a](b/c.md#d) [e](https://x) [f](g)"), ["b/c.md", "g"]);
}

#[test]
fn a_task_that_is_missing_would_be_seen() {
    let code = source::rust_code(
        "enum Task {\n /// Does\n Demo {\n #[arg(long)]\n headless: bool,\n },\n Test(Filter),\n Check,\n}",
    );
    assert_eq!(tasks(&code), BTreeSet::from(["demo".to_owned(), "test".to_owned(), "check".to_owned()]));
}
