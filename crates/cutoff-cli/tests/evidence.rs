//! Evidence packs: what `apply --evidence` and `export` write, both verifiers take, and nobody can change a byte of it unnoticed.
//! The second verifier is `tests/verify_pack.py`, which shares nothing with the first.

mod ground;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use cutoff::evidence::{Broken, FILES, GRANTS, LETTER, MANIFEST, PEOPLE, REPORT, ROWS, Since, redact, verify};
use ground::{Ended, Ground, ground_with, run, start};
use journal::{Hash, chain};
use proptest::prelude::*;
use sandbox::Options;
use serde_json::{Value, json};

// ---- the ground --------------------------------------------------------------------------------------------------

/// A sweep of a few grants and its pack.
fn few() -> (Ground, PathBuf, Vec<u8>) {
    let ground = ground_with(Options { members: 12, apps: 4, ..Options::default() });
    let pack = ground.dir.path().join("pack.zip");
    let planned = plan(&ground, &["--app", "DataSync", "--reason", "SEC-2114 <b>bold</b>"]);
    assert!((2..30).contains(&planned), "{planned} grants");
    apply(&ground, &["--yes", "--evidence", &pack.display().to_string()]).expect(0);
    let bytes = std::fs::read(&pack).expect("the pack");
    (ground, pack, bytes)
}

fn plan(ground: &Ground, flags: &[&str]) -> usize {
    let file = ground.dir.path().join("plan.json");
    let out = file.display().to_string();
    let arguments: Vec<&str> = ["plan", "--out", &out].into_iter().chain(flags.iter().copied()).collect();
    ground.admin(&arguments).expect(0);
    let plan: Value = serde_json::from_slice(&std::fs::read(&file).expect("the plan")).expect("JSON");
    plan["grants"].as_array().expect("grants").len()
}

fn apply(ground: &Ground, flags: &[&str]) -> Ended {
    let file = ground.dir.path().join("plan.json").display().to_string();
    let arguments: Vec<&str> = ["apply", &file, "--json"].into_iter().chain(flags.iter().copied()).collect();
    ground.admin(&arguments)
}

fn sweep_of(ground: &Ground) -> Value {
    ground.here(&["log", "--json"]).expect(0).lines().remove(0)
}

/// What the second verifier says of each pack, in one process.
fn second(dir: &Path, packs: &[Vec<u8>], head: Option<Hash>) -> Vec<Value> {
    let folder = tempfile::tempdir_in(dir).expect("a folder");
    let names: Vec<PathBuf> = (0..packs.len()).map(|at| folder.path().join(format!("{at}.zip"))).collect();
    for (name, bytes) in names.iter().zip(packs) {
        std::fs::write(name, bytes).expect("written");
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/verify_pack.py");
    let mut command = Command::new("python3");
    command.arg(script).args(&names);
    if let Some(head) = head {
        command.args(["--head", &head.to_string()]);
    }
    let ended = command.output().expect("python3 is there");
    assert!(ended.stderr.is_empty(), "{}", String::from_utf8_lossy(&ended.stderr));
    let said = String::from_utf8(ended.stdout).expect("UTF-8");
    let said: Vec<Value> = said.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(said.len(), packs.len());
    let all_sound = said.iter().all(|said| said["verdict"] != "broken");
    assert_eq!(ended.status.code(), Some(i32::from(!all_sound)));
    said
}

/// Both verifiers call each of these broken.
#[track_caller]
fn both_refuse(dir: &Path, packs: &[(String, Vec<u8>)], head: Option<Hash>) {
    let bytes: Vec<Vec<u8>> = packs.iter().map(|(_, bytes)| bytes.clone()).collect();
    for ((what, bytes), said) in packs.iter().zip(second(dir, &bytes, head)) {
        let first = verify(bytes, head);
        assert!(first.is_err(), "{what}: the first verifier takes it: {first:?}");
        assert_eq!(said["verdict"], "broken", "{what}: the second verifier takes it");
    }
}

/// Both verifiers take it, and say the same of it.
#[track_caller]
fn both_take(dir: &Path, bytes: &[u8], head: Option<Hash>) -> cutoff::evidence::Verified {
    let first = verify(bytes, head).expect("the first verifier takes it");
    let said = second(dir, &[bytes.to_vec()], head).remove(0);
    assert_ne!(said["verdict"], "broken", "the second verifier: {said}");
    let (head_of, vouched) = match first.since {
        Since::Nothing => (Value::Null, Value::Null),
        Since::Pack => (json!("pack"), json!(first.rows)),
        Since::Rows(rows) => (json!("rows"), json!(rows)),
    };
    let told = json!({
        "head": first.head.to_string(), "chain_head": first.chain_head.to_string(), "rows": first.rows, "grants": first.grants,
        "sent": first.sent,
        "maybe_sent": first.maybe_sent,
        "closed": first.closed, "erased": first.erased, "head_of": head_of, "rows_vouched": vouched,
    });
    for (key, value) in told.as_object().expect("an object") {
        assert_eq!(&said[key], value, "{key}");
    }
    first
}

// ---- taking a pack apart and putting it together, as a forger who knows the format would --------------------------

type Files = Vec<(String, Vec<u8>)>;

fn take_apart(mut bytes: &[u8]) -> Files {
    let mut files = Vec::new();
    while bytes.starts_with(b"PK\x03\x04") {
        let size = u32::from_le_bytes(bytes[18..22].try_into().expect("four bytes")) as usize;
        let length = usize::from(u16::from_le_bytes(bytes[26..28].try_into().expect("two bytes")));
        let name = String::from_utf8(bytes[30..30 + length].to_vec()).expect("UTF-8");
        files.push((name, bytes[30 + length..30 + length + size].to_vec()));
        bytes = &bytes[30 + length + size..];
    }
    files
}

fn crc32(data: &[u8]) -> u32 {
    !data.iter().fold(!0u32, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0xEDB8_8320 } else { crc >> 1 })
    })
}

/// Some of the ways in which archives can differ.
#[derive(Clone, Copy, Default)]
struct Twist {
    mode: Option<u32>,
    comment: &'static [u8],
    date: Option<u16>,
    claim: Option<u32>,
}

fn put_together(files: &[(String, Vec<u8>)]) -> Vec<u8> {
    twisted(files, Twist::default())
}

fn twisted(files: &[(String, Vec<u8>)], twist: Twist) -> Vec<u8> {
    let (mut out, mut directory) = (Vec::new(), Vec::new());
    for (name, data) in files {
        let mut shared: Vec<u8> =
            [10u16, 0, 0, 0, twist.date.unwrap_or(0x21)].iter().flat_map(|n| n.to_le_bytes()).collect();
        let size = u32::try_from(data.len()).expect("small");
        shared.extend([crc32(data), twist.claim.unwrap_or(size), size].iter().flat_map(|n| n.to_le_bytes()));
        shared.extend([u16::try_from(name.len()).expect("short"), 0].iter().flat_map(|n| n.to_le_bytes()));
        directory.extend(b"PK\x01\x02\x1e\x03".iter().chain(&shared).chain(&[0; 6]));
        directory.extend(twist.mode.unwrap_or(0o100_600 << 16).to_le_bytes());
        directory.extend(u32::try_from(out.len()).expect("small").to_le_bytes());
        directory.extend(name.as_bytes());
        out.extend(b"PK\x03\x04".iter().chain(&shared).chain(name.as_bytes()).chain(data));
    }
    let count = u16::try_from(files.len()).expect("few");
    let (size, at) = (u32::try_from(directory.len()).expect("small"), u32::try_from(out.len()).expect("small"));
    out.extend(directory);
    out.extend(b"PK\x05\x06\0\0\0\0".iter().chain(&count.to_le_bytes()).chain(&count.to_le_bytes()));
    out.extend(size.to_le_bytes().iter().chain(&at.to_le_bytes()));
    out.extend(u16::try_from(twist.comment.len()).expect("short").to_le_bytes().iter().chain(twist.comment));
    out
}

