//! `cutoff sign-in` and `cutoff sign-out`: questions on the terminal, answers to the mind. The session itself is never seen here.

use std::io::{BufRead as _, Write as _};

use cutoff::sign_in::{Step, check_code, check_email};
use cutoff::{Error, Fault, Field, Status};
use serde::Serialize;
use stytch_b2b::{DiscoveredOrganization, Error as ApiError};
use vault::{Keeping, PATIENCE};

use crate::ending::{DONE, Ending, SESSION, api, keyring};
use crate::flags::{SignIn, SignOut};
use crate::seat::Seat;
use crate::text::safe;
use crate::told::{Printer, time_of_day};
use crate::{Done, say};

/// How often a code may be typed before it is given up.
const TRIES: usize = 3;

#[derive(Serialize)]
struct SignedIn<'a> {
    connection_id: String,
    base_url: &'a str,
    organization_id: String,
    organization_name: &'a str,
    member_id: String,
    email: &'a str,
    kept_in: &'static str,
}

/// Signs in by a code sent by e-mail.
///
/// # Errors
/// When no session can be had, or none be kept.
pub async fn sign_in(seat: &Seat, flags: &SignIn) -> Done {
    let connection = seat.connection().await?;
    let ask = Asking { may: !flags.no_input };
    if let Some(email) = &flags.email {
        check_email(email)?;
    }
    if flags.no_input {
        return Err(Ending::usage(
            "Signing in asks for the code that is sent by e-mail, and --no-input lets nothing be asked. Nothing was sent. \
             Give a session with --session-token-stdin to the command that needs it.",
        ));
    }
    // Found out first: a code is not sent for a session that would be lost at once.
    let vault = seat.vault.clone();
    let probed = tokio::task::spawn_blocking(move || vault.probe(PATIENCE)).await;
    if let Ok(Keeping::Memory(trouble)) = probed {
        return Err(Ending::new(
            SESSION,
            format!("A session cannot be kept here, so no code was sent. {}", keyring(trouble)),
        ));
    }
    say(&format!("Signing in at {}.", safe(&connection.base_url)));
    let email = match &flags.email {
        Some(email) => email.clone(),
        None => {
            let known = connection.email.as_deref().map(safe);
            let question =
                known.as_ref().map_or("E-mail address: ".to_owned(), |known| format!("E-mail address [{known}]: "));
            let given = ask.line(&question, "--email ADDRESS").await?;
            if given.is_empty() { connection.email.clone().unwrap_or_default() } else { given }
        }
    };
    if let Step::CodeSent { email, valid_until } = seat.desk.send_code(connection.id, &email).await? {
        let until = valid_until.parse().map_or(valid_until, time_of_day);
        say(&format!("A code is on its way to {}, valid until about {until}.", safe(&email)));
    }
    let mut step = code(seat, &ask).await?;
    if let Step::ChooseOrganization(offered) = &step {
        let chosen = choose(&ask, offered, flags.organization.as_deref()).await?;
        step = seat.desk.choose_organization(&chosen).await?;
    }
    match step {
        Step::SignedIn => {}
        Step::MoreNeeded { what: "mfa", .. } => {
            return Err(Ending::new(
                SESSION,
                "This organization asks for a second factor, which this version of Cutoff cannot give. Nobody was signed in. \
                 Give a session with --session-token-stdin.",
            ));
        }
        Step::MoreNeeded { methods, .. } => {
            let methods: Vec<String> = methods.iter().map(|method| safe(method)).collect();
            return Err(Ending::new(
                SESSION,
                format!(
                    "This organization asks for another way of signing in ({}), which this version of Cutoff does not have. \
                     Nobody was signed in.",
                    methods.join(", ")
                ),
            ));
        }
        Step::CodeSent { .. } | Step::ChooseOrganization(_) | Step::Answered(_) => return Err(Error::OutOfOrder.into()),
    }
    let session = seat.desk.session()?;
    let state = session.state();
    if let Some(wanted) = flags.organization.as_deref()
        && state.organization.organization_id.as_str() != wanted
        && state.organization.organization_slug != wanted
    {
        let name = safe(&state.organization.organization_name);
        seat.desk.sign_out(true).await?;
        return Err(Ending::usage(format!(
            "This address belongs to {name} alone, and not to {}. Nobody is signed in.",
            safe(wanted)
        )));
    }
    if let Keeping::Memory(trouble) = state.keeping {
        // It would live on unseen until it expires.
        seat.desk.sign_out(true).await?;
        return Err(Ending::new(SESSION, format!("The session could not be kept and was ended. {}", keyring(trouble))));
    }
    let mut printer = Printer::new(seat.json);
    if seat.json {
        printer.line(&SignedIn {
            connection_id: session.connection.id.to_string(),
            base_url: &session.connection.base_url,
            organization_id: state.organization.organization_id.to_string(),
            organization_name: &state.organization.organization_name,
            member_id: state.member.member_id.to_string(),
            email: &state.member.email_address,
            kept_in: "keyring",
        })?;
    } else {
        printer.text(&format!(
            "Signed in to {} as {}. The session is in the keyring of this computer.",
            safe(&state.organization.organization_name),
            safe(&state.member.email_address)
        ))?;
    }
    printer.done()?;
    Ok(DONE)
}

