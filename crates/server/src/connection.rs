//! One client's connection: what it asks goes to the engine in order, and everything it is sent leaves in one order.

use crate::app::{App, Open};
use crate::asking::{Asking, Said, ask, row_limit};
use crate::auth::{self, Credentials, Means, Origin, Secret};
use crate::config;
use crate::engine::message::Relayed;
use crate::engine::{self, Caller, ConnectionId, Outcome, Published, clock};
use crate::inbox::{Event, Inbox};
use crate::limits::Who;
use crate::line::{Bounds, End, Line, Standing, diff_bytes, page_bytes};
use crate::operations;
use crate::pace::{Pace, Stopped};
use crate::payload::{Json, Malformed};
use crate::session::Session;
use crate::wire::{self, Problem, trace_id};
use graph::view::Page;
use graph::{Diff, UserId};
use http::HeaderMap;
use serde_json::value::RawValue;
use socketioxide::extract::AckSender;
use socketioxide::handler::{FromMessageParts as _, Value};
use socketioxide::{SendError, SocketError};
use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

type Socket = socketioxide::socket::Socket;

/// How many requests of one connection the engine may have at once.
const IN_FLIGHT_MAX: usize = 64;
/// How long a client that is told to go may take to hear it.
const GRACE: Duration = Duration::from_secs(1);
/// How long the upgrade of a session without credentials is waited for: it may bring them.
const LATE: Duration = Duration::from_secs(1);
/// How long a session may stay without a connection to the namespace.
const VACANT: Duration = Duration::from_secs(10);
/// How long a load's later pages do not count after each page (R2, G4).
const LOAD_KEPT: Duration = Duration::from_secs(60);
/// How long to wait before giving the library a message again that it had no room for.
const FULL_PAUSE: Duration = Duration::from_millis(10);

/// Events of which each is soon followed by another: never answered when there is nothing to say (P31).
const RELAYED: [&str; 4] = ["presence:update", "camera:update", "node:drag", "node:dragend"];

/// A connection to the namespace.
#[derive(Debug)]
pub struct Connection {
    session: Arc<Session>,
    inbox: Inbox,
    line: Line<Message>,
    /// The loads under way, by their events.
    loads: Mutex<HashMap<&'static str, Loaded>>,
    in_flight: Arc<Semaphore>,
    over: AtomicBool,
}

/// Where a load stands.
#[derive(Clone, Copy, Debug)]
struct Loaded {
    sent: usize,
    at: Instant,
}

/// Something to be sent.
#[derive(Debug)]
enum Message {
    Event(&'static str, String),
    Diff(Arc<Diff>),
    Published(Arc<Published>),
    Said { event: String, ack: Option<i64>, said: Box<Said>, trace: String },
}

/// Where a text goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum To {
    Event(&'static str),
    Ack(i64),
}

/// What the `auth` payload of a CONNECT holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Presented {
    Nothing,
    Token(Secret),
    /// Something that cannot be a token.
    Nonsense,
}

impl Presented {
    /// Reads the `auth` payload, if there is one.
    pub fn read(text: Option<&str>) -> Self {
        let Some(text) = text else { return Presented::Nothing };
        match Json::parse(text).as_ref().map(|json| json.get("api_token")) {
            Ok(None | Some(Json::Null)) => Presented::Nothing,
            Ok(Some(Json::Text(secret))) => Presented::Token(Secret::presented(secret)),
            Ok(Some(_)) | Err(_) => Presented::Nonsense,
        }
    }
}

impl Connection {
    /// A connection that is about to be made.
    pub fn new(app: &App, session: Arc<Session>) -> Arc<Connection> {
        let settings = &app.settings;
        let bounds = Bounds { entries_max: settings.line_entries_max, bytes_max: settings.line_bytes_max };
        Arc::new(Connection {
            session,
            inbox: Inbox::default(),
            line: Line::new(bounds),
            loads: Mutex::default(),
            in_flight: Arc::new(Semaphore::new(IN_FLIGHT_MAX)),
            over: AtomicBool::new(false),
        })
    }