fn file<'a>(files: &'a mut Files, name: &str) -> &'a mut Vec<u8> {
    &mut files.iter_mut().find(|(known, _)| known == name).expect("the pack has it").1
}

/// Writes the manifest anew around files that were changed: what a forger does who hides nothing but the truth.
fn manifest_anew(files: &mut Files) {
    let mut text = String::from_utf8(file(files, MANIFEST).clone()).expect("UTF-8");
    let manifest: Value = serde_json::from_str(&text).expect("JSON");
    let rows = file(files, ROWS).clone();
    let walked = chain::walk(rows.strip_suffix(b"\n").unwrap_or(&rows).split(|byte| *byte == b'\n'));
    if let Ok(walked) = walked {
        let old = manifest["chain_head"].as_str().expect("a head");
        text = text.replacen(old, &walked.head.to_string(), 1);
        text = text.replacen(&format!("\"rows\":{},", manifest["rows"]), &format!("\"rows\":{},", walked.rows), 1);
    }
    for listed in manifest["files"].as_array().expect("files") {
        let name = listed["name"].as_str().expect("a name");
        let Some((_, data)) = files.iter().find(|(known, _)| known == name) else { continue };
        let entry = |size: String, hash: String| format!("\"name\":\"{name}\",\"size\":{size},\"sha256\":\"{hash}\"");
        let old = entry(listed["size"].to_string(), listed["sha256"].as_str().expect("a hash").to_owned());
        text = text.replacen(&old, &entry(data.len().to_string(), Hash::of(data).to_string()), 1);
    }
    *file(files, MANIFEST) = text.into_bytes();
}

fn with_rows(bytes: &[u8], change: impl FnOnce(&mut Vec<String>)) -> Vec<u8> {
    let mut files = take_apart(bytes);
    let rows = String::from_utf8(file(&mut files, ROWS).clone()).expect("UTF-8");
    let mut lines: Vec<String> = rows.lines().map(str::to_owned).collect();
    change(&mut lines);
    *file(&mut files, ROWS) = lines.iter().flat_map(|line| [line.as_bytes(), b"\n"]).flatten().copied().collect();
    manifest_anew(&mut files);
    put_together(&files)
}

// ---- promises ----------------------------------------------------------------------------------------------------

#[test]
fn a_pack_covers_its_sweep_and_both_verifiers_take_it() {
    let (ground, pack, bytes) = few();
    let dir = ground.dir.path();
    assert!(put_together(&take_apart(&bytes)) == bytes, "the forger's tools know the format");
    let names: Vec<String> = take_apart(&bytes).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, FILES);

    let plain = both_take(dir, &bytes, None);
    assert_eq!((plain.since, plain.closed, plain.erased), (Since::Nothing, true, 0));
    assert!(plain.absent.is_empty() && plain.counts_compared);
    let sweep = sweep_of(&ground);
    assert_eq!(plain.chain_head.to_string(), sweep["head"]);
    assert_eq!(plain.outcomes.values().sum::<u64>(), sweep["grants"]);
    assert_eq!(both_take(dir, &bytes, Some(plain.head)).since, Since::Pack);
    assert_eq!(both_take(dir, &bytes, Some(plain.chain_head)).since, Since::Rows(plain.rows));

    let path = pack.display().to_string();
    run(&["verify", &path]).expect(0);
    let told = run(&["verify", &path, "--head", &plain.head.to_string(), "--json"]).expect(0).lines().remove(0);
    assert_eq!((&told["verdict"], &told["head_of"]), (&json!("unchanged"), &json!("pack")));
    run(&["verify", &path, "--head", &"0".repeat(64)]).expect(5).says(&["not what that head was noted of"]);
    // As somebody noted it: in capitals, in groups, with the end of its line.
    let noted = plain.head.to_string().to_uppercase();
    let noted = format!(" {} {}\n", &noted[..32], &noted[32..]);
    assert_eq!(run(&["verify", &path, "--head", &noted, "--json"]).expect(0).lines().remove(0), told);
    run(&["verify", &path, "--head", "ABC"]).expect(5).says(&["64 hexadecimal digits"]);
    run(&["verify", "/nonexistent/pack"]).expect(5).says(&["cannot be read"]);
    both_refuse(dir, &[("another head".to_owned(), bytes.clone())], Some(Hash::of(b"another")));

    // The same sweep makes the same bytes, whenever it is written and by whichever command.
    let sweep = sweep["sweep_id"].as_str().expect("an id").to_owned();
    let again = dir.join("again.zip").display().to_string();
    ground.here(&["export", &sweep, "--out", &again]).expect(0);
    assert!(std::fs::read(&again).expect("written") == bytes, "the same sweep made another pack");
    #[cfg(unix)]
    for file in [&again, &path] {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(std::fs::metadata(file).expect("there").permissions().mode() & 0o777, 0o600, "{file}");
    }
    // Nothing but a pack is written over.
    let other = dir.join("other.txt");
    std::fs::write(&other, "mine").expect("written");
    ground.here(&["export", &sweep, "--out", &other.display().to_string()]).expect(5).says(&["not a pack"]);
    assert_eq!(std::fs::read_to_string(&other).expect("there"), "mine");
    ground.here(&["export", &sweep, "--out", &path]).expect(0);
    ground.here(&["export", "6f6f6f6f-0000-4000-8000-000000000000", "--out", &path]).expect(5).says(&["no such sweep"]);
    assert!(std::fs::read(&pack).expect("there") == bytes, "a refusal leaves the pack that was there");
}

#[test]
fn an_ordinary_unzip_opens_a_pack() {
    let (ground, pack, bytes) = few();
    let out = ground.dir.path().join("out");
    let Ok(ended) = Command::new("python3").args(["-m", "zipfile", "-e"]).arg(&pack).arg(&out).output() else {
        panic!("python3 is there")
    };
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    for (name, data) in take_apart(&bytes) {
        assert!(std::fs::read(out.join(&name)).expect("it is there") == data, "{name}");
    }
}

#[test]
fn no_byte_of_a_pack_can_be_changed_unnoticed() {
    let (ground, _, bytes) = few();
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 1 << (at % 8);
        assert!(verify(&changed, None).is_err(), "byte {at} of {}", bytes.len());
    }
    // The second verifier: every byte of the structure, and a sample of the rest.
    let content: usize = take_apart(&bytes).iter().map(|(name, data)| name.len() + data.len()).sum();
    let mut places = Vec::new();
    let mut at = 0;
    for (name, data) in take_apart(&bytes) {
        places.extend(at..at + 30 + name.len());
        at += 30 + name.len();
        places.extend((0..data.len()).step_by((content / 400).max(1)).map(|offset| at + offset));
        at += data.len();
    }
    places.extend(at..bytes.len());
    assert!(places.len() > 800, "{} places", places.len());
    let changed: Vec<(String, Vec<u8>)> = places
        .into_iter()
        .map(|at| {
            let mut changed = bytes.clone();
            changed[at] ^= 1 << (at % 8);
            (format!("byte {at}"), changed)
        })
        .collect();
    for some in changed.chunks(200) {
        both_refuse(ground.dir.path(), some, None);
    }
}

