//! The indicators of a file in JSON, whatever its shape. It knows words for ids, names and lists, and no format of any one publisher.
//!
//! The file is walked whole. Where indicators stand (the file's own list, and what is called by a word of [`LISTS`]), an entry that
//! names no client refuses the file. Anywhere else every text that looks like a client id is an indicator all the same, and a text of
//! a list or a name without an id beside it is not understood, which is told: it may be what was to be looked for, or an author.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

use super::{IDS, Kind, NAMES, Raw, Unreadable, Written, ids_within, is_id, is_stytchs, labelled, of_text, plain};

/// A value. Of an object that says one key twice both stay: `serde_json`'s own would keep the last.
enum Json {
    Null,
    /// A number, `true` or `false`: no text.
    Plain,
    Text(String),
    List(Vec<Json>),
    Object(Vec<(String, Json)>),
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = Json;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("JSON")
            }
            fn visit_unit<E>(self) -> Result<Json, E> {
                Ok(Json::Null)
            }
            fn visit_bool<E>(self, _: bool) -> Result<Json, E> {
                Ok(Json::Plain)
            }
            fn visit_i64<E>(self, _: i64) -> Result<Json, E> {
                Ok(Json::Plain)
            }
            fn visit_u64<E>(self, _: u64) -> Result<Json, E> {
                Ok(Json::Plain)
            }
            fn visit_f64<E>(self, _: f64) -> Result<Json, E> {
                Ok(Json::Plain)
            }
            fn visit_str<E>(self, text: &str) -> Result<Json, E> {
                Ok(Json::Text(text.to_owned()))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut from: A) -> Result<Json, A::Error> {
                let mut list = Vec::new();
                while let Some(value) = from.next_element()? {
                    list.push(value);
                }
                Ok(Json::List(list))
            }
            fn visit_map<A: MapAccess<'de>>(self, mut from: A) -> Result<Json, A::Error> {
                let mut object = Vec::new();
                while let Some(pair) = from.next_entry()? {
                    object.push(pair);
                }
                Ok(Json::Object(object))
            }
        }
        from.deserialize_any(Any)
    }
}

/// What lists of indicators are called, in any case; `objects` is STIX's word.
const LISTS: [&str; 16] = [
    "indicators",
    "iocs",
    "clients",
    "connected_apps",
    "apps",
    "applications",
    "malicious_clients",
    "malicious_apps",
    "oauth_clients",
    "oauth_apps",
    "objects",
    "client",
    "connected_app",
    "app",
    "application",
    "ioc",
];
/// Lists that tell of the advisory and name no app: only what looks like an id counts in them.
const ASIDE: [&str; 8] = [
    "tags",
    "labels",
    "references",
    "external_references",
    "indicator_types",
    "kill_chain_phases",
    "scopes",
    "authors",
];
/// Objects of STIX that tell of the advisory: their names are nobody's app.
const ABOUT: [&str; 10] = [
    "bundle",
    "identity",
    "report",
    "grouping",
    "note",
    "opinion",
    "relationship",
    "sighting",
    "marking-definition",
    "extension-definition",
];

/// What a text at a place is.
#[derive(Clone, Copy, PartialEq)]
enum Place {
    /// An indicator.
    Of(Kind),
    /// An indicator, if it looks like an id; otherwise nobody can say.
    Unsaid,
    /// An indicator, if it looks like an id; otherwise it tells of the advisory.
    Aside,
}

/// Which of a list names no client, from 1, where it is one of a list.
struct Nothing(Option<u64>);

struct Walk<'a> {
    line: Option<u64>,
    found: &'a mut Raw,
    not_understood: &'a mut Vec<Written>,
}

/// Reads a file of JSON, or of JSON a line.
pub(super) fn read(text: &str, not_understood: &mut Vec<Written>) -> Result<Raw, Unreadable> {
    let mut found = Vec::new();
    match serde_json::from_str::<Json>(text) {
        Ok(whole) => {
            let mut walk = Walk { line: None, found: &mut found, not_understood };
            let refused = |Nothing(entry)| Unreadable::NotAList { line: None, entry };
            match &whole {
                Json::Object(object) => walk.object(object, Place::Of(Kind::Any), true),
                other => walk.value(other, Place::Of(Kind::Any)),
            }
            .map_err(refused)?;
        }
        Err(broken) => {
            let lines = || text.lines().zip(1..).filter(|(line, _)| !line.trim().is_empty());
            // One a line, if at least the first line is one by itself; else the place where it breaks off is the one to look at.
            let first = lines().next().and_then(|(line, _)| serde_json::from_str::<Json>(line).ok());
            if first.is_none() || lines().count() < 2 {
                return Err(Unreadable::NotAList { line: Some(broken.line() as u64), entry: None });
            }
            for (line, n) in lines() {
                let refused = |entry| Unreadable::NotAList { line: Some(n), entry };
                let value = serde_json::from_str(line).map_err(|_| refused(None))?;
                let mut walk = Walk { line: Some(n), found: &mut found, not_understood: &mut *not_understood };
                walk.value(&value, Place::Of(Kind::Any)).map_err(|Nothing(entry)| refused(entry))?;
            }
        }
    }
    Ok(found)
}

