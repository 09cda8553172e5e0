//! What the page may do: text, attributes and cloned templates. No sink for markup, no inline script or style, nothing from
//! elsewhere, one door to the shell.

use serde_json::Value;

use crate::source;

/// What a script of the page must not contain, with what it is.
const SINKS: &[(&str, &str)] = &[
    ("innerHTML", "a sink for markup"),
    ("outerHTML", "a sink for markup"),
    ("insertAdjacentHTML", "a sink for markup"),
    ("setHTML", "a sink for markup"),
    ("document.write", "a sink for markup"),
    ("createContextualFragment", "a sink for markup"),
    ("DOMParser", "a sink for markup"),
    ("parseFromString", "a sink for markup"),
    ("srcdoc", "a sink for markup"),
    ("eval(", "code from text"),
    ("new Function", "code from text"),
    ("Function(", "code from text"),
    ("setTimeout(\"", "code from text"),
    ("setInterval(\"", "code from text"),
    ("javascript:", "code from text"),
    ("cssText", "style from text"),
    ("insertRule", "style from text"),
    ("localStorage", "state that outlives the window"),
    ("sessionStorage", "state that Rust owns"),
    ("indexedDB", "state that outlives the window"),
    ("document.cookie", "state that outlives the window"),
    ("fetch(", "a call that is not the shell's"),
    ("XMLHttpRequest", "a call that is not the shell's"),
    ("WebSocket", "a call that is not the shell's"),
    ("EventSource", "a call that is not the shell's"),
    ("sendBeacon", "a call that is not the shell's"),
    ("window.open", "a window of its own"),
    ("importScripts", "code from elsewhere"),
];

fn sinks(js: &str) -> Vec<String> {
    let code = source::js_code(js);
    let mut found = Vec::new();
    for (what, why) in SINKS {
        for (at, _) in code.match_indices(what) {
            // As the end of a longer name it is another function.
            let before = &code[..at];
            if before.ends_with(|c: char| c.is_alphanumeric() || c == '_') {
                continue;
            }
            // An object's own method of that name is not the window's, and neither is its declaration.
            let line = before.rsplit('\n').next().unwrap_or_default();
            let of_the_window = ["window.", "globalThis.", "self."].iter().any(|object| before.ends_with(object));
            let declared = code[at..].lines().next().is_some_and(|line| line.trim_end().ends_with('{'))
                && ["", "async", "static", "static async"].contains(&line.trim());
            if what.ends_with('(') && !of_the_window && (before.ends_with('.') || declared) {
                continue;
            }
            found.push(format!("line {}: {what} ({why})", source::line(&code, at)));
        }
    }
    for (at, _) in code.match_indices("setAttribute(") {
        let name: String =
            code[at + 13..].trim_start_matches(['"', '\'', '`']).chars().take_while(|c| c.is_alphanumeric()).collect();
        let literal = code[at + 13..].starts_with(['"', '\'', '`']);
        if literal && (name == "style" || name.to_lowercase().starts_with("on")) {
            found.push(format!("line {}: setAttribute of {name}", source::line(&code, at)));
        }
    }
    for (at, _) in code.match_indices("import(") {
        found.push(format!("line {}: import() of what is not known beforehand", source::line(&code, at)));
    }
    for (at, _) in code.match_indices(" from \"").chain(code.match_indices(" from '")) {
        if !code[at + 7..].starts_with("./") && !code[at + 7..].starts_with("../") {
            found.push(format!("line {}: import of what does not lie beside", source::line(&code, at)));
        }
    }
    found
}

/// What a document of the page must not contain.
fn document_faults(html: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = html;
    let mut text = String::new();
    // Comments are no markup.
    while let Some(start) = rest.find("<!--") {
        text.push_str(&rest[..start]);
        rest = rest[start..].split_once("-->").map_or("", |(_, after)| after);
    }
    text.push_str(rest);
    let lower = text.to_lowercase();
    for (at, _) in lower.match_indices('<') {
        let end = lower[at..].find('>').map_or(lower.len(), |end| at + end);
        let tag = &lower[at + 1..end];
        let name: String = tag.chars().take_while(|c| c.is_alphanumeric()).collect();
        let here = |what: &str| {
            format!("line {}: {what}: <{}>", source::line(&lower, at), tag.chars().take(60).collect::<String>())
        };
        match name.as_str() {
            "script" if !tag.contains(" src=") => found.push(here("an inline script")),
            "style" => found.push(here("an inline style")),
            "iframe" | "object" | "embed" | "base" | "frame" | "applet" => found.push(here("a foreign document")),
            _ => {}
        }
        for attribute in tag.split_whitespace().skip(1) {
            let (key, value) = attribute.split_once('=').unwrap_or((attribute, ""));
            let value = value.trim_matches(['"', '\'', '/']);
            if key == "style" {
                found.push(here("a style attribute"));
            }
            if key.starts_with("on") && attribute.contains('=') {
                found.push(here("an event handler"));
            }
            let leads =
                ["src", "href", "action", "srcset", "data", "poster", "formaction", "xlink:href"].contains(&key);
            let raw = attribute.split_once('=').map_or("", |(_, value)| value.trim_matches(['"', '\'']));
            if leads && (value.contains(':') || raw.starts_with("//")) {
                found.push(here("an address elsewhere"));
            }
        }
    }
    found
}