    /// Takes in an event, in the order of arrival.
    pub fn receive(self: &Arc<Self>, event: Event) {
        use crate::inbox::Arrived;
        match self.inbox.put(event) {
            Arrived::Taken => {}
            Arrived::TakenButHold => self.session.hold(),
            Arrived::Refused(event) => {
                let name = read_event(&event.text).map_or(String::new(), |(name, _)| name);
                Reply::new(self, name, event.ack).say(Problem::unavailable().into());
            }
        }
    }

    /// Takes in an event with attachments, which nothing here takes.
    pub fn refuse_attachments(self: &Arc<Self>, ack: Option<i64>) {
        Reply::new(self, String::new(), ack).say(Problem::malformed("it has binary attachments").into());
    }

    /// The client is gone.
    pub fn gone(&self) {
        self.line.end(End::Gone);
        self.inbox.close();
    }

    /// Sends what waits, and no more.
    pub fn finish(&self) {
        self.line.finish();
    }

    /// Whether all has been sent that ever will be.
    pub fn is_over(&self) -> bool {
        self.over.load(Ordering::Acquire)
    }

    /// The offset at which a page goes on with the event's load under way.
    fn load_goes_on_at(&self, event: &'static str) -> Option<usize> {
        let loads = self.loads.lock().unwrap_or_else(PoisonError::into_inner);
        loads.get(event).filter(|load| load.at.elapsed() < LOAD_KEPT).map(|load| load.sent)
    }

    /// Notes a page of a load.
    fn loaded(&self, event: &'static str, page: &Page, offset: usize) {
        let mut loads = self.loads.lock().unwrap_or_else(PoisonError::into_inner);
        if page.has_more {
            loads.insert(event, Loaded { sent: offset + page.nodes.len(), at: Instant::now() });
        } else {
            loads.remove(event);
        }
    }

    fn put(&self, message: Message, bytes: usize, standing: Standing) {
        if self.line.push(message, bytes, standing) == Some(End::Overflow) {
            tracing::info!(address = %self.session.address, "a client reads too slowly and is disconnected");
            self.session.cut();
        }
    }
}

/// Runs a connection from its CONNECT to its end.
pub async fn run(app: Arc<App>, connection: Arc<Connection>, socket: Arc<Socket>, presented: Presented) {
    let number = connection.session.connecting();
    let pace = Pace::new(Arc::clone(&connection.session), app.settings.stall_timeout * 2);
    let mut sender = Sender { connection: Arc::clone(&connection), socket, pace };
    match admit(&app, &connection.session, &sender.socket.req_parts().headers, presented).await {
        Ok(admitted) => live(&app, &connection, &mut sender, admitted).await,
        Err(problem) => {
            let _ = sender.send(To::Event("connected"), &wire::not_connected(&problem)).await;
            sender.dismiss().await;
        }
    }
    connection.gone();
    connection.over.store(true, Ordering::Release);
    drop(sender);
    tokio::time::sleep(VACANT).await;
    if connection.session.latest_connect() == number {
        connection.session.cut();
    }
}

/// Whoever may stay.
struct Admitted {
    caller: Caller,
    means: Means,
    /// Given back at the end.
    _open: Option<Open>,
}

async fn admit(
    app: &Arc<App>,
    session: &Arc<Session>,
    headers: &HeaderMap,
    presented: Presented,
) -> Result<Admitted, Problem> {
    let over = |over: crate::limits::Over| Problem::limited(over.retry_after_s);
    let (name, rule) = config::CONNECT_ADDRESS;
    app.count(Who::address(session.address), name.into(), rule).map_err(over)?;
    let credentials = credentials(session, headers, presented).await?;
    if credentials.means == Means::Cookie
        && auth::origin(headers, &app.settings.allowed_origins) == Origin::Foreign
    {
        return Err(Problem::Origin);
    }
    let identity = app.authenticate(&credentials.secret).await.ok_or(Problem::AuthInvalid)?;
    let user = identity.caller.user;
    let (name, rule) = config::CONNECT_USER;
    app.count(Who::User(user), name.into(), rule).map_err(over)?;
    let open = match app.settings.limits.rule(config::OPEN_USER) {
        Some(rule) => Some(app.open(user, rule.count).ok_or(Problem::TooManyConnections)?),
        None => None,
    };
    Ok(Admitted { caller: identity.caller, means: credentials.means, _open: open })
}

