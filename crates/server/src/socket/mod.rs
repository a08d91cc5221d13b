//! Socket.IO as its library provides it: paths, bounds, and how every event gets into its connection's inbox.

mod admission;
mod connection;
mod eio_session;
mod flow_control;
mod inbox;
mod outbox;
mod outgoing;
mod relay_queue;
mod reply_order;
mod reservation;
mod sender;

use crate::app::App;
use admission::Presented;
use axum::Router;
use axum::middleware::from_fn_with_state;
use connection::Connection;
use eio_session::{EioSession, EioSessions, Watch, watch};
use inbox::Event;
use sender::Socket;
use socketioxide::adapter::LocalAdapter;
use socketioxide::extract::SocketRef;
use socketioxide::handler::{ConnectHandler as _, FromConnectParts, FromMessageParts, Value};
use socketioxide::{ParserConfig, SocketIo};
use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

/// The names the library logs under.
pub const LOG_TARGETS: [&str; 3] = ["socketioxide", "socketioxide_core", "engineioxide"];

/// The paths that clients use.
const PATHS: [&str; 4] = ["/socket.io/", "/socket.io", "/ext-socket.io/", "/ext-socket.io"];
/// How long a session may take to connect to the namespace.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How many attachments, and how many bytes of them, a message may have and still be answered with a refusal. No
/// operation takes attachments, but a client that sends one by mistake is told. A message with more ends its
/// connection.
const ATTACHMENTS_MAX: usize = 8;
const ATTACHMENT_BYTES_MAX: usize = 64 << 10;
/// The library's own buffer, in messages. [`crate::socket::flow_control`] keeps it far from full.
const BUFFER_MESSAGES: usize = 256;

/// The buffer that each WebSocket reads into, which an idle one keeps. It holds several requests of the usual size.
const READ_BUFFER_BYTES: usize = 2 << 10;

/// All open sockets.
#[derive(Clone)]
pub struct Sockets {
    io: SocketIo,
    live: Arc<Live>,
}

/// The open connections, so that they can be ended in order.
#[derive(Default)]
struct Live {
    connections: Mutex<(u64, HashMap<u64, Weak<Connection>>)>,
}

impl Live {
    fn add(&self, connection: &Arc<Connection>) -> u64 {
        let mut guard = self.connections.lock().unwrap_or_else(PoisonError::into_inner);
        let (next, connections) = &mut *guard;
        *next += 1;
        connections.insert(*next, Arc::downgrade(connection));
        *next
    }

    fn remove(&self, number: u64) {
        self.connections.lock().unwrap_or_else(PoisonError::into_inner).1.remove(&number);
    }

    fn all(&self) -> Vec<Arc<Connection>> {
        let guard = self.connections.lock().unwrap_or_else(PoisonError::into_inner);
        guard.1.values().filter_map(Weak::upgrade).collect()
    }
}

/// Creates the sockets and their routes.
pub fn routes(app: &Arc<App>) -> (Router, Sockets) {
    let bytes_max = app.settings.body_bytes_max;
    let (service, io) = SocketIo::builder()
        .req_path("/")
        .max_payload(bytes_max as u64)
        .ws_max_message_size(bytes_max)
        .ws_max_frame_size(bytes_max)
        .ws_read_buffer_size(READ_BUFFER_BYTES)
        .max_buffer_size(BUFFER_MESSAGES)
        .connect_timeout(CONNECT_TIMEOUT)
        .with_parser(
            ParserConfig::common()
                .max_incoming_binaries(ATTACHMENTS_MAX)
                .max_incoming_binary_buf_size(ATTACHMENT_BYTES_MAX),
        )
        .build_svc();
    let live = Arc::new(Live::default());
    // Handlers are registered in the middleware, which is awaited before CONNECT is answered. An event that follows
    // at once finds them.
    let (app_before, app_after, live_after) = (Arc::clone(app), Arc::clone(app), Arc::clone(&live));
    let before = async move |socket: Whole| register(&app_before, &socket.0);
    let after = async move |socket: Whole, auth: Auth| {
        if let Some(connection) = socket.0.extensions.get::<Arc<Connection>>() {
            let number = live_after.add(&connection);
            connection::run(app_after, connection, socket.0, auth.0).await;
            live_after.remove(number);
        }
    };
    io.ns("/", after.with(before));
    let state = Watch { app: Arc::clone(app), sessions: Arc::new(EioSessions::default()) };
    let router = PATHS
        .into_iter()
        .fold(Router::new(), |router, path| router.route_service(path, service.clone()))
        .layer(from_fn_with_state(state, watch));
    (router, Sockets { io, live })
}

