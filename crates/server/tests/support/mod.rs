//! A small world of named users around an engine on a real log. It does what a transport would do.

// Each test uses a part of it, and all of it is test code.
#![allow(dead_code, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

pub mod installation;
pub mod odd_log;
pub mod replica;

use graph::load::Page;
use graph::model::{Level, LinkType, Plan, TokenHash, User};
use graph::ops::{AccessAdd, LinkAdd, NodeAdd, NodeUpdate};
use graph::{BatchId, LinkId, NodeFields, NodeId, Operation, Reason, Timestamp, TokenId};
use installation::Installation;
use odd_log::{Knobs, OddLog};
use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::mpsc::{Receiver, TryRecvError, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use synaptask::engine::DiffPart;
use synaptask::engine::{
    Caller, ConnectionId, ConnectionSink, Engine, EngineSettings, Failure, IdempotencyKey, Mutation,
    OnOutcome, Outcome, PageRequest, Published, Read, Relayed,
};
use uuid::Uuid;

/// How long a test waits for what must arrive.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// A running engine and its users.
pub struct Server {
    pub installation: Installation,
    pub engine: Engine,
    pub knobs: Arc<Knobs>,
    tokens: BTreeMap<String, (Caller, TokenHash)>,
}

impl Server {
    /// A server whose groups no slow machine closes early.
    pub fn with(people: &[&str]) -> Self {
        Self::set(people, EngineSettings { group_time: PATIENCE, ..EngineSettings::default() })
    }

    pub fn set(people: &[&str], settings: EngineSettings) -> Self {
        let installation = Installation::new();
        let open = |name: &&str| {
            let user = installation.add_user(name, Plan::Pro);
            let (token, hash) = installation.add_token(user);
            ((*name).to_owned(), (Caller::api(user, token, hash), hash))
        };
        let tokens = people.iter().map(open).collect();
        let knobs = Arc::new(Knobs::default());
        let engine = start(&installation, &knobs, settings);
        Server { installation, engine, knobs, tokens }
    }

    /// An orderly stop and a start on the same data.
    pub fn restarted(self) -> Self {
        self.restarted_with(EngineSettings::default())
    }

    /// The same, with other settings from now on.
    pub fn restarted_with(self, settings: EngineSettings) -> Self {
        drain(&self.engine, PATIENCE);
        let knobs = Arc::new(Knobs::default());
        let engine = start(&self.installation, &knobs, settings);
        Server { engine, knobs, ..self }
    }

    pub fn person(&self, name: &str) -> Person {
        let (caller, hash) = self.tokens[name];
        Person { engine: self.engine.clone(), caller, hash, email: email(name) }
    }

    /// Queues requests while the engine is busy with another, so that they are taken together.
    pub fn together(&self, busy: Mutation, requests: Vec<Mutation>) -> Vec<Outcome> {
        self.knobs.hold();
        let busy = ask(&self.engine, busy);
        self.knobs.until_held();
        let pending: Vec<Pending> = requests.into_iter().map(|request| ask(&self.engine, request)).collect();
        self.knobs.release();
        changed(busy.wait());
        pending.into_iter().map(Pending::wait).collect()
    }
}

fn start(installation: &Installation, knobs: &Arc<Knobs>, settings: EngineSettings) -> Engine {
    let log = OddLog { log: installation.log(), knobs: Arc::clone(knobs) };
    Engine::start(Box::new(log), settings).unwrap()
}

pub fn drain(engine: &Engine, within: Duration) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(engine.drain(within));
}

/// Drains the engine and waits until it has closed the log.
pub fn close(engine: &Engine) {
    drain(engine, PATIENCE);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(engine.closed(PATIENCE));
}

/// A user with an account and an API token.
#[derive(Clone)]
pub struct Person {
    engine: Engine,
    pub caller: Caller,
    pub hash: TokenHash,
    pub email: String,
}

impl Person {
    /// A user whose token a running engine knows.
    pub fn of(engine: &Engine, caller: Caller, hash: TokenHash, name: &str) -> Person {
        Person { engine: engine.clone(), caller, hash, email: email(name) }
    }

    /// The same user with another API token.
    pub fn with_token(&self, token: TokenId, hash: TokenHash) -> Person {
        Person { caller: Caller { token, hash, ..self.caller }, hash, ..self.clone() }
    }

    /// A mutation over REST.
    pub fn asks(&self, operation: Operation) -> Mutation {
        Mutation {
            caller: self.caller,
            operation,
            idempotency_key: None,
            connection: None,
            origin: None,
            limited: None,
            passed_on: None,
        }
    }

    pub fn tries(&self, operation: Operation) -> Outcome {
        ask(&self.engine, self.asks(operation)).wait()
    }