/// Asks for the code, again where it was mistyped.
async fn code(seat: &Seat, ask: &Asking) -> Result<Step, Ending> {
    let mut last = Error::bad(Field::Code, Fault::Empty);
    for _ in 0..TRIES {
        let given = ask.line("Code: ", "the code").await?;
        let done = match check_code(&given) {
            Ok(code) => seat.desk.check_code(&code).await,
            Err(error) => Err(error),
        };
        match done {
            Ok(step) => return Ok(step),
            Err(error @ (Error::BadInput { .. } | Error::Api(ApiError::CodeRejected(_)))) => {
                last = error;
                say(match &last {
                    Error::BadInput { .. } => "The code is the six digits of the e-mail.",
                    _ => "The code was not accepted: it is wrong, used, or too old. Only the newest code works.",
                });
            }
            Err(error) => return Err(error.into()),
        }
    }
    Err(last.into())
}

/// The id of the organization to sign in to.
async fn choose(ask: &Asking, offered: &[DiscoveredOrganization], wanted: Option<&str>) -> Result<String, Ending> {
    let id = |found: &DiscoveredOrganization| found.organization.organization_id.to_string();
    let is = |found: &DiscoveredOrganization, wanted: &str| {
        found.organization.organization_id.as_str() == wanted || found.organization.organization_slug == wanted
    };
    if let Some(wanted) = wanted {
        return match offered.iter().find(|found| is(found, wanted)) {
            Some(found) => Ok(id(found)),
            None => Err(Ending::usage(format!(
                "This address does not belong to an organization {}. It belongs to: {}. Nobody was signed in.",
                safe(wanted),
                offered.iter().map(|found| safe(&found.organization.organization_slug)).collect::<Vec<_>>().join(", ")
            ))),
        };
    }
    for (at, found) in offered.iter().enumerate() {
        let membership = match found.membership.kind.as_str() {
            "active_member" => String::new(),
            "pending_member" => ", not approved yet".to_owned(),
            "invited_member" => ", invited".to_owned(),
            _ => ", may be joined".to_owned(),
        };
        say(&format!(
            "{:>3}  {} ({}){membership}",
            at + 1,
            safe(&found.organization.organization_name),
            safe(&found.organization.organization_slug)
        ));
    }
    for _ in 0..TRIES {
        let given = ask.line("Which organization (number): ", "--organization ID").await?;
        let number = given.parse::<usize>().ok().filter(|number| (1..=offered.len()).contains(number));
        if let Some(number) = number {
            return Ok(id(&offered[number - 1]));
        }
        say(&format!("Give a number from 1 to {}.", offered.len()));
    }
    Err(Ending::usage("No organization was chosen. Nobody was signed in."))
}

/// Questions on the terminal, or to whatever standard input is.
struct Asking {
    may: bool,
}

impl Asking {
    /// One line. `instead` is what would make the question needless.
    async fn line(&self, question: &str, instead: &str) -> Result<String, Ending> {
        if !self.may {
            return Err(Ending::usage(format!("--no-input lets nothing be asked. Give {instead}.")));
        }
        let _ = write!(std::io::stderr(), "{question}").and_then(|()| std::io::stderr().flush());
        // Read aside, so that Ctrl-C ends the program whatever it waits for.
        let line = tokio::task::spawn_blocking(|| {
            let mut line = String::new();
            std::io::stdin().lock().read_line(&mut line).map(|read| (read > 0).then_some(line))
        });
        match line.await {
            Ok(Ok(Some(line))) => Ok(line.trim().to_owned()),
            _ => Err(Ending::usage(format!("Standard input ended before the answer came. Give {instead}."))),
        }
    }
}

/// Ends the session that the keyring keeps.
///
/// # Errors
/// When the server cannot be told; then nothing is forgotten.
pub async fn sign_out(seat: &Seat, flags: &SignOut) -> Done {
    let connection = seat.connection().await?;
    seat.desk.restore_at(Some(connection.id)).await?;
    let told = match seat.desk.status().await {
        Status::SignedIn(session) => {
            let name = safe(&session.state().organization.organization_name);
            seat.desk.sign_out(flags.even_if_unreachable).await?;
            format!("Signed out of {name}.")
        }
        Status::SignedOut { kept: Some(error), .. } if flags.even_if_unreachable => {
            let (vault, id) = (seat.vault.clone(), connection.id);
            match tokio::task::spawn_blocking(move || vault.forget(&id)).await {
                Ok(Ok(())) => {
                    let Ending { sentence, .. } = api(&error);
                    say(&sentence);
                    "Forgotten here only: the session stays valid at the server until it ends by itself.".to_owned()
                }
                Ok(Err(trouble)) => return Err(Error::Keyring(trouble).into()),
                Err(_) => return Err(Error::Keyring(vault::Trouble::Refused).into()),
            }
        }
        Status::SignedOut { kept: Some(error), .. } => return Err(Error::NotSignedOutAtServer(error).into()),
        Status::SignedOut { keeping: Keeping::Memory(trouble), .. } => {
            return Err(Ending::new(SESSION, keyring(trouble)));
        }
        Status::SignedOut { .. } => format!("Nobody is signed in to {}.", safe(&connection.name)),
    };
    let mut printer = Printer::new(seat.json);
    if seat.json {
        printer.line(&serde_json::json!({"connection_id": connection.id, "signed_in": false}))?;
    } else {
        printer.text(&told)?;
    }
    printer.done()?;
    Ok(DONE)
}
