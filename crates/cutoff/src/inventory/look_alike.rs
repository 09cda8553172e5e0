//! Which clients look alike, and which of them is odd. It flags; it never counts an odd one in by itself.
//!
//! Three things are taken from a name. Its *look* is what a hurried reader sees: case, spacing and what cannot be seen
//! ignored, letters that look the same made the same (the skeleton of UTS 39). Its *plain form* is what is really written:
//! only case and spacing ignored. Its *outline* is the skeleton of the letters as they are cased, because some letters only
//! look the same in capitals (Cyrillic Н and Latin H, capital i and small L). Apps of one look and one plain form belong
//! together; one look or one outline with another plain form is an imitation.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use sha2::{Digest, Sha256};
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;
use unicode_script::{Script, UnicodeScript};
use unicode_security::confusable_detection::skeleton;

use super::picture::{App, Picture, u32_of};

/// Several clients of one look and one type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Stays the same as long as the look and the type do.
    pub id: String,
    /// Indices of its apps, two or more, in the picture's order.
    pub apps: Vec<u32>,
}

/// Why an app is flagged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Oddity {
    /// What is odd.
    pub kind: OddKind,
    /// What exactly.
    pub detail: String,
    /// Index of the group beside which it is odd.
    pub beside: Option<u32>,
}

/// What is odd about an app.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OddKind {
    /// A letter of another script that looks the same.
    Confusable,
    /// Characters that cannot be seen.
    Invisible,
    /// Characters that reorder the text.
    Bidi,
    /// The look of a group, and another client type.
    OtherType,
    /// The look and type of a group, and a scope that no other in it has and that is wider.
    WiderScopes,
}

impl OddKind {
    /// The word for it in files, on the wire and on the command line.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Confusable => "confusable",
            Self::Invisible => "invisible",
            Self::Bidi => "bidi",
            Self::OtherType => "other_type",
            Self::WiderScopes => "wider_scopes",
        }
    }
}

/// Fills in the picture's groups, and for each app its group and why it is flagged.
pub fn apply(picture: &mut Picture) {
    let (groups, odd) = groups(picture);
    for (app, odd) in picture.apps.iter_mut().zip(odd) {
        app.group = None;
        app.odd = odd;
    }
    for (at, group) in groups.iter().enumerate() {
        for &app in &group.apps {
            picture.apps[app as usize].group = Some(u32_of(at));
        }
    }
    picture.groups = groups;
}

/// The groups, in the order of their first apps, and for each app why it is flagged. An app that is flagged is in no group.
/// Which apps make a group does not depend on the order of the apps.
#[must_use]
pub fn groups(picture: &Picture) -> (Vec<Group>, Vec<Vec<Oddity>>) {
    let mut letters = Letters::new();
    let mut names: HashMap<&str, Name<'_>> = HashMap::new();
    for app in &picture.apps {
        names.entry(&app.name).or_insert_with(|| Name::read(&app.name, &mut letters));
    }
    let mut sorting = Sorting {
        picture,
        names: picture.apps.iter().map(|app| &names[app.name.as_str()]).collect(),
        odd: picture.apps.iter().map(|_| Vec::new()).collect(),
    };
    sorting.flag_what_is_odd_alone();
    let looks = sorting.looks();
    for apps in looks.values() {
        sorting.flag_other_forms(apps);
    }
    sorting.flag_shared_outlines();
    sorting.group(&looks)
}

/// An oddity on its way: groups have no numbers yet, and a look has one group at most, so what it is beside is told by look.
struct Flag<'a> {
    kind: OddKind,
    detail: String,
    beside: &'a str,
}

struct Sorting<'a> {
    picture: &'a Picture,
    /// By app.
    names: Vec<&'a Name<'a>>,
    /// By app.
    odd: Vec<Vec<Flag<'a>>>,
}

/// Apps that are compared as one: one plain form, or one client type.
struct Side<'a> {
    key: &'a str,
    apps: Vec<u32>,
    grants: usize,
    strangeness: u32,
}

