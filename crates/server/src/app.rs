//! What the transports share.

use crate::auth::Secret;
use crate::engine::{Engine, Identity};
use crate::limits::{Counted, LimitSettings, Limiter, NamedLimit, Over, Rule, What, Who};
use crate::net::cors::CorsMode;
use crate::net::tcp::Handle;
use graph::UserId;
use graph::tokens::TokenRefusal;
use http::HeaderMap;
use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// The settings that the transports work with.
#[derive(Clone, Debug, PartialEq)]
pub struct TransportSettings {
    /// Which limits hold.
    pub limits: LimitSettings,
    /// Origins besides the server's own whose pages may use a browser's session.
    pub allowed_origins: Vec<String>,
    /// Which origins' pages may call.
    pub cors: CorsMode,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpAddr>,
    /// The largest body of a request, and the largest message over a socket, in bytes.
    pub body_bytes_max: usize,
    /// How long a client may take to send a body.
    pub body_timeout: Duration,
    /// How many messages may wait to be sent on one connection.
    pub outbox_entries_max: usize,
    /// How many bytes of messages may wait to be sent on one connection.
    pub outbox_bytes_max: usize,
    /// How long a client may leave what it was sent unacknowledged before its connection is closed.
    pub stall_timeout: Duration,
}

impl Default for TransportSettings {
    fn default() -> Self {
        TransportSettings {
            limits: LimitSettings::default(),
            allowed_origins: Vec::new(),
            cors: CorsMode::default(),
            trusted_proxies: Vec::new(),
            body_bytes_max: 1 << 20,
            body_timeout: Duration::from_secs(30),
            outbox_entries_max: 1_000,
            outbox_bytes_max: 8 << 20,
            stall_timeout: Duration::from_secs(10),
        }
    }
}

/// The running server, as every request and connection sees it.
pub struct App {
    pub engine: Engine,
    pub settings: TransportSettings,
    pub limiter: Limiter,
    stopping: AtomicBool,
    open: Mutex<HashMap<UserId, usize>>,
}

impl App {
    /// A server about to run.
    pub fn new(engine: Engine, settings: TransportSettings) -> Arc<App> {
        let (limiter, open) = (Limiter::default(), Mutex::new(HashMap::new()));
        Arc::new(App { engine, settings, limiter, stopping: AtomicBool::new(false), open })
    }

    /// Counts under one of the limits; `None` when it is switched off.
    ///
    /// # Errors
    /// [`Over`] the limit.
    pub fn count(&self, who: Who, what: What, default: Rule) -> Result<Option<Counted>, Over> {
        match self.settings.limits.rule(NamedLimit { name: what.limit, default }) {
            Some(rule) => self.limiter.count(who, what, rule).map(Some),
            None => Ok(None),
        }
    }

    /// Counts under a limit that has a name of its own; `None` when it is switched off.
    ///
    /// # Errors
    /// [`Over`] the limit.
    pub fn count_named(&self, who: Who, limit: NamedLimit) -> Result<Option<Counted>, Over> {
        self.count(who, limit.name.into(), limit.default)
    }

    /// Takes up no new work from here on.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::Release);
    }

    /// Whether the server is shutting down.
    pub fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Acquire)
    }

    /// Whose token this is. One that is not known may have been made a moment ago by the command line, so the engine is
    /// asked to look before anyone is turned away.
    ///
    /// # Errors
    /// Why it lets nobody in.
    pub async fn authenticate(&self, secret: &Secret) -> Result<Identity, TokenRefusal> {
        let hash = secret.hash();
        let known = self.engine.authenticate(&hash);
        if known.is_ok() {
            return known;
        }
        self.engine.look().await;
        self.engine.authenticate(&hash)
    }

    /// Counts an open socket of a user until the guard is dropped; `None` when they have as many as they may.
    pub fn open(self: &Arc<Self>, user: UserId, most: usize) -> Option<Open> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let count = open.entry(user).or_insert(0);
        if *count >= most {
            return None;
        }
        *count += 1;
        Some(Open { app: Arc::clone(self), user })
    }

    /// The address a request comes from: the peer's, or what a trusted proxy says it is.
    pub fn address(&self, handle: Option<&Handle>, headers: &HeaderMap) -> IpAddr {
        let peer = handle.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |handle| handle.peer.ip().to_canonical());
        client_address(peer, headers, &self.settings.trusted_proxies)
    }
}

/// Walks back through `X-Forwarded-For` as long as each hop is a proxy that is trusted: what stands before an untrusted
/// one anybody could have written.
fn client_address(peer: IpAddr, headers: &HeaderMap, trusted: &[IpAddr]) -> IpAddr {
    if !trusted.contains(&peer) {
        return peer;
    }
    let values = headers.get_all("x-forwarded-for").into_iter().filter_map(|value| value.to_str().ok());
    let hops: Vec<&str> = values.flat_map(|value| value.split(',')).map(str::trim).collect();
    let mut address = peer;
    for hop in hops.into_iter().rev() {
        let Ok(hop) = hop.parse::<IpAddr>() else { break };
        address = hop.to_canonical();
        if !trusted.contains(&address) {
            break;
        }
    }
    address
}

/// An open socket of a user.
pub struct Open {
    app: Arc<App>,
    user: UserId,
}

impl Drop for Open {
    fn drop(&mut self) {
        let mut open = self.app.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = open.get_mut(&self.user) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.user);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    #[test]
    fn r5_an_address_is_believed_from_trusted_proxies_alone() {
        let trusted: Vec<IpAddr> = vec!["10.0.0.1".parse().unwrap(), "10.0.0.2".parse().unwrap()];
        let cases = [
            ("192.0.2.1", "198.51.100.1", "192.0.2.1"),
            ("10.0.0.1", "198.51.100.1", "198.51.100.1"),
            ("10.0.0.1", "203.0.113.9, 198.51.100.1, 10.0.0.2", "198.51.100.1"),
            ("10.0.0.1", "198.51.100.1, nonsense", "10.0.0.1"),
            ("10.0.0.1", "", "10.0.0.1"),
        ];
        for (peer, forwarded, want) in cases {
            let mut headers = HeaderMap::new();
            headers.append("x-forwarded-for", HeaderValue::from_str(forwarded).unwrap());
            let got = client_address(peer.parse().unwrap(), &headers, &trusted);
            assert_eq!(got, want.parse::<IpAddr>().unwrap(), "{peer} {forwarded}");
        }
    }
}
