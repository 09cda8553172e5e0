//! Text on a terminal: what others wrote made harmless, tables cut to the width there is. It decides nothing about what is
//! shown.

use std::fmt::Write as _;
use std::io::{self, Write};

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Blanks between two columns.
const GAP: usize = 2;
/// The narrowest that a column of texts is cut to, as long as there is room for all of them at that width.
const NARROWEST: usize = 8;
/// The widest that a cell is where no terminal says how wide it is.
const WIDEST: usize = 80;

/// Whether a character would do something to a terminal, to what stands around it, or to nothing that can be seen: controls,
/// what reorders text, and what is drawn as nothing.
fn harmful(c: char) -> bool {
    c.is_control()
        || matches!(u32::from(c),
            0xAD | 0x34F | 0x61C | 0x115F..=0x1160 | 0x17B4..=0x17B5 | 0x180B..=0x180F | 0x200B..=0x200F
            | 0x2028..=0x202E | 0x2060..=0x206F | 0x2800 | 0x3164 | 0xFE00..=0xFE0F | 0xFEFF | 0xFFA0 | 0xFFF0..=0xFFFB
            | 0x1BCA0..=0x1BCA3 | 0x1D173..=0x1D17A | 0xE0000..=0xE0FFF)
}

/// A text that others wrote, on one line and harmless: what a terminal would act on, and what nobody could see, is written out
/// as `<U+202E>`.
#[must_use]
pub fn safe(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut drawn = false;
    for c in text.chars() {
        // How an emoji is drawn is no secret; between other characters it would be.
        if matches!(c, '\u{FE0E}' | '\u{FE0F}') && drawn {
            continue;
        }
        if harmful(c) {
            let _ = write!(out, "<U+{:04X}>", u32::from(c));
        } else {
            out.push(c);
        }
        drawn = u32::from(c) >= 0x2000 && !harmful(c);
    }
    out
}

/// [`safe`], of a text with lines of its own.
#[must_use]
pub fn lines(text: &str) -> String {
    text.split('\n').map(|line| safe(line.trim_end_matches('\r'))).collect::<Vec<_>>().join("\n")
}

/// Cuts a harmless text to so many columns; what was cut off is marked. Marks that stand on a letter take no column, so that
/// there are never more of them than a script needs.
#[must_use]
pub fn cut(text: &str, columns: usize) -> String {
    /// Accents on one letter that are drawn at the most.
    const MARKS: usize = 4;
    let mut out = String::new();
    let (mut used, mut marks) = (0, 0);
    // Where the text still has room for the sign that says it was cut.
    let mut room_for_sign = 0;
    for c in text.chars() {
        let wide = c.width().unwrap_or(0);
        marks = if wide == 0 { marks + 1 } else { 0 };
        if marks > MARKS {
            continue;
        }
        if used + wide > columns {
            out.truncate(room_for_sign);
            if columns > 0 {
                out.push('…');
            }
            return out;
        }
        out.push(c);
        used += wide;
        if used < columns {
            room_for_sign = out.len();
        }
    }
    out
}

/// A word as a shell takes it for one, whatever stands in it.
#[must_use]
pub fn typed(id: &str) -> String {
    let plain = id.chars().all(|c| c.is_ascii_alphanumeric() || "-_.:/@".contains(c));
    if plain && !id.is_empty() { id.to_owned() } else { format!("'{}'", safe(id).replace('\'', "'\\''")) }
}

/// What stands in a cell that has nothing to say.
pub const NOTHING: &str = "–";

/// How a column is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Set {
    /// Texts.
    Left,
    /// Numbers.
    Right,
}