#[test]
fn rows_cannot_be_dropped_repeated_moved_or_edited() {
    let (ground, _, bytes) = few();
    let count = verify(&bytes, None).expect("sound").rows as usize;
    let mut packs = Vec::new();
    for at in 0..count {
        packs.push((format!("row {at} dropped"), with_rows(&bytes, |lines| drop(lines.remove(at)))));
        packs.push((format!("row {at} repeated"), with_rows(&bytes, |lines| lines.insert(at, lines[at].clone()))));
        if at + 1 < count {
            packs
                .push((format!("rows {at} and {} swapped", at + 1), with_rows(&bytes, |lines| lines.swap(at, at + 1))));
        }
    }
    // The last row is the closing one: without it the rows are those of an unfinished sweep, and only a head tells.
    packs.retain(|(what, _)| *what != format!("row {} dropped", count - 1));
    both_refuse(ground.dir.path(), &packs, None);
    let cut = with_rows(&bytes, |lines| drop(lines.pop()));
    assert!(!both_take(ground.dir.path(), &cut, None).closed);
    let head = verify(&bytes, None).expect("sound").head;
    let chain_head = verify(&bytes, None).expect("sound").chain_head;
    for head in [head, chain_head] {
        both_refuse(ground.dir.path(), &[("the last row cut off".to_owned(), cut.clone())], Some(head));
    }
}

#[test]
fn a_chain_that_was_computed_anew_is_consistent_and_its_head_tells() {
    let (ground, _, bytes) = few();
    let sound = verify(&bytes, None).expect("sound");
    let forged = with_rows(&bytes, |lines| {
        let answer = lines.iter_mut().find(|line| line.contains("request-id-")).expect("an answer");
        *answer = answer.replacen("request-id-", "request-ix-", 1);
    });
    assert!(forged != bytes);
    let taken = both_take(ground.dir.path(), &forged, None);
    assert_eq!((taken.rows, taken.since), (sound.rows, Since::Nothing), "consistent, and no more is claimed");
    assert_ne!(taken.chain_head, sound.chain_head);
    for head in [sound.head, sound.chain_head] {
        assert!(matches!(verify(&forged, Some(head)), Err(Broken::OtherHead { .. })));
        both_refuse(ground.dir.path(), &[("a chain computed anew".to_owned(), forged.clone())], Some(head));
    }
    // A report that lies beside true rows: the head of the rows does not speak for it, and says so; the pack's does.
    let mut files = take_apart(&bytes);
    file(&mut files, REPORT).extend(b"<p>All is well.</p>");
    manifest_anew(&mut files);
    let lying = put_together(&files);
    assert_eq!(both_take(ground.dir.path(), &lying, Some(sound.chain_head)).since, Since::Rows(sound.rows));
    both_refuse(ground.dir.path(), &[("a lying report".to_owned(), lying)], Some(sound.head));
}

#[test]
fn counts_that_the_rows_do_not_show_are_found_out() {
    let (_ground, _, bytes) = few();
    let forged = with_rows(&bytes, |lines| {
        // What was only accepted is counted as revoked, or the other way round: the sum stays.
        let closing = lines.last_mut().expect("a closing row");
        *closing = if closing.contains("\"revoked\"") {
            closing.replacen("\"revoked\"", "\"accepted\"", 1)
        } else {
            closing.replacen("\"already_gone\"", "\"revoked\"", 1)
        };
    });
    assert!(matches!(verify(&forged, None), Err(Broken::Row { .. })), "{:?}", verify(&forged, None));
}

#[test]
fn hostile_archives_are_refused_by_both() {
    let (ground, _, bytes) = few();
    let files = take_apart(&bytes);
    let with = |change: &dyn Fn(&mut Files)| {
        let mut files = files.clone();
        change(&mut files);
        put_together(&files)
    };
    let twist = |twist: Twist| twisted(&files, twist);
    let rename = |name: &'static str| with(&move |files: &mut Files| files[5].0 = name.to_owned());
    let mut bomb = take_apart(&bytes);
    bomb.push(("report.html".to_owned(), vec![0; 1000]));
    let packs = [
        ("nothing", Vec::new()),
        ("an empty archive", put_together(&[])),
        ("an extra file", with(&|files| files.push(("extra.txt".into(), b"x".to_vec())))),
        ("a file twice", with(&|files| files.push(files[5].clone()))),
        ("the rows twice", with(&|files| files.insert(2, files[1].clone()))),
        ("another order", with(&|files| files.swap(3, 4))),
        ("the manifest last", with(&|files| files.rotate_left(1))),
        ("no manifest", with(&|files| drop(files.remove(0)))),
        ("no rows", with(&|files| drop(files.remove(1)))),
        ("a path upwards", rename("../report.html")),
        ("an absolute path", rename("/report.html")),
        ("a path with a drive", rename("C:\\report.html")),
        ("a name in capitals", rename("REPORT.HTML")),
        ("a folder", with(&|files| files.push(("x/".into(), Vec::new())))),
        ("a link", twist(Twist { mode: Some(0o120_777 << 16), ..Twist::default() })),
        ("an executable", twist(Twist { mode: Some(0o100_755 << 16), ..Twist::default() })),
        ("a comment", twist(Twist { comment: b"hello", ..Twist::default() })),
        ("another date", twist(Twist { date: Some(0x5a21), ..Twist::default() })),
        ("a size that is not there", twist(Twist { claim: Some(0xFFFF_FFFF), ..Twist::default() })),
        ("no size", twist(Twist { claim: Some(0), ..Twist::default() })),
        ("something behind", [&bytes[..], b"x"].concat()),
        ("something in front", [b"x", &bytes[..]].concat()),
        ("itself twice", [&bytes[..], &bytes[..]].concat()),
        ("half of it", bytes[..bytes.len() / 2].to_vec()),
        ("a file put twice at the end", put_together(&bomb)),
    ];
    let packs: Vec<(String, Vec<u8>)> = packs.into_iter().map(|(what, bytes)| (what.to_owned(), bytes)).collect();
    both_refuse(ground.dir.path(), &packs, None);

    // Larger than a pack can be: refused by its size, before anything of it is read into place. A hole in a file costs no disk.
    let path = ground.dir.path().join("large.zip");
    let large = std::fs::File::create(&path).expect("made");
    large.set_len(cutoff::evidence::LARGEST + 1).expect("a hole");
    run(&["verify", &path.display().to_string()]).expect(5).says(&["larger than a pack can be"]);
}

#[test]
fn a_compressed_archive_of_the_same_files_is_refused_by_both() {
    let (ground, pack, _) = few();
    let packed = ground.dir.path().join("packed.zip");
    let script = "import sys, zipfile\n\
                  with zipfile.ZipFile(sys.argv[1]) as a, zipfile.ZipFile(sys.argv[2], 'w', zipfile.ZIP_DEFLATED) as b:\n \
                  [b.writestr(i, a.read(i), zipfile.ZIP_DEFLATED) for i in a.infolist()]\n";
    let ended =
        Command::new("python3").args(["-c", script]).arg(&pack).arg(&packed).output().expect("python3 is there");
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    let bytes = std::fs::read(&packed).expect("written");
    assert!(bytes.len() < std::fs::metadata(&pack).expect("there").len() as usize, "it is compressed");
    both_refuse(ground.dir.path(), &[("compressed".to_owned(), bytes)], None);
}

