//! A client's connection: its requests go to the engine in order, and everything it is sent leaves in one order.

use super::admission::{Admitted, Presented, admit};
use super::eio_session::EioSession;
use super::inbox::{Arrived, Event, Inbox};
use super::outbox::{Admission, Bounds, End, Outbox, page_bytes};
use super::outgoing::{
    InFlightPermit, NotedReply, Outgoing, Text, To, answer_admission, answer_bytes, fallback,
    is_heard_without_ack,
};
use super::relay_queue::RelayQueue;
use super::reply_order::{ReplyOrder, ReplySlot};
use super::sender::{Sender, Socket};
use crate::app::{App, Figures};
use crate::aside;
use crate::dispatch::{AnsweredBy, Reply, Request, dispatch, settled};
use crate::engine::DiffPart;
use crate::engine::protocol::Relayed;
use crate::engine::{self, Caller, ConnectionId, Outcome, Published, Relay, clock};
use crate::limits::LoadQuota;
use crate::limits::RELAY;
use crate::measure::Transport;
use crate::operations;
use crate::wire::payload::{Json, Malformed};
use crate::wire::{self, Problem, trace_id};
use graph::UserId;
use graph::model::User;
use serde_json::value::RawValue;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;

/// How many requests of one connection may be in flight, from when they are read until their answers are sent.
const IN_FLIGHT_MAX: usize = 64;
/// How many of them a request for a page counts as, because its answer may be large.
const PAGE_COUNTS: u32 = 16;
/// How long a dismissed client may take to receive the dismissal.
const GRACE: Duration = Duration::from_secs(1);
/// How long a session may stay without a connection to the namespace.
const VACANT: Duration = Duration::from_secs(10);

/// A connection to the namespace.
#[derive(Debug)]
pub struct Connection {
    session: Arc<EioSession>,
    inbox: Inbox,
    outbox: Outbox<Outgoing>,
    load_quota: LoadQuota,
    in_flight: Arc<Semaphore>,
    relay_queue: RelayQueue<Option<PendingReply>>,
    reply_order: Mutex<ReplyOrder<(Owed, Reply)>>,
    over: AtomicBool,
    figures: Arc<Figures>,
    access_log: bool,
    /// Whose it is, once that is known.
    user: OnceLock<UserId>,
}

impl Connection {
    /// A connection that is being set up.
    pub fn new(app: &App, session: Arc<EioSession>) -> Arc<Connection> {
        let settings = &app.settings;
        let bounds =
            Bounds { entries_max: settings.outbox_entries_max, bytes_max: settings.outbox_bytes_max };
        Arc::new(Connection {
            session,
            inbox: Inbox::default(),
            outbox: Outbox::new(bounds),
            load_quota: LoadQuota::default(),
            in_flight: Arc::new(Semaphore::new(IN_FLIGHT_MAX)),
            relay_queue: RelayQueue::new(settings.limits.rule(RELAY)),
            reply_order: Mutex::default(),
            over: AtomicBool::new(false),
            figures: Arc::clone(&app.figures),
            access_log: settings.access_log,
            user: OnceLock::new(),
        })
    }

    /// Takes an event into the inbox, in the order of arrival.
    pub fn receive(self: &Arc<Self>, event: Event) {
        match self.inbox.put(event) {
            Arrived::Taken => {}
            Arrived::TakenButHold => {
                self.session.hold();
                // The inbox may have been emptied just before, and nothing else would release the client.
                if self.inbox.has_room() {
                    self.session.release();
                }
            }
            Arrived::Refused(event) => {
                let (name, _) = read_event(&event);
                PendingReply::new(self, name, event.ack, None)
                    .say(Problem::unavailable().into(), AnsweredBy::Here);
            }
        }
    }

    /// The client is gone.
    pub fn gone(&self) {
        self.outbox.end(End::Gone);
        self.inbox.close();
        self.dropped(self.relay_queue.close());
    }

    /// Sends what is waiting and nothing more.
    pub fn finish(&self) {
        self.outbox.finish();
    }

    /// How many messages wait to be sent, and how many bytes they hold.
    pub fn load(&self) -> (usize, usize) {
        self.outbox.load()
    }