    /// Over REST, and successfully.
    pub fn does(&self, operation: Operation) -> Arc<DiffPart> {
        changed(self.tries(operation))
    }

    /// Adds a node, under a target if there is one.
    pub fn adds(&self, title: &str, target: Option<NodeId>) -> NodeId {
        let id = NodeId(Uuid::new_v4());
        self.does(add(id, title, target));
        id
    }

    pub fn reads(&self, read: Read) -> Outcome {
        let (answer, pending) = expect_answer();
        self.engine.read(self.caller, read, None, answer);
        pending.wait()
    }

    /// Everything that the user sees, loaded anew.
    pub fn sees(&self) -> Page {
        page(self.reads(WHOLE))
    }

    /// Its titles, in order.
    pub fn sees_titles(&self) -> Vec<String> {
        self.sees().nodes.iter().map(|seen| seen.node.title.clone()).collect()
    }

    pub fn connects(&self) -> Socket {
        let told: Arc<Mutex<Vec<Told>>> = Arc::default();
        let id = self.engine.connect(self.caller, Box::new(Recorder(Arc::clone(&told))));
        Socket { person: self.clone(), id, told }
    }
}

pub const WHOLE: Read = Read::Graph { page: PageRequest { limit: usize::MAX, offset: 0 } };

/// A message on one connection.
#[derive(Clone, Debug)]
pub enum Told {
    Diff(Arc<DiffPart>),
    Published(Arc<Published>),
    Viewed(Arc<User>),
    /// The answer to a request on this connection.
    Answer(Outcome),
    /// A fresh load of everything, requested for comparison.
    Fresh(Page),
    Closed,
}

struct Recorder(Arc<Mutex<Vec<Told>>>);

impl ConnectionSink for Recorder {
    fn diff(&self, parts: &[Arc<DiffPart>]) {
        self.0.lock().unwrap().extend(parts.iter().map(|part| Told::Diff(Arc::clone(part))));
    }
    fn missed(&self, diff: Arc<DiffPart>) {
        self.diff(&[diff]);
    }
    fn viewed(&self, user: Arc<User>) {
        self.0.lock().unwrap().push(Told::Viewed(user));
    }
    fn published(&self, published: Arc<Published>) {
        self.0.lock().unwrap().push(Told::Published(published));
    }
    fn relay(&self, _: Arc<Relayed>) {}
    fn close(&self) {
        self.0.lock().unwrap().push(Told::Closed);
    }
}

/// A live connection of a user. Its messages are kept in order.
pub struct Socket {
    pub person: Person,
    pub id: ConnectionId,
    told: Arc<Mutex<Vec<Told>>>,
}

impl Socket {
    pub fn asks(&self, operation: Operation) -> Mutation {
        Mutation { connection: Some(self.id), origin: Some(self.id), ..self.person.asks(operation) }
    }

    /// Over the socket, and successfully. The answer is among the socket's messages.
    pub fn does(&self, operation: Operation) -> Arc<DiffPart> {
        let pending = self.sends(self.asks(operation));
        changed(pending.wait())
    }

    pub fn sends(&self, mutation: Mutation) -> Pending {
        let (answer, pending) = self.expect_answer(Told::Answer);
        self.person.engine.mutate(mutation, answer);
        pending
    }

    pub fn reads(&self, read: Read) -> Outcome {
        self.asks_to_read(read).wait()
    }

    /// Sends a request and leaves the answer for later.
    pub fn asks_to_read(&self, read: Read) -> Pending {
        let (answer, pending) = self.expect_answer(Told::Answer);
        self.person.engine.read(self.person.caller, read, Some(self.id), answer);
        pending
    }

    pub fn loads(&self, limit: usize, offset: usize) -> Page {
        page(self.reads(Read::Graph { page: PageRequest { limit, offset } }))
    }

    /// Requests everything anew, to be compared at its place among the messages. It ends a load in progress.
    pub fn compares(&self) {
        let (answer, pending) = self.expect_answer(|outcome| Told::Fresh(page(outcome)));
        self.person.engine.read(self.person.caller, WHOLE, Some(self.id), answer);
        pending.wait();
    }

    fn expect_answer(&self, as_told: impl FnOnce(Outcome) -> Told + Send + 'static) -> (OnOutcome, Pending) {
        let told = Arc::clone(&self.told);
        let (answer, pending) = expect_answer();
        let answer = Box::new(move |outcome: Outcome| {
            told.lock().unwrap().push(as_told(outcome.clone()));
            answer(outcome);
        });
        (answer, pending)
    }

