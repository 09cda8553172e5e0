//! `cutoff completions` and `cutoff man`: what the program says of itself, made from the flags it reads.

use std::io::Write as _;

use clap::CommandFactory as _;

use crate::Done;
use crate::ending::{DONE, Ending};
use crate::flags::{CommandLine, Completions, Man};

/// Prints a shell's script.
///
/// # Errors
/// When the output takes no more.
pub fn completions(flags: &Completions) -> Done {
    // Made whole first: the library cannot say that a pipe was closed.
    let mut script = Vec::new();
    clap_complete::generate(flags.shell, &mut CommandLine::command(), "cutoff", &mut script);
    print(&script)
}

/// Prints a manual page in roff, or writes all of them.
///
/// # Errors
/// For a command that there is not, or when the pages cannot be written.
pub fn man(flags: &Man) -> Done {
    let mut all = CommandLine::command().disable_help_subcommand(true);
    if let Some(dir) = &flags.out_dir {
        let written = std::fs::create_dir_all(dir).and_then(|()| clap_mangen::generate_to(all, dir));
        return written.map(|()| DONE).map_err(|error| {
            Ending::usage(format!("The pages could not be written: {error}. Name another folder with --out-dir."))
        });
    }
    all.build();
    let page = match &flags.command {
        None => all,
        Some(name) => all.find_subcommand(name).cloned().ok_or_else(|| {
            Ending::usage(format!("There is no command {}. See: cutoff --help", crate::text::safe(name)))
        })?,
    };
    let mut roff = Vec::new();
    clap_mangen::Man::new(page).render(&mut roff).map_err(|error| Ending::output(&error))?;
    print(&roff)
}

fn print(bytes: &[u8]) -> Done {
    let mut out = std::io::stdout();
    out.write_all(bytes).and_then(|()| out.flush()).map(|()| DONE).map_err(|error| Ending::output(&error))
}