/// What is presented on purpose goes before the cookie that a browser adds.
async fn credentials(
    session: &Session,
    headers: &HeaderMap,
    presented: Presented,
) -> Result<Credentials, Problem> {
    let in_headers = auth::credentials(headers);
    match (in_headers, presented) {
        (Some(found), _) if found.means == Means::Api => Ok(found),
        (_, Presented::Token(secret)) => Ok(Credentials { secret, means: Means::Api }),
        (_, Presented::Nonsense) => Err(Problem::AuthInvalid),
        (Some(found), Presented::Nothing) => Ok(found),
        (None, Presented::Nothing) => late(session).await.ok_or(Problem::AuthMissing),
    }
}

/// A client that begins by polling connects before its upgrade, whose headers may say who it is.
async fn late(session: &Session) -> Option<Credentials> {
    let upgrade = async {
        while !session.is_websocket() {
            session.progress().await;
        }
    };
    let _ = tokio::time::timeout(LATE, upgrade).await;
    session.late_credentials()
}

async fn live(app: &Arc<App>, connection: &Arc<Connection>, sender: &mut Sender, admitted: Admitted) {
    let Admitted { caller, means, _open } = admitted;
    let connected = wire::connected(caller.user, means.client(), clock::now());
    connection.put(Message::Event("connected", connected), 0, Standing::Bound);
    let sink = Sink { connection: Arc::clone(connection), user: caller.user };
    let id = app.engine.connect(caller, Box::new(sink));
    let end = tokio::select! {
        end = sender.run() => end,
        () = listen(app, connection, caller, id) => End::Gone,
    };
    app.engine.disconnect(id);
    tracing::debug!(?end, "a connection ended");
    if end == End::Revoked {
        sender.dismiss().await;
    }
}

/// Hands what arrives to the engine, one after the other.
async fn listen(app: &Arc<App>, connection: &Arc<Connection>, caller: Caller, id: ConnectionId) {
    while let Some((event, may_send)) = connection.inbox.next().await {
        if may_send {
            connection.session.release();
        }
        let Ok(place) = Arc::clone(&connection.in_flight).acquire_owned().await else { return };
        // What a panic leaves behind is an unanswered reply, which answers for itself.
        let asked = catch_unwind(AssertUnwindSafe(|| take(app, connection, caller, id, event, place)));
        if asked.is_err() {
            tracing::error!("an event failed by a fault of the server");
        }
    }
    // A closed inbox alone does not end the connection: what is to be sent still is.
    std::future::pending::<()>().await;
}

fn take(
    app: &Arc<App>,
    connection: &Arc<Connection>,
    caller: Caller,
    id: ConnectionId,
    event: Event,
    place: OwnedSemaphorePermit,
) {
    let (name, payload) = match read_event(&event.text) {
        Ok(read) => read,
        Err(malformed) => {
            return Reply::new(connection, String::new(), event.ack).say(Problem::from(malformed).into());
        }
    };
    let Some(row) = operations::by_event(&name) else {
        if event.ack.is_some() || !RELAYED.contains(&name.as_str()) {
            Reply::new(connection, name, event.ack).say(Problem::Event.into());
        }
        return;
    };
    let mut reply = Reply::new(connection, name, event.ack);
    reply.place = Some(place);
    reply.offset = payload.as_ref().map_or(0, offset);
    let answered = event.ack.is_some();
    let (limit, goes_on) = (row_limit(row), connection.load_goes_on_at(row.event));
    let asking =
        Asking { caller, row, payload, connection: Some(id), answered, limit, load_goes_on_at: goes_on };
    ask(app, asking, |said| reply.say(said));
}

/// The offset that a payload asks for.
fn offset(payload: &Json) -> usize {
    match payload.get("offset") {
        Some(Json::Int(offset)) => usize::try_from(*offset).unwrap_or(0),
        _ => 0,
    }
}

/// The name and the payload of an event. The name can be read of more events than the payload.
fn read_event(text: &str) -> Result<(String, Result<Json, Malformed>), Malformed> {
    let malformed = |what: &str| Malformed(what.to_owned());
    let parts: Vec<&RawValue> =
        serde_json::from_str(text).map_err(|_| malformed("the event is no list of a name and a payload"))?;
    let mut parts = parts.into_iter();
    let name = parts.next().and_then(|name| serde_json::from_str::<String>(name.get()).ok());
    let name = name.ok_or_else(|| malformed("the event has no name"))?;
    let payload = match (parts.next(), parts.next()) {
        (None, _) => Ok(Json::Object(Vec::new())),
        (Some(payload), None) => Json::parse(payload.get()),
        (Some(_), Some(_)) => Err(malformed("the event has more than one payload")),
    };
    Ok((name, payload))
}

