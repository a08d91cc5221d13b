//! Links with a one-time key that the operator hands on: to set up a new installation, to make an account, to choose a
//! new password.

use super::accounts::{AccountError, Accounts, NEWS};
use super::command_error::CommandError;
use super::data_directory::open_log;
use super::printing::{OutputFormat, show};
use super::settings::Settings;
use crate::accounts::{INVITE_MS, Page, PublicUrl, RESET_MS, new_key};
use clap::Args;
use graph::model::{Key, KeyPurpose};
use serde_json::json;
use std::net::SocketAddr;

#[derive(Debug, Args)]
pub(super) struct InviteArgs {
    /// The only email that the invitation is for; without this flag it is for anyone who has the link
    #[arg(long)]
    email: Option<String>,
    #[command(flatten)]
    form: OutputFormat,
}

/// `synaptask invite`: prints a link to make an account with.
pub(super) fn invite(args: &InviteArgs, settings: &Settings) -> Result<(), CommandError> {
    let mut log = open_log(&settings.data)?;
    let mut accounts = Accounts::open(&mut log)?;
    let purpose = KeyPurpose::Invite { email: args.email.clone(), by: None };
    let (issued, url) = issue(&mut accounts, purpose, Page::Invite, INVITE_MS, settings)?;
    let expires = issued.expires.whole_seconds().rfc3339();
    let shown = json!({ "id": issued.id, "email": args.email, "expires": expires, "url": url });
    show(args.form, &shown, || format!("works once, until {expires}:\n{url}"))
}

/// `synaptask user reset`: prints a link to choose a new password with.
pub(super) fn reset(
    accounts: &mut Accounts<'_>,
    email: &str,
    form: OutputFormat,
    settings: &Settings,
) -> Result<(), CommandError> {
    let user = accounts.user(email)?;
    let purpose = KeyPurpose::Reset { user: user.id };
    let (issued, url) = issue(accounts, purpose, Page::Reset, RESET_MS, settings)?;
    let expires = issued.expires.whole_seconds().rfc3339();
    let shown = json!({ "id": user.id, "email": user.email, "expires": expires, "url": url });
    show(form, &shown, || format!("works once, until {expires}:\n{url}"))
}

/// Issues a key. A running server knows it when this returns.
fn issue(
    accounts: &mut Accounts<'_>,
    purpose: KeyPurpose,
    page: Page,
    lives_ms: i64,
    settings: &Settings,
) -> Result<(Key, String), CommandError> {
    let (key, secret) = new_key(purpose, lives_ms).map_err(AccountError::Randomness)?;
    let url = server(settings, None).link(page, secret.reveal());
    accounts.issue(key.clone())?;
    std::thread::sleep(NEWS);
    Ok((key, url))
}

/// Where people reach the server, as far as it is known: the setting, otherwise the address that it listens on.
pub(super) fn server(settings: &Settings, address: Option<SocketAddr>) -> PublicUrl {
    if let Some(url) = &settings.accounts.public_url {
        return url.clone();
    }
    PublicUrl::of_origin(&match address.or_else(|| settings.listen.parse().ok()) {
        Some(address) if address.ip().is_unspecified() => format!("http://localhost:{}", address.port()),
        Some(address) => format!("http://{address}"),
        None => format!("http://{}", settings.listen),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::accounts::AccountSettings;

    #[test]
    fn k14_a_link_leads_to_where_the_server_is() {
        let at = |listen: &str, address: Option<&str>, public_url: Option<&str>| {
            let public_url = public_url.map(PublicUrl::of_origin);
            let accounts = AccountSettings { public_url, ..AccountSettings::default() };
            let settings = Settings { listen: listen.to_owned(), accounts, ..Settings::default() };
            server(&settings, address.map(|address| address.parse().unwrap())).at("")
        };
        assert_eq!(at("127.0.0.1:0", Some("127.0.0.1:4123"), None), "http://127.0.0.1:4123");
        assert_eq!(at("0.0.0.0:8000", None, None), "http://localhost:8000");
        assert_eq!(at("[::]:8000", None, None), "http://localhost:8000");
        assert_eq!(at("[::1]:8000", None, None), "http://[::1]:8000");
        assert_eq!(at("tasks:80", None, None), "http://tasks:80");
        assert_eq!(at("0.0.0.0:8000", None, Some("https://tasks.example")), "https://tasks.example");
    }
}