fn style_faults(css: &str) -> Vec<String> {
    let code = source::js_code(css);
    let mut found = Vec::new();
    for what in ["@import", "http:", "https:", "url(//", "url(\"//", "url('//", "expression(", "javascript:"] {
        for (at, _) in code.match_indices(what) {
            found.push(format!("line {}: {what}", source::line(&code, at)));
        }
    }
    found
}

fn over(ends: &str, check: impl Fn(&str) -> Vec<String>) -> Vec<String> {
    source::files("ui", &[ends])
        .into_iter()
        .flat_map(|(path, text)| {
            check(&text).into_iter().map(move |found| format!("{path}, {found}")).collect::<Vec<_>>()
        })
        .collect()
}

#[test]
fn no_script_of_the_page_has_a_sink() {
    source::none("sinks in ui/", &over(".js", sinks));
    let bad = "a.innerHTML = x;\nel.setAttribute(\"onclick\", y); el.setAttribute('style', z);\nimport(x); eval(y); new Function(z);\nimport a from \"https://x\"; fetch(u); // b.outerHTML\nprefetch(u); document.write(x)\nthis.fetch(u)\n  async fetch(u) {\n return window.fetch(u)";
    let found = sinks(bad);
    for what in
        ["innerHTML", "onclick", "style", "import()", "eval(", "new Function", "beside", "fetch(", "document.write"]
    {
        assert!(found.iter().any(|line| line.contains(what)), "{what}: {found:#?}");
    }
    assert!(!found.iter().any(|line| line.contains("outerHTML")), "a comment is no code: {found:#?}");
    assert_eq!(found.iter().filter(|line| line.contains("fetch(")).count(), 2, "{found:#?}");
}

#[test]
fn no_document_of_the_page_has_anything_inline_or_from_elsewhere() {
    source::none("in the page's documents", &over(".html", document_faults));
    let bad = "<script>x</script><div style=\"a\"><p onclick=\"x()\"><img src=\"https://x/y\"><link href=//x/y><style>b</style><iframe src=x></iframe><!-- <script>no</script> --><a href=\"javascript:x\"><input placeholder=\"https://\">";
    let found = document_faults(bad);
    assert_eq!(found.len(), 8, "{found:#?}");
}

#[test]
fn no_style_of_the_page_loads_anything() {
    source::none("in the page's styles", &over(".css", style_faults));
    assert_eq!(style_faults("@import 'x'; a { background: url(https://x/y) } /* https: */").len(), 2);
}

#[test]
fn one_file_touches_the_shell() {
    let touching: Vec<String> = source::files("ui", &[".js", ".html"])
        .into_iter()
        .filter(|(_, text)| source::js_code(text).contains("__TAURI"))
        .map(|(path, _)| path)
        .collect();
    assert_eq!(touching, ["ui/bridge.js"]);
}

/// What a content security policy lets in that it must not.
fn policy_faults(policy: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut default_is_none = false;
    for directive in policy.split(';').map(str::trim).filter(|directive| !directive.is_empty()) {
        let mut words = directive.split_whitespace();
        let name = words.next().unwrap_or_default();
        let sources: Vec<&str> = words.collect();
        default_is_none |= name == "default-src" && sources == ["'none'"];
        for source in sources {
            let allowed = match source {
                "'none'" | "'self'" => true,
                "data:" => name == "img-src",
                // The shell's own doors, on the platforms that have no scheme of their own for them.
                "ipc:" | "http://ipc.localhost" => name == "connect-src",
                _ => false,
            };
            if !allowed {
                found.push(format!("{name} lets in {source}"));
            }
        }
    }
    if !default_is_none {
        found.push("default-src is not 'none'".to_owned());
    }
    for needed in ["base-uri", "form-action", "frame-ancestors", "object-src"] {
        if !policy.split(';').any(|directive| directive.trim() == format!("{needed} 'none'")) {
            found.push(format!("{needed} is not 'none'"));
        }
    }
    found
}

#[test]
fn the_policy_lets_nothing_in_from_elsewhere() {
    let config: Value = serde_json::from_str(&source::file("src-tauri/tauri.conf.json")).expect("JSON");
    let security = &config["app"]["security"];
    source::none(
        "the content security policy",
        &policy_faults(security["csp"].as_str().expect("a policy in one text")),
    );
    assert_eq!(security["freezePrototype"], true);
    for looser in ["devCsp", "dangerousDisableAssetCspModification", "assetProtocol", "headers", "pattern"] {
        assert!(security.get(looser).is_none(), "{looser} would loosen it");
    }
    assert!(config["build"].get("devUrl").is_none(), "a plain `cargo run` embeds ui/");
    assert_eq!(config["build"]["frontendDist"], "../ui");
    assert!(config.get("plugins").is_none(), "no plugin brings commands of its own");
    let windows = config["app"]["windows"].as_array().expect("windows");
    assert!(windows.iter().all(|window| window.get("url").is_none()), "the window shows ui/index.html");

    let bad = "default-src 'self'; script-src 'self' 'unsafe-inline' https://cdn.example; img-src *; connect-src data:";
    assert_eq!(policy_faults(bad).len(), 9, "{:#?}", policy_faults(bad));
}
