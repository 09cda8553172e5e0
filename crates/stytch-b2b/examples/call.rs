//! Calls one method of the API by its name: the client's living documentation, and a tool for support. Not an app.
//!
//! `cargo run -p stytch-b2b --example call -- organization.getConnectedApps '{}' --public-token P --session-token-stdin`
//!
//! One request, no bootstrap before it, no repeat after it. The data goes to stdout as JSON and the exit code is 0; an
//! error goes to stderr as JSON and the exit code is 1. Secrets are read from stdin, never from the command line, and
//! those in the answer are hidden unless `--show-secrets` is given.

use std::io::{BufRead, Read, Write};
use std::process::ExitCode;

use clap::Parser;
use clap::error::ErrorKind;
use serde_json::{Map, Value, json};
use stytch_b2b::{
    ApiBase, Client, ENDPOINTS, Endpoint, Error, Facts, Identity, PublicToken, SessionToken, Settings, Timeouts, redact,
};

/// Calls one method of Stytch's B2B frontend API.
#[derive(Parser)]
#[command(name = "call")]
struct Arguments {
    /// The method's name, as `--list` prints it.
    #[arg(required_unless_present = "list")]
    method: Option<String>,
    /// A JSON object: what the path needs fills the path, the rest is sent. `-` reads it from stdin, after the session
    /// token if that is read too.
    #[arg(default_value = "{}")]
    arguments: String,
    /// The project's public token.
    #[arg(long, required_unless_present_any = ["list", "describe"])]
    public_token: Option<String>,
    /// Where to speak to, if not to Stytch's own host for the token's environment.
    #[arg(long)]
    base_url: Option<String>,
    /// Read the session token from the first line of stdin, and use it for whatever is called.
    #[arg(long)]
    session_token_stdin: bool,
    /// The app's identifier: what the project's owner registered as a bundle id.
    #[arg(long, visible_alias = "app-identifier", default_value = "dev.cutoff.desktop")]
    bundle_id: String,
    /// Do not hide the tokens in the answer.
    #[arg(long)]
    show_secrets: bool,
    /// Print the names of all methods and call nothing.
    #[arg(long)]
    list: bool,
    /// Print the method's row of the table and call nothing.
    #[arg(long)]
    describe: bool,
}

/// What is printed when no answer is: the client's error, or that the command line made no sense.
struct Failure {
    kind: &'static str,
    message: String,
    facts: Box<Facts>,
}

impl Failure {
    fn usage(message: impl ToString) -> Self {
        Self { kind: "usage", message: message.to_string(), facts: Box::default() }
    }

    fn to_json(&self) -> Value {
        let facts = &self.facts;
        json!({
            "kind": self.kind,
            "status": facts.status,
            "error_type": facts.error_type,
            "request_id": facts.request_id,
            "message": self.message,
        })
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        // Stytch's own sentence if there is one, else what the client makes of it.
        let facts = Box::new(error.facts().clone());
        let message = match (&facts.message, &error) {
            (Some(said), Error::NotAllowed { needs: Some(needs), .. }) => format!("{said} It needs {needs}."),
            (Some(said), _) => said.clone(),
            (None, _) => error.to_string(),
        };
        Self { kind: error.kind(), message, facts }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        // `--help` and `--version` are answers; all else is an error, and errors are JSON here.
        Err(why) if !why.use_stderr() => {
            print!("{why}");
            return ExitCode::SUCCESS;
        }
        // Only this kind of message repeats nothing that was typed, and what was typed may be a secret.
        Err(why) if why.kind() == ErrorKind::MissingRequiredArgument => return failed(&Failure::usage(why)),
        Err(why) => return failed(&Failure::usage(format!("The command line makes no sense: {}.", why.kind()))),
    };
    match run(arguments).await {
        Ok(text) => {
            // A reader that went away (`| head`) is no failure of the call.
            let _ = writeln!(std::io::stdout(), "{text}");
            ExitCode::SUCCESS
        }
        Err(failure) => failed(&failure),
    }
}