    /// Whether everything that ever will be sent has been sent.
    pub fn is_over(&self) -> bool {
        self.over.load(Ordering::Acquire)
    }

    /// Puts a reply into the outbox, if there is anything to send.
    fn answer(&self, owed: Owed, reply: Reply) {
        let Owed { event, ack, permit, begun } = owed;
        match &reply {
            Reply::Outcome(Outcome::Graph { page, .. } | Outcome::Branch { page, .. }) if !page.has_more => {
                self.load_quota.end(&event);
            }
            Reply::Pong => {
                let pong = wire::pong(clock::now());
                self.put(Outgoing::Event("ws:pong", pong), page_bytes(1), Admission::Asked);
            }
            _ => {}
        }
        let trace = trace_id();
        let noted = self.noted(&event, &reply, begun.elapsed());
        if let Reply::Problem(Problem::Failed(engine::Failure::Exception)) = &reply {
            tracing::error!(trace_id = trace, event, "internal error while handling an event");
        }
        let is_heard = ack.is_some() || is_heard_without_ack(&reply, &event);
        if let Reply::Problem(problem) = &reply
            && problem.is_rate_limited()
            && is_heard
        {
            // Before the answer, whose permit thus bounds how many of these wait.
            let told = wire::error_event(problem, &event, &trace);
            self.put(Outgoing::Event("rate_limited", told), page_bytes(1), Admission::Asked);
        }
        if is_heard {
            let (bytes, standing) = (answer_bytes(&reply), answer_admission(permit.as_ref()));
            let noted = noted.map(Box::new);
            let message =
                Outgoing::Reply { event, ack, reply: Box::new(reply), trace, noted, _permit: permit };
            self.put(message, bytes, standing);
        } else if let Some(noted) = noted {
            noted.note(&trace, 0);
        }
    }

    /// Counts a request that is answered. Returns what is to be logged of it.
    fn noted(&self, event: &str, reply: &Reply, time: Duration) -> Option<NotedReply> {
        let problem = match reply {
            Reply::Problem(problem) => Some(problem),
            Reply::Outcome(_) | Reply::Pong => None,
        };
        self.figures.note(event, Transport::Socket, problem, time);
        self.access_log.then(|| NotedReply {
            operation: self.figures.requests.name(event),
            status: problem.map_or(200, Problem::status),
            code: problem.map(Problem::code_or_class),
            time,
            user: self.user.get().copied(),
            client: self.session.client.address,
        })
    }

    /// Queues an event for relay. Events dropped from the queue count as relayed (R8).
    fn pass_on(&self, relay: Relay, reply: Option<PendingReply>) {
        self.dropped(self.relay_queue.put(relay, reply));
    }

    /// Returns the event if it may be relayed at once, within the limit. It then replaces a waiting event about the
    /// same subject.
    fn passed_now(&self, relay: Relay) -> Option<Relay> {
        self.dropped(self.relay_queue.pass_now(&relay)?);
        Some(relay)
    }

    fn dropped(&self, replies: Vec<Option<PendingReply>>) {
        for reply in replies.into_iter().flatten() {
            reply.say(Reply::Outcome(Outcome::PassedOn), AnsweredBy::Here);
        }
    }

    fn put(&self, message: Outgoing, bytes: usize, standing: Admission) {
        self.cut_at(self.outbox.push(message, bytes, standing));
    }

    fn cut_at(&self, end: Option<End>) {
        if end == Some(End::Overflow) {
            self.figures.overflows.one();
            tracing::info!(address = %self.session.client.address, "disconnecting a client that reads too slowly");
            self.session.cut();
        }
    }
}