impl Walk<'_> {
    fn value(&mut self, value: &Json, place: Place) -> Result<(), Nothing> {
        match value {
            Json::Text(text) => self.text(text, place),
            Json::Object(object) => return self.object(object, place, false),
            Json::List(list) => {
                for (entry, n) in list.iter().zip(1..) {
                    let before = self.read();
                    self.value(entry, place).map_err(|_| Nothing(Some(n)))?;
                    if place == Place::Unsaid && before == self.read() && matches!(entry, Json::Object(_)) {
                        self.lost(&texts(entry).join(", "));
                    }
                }
            }
            Json::Null | Json::Plain if matches!(place, Place::Of(_)) => return Err(Nothing(None)),
            Json::Null | Json::Plain => {}
        }
        Ok(())
    }

    /// An entry, or what holds a list of them: `whole` is the object that is the file, whose name may be the advisory's.
    fn object(&mut self, object: &[(String, Json)], place: Place, whole: bool) -> Result<(), Nothing> {
        let before = self.read();
        let word = |wanted: &str| {
            object.iter().find_map(|(key, value)| match value {
                Json::Text(text) if key.eq_ignore_ascii_case(wanted) => Some(text.as_str()),
                _ => None,
            })
        };
        let stix = word("type").filter(|kind| word("id").is_some_and(|id| of_stix(id) == Some(*kind)));
        let about = stix.is_some_and(|kind| ABOUT.contains(&kind));
        let (mut own, mut names, mut listed, mut has_id) = (Vec::new(), Vec::new(), false, false);
        for (key, value) in object.iter().filter(|(_, value)| !matches!(value, Json::Null)) {
            if surely(key) {
                self.push(Kind::Id, key);
                has_id = true;
            }
            let word = key.to_ascii_lowercase().replace([' ', '-'], "_");
            let is_list = matches!(value, Json::List(_));
            match (called(key), word.trim_matches('_')) {
                (Some(Kind::Id), "id") => own.push(value),
                (Some(Kind::Id), _) => {
                    has_id = true;
                    self.value(value, Place::Of(Kind::Id))?;
                }
                (Some(_), _) => names.push(value),
                (None, "type") if matches!(value, Json::Text(text) if !surely(text)) => {}
                (None, "value" | "indicator") if !matches!(value, Json::Plain) => {
                    let kind = object.iter().find_map(|(key, value)| match value {
                        Json::Text(text) if key.eq_ignore_ascii_case("type") => called(text),
                        _ => None,
                    });
                    self.value(value, kind.map_or(place, Place::Of))?;
                }
                (None, "pattern") if matches!(value, Json::Text(_)) => {
                    let Json::Text(pattern) = value else { continue };
                    self.pattern(pattern);
                }
                (None, word) if LISTS.contains(&word) && !matches!(value, Json::Plain) => {
                    listed |= is_list;
                    self.value(value, Place::Of(Kind::Any))?;
                }
                (None, word) if word.ends_with("_ref") || word.ends_with("_refs") => {
                    // What one object of STIX says of another names no client.
                    for text in texts(value).into_iter().filter(|text| of_stix(text).is_none()) {
                        self.text(text, Place::Unsaid);
                    }
                }
                (None, word) => {
                    let before = self.found.len();
                    let aside = matches!(value, Json::Text(_)) || place == Place::Aside || ASIDE.contains(&word);
                    self.value(value, if aside { Place::Aside } else { Place::Unsaid })?;
                    listed |= is_list && self.found.len() > before;
                }
            }
        }
        has_id |= self.found.len() > before.0;
        // Beside what names a client, or a list, an `id` that looks like none is that of the entry.
        let id_of_app =
            |value: &Json| matches!(value, Json::Text(text) if is_id(&plain(text)) && of_stix(text).is_none());
        let title =
            whole && listed && !object.iter().any(|(key, _)| is_client(key)) && !own.iter().any(|id| id_of_app(id));
        for value in own {
            match value {
                Json::Text(text) if stix.is_some() && of_stix(text).is_some() => {}
                Json::Text(text) if !is_id(&plain(text)) && (has_id || whole && listed) => {}
                Json::Plain if has_id => {}
                value => self.value(value, if let Place::Of(_) = place { Place::Of(Kind::Id) } else { place })?,
            }
        }
        let named = match place {
            Place::Of(_) if title || about => Place::Aside,
            Place::Of(_) => Place::Of(Kind::Name),
            Place::Unsaid if has_id => Place::Of(Kind::Name),
            other => other,
        };
        for value in names {
            self.value(value, named)?;
        }
        let nothing = before == self.read() && !listed && !about;
        if nothing && matches!(place, Place::Of(_)) { Err(Nothing(None)) } else { Ok(()) }
    }

    fn text(&mut self, text: &str, place: Place) {
        match place {
            Place::Of(kind) => {
                let read = of_text(kind, text);
                if read.is_empty() {
                    self.lost(text);
                }
                for (kind, read) in read {
                    self.found.push((kind, read, Written { line: self.line, text: text.to_owned() }));
                }
            }
            Place::Unsaid | Place::Aside => {
                let ids = ids_within(text);
                if ids.is_empty() && place == Place::Unsaid && !text.trim().is_empty() {
                    self.lost(text);
                }
                for id in ids {
                    self.push(Kind::Id, &id);
                }
            }
        }
    }

    /// A pattern of STIX: what it compares with stands between single quotes.
    fn pattern(&mut self, pattern: &str) {
        let before = self.found.len();
        let unescaped = pattern.replace("\\'", "\0");
        for literal in unescaped.split('\'').skip(1).step_by(2) {
            self.text(&literal.replace('\0', "'"), Place::Of(Kind::Any));
        }
        // And every id, should the quotes not be what they seem.
        self.text(pattern, Place::Aside);
        if before == self.found.len() {
            self.lost(pattern);
        }
    }

    fn push(&mut self, kind: Kind, text: &str) {
        self.found.push((kind, text.to_owned(), Written { line: self.line, text: text.to_owned() }));
    }

    fn lost(&mut self, text: &str) {
        self.not_understood.push(Written { line: self.line, text: text.to_owned() });
    }

    /// How much was read so far, or told as not understood.
    fn read(&self) -> (usize, usize) {
        (self.found.len(), self.not_understood.len())
    }
}

