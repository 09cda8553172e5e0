//! Where a command sits down: the journal, the connection that it means, and the session on it. It prints nothing.

use std::io::{BufRead as _, IsTerminal as _, Read as _};
use std::sync::Arc;

use cutoff::clock::Clock;
use cutoff::connections::{Draft, IDENTIFIER};
use cutoff::inventory::shown::Shown;
use cutoff::{Desk, Error, Options, Status};
use jiff::Timestamp;
use journal::{Journal, SavedConnection};
use stytch_b2b::SessionToken;
use uuid::Uuid;
use vault::{Keeping, Trouble, Vault};
use zeroize::Zeroizing;

use crate::ending::{Ending, SESSION, api, keyring};
use crate::flags::Common;
use crate::next::command;
use crate::text::safe;

/// Longest session token that is read. Stytch's are some forty characters.
const LONGEST_TOKEN: usize = 4096;

/// A desk, and what the command line says of it.
pub struct Seat {
    /// The desk.
    pub desk: Desk,
    /// Its vault.
    pub vault: Vault,
    /// Whether JSON is asked for.
    pub json: bool,
    given: Given,
    token: Option<SessionToken>,
    clock: Clock,
}

/// Which connection is meant.
enum Given {
    Saved(String),
    Draft(Draft),
    LastUsed,
}

impl Seat {
    /// Opens the journal, and takes the session token off standard input if one is to be there. Sends nothing.
    ///
    /// # Errors
    /// What cannot be opened or read, before anything was sent.
    pub fn take(common: &Common) -> Result<Self, Ending> {
        let token = common.session_token_stdin.then(token_from_stdin).transpose()?;
        let state_dir = match &common.state_dir {
            Some(dir) => dir.clone(),
            None => match dirs::data_dir() {
                Some(dir) => dir.join(IDENTIFIER),
                None => {
                    return Err(Ending::usage(
                        "There is no data directory for this user. Name one with --state-dir DIR.",
                    ));
                }
            },
        };
        let journal = Journal::open(&state_dir).map_err(|error| Ending::journal_not_opened(&error))?;
        // A session that was handed over is stored nowhere, so the keyring is not even asked.
        let vault = if token.is_some() { Vault::memory(Trouble::Missing) } else { Vault::system(IDENTIFIER) };
        let given = match (&common.connection, &common.public_token) {
            (Some(name), _) => Given::Saved(name.clone()),
            (None, Some(public_token)) => Given::Draft(Draft {
                public_token: public_token.clone(),
                base_url: common.base_url.clone(),
                app_identifier: common.app_identifier.clone(),
                ..Draft::default()
            }),
            (None, None) => Given::LastUsed,
        };
        let desk = Desk::new(Arc::new(journal), Options::new(vault.clone()));
        Ok(Self { desk, vault, json: common.json, given, token, clock: Clock::default() })
    }

    /// This moment.
    pub fn now(&self) -> Timestamp {
        self.clock.now().utc
    }

    /// The connection that the command means; one that is named by its public token is saved.
    ///
    /// # Errors
    /// When there is none, or a name is that of several.
    pub async fn connection(&self) -> Result<SavedConnection, Ending> {
        let name = match &self.given {
            Given::Draft(draft) => return Ok(self.desk.add_connection(draft).await?),
            Given::Saved(name) => Some(name),
            Given::LastUsed => None,
        };
        let all = self.desk.connections().await?;
        let Some(name) = name else {
            return match all.as_slice() {
                // The one used last comes first; without any that was used, only a single one is meant beyond doubt.
                [first, rest @ ..] if first.last_used_utc.is_some() || rest.is_empty() => Ok(first.clone()),
                [] => Err(Ending::usage(
                    "There is no connection yet. Name one with --public-token TOKEN, and --base-url URL where it is not \
                     Stytch's own.",
                )),
                _ => Err(Ending::usage(format!(
                    "There are several connections and none was used yet. Name one with --connection. See: {}",
                    command(&["connections"])
                ))),
            };
        };
        let id = name.parse::<Uuid>().ok();
        let mut found = all.into_iter().filter(|saved| Some(saved.id) == id || saved.name == *name);
        match (found.next(), found.next()) {
            (Some(only), None) => Ok(only),
            (None, _) => {
                Err(Ending::usage(format!("There is no connection {}. See: {}", safe(name), command(&["connections"]))))
            }
            _ => Err(Ending::usage(format!(
                "Several connections are called {}. Name one by its id. See: {}",
                safe(name),
                command(&["connections"])
            ))),
        }
    }

