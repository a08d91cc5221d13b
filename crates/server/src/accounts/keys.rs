//! One-time keys, and the links that carry them.

use super::{Accounts, Asker, Page, PublicUrl};
use crate::auth::Secret;
use crate::engine::{Actor, clock};
use crate::wire::Problem;
use graph::model::{Key, KeyHash, KeyPurpose};
use graph::ops::AccountOperation;
use graph::{KeyId, Timestamp};
use http::header::HOST;
use uuid::Uuid;

/// For how long an invitation works, in milliseconds: 7 days.
pub const INVITE_MS: i64 = 7 * 86_400_000;
/// For how long a key for a new password works, in milliseconds: one hour.
pub const RESET_MS: i64 = 3_600_000;
/// For how long a key to set up an installation works, in milliseconds: 30 days. The next start makes a new one.
pub const SETUP_MS: i64 = 30 * 86_400_000;

/// A new key, and its secret.
///
/// # Errors
/// When the system's random number generator fails.
pub fn new_key(purpose: KeyPurpose, lives_ms: i64) -> Result<(Key, Secret), getrandom::Error> {
    let secret = Secret::of_key()?;
    let now = clock::now();
    let expires = Timestamp::from_ms(now.ms().saturating_add(lives_ms));
    let id = KeyId(Uuid::new_v4());
    Ok((Key { id, hash: secret.hash(), purpose, created: now, expires }, secret))
}

/// The hash of a key that a caller presented.
pub(super) fn presented(key: &str) -> KeyHash {
    Secret::presented(key).hash()
}

impl Accounts {
    /// A link with which the first account is made, an administrator's; `None` where there is an account. Links made
    /// before are over.
    pub async fn setup_link(&self, server: &PublicUrl) -> Option<String> {
        if !self.app.engine.users().is_empty() {
            return None;
        }
        let (key, secret) = new_key(KeyPurpose::Setup, SETUP_MS).ok()?;
        let url = server.link(Page::SetUp, secret.reveal());
        match self.ask(Actor::Server, AccountOperation::KeyIssue(key)).await {
            Ok(_) => Some(url),
            Err(problem) => {
                tracing::warn!(error = problem.name(), "the link to set up the installation cannot be made");
                None
            }
        }
    }

    /// Where a link leads that the asker gets: to the setting, or to where the asker asked.
    pub(super) fn server_of(&self, asker: Asker<'_>) -> Result<PublicUrl, Problem> {
        if let Some(url) = &self.settings.public_url {
            return Ok(url.clone());
        }
        let host = asker.client.host.as_deref();
        let host = host.or_else(|| asker.headers.get(HOST)?.to_str().ok());
        let host = host.ok_or_else(|| Problem::malformed("the request has no Host"))?;
        let scheme = asker.client.scheme.unwrap_or("http");
        Ok(PublicUrl::of_origin(&format!("{scheme}://{host}")))
    }
}
