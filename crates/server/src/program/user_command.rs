//! `synaptask user`: adds, lists, changes, disables and removes users.

use super::accounts::{Accounts, NEWS, Removal};
use super::command_error::CommandError;
use super::data_directory::{make_log, open_log};
use super::links;
use super::printing::{OutputFormat, lines, show};
use super::settings::Settings;
use crate::accounts::new_password;
use crate::operations::AskedScope;
use clap::{Args, Subcommand, ValueEnum};
use graph::model::{AccountState, PasswordHash, Plan, User};
use graph::ops::{Belongings, UserAdd, UserSet};
use serde_json::{Value, json};
use std::io::{self, BufRead, Read};
use std::thread;
use store::LoadScope;

/// As much of a line as a password may be, and a little more, in bytes.
const PASSWORD_BYTES_MOST: u64 = 8 << 10;

#[derive(Debug, Subcommand)]
pub(super) enum UserCommand {
    /// Create a user, with a first API token if the plan allows tokens
    Add {
        /// The user's email; other commands identify the user by it
        #[arg(long)]
        email: String,
        /// The name that others see: 3 to 32 characters from A-Z, a-z, 0-9, '_', '.' and '-'
        #[arg(long)]
        username: String,
        /// The user's plan: basic has no API tokens; only pro can share and publish
        #[arg(long, value_enum, default_value = "pro")]
        plan: PlanName,
        /// Make the user an administrator of the installation
        #[arg(long)]
        admin: bool,
        /// Read the user's password from the first line of the standard input; without it the user signs in otherwise
        #[arg(long)]
        password_stdin: bool,
        #[command(flatten)]
        form: OutputFormat,
    },
    /// List the users
    List(OutputFormat),
    /// Change a user's email, username or plan, or whether they are an administrator
    Set(SetArgs),
    /// Disable a user: they are signed out, and their tokens are refused until the user is enabled again
    Disable(Named),
    /// Enable a user who was disabled
    Enable(Named),
    /// Open an account again whose owner has closed it, before it is removed
    Reopen(Named),
    /// Print a link with which the user chooses a new password; it works once, for an hour
    Reset(Named),
    /// Remove a user permanently, with their nodes, the links of those, and the grants to and by the user
    Remove {
        #[command(flatten)]
        user: Named,
        /// Confirm the removal; without this flag the command only says what it would delete
        #[arg(long)]
        yes: bool,
    },
}

#[derive(Debug, Args)]
pub(super) struct Named {
    /// The user's email
    #[arg(long)]
    email: String,
    #[command(flatten)]
    form: OutputFormat,
}

