//! `synaptask token`: creates, lists, changes, rotates and revokes API tokens.

use super::accounts::{Accounts, Listed, NEWS};
use super::command_error::CommandError;
use super::data_directory::open_log;
use super::printing::{OutputFormat, lines, show};
use super::settings::Settings;
use crate::auth::Secret;
use crate::operations::AskedScope;
use crate::wire::token_json;
use clap::{Args, Subcommand};
use graph::model::Level;
use graph::{NodeId, Timestamp, TokenId};
use serde_json::{Value, json};
use std::thread;
use uuid::Uuid;

#[derive(Debug, Subcommand)]
pub(super) enum TokenCommand {
    /// Create a token and print it; it cannot be shown again
    Create {
        /// The user's email
        #[arg(long)]
        email: String,
        /// A name for the token in lists, of at most 80 characters
        #[arg(long, default_value = "", hide_default_value = true)]
        name: String,
        /// When it expires: an RFC 3339 time in the future [default: never]
        #[arg(long, value_name = "TIME", value_parser = read_time)]
        expires: Option<Timestamp>,
        /// What it is for: `all`, `read`, or `branch:ID:LEVEL`, the id of a node of the user's and 1, 2 or 3
        #[arg(long, default_value = "all", value_parser = read_scope)]
        scope: AskedScope,
        #[command(flatten)]
        form: OutputFormat,
    },
    /// List a user's tokens, without their secrets
    List {
        /// The user's email
        #[arg(long)]
        email: String,
        #[command(flatten)]
        form: OutputFormat,
    },
    /// Give a token a new secret and print it; it cannot be shown again, and the old secret stops working
    Rotate {
        /// The user's email
        #[arg(long)]
        email: String,
        /// The id of the token, as shown by `token list`
        #[arg(long)]
        id: Uuid,
        #[command(flatten)]
        form: OutputFormat,
    },
    /// Revoke one token of a user, or all
    Revoke(RevokeArgs),
}

#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("which").required(true))]
pub(super) struct RevokeArgs {
    /// The user's email
    #[arg(long)]
    email: String,
    /// The id of the token, as shown by `token list`
    #[arg(long, group = "which")]
    id: Option<Uuid>,
    /// Revoke every token of the user
    #[arg(long, group = "which")]
    all: bool,
    #[command(flatten)]
    form: OutputFormat,
}

fn read_time(text: &str) -> Result<Timestamp, String> {
    Timestamp::parse(text)
        .ok_or_else(|| "it is not an RFC 3339 time, such as 2030-12-31T00:00:00Z".to_owned())
}

fn read_scope(text: &str) -> Result<AskedScope, String> {
    let scope = match text {
        "all" => Some(AskedScope::All),
        "read" => Some(AskedScope::Read),
        _ => text.strip_prefix("branch:").and_then(|branch| {
            let (node, level) = branch.rsplit_once(':')?;
            let node = NodeId(Uuid::try_parse(node).ok()?);
            let level = Level::try_from(level.parse::<u8>().ok()?).ok()?;
            (level != Level::Owner).then_some(AskedScope::Branch { node, level })
        }),
    };
    scope.ok_or_else(|| "it is `all`, `read`, or `branch:ID:LEVEL` with a level of 1, 2 or 3".to_owned())
}

pub(super) fn run(command: &TokenCommand, settings: &Settings) -> Result<(), CommandError> {
    let mut log = open_log(&settings.data)?;
    let mut accounts = Accounts::open(&mut log)?;
    match command {
        TokenCommand::Create { email, name, expires, scope, form } => {
            let user = accounts.user(email)?;
            let (listed, secret) = accounts.create_token(&user, name, *expires, *scope)?;
            show_secret(*form, &listed, &secret)
        }
        TokenCommand::List { email, form } => {
            let user = accounts.user(email)?;
            let tokens = accounts.tokens(&user)?;
            show(*form, &Value::Array(tokens.iter().map(shown).collect()), || {
                lines(tokens.iter().map(line), &format!("{} has no tokens.", user.email))
            })
        }
        TokenCommand::Rotate { email, id, form } => {
            let user = accounts.user(email)?;
            let (listed, secret) = accounts.rotate(&user, TokenId(*id))?;
            thread::sleep(NEWS);
            show_secret(*form, &listed, &secret)
        }
        TokenCommand::Revoke(RevokeArgs { email, id, all: _, form }) => {
            let user = accounts.user(email)?;
            let revoked = accounts.revoke(&user, id.map(TokenId))?;
            // A running server checks the log this often. When the command ends, the revocation is in force.
            thread::sleep(NEWS);
            show(*form, &json!({ "revoked": revoked }), || format!("revoked: {}", revoked.len()))
        }
    }
}

fn show_secret(form: OutputFormat, listed: &Listed, secret: &Secret) -> Result<(), CommandError> {
    let id = listed.token.id;
    let mut json = shown(listed);
    if let Some(fields) = json.as_object_mut() {
        fields.remove("lastUsedTime");
    }
    json["token"] = json!(secret.reveal());
    show(form, &json, || format!("{id}\ntoken, shown this once: {}", secret.reveal()))
}

fn shown(listed: &Listed) -> Value {
    json!(token_json(&listed.token, listed.last_used))
}

fn line(listed: &Listed) -> String {
    let moment =
        |at: Option<Timestamp>| at.map_or_else(|| "never".to_owned(), |at| at.whole_seconds().rfc3339());
    let Listed { token, last_used } = listed;
    let scope = match token.scope {
        graph::model::TokenScope::All => String::new(),
        graph::model::TokenScope::Read => "  only reads".to_owned(),
        graph::model::TokenScope::Branch { node, level, .. } => {
            format!("  level {} on the branch of {node}", level.number())
        }
    };
    let expires = token.expires.map_or_else(String::new, |at| format!("  expires: {}", moment(Some(at))));
    format!("{}  {}  last used: {}{expires}{scope}", token.id, token.name, moment(*last_used))
}

#[cfg(test)]
mod tests {
    use super::*;

    // Rules: Y17.
    #[test]
    fn y17_a_scope_is_read_as_it_is_meant_or_refused() {
        let id = Uuid::from_u128(7);
        let node = NodeId(id);
        assert_eq!(read_scope("all"), Ok(AskedScope::All));
        assert_eq!(read_scope("read"), Ok(AskedScope::Read));
        for (level, number) in [(Level::Admin, 1), (Level::Editor, 2), (Level::Viewer, 3)] {
            assert_eq!(read_scope(&format!("branch:{id}:{number}")), Ok(AskedScope::Branch { node, level }));
        }
        for wrong in [
            "",
            "All",
            "branch",
            "branch:7:1",
            &format!("branch:{id}:0"),
            &format!("branch:{id}:4"),
            &format!("{id}:1"),
        ] {
            assert!(read_scope(wrong).is_err(), "{wrong}");
        }
    }
}
