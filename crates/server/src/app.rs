//! The state that both transports share.

use crate::auth::{self, Credentials, Means, Origin, Own};
use crate::engine::{Engine, Identity, clock};
use crate::limits::{Counted, LimitSettings, Limiter, NamedLimit, Over, RequestLimit, Who};
use crate::measure::{Count, Ended, Requests, Transport};
use crate::net::cors::CorsMode;
use crate::net::forwarded::{self, Client, TrustedProxies};
use crate::net::tcp::Handle;
use crate::operations;
use crate::wire::Problem;
use graph::model::TokenKind;
use graph::tokens::TokenRefusal;
use graph::{Timestamp, UserId};
use http::HeaderMap;
use std::collections::HashMap;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// The settings of the transports.
#[derive(Clone, Debug, PartialEq)]
pub struct TransportSettings {
    /// Which limits are in force.
    pub limits: LimitSettings,
    /// Further origins whose pages may use a browser's session, besides the server's own.
    pub allowed_origins: Vec<String>,
    /// Which origins' pages may call.
    pub cors: CorsMode,
    /// Proxies that are trusted to say where a request comes from.
    pub trusted_proxies: TrustedProxies,
    /// The largest body of a request, and the largest message over a socket, in bytes.
    pub body_bytes_max: usize,
    /// How long a client may take to send a body.
    pub body_timeout: Duration,
    /// How many messages may wait to be sent on one connection.
    pub outbox_entries_max: usize,
    /// How many bytes of messages may wait to be sent on one connection.
    pub outbox_bytes_max: usize,
    /// Whether every request is logged.
    pub access_log: bool,
    /// How long a client may leave data unacknowledged before its connection is closed.
    pub stall_timeout: Duration,
}

impl Default for TransportSettings {
    fn default() -> Self {
        TransportSettings {
            limits: LimitSettings::default(),
            allowed_origins: Vec::new(),
            cors: CorsMode::default(),
            trusted_proxies: TrustedProxies::default(),
            body_bytes_max: 1 << 20,
            body_timeout: Duration::from_secs(30),
            outbox_entries_max: 1_000,
            outbox_bytes_max: 8 << 20,
            access_log: false,
            stall_timeout: Duration::from_secs(10),
        }
    }
}

/// What the transports count.
#[derive(Debug)]
pub struct Figures {
    /// Requests that were answered.
    pub requests: Requests,
    /// Connections that were closed because their client read too slowly.
    pub overflows: Count,
    /// When the server started.
    pub started: Timestamp,
}

impl Figures {
    /// Counts a request that was answered, with the problem if there was one.
    pub fn note(&self, operation: &str, transport: Transport, problem: Option<&Problem>, time: Duration) {
        let ended = match problem {
            None => Ended::Ok,
            Some(problem) if problem.status() >= 500 => Ended::Failed(problem.code_or_class()),
            Some(problem) => Ended::Refused(problem.code_or_class()),
        };
        self.requests.note(operation, transport, ended, time);
    }
}

/// The running server, as every request and connection sees it.
pub struct App {
    pub engine: Engine,
    pub settings: TransportSettings,
    pub limiter: Limiter,
    pub figures: Arc<Figures>,
    stopping: AtomicBool,
    open: Mutex<HashMap<UserId, usize>>,
}

impl App {
    /// A server that is about to run.
    pub fn new(engine: Engine, settings: TransportSettings) -> Arc<App> {
        let (limiter, open) = (Limiter::default(), Mutex::new(HashMap::new()));
        let relayed = operations::RELAYS.iter().map(|row| row.event);
        let names = operations::ROWS.iter().map(|row| row.event).chain(relayed);
        let requests = Requests::new(names, Problem::codes());
        let figures = Arc::new(Figures { requests, overflows: Count::default(), started: clock::now() });
        Arc::new(App { engine, settings, limiter, figures, stopping: AtomicBool::new(false), open })
    }

    /// Counts a request under a limit; `None` when the limit is switched off.
    ///
    /// # Errors
    /// [`Over`] the limit.
    pub fn count(&self, who: Who, limit: RequestLimit) -> Result<Option<Counted>, Over> {
        match self.settings.limits.rule(limit.limit) {
            Some(rule) => self.limiter.count(who, limit.what(), rule).map(Some),
            None => Ok(None),
        }
    }

    /// Counts a request under a named limit; `None` when the limit is switched off.
    ///
    /// # Errors
    /// [`Over`] the limit.
    pub fn count_named(&self, who: Who, limit: NamedLimit) -> Result<Option<Counted>, Over> {
        self.count(who, limit.into())
    }

    /// Refuses new work from now on.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::Release);
    }

    /// Whether the server is shutting down.
    pub fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Acquire)
    }

    /// Takes back what was counted.
    pub fn give_back(&self, who: Who, limit: NamedLimit, counted: Option<Counted>) {
        if let Some(counted) = counted {
            self.limiter.give_back(who, RequestLimit::from(limit).what(), counted);
        }
    }

    /// The owner of a token: an API token that was presented on purpose, or a session that a browser presents. An unknown token may have been created a moment ago on the command line, so the caller waits
    /// until the engine has looked at the log again. That costs the engine nothing.
    ///
    /// # Errors
    /// Why the token lets nobody in.
    pub async fn authenticate(&self, credentials: &Credentials) -> Result<Identity, TokenRefusal> {
        let hash = credentials.secret.hash();
        let mut known = self.engine.authenticate(&hash);
        if known.is_err() {
            self.engine.look().await;
            known = self.engine.authenticate(&hash);
        }
        let fitting = match credentials.means {
            Means::Api => TokenKind::Api,
            Means::Cookie => TokenKind::Session,
        };
        known.and_then(|it| if it.caller.kind == fitting { Ok(it) } else { Err(TokenRefusal::Unknown) })
    }

    /// Counts an open socket of a user until the guard is dropped; `None` when the user has reached the limit.
    pub fn open(self: &Arc<Self>, user: UserId, most: usize) -> Option<Open> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let count = open.entry(user).or_insert(0);
        if *count >= most {
            return None;
        }
        *count += 1;
        Some(Open { app: Arc::clone(self), user })
    }

    /// Where a request comes from: the peer, or what trusted proxies say.
    pub fn client(&self, handle: Option<&Handle>, headers: &HeaderMap) -> Client {
        let peer = handle.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |handle| handle.peer.ip().to_canonical());
        forwarded::client(peer, headers, &self.settings.trusted_proxies)
    }

    /// Judges the `Origin` of a request by the server's own origin and the origins allowed in the settings.
    pub fn origin(&self, client: &Client, headers: &HeaderMap) -> Origin {
        let own = Own { host: client.host.as_deref(), scheme: client.scheme };
        auth::origin(headers, own, &self.settings.allowed_origins)
    }
}

/// An open socket of a user.
pub struct Open {
    app: Arc<App>,
    user: UserId,
}

impl fmt::Debug for Open {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Open").field(&self.user).finish()
    }
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