    /// The messages since the last call. Everything that was answered before has arrived.
    pub fn hears(&self) -> Vec<Told> {
        self.person.reads(Read::Account);
        std::mem::take(&mut self.told.lock().unwrap())
    }

    /// The diffs among the messages.
    pub fn hears_diffs(&self) -> Vec<Arc<DiffPart>> {
        let diff = |told| if let Told::Diff(diff) = told { Some(diff) } else { None };
        self.hears().into_iter().filter_map(diff).collect()
    }

    /// The messages so far, without asking the engine.
    pub fn glances(&self) -> Vec<Told> {
        self.told.lock().unwrap().clone()
    }

    pub fn is_closed(&self) -> bool {
        self.glances().iter().any(|told| matches!(told, Told::Closed))
    }
}

/// A request in progress.
pub struct Pending(pub Receiver<Outcome>);

impl Pending {
    pub fn wait(self) -> Outcome {
        self.0.recv_timeout(PATIENCE).expect("every request is answered")
    }

    /// The answer, if it has arrived.
    pub fn glance(&self) -> Option<Outcome> {
        match self.0.try_recv() {
            Ok(outcome) => Some(outcome),
            Err(TryRecvError::Empty) => None,
            Err(TryRecvError::Disconnected) => panic!("every request is answered"),
        }
    }
}

pub fn expect_answer() -> (OnOutcome, Pending) {
    let (sender, receiver) = channel();
    (Box::new(move |outcome| sender.send(outcome).unwrap_or_default()), Pending(receiver))
}

pub fn ask(engine: &Engine, mutation: Mutation) -> Pending {
    let (answer, pending) = expect_answer();
    engine.mutate(mutation, answer);
    pending
}

/// The mutation with a client's batchId.
pub fn named(mutation: Mutation, batch: BatchId) -> Mutation {
    let mut hasher = DefaultHasher::new();
    format!("{:?}", mutation.operation).hash(&mut hasher);
    let mut fingerprint = [0; 32];
    fingerprint[..8].copy_from_slice(&hasher.finish().to_le_bytes());
    Mutation { idempotency_key: Some(IdempotencyKey { batch, fingerprint }), ..mutation }
}

pub fn changed(outcome: Outcome) -> Arc<DiffPart> {
    match outcome {
        Outcome::Changed { diff, replayed: false } => diff,
        other => panic!("not done: {other:?}"),
    }
}

pub fn replayed(outcome: Outcome) -> Arc<DiffPart> {
    match outcome {
        Outcome::Changed { diff, replayed: true } => diff,
        other => panic!("not replayed: {other:?}"),
    }
}

pub fn failure(outcome: Outcome) -> Failure {
    match outcome {
        Outcome::Failed(failure) => failure,
        other => panic!("not refused: {other:?}"),
    }
}

pub fn refused(reason: Reason) -> Failure {
    Failure::Refused(reason.into())
}

pub fn page(outcome: Outcome) -> Page {
    match outcome {
        Outcome::Graph { page, .. } => page,
        other => panic!("no page: {other:?}"),
    }
}

/// Waits until a condition holds.
pub fn until(what: &str, so: impl Fn() -> bool) {
    let since = Instant::now();
    while !so() {
        assert!(since.elapsed() < PATIENCE, "waited in vain until {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

pub fn now() -> Timestamp {
    #[expect(clippy::disallowed_methods, reason = "the tests live by the server's clock")]
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    Timestamp::from_ms(i64::try_from(since.as_millis()).unwrap())
}

pub fn email(name: &str) -> String {
    format!("{name}@example.org")
}

pub fn batch_id() -> BatchId {
    BatchId(Uuid::new_v4())
}

pub fn add(id: NodeId, title: &str, target: Option<NodeId>) -> Operation {
    Operation::NodeAdd(NodeAdd { id: Some(id), target, fields: titled(title) })
}

pub fn rename(id: NodeId, title: &str) -> Operation {
    Operation::NodeUpdate(NodeUpdate { id, fields: titled(title), version: None })
}

fn titled(title: &str) -> Box<NodeFields> {
    Box::new(NodeFields { title: Some(title.to_owned()), ..NodeFields::default() })
}

pub fn link(source: NodeId, target: NodeId, kind: LinkType) -> Operation {
    let id = Some(LinkId(Uuid::new_v4()));
    Operation::LinkAdd(LinkAdd { id, source, target, kind, private: false })
}

/// Grants a user a node and its branch.
pub fn grant(id: NodeId, person: &Person, level: Level) -> Operation {
    Operation::AccessAdd(AccessAdd { id, email: person.email.clone(), level, branch: true, due: None })
}

pub fn revoke(id: NodeId, person: &Person) -> Operation {
    Operation::AccessDelete { id, email: person.email.clone() }
}
