//! What the commands share: the desk, and the sandbox if one was started.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock};

use contract::refusal::Refusal;
use contract::sweeps::{TrayWords, WindowNotice};
use cutoff::Desk;
use cutoff::connections::Draft;
use journal::{Journal, SavedConnection};
use sandbox::Sandbox;
use tauri::{AppHandle, Runtime};
use uuid::Uuid;

use crate::map::contain::Look;
use crate::map::indicators::Found;
use crate::shelf::Shelf;
use crate::sweeping::Sweeping;
use crate::watching::Watching;
use crate::{Options, desktop, map};

/// Tells the page something; `false` when it is gone.
pub type Tell = Box<dyn Fn(WindowNotice) -> bool + Send>;

/// The state behind every command.
pub struct Shell {
    /// The desk, once the journal could be opened.
    desk: OnceLock<Arc<Desk>>,
    /// What it is opened with: a journal that could not be opened is tried again whenever it is asked for.
    options: Options,
    /// The sandbox of this run. Held while it is started, so that two clicks start one.
    sandbox: tokio::sync::Mutex<Option<(Sandbox, SavedConnection)>>,
    /// The connection that the command line named. Held for a look.
    first: Mutex<Option<Uuid>>,
    /// The sweep that runs, and the plans that were shown.
    pub(crate) sweeping: Arc<Sweeping>,
    /// Containments that were looked at.
    pub(crate) looks: Shelf<Look, 8>,
    /// The policy as each lifting was shown with, by sweep.
    pub(crate) lifts: Shelf<cutoff::policy::State, 16>,
    /// Findings that were shown.
    pub(crate) findings: Shelf<Found, 4>,
    /// The watch for what comes back.
    pub(crate) watching: Watching,
    /// Where the page hears what it did not ask for. Held for a look or a swap.
    notices: Mutex<Option<(Tell, TrayWords)>>,
}

impl Shell {
    pub(crate) fn open(options: Options) -> Self {
        let shell = Self {
            looks: Shelf::default(),
            lifts: Shelf::default(),
            findings: Shelf::default(),
            watching: Watching::new(options.watch_every),
            desk: OnceLock::new(),
            options,
            sandbox: tokio::sync::Mutex::default(),
            first: Mutex::default(),
            sweeping: Arc::default(),
            notices: Mutex::default(),
        };
        if let Err(refusal) = shell.desk() {
            tracing::error!(?refusal, "the journal cannot be opened");
        }
        shell
    }

    /// The desk.
    ///
    /// # Errors
    /// [`Refusal::Journal`] while the journal cannot be opened.
    pub fn desk(&self) -> Result<&Arc<Desk>, Refusal> {
        if let Some(desk) = self.desk.get() {
            return Ok(desk);
        }
        let journal = Journal::open(&self.options.state_dir)
            .map_err(|error| Refusal::Journal { fault: map::journal_fault(&error).to_owned(), sent: false })?;
        // Of two that open it at once one is kept.
        Ok(self.desk.get_or_init(|| {
            let mut desk = cutoff::Options::new(self.options.vault.clone());
            desk.timeouts = self.options.timeouts;
            desk.pace = self.options.pace.clone();
            desk.reading = self.options.reading.clone();
            desk.rules = self.options.rules;
            if let Some(observer) = &self.options.observer {
                desk.observer = observer.clone();
            }
            Arc::new(Desk::new(Arc::new(journal), desk))
        }))
    }

    /// Where exports are written: the user's folder for downloads, or whatever comes nearest to it.
    pub(crate) fn export_dir(&self) -> Option<PathBuf> {
        let chosen = self.options.export_dir.clone();
        chosen.or_else(dirs::download_dir).or_else(dirs::document_dir).or_else(dirs::home_dir)
    }

    /// Asks the user for a file, unless the options have one.
    pub(crate) async fn choose_file<R: Runtime>(
        &self,
        app: &AppHandle<R>,
        ending: Option<&'static str>,
    ) -> Result<Option<PathBuf>, Refusal> {
        match &self.options.choose_file {
            Some(choose) => Ok(choose()),
            None => desktop::choose_file(app, ending).await,
        }
    }

    /// Tells the page from now on what it did not ask for.
    pub fn listen(&self, tell: Tell, tray: TrayWords) {
        *self.notices() = Some((tell, tray));
    }

    /// Tells the page something; `false` when nobody listens.
    pub(crate) fn tell(&self, notice: WindowNotice) -> bool {
        self.notices().as_ref().is_some_and(|(tell, _)| tell(notice))
    }

    /// What the icon in the tray says; `None` before a page was there.
    pub(crate) fn tray_words(&self) -> Option<TrayWords> {
        self.notices().as_ref().map(|(_, words)| words.clone())
    }

    fn notices(&self) -> std::sync::MutexGuard<'_, Option<(Tell, TrayWords)>> {
        self.notices.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
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