/// The answer that is owed to one event. It is given exactly once: if it is forgotten, as a fault of the server.
struct Reply {
    owed: Option<Owed>,
    /// Where the page begins that may have been asked for.
    offset: usize,
    place: Option<OwnedSemaphorePermit>,
}

struct Owed {
    connection: Arc<Connection>,
    event: String,
    ack: Option<i64>,
}

impl Reply {
    fn new(connection: &Arc<Connection>, event: String, ack: Option<i64>) -> Self {
        let owed = Owed { connection: Arc::clone(connection), event, ack };
        Reply { owed: Some(owed), offset: 0, place: None }
    }

    fn say(mut self, said: Said) {
        if let Some(owed) = self.owed.take() {
            owed.give(said, self.offset);
        }
    }
}

impl Drop for Reply {
    fn drop(&mut self) {
        if let Some(owed) = self.owed.take() {
            owed.give(Problem::exception().into(), 0);
        }
    }
}

impl Owed {
    fn give(self, said: Said, offset: usize) {
        let Owed { connection, event, ack } = self;
        let (bytes, standing) = match &said {
            Said::Outcome(Outcome::Changed { diff, .. }) => (diff_bytes(diff), Standing::Own(diff.batch)),
            Said::Outcome(Outcome::Graph { page, .. }) => {
                connection.loaded("graph:get", page, offset);
                (page_bytes(page.nodes.len() + page.links.len()), Standing::Bound)
            }
            Said::Outcome(Outcome::Branch { page, .. }) => {
                connection.loaded("branch:get", page, offset);
                (page_bytes(page.nodes.len() + page.links.len()), Standing::Bound)
            }
            Said::Outcome(Outcome::Trash { page, .. }) => {
                (page_bytes(page.nodes.len() + page.links.len()), Standing::Bound)
            }
            _ => (page_bytes(1), Standing::Bound),
        };
        let trace = trace_id();
        if let Said::Problem(Problem::Failed(engine::Failure::Exception)) = &said {
            tracing::error!(trace_id = trace, event, "an event failed by a fault of the server");
        }
        if matches!(said, Said::Pong) {
            let pong = wire::pong(clock::now());
            connection.put(Message::Event("ws:pong", pong), page_bytes(1), Standing::Bound);
        }
        if ack.is_some() || is_heard_without_ack(&said, &event) {
            let message = Message::Said { event, ack, said: Box::new(said), trace };
            connection.put(message, bytes, standing);
        }
    }
}

/// Without an ack a failure is heard, and a page of the graph; a change is heard as a diff like everybody's (T5, T6).
fn is_heard_without_ack(said: &Said, event: &str) -> bool {
    match said {
        Said::Problem(_) => !RELAYED.contains(&event),
        Said::Outcome(Outcome::Graph { .. }) => event == "graph:get",
        Said::Outcome(_) | Said::Pong => false,
    }
}

impl Message {
    fn encode(&self) -> Option<(To, String)> {
        Some(match self {
            Message::Event(event, text) => (To::Event(event), text.clone()),
            Message::Diff(diff) => (To::Event("graph:diff"), wire::diff_event(diff)),
            Message::Published(published) => {
                (To::Event("branch:published"), wire::published_event(published))
            }
            Message::Said { ack: Some(ack), said, trace, .. } => (To::Ack(*ack), encode_ack(said, trace)),
            Message::Said { ack: None, said, event, trace } => match (&**said, event.as_str()) {
                (Said::Outcome(Outcome::Graph { page, rev }), _) => {
                    (To::Event("graph:init"), wire::graph_init(page, *rev, trace))
                }
                (Said::Problem(problem), "graph:get") => {
                    (To::Event("graph:error"), wire::graph_error(problem, trace))
                }
                (Said::Problem(problem), event) => {
                    (To::Event("error"), wire::error_event(problem, event, trace))
                }
                _ => return None,
            },
        })
    }
}

