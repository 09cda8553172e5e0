//! The one file that a pack is: a ZIP archive in exactly one form, so that its content has one spelling and every changed byte,
//! in a header too, shows. It is not a ZIP library: what is not in this form is refused, whatever other programs make of it.
//!
//! The form: entries one after the other in a fixed order, stored and not compressed, dated 1980-01-01 00:00, for the owner's
//! eyes only where a program heeds that; no comments, no extra fields, no data descriptors, nothing before and nothing behind.
//! Offsets are those of ZIP APPNOTE 6.3, sections 4.3.7, 4.3.12 and 4.3.16.

/// The largest file that is looked at, in bytes. 100,000 grants make a pack of about a fifth of it.
pub const LARGEST: u64 = 512 * 1024 * 1024;

const LOCAL: u32 = 0x0403_4b50;
const CENTRAL: u32 = 0x0201_4b50;
const END: u32 = 0x0605_4b50;
/// Length of a local header without its name.
const LOCAL_LENGTH: usize = 30;
/// The first day that a ZIP can name: the moment a pack is written is no part of it, so that equal rows make equal packs.
const DAY: u16 = 0x21;
/// "Stored" needs version 1.0 of the format.
const NEEDS: u16 = 10;
/// Made by version 3.0 on Unix, so that the permissions below are heeded.
const MADE_BY: u16 = 0x031e;
/// A plain file, read and written by its owner.
const MODE: u32 = 0o100_600 << 16;

/// Writes entries in the one form. `None`: they are larger than a pack can be.
pub(crate) fn write(entries: &[(&str, &[u8])]) -> Option<Vec<u8>> {
    let size: u64 = entries.iter().map(|(name, data)| 2 * name.len() as u64 + data.len() as u64 + 76).sum();
    if size + 22 > LARGEST {
        return None;
    }
    // Below `LARGEST` every length and offset fits.
    let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let mut out = Vec::with_capacity(usize::try_from(size + 22).unwrap_or(0));
    let mut directory = Vec::new();
    for (name, data) in entries {
        let offset = number(out.len());
        let mut shared = Vec::with_capacity(26);
        for part in [NEEDS, 0, 0, 0, DAY] {
            shared.extend(part.to_le_bytes());
        }
        for part in [crc32fast::hash(data), number(data.len()), number(data.len())] {
            shared.extend(part.to_le_bytes());
        }
        for part in [u16::try_from(name.len()).unwrap_or(u16::MAX), 0] {
            shared.extend(part.to_le_bytes());
        }
        out.extend(LOCAL.to_le_bytes());
        out.extend(&shared);
        out.extend(name.as_bytes());
        out.extend(*data);
        directory.extend(CENTRAL.to_le_bytes());
        directory.extend(MADE_BY.to_le_bytes());
        directory.extend(&shared);
        directory.extend([0; 6]);
        directory.extend(MODE.to_le_bytes());
        directory.extend(offset.to_le_bytes());
        directory.extend(name.as_bytes());
    }
    let (start, count) = (number(out.len()), u16::try_from(entries.len()).unwrap_or(u16::MAX));
    out.extend(&directory);
    out.extend(END.to_le_bytes());
    for part in [0, 0, count, count] {
        out.extend(part.to_le_bytes());
    }
    for part in [number(directory.len()), start] {
        out.extend(part.to_le_bytes());
    }
    out.extend(0u16.to_le_bytes());
    Some(out)
}

/// The entries of an archive, borrowed from it. `None`: it is not byte for byte the one form of its own content.
pub(crate) fn read(bytes: &[u8]) -> Option<Vec<(&str, &[u8])>> {
    let mut entries = Vec::new();
    let mut at = 0;
    loop {
        let header = bytes.get(at..)?;
        if !header.starts_with(&LOCAL.to_le_bytes()) {
            break;
        }
        let header = header.get(..LOCAL_LENGTH)?;
        let size = u32::from_le_bytes(header[18..22].try_into().ok()?) as usize;
        let length = usize::from(u16::from_le_bytes(header[26..28].try_into().ok()?));
        let name = at + LOCAL_LENGTH;
        let data = name.checked_add(length)?;
        let end = data.checked_add(size)?;
        entries.push((std::str::from_utf8(bytes.get(name..data)?).ok()?, bytes.get(data..end)?));
        // No pack has nearly so many files, and each costs nothing but a few bytes to claim.
        if entries.len() > 16 {
            return None;
        }
        at = end;
    }
    // What no single field could tell (a changed date, a flag, a comment, another order) the comparison does.
    (write(&entries)? == bytes).then_some(entries)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_archive_reads_back_and_every_changed_bit_of_it_shows() {
        let entries: [(&str, &[u8]); 3] = [("a.json", b"{}"), ("b.txt", b""), ("c", b"some bytes")];
        let bytes = write(&entries).unwrap();
        assert_eq!(read(&bytes).unwrap(), entries);
        for at in 0..bytes.len() {
            for bit in 0..8 {
                let mut changed = bytes.clone();
                changed[at] ^= 1 << bit;
                assert_eq!(read(&changed), None, "bit {bit} of byte {at}");
            }
        }
        for cut in 0..bytes.len() {
            assert_eq!(read(&bytes[..cut]), None, "cut at {cut}");
        }
        assert_eq!(read(&[&bytes[..], b"\0"].concat()), None);
        assert_eq!(read(&[b"\0", &bytes[..]].concat()), None);
    }
}
