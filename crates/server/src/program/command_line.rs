//! The command line.

use super::command_error::CommandError;
use super::data_directory::open_log;
use super::demo;
use super::history_command;
use super::links;
use super::logging;
use super::printing::{OutputFormat, harmless, print_json, print_text};
use super::serve;
use super::settings::{Flags, Settings, flag_help, settings_help};
use super::token_command::{self, TokenCommand};
use super::user_command::{self, UserCommand};
use crate::described;
use crate::operations;
use clap::{Args, Parser, Subcommand};
use graph::check;
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;
use store::{LoadScope, Log as _, LogError};

/// A self-hosted server for task graphs, over REST and Socket.IO.
#[derive(Debug, Parser)]
#[command(name = "synaptask", version, propagate_version = true)]
struct Cli {
    #[arg(long, global = true, value_name = "DIR", help = flag_help("--data"))]
    data: Option<PathBuf>,
    /// The settings file [default: synaptask.toml in the data directory or the current one, env: SYNAPTASK_CONFIG]
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve until told to stop
    #[command(after_long_help = settings_help())]
    Serve(Listen),
    /// Serve a demo graph from a new temporary directory, which is removed when the server stops
    #[command(after_help = DEMO_HELP)]
    Demo(Listen),
    /// Manage users
    #[command(subcommand)]
    User(UserCommand),
    /// Print a link with which somebody makes an account; it works once, for 7 days
    Invite(links::InviteArgs),
    /// Manage API tokens
    #[command(subcommand)]
    Token(TokenCommand),
    /// Describe who did what and when
    History(history_command::HistoryArgs),
    /// Verify that the data satisfies every invariant
    Check,
    /// Print the table of operations
    Operations(OutputFormat),
    /// Print the description of REST, as OpenAPI
    Openapi,
    /// Print the description of the sockets, as AsyncAPI
    Asyncapi,
}

#[derive(Debug, Args)]
struct Listen {
    #[arg(long, value_name = "HOST:PORT", help = flag_help("--listen"))]
    listen: Option<String>,
    #[arg(long, value_name = "FILTER", help = flag_help("--log"))]
    log: Option<String>,
    #[arg(long, value_name = "HOST:PORT", help = flag_help("--admin-listen"))]
    admin_listen: Option<String>,
}

/// `--data` is a flag of every command, also of the one that has its own directory.
const DEMO_HELP: &str = "The demo never uses the data in --data. Only a synaptask.toml is looked for there.";

/// The exit status for arguments that cannot be read, as is usual.
const WRONG_USAGE: u8 = 2;

/// Runs the command line of the process.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(wrong) if wrong.use_stderr() => {
            // It repeats the arguments.
            let _ = write!(io::stderr(), "{}", harmless(&wrong.render().to_string()));
            return ExitCode::from(WRONG_USAGE);
        }
        // --help and --version.
        Err(asked) => asked.exit(),
    };
    match run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "error: {}", harmless(&error.to_string()));
            ExitCode::FAILURE
        }
    }
}

fn run(cli: Cli) -> Result<(), CommandError> {
    let flags = |listen: Option<&Listen>| Flags {
        data: cli.data.clone(),
        listen: listen.and_then(|listen| listen.listen.clone()),
        log: listen.and_then(|listen| listen.log.clone()),
        admin_listen: listen.and_then(|listen| listen.admin_listen.clone()),
    };
    let load = |listen| Settings::load(flags(listen), cli.config.clone(), std::env::vars_os());
    match &cli.command {
        Command::Serve(listen) => serve(load(Some(listen))?),
        Command::Demo(listen) => {
            let settings = load(Some(listen))?;
            let _guard = start_logging(&settings)?;
            Ok(runtime()?.block_on(demo::run(settings))?)
        }
        Command::User(command) => user_command::run(command, &load(None)?),
        Command::Invite(args) => links::invite(args, &load(None)?),
        Command::Token(command) => token_command::run(command, &load(None)?),
        Command::History(args) => history_command::run(args, &load(None)?),
        Command::Check => check_data(&load(None)?),
        Command::Operations(form) if form.json => print_json(&operations::table_json()),
        Command::Operations(_) => print_text(&operations::table_text()),
        Command::Openapi => print_text(&described::OPENAPI),
        Command::Asyncapi => print_text(&described::ASYNCAPI),
    }
}

fn serve(settings: Settings) -> Result<(), CommandError> {
    let _guard = start_logging(&settings)?;
    Ok(runtime()?.block_on(serve::run(settings, |_, _| {}))?)
}

fn start_logging(settings: &Settings) -> Result<logging::Guard, CommandError> {
    logging::start(&settings.log, settings.transport.access_log).map_err(CommandError::Logging)
}

fn runtime() -> io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()
}

fn check_data(settings: &Settings) -> Result<(), CommandError> {
    let mut log = open_log(&settings.data)?;
    let mut problems = log.check()?;
    let world = match log.load(LoadScope::Everything) {
        Ok(world) => world,
        Err(error @ LogError::Corrupt { .. }) => {
            problems.push(error.to_string());
            return Err(CommandError::Broken(problems));
        }
        Err(other) => return Err(other.into()),
    };
    problems.extend(check::problems(&world));
    if problems.is_empty() {
        let (nodes, links) = (world.nodes().count(), world.links().count());
        print_text(&format!("ok: rev {}, {nodes} nodes, {links} links, every invariant holds", world.rev()))
    } else {
        Err(CommandError::Broken(problems))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn c1_the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn c15_every_command_and_flag_says_what_it_is_for() {
        let mut waiting = vec![Cli::command()];
        let mut flags = 0;
        while let Some(command) = waiting.pop() {
            let name = command.get_name();
            assert!(command.get_about().is_some(), "{name}");
            for argument in command.get_arguments() {
                assert!(argument.get_help().is_some(), "{name} {}", argument.get_id());
                flags += 1;
            }
            waiting.extend(command.get_subcommands().cloned());
        }
        assert!(flags > 20, "{flags}");
    }

    #[test]
    fn c3_data_stands_before_or_after_the_command() {
        let words = "user add --email a@b --username abc --plan plus --json";
        for line in [format!("synaptask --data /d {words}"), format!("synaptask {words} --data /d")] {
            let cli = Cli::try_parse_from(line.split(' ')).unwrap();
            assert_eq!(cli.data, Some(PathBuf::from("/d")));
            assert!(matches!(cli.command, Command::User(UserCommand::Add { .. })));
        }
    }

    #[test]
    fn c5_a_revocation_says_which() {
        let parse = |more: &str| {
            Cli::try_parse_from(format!("synaptask token revoke --email a@b {more}").trim_end().split(' '))
        };
        assert!(parse("").is_err());
        assert!(parse("--all").is_ok());
        assert!(parse("--id 6f1c6f6e-0000-4000-8000-000000000000").is_ok());
        assert!(parse("--all --id 6f1c6f6e-0000-4000-8000-000000000000").is_err());
    }
}