fn register(app: &App, socket: &Socket) -> Result<(), &'static str> {
    let session = socket.req_parts().extensions.get::<Arc<EioSession>>().cloned().ok_or("no session")?;
    if session.is_dead() || app.is_stopping() {
        return Err("closed");
    }
    socket.extensions.insert(Connection::new(app, session));
    // The extractor does all the work, because extractors run in the order of arrival and handlers do not.
    socket.on_fallback(async |_: Received| {});
    socket.on_disconnect(async |socket: SocketRef| {
        if let Some(connection) = socket.extensions.remove::<Arc<Connection>>() {
            connection.gone();
        }
    });
    Ok(())
}

/// The socket itself.
struct Whole(Arc<Socket>);

impl FromConnectParts<LocalAdapter> for Whole {
    type Error = Infallible;

    fn from_connect_parts(socket: &Arc<Socket>, _: &Option<Value>) -> Result<Self, Infallible> {
        Ok(Whole(Arc::clone(socket)))
    }
}

/// The `auth` payload. It is read here, because the library sends no answer when it cannot read it.
struct Auth(Presented);

impl FromConnectParts<LocalAdapter> for Auth {
    type Error = Infallible;

    fn from_connect_parts(_: &Arc<Socket>, auth: &Option<Value>) -> Result<Self, Infallible> {
        Ok(Auth(match auth {
            Some(Value::Str(text, None)) => Presented::read(Some(text)),
            Some(_) => Presented::Nonsense,
            None => Presented::Nothing,
        }))
    }
}

/// An event, put into its connection's inbox.
struct Received;

impl FromMessageParts<LocalAdapter> for Received {
    type Error = Infallible;

    fn from_message_parts(
        socket: &Arc<Socket>,
        value: &mut Value,
        ack: &Option<i64>,
    ) -> Result<Self, Infallible> {
        if let Some(connection) = socket.extensions.get::<Arc<Connection>>() {
            match value {
                Value::Str(text, attached) => {
                    let has_attachments = attached.is_some();
                    connection.receive(Event { text: text.as_str().to_owned(), ack: *ack, has_attachments });
                }
                // Only other packet encodings have bytes.
                Value::Bytes(_) => {}
            }
        }
        Ok(Received)
    }
}

impl Sockets {
    /// How many connections there are, and how many messages and bytes wait in their outboxes.
    pub fn load(&self) -> (usize, usize, usize) {
        let all = self.live.all();
        // One that is over is kept for a while, in case its session connects again.
        let open = all.iter().filter(|connection| !connection.is_over());
        let loads = open.map(|connection| connection.load());
        loads.fold((0, 0, 0), |(count, entries, bytes), (of_entries, of_bytes)| {
            (count + 1, entries + of_entries, bytes + of_bytes)
        })
    }

    /// Sends what is waiting on every connection, for at most `within`.
    pub async fn finish(&self, within: Duration) {
        for connection in self.live.all() {
            connection.finish();
        }
        let finished = async {
            while self.live.all().iter().any(|connection| !connection.is_over()) {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        let _ = tokio::time::timeout(within, finished).await;
    }

    /// Closes every connection, for at most `within`.
    pub async fn close(&self, within: Duration) {
        if tokio::time::timeout(within, self.io.close()).await.is_err() {
            tracing::warn!("not every connection could be closed in time");
        }
    }
}
