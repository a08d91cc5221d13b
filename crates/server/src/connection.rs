//! One client's connection: what it asks goes to the engine in order, and everything it is sent leaves in one order.

use crate::admission::{Admitted, Presented, admit};
use crate::app::App;
use crate::asking::{Asking, By, Said, ask, row_limit, settled};
use crate::config;
use crate::engine::message::Relayed;
use crate::engine::{self, Caller, ConnectionId, Outcome, Published, Relay, clock};
use crate::inbox::{Arrived, Event, Inbox};
use crate::line::{Bounds, End, Line, Standing, diff_bytes, page_bytes};
use crate::loads::Loads;
use crate::message::{
    Message, Place, To, answer_bytes, answer_standing, envelope_bytes, fallback, is_heard_without_ack,
};
use crate::operations;
use crate::pace::{Pace, Stopped};
use crate::payload::{Json, Malformed};
use crate::relaying::Relaying;
use crate::session::Session;
use crate::turns::{Turn, Turns};
use crate::wire::{self, Problem, trace_id};
use graph::{Diff, UserId};
use serde_json::value::RawValue;
use socketioxide::extract::AckSender;
use socketioxide::handler::{FromMessageParts as _, Value};
use socketioxide::{SendError, SocketError};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Semaphore;

type Socket = socketioxide::socket::Socket;

/// How many requests of one connection may be under way: from when they are read until their answers are sent.
const IN_FLIGHT_MAX: usize = 64;
/// As how many of them a request for a page counts, for its answer may be large.
const PAGE_COUNTS: u32 = 16;
/// How long a client that is told to go may take to hear it.
const GRACE: Duration = Duration::from_secs(1);
/// How long a session may stay without a connection to the namespace.
const VACANT: Duration = Duration::from_secs(10);
/// How long to wait before giving the library a message again that it had no room for.
const FULL_PAUSE: Duration = Duration::from_millis(10);