#[test]
fn manifests_and_people_that_readers_could_read_differently_are_refused_by_both() {
    let (ground, _, bytes) = few();
    let files = take_apart(&bytes);
    let edit = |name: &str, from: &str, to: &str| {
        let mut files = files.clone();
        let text = String::from_utf8(file(&mut files, name).clone()).expect("UTF-8");
        assert!(text.contains(from), "{name} has no {from}");
        *file(&mut files, name) = text.replacen(from, to, 1).into_bytes();
        (format!("{name}: {from} → {to}"), put_together(&files))
    };
    let entry_twice = {
        let text = String::from_utf8(file(&mut files.clone(), PEOPLE).clone()).expect("UTF-8");
        let first =
            text.split_once('[').and_then(|(_, rest)| rest.split_once('}')).expect("an entry").0.to_owned() + "}";
        edit(PEOPLE, "[{", &format!("[{first},{{"))
    };
    let packs = [
        edit(MANIFEST, "\"version\":1", "\"version\":2"),
        edit(MANIFEST, "\"version\":1", "\"version\":1,\"version\":1"),
        edit(MANIFEST, "\"version\":1", "\"version\":0"),
        edit(MANIFEST, "\"version\":1", "\"version\": 1"),
        edit(MANIFEST, "\"version\":1", "\"version\":1.0"),
        edit(MANIFEST, "\"critical\":[]", "\"critical\":[\"new\"]"),
        edit(MANIFEST, "\"critical\":[]", "\"critical\":[],\"more\":1"),
        edit(MANIFEST, "\"hash_alg\":\"sha-256\"", "\"hash_alg\":\"md5\""),
        edit(MANIFEST, "\"cutoff-evidence\"", "\"cutoff-something\""),
        edit(MANIFEST, "\"cutoff-evidence\"", "\"\\u0063utoff-evidence\""),
        edit(MANIFEST, ROWS, "rows.jsonx"),
        edit(MANIFEST, GRANTS, "../grants.csv"),
        edit(MANIFEST, REPORT, LETTER),
        edit(PEOPLE, "\"version\":1", "\"version\":2"),
        edit(PEOPLE, "\"kind\":\"member\"", "\"kind\":\"app\""),
        edit(PEOPLE, "\"subject\":\"member-", "\"subject\":\"membex-"),
        edit(PEOPLE, "\"text\":\"", "\"text\":\"x"),
        edit(PEOPLE, "\"salt\":\"", "\"salt\":\"A"),
        edit(PEOPLE, "SEC-2114", "SEC-2115"),
        edit(PEOPLE, "{\"format\"", " {\"format\""),
        entry_twice,
    ];
    both_refuse(ground.dir.path(), &packs, None);
    assert_eq!(verify(&packs[0].1, None), Err(Broken::Newer));
    assert_eq!(verify(&packs[5].1, None), Err(Broken::Newer));
}

#[test]
fn rows_that_readers_could_read_differently_are_refused_by_both() {
    let (ground, _, bytes) = few();
    let edit = |kind: &str, pointer: &str, value: Value| {
        let pack = with_rows(&bytes, |lines| {
            let line = lines.iter_mut().find(|line| line.contains(&format!("\"kind\":\"{kind}\""))).expect("a row");
            let mut row: Value = serde_json::from_str(line).expect("JSON");
            *row.pointer_mut(pointer).unwrap_or_else(|| panic!("{kind} has no {pointer}")) = value.clone();
            *line = row.to_string();
        });
        (format!("{pointer} of {kind} is {value}"), pack)
    };
    let upper = |kind: &str, pointer: &str| {
        let rows = String::from_utf8(file(&mut take_apart(&bytes), ROWS).clone()).expect("UTF-8");
        let row: Value = serde_json::from_str(rows.lines().next().expect("a row")).expect("JSON");
        edit(kind, pointer, json!(row.pointer(pointer).and_then(Value::as_str).expect("an id").to_uppercase()))
    };
    let rows = String::from_utf8(file(&mut take_apart(&bytes), ROWS).clone()).expect("UTF-8");
    let opening: Value = serde_json::from_str(rows.lines().next().expect("a row")).expect("JSON");
    let planned = &opening["plan"];
    let packs = [
        // By its place a number would be a name that the first verifier knows, or one that it passes over.
        edit("intent", "/kind", json!(2)),
        edit("read", "/kind", json!(4_294_967_296_u64)),
        edit("grant", "/clock", Value::Null),
        edit("grant", "/scopes", json!("all")),
        edit("grant", "/first_party", json!(1)),
        edit("grant", "/person", json!("not a hash")),
        edit("intent", "/attempt", json!(-1)),
        edit("answer", "/clock/utc", json!("2026-02-30T10:00:00.000Z")),
        edit("answer", "/sent/utc", json!("2026-02-20T10:00:00Z")),
        edit("answer", "/clock/utc", json!("0000-06-01T00:00:00.000Z")),
        edit("answer", "/clock/utc", json!("9999-12-31T23:59:59.999Z")),
        edit("answer", "/clock/utc", json!("9999-06-01T00:00:00.000Z")),
        // Structs and words in forms that one parser takes and another does not.
        edit("answer", "/clock", json!(["2026-03-01T10:42:07.123Z", 1, "b"])),
        edit("answer", "/sent", json!(["2026-03-01T10:42:07.123Z", 1, "b"])),
        edit("opening", "/plan", json!([planned["hash"], planned["count"]])),
        edit("grant", "/route", json!({"member": null})),
        edit("read", "/view", json!({"app": null})),
        edit("answer", "/failure", json!({"reset": null})),
        edit("opening", "/connection/environment", json!({"sandbox": null})),
        edit("read", "/policy", json!([null, null, false])),
        edit("answer", "/status", json!(70_000)),
        edit("read", "/present", json!(["1"])),
        edit("note", "/detail", json!({"number": 1})),
        edit("opening", "/plan/hash", json!("x")),
        edit("opening", "/version", json!(true)),
        edit("opening", "/connection/port", json!(70_000)),
        edit("closing", "/rules_version", json!("5")),
        upper("opening", "/journal_id"),
        upper("opening", "/sweep_id"),
    ];
    both_refuse(ground.dir.path(), &packs, None);
}

#[test]
fn a_person_can_be_taken_out_and_the_head_stays() {
    let (ground, pack, bytes) = few();
    let dir = ground.dir.path();
    let head = verify(&bytes, None).expect("sound").head;
    let people = String::from_utf8(file(&mut take_apart(&bytes), PEOPLE).clone()).expect("UTF-8");
    let people: Value = serde_json::from_str(&people).expect("JSON");
    let entry = people["people"]
        .as_array()
        .expect("people")
        .iter()
        .find(|entry| entry["kind"] == "member")
        .expect("a member")
        .clone();
    let member = entry["subject"].as_str().expect("an id");
    let text: Value = serde_json::from_str(entry["text"].as_str().expect("a text")).expect("JSON");
    let email = text["email"].as_str().expect("an address").to_owned();
    let holds = |bytes: &[u8]| bytes.windows(email.len()).any(|part| part == email.as_bytes());
    assert!(holds(&bytes));

    let out = dir.join("redacted.zip");
    let (from, to) = (pack.display().to_string(), out.display().to_string());
    run(&["redact", &from, "--member", member, "--out", &to])
        .expect(0)
        .says(&["grants.csv, report.html", "as they were"]);
    let redacted = std::fs::read(&out).expect("written");
    assert!(!holds(&redacted), "the address is still in it");
    let verified = both_take(dir, &redacted, Some(head));
    assert_eq!((verified.since, verified.absent), (Since::Pack, vec![GRANTS, REPORT]));
    assert!(verified.erased >= 1);
    let unknown = redact(&bytes, "member-test-nobody", false).expect("sound");
    assert_eq!(unknown.texts, 0);
    // A slip of the finger is no erasure, of a pack or of the journal.
    let nobody = dir.join("nobody.zip");
    run(&["redact", &from, "--member", "member-test-nobody", "--out", &nobody.display().to_string()])
        .expect(5)
        .says(&["holds no text of that member's"]);
    assert!(!nobody.exists());
    ground.here(&["erase", "member-test-nobody", "--yes"]).expect(5).says(&["holds no text of that member's"]);

    // All of them at once: no people at all, and no derived file.
    let mut files = take_apart(&bytes);
    files.retain(|(name, _)| [MANIFEST, ROWS].contains(&name.as_str()));
    let bare = both_take(dir, &put_together(&files), Some(head));
    assert_eq!(bare.absent, vec![PEOPLE, GRANTS, LETTER, REPORT]);

    // And in the journal: the chain is what it was, and a later pack no longer has the texts.
    let sweep = sweep_of(&ground);
    // A member who is still there is read again, so that is said before and after.
    let back = "the next reading, which lists and plans make too, brings the name";
    ground.here(&["erase", member]).expect(5).says(&["--yes", back]);
    ground.here(&["erase", member, "--yes"]).expect(0).says(&[back]);
    let later = dir.join("later.zip");
    ground
        .here(&["export", sweep["sweep_id"].as_str().expect("an id"), "--out", &later.display().to_string()])
        .expect(0);
    let later = std::fs::read(&later).expect("written");
    assert!(!holds(&later));
    let verified = both_take(dir, &later, None);
    assert_eq!(verified.chain_head.to_string(), sweep["head"]);
    assert!(verified.erased >= 1);
}

