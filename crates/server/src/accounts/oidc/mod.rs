//! Signing in with identity providers, by OpenID Connect: authorization code with PKCE, state and nonce.
//!
//! `provider.rs` speaks to a provider, `flow.rs` is what a browser keeps of a sign-in on its way, and `sign_in.rs`
//! carries out the operations. `person.rs` finds or makes the account.

mod flow;
mod http;
mod person;
mod provider;
mod settings;
mod sign_in;

use self::http::Http;
use crate::wire::SignInFault;
use flow::UsedStates;
use provider::Provider;
pub use settings::{PROVIDERS_MAX, ProviderSettings, is_provider_name};
use std::collections::BTreeMap;
use std::io;
use tokio::sync::{Semaphore, SemaphorePermit};

/// How many people may be waited for at all providers together. Each may take as long as a slow provider takes.
const ASKED_MAX: usize = 64;

/// The name of the provider that POST /api/google-auth asks.
const GOOGLE: &str = "google";

/// The identity providers of the settings.
#[derive(Debug)]
pub(super) struct Providers {
    http: Http,
    /// In the order of their names.
    list: Vec<Provider>,
    used_states: UsedStates,
    asked: Semaphore,
}

impl Providers {
    /// Those of the settings; `None` if there are none.
    ///
    /// # Errors
    /// When the system has no certificates to trust.
    pub(super) fn new(settings: &BTreeMap<String, ProviderSettings>) -> io::Result<Option<Self>> {
        let list: Vec<Provider> =
            settings.iter().filter_map(|(name, settings)| Provider::new(name, settings)).collect();
        if list.is_empty() {
            return Ok(None);
        }
        let asked = Semaphore::new(ASKED_MAX);
        Ok(Some(Providers { http: Http::new()?, list, used_states: UsedStates::default(), asked }))
    }

    fn named(&self, name: &str) -> Option<&Provider> {
        self.list.iter().find(|provider| provider.name == name)
    }

    /// The right to wait for a provider. Nobody queues for it: a slow provider must not gather requests.
    fn permit(&self) -> Result<SemaphorePermit<'_>, SignInFault> {
        self.asked.try_acquire().map_err(|_| SignInFault::Unavailable)
    }
}
