//! The sandbox as a program: starts one, says where it is, serves until it is stopped.

use clap::Parser;
use sandbox::{Faults, Options, Sandbox};

/// A local stand-in for Stytch's B2B frontend API.
#[derive(Parser)]
#[command(name = "sandbox", version)]
struct Arguments {
    /// Decides every id, name and grant.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Members of the organization, at least 3.
    #[arg(long, default_value_t = 40)]
    members: usize,
    /// Connected apps of the project.
    #[arg(long, default_value_t = 12)]
    apps: usize,
    /// Port on 127.0.0.1; any free one when not given.
    #[arg(long)]
    port: Option<u16>,
    /// The app identifier that native callers must send.
    #[arg(long, default_value = "dev.cutoff.desktop")]
    bundle_id: String,
    /// Print one line of JSON when ready: addresses, tokens and people. It holds live session tokens of this sandbox.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    faults: Faults,
}

#[tokio::main]
async fn main() -> std::process::ExitCode {
    match serve(Arguments::parse()).await {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("The sandbox cannot be started: {error}");
            std::process::ExitCode::FAILURE
        }
    }
}

async fn serve(arguments: Arguments) -> std::io::Result<()> {
    let sandbox = Sandbox::start(Options {
        seed: arguments.seed,
        members: arguments.members,
        apps: arguments.apps,
        port: arguments.port,
        bundle_id: arguments.bundle_id,
        faults: arguments.faults,
    })
    .await?;
    let card = sandbox.card();
    if arguments.json {
        println!("{}", serde_json::to_string(card)?);
    } else {
        println!("Sandbox at {}", card.url);
        println!("  public token  {}", card.public_token);
        println!("  bundle id     {}", card.bundle_id);
        for person in &card.people {
            println!("  {:<6}        {}", person.role, person.email);
        }
        println!("  inbox         {}", card.inbox_url);
        println!("  faults        {}", card.faults_url);
        println!("  ledger        {}", card.ledger_url);
        println!("Sign in by e-mail code; the code is in the inbox. Stop with Ctrl+C.");
    }
    std::future::pending::<()>().await;
    Ok(())
}
