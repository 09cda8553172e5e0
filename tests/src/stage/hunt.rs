//! Looking for secrets where none may be: in files, in processes, in the properties of windows. It reads bytes and understands
//! nothing, so that no encoding of a file hides anything but a real cipher.

use std::path::Path;

use base64::Engine as _;

/// A secret in a place where it may not be. The secret itself is not told again.
#[derive(Debug, PartialEq, Eq)]
pub struct Finding {
    /// Where.
    pub place: String,
    /// Which of the needles, by its number.
    pub needle: usize,
}

/// The forms in which a secret may turn up: as it is, in base64 of either alphabet, percent-encoded, and in the two bytes a
/// character that some databases write.
#[must_use]
pub fn needles(secrets: &[String]) -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    for secret in secrets {
        let bytes = secret.as_bytes();
        found.push(bytes.to_vec());
        // Without the end: padding depends on what follows.
        for engine in
            [base64::engine::general_purpose::STANDARD_NO_PAD, base64::engine::general_purpose::URL_SAFE_NO_PAD]
        {
            let encoded = engine.encode(&bytes[..bytes.len() / 3 * 3]);
            found.push(encoded.into_bytes());
        }
        found.push(bytes.iter().flat_map(|byte| [*byte, 0]).collect());
        let percent: String =
            secret
                .chars()
                .map(|c| {
                    if c.is_alphanumeric() || "-_.~".contains(c) { c.to_string() } else { format!("%{:02X}", c as u32) }
                })
                .collect();
        found.push(percent.into_bytes());
    }
    found.retain(|needle| needle.len() >= 12);
    found.sort();
    found.dedup();
    found
}

/// Looks into some bytes.
#[must_use]
pub(crate) fn bytes(place: &str, hay: &[u8], needles: &[Vec<u8>]) -> Vec<Finding> {
    let mut found = Vec::new();
    for (number, needle) in needles.iter().enumerate() {
        if hay.windows(needle.len()).any(|window| window[0] == needle[0] && window == needle) {
            found.push(Finding { place: place.to_owned(), needle: number });
        }
    }
    found
}

/// Looks into every file below, and counts them. Links are not followed: what they point to is looked at where it lies.
pub(crate) fn files(dir: &Path, needles: &[Vec<u8>], count: &mut usize) -> Vec<Finding> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
        let path = entry.path();
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => found.extend(files(&path, needles, count)),
            Ok(kind) if kind.is_file() => {
                *count += 1;
                let place = path.display().to_string();
                found.extend(bytes(&format!("the name {place}"), place.as_bytes(), needles));
                match std::fs::read(&path) {
                    Ok(hay) => found.extend(bytes(&place, &hay, needles)),
                    // A temporary file may go while it is looked for.
                    Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                    Err(error) => panic!("{place} cannot be read, so nothing is known about it: {error}"),
                }
            }
            _ => {}
        }
    }
    found
}

/// Looks at what a process shows to whoever lists processes: its arguments, its environment, its name.
pub(crate) fn process(pid: u32, needles: &[Vec<u8>]) -> Vec<Finding> {
    let proc = Path::new("/proc").join(pid.to_string());
    let mut found = Vec::new();
    for name in ["cmdline", "environ", "comm"] {
        if let Ok(hay) = std::fs::read(proc.join(name)) {
            found.extend(bytes(&format!("/proc/{pid}/{name}"), &hay, needles));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::{bytes, files, needles, process};

    #[test]
    fn a_planted_secret_is_found_in_each_of_its_forms() {
        let secret = "WJtR5BCy38Szd5AfoDpf0iqFKEt4EE5JhjlWUY7l3FtY".to_owned();
        let needles = needles(std::slice::from_ref(&secret));
        let dir = tempfile::tempdir().expect("a directory");
        let plant = |name: &str, hay: &[u8]| std::fs::write(dir.path().join(name), hay).expect("a file");
        let mut count = 0;
        plant("clean", b"nothing to see");
        assert!(files(dir.path(), &needles, &mut count).is_empty());
        assert_eq!(count, 1);
        plant("raw", format!("xx{secret}yy").as_bytes());
        use base64::Engine as _;
        plant("base64", base64::engine::general_purpose::STANDARD.encode(&secret).as_bytes());
        plant("wide", &secret.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>());
        plant(&secret, b"in the name");
        let places: std::collections::BTreeSet<_> =
            files(dir.path(), &needles, &mut count).into_iter().map(|finding| finding.place).collect();
        assert_eq!(places.len(), 4, "{places:?}");
        assert!(bytes("x", &secret.as_bytes()[1..], &needles).is_empty(), "a part is not the secret");
    }

    #[test]
    fn a_secret_among_the_arguments_of_a_process_is_found() {
        use std::io::BufRead as _;
        use std::process::Stdio;
        let secret = "canary-in-the-arguments".to_owned();
        let mut child = std::process::Command::new("sh")
            .args(["-c", "echo here; read _", &secret])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a shell");
        // A process that has just been started shows no arguments for a moment.
        let mut line = String::new();
        let mut said = std::io::BufReader::new(child.stdout.take().expect("its output"));
        said.read_line(&mut line).expect("a line");
        let found = process(child.id(), &needles(&[secret]));
        child.kill().and_then(|()| child.wait()).expect("it ends");
        assert!(!found.is_empty());
    }
}