/// Runs a connection from its CONNECT to its end.
pub async fn run(app: Arc<App>, connection: Arc<Connection>, socket: Arc<Socket>, presented: Presented) {
    let number = connection.session.connecting();
    let session = Arc::clone(&connection.session);
    let sender = Arc::new(Sender::new(socket, session, app.settings.stall_timeout * 2));
    match admit(&app, &connection.session, sender.headers(), presented).await {
        Ok(admitted) => live(&app, &connection, &sender, admitted).await,
        Err(problem) => {
            let refusal = Outgoing::Event("connected", wire::not_connected(&problem));
            if let Some((to, text)) = encoded(&refusal) {
                let _ = sender.send(&connection.outbox, to, &text).await;
            }
            if problem.retry_after_s().is_some() {
                turn_away(&connection, &sender).await;
            } else {
                dismiss(&connection, &sender).await;
            }
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

async fn live(app: &Arc<App>, connection: &Arc<Connection>, sender: &Arc<Sender>, admitted: Admitted) {
    let Admitted { caller, means, open: _open } = admitted;
    let _ = connection.user.set(caller.account);
    let connected = wire::connected(caller.account, means.client(), clock::now());
    connection.put(Outgoing::Event("connected", connected), 0, Admission::Bound);
    let sink = Sink { connection: Arc::clone(connection), sender: Arc::clone(sender), user: caller.account };
    let id = app.engine.connect(caller, Box::new(sink));
    let end = tokio::select! {
        end = send_all(connection, sender) => end,
        () = listen(app, connection, caller, id) => End::Gone,
        () = pass_on(app, connection, caller, id) => End::Gone,
    };
    app.engine.disconnect(id);
    tracing::debug!(?end, "a connection ended");
    if end == End::Revoked {
        dismiss(connection, sender).await;
    }
}

/// Hands relay events to the engine, no faster than the limit allows.
async fn pass_on(app: &Arc<App>, connection: &Arc<Connection>, caller: Caller, id: ConnectionId) {
    loop {
        let (relay, reply) = connection.relay_queue.next().await;
        let answer = Box::new(|outcome| {
            if let Some(reply) = reply {
                reply.say(settled(outcome), AnsweredBy::Engine);
            }
        });
        app.engine.relay(caller, relay, id, answer);
    }
}

/// Hands arriving events to the engine, one after the other.
async fn listen(app: &Arc<App>, connection: &Arc<Connection>, caller: Caller, id: ConnectionId) {
    while let Some((event, may_send)) = connection.inbox.next().await {
        if may_send {
            connection.session.release();
        }
        let ack = event.ack;
        let (name, payload) = read_event(&event);
        let asks_page = operations::by_event(&name).is_some_and(operations::Row::is_read);
        let permits = if asks_page { PAGE_COUNTS } else { 1 };
        let Ok(permit) = Arc::clone(&connection.in_flight).acquire_many_owned(permits).await else { return };
        let asked = (name, payload, ack, permit);
        // A panic leaves an unanswered reply, which answers when it is dropped.
        let asked = catch_unwind(AssertUnwindSafe(|| take(app, connection, caller, id, asked)));
        if asked.is_err() {
            tracing::error!("internal error while handling an event");
        }
    }
    // A closed inbox alone does not end the connection: the outbox is still sent.
    std::future::pending::<()>().await;
}

fn take(
    app: &Arc<App>,
    connection: &Arc<Connection>,
    caller: Caller,
    id: ConnectionId,
    (name, payload, ack, permit): (String, Result<Json, Malformed>, Option<i64>, InFlightPermit),
) {
    let (mut row, mut passed_on) = (operations::by_event(&name), None);
    if let Some(relayed) = operations::relay_by_event(&name) {
        row = relayed.stored_by.as_ref();
        // What is relayed shows others where somebody is and what they do. A token that may only read shows nothing.
        if caller.reads_only && row.is_none() {
            let pending = PendingReply::new(connection, name, ack, Some(permit));
            return pending.say(Problem::read_only().into(), AnsweredBy::Here);
        }
        let relay = payload.as_ref().map_err(|malformed| Problem::from(malformed.clone()));
        let relay = relay.and_then(|payload| operations::decode_relay(relayed, payload));
        match (relay, row) {
            // A node:dragend is answered by its mutation and relayed with it, unless it exceeds the limit.
            (Ok(relay), Some(_)) => passed_on = connection.passed_now(relay),
            (Ok(relay), None) => {
                let pending = ack.map(|ack| PendingReply::new(connection, name, Some(ack), Some(permit)));
                return connection.pass_on(relay, pending);
            }
            (Err(problem), _) => {
                let pending = PendingReply::new(connection, name, ack, Some(permit));
                return pending.say(problem.into(), AnsweredBy::Here);
            }
        }
    }
    let Some(row) = row else {
        let pending = PendingReply::new(connection, name, ack, Some(permit));
        return pending.say(Problem::Event.into(), AnsweredBy::Here);
    };
    let pending = PendingReply::new(connection, name, ack, Some(permit));
    let (answered, limit, load_quota) = (ack.is_some(), row.limit.into(), Some(&connection.load_quota));
    let request =
        Request { caller, row, payload, connection: Some(id), answered, limit, passed_on, load_quota };
    dispatch(app, request, |reply, by| pending.say(reply, by));
}

/// The name and the payload of an event. The name can be read even when the payload cannot, if the event begins
/// with one. Otherwise the name is empty.
fn read_event(event: &Event) -> (String, Result<Json, Malformed>) {
    let text = event.text.as_str();
    let malformed = |what: &str| Err(Malformed(what.to_owned()));
    let name = text.trim_start().strip_prefix('[').and_then(|list| {
        serde_json::Deserializer::from_str(list).into_iter::<String>().next().and_then(Result::ok)
    });
    let Some(name) = name else { return (String::new(), malformed("the event has no name")) };
    let payload = match serde_json::from_str::<Vec<&RawValue>>(text).as_deref() {
        _ if event.has_attachments => malformed("binary attachments are not supported"),
        Ok([_]) => Ok(Json::Object(Vec::new())),
        Ok([_, payload]) => Json::parse(payload.get()),
        Ok(_) => malformed("the event has more than one payload"),
        Err(_) => malformed("an event must be a list of a name and a payload"),
    };
    (name, payload)
}

/// The reply owed to one event. It is given exactly once. If it is dropped ungiven, it is an internal error.
#[derive(Debug)]
struct PendingReply {
    connection: Arc<Connection>,
    slot: ReplySlot,
    /// `None` once it has been given.
    owed: Option<Owed>,
}

/// What is needed to give a reply.
#[derive(Debug)]
struct Owed {
    event: String,
    ack: Option<i64>,
    permit: Option<InFlightPermit>,
    begun: Instant,
}

impl PendingReply {
    fn new(
        connection: &Arc<Connection>,
        event: String,
        ack: Option<i64>,
        permit: Option<InFlightPermit>,
    ) -> Self {
        let slot = connection.reply_order.lock().unwrap_or_else(PoisonError::into_inner).begin();
        let owed = Owed { event, ack, permit, begun: Instant::now() };
        PendingReply { connection: Arc::clone(connection), slot, owed: Some(owed) }
    }

    fn say(mut self, reply: Reply, by: AnsweredBy) {
        self.give(reply, by);
    }

    fn give(&mut self, reply: Reply, by: AnsweredBy) {
        let Some(owed) = self.owed.take() else { return };
        // Held until all replies are in the outbox, so that no other reply gets between them.
        let mut reply_order = self.connection.reply_order.lock().unwrap_or_else(PoisonError::into_inner);
        let due = match by {
            AnsweredBy::Engine => reply_order.answered(self.slot, (owed, reply)),
            AnsweredBy::Here => reply_order.answered_here(self.slot, (owed, reply)),
        };
        for (owed, reply) in due {
            self.connection.answer(owed, reply);
        }
    }
}

impl Drop for PendingReply {
    fn drop(&mut self) {
        self.give(Problem::exception().into(), AnsweredBy::Here);
    }
}

/// The engine's way into the connection's outbox.
struct Sink {
    connection: Arc<Connection>,
    sender: Arc<Sender>,
    user: UserId,
}

impl Sink {
    /// Sends a message at once, past the outbox, if it can be sent now. It must be small, and one that many are sent:
    /// then it is written only once, and the engine is not kept from its work.
    fn pass_by(&self, message: &Outgoing) -> bool {
        let send = || encoded(message).is_some_and(|(to, text)| self.sender.try_send(to, &text));
        self.connection.outbox.pass_by(send)
    }
}

/// The most bytes of a diff that passes by the outbox.
const PASSING_BYTES_MAX: usize = 16 << 10;

impl engine::ConnectionSink for Sink {
    fn diff(&self, parts: &[Arc<DiffPart>]) {
        if let [part] = parts
            && part.is_shared
            && part.bytes() <= PASSING_BYTES_MAX
            && self.pass_by(&Outgoing::Diff(Arc::clone(part)))
        {
            return;
        }
        let actor = parts.first().and_then(|part| part.actor.as_ref());
        let own = actor.is_some_and(|actor| actor.id == self.user);
        let standing = if own { Admission::Own } else { Admission::Bound };
        let parts = parts.iter().map(|part| (Outgoing::Diff(Arc::clone(part)), part.bytes()));
        self.connection.cut_at(self.connection.outbox.push_all(parts, standing));
    }

    fn missed(&self, diff: Arc<DiffPart>) {
        let bytes = diff.bytes();
        // It is kept for others who miss it, and its text is not.
        let diff = Arc::new(DiffPart::clone(&diff));
        self.connection.put(Outgoing::Diff(diff), bytes, Admission::Asked);
    }

    fn published(&self, published: Arc<Published>) {
        let message = Outgoing::Published(published);
        if !self.pass_by(&message) {
            self.connection.put(message, page_bytes(1), Admission::Bound);
        }
    }

    fn viewed(&self, user: Arc<User>) {
        let camera = user.view.camera_position.as_deref().map_or(0, str::len);
        self.connection.put(Outgoing::Viewed(user), page_bytes(1) + camera, Admission::Bound);
    }

    fn relay(&self, relayed: Arc<Relayed>) {
        let message = Outgoing::Relayed(relayed);
        if !self.pass_by(&message) {
            self.connection.put(message, page_bytes(8), Admission::Spare);
        }
    }

    fn close(&self) {
        self.connection.outbox.end(End::Revoked);
    }
}

/// Sends what is in the outbox, until it ends.
async fn send_all(connection: &Connection, sender: &Sender) -> End {
    loop {
        let message = match connection.outbox.next().await {
            Ok(message) => message,
            Err(End::Finished) => {
                let _ = tokio::time::timeout(GRACE, sender.flushed(&connection.outbox)).await;
                return End::Finished;
            }
            Err(end) => return end,
        };
        let (message, encoded) = if message.is_large() {
            // It is encoded where nobody waits for it.
            let made = aside::make(move |_| {
                let encoded = encoded(&message);
                (message, encoded)
            });
            // Only a runtime that ends makes nothing.
            let Some(made) = made.await else { return End::Gone };
            made
        } else {
            let encoded = encoded(&message);
            (message, encoded)
        };
        let Some((to, text)) = encoded else { continue };
        if let Outgoing::Reply { noted: Some(noted), trace, .. } = &message {
            noted.note(trace, text.get().len());
        }
        if sender.send(&connection.outbox, to, &text).await.is_err() {
            return connection.outbox.ended().unwrap_or(End::Gone);
        }
        // The permit of an answer is held until the answer has been sent.
        drop(message);
    }
}

/// The message as it is sent. A message that cannot be serialized is an internal error.
fn encoded(message: &Outgoing) -> Option<(To, Text)> {
    catch_unwind(AssertUnwindSafe(|| message.encode())).unwrap_or_else(|_| {
        tracing::error!("internal error: a message could not be serialized");
        fallback(message)
    })
}

/// Cuts the transport of a client that may try again later. A client that was told to disconnect would not: clients
/// reconnect by themselves only when the transport ends.
async fn turn_away(connection: &Connection, sender: &Sender) {
    let _ = tokio::time::timeout(GRACE, sender.flushed(&connection.outbox)).await;
    if connection.session.is_websocket() {
        // What has been sent is lost when the connection is reset before it is read.
        tokio::time::sleep(GRACE).await;
    }
    connection.session.cut();
}

/// Tells the client to disconnect, and makes sure that it does.
async fn dismiss(connection: &Connection, sender: &Sender) {
    sender.disconnect();
    tokio::time::sleep(GRACE).await;
    connection.session.cut();
}