/// Whether a text stands in any file of the journal's directory.
fn in_journal(ground: &Ground, text: &str) -> bool {
    ground::files(&ground.state_dir())
        .iter()
        .any(|(_, bytes)| bytes.windows(text.len()).any(|part| part == text.as_bytes()))
}

#[test]
fn whoever_is_named_in_somebody_elses_reason_is_not_left_there_in_silence() {
    let ground = ground_with(Options { members: 60, apps: 8, ..Options::default() });
    let pack = ground.dir.path().join("pack.zip").display().to_string();
    let out = ground.dir.path().join("redacted.zip").display().to_string();
    // Named by what stands before the @, in capitals; the admin gave the reason.
    let email = ground.email("member");
    let reason = format!("SEC-2114, told by {}.", email.split('@').next().expect("a part").to_uppercase());
    plan(&ground, &["--member", &email, "--first-party", "--reason", &reason]);
    apply(&ground, &["--yes", "--evidence", &pack]).expect(0);
    let sweep = sweep_of(&ground)["sweep_id"].as_str().expect("an id").to_owned();
    let head = verify(&std::fs::read(&pack).expect("the pack"), None).expect("sound").head;
    let member = ground.sandbox.card().people.iter().find(|person| person.role == "member").expect("one");
    let member = member.member_id.as_str();

    let first = run(&["redact", &pack, "--member", member, "--out", &out]).expect(0);
    first.says(&["seems to name the member and is still in it", "--reason --out"]);
    let holds = |path: &str| String::from_utf8_lossy(&std::fs::read(path).expect("a pack")).contains("SEC-2114");
    assert!(holds(&out));
    let again = run(&["redact", &pack, "--member", member, "--reason", "--out", &out]).expect(0);
    assert!(!again.err.contains("seems to name") && !holds(&out), "{}", again.err);
    both_take(ground.dir.path(), &std::fs::read(&out).expect("a pack"), Some(head));

    let next = format!("--reason-of {sweep} --yes");
    ground.here(&["erase", member]).expect(5).says(&["Nothing was erased", "seems to name", &next]);
    ground.here(&["erase", member, "--yes"]).expect(0).says(&["seems to name", &next]);
    assert!(in_journal(&ground, "SEC-2114") && !in_journal(&ground, &email));
    let erased = ground.here(&["erase", member, "--reason-of", &sweep, "--yes"]).expect(0);
    // Whoever had the reason erased wants it out of the packs too.
    erased.says(&[&format!("cutoff redact PACK --member {member} --reason --out PACK2")]);
    assert!(!in_journal(&ground, "SEC-2114"));
    ground.here(&["log", "--verify"]).expect(0);
    // Of somebody whom no reason names nothing is said.
    let other = ground.sandbox.card().people.iter().find(|person| person.role == "reader").expect("one");
    let told = ground.here(&["erase", &other.member_id]).expect(5);
    assert!(!told.err.contains("seems to name"), "{}", told.err);
}

#[test]
fn the_command_for_another_reason_keeps_the_one_that_was_asked_for() {
    let ground = ground_with(Options { members: 60, apps: 8, ..Options::default() });
    let email = ground.email("member");
    for app in ["DataSync", "Claude"] {
        let reason = format!("{app}, told by {email}");
        plan(&ground, &["--app", app, "--first-party", "--reason", &reason]);
        apply(&ground, &["--yes"]).expect(0);
        std::fs::remove_file(ground.dir.path().join("plan.json")).expect("carried out");
    }
    let sweeps = ground.here(&["log", "--json"]).expect(0).lines();
    let ids: Vec<&str> = sweeps.iter().map(|sweep| sweep["sweep_id"].as_str().expect("an id")).collect();
    let member = ground.sandbox.card().people.iter().find(|person| person.role == "member").expect("one");
    let member = member.member_id.as_str();
    let both = format!("--reason-of {} --reason-of {} --yes", ids[0], ids[1]);
    ground.here(&["erase", member, "--reason-of", ids[0]]).expect(5).says(&["1 reason", &both]);
}

#[test]
fn the_reason_in_the_plan_of_an_unfinished_sweep_stays_aloud_and_goes_with_its_end() {
    let ground = ground_with(Options { members: 60, apps: 8, ..Options::default() });
    plan(&ground, &["--app", "DataSync", "--reason", "SEC-2114 as told"]);
    ground.faults(json!({"role_lost_after": 15}));
    apply(&ground, &["--yes"]).expect(3);
    ground.faults(json!({"role_lost_after": null}));
    let sweep = sweep_of(&ground)["sweep_id"].as_str().expect("an id").to_owned();
    let admin = ground.sandbox.card().people[0].member_id.clone();
    let erased = ground.here(&["erase", &admin, "--yes", "--json"]).expect(0);
    let line = erased.lines().remove(0);
    assert_eq!((&line["kept_in_plan_of"], &line["named_in_reason_of"]), (&json!([sweep]), &json!([])));
    erased.says(&[&sweep, "is unfinished, and its plan is kept with its reason until it is closed"]);
    assert!(in_journal(&ground, "SEC-2114"), "in the plan, as was said");
    apply(&ground, &["--yes", "--resume"]).expect(0);
    assert!(!in_journal(&ground, "SEC-2114"), "with the end of the sweep its plan goes");
}

#[test]
fn a_sweep_that_ended_early_has_a_pack_and_the_next_run_writes_it_whole() {
    let ground = ground_with(Options { members: 60, apps: 8, ..Options::default() });
    let planned = plan(&ground, &["--app", "DataSync"]);
    let path = ground.dir.path().join("pack.zip");
    let pack = path.display().to_string();
    ground.faults(json!({"role_lost_after": 15}));
    apply(&ground, &["--yes", "--evidence", &pack]).expect(3);
    ground.faults(json!({"role_lost_after": null}));
    let early = std::fs::read(&path).expect("written though it ended early");
    let first = both_take(ground.dir.path(), &early, None);
    assert_eq!((first.grants, first.closed), (planned as u64, false));
    run(&["verify", &pack]).expect(2).says(&["Unfinished"]);
    apply(&ground, &["--yes", "--resume", "--evidence", &pack]).expect(0);
    let whole = std::fs::read(&path).expect("replaced");
    // The head that was noted of the rows then still vouches for them, and says how far.
    let second = both_take(ground.dir.path(), &whole, Some(first.chain_head));
    assert_eq!((second.since, second.closed), (Since::Rows(first.rows), true));
    assert!(second.rows > first.rows);
    let left: Vec<_> = std::fs::read_dir(ground.dir.path())
        .expect("a folder")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .filter(|name| name.starts_with(".tmp"))
        .collect();
    assert!(left.is_empty(), "left lying about: {left:?}");
    // Where no evidence can be written nothing is sent.
    std::fs::remove_file(ground.dir.path().join("plan.json")).expect("gone");
    plan(&ground, &["--member", &ground.email("member")]);
    apply(&ground, &["--yes", "--evidence", "/nonexistent/pack.zip"]).expect(5).says(&["No file can be written"]);
}

