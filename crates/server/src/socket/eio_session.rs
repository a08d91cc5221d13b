//! Engine.IO sessions seen from outside: the TCP connection of each, the credentials of its handshakes, how much
//! has been sent, and how to end one.
//!
//! The Socket.IO library reports none of this, so a layer around it watches the requests of each session.

use super::reservation::{Reservation, reserve};
use crate::app::App;
use crate::auth::{self, Credentials, Means};
use crate::body::read_body;
use crate::net::forwarded::Client;
use crate::net::tcp::Handle;
use crate::response;
use crate::wire::{Problem, trace_id};
use axum::body::{Body, HttpBody as _};
use axum::extract::{self, Request};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use http::header::SEC_WEBSOCKET_PROTOCOL;
use http::{HeaderValue, Method, StatusCode};
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use tokio::sync::Notify;

/// The transport of one client, over polling or a WebSocket.
#[derive(Debug)]
pub struct EioSession {
    /// Where the session's requests come from.
    pub client: Client,
    /// What the handshake counted, until the first CONNECT takes it.
    reservation: Mutex<Option<Reservation>>,
    state: Mutex<State>,
    polled_bytes: AtomicU64,
    /// Notified when polling took data, and when the transport changes.
    changed: Notify,
    dead: AtomicBool,
    /// Counts the CONNECTs to the namespace.
    connects: AtomicU64,
}

#[derive(Debug, Default)]
struct State {
    websocket: Option<Websocket>,
    /// Bytes sent over earlier WebSockets.
    before_bytes: u64,
    /// The credentials in the headers of the upgrade.
    late: Option<Credentials>,
}

#[derive(Clone, Debug)]
struct Websocket {
    handle: Arc<Handle>,
    from_bytes: u64,
}

impl EioSession {
    fn new(client: Client, reservation: Option<Reservation>) -> Self {
        EioSession {
            client,
            reservation: Mutex::new(reservation),
            state: Mutex::default(),
            polled_bytes: AtomicU64::new(0),
            changed: Notify::new(),
            dead: AtomicBool::new(false),
            connects: AtomicU64::new(0),
        }
    }

    /// A session of a client that polls.
    #[cfg(test)]
    pub fn polling(client: Client) -> Arc<Self> {
        Arc::new(EioSession::new(client, None))
    }

    /// Notes that a poll took so many bytes.
    pub fn polled(&self, bytes: u64) {
        self.polled_bytes.fetch_add(bytes, Ordering::AcqRel);
        self.changed.notify_one();
    }