/// A table.
#[derive(Debug)]
pub struct Table {
    heads: Vec<(&'static str, Set)>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table without rows.
    #[must_use]
    pub fn new(heads: &[(&'static str, Set)]) -> Self {
        Self { heads: heads.to_vec(), rows: Vec::new() }
    }

    /// Adds a row. Its texts are made harmless here, so that no caller can forget to.
    pub fn row(&mut self, cells: impl IntoIterator<Item = impl AsRef<str>>) {
        self.rows.push(cells.into_iter().map(|cell| safe(cell.as_ref())).collect());
    }

    /// Writes it, cut to so many columns; `None`: nothing says how wide the output is, as in a file.
    ///
    /// # Errors
    /// What the output says.
    pub fn write(&self, out: &mut dyn Write, terminal: Option<usize>) -> io::Result<()> {
        let mut widths: Vec<usize> = self.heads.iter().map(|(head, _)| head.width()).collect();
        let mut says_something = vec![self.rows.is_empty(); widths.len()];
        for row in &self.rows {
            for (at, cell) in row.iter().enumerate().take(widths.len()) {
                widths[at] = widths[at].max(cut(cell, WIDEST).width());
                says_something[at] |= !matches!(cell.as_str(), "" | NOTHING);
            }
        }
        let mut shown: Vec<usize> = (0..widths.len()).collect();
        if let Some(columns) = terminal {
            let needed = |shown: &[usize]| shown.iter().map(|at| widths[*at] + GAP).sum::<usize>().saturating_sub(GAP);
            if needed(&shown) > columns {
                // Where room is short, a column in which nothing stands is no loss.
                shown.retain(|at| says_something[*at]);
            }
            let room = columns.saturating_sub(GAP * shown.len().saturating_sub(1));
            self.narrow(&mut widths, &shown, room);
        }
        let heads: Vec<String> = self.heads.iter().map(|(head, _)| (*head).to_owned()).collect();
        for row in std::iter::once(&heads).chain(&self.rows) {
            let mut line = String::new();
            for &at in &shown {
                let width = widths[at];
                let cell = cut(row.get(at).map_or("", String::as_str), width);
                let blanks = " ".repeat(width.saturating_sub(cell.width()));
                match self.heads[at].1 {
                    Set::Left => line.extend([cell.as_str(), &blanks]),
                    Set::Right => line.extend([blanks.as_str(), &cell]),
                }
                line.push_str(&" ".repeat(GAP));
            }
            writeln!(out, "{}", line.trim_end())?;
        }
        Ok(())
    }

    /// Makes columns narrower until they fit: first what takes more than a third of the room, as a hostile name does, then texts
    /// from the last column on, since what a row is about stands first; numbers only when nothing else helps.
    fn narrow(&self, widths: &mut [usize], shown: &[usize], room: usize) {
        let total = |widths: &[usize]| shown.iter().map(|at| widths[*at]).sum::<usize>();
        for &at in shown {
            if total(widths) > room {
                widths[at] = widths[at].min((room / 3).max(NARROWEST));
            }
        }
        for &at in shown.iter().rev().filter(|at| self.heads[**at].1 == Set::Left) {
            let over = total(widths).saturating_sub(room);
            widths[at] = widths[at].saturating_sub(over).max(widths[at].min(NARROWEST));
        }
        while total(widths) > room {
            let Some(widest) = shown.iter().copied().max_by_key(|at| widths[*at]).filter(|at| widths[*at] > 1) else {
                return;
            };
            widths[widest] -= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_act_on_the_terminal_that_shows_it() {
        for (hostile, shown) in [
            ("\u{1b}[2J\u{1b}]0;owned\u{7}", "<U+001B>[2J<U+001B>]0;owned<U+0007>"),
            ("\u{9b}31m", "<U+009B>31m"),
            ("invoice\u{202e}fdp.exe", "invoice<U+202E>fdp.exe"),
            ("Cl\u{200b}aude", "Cl<U+200B>aude"),
            ("two\nlines\r\ttabs", "two<U+000A>lines<U+000D><U+0009>tabs"),
            ("\u{e0041}tag", "<U+E0041>tag"),
            ("plain – Zoë 漢字", "plain – Zoë 漢字"),
            ("☎\u{fe0f}", "☎"),
            ("a\u{fe0f}", "a<U+FE0F>"),
        ] {
            assert_eq!(safe(hostile), shown);
        }
    }

    #[test]
    fn an_id_that_would_be_a_command_is_one_word_to_a_shell() {
        assert_eq!(typed("member-test-1:connected-app-test-2"), "member-test-1:connected-app-test-2");
        assert_eq!(typed("a; rm -rf $HOME"), "'a; rm -rf $HOME'");
        assert_eq!(typed("it's\u{1b}[2J"), "'it'\\''s<U+001B>[2J'");
    }

    #[test]
    fn a_cell_is_never_wider_than_its_column() {
        let texts =
            ["漢字漢字漢字", "abcdefghij", "é", "", &"z\u{301}".repeat(9), &format!("a{}", "\u{301}".repeat(10_000))];
        for text in texts {
            for columns in 0..14 {
                let cut = cut(text, columns);
                assert!(cut.width() <= columns, "{cut:?} in {columns}");
                assert!(cut.chars().count() <= 5 * columns.max(1), "{} characters in {columns}", cut.chars().count());
            }
        }
        assert_eq!(cut("abcdef", 4), "abc…");
        assert_eq!(cut("abcd", 4), "abcd");
        assert_eq!(cut("漢字漢", 4), "漢…");
    }

    #[test]
    fn no_line_of_a_table_is_wider_than_the_terminal() {
        let mut table = Table::new(&[("NAME", Set::Left), ("MEMBERS", Set::Right), ("SCOPES", Set::Left)]);
        table.row([&"漢".repeat(10_000), "12345", &"scope ".repeat(500)]);
        table.row(["short\u{1b}[31m", "7", ""]);
        for columns in [20, 40, 80, 200] {
            let mut out = Vec::new();
            table.write(&mut out, Some(columns)).expect("memory takes it");
            let text = String::from_utf8(out).expect("text");
            assert_eq!(text.lines().count(), 3);
            for line in text.lines() {
                assert!(line.width() <= columns, "{} columns in {columns}: {line}", line.width());
            }
            assert!(!text.contains('\u{1b}'));
            assert!(columns < 40 || text.contains(" 12345 "), "a number was cut: {text}");
        }
    }
}