#[test]
fn a_sweep_that_was_refused_after_it_was_opened_has_its_pack_and_one_that_was_not_opened_has_none() {
    let ground = ground_with(Options { members: 12, apps: 4, ..Options::default() });
    let file = ground.dir.path().join("plan.json").display().to_string();
    let pack = ground.dir.path().join("pack.zip");
    ground.admin(&["contain", "--app", "DataSync", "--unlisted", "keep", "--out", &file]).expect(0);
    ground.control("policy", json!({"third_party_connected_apps_allowed_type": "NOT_ALLOWED"}));
    let refused = apply(&ground, &["--yes", "--evidence", &pack.display().to_string()]).expect(5);
    let refused = refused.says(&["The organization's policy is not what the plan was made for"]);
    let sweep = sweep_of(&ground)["sweep_id"].as_str().expect("an id").to_owned();
    let refused = refused.says(&[&format!("Evidence of how far it went was written, of sweep {sweep}")]);
    let verified = both_take(ground.dir.path(), &std::fs::read(&pack).expect("a pack"), None);
    assert_eq!((verified.sweep_id.to_string(), verified.sent), (sweep, 0));
    assert_eq!(verified.not_attempted, verified.grants);
    assert!(refused.err.contains(&verified.head.to_string()), "{}", refused.err);
    // Expired before anything was opened.
    std::fs::remove_file(&file).expect("gone");
    plan(&ground, &["--member", &ground.email("member")]);
    let mut old: Value = serde_json::from_slice(&std::fs::read(&file).expect("the plan")).expect("JSON");
    old["expires_at"] = json!("2020-01-01T00:00:00.000Z");
    std::fs::write(&file, old.to_string()).expect("written");
    let none = ground.dir.path().join("none.zip");
    apply(&ground, &["--yes", "--evidence", &none.display().to_string()])
        .expect(5)
        .says(&["No evidence was written: it was refused before a sweep was opened"]);
    assert!(!none.exists());
}

#[test]
fn a_report_counts_the_grants_that_a_cut_list_lacked_and_nobody_could_tell_of() {
    let ground = ground_with(Options { members: 12, apps: 4, ..Options::default() });
    ground.admin(&["inventory"]).expect(0);
    ground.faults(json!({"list_cap": 3}));
    ground.faults(json!({"server_error_share": 1.0, "on": "/members/"}));
    let cut = ground.admin(&["inventory"]).expect(2).says(&["neither shown nor called gone"]);
    ground.faults(json!({"list_cap": null}));
    ground.faults(json!({"server_error_share": null, "on": "/members/"}));
    let told = cut.err.lines().filter(|line| line.contains("that an earlier reading had"));
    let untold: u32 = told.filter_map(|line| line.split(' ').next()?.parse::<u32>().ok()).sum();
    assert!(untold > 0, "{}", cut.err);
    let (file, pack) = (ground.dir.path().join("plan.json"), ground.dir.path().join("pack.zip"));
    ground.admin(&["plan", "--app", "DataSync", "--out", &file.display().to_string()]).expect(2);
    apply(&ground, &["--yes", "--evidence", &pack.display().to_string()]).expect(0);
    let mut files = take_apart(&std::fs::read(&pack).expect("a pack"));
    let report = String::from_utf8(self::file(&mut files, REPORT).clone()).expect("UTF-8");
    assert!(
        report.contains(&format!("that they were gone: {untold}. They are counted here and not named")),
        "{report}"
    );
}

#[test]
fn what_was_never_sent_is_called_not_attempted_and_is_not_asked_of_the_vendor() {
    let ground = ground_with(Options { members: 60, apps: 8, ..Options::default() });
    let planned = plan(&ground, &["--app", "DataSync"]);
    let path = ground.dir.path().join("pack.zip");
    ground.faults(json!({"role_lost_after": 15}));
    apply(&ground, &["--yes", "--evidence", &path.display().to_string()]).expect(3);
    let ledger = ground.ledger();
    let arrived = ledger["revocations"].as_array().expect("revocations");
    let sent: std::collections::BTreeSet<_> = arrived.iter().map(|row| row["member_id"].to_string()).collect();
    let mut files = take_apart(&std::fs::read(&path).expect("a pack"));
    let rows = String::from_utf8(file(&mut files, "rows.jsonl").clone()).expect("UTF-8");
    assert!(rows.contains("\"not_sent\""), "intents were on disk whose requests never left");
    let letter = String::from_utf8(file(&mut files, LETTER).clone()).expect("UTF-8");
    let report = String::from_utf8(file(&mut files, REPORT).clone()).expect("UTF-8");
    assert!(letter.contains(&format!("to revoke {} grants", sent.len())), "{letter}");
    let (revokes, _) = letter.split_once("Reads before").expect("two lists");
    assert_eq!(revokes.matches("    member     ").count(), arrived.len(), "{revokes}");
    assert!(!revokes.contains("never") && revokes.contains("did not leave our computer"), "{revokes}");
    let spared = report.matches("<td>not attempted").count();
    assert_eq!(spared, planned - sent.len(), "each grant that nothing was sent for");
    assert!(report.contains("the request did not leave this computer"), "some of them were about to be");
    assert!(!report.contains("Sent or about to be sent"), "{report}");

    // Every count keeps them apart, whatever the rules call them: nobody refused what nobody was asked.
    let verified = both_take(ground.dir.path(), &std::fs::read(&path).expect("a pack"), None);
    assert_eq!((verified.sent, verified.not_attempted), (sent.len() as u64, spared as u64));
    assert_eq!(verified.outcomes.values().sum::<u64>(), sent.len() as u64, "{:?}", verified.outcomes);
    let told = run(&["verify", &path.display().to_string(), "--json"]).expect(2).lines().remove(0);
    assert_eq!((&told["sent"], &told["not_attempted"]), (&json!(sent.len()), &json!(spared)));
    let told = run(&["verify", &path.display().to_string()]).expect(2).out;
    assert!(told.contains(&format!(", {spared} not attempted.")), "{told}");
    let table = String::from_utf8(file(&mut files, GRANTS).clone()).expect("UTF-8");
    assert_eq!(table.lines().filter(|line| line.split(',').nth(1) == Some("not_attempted")).count(), spared, "{table}");
    let of_report = format!("<td class=\"n\">{spared}</td><td class=\"out\">not attempted</td>");
    assert!(report.contains(&of_report), "{report}");
    let logged = sweep_of(&ground);
    let counted: u64 = logged["outcomes"].as_object().expect("counts").values().filter_map(Value::as_u64).sum();
    assert_eq!((counted, &logged["not_attempted"]), (sent.len() as u64, &json!(spared)), "{logged}");
}