/// What a key says of its value; with a word before it too (`oauth_client_id`), and of more than one.
fn called(key: &str) -> Option<Kind> {
    let word: String = key.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
    let ends = |words: &[&str]| {
        let mut words = words.iter().map(|word| word.replace('_', ""));
        words.any(|end| word == end || word.strip_suffix('s') == Some(&end) || end.len() > 4 && is_end(&word, &end))
    };
    labelled(key).or_else(|| if ends(&IDS) { Some(Kind::Id) } else { ends(&NAMES).then_some(Kind::Name) })
}

fn is_end(word: &str, end: &str) -> bool {
    word.ends_with(end) || word.strip_suffix('s').is_some_and(|word| word.ends_with(end))
}

/// Whether a key is a word for a client's id, and not for whatever an `id` is of.
fn is_client(key: &str) -> bool {
    called(key) == Some(Kind::Id) && !key.eq_ignore_ascii_case("id")
}

/// Whether a key can only be an id. A word like `oauth2_client_ids` has a digit too.
fn surely(key: &str) -> bool {
    is_id(key) && (is_stytchs(key) || key.chars().filter(char::is_ascii_digit).count() >= 4)
}

/// The type in an id of STIX, which is a word, two hyphens and a UUID.
fn of_stix(id: &str) -> Option<&str> {
    let (kind, uuid) = id.split_once("--")?;
    let hex = uuid.len() == 36 && uuid.chars().all(|c| c.is_ascii_hexdigit() || c == '-');
    (hex && !is_stytchs(id)).then_some(kind)
}

fn texts(value: &Json) -> Vec<&str> {
    match value {
        Json::Text(text) => vec![text],
        Json::List(list) => list.iter().flat_map(texts).collect(),
        Json::Object(object) => object.iter().flat_map(|(_, value)| texts(value)).collect(),
        Json::Null | Json::Plain => Vec::new(),
    }
}