#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("changes").required(true).multiple(true))]
pub(super) struct SetArgs {
    #[command(flatten)]
    user: Named,
    /// The new email
    #[arg(long, value_name = "EMAIL", group = "changes")]
    new_email: Option<String>,
    /// The new username
    #[arg(long, group = "changes")]
    username: Option<String>,
    /// The new plan; on basic, API tokens are refused and at most three grants are visible
    #[arg(long, value_enum, group = "changes")]
    plan: Option<PlanName>,
    /// Make the user an administrator of the installation
    #[arg(long, group = "changes", conflicts_with = "no_admin")]
    admin: bool,
    /// Make the user no administrator any more
    #[arg(long, group = "changes")]
    no_admin: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum PlanName {
    Basic,
    Plus,
    Pro,
}

impl From<PlanName> for Plan {
    fn from(name: PlanName) -> Self {
        match name {
            PlanName::Basic => Plan::Basic,
            PlanName::Plus => Plan::Plus,
            PlanName::Pro => Plan::Pro,
        }
    }
}

pub(super) fn run(command: &UserCommand, settings: &Settings) -> Result<(), CommandError> {
    let mut log = match command {
        UserCommand::Add { .. } => make_log(&settings.data)?,
        _ => open_log(&settings.data)?,
    };
    let scope = match command {
        // A plan decides about grants, and a removal about everything.
        UserCommand::Remove { .. } | UserCommand::Set(SetArgs { plan: Some(_), .. }) => LoadScope::Everything,
        _ => LoadScope::Accounts,
    };
    let mut accounts = Accounts::open_with(&mut log, scope)?;
    match command {
        UserCommand::Add { email, username, plan, admin, password_stdin, form } => {
            let password = match password_stdin {
                true => Some(password_from(&mut io::stdin().lock(), email, username)?),
                false => None,
            };
            let new = UserAdd::new(email.clone(), username.clone(), Plan::from(*plan));
            let user = accounts.add(UserAdd { admin: *admin, password, ..new })?;
            let secret = match user.plan {
                Plan::Basic => None,
                Plan::Plus | Plan::Pro => {
                    Some(accounts.create_token(&user, "first", None, AskedScope::All)?.1)
                }
            };
            let secret = secret.as_ref().map(|secret| secret.reveal());
            let mut shown = user_json(&user);
            shown["token"] = json!(secret);
            show(*form, &shown, || {
                let token = secret.unwrap_or("none, because the plan has no API tokens");
                format!("{}\ntoken, shown this once: {token}", user_line(&user))
            })
        }
        UserCommand::List(form) => {
            let users = accounts.users();
            let shown = Value::Array(users.iter().map(|user| account_json(user)).collect());
            show(*form, &shown, || lines(users.iter().map(|user| user_line(user)), "There are no users."))
        }
        UserCommand::Set(args) => {
            let user = accounts.user(&args.user.email)?.id;
            let (email, username) = (args.new_email.clone(), args.username.clone());
            let admin = (args.admin || args.no_admin).then_some(args.admin);
            let changes = UserSet { user, email, username, plan: args.plan.map(Plan::from), admin };
            changed(accounts.set(changes)?.as_ref(), args.user.form)
        }
        UserCommand::Disable(named) => {
            let user = accounts.user(&named.email)?;
            changed(accounts.set_disabled(&user, true)?.as_ref(), named.form)
        }
        UserCommand::Enable(named) => {
            let user = accounts.user(&named.email)?;
            changed(accounts.set_disabled(&user, false)?.as_ref(), named.form)
        }
        UserCommand::Reopen(named) => {
            let user = accounts.user(&named.email)?;
            changed(accounts.reopen(&user)?.as_ref(), named.form)
        }
        UserCommand::Reset(named) => links::reset(&mut accounts, &named.email, named.form, settings),
        UserCommand::Remove { user: named, yes } => {
            let user = accounts.user(&named.email)?;
            if !yes {
                let what = goods(&accounts.belongings(&user));
                return Err(CommandError::Unconfirmed(format!(
                    "this permanently deletes the user {} <{}>, {what}",
                    user.username, user.email
                )));
            }
            let removal = accounts.remove(&user)?;
            thread::sleep(NEWS);
            show(named.form, &removal_json(&user, &removal), || {
                let Removal { name, went } = &removal;
                format!("removed {} <{}>, now {name}: {}", user.username, user.email, goods(went))
            })
        }
    }
}

/// A new password from the first line of the input, if it is good enough.
fn password_from(
    input: &mut impl BufRead,
    email: &str,
    username: &str,
) -> Result<PasswordHash, CommandError> {
    let mut line = String::new();
    // A longer one is refused, without reading more.
    input.take(PASSWORD_BYTES_MOST).read_line(&mut line)?;
    let password = line.strip_suffix('\n').unwrap_or(&line);
    let password = password.strip_suffix('\r').unwrap_or(password);
    new_password(password, email, username)
        .map_err(|problem| CommandError::Password { message: problem.message(), name: problem.name() })
}

/// Prints a user who was changed, once a running server has taken up the change.
fn changed(user: &User, form: OutputFormat) -> Result<(), CommandError> {
    thread::sleep(NEWS);
    show(form, &account_json(user), || user_line(user))
}

fn user_json(user: &User) -> Value {
    json!({ "id": user.id, "username": user.username, "email": user.email, "plan": user.plan })
}

fn account_json(user: &User) -> Value {
    let mut shown = user_json(user);
    shown["disabled"] = json!(is_disabled(user));
    shown["admin"] = json!(user.admin);
    shown["closing"] = json!(user.closing.map(|at| at.whole_seconds().rfc3339()));
    shown
}

fn is_disabled(user: &User) -> bool {
    user.state == AccountState::Disabled
}

fn user_line(user: &User) -> String {
    let admin = if user.admin { "  admin" } else { "" };
    let disabled = if is_disabled(user) { "  disabled" } else { "" };
    let closing = user.closing.map(|at| format!("  closed, removed on {}", at.whole_seconds().rfc3339()));
    let state = format!("{admin}{disabled}{}", closing.unwrap_or_default());
    format!("{}  {}  <{}>  {}{state}", user.id, user.username, user.email, user.plan.name())
}

fn removal_json(user: &User, removal: &Removal) -> Value {
    let Removal { name, went: Belongings { nodes, links, grants, embeds, tokens } } = removal;
    json!({
        "id": user.id, "username": user.username, "email": user.email, "name": name,
        "nodes": nodes, "links": links, "grants": grants, "embeds": embeds, "tokens": tokens,
    })
}

fn goods(went: &Belongings) -> String {
    let count = |count: usize, thing: &str| {
        let plural = if count == 1 { "" } else { "s" };
        format!("{count} {thing}{plural}")
    };
    format!(
        "{} with {}, {}, {} and {}",
        count(went.nodes, "task"),
        count(went.links, "link"),
        count(went.grants, "grant"),
        count(went.embeds, "embed"),
        count(went.tokens, "API token")
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(subcommand)]
        command: UserCommand,
    }

    fn parse(words: &str) -> Result<UserCommand, clap::Error> {
        Line::try_parse_from(["user"].into_iter().chain(words.split(' '))).map(|line| line.command)
    }

    #[test]
    fn c18_a_change_says_what() {
        assert!(parse("set --email a@b").is_err());
        assert!(parse("set --plan basic").is_err());
        assert!(parse("set --email a@b --plan gold").is_err());
        for change in
            ["--plan basic", "--new-email c@d", "--username abc", "--plan pro --username abc --json"]
        {
            assert!(
                matches!(parse(&format!("set --email a@b {change}")), Ok(UserCommand::Set(_))),
                "{change}"
            );
        }
    }

    #[test]
    fn c20_what_goes_is_counted() {
        let went = Belongings { nodes: 1, links: 2, grants: 0, embeds: 1, tokens: 3 };
        assert_eq!(goods(&went), "1 task with 2 links, 0 grants, 1 embed and 3 API tokens");
    }
}