    /// Sits down with a session on the connection: the one that was handed over, or the one that the keyring keeps.
    ///
    /// # Errors
    /// When there is none that lives.
    pub async fn sit(&self) -> Result<(), Ending> {
        if self.desk.session().is_ok() {
            return Ok(());
        }
        let connection = self.connection().await?;
        if let Some(token) = &self.token {
            return Ok(self.desk.sit_with(connection.id, token.clone()).await?);
        }
        self.desk.restore_at(Some(connection.id)).await?;
        let again = format!("Sign in with: {}", command(&["sign-in", "--connection", &connection.id.to_string()]));
        match self.desk.status().await {
            Status::SignedIn(_) => Ok(()),
            Status::SignedOut { kept: Some(error), .. } => {
                let Ending { code, sentence } = api(&error);
                Err(Ending::new(
                    code,
                    format!("A session is kept in the keyring, but it could not be checked. {sentence}"),
                ))
            }
            Status::SignedOut { ended: Some(ended), .. } => {
                let request = ended.request_id.map_or_else(String::new, |id| format!(" (request id {})", safe(&id)));
                Err(Ending::new(
                    SESSION,
                    format!("The session in {} has ended{request}. {again}", safe(&ended.organization_name)),
                ))
            }
            Status::SignedOut { keeping: Keeping::Memory(trouble), .. } => {
                Err(Ending::new(SESSION, format!("Nobody is signed in here. {}", keyring(trouble))))
            }
            Status::SignedOut { .. } => {
                Err(Ending::new(SESSION, format!("Nobody is signed in to {}. {again}", safe(&connection.name))))
            }
        }
    }

    /// Whether a session was handed over.
    pub fn handed_over(&self) -> bool {
        self.token.is_some()
    }

    /// The last snapshot of the connection that is meant, as far as that may be looked at without a session; `None`: there is none.
    ///
    /// # Errors
    /// When the journal cannot be read, or there is no such connection.
    pub async fn kept(&self) -> Result<Option<Arc<Shown>>, Ending> {
        let connection = match &self.given {
            Given::LastUsed => None,
            _ => Some(self.connection().await?.id),
        };
        match self.desk.shown().await {
            Ok(shown) => Ok(Some(shown).filter(|shown| connection.is_none_or(|id| shown.place.connection_id == id))),
            Err(Error::NothingRead) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

/// The first line of standard input.
fn token_from_stdin() -> Result<SessionToken, Ending> {
    let stdin = std::io::stdin();
    if stdin.is_terminal() {
        return Err(Ending::usage(
            "--session-token-stdin takes the token from a pipe or a file: typed in, it would stay on the screen.",
        ));
    }
    let mut line = Zeroizing::new(String::with_capacity(LONGEST_TOKEN + 2));
    let read = stdin.lock().take(LONGEST_TOKEN as u64 + 2).read_line(&mut line);
    let token = line.trim_end_matches(['\n', '\r']);
    let fits = (1..=LONGEST_TOKEN).contains(&token.len()) && token.bytes().all(|byte| byte.is_ascii_graphic());
    // Whatever was wrong with it, it is not repeated: it may be a secret all the same.
    if read.is_err() || !fits {
        return Err(Ending::usage(
            "The first line of standard input is not a session token. Give the token alone, without blanks.",
        ));
    }
    Ok(SessionToken::new(token.to_owned()))
}