/// A connection to the namespace.
#[derive(Debug)]
pub struct Connection {
    session: Arc<Session>,
    inbox: Inbox,
    line: Line<Message>,
    loads: Loads,
    in_flight: Arc<Semaphore>,
    relaying: Relaying<Option<Reply>>,
    turns: Mutex<Turns<(Owed, Said)>>,
    over: AtomicBool,
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
            loads: Loads::default(),
            in_flight: Arc::new(Semaphore::new(IN_FLIGHT_MAX)),
            relaying: Relaying::new(settings.limits.rule(config::RELAY)),
            turns: Mutex::default(),
            over: AtomicBool::new(false),
        })
    }

    /// Takes in an event, in the order of arrival.
    pub fn receive(self: &Arc<Self>, event: Event) {
        match self.inbox.put(event) {
            Arrived::Taken => {}
            Arrived::TakenButHold => {
                self.session.hold();
                // What was in the inbox may have been taken out just before that, and nobody would let go again.
                if self.inbox.has_room() {
                    self.session.release();
                }
            }
            Arrived::Refused(event) => {
                let (name, _) = read_event(&event);
                Reply::new(self, name, event.ack, None).say(Problem::unavailable().into(), By::Here);
            }
        }
    }

    /// The client is gone.
    pub fn gone(&self) {
        self.line.end(End::Gone);
        self.inbox.close();
        self.dropped(self.relaying.close());
    }

    /// Sends what waits, and no more.
    pub fn finish(&self) {
        self.line.finish();
    }

    /// Whether all has been sent that ever will be.
    pub fn is_over(&self) -> bool {
        self.over.load(Ordering::Acquire)
    }

    /// Puts an answer into the line, if there is anything to say.
    fn answer(&self, owed: Owed, said: Said) {
        let Owed { event, ack, place } = owed;
        match &said {
            Said::Outcome(Outcome::Graph { page, .. } | Outcome::Branch { page, .. }) if !page.has_more => {
                self.loads.end(&event);
            }
            Said::Pong => {
                let pong = wire::pong(clock::now());
                self.put(Message::Event("ws:pong", pong), page_bytes(1), Standing::Asked(None));
            }
            _ => {}
        }
        let trace = trace_id();
        if let Said::Problem(Problem::Failed(engine::Failure::Exception)) = &said {
            tracing::error!(trace_id = trace, event, "an event failed by a fault of the server");
        }
        if ack.is_some() || is_heard_without_ack(&said, &event) {
            let (bytes, standing) = (answer_bytes(&said), answer_standing(&said, place.as_ref()));
            let message = Message::Said { event, ack, said: Box::new(said), trace, _place: place };
            self.put(message, bytes, standing);
        }
    }

    /// Has an event passed on. What is dropped for it counts as passed on (R8).
    fn pass_on(&self, relay: Relay, reply: Option<Reply>) {
        self.dropped(self.relaying.put(relay, reply));
    }

    /// An event to be passed on at once, unless it is one too many. What waits and says the same is overtaken.
    fn passed_now(&self, relay: Relay) -> Option<Relay> {
        self.dropped(self.relaying.pass_now(&relay)?);
        Some(relay)
    }

    fn dropped(&self, replies: Vec<Option<Reply>>) {
        for reply in replies.into_iter().flatten() {
            reply.say(Said::Outcome(Outcome::PassedOn), By::Here);
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

async fn live(app: &Arc<App>, connection: &Arc<Connection>, sender: &mut Sender, admitted: Admitted) {
    let Admitted { caller, means, open: _open } = admitted;
    let connected = wire::connected(caller.user, means.client(), clock::now());
    connection.put(Message::Event("connected", connected), 0, Standing::Bound);
    let sink = Sink { connection: Arc::clone(connection), user: caller.user };
    let id = app.engine.connect(caller, Box::new(sink));
    let end = tokio::select! {
        end = sender.run() => end,
        () = listen(app, connection, caller, id) => End::Gone,
        () = pass_on(app, connection, caller, id) => End::Gone,
    };
    app.engine.disconnect(id);
    tracing::debug!(?end, "a connection ended");
    if end == End::Revoked {
        sender.dismiss().await;
    }
}

/// Hands what is to be passed on to the engine, no faster than it may be.
async fn pass_on(app: &Arc<App>, connection: &Arc<Connection>, caller: Caller, id: ConnectionId) {
    loop {
        let (relay, reply) = connection.relaying.next().await;
        let answer = Box::new(|outcome| {
            if let Some(reply) = reply {
                reply.say(settled(outcome), By::Engine);
            }
        });
        app.engine.relay(caller, relay, id, answer);
    }
}

/// Hands what arrives to the engine, one after the other.
async fn listen(app: &Arc<App>, connection: &Arc<Connection>, caller: Caller, id: ConnectionId) {
    while let Some((event, may_send)) = connection.inbox.next().await {
        if may_send {
            connection.session.release();
        }
        let ack = event.ack;
        let (name, payload) = read_event(&event);
        let asks_page = operations::by_event(&name).is_some_and(operations::Row::is_read);
        let places = if asks_page { PAGE_COUNTS } else { 1 };
        let Ok(place) = Arc::clone(&connection.in_flight).acquire_many_owned(places).await else { return };
        let asked = (name, payload, ack, place);
        // What a panic leaves behind is an unanswered reply, which answers for itself.
        let asked = catch_unwind(AssertUnwindSafe(|| take(app, connection, caller, id, asked)));
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
    (name, payload, ack, place): (String, Result<Json, Malformed>, Option<i64>, Place),
) {
    let (mut row, mut passed_on) = (operations::by_event(&name), None);
    if let Some(relayed) = operations::relay_by_event(&name) {
        row = relayed.stored_by;
        let relay = payload.as_ref().map_err(|malformed| Problem::from(malformed.clone()));
        let relay = relay.and_then(|payload| operations::decode_relay(relayed, payload));
        match (relay, row) {
            // What is stored too is answered by what stores it, and passed on with that: too much of it is not.
            (Ok(relay), Some(_)) => passed_on = connection.passed_now(relay),
            (Ok(relay), None) => {
                let reply = ack.map(|ack| Reply::new(connection, name, Some(ack), Some(place)));
                return connection.pass_on(relay, reply);
            }
            (Err(problem), _) => {
                let reply = Reply::new(connection, name, ack, Some(place));
                return reply.say(problem.into(), By::Here);
            }
        }
    }
    let Some(row) = row else {
        let reply = Reply::new(connection, name, ack, Some(place));
        return reply.say(Problem::Event.into(), By::Here);
    };
    let reply = Reply::new(connection, name, ack, Some(place));
    let (answered, limit, loads) = (ack.is_some(), row_limit(row), Some(&connection.loads));
    let asking = Asking { caller, row, payload, connection: Some(id), answered, limit, passed_on, loads };
    ask(app, asking, |said, by| reply.say(said, by));
}

/// The name and the payload of an event. The name can be read of more events than the payload: of any that begins with
/// one. What has none has the empty name.
fn read_event(event: &Event) -> (String, Result<Json, Malformed>) {
    let text = event.text.as_str();
    let malformed = |what: &str| Err(Malformed(what.to_owned()));
    let name = text.trim_start().strip_prefix('[').and_then(|list| {
        serde_json::Deserializer::from_str(list).into_iter::<String>().next().and_then(Result::ok)
    });
    let Some(name) = name else { return (String::new(), malformed("the event has no name")) };
    let payload = match serde_json::from_str::<Vec<&RawValue>>(text).as_deref() {
        _ if event.has_attachments => malformed("it has binary attachments"),
        Ok([_]) => Ok(Json::Object(Vec::new())),
        Ok([_, payload]) => Json::parse(payload.get()),
        Ok(_) => malformed("the event has more than one payload"),
        Err(_) => malformed("the event is no list of a name and a payload"),
    };
    (name, payload)
}

/// The answer that is owed to one event. It is given exactly once: if it is forgotten, as a fault of the server.
#[derive(Debug)]
struct Reply {
    connection: Arc<Connection>,
    turn: Turn,
    /// `None` once it is given.
    owed: Option<Owed>,
}

/// What is needed to give an answer.
#[derive(Debug)]
struct Owed {
    event: String,
    ack: Option<i64>,
    place: Option<Place>,
}

impl Reply {
    fn new(connection: &Arc<Connection>, event: String, ack: Option<i64>, place: Option<Place>) -> Self {
        let turn = connection.turns.lock().unwrap_or_else(PoisonError::into_inner).begin();
        let owed = Owed { event, ack, place };
        Reply { connection: Arc::clone(connection), turn, owed: Some(owed) }
    }

    fn say(mut self, said: Said, by: By) {
        self.give(said, by);
    }

    fn give(&mut self, said: Said, by: By) {
        let Some(owed) = self.owed.take() else { return };
        // Held until all is in the line, so that nobody gets in between.
        let mut turns = self.connection.turns.lock().unwrap_or_else(PoisonError::into_inner);
        let due = match by {
            By::Engine => turns.answered(self.turn, (owed, said)),
            By::Here => turns.answered_here(self.turn, (owed, said)),
        };
        for (owed, said) in due {
            self.connection.answer(owed, said);
        }
    }
}

impl Drop for Reply {
    fn drop(&mut self) {
        self.give(Problem::exception().into(), By::Here);
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

    fn missed(&self, diff: Arc<Diff>) {
        let bytes = diff_bytes(&diff);
        self.connection.put(Message::Diff(diff), bytes, Standing::Asked(None));
    }

    fn published(&self, published: Arc<Published>) {
        self.connection.put(Message::Published(published), page_bytes(1), Standing::Bound);
    }

    fn relay(&self, relayed: Arc<Relayed>) {
        self.connection.put(Message::Relayed(relayed), page_bytes(8), Standing::Spare);
    }

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
