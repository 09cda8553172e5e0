//! A display of its own, and what every window on it says about itself.

use std::process::Stdio;
use std::time::Duration;

use x11rb::CURRENT_TIME;
use x11rb::connection::Connection as _;
use x11rb::protocol::xproto::{
    AtomEnum, ClientMessageEvent, ConnectionExt as _, EventMask, InputFocus, KEY_PRESS_EVENT, KEY_RELEASE_EVENT,
    MapState, Window,
};
use x11rb::protocol::xtest::ConnectionExt as _;

use super::process::{Group, bare};
use super::{Home, Mishap, Played};

/// Key symbols of X11.
const SHIFT: u32 = 0xffe1;
const ENTER: u32 = 0xff0d;
const CONTROL: u32 = 0xffe3;
/// A dialog that completes what is typed must keep up.
const BETWEEN_KEYS: Duration = Duration::from_millis(15);

/// A virtual display.
pub(crate) struct Display {
    name: String,
    _server: Group,
}

impl Display {
    /// Starts one under a number that is free.
    pub(crate) fn start(home: &Home) -> Played<Self> {
        let mut command = bare("Xvfb");
        home.dress(&mut command);
        // The server picks the number itself and says which: looking for a free one and taking it later would be a race.
        command.args(["-displayfd", "1", "-screen", "0", "1600x1000x24", "-nolisten", "tcp", "-noreset"]);
        let mut server = Group::start(command.stdout(Stdio::piped()), "xvfb")?;
        let number = server.first_line("Xvfb")?;
        Ok(Self { name: format!(":{number}"), _server: server })
    }

    /// Its name, `:7`.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Every property of every window: titles, names, hints, whatever else is hung on them.
    pub(crate) fn properties(&self) -> Played<Vec<(String, Vec<u8>)>> {
        let (x, screen) = x11rb::connect(Some(&self.name)).map_err(display)?;
        let mut found = Vec::new();
        for window in windows(&x, x.setup().roots[screen].root)? {
            let properties = x.list_properties(window).map_err(display)?.reply();
            // A window may go while it is looked at.
            let Ok(properties) = properties else { continue };
            for atom in properties.atoms {
                let name = x.get_atom_name(atom).map_err(display)?.reply().map_err(display)?;
                let value = x.get_property(false, window, atom, AtomEnum::ANY, 0, 1 << 20).map_err(display)?.reply();
                let Ok(value) = value else { continue };
                found.push((String::from_utf8_lossy(&name.name).into_owned(), value.value));
            }
        }
        Ok(found)
    }

    /// Closes every window as a person does: by asking it to.
    pub(crate) fn close_windows(&self) -> Played {
        let (x, screen) = x11rb::connect(Some(&self.name)).map_err(display)?;
        let atom = |name: &str| -> Played<u32> {
            Ok(x.intern_atom(false, name.as_bytes()).map_err(display)?.reply().map_err(display)?.atom)
        };
        let (protocols, close) = (atom("WM_PROTOCOLS")?, atom("WM_DELETE_WINDOW")?);
        for window in windows(&x, x.setup().roots[screen].root)? {
            let asked = x.get_property(false, window, protocols, AtomEnum::ATOM, 0, 64).map_err(display)?.reply();
            let understands =
                asked.is_ok_and(|asked| asked.value32().is_some_and(|mut atoms| atoms.any(|atom| atom == close)));
            if understands {
                let message = ClientMessageEvent::new(32, window, protocols, [close, 0, 0, 0, 0]);
                x.send_event(false, window, EventMask::NO_EVENT, message).map_err(display)?;
            }
        }
        x.flush().map_err(display)
    }
}

impl Display {
    /// Whether a dialog of the system's lies over the app, as one for choosing a file does.
    pub(crate) fn dialog(&self) -> Played<Option<Window>> {
        let (x, screen) = x11rb::connect(Some(&self.name)).map_err(display)?;
        let atom = |name: &str| -> Played<u32> {
            Ok(x.intern_atom(false, name.as_bytes()).map_err(display)?.reply().map_err(display)?.atom)
        };
        let (kind, wanted) = (atom("_NET_WM_WINDOW_TYPE")?, atom("_NET_WM_WINDOW_TYPE_DIALOG")?);
        for window in windows(&x, x.setup().roots[screen].root)? {
            let told = x.get_property(false, window, kind, AtomEnum::ATOM, 0, 8).map_err(display)?.reply();
            let seen = x.get_window_attributes(window).map_err(display)?.reply();
            if told.is_ok_and(|told| told.value32().is_some_and(|mut all| all.any(|one| one == wanted)))
                && seen.is_ok_and(|seen| seen.map_state == MapState::VIEWABLE)
            {
                return Ok(Some(window));
            }
        }
        Ok(None)
    }

    /// Types a path into a dialog for choosing a file as a keyboard would, and presses Enter. There is no window manager to give it
    /// the focus.
    pub(crate) fn type_into(&self, window: Window, text: &str) -> Played {
        let (x, screen) = x11rb::connect(Some(&self.name)).map_err(display)?;
        let root = x.setup().roots[screen].root;
        let (least, most) = (x.setup().min_keycode, x.setup().max_keycode);
        let keys = x.get_keyboard_mapping(least, most - least + 1).map_err(display)?.reply().map_err(display)?;
        let wide = usize::from(keys.keysyms_per_keycode);
        let find = |wanted: u32| -> Played<(u8, bool)> {
            let column = |at: usize| keys.keysyms.iter().skip(at).step_by(wide).position(|&one| one == wanted);
            let found = column(0).map(|row| (row, false)).or_else(|| column(1).map(|row| (row, true)));
            let (row, shift) = found.ok_or_else(|| Mishap::new(format!("no key for {wanted:#x}")))?;
            Ok((least + u8::try_from(row).unwrap_or_default(), shift))
        };
        x.set_input_focus(InputFocus::POINTER_ROOT, window, CURRENT_TIME).map_err(display)?;
        let fake = |kind: u8, key: u8| -> Played {
            x.xtest_fake_input(kind, key, CURRENT_TIME, root, 0, 0, 0).map_err(display)?.check().map_err(display)
        };
        let press = |held: Option<u32>, symbol: u32| -> Played {
            let (key, shifted) = find(symbol)?;
            let held = held.or(shifted.then_some(SHIFT)).map(find).transpose()?;
            let (down, up) = (KEY_PRESS_EVENT, KEY_RELEASE_EVENT);
            held.map_or(Ok(()), |(held, _)| fake(down, held))?;
            fake(down, key)?;
            fake(up, key)?;
            held.map_or(Ok(()), |(held, _)| fake(up, held))?;
            std::thread::sleep(BETWEEN_KEYS);
            Ok(())
        };
        // GTK's dialog: to the line for a path, whatever it shows, and over what is in it. Latin letters are their own symbols.
        press(Some(CONTROL), u32::from('l'))?;
        press(Some(CONTROL), u32::from('a'))?;
        text.chars().try_for_each(|letter| press(None, u32::from(letter)))?;
        press(None, ENTER)?;
        x.flush().map_err(display)
    }
}

/// All windows, from the root down.
fn windows(x: &impl x11rb::connection::Connection, root: Window) -> Played<Vec<Window>> {
    let mut found = vec![root];
    let mut at = 0;
    while let Some(window) = found.get(at).copied() {
        if let Ok(tree) = x.query_tree(window).map_err(display)?.reply() {
            found.extend(tree.children);
        }
        at += 1;
    }
    Ok(found)
}

fn display(error: impl std::fmt::Display) -> Mishap {
    Mishap::new(format!("the display: {error}"))
}