fn failed(failure: &Failure) -> ExitCode {
    let _ = writeln!(std::io::stderr(), "{}", failure.to_json());
    ExitCode::FAILURE
}

async fn run(arguments: Arguments) -> Result<String, Failure> {
    if arguments.list {
        return Ok(ENDPOINTS.iter().map(|endpoint| endpoint.name).collect::<Vec<_>>().join("\n"));
    }
    let name = arguments.method.unwrap_or_default();
    let Some(endpoint) = Endpoint::find(&name) else {
        return Err(Failure::usage(unknown(&name)));
    };
    if arguments.describe {
        return Ok(pretty(&describe(endpoint)));
    }
    let public_token: PublicToken =
        arguments.public_token.as_deref().unwrap_or_default().parse().map_err(Failure::usage)?;
    let base = match &arguments.base_url {
        Some(text) => ApiBase::parse(text, &public_token).map_err(Failure::usage)?,
        None => ApiBase::for_environment(public_token.environment()),
    };
    let token = match arguments.session_token_stdin {
        true => Some(first_line()?),
        false => None,
    };
    let fields = match arguments.arguments.as_str() {
        "-" => {
            let mut text = String::new();
            std::io::stdin().lock().read_to_string(&mut text).map_err(Failure::usage)?;
            object(&text)?
        }
        text => object(text)?,
    };
    let client = Client::new(Settings {
        base,
        public_token,
        app: Identity { identifier: arguments.bundle_id, version: env!("CARGO_PKG_VERSION").to_owned() },
        sdk: Identity { identifier: "cutoff".to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() },
        timeouts: Timeouts::default(),
    })?;
    let mut data = client.call(endpoint, fields, token.as_ref()).await?.data;
    if !arguments.show_secrets {
        redact(&mut data);
    }
    Ok(pretty(&data))
}

fn first_line() -> Result<SessionToken, Failure> {
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line).map_err(Failure::usage)?;
    let token = SessionToken::new(line.trim().to_owned());
    if token.expose().is_empty() {
        return Err(Error::InvalidInput { what: "session_token" }.into());
    }
    Ok(token)
}

/// Reads the arguments. A mistake is told by its place and never by its text, which may be a secret.
fn object(text: &str) -> Result<Map<String, Value>, Failure> {
    match serde_json::from_str(text) {
        Ok(Value::Object(fields)) => Ok(fields),
        Ok(_) => Err(Error::InvalidInput { what: "arguments" }.into()),
        Err(why) => Err(Failure::usage(format!(
            "The arguments must be a JSON object; they break at line {} column {}.",
            why.line(),
            why.column()
        ))),
    }
}

fn pretty(value: &Value) -> String {
    format!("{value:#}")
}

fn unknown(name: &str) -> String {
    let wanted = name.to_ascii_lowercase();
    let last = wanted.rsplit('.').next().unwrap_or_default();
    let near: Vec<&str> = ENDPOINTS
        .iter()
        .map(|endpoint| endpoint.name)
        .filter(|name| !last.is_empty() && name.to_ascii_lowercase().contains(last))
        .collect();
    match near.is_empty() {
        true => "There is no method of that name; --list prints all names.".to_owned(),
        false => format!("There is no method of that name; near are {}.", near.join(", ")),
    }
}

fn describe(endpoint: &Endpoint) -> Value {
    let permission = |pair: Option<(&str, &str)>| pair.map(|(resource, action)| json!([resource, action]));
    let by_field: Map<String, Value> = endpoint
        .permission_by_field
        .iter()
        .map(|(field, resource, action)| ((*field).to_owned(), json!([resource, action])))
        .collect();
    json!({
        "name": endpoint.name,
        "verb": endpoint.verb.as_str(),
        "path": endpoint.path,
        "auth": format!("{:?}", endpoint.auth).to_lowercase(),
        "permission": permission(endpoint.permission),
        "permission_by_field": by_field,
        "permission_on_oneself": permission(endpoint.permission_on_oneself),
        "in_path": endpoint.segments().collect::<Vec<_>>(),
        "required": endpoint.required,
        "optional": endpoint.optional,
    })
}