impl<'a> Sorting<'a> {
    fn app(&self, app: u32) -> &'a App {
        &self.picture.apps[app as usize]
    }

    fn name(&self, app: u32) -> &'a Name<'a> {
        self.names[app as usize]
    }

    fn is_flagged(&self, app: u32) -> bool {
        !self.odd[app as usize].is_empty()
    }

    fn flag(&mut self, app: u32, kind: OddKind, detail: String, beside: &'a str) {
        let flags = &mut self.odd[app as usize];
        // Seen from two sides it is still one oddity.
        if flags.iter().all(|flag| flag.kind != kind) {
            flags.push(Flag { kind, detail, beside });
        }
    }

    /// Invisible and bidi characters are odd on any app, whatever stands beside it.
    fn flag_what_is_odd_alone(&mut self) {
        for app in 0..u32_of(self.names.len()) {
            let name = self.name(app);
            if !name.bidi.is_empty() {
                self.flag(app, OddKind::Bidi, name.bidi.clone(), &name.look);
            }
            if !name.invisible.is_empty() {
                self.flag(app, OddKind::Invisible, name.invisible.clone(), &name.look);
            }
        }
    }

    /// The looks that several apps have, with the apps in the picture's order.
    fn looks(&self) -> BTreeMap<&'a str, Vec<u32>> {
        // Hashed first, sorted once most are gone: nearly every name is one of its kind.
        let mut looks: HashMap<&str, Vec<u32>> = HashMap::with_capacity(self.names.len());
        for app in 0..u32_of(self.names.len()) {
            if !self.name(app).look.is_empty() {
                looks.entry(&self.name(app).look).or_default().push(app);
            }
        }
        looks.into_iter().filter(|(_, apps)| apps.len() > 1).collect()
    }

    /// The plain forms of the apps of one look that are not flagged, the one that counts first.
    fn forms(&self, apps: &[u32]) -> Vec<Side<'a>> {
        let mut forms: BTreeMap<&str, Vec<u32>> = BTreeMap::new();
        for &app in apps.iter().filter(|&&app| !self.is_flagged(app)) {
            forms.entry(&self.name(app).plain).or_default().push(app);
        }
        self.sides(forms)
    }

    /// Names of one look that are written with other letters.
    fn flag_other_forms(&mut self, apps: &[u32]) {
        let forms = self.forms(apps);
        self.flag_imitations(&forms);
    }

    /// Names of different looks that have one outline: "Нubspot" with a Cyrillic Н, "CIaude" with a capital i.
    fn flag_shared_outlines(&mut self) {
        let mut outlines: HashMap<(Outline, &str), Vec<u32>> = HashMap::with_capacity(self.names.len() * 2);
        for app in (0..u32_of(self.names.len())).filter(|&app| !self.is_flagged(app)) {
            let name = self.name(app);
            if !name.look.is_empty() {
                for outline in name.outlines() {
                    outlines.entry(outline).or_default().push(app);
                }
            }
        }
        let several = |apps: &[u32]| apps.iter().any(|&app| self.name(app).look != self.name(apps[0]).look);
        let outlines: BTreeMap<(Outline, &str), Vec<u32>> =
            outlines.into_iter().filter(|(_, apps)| several(apps)).collect();
        for apps in outlines.into_values() {
            let mut looks: BTreeMap<&str, Vec<u32>> = BTreeMap::new();
            for app in apps {
                looks.entry(&self.name(app).look).or_default().push(app);
            }
            let sides = self.sides(looks);
            self.flag_imitations(&sides);
        }
    }

    fn group(mut self, looks: &BTreeMap<&'a str, Vec<u32>>) -> (Vec<Group>, Vec<Vec<Oddity>>) {
        let mut found: Vec<(&str, Group)> = Vec::new();
        for (look, apps) in looks {
            if let Some((client_type, apps)) = self.sort_one_look(look, apps) {
                found.push((look, Group { id: group_id(look, client_type), apps }));
            }
        }
        found.sort_by_key(|(_, group)| group.apps[0]);
        let of_look: HashMap<&str, u32> = found.iter().enumerate().map(|(at, (look, _))| (*look, u32_of(at))).collect();
        let settle =
            |flag: Flag| Oddity { kind: flag.kind, detail: flag.detail, beside: of_look.get(flag.beside).copied() };
        let odd = self.odd.into_iter().map(|flags| flags.into_iter().map(settle).collect()).collect();
        (found.into_iter().map(|(_, group)| group).collect(), odd)
    }

    /// The client type and the apps of a look's group, if it has one. Those of another type and those with wider scopes are
    /// flagged on the way.
    fn sort_one_look(&mut self, look: &'a str, apps: &[u32]) -> Option<(&'a str, Vec<u32>)> {
        let form = self.forms(apps).into_iter().next()?;
        let mut types: BTreeMap<&str, Vec<u32>> = BTreeMap::new();
        for &app in &form.apps {
            types.entry(&self.app(app).client_type).or_default().push(app);
        }
        let types = self.sides(types);
        let (first, others) = types.split_first()?;
        // One app of each type: which of them is the other cannot be said, and there is no group to be beside.
        if first.apps.len() > 1 {
            for (side, &app) in others.iter().flat_map(|side| side.apps.iter().map(move |app| (side, app))) {
                self.flag(app, OddKind::OtherType, side.key.to_owned(), look);
            }
        }
        let wider = self.wider_scopes(&first.apps);
        let kept: Vec<u32> = first.apps.iter().copied().filter(|app| !wider.contains_key(app)).collect();
        for (app, scope) in wider {
            self.flag(app, OddKind::WiderScopes, scope, look);
        }
        (kept.len() > 1).then_some((first.key, kept))
    }

    /// The sides in order: the one that the others are measured against comes first.
    fn sides(&self, sides: impl IntoIterator<Item = (&'a str, Vec<u32>)>) -> Vec<Side<'a>> {
        let mut sides: Vec<Side<'a>> = sides
            .into_iter()
            .map(|(key, apps)| Side {
                key,
                grants: apps.iter().map(|&app| self.picture.grants_of_app(app).len()).sum(),
                strangeness: apps.iter().map(|&app| self.name(app).strangeness()).min().unwrap_or(0),
                apps,
            })
            .collect();
        let several = sides.iter().any(|side| side.apps.len() > 1);
        // Among several, most clients and then most grants tell which is the one people know. Where every side is a single
        // client there is no majority, and an imitation may well have collected more grants: then the writing decides.
        sides.sort_by(|a, b| {
            let counted = b.apps.len().cmp(&a.apps.len()).then(b.grants.cmp(&a.grants));
            let written = a.strangeness.cmp(&b.strangeness);
            if several { counted.then(written) } else { written.then(counted) }.then(a.key.cmp(b.key))
        });
        sides
    }

    /// Flags every side but the first, where the first can be told from them.
    fn flag_imitations(&mut self, sides: &[Side<'a>]) {
        let Some((first, others)) = sides.split_first() else { return };
        // Of several ways to write the first side, always the same one, whatever the order of the list.
        let Some(model) = first.apps.iter().map(|&app| self.name(app)).min_by_key(|name| &name.plain) else { return };
        for side in others {
            // Single clients, equally plain and with as many grants: whichever was flagged might be the real one.
            let undecided = first.apps.len() == 1
                && side.apps.len() == 1
                && (first.strangeness, first.grants) == (side.strangeness, side.grants);
            for &app in &side.apps {
                let name = self.name(app);
                let only_unseen = name.without_unseen().eq(model.without_unseen());
                if undecided || (only_unseen && first.apps.len() == 1) {
                    continue;
                }
                let kind = if only_unseen { OddKind::Invisible } else { OddKind::Confusable };
                self.flag(app, kind, name.difference(model), &model.look);
            }
        }
    }

    /// Of apps of one look and type, those that are wider than most and have a scope that none of the others has, with that
    /// scope. "Most" is the median (of an even number the lower one) of those that have scopes at all.
    fn wider_scopes(&self, apps: &[u32]) -> BTreeMap<u32, String> {
        let mut wider = BTreeMap::new();
        if apps.len() < 2 {
            return wider;
        }
        let mut levels: Vec<(u32, u8)> = Vec::new();
        for &app in apps {
            let sets = self.scope_sets(app);
            if let Some(level) = sets.iter().map(|&set| self.picture.scope_sets[set as usize].width.level).max() {
                levels.push((app, level));
            }
        }
        let mut sorted: Vec<u8> = levels.iter().map(|&(_, level)| level).collect();
        sorted.sort_unstable();
        let Some(&usual) = sorted.get(sorted.len().saturating_sub(1) / 2) else { return wider };
        if sorted.last() == Some(&usual) {
            return wider;
        }
        let mut known: BTreeSet<&str> = BTreeSet::new();
        for &(app, _) in levels.iter().filter(|&&(_, level)| level <= usual) {
            for set in self.scope_sets(app) {
                known.extend(self.picture.scope_sets[set as usize].scopes.iter().map(String::as_str));
            }
        }
        for &(app, _) in levels.iter().filter(|&&(_, level)| level > usual) {
            let sets = self.scope_sets(app);
            let sets = || sets.iter().map(|&set| &self.picture.scope_sets[set as usize]);
            // The scope that made it wide, if that is one the others lack; else one they lack. Of several always the same.
            let widest = || sets().filter(|set| set.width.level > usual).map(|set| &set.width.scope);
            let lacking = || sets().flat_map(|set| &set.scopes);
            let unknown = |scope: &&String| !known.contains(scope.as_str());
            if let Some(scope) = widest().filter(unknown).min().or_else(|| lacking().filter(unknown).min()) {
                wider.insert(app, scope.clone());
            }
        }
        wider
    }

    /// The sets of scopes that occur among an app's grants, each once.
    fn scope_sets(&self, app: u32) -> BTreeSet<u32> {
        self.picture.grants_of_app(app).iter().map(|grant| grant.scopes).collect()
    }
}

/// Says of names whether they look alike, by look or outline, and remembers what it took from each.
pub struct Likenesses {
    letters: Letters,
    known: HashMap<String, Option<[String; 3]>>,
}

impl Default for Likenesses {
    fn default() -> Self {
        Self { letters: Letters::new(), known: HashMap::new() }
    }
}

impl Likenesses {
    /// What a name is compared by. Two look alike when they have the same text in one of the three places; a name of which
    /// nothing can be seen has none, and looks like no other.
    pub fn keys(&mut self, name: &str) -> Option<[String; 3]> {
        if let Some(keys) = self.known.get(name) {
            return keys.clone();
        }
        let read = Name::read(name, &mut self.letters);
        let [cased, settled] = read.outlines().map(|(_, outline)| outline.to_owned());
        let keys = (!read.look.is_empty()).then_some([read.look, cased, settled]);
        self.known.insert(name.to_owned(), keys.clone());
        keys
    }

    /// Whether two names look alike.
    pub fn alike(&mut self, one: &str, other: &str) -> bool {
        let keys = self.keys(one).zip(self.keys(other));
        keys.is_some_and(|(one, other)| one.iter().zip(&other).any(|(one, other)| one == other))
    }
}

fn group_id(look: &str, client_type: &str) -> String {
    let digest = Sha256::new().chain_update(look).chain_update("\n").chain_update(client_type).finalize();
    digest[..8].iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What is taken from a name.
struct Name<'a> {
    text: &'a str,
    look: String,
    plain: String,
    /// The skeleton, with the case of its letters.
    outline: String,
    /// The same with Latin letters small, then settled; `None`: as the look.
    shape: Option<String>,
    /// Characters that cannot be seen and have no business where they stand, in words.
    invisible: String,
    /// The same for those that reorder text.
    bidi: String,
    /// How much this is written as an imitation would be, 0: plain. Asked for few names, and kept for those.
    strangeness: OnceCell<u32>,
}

impl<'a> Name<'a> {
    fn read(text: &'a str, letters: &mut Letters) -> Self {
        let (invisible, bidi) = misplaced(text);
        let strangeness = OnceCell::new();
        if text.is_ascii() {
            let (mut look, mut outline) = (String::with_capacity(text.len()), String::with_capacity(text.len()));
            for c in text.chars().filter(|c| !c.is_whitespace() && !c.is_control()) {
                let letter = letters.of(c);
                look.push_str(&letter.look);
                outline.push_str(&letter.bones);
            }
            let mut plain = text.to_ascii_lowercase();
            plain.retain(|c| !c.is_whitespace());
            return Self { text, look, plain, outline, shape: None, invisible, bidi, strangeness };
        }
        let plain = written(text).map(|(low, _)| low).collect();
        let bare: String = text.chars().filter(|&c| !unseen(c) && !c.is_control()).collect();
        let bare: String = bare.nfkc().filter(|&c| !c.is_whitespace() && !unseen(c)).collect();
        let (look, outline, shape) = if bare.chars().any(is_combining_mark) {
            // Marks may change places with each other, so the letters cannot be taken one by one.
            let low: String = bare.chars().flat_map(lower).collect();
            let latin_low = bare.to_ascii_lowercase();
            (settled(&low), skeleton(&bare).collect(), settled(&latin_low))
        } else {
            let (mut look, mut outline, mut shape) = (String::new(), String::new(), String::new());
            for c in bare.chars() {
                let letter = letters.of(c);
                look.push_str(&letter.look);
                outline.push_str(&letter.bones);
                shape.push_str(&letter.shape);
            }
            (look, outline, shape)
        };
        Self { text, look, plain, outline, shape: Some(shape), invisible, bidi, strangeness }
    }

    fn outlines(&self) -> [(Outline, &str); 2] {
        [(Outline::Cased, &self.outline), (Outline::Settled, self.shape.as_deref().unwrap_or(&self.look))]
    }

    fn strangeness(&self) -> u32 {
        *self.strangeness.get_or_init(|| strangeness(self.text))
    }

    fn without_unseen(&self) -> impl Iterator<Item = char> {
        self.plain.chars().filter(|&c| !unseen(c))
    }

    /// The characters in which this differs from `model`, in words: place by place when both are equally long, else the
    /// first.
    fn difference(&self, model: &Self) -> String {
        let (mine, others): (Vec<_>, Vec<_>) = (written(self.text).collect(), written(model.text).collect());
        let differ = |(mine, other): &(&(char, char), &(char, char))| mine.0 != other.0;
        if mine.len() == others.len() {
            let mut different: Vec<char> = Vec::new();
            for (&(_, c), _) in mine.iter().zip(&others).filter(differ) {
                if !different.contains(&c) {
                    different.push(c);
                }
            }
            return list(&different);
        }
        let same = mine.iter().zip(&others).take_while(|pair| !differ(pair)).count();
        match (mine.get(same), others.get(same)) {
            // What the other has and this has not: an invisible character, or the rest of it.
            (mine, Some(&(_, other))) if mine.is_none_or(|_| unseen(other)) => format!("no {}", told(other)),
            (Some(&(_, mine)), _) => told(mine),
            (None, _) => String::new(),
        }
    }
}

/// Which outline: one with the case of its letters never meets one without.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Outline {
    Cased,
    Settled,
}

/// A plain form's characters, each with the one that was written. Canonical equivalence only: a full-width or a mathematical
/// letter is another letter, and is told as one.
fn written(text: &str) -> impl Iterator<Item = (char, char)> {
    text.nfc().filter(|c| !c.is_whitespace()).flat_map(|c| lower(c).map(move |low| (low, c)))
}

/// Lower case, one character at a time, so that a word's end is no different from its middle.
fn lower(c: char) -> impl Iterator<Item = char> {
    c.to_lowercase().map(|low| if low == 'ς' { 'σ' } else { low })
}

/// Skeleton and lower case until nothing changes: a zero's skeleton is a capital O, whose small letter is the one that the
/// letter itself led to.
fn settled(text: &str) -> String {
    let mut text = text.to_owned();
    // Two rounds settle everything in today's data; the bound is there in case tomorrow's has a circle.
    for _ in 0..4 {
        let next: String = skeleton(&text).flat_map(lower).collect();
        if next == text {
            break;
        }
        text = next;
    }
    text
}

/// What becomes of one character in a look, an outline and a shape.
struct Letter {
    look: String,
    bones: String,
    shape: String,
}

impl Letter {
    fn new(c: char) -> Self {
        let low: String = lower(c).collect();
        let look = settled(&low);
        let written = c.encode_utf8(&mut [0; 4]).to_owned();
        Self {
            bones: skeleton(&written).collect(),
            shape: if c.is_ascii() { look.clone() } else { settled(&written) },
            look,
        }
    }
}

/// The letters met so far: ten thousand names are written with a few hundred characters, and the way through normalization
/// and the table of confusables is long.
struct Letters {
    ascii: Vec<Letter>,
    others: HashMap<char, Letter>,
}

impl Letters {
    fn new() -> Self {
        Self { ascii: (0..128_u8).map(|byte| Letter::new(byte.into())).collect(), others: HashMap::new() }
    }

    fn of(&mut self, c: char) -> &Letter {
        match self.ascii.get(c as usize) {
            Some(letter) => letter,
            None => self.others.entry(c).or_insert_with(|| Letter::new(c)),
        }
    }
}

/// How a character is told: `U+0430 CYRILLIC SMALL LETTER A`.
fn told(c: char) -> String {
    match unicode_names2::name(c) {
        Some(name) => format!("U+{:04X} {name}", u32::from(c)),
        None if c.is_control() => format!("U+{:04X} control character", u32::from(c)),
        None => format!("U+{:04X} {}", u32::from(c), c.script().full_name()),
    }
}

/// Distinct characters in words; a handful, however many there are.
fn list(chars: &[char]) -> String {
    let mut words: Vec<String> = chars.iter().take(4).map(|&c| told(c)).collect();
    if chars.len() > 4 {
        words.push(format!("{} more", chars.len() - 4));
    }
    words.join(", ")
}

/// How much a name is written as an imitation would be. It decides only between clients that nothing else tells apart.
fn strangeness(name: &str) -> u32 {
    let mut scripts: BTreeSet<&str> = BTreeSet::new();
    for c in name.chars() {
        match c.script() {
            Script::Common | Script::Inherited | Script::Unknown => {}
            // Japanese and Korean are written in several scripts at once.
            Script::Han | Script::Hiragana | Script::Katakana | Script::Hangul | Script::Bopomofo => {
                scripts.insert("East Asian");
            }
            script => {
                scripts.insert(script.full_name());
            }
        }
    }
    let mixed = u32::from(scripts.len() > 1);
    let foreign = u32::from(!name.is_ascii());
    let chars: Vec<char> = name.chars().collect();
    let at = |at: Option<usize>| at.and_then(|at| chars.get(at)).copied().unwrap_or(' ');
    let odd = |i: usize| {
        let (before, c, after) = (at(i.checked_sub(1)), chars[i], at(i.checked_add(1)));
        match c {
            // A digit or a bar within a word.
            '0'..='9' | '|' => before.is_alphabetic() && after.is_alphabetic(),
            // A capital i within a word that goes on in small letters.
            'I' => before.is_alphabetic() && after.is_lowercase(),
            // A small L where a word begins that cannot begin with one.
            'l' => {
                !before.is_alphanumeric() && after.is_alphabetic() && !"aeiouyl".contains(after.to_ascii_lowercase())
            }
            _ => false,
        }
    };
    let odd = u32_of((0..chars.len()).filter(|&i| odd(i)).count());
    mixed * 1_000_000 + foreign * 100_000 + odd.min(99_999)
}

/// Whether nothing is drawn for a character: the default ignorable code points of Unicode, and a few that are drawn as
/// nothing all the same.
pub(crate) fn unseen(c: char) -> bool {
    matches!(u32::from(c),
        0xAD | 0x34F | 0x61C | 0x115F..=0x1160 | 0x17B4..=0x17B5 | 0x180B..=0x180F | 0x200B..=0x200F | 0x202A..=0x202E
        | 0x2060..=0x206F | 0x2800 | 0x3164 | 0xFE00..=0xFE0F | 0xFEFF | 0xFFA0 | 0xFFF0..=0xFFFB | 0x1BCA0..=0x1BCA3
        | 0x1D173..=0x1D17A | 0xE0000..=0xE0FFF)
}

/// Characters that reorder what stands around them, or tell the reader's system which way to go.
fn reorders(c: char) -> bool {
    matches!(u32::from(c), 0x61C | 0x200E..=0x200F | 0x202A..=0x202E | 0x2066..=0x2069)
}

/// The invisible and the bidi characters of a name that have no business where they stand, in words.
fn misplaced(name: &str) -> (String, String) {
    if name.bytes().all(|b| b.is_ascii_graphic() || b == b' ') {
        return (String::new(), String::new());
    }
    let chars: Vec<char> = name.chars().collect();
    let right_to_left = chars.iter().any(|&c| is_right_to_left(c));
    let (mut invisible, mut bidi): (Vec<char>, Vec<char>) = (Vec::new(), Vec::new());
    let note = |list: &mut Vec<char>, c: char| {
        if !list.contains(&c) {
            list.push(c);
        }
    };
    for (at, &c) in chars.iter().enumerate() {
        if reorders(c) {
            // Marks are how right-to-left names keep a bracket or a Latin word in place; the others change the order of
            // whole stretches, and no name needs them.
            if !(right_to_left && matches!(c, '\u{200E}' | '\u{200F}' | '\u{61C}')) {
                note(&mut bidi, c);
            }
        } else if (c.is_control() && !c.is_whitespace()) || (unseen(c) && !belongs(&chars, at)) {
            note(&mut invisible, c);
        }
    }
    (list(&invisible), list(&bidi))
}

fn is_right_to_left(c: char) -> bool {
    c.is_alphabetic()
        && matches!(u32::from(c),
            0x590..=0x8FF | 0xFB1D..=0xFDFF | 0xFE70..=0xFEFC | 0x10800..=0x10FFF | 0x1E800..=0x1EFFF)
}

/// Whether an invisible character does honest work where it stands.
fn belongs(chars: &[char], at: usize) -> bool {
    let before = at.checked_sub(1).map(|at| chars[at]);
    let after = chars.get(at + 1).copied();
    let is = |c: Option<char>, test: fn(char) -> bool| c.is_some_and(test);
    match u32::from(chars[at]) {
        // Joiner: between the parts of an emoji, and in scripts whose letters join.
        0x200D if is(before, |c| emoji(c) || matches!(u32::from(c), 0xFE0F | 0x1F3FB..=0x1F3FF)) => is(after, emoji),
        0x200C | 0x200D => {
            let family = chars[..at].iter().rev().find(|c| c.script() != Script::Inherited).is_some_and(|&c| joins(c));
            family && after.is_none_or(|c| !c.is_alphanumeric() && !unseen(c) || joins(c))
        }
        // Zero-width space: where words are written without spaces, a line may break there.
        0x200B => is(before, without_spaces) && is(after, without_spaces),
        0xFE0E | 0xFE0F => {
            is(before, emoji) || (is(before, |c| matches!(c, '0'..='9' | '#' | '*')) && after == Some('\u{20E3}'))
        }
        // Other forms of one ideograph, as people write their names.
        0xFE00..=0xFE02 | 0xE0100..=0xE01EF => is(before, |c| c.script() == Script::Han),
        0x180B..=0x180F => is(before, |c| c.script() == Script::Mongolian),
        0x115F..=0x1160 => is(before, jamo) || is(after, jamo),
        // The flags of regions: a black flag, tags, and the tag that ends them.
        0xE0020..=0xE007F => {
            let tag = |c: &char| matches!(u32::from(*c), 0xE0020..=0xE007F);
            let begin = chars[..at].iter().rposition(|c| !tag(c));
            let end = chars[at..].iter().position(|c| !tag(c)).map_or(chars.len(), |n| at + n);
            begin.is_some_and(|begin| chars[begin] == '\u{1F3F4}' && end - begin <= 8) && chars[end - 1] == '\u{E007F}'
        }
        _ => false,
    }
}

/// Whether a character can be drawn as an emoji: the blocks that hold them, which is as near as a flag needs to be.
fn emoji(c: char) -> bool {
    matches!(u32::from(c),
        0xA9 | 0xAE | 0x203C | 0x2049 | 0x2122 | 0x2139 | 0x2194..=0x21AA | 0x231A..=0x23FF | 0x24C2 | 0x25AA..=0x25FE
        | 0x2600..=0x27BF | 0x2934..=0x2935 | 0x2B05..=0x2B55 | 0x3030 | 0x303D | 0x3297 | 0x3299 | 0x1F000..=0x1FAFF)
}

/// Whether a letter's script uses joiners in its spelling.
fn joins(c: char) -> bool {
    matches!(
        c.script(),
        Script::Arabic
            | Script::Syriac
            | Script::Nko
            | Script::Mongolian
            | Script::Devanagari
            | Script::Bengali
            | Script::Gurmukhi
            | Script::Gujarati
            | Script::Oriya
            | Script::Tamil
            | Script::Telugu
            | Script::Kannada
            | Script::Malayalam
            | Script::Sinhala
            | Script::Khmer
            | Script::Myanmar
            | Script::Tibetan
    )
}

/// Whether a letter's script is written without spaces between words.
fn without_spaces(c: char) -> bool {
    matches!(c.script(), Script::Thai | Script::Lao | Script::Khmer | Script::Myanmar)
}

/// Whether a character is one of the pieces that old Hangul syllables are made of.
fn jamo(c: char) -> bool {
    matches!(u32::from(c), 0x1100..=0x11FF | 0xA960..=0xA97F | 0xD7B0..=0xD7FF) && !unseen(c)
}
