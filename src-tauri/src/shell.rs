//! What the commands share: the desk, and the sandbox if one was started.

use std::sync::{Arc, Mutex};

use contract::refusal::Refusal;
use cutoff::Desk;
use cutoff::connections::Draft;
use journal::{Journal, SavedConnection};
use sandbox::Sandbox;
use uuid::Uuid;

use crate::{Options, map};

/// The state behind every command.
pub struct Shell {
    /// The desk, or why there is none.
    desk: Result<Arc<Desk>, String>,
    /// The sandbox of this run. Held while it is started, so that two clicks start one.
    sandbox: tokio::sync::Mutex<Option<(Sandbox, SavedConnection)>>,
    /// The connection that the command line named. Held for a look.
    first: Mutex<Option<Uuid>>,
}

impl Shell {
    pub(crate) fn open(options: Options) -> Self {
        let desk = match Journal::open(&options.state_dir) {
            Ok(journal) => {
                let mut desk = cutoff::Options::new(options.vault);
                desk.timeouts = options.timeouts;
                desk.pace = options.pace;
                desk.rules = options.rules;
                if let Some(observer) = options.observer {
                    desk.observer = observer;
                }
                Ok(Arc::new(Desk::new(Arc::new(journal), desk)))
            }
            Err(error) => {
                tracing::error!(%error, "the journal cannot be opened");
                Err(map::journal_fault(&error).to_owned())
            }
        };
        Self { desk, sandbox: tokio::sync::Mutex::default(), first: Mutex::default() }
    }

    /// The desk.
    ///
    /// # Errors
    /// [`Refusal::Journal`] when the journal could not be opened.
    pub fn desk(&self) -> Result<&Arc<Desk>, Refusal> {
        self.desk.as_ref().map_err(|fault| Refusal::Journal { fault: fault.clone(), sent: false })
    }

    /// Puts a connection first in every list: the one that the command line named.
    pub fn put_first(&self, id: Uuid) {
        *self.first.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(id);
    }

    pub(crate) fn first(&self) -> Option<Uuid> {
        *self.first.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Starts the sandbox, once, and answers the connection that leads to it.
    ///
    /// # Errors
    /// [`Refusal::Journal`] without a desk; [`Refusal::Offline`] when no port could be had.
    pub async fn sandbox(&self) -> Result<contract::connections::SandboxOffer, Refusal> {
        let desk = self.desk()?;
        let mut running = self.sandbox.lock().await;
        if running.is_none() {
            let sandbox = Sandbox::start(sandbox::Options::default()).await.map_err(|error| {
                let message = Some(error.to_string());
                Refusal::Offline(contract::refusal::Problem { message, ..Default::default() })
            })?;
            let card = sandbox.card();
            let draft = Draft {
                public_token: card.public_token.clone(),
                base_url: Some(card.url.clone()),
                app_identifier: Some(card.bundle_id.clone()),
                ..Draft::default()
            };
            let connection = desk.add_passing_connection(&draft, "Sandbox").map_err(map::refusal)?;
            *running = Some((sandbox, connection));
        }
        match running.as_ref() {
            Some((sandbox, connection)) => Ok(map::sandbox_offer(sandbox.card(), connection)),
            None => Err(Refusal::OutOfOrder),
        }
    }

    /// The letters in the sandbox's inbox, newest first; none when no sandbox runs.
    pub async fn letters(&self) -> Vec<contract::connections::Letter> {
        match self.sandbox.lock().await.as_ref() {
            Some((sandbox, _)) => map::letters(sandbox.inbox()),
            None => Vec::new(),
        }
    }
}