    /// Takes what the handshake counted; `None` after the first call.
    pub fn take_reservation(&self) -> Option<Reservation> {
        self.reservation.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Notes that the session has moved to a WebSocket. If it already has one, the library refuses the second, which
    /// is ended here: the first must stay the one that can be held and cut.
    fn attach(&self, handle: Arc<Handle>, credentials: Option<Credentials>) {
        let mut state = self.lock();
        if state.websocket.as_ref().is_some_and(|websocket| !websocket.handle.is_ended()) {
            return handle.cut();
        }
        if let Some(old) = state.websocket.take() {
            state.before_bytes += old.handle.written_bytes() - old.from_bytes;
        }
        let from_bytes = handle.written_bytes();
        state.websocket = Some(Websocket { handle, from_bytes });
        state.late = credentials.or(state.late.take());
        drop(state);
        self.changed.notify_one();
        if self.is_dead() {
            // The session was ended during the upgrade, before this connection could be cut with it.
            self.cut();
        }
    }

    /// Credentials that came with the upgrade to a WebSocket, after the session had begun.
    pub fn late_credentials(&self) -> Option<Credentials> {
        self.lock().late.clone()
    }

    /// Whether the client uses a WebSocket. One whose upgrade failed goes on polling.
    pub fn is_websocket(&self) -> bool {
        self.lock().websocket.as_ref().is_some_and(|websocket| !websocket.handle.is_ended())
    }

    /// How many bytes have been sent to the client.
    pub fn sent_bytes(&self) -> u64 {
        let state = self.lock();
        let over_websocket =
            state.websocket.as_ref().map_or(0, |ws| ws.handle.written_bytes() - ws.from_bytes);
        self.polled_bytes.load(Ordering::Acquire) + state.before_bytes + over_websocket
    }

    /// Waits until something may have changed about [`EioSession::sent_bytes`], [`EioSession::is_websocket`] or
    /// [`EioSession::late_credentials`].
    pub async fn progress(&self) {
        let websocket = self.lock().websocket.clone();
        match websocket {
            Some(websocket) => tokio::select! {
                () = websocket.handle.progress.notified() => {}
                () = self.changed.notified() => {}
            },
            None => self.changed.notified().await,
        }
    }

    /// Makes the client wait before sending more. Polling clients wait for an answer anyway.
    pub fn hold(&self) {
        if let Some(websocket) = &self.lock().websocket {
            websocket.handle.hold();
        }
    }

    /// Lets the client send again.
    pub fn release(&self) {
        if let Some(websocket) = &self.lock().websocket {
            websocket.handle.release();
        }
    }

    /// Ends the session at once: its WebSocket connection is shut, and its polls get nothing more.
    pub fn cut(&self) {
        self.dead.store(true, Ordering::Release);
        if let Some(websocket) = &self.lock().websocket {
            websocket.handle.release();
            websocket.handle.cut();
        }
        self.changed.notify_one();
    }

    /// Whether the session was ended.
    pub fn is_dead(&self) -> bool {
        self.dead.load(Ordering::Acquire)
    }

    /// Notes a CONNECT to the namespace and returns its number.
    pub fn connecting(&self) -> u64 {
        self.connects.fetch_add(1, Ordering::AcqRel) + 1
    }

    /// The number of the latest CONNECT.
    pub fn latest_connect(&self) -> u64 {
        self.connects.load(Ordering::Acquire)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The sessions that began by polling, by id. They live as long as the library keeps them.
#[derive(Debug, Default)]
pub struct EioSessions {
    by_id: Mutex<(HashMap<String, Weak<EioSession>>, usize)>,
}

impl EioSessions {
    fn add(&self, id: &str, session: &Arc<EioSession>) {
        let mut guard = self.by_id.lock().unwrap_or_else(PoisonError::into_inner);
        let (by_id, sweep_at) = &mut *guard;
        if by_id.len() >= *sweep_at {
            by_id.retain(|_, session| session.strong_count() > 0);
            *sweep_at = (by_id.len() * 2).max(64);
        }
        by_id.insert(id.to_owned(), Arc::downgrade(session));
    }

    fn get(&self, id: &str) -> Option<Arc<EioSession>> {
        self.by_id.lock().unwrap_or_else(PoisonError::into_inner).0.get(id)?.upgrade()
    }
}

/// The state of the layer.
#[derive(Clone)]
pub struct Watch {
    pub app: Arc<App>,
    pub sessions: Arc<EioSessions>,
}

/// The methods that the Socket.IO paths support.
const METHODS: [&str; 3] = ["GET", "POST", "OPTIONS"];
/// The greatest size of a handshake's answer.
const HANDSHAKE_BYTES_MAX: usize = 4096;

/// Watches the requests of sessions.
pub async fn watch(
    extract::State(watch): extract::State<Watch>,
    mut request: Request,
    next: Next,
) -> Response {
    if request.method() == Method::OPTIONS {
        return response::options(&METHODS, &trace_id());
    }
    if !matches!(*request.method(), Method::GET | Method::POST) {
        return response::allowing(response::refusal(&Problem::Method, &trace_id()), &METHODS);
    }
    if watch.app.is_stopping() {
        return response::refusal(&Problem::unavailable(), &trace_id());
    }
    if request.method() == Method::POST {
        request = match with_whole_body(request, &watch.app).await {
            Ok(request) => request,
            Err(problem) => return response::refusal(&problem, &trace_id()),
        };
    }
    let query = request.uri().query().unwrap_or_default();
    let parameter =
        |name: &str| query.split('&').filter_map(|pair| pair.split_once('=')).find(|p| p.0 == name);
    // As the library reads it: up to a second `=`.
    let transport = parameter("transport").and_then(|(_, value)| value.split('=').next());
    let is_websocket = transport == Some("websocket");
    let id = parameter("sid").map(|(_, value)| value.to_owned());
    let offers_subprotocol = auth::offers_subprotocol(request.headers());
    let response = match id {
        None => begin(&watch, request, next, is_websocket).await,
        Some(id) => go_on(&watch, request, next, is_websocket, &id).await,
    };
    // A client that offers subprotocols disconnects when none is accepted, and the library accepts none.
    if response.status() == StatusCode::SWITCHING_PROTOCOLS && offers_subprotocol {
        let mut response = response;
        response.headers_mut().insert(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(auth::SUBPROTOCOL));
        return response;
    }
    response
}

/// The whole body is read first: the library would wait for it without a time limit.
async fn with_whole_body(request: Request, app: &App) -> Result<Request, Problem> {
    let (parts, body) = request.into_parts();
    let (bytes_max, within) = (app.settings.body_bytes_max, app.settings.body_timeout);
    let whole = read_body(&parts.headers, body, bytes_max, within).await?;
    Ok(Request::from_parts(parts, Body::from(whole)))
}

async fn begin(watch: &Watch, mut request: Request, next: Next, is_websocket: bool) -> Response {
    let handle = request.extensions().get::<Arc<Handle>>().cloned();
    let client = watch.app.client(handle.as_deref(), request.headers());
    let reservation = match reserve(&watch.app, &client, request.headers()).await {
        Ok(reservation) => reservation,
        Err(problem) => return response::refusal(&problem, &trace_id()),
    };
    let session = Arc::new(EioSession::new(client, Some(reservation)));
    if let Some(handle) = handle.filter(|_| is_websocket) {
        session.attach(handle, None);
    }
    request.extensions_mut().insert(Arc::clone(&session));
    let response = next.run(request).await;
    if is_websocket || response.status() != StatusCode::OK {
        return response;
    }
    let (parts, body) = response.into_parts();
    match axum::body::to_bytes(body, HANDSHAKE_BYTES_MAX).await {
        Ok(body) => {
            if let Some(id) = session_id(&body) {
                watch.sessions.add(id, &session);
            }
            Response::from_parts(parts, Body::from(body))
        }
        Err(error) => {
            tracing::error!(%error, "cannot read the answer to a handshake");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// The session id in the answer to a handshake, `0{"sid":"…",…}`.
fn session_id(body: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(body).ok()?;
    let (_, rest) = text.split_once("\"sid\":\"")?;
    rest.split_once('"').map(|(id, _)| id)
}

async fn go_on(watch: &Watch, request: Request, next: Next, is_websocket: bool, id: &str) -> Response {
    let Some(session) = watch.sessions.get(id) else { return next.run(request).await };
    if session.is_dead() {
        return StatusCode::BAD_REQUEST.into_response();
    }
    if is_websocket {
        let handle = request.extensions().get::<Arc<Handle>>().cloned();
        // The origin was judged by the headers that the session began with, so a cookie that comes now is too late.
        let credentials = auth::credentials(request.headers()).filter(|found| found.means == Means::Api);
        let response = next.run(request).await;
        // Only a completed upgrade moves the session to another connection.
        if let (Some(handle), StatusCode::SWITCHING_PROTOCOLS) = (handle, response.status()) {
            session.attach(handle, credentials);
        }
        return response;
    }
    let is_poll = request.method() == Method::GET;
    let response = next.run(request).await;
    if is_poll {
        let bytes = response.body().size_hint().lower();
        session.polled(bytes);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::tcp::Tcp;
    use crate::net::unread::Explain;
    use std::net::IpAddr;
    use tokio::io::AsyncWriteExt as _;
    use tokio::net::TcpStream;

    #[test]
    fn t3_a_sessions_id_is_read_from_its_handshake() {
        let body = br#"0{"sid":"AAECAw","upgrades":["websocket"],"pingInterval":25000}"#;
        assert_eq!(session_id(body), Some("AAECAw"));
        assert_eq!(session_id(b"{}"), None);
    }

    // Rules: T3, P24.
    #[tokio::test]
    async fn t3_a_session_polls_again_after_an_upgrade_that_failed_and_none_outlives_its_end() {
        let client = Client { address: IpAddr::from([127, 0, 0, 1]), host: None, scheme: None };
        let session = EioSession::new(client, None);
        let (tcp, _client) = tcp().await;
        session.attach(tcp.handle(), None);
        assert!(session.is_websocket());
        drop(tcp);
        assert!(!session.is_websocket());

        let ((mut first, _client), (mut further, _other)) = (self::tcp().await, self::tcp().await);
        session.attach(first.handle(), None);
        session.attach(further.handle(), None);
        assert!(first.write_all(b"more").await.is_ok() && further.write_all(b"more").await.is_err());
        session.cut();
        assert!(first.write_all(b"more").await.is_err());
        drop(first);

        let (mut late, _client) = self::tcp().await;
        session.attach(late.handle(), None);
        assert!(late.write_all(b"more").await.is_err());
    }

    async fn tcp() -> (Tcp, TcpStream) {
        Tcp::pair(Explain { answer: |_, _| None, headers: "" }).await
    }

    #[test]
    fn t3_sessions_that_ended_are_forgotten() {
        let sessions = EioSessions::default();
        let kept = Arc::new(EioSession::new(
            Client { address: IpAddr::from([127, 0, 0, 1]), host: None, scheme: None },
            None,
        ));
        sessions.add("kept", &kept);
        for n in 0..10_000 {
            sessions.add(&n.to_string(), &Arc::new(EioSession::new(kept.client.clone(), None)));
        }
        assert!(sessions.by_id.lock().unwrap().0.len() < 200);
        assert!(sessions.get("kept").is_some() && sessions.get("9999").is_none());
    }
}