fn encode_ack(said: &Said, trace: &str) -> String {
    match said {
        Said::Outcome(outcome) => wire::answer(outcome, trace).1,
        Said::Pong => wire::pong_ack(clock::now(), trace),
        Said::Problem(problem) => wire::refused(problem, trace).1,
    }
}

/// Where the engine puts what the connection's user is told.
struct Sink {
    connection: Arc<Connection>,
    user: UserId,
}

impl engine::Line for Sink {
    fn diff(&self, diff: Arc<Diff>) {
        let own = diff.actor.as_ref().is_some_and(|actor| actor.id == self.user);
        let standing = if own { Standing::Own(diff.batch) } else { Standing::Bound };
        let bytes = diff_bytes(&diff);
        self.connection.put(Message::Diff(diff), bytes, standing);
    }

    fn published(&self, published: Arc<Published>) {
        self.connection.put(Message::Published(published), page_bytes(1), Standing::Bound);
    }

    /// Nothing is relayed here: its events have no shape on the wire yet, and it may be dropped.
    fn relay(&self, _: Arc<Relayed>) {}

    fn close(&self) {
        self.connection.line.end(End::Revoked);
    }
}

/// The one task that sends on a connection.
struct Sender {
    connection: Arc<Connection>,
    socket: Arc<Socket>,
    pace: Pace,
}

impl Sender {
    async fn run(&mut self) -> End {
        let connection = Arc::clone(&self.connection);
        loop {
            let message = match connection.line.next().await {
                Ok(message) => message,
                Err(End::Finished) => {
                    let _ = tokio::time::timeout(GRACE, self.pace.flushed(&connection.line)).await;
                    return End::Finished;
                }
                Err(end) => return end,
            };
            let encoded = catch_unwind(AssertUnwindSafe(|| message.encode())).unwrap_or_else(|_| {
                tracing::error!("a message could not be written by a fault of the server");
                fallback(&message)
            });
            let Some((to, text)) = encoded else { continue };
            if self.send(to, &text).await.is_err() {
                return connection.line.ended().unwrap_or(End::Gone);
            }
        }
    }

    async fn send(&mut self, to: To, text: &str) -> Result<(), Stopped> {
        self.pace.room(&self.connection.line).await?;
        let Ok(raw) = serde_json::from_str::<&RawValue>(text) else {
            tracing::error!("a message is no JSON by a fault of the server");
            return Ok(());
        };
        loop {
            match self.hand_over(to, raw) {
                Ok(()) => break,
                Err(SendError::Socket(SocketError::InternalChannelFull)) => {
                    tokio::time::sleep(FULL_PAUSE).await;
                }
                Err(_) => return Err(Stopped),
            }
            if self.connection.line.ended().is_some() {
                return Err(Stopped);
            }
        }
        self.pace.fed(text.len() + envelope_bytes(to));
        Ok(())
    }

    fn hand_over(&self, to: To, raw: &RawValue) -> Result<(), SendError> {
        match to {
            To::Event(event) => self.socket.emit(event, raw),
            To::Ack(ack) => {
                // The library hands out its way to answer only to extractors; one that fails is used up.
                let mut nothing = Value::Str("".into(), None);
                match AckSender::from_message_parts(&self.socket, &mut nothing, &Some(ack)) {
                    Ok(sender) => sender.send(raw),
                    Err(never) => match never {},
                }
            }
        }
    }

    /// Tells the client to go, and sees to it that it does.
    async fn dismiss(&self) {
        let _ = Arc::clone(&self.socket).disconnect();
        tokio::time::sleep(GRACE).await;
        self.connection.session.cut();
    }
}

/// What is said instead of a message that cannot be written.
fn fallback(message: &Message) -> Option<(To, String)> {
    match message {
        Message::Said { ack: Some(ack), trace, .. } => {
            Some((To::Ack(*ack), wire::refused(&Problem::exception(), trace).1))
        }
        _ => None,
    }
}

/// The bytes around a text: `42["event",…]` or `43id[…]`.
fn envelope_bytes(to: To) -> usize {
    match to {
        To::Event(event) => 7 + event.len(),
        To::Ack(ack) => 4 + ack.checked_ilog10().map_or(1, |digits| digits as usize + 1),
    }
}