#[test]
fn the_first_page_says_which_app_by_whom_when_why_and_the_head() {
    let (ground, _, bytes) = few();
    let first_page = |bytes: &[u8]| {
        let report = String::from_utf8(file(&mut take_apart(bytes), REPORT).clone()).expect("UTF-8");
        report.split("<h2>Outcome</h2>").next().expect("what stands before").to_owned()
    };
    let page = first_page(&bytes);
    let plan: Value =
        serde_json::from_slice(&std::fs::read(ground.dir.path().join("plan.json")).expect("the plan")).expect("JSON");
    let grants = plan["grants"].as_array().expect("grants");
    let app = grants[0]["connected_app_id"].as_str().expect("an id");
    let head = verify(&bytes, None).expect("sound").chain_head.to_string();
    let count = format!(": {} grants", grants.len());
    let organization = ground.sandbox.card().organization_id.clone();
    for word in ["DataSync", app, &count, &ground.email("admin"), &organization, "(UTC)", "SEC-2114", &head] {
        assert!(page.contains(word), "{word}: {page}");
    }

    // Of many the first few are named, the most of grants first, and how many more there are.
    let ground = ground_with(Options { members: 30, apps: 12, ..Options::default() });
    let apps: BTreeSet<String> = ground.truth().into_iter().map(|(_, app, _)| app).collect();
    let flags: Vec<&str> = apps.iter().flat_map(|app| ["--app", app.as_str()]).chain(["--first-party"]).collect();
    self::plan(&ground, &flags);
    let pack = ground.dir.path().join("pack.zip");
    apply(&ground, &["--yes", "--evidence", &pack.display().to_string()]);
    let page = first_page(&std::fs::read(pack).expect("the pack"));
    let named = apps.iter().filter(|app| page.contains(app.as_str())).count();
    assert_eq!(named, 5);
    assert!(page.contains(&format!("and {} apps more, which are named below", apps.len() - 5)), "{page}");
}

#[test]
fn a_report_fetches_nothing_runs_nothing_and_shows_hostile_text_as_text() {
    let (_ground, _, bytes) = few();
    let mut files = take_apart(&bytes);
    let report = String::from_utf8(file(&mut files, REPORT).clone()).expect("UTF-8");
    assert!(report.contains("content=\"default-src 'none'; style-src 'unsafe-inline'\""));
    let lower = report.to_lowercase();
    for word in
        ["<script", "javascript:", "onload", "onerror", "<img", "<iframe", "<link", "url(", "@import", "src=", "href="]
    {
        assert!(!lower.contains(word), "{word}");
    }
    assert!(report.contains("SEC-2114 &lt;b&gt;bold&lt;/b&gt;") && !report.contains("<b>bold</b>"));
    let letter = String::from_utf8(file(&mut files, LETTER).clone()).expect("UTF-8");
    let rows = String::from_utf8(file(&mut files, ROWS).clone()).expect("UTF-8");
    let mut ids = 0;
    for row in rows.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON")) {
        if row["kind"] == "answer" || row["kind"] == "read" {
            let id = row["request_id"].as_str().expect("an id");
            assert!(letter.contains(id), "the letter lacks {id}");
            assert!(report.contains(id), "the report lacks {id}");
            ids += 1;
        }
    }
    assert!(ids > 2);
    let people: Value = serde_json::from_slice(file(&mut files, PEOPLE)).expect("JSON");
    for entry in people["people"].as_array().expect("people").iter().filter(|entry| entry["kind"] == "member") {
        let text: Value = serde_json::from_str(entry["text"].as_str().expect("a text")).expect("JSON");
        assert!(!letter.contains(text["email"].as_str().expect("an address")), "the letter names a person");
    }
}

#[test]
fn a_head_can_be_given_to_a_timestamping_authority() {
    let (ground, _, bytes) = few();
    let sweep = sweep_of(&ground)["sweep_id"].as_str().expect("an id").to_owned();
    let path = |name: &str| ground.dir.path().join(name).display().to_string();
    let (out, request) = (path("again.zip"), path("head.tsq"));
    let export = ["export", sweep.as_str(), "--out", out.as_str(), "--timestamp-request", request.as_str()];
    ground.here(&export).expect(0);
    let head = verify(&bytes, None).expect("sound").head;
    let written = std::fs::read(&request).expect("written");
    assert_eq!(written.len(), 59);
    assert_eq!(written[24..56], head.0);
    ground.here(&export).expect(5).says(&["could not be written"]);
    // Where there is openssl, it reads it as what it is.
    if let Ok(told) = Command::new("openssl").args(["ts", "-query", "-text", "-in", &request]).output() {
        let told = String::from_utf8_lossy(&told.stdout).into_owned();
        for word in ["Version: 1", "Hash Algorithm: sha256", "Certificate required: yes"] {
            assert!(told.contains(word), "{word}: {told}");
        }
    }
}

#[test]
fn a_journal_that_was_edited_is_found_out() {
    let (ground, _, _) = few();
    ground.here(&["log", "--verify", "--json"]).expect(0);
    let sound = ground.here(&["log", "--verify", "--json"]).expect(0).lines();
    assert_eq!(sound[0]["chain"], "sound");
    let file = ground.state_dir().join(journal::FILE_NAME);
    let mut bytes = std::fs::read(&file).expect("the journal");
    let places: Vec<usize> =
        bytes.windows(11).enumerate().filter(|(_, part)| part == b"request-id-").map(|(at, _)| at).collect();
    assert!(!places.is_empty());
    places.iter().for_each(|at| bytes[*at + 8] = b'x');
    std::fs::write(&file, bytes).expect("edited");
    ground.here(&["log", "--verify"]).expect(5).says(&["not what it was"]);
    let sweep = sweep_of(&ground)["sweep_id"].as_str().expect("an id").to_owned();
    let out = ground.dir.path().join("again.zip");
    // What the journal can no longer vouch for leaves as no evidence: its rows have other hashes than those it noted.
    ground.here(&["export", &sweep, "--out", &out.display().to_string()]).expect(1).says(&["damaged"]);
    assert!(!out.exists());
}

#[test]
fn a_pack_of_every_shipped_version_is_taken_and_means_the_same() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/packs");
    let mut seen = 0;
    for entry in std::fs::read_dir(folder).expect("packs") {
        let path = entry.expect("an entry").path();
        if path.extension().is_none_or(|end| end != "zip") {
            continue;
        }
        let bytes = std::fs::read(&path).expect("a pack");
        let meant = std::fs::read(path.with_extension("json")).expect("what it means");
        let meant: Value = serde_json::from_slice(&meant).expect("JSON");
        let head: Hash = meant["head"].as_str().expect("a head").parse().expect("a hash");
        let dir = tempfile::tempdir().expect("a folder");
        let taken = both_take(dir.path(), &bytes, Some(head));
        let outcomes: serde_json::Map<String, Value> =
            taken.outcomes.iter().map(|(outcome, n)| (outcome.name().to_owned(), json!(n))).collect();
        assert_eq!(
            meant,
            json!({
                "head": taken.head.to_string(), "chain_head": taken.chain_head.to_string(), "rows": taken.rows,
                "grants": taken.grants, "closed": taken.closed, "outcomes": outcomes,
            }),
            "{}",
            path.display()
        );
        seen += 1;
    }
    assert!(seen > 0);
}

#[test]
fn a_restored_disk_image_is_told_and_nothing_is_resumed_from_it() {
    let ground = ground_with(Options { members: 60, apps: 8, ..Options::default() });
    plan(&ground, &["--app", "DataSync"]);
    ground.faults(json!({"role_lost_after": 15}));
    apply(&ground, &["--yes"]).expect(3);
    ground.faults(json!({"role_lost_after": null}));
    let image: Vec<(PathBuf, Vec<u8>)> = ground::files(&ground.state_dir());
    let requests = || ground.ledger()["revocations"].as_array().expect("revocations").len();

    // Carried on in the window, whose keyring notes how far the journal reaches.
    let vault = vault::Vault::memory(vault::Trouble::Missing);
    let file = ground.dir.path().join("plan.json");
    let resume = |desk: &cutoff::Desk, resume: bool| {
        let plan = cutoff::plan_file::PlanFile::read(&std::fs::read(&file).expect("the plan")).expect("a plan");
        let how = cutoff::sweeps::Apply { resume, ..cutoff::sweeps::Apply::default() };
        let (_wish, wishes) = tokio::sync::watch::channel(cutoff::sweep::Wish::Run);
        ground.runtime.block_on(desk.apply(&plan, &how, wishes, tokio::sync::watch::Sender::default(), None))
    };
    let desk = ground.window_with("admin", vault.clone());
    let done = resume(&desk, true).expect("it goes on");
    assert!(cutoff::sweeps::all_gone(&done), "{:?}", done.outcomes);
    assert_eq!(ground.runtime.block_on(desk.rolled_back()).expect("read"), None);
    let head = desk_head(&ground);
    drop(desk);

    // Back to the image: its sweep is unfinished again.
    std::fs::remove_dir_all(ground.state_dir()).expect("gone");
    for (path, bytes) in &image {
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        std::fs::write(path, bytes).expect("restored");
    }
    let sent = requests();
    let desk = ground.window_with("admin", vault.clone());
    let noted = ground.runtime.block_on(desk.rolled_back()).expect("read").expect("it is found out");
    assert_eq!(noted.head, head);
    let refused = resume(&desk, true).expect_err("it is not resumed");
    assert!(matches!(refused, cutoff::Error::Journal(journal::Error::RolledBack)), "{refused:?}");
    assert_eq!(requests(), sent, "nothing was sent");

    // Life goes on: a new plan is carried out, and what the image called unfinished stays what it was.
    let old = std::fs::read(&file).expect("the plan");
    std::fs::remove_file(&file).expect("gone");
    plan(&ground, &["--member", &ground.email("reader"), "--first-party"]);
    resume(&desk, false).expect("a new plan is carried out");
    assert_eq!(ground.runtime.block_on(desk.rolled_back()).expect("read"), None, "noted anew");
    std::fs::write(&file, old).expect("written");
    let refused = resume(&desk, true).expect_err("it is still not resumed");
    assert!(matches!(refused, cutoff::Error::Journal(journal::Error::RolledBack)), "{refused:?}");
}

fn desk_head(ground: &Ground) -> Hash {
    sweep_of(ground)["head"].as_str().expect("a head").parse().expect("a hash")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]
    #[test]
    fn whatever_is_done_to_a_pack_both_verifiers_refuse_it(changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0u8..4), 1..6)) {
        static SMALL: std::sync::OnceLock<(Ground, PathBuf, Vec<u8>)> = std::sync::OnceLock::new();
        let (ground, _, bytes) = SMALL.get_or_init(few);
        let mut changed = bytes.clone();
        for (place, byte, how) in changes {
            let at = place.index(changed.len());
            match how {
                0 => changed[at] = byte,
                1 => changed.insert(at, byte),
                2 => drop(changed.remove(at)),
                _ => changed.truncate(at.max(1)),
            }
        }
        prop_assume!(changed != *bytes);
        prop_assert!(verify(&changed, None).is_err());
        prop_assert_eq!(&second(ground.dir.path(), &[changed], None)[0]["verdict"], "broken");
    }
}

#[test]
fn a_token_is_in_no_pack() {
    let (ground, _, bytes) = few();
    let token = ground.token("admin");
    assert!(!bytes.windows(token.len()).any(|part| part == token.as_bytes()));
    let child = start(ground.command(&["log"]), &token);
    ground::end(child).expect(5);
}

// ---- what later readings show ----------------------------------------------------------------------------------------

#[test]
fn a_pack_that_is_made_after_a_grant_came_back_does_not_read_as_a_clean_end() {
    let (ground, _, before) = few();
    let sweep = sweep_of(&ground)["sweep_id"].as_str().expect("an id").to_owned();
    let plan: Value =
        serde_json::from_slice(&std::fs::read(ground.dir.path().join("plan.json")).expect("the plan")).expect("JSON");
    let text = |key: &str| plan["grants"][1][key].as_str().expect("an id").to_owned();
    let (member, app) = (text("member_id"), text("connected_app_id"));
    let packed = |name: &str| {
        let path = ground.dir.path().join(name).display().to_string();
        ground.here(&["export", &sweep, "--out", &path]).expect(0);
        let bytes = std::fs::read(path).expect("the pack");
        let (mut files, verified) = (take_apart(&bytes), both_take(ground.dir.path(), &bytes, None));
        let mut of = |name: &str| String::from_utf8(file(&mut files, name).clone()).expect("UTF-8");
        (of(REPORT), of(GRANTS), of(ROWS), verified)
    };
    let mut before = take_apart(&before);
    let title =
        |report: &str| report.split("</title>").next().expect("a title").rsplit('>').next().unwrap_or("").to_owned();
    let rows_before = String::from_utf8(file(&mut before, ROWS).clone()).expect("UTF-8");

    ground.admin(&["inventory"]).expect(0);
    let (report, _, _, _) = packed("clean.zip");
    assert!(title(&report).ends_with("gone by a later read") && !report.contains("Seen again"), "{}", title(&report));

    ground.control("consent", json!({"member_id": member, "connected_app_id": app, "scopes": ["openid"]}));
    ground.admin(&["inventory"]).expect(0);
    let (report, _, _, _) = packed("first.zip");
    let lines = ground.here(&["log", &sweep, "--json"]).expect(0).lines();
    let back: Vec<&Value> = lines.iter().filter(|line| line["seen_again_at"].is_string()).collect();
    assert_eq!(back.len(), 1, "{lines:?}");
    assert_eq!((&back[0]["member_id"], &back[0]["connected_app_id"]), (&json!(member), &json!(app)));
    let first_seen = back[0]["seen_again_at"].as_str().expect("a time").to_owned();
    assert!(title(&report).ends_with("gone by a later read; 1 seen again since"), "{}", title(&report));

    // Once more, later: when it was listed first stays, when last moves on.
    ground.admin(&["inventory"]).expect(0);
    let (report, table, rows, verified) = packed("second.zip");
    assert!(title(&report).ends_with("; 1 seen again since"), "{}", title(&report));
    let section = report.split("Seen again after it was gone</h2>").nth(1).expect("a section");
    let section = section.split("<h2>").next().expect("its end");
    for word in [&member, &app, "not part of the chained rows", "Stytch gives no way to tell"] {
        assert!(section.contains(word), "{word}: {section}");
    }
    assert!(section.contains(&format!("first {}", first_seen[..19].replace('T', " "))), "{first_seen}: {section}");
    let cells: Vec<&str> = table.lines().filter_map(|line| line.rsplit(',').next()).collect();
    assert_eq!(cells[0], "seen_again_at");
    let seen: Vec<&str> = cells.into_iter().skip(1).filter(|cell| !cell.is_empty()).collect();
    assert_eq!(seen, [first_seen], "of the one that came back, and of no other");
    assert_eq!(rows, rows_before, "the record is what it was");
    assert_eq!(verified.outcomes.keys().map(|outcome| outcome.name()).collect::<Vec<_>>(), ["revoked"]);
    let heading = ground.here(&["log", &sweep]).expect(0).out;
    assert!(heading.contains("But 1 grant was seen again since"), "{heading}");
}
