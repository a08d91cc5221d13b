//! Who is connected, and what each connection is sent.

use super::backlog::Backlog;
use super::diff_part::{DiffPart, SharedParts};
use super::protocol::{Caller, ConnectionId, ConnectionSink, Published, Relayed};
use graph::batch::{Batch, Change, Entry, Op, Subject};
use graph::hash::HashSet;
use graph::load::Load;
use graph::model::{Rev, Token};
use graph::{Audience, Root, UserId, World, tokens};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A live connection.
pub(super) struct LiveConnection {
    caller: Caller,
    outbox: Box<dyn ConnectionSink>,
    loads: KeptLoads,
}

/// A load in progress, and how long its list is kept.
#[derive(Default)]
pub(super) struct KeptLoad(Option<(Load, Instant)>);

impl KeptLoad {
    /// Takes the load that continues at `offset`. Any other load stays.
    pub(super) fn take_at(&mut self, offset: usize, now: Instant) -> Option<Load> {
        self.0.take_if(|(load, until)| load.sent() == offset && *until >= now).map(|(load, _)| load)
    }

    pub(super) fn keep(&mut self, load: Load, until: Instant) {
        self.0 = Some((load, until));
    }

    /// Forgets the load.
    pub(super) fn end(&mut self) {
        self.0 = None;
    }

    fn drop_stale(&mut self, now: Instant) {
        self.0.take_if(|(_, until)| *until < now);
    }
}

/// The loads of one connection.
#[derive(Default)]
pub(super) struct KeptLoads {
    /// The load of the whole graph.
    pub(super) graph: KeptLoad,
    /// The load of the branch with this root.
    branch: Option<(Root, KeptLoad)>,
}

impl KeptLoads {
    /// The slot for the load of a branch. It replaces a load of another root.
    pub(super) fn branch(&mut self, root: &Root) -> &mut KeptLoad {
        if self.branch.as_ref().is_none_or(|(other, _)| other != root) {
            self.branch = None;
        }
        &mut self.branch.get_or_insert_with(|| (root.clone(), KeptLoad::default())).1
    }
}

/// What is kept about users who are connected or left a moment ago.
struct Follower {
    connections: BTreeSet<ConnectionId>,
    backlog: Backlog,
    /// When the last connection ended.
    left: Option<Instant>,
}

/// How long and how much is kept for users who reconnect.
#[derive(Clone, Copy)]
pub(super) struct BacklogBounds {
    /// How long a diff is kept.
    pub(super) time: Duration,
    /// How many bytes of diffs are kept for one user.
    pub(super) bytes: usize,
}

/// Every live connection, by user.
pub(super) struct Connections {
    by_id: HashMap<ConnectionId, LiveConnection>,
    followers: HashMap<UserId, Follower>,
    /// The users of `followers`: those for whom diffs are made.
    users: HashSet<UserId>,
    /// The load each user has in progress over REST, where no connection can hold it.
    over_rest: HashMap<UserId, KeptLoad>,
    kept: BacklogBounds,
    /// The rev at which due times last passed, and how many times they have.
    dues_passed_at: Option<Rev>,
    dues_passed: u64,
}

impl Connections {
    pub(super) fn new(kept: BacklogBounds) -> Self {
        Connections {
            by_id: HashMap::new(),
            followers: HashMap::new(),
            users: HashSet::default(),
            over_rest: HashMap::new(),
            kept,
            dues_passed_at: None,
            dues_passed: 0,
        }
    }

    /// Notes that due times have passed at this rev.
    pub(super) fn note_dues(&mut self, rev: Rev) {
        self.dues_passed_at = Some(rev);
        self.dues_passed += 1;
    }

    /// How many times due times have passed.
    pub(super) fn dues_passed(&self) -> u64 {
        self.dues_passed
    }

    pub(super) fn add(
        &mut self,
        world: &World,
        id: ConnectionId,
        caller: Caller,
        outbox: Box<dyn ConnectionSink>,
    ) {
        if !holds(world, caller) {
            // The token was revoked between the handshake and here.
            outbox.close();
            return;
        }
        self.by_id.insert(id, LiveConnection { caller, outbox, loads: KeptLoads::default() });
        let exact = self.dues_passed_at != Some(world.rev());
        let follower = self.followers.entry(caller.user).or_insert_with(|| Follower {
            connections: BTreeSet::new(),
            backlog: Backlog::begin(world.rev(), exact),
            left: None,
        });
        follower.connections.insert(id);
        follower.left = None;
        self.users.insert(caller.user);
    }

    pub(super) fn remove(&mut self, id: ConnectionId) {
        let Some(connection) = self.by_id.remove(&id) else { return };
        if let Some(follower) = self.followers.get_mut(&connection.caller.user) {
            follower.connections.remove(&id);
            if follower.connections.is_empty() {
                follower.left = Some(Instant::now());
            }
        }
    }

    /// What a user missed since `since`; `None` when they must load anew.
    pub(super) fn missed(&self, user: UserId, since: Rev, head: Rev) -> Option<Vec<Arc<DiffPart>>> {
        self.followers.get(&user)?.backlog.since(since, head)
    }

    /// The loads of a connection.
    pub(super) fn loads_on(&mut self, connection: ConnectionId) -> Option<&mut KeptLoads> {
        self.by_id.get_mut(&connection).map(|connection| &mut connection.loads)
    }

    /// The load of the graph that a user has in progress over REST.
    pub(super) fn load_over_rest(&mut self, user: UserId) -> &mut KeptLoad {
        self.over_rest.entry(user).or_default()
    }

    /// Every user who is connected or left a moment ago.
    pub(super) fn users(&self) -> &HashSet<UserId> {
        &self.users
    }

    /// The same, and one more user.
    pub(super) fn users_and(&self, user: UserId) -> Audience<'_> {
        Audience::All(&self.users, Some(user))
    }

    /// Sends the parts of a diff to every connection of its users except `besides`, and keeps them for reconnects.
    pub(super) fn tell(&mut self, diff: &SharedParts, besides: Option<ConnectionId>) {
        for user in &diff.users {
            let Some(follower) = self.followers.get_mut(user) else { continue };
            follower.backlog.push(&diff.parts, self.kept.bytes);
            for id in follower.connections.iter().filter(|id| Some(**id) != besides) {
                send(&self.by_id, *id, &diff.parts);
            }
        }
    }

    /// Sends parts of a diff on one connection.
    pub(super) fn send(&self, id: ConnectionId, parts: &[Arc<DiffPart>]) {
        send(&self.by_id, id, parts);
    }

    /// Sends a connection the diffs it missed.
    pub(super) fn catch_up(&self, id: ConnectionId, missed: &[Arc<DiffPart>]) {
        if let Some(connection) = self.by_id.get(&id) {
            missed.iter().for_each(|diff| connection.outbox.missed(Arc::clone(diff)));
        }
    }

    /// Tells users, on every connection except one, that a node has become public.
    pub(super) fn announce(
        &self,
        users: &[UserId],
        published: &Arc<Published>,
        besides: Option<ConnectionId>,
    ) {
        for connection in self.connections_of(users.iter().copied(), besides) {
            connection.outbox.published(Arc::clone(published));
        }
    }

    /// Relays an event to users, on every connection except the one it came from.
    pub(super) fn relay(
        &self,
        users: impl Iterator<Item = UserId>,
        relayed: &Arc<Relayed>,
        besides: ConnectionId,
    ) {
        for connection in self.connections_of(users, Some(besides)) {
            connection.outbox.relay(Arc::clone(relayed));
        }
    }

    fn connections_of(
        &self,
        users: impl Iterator<Item = UserId>,
        besides: Option<ConnectionId>,
    ) -> impl Iterator<Item = &LiveConnection> {
        users
            .filter_map(|user| self.followers.get(&user))
            .flat_map(|follower| &follower.connections)
            .filter(move |id| Some(**id) != besides)
            .filter_map(|id| self.by_id.get(id))
    }

    /// Ends the connections whose token a committed batch revoked. The World is as it is after the batch.
    pub(super) fn follow(&mut self, world: &World, batch: &Batch) {
        let shuts_out = |entry: &Entry| match &entry.subject {
            Subject::Token(change) => change.before.is_some(),
            Subject::User(change) => change.before.is_some(),
            _ => false,
        };
        if batch.entries.iter().any(shuts_out) {
            self.close_where(|caller| !holds(world, caller));
        }
    }

    /// Ends the connections of the users that a batch removes, and drops what is kept for them: no part of the batch
    /// is sent to them. Called before the batch is told to others.
    pub(super) fn forget_removed(&mut self, batch: &Batch) {
        for entry in batch.entries.iter().filter(|entry| entry.op == Op::UserRemove) {
            let Subject::User(Change { after: Some(user), .. }) = &entry.subject else { continue };
            self.close_where(|caller| caller.user == user.id);
            self.followers.remove(&user.id);
            self.users.remove(&user.id);
            self.over_rest.remove(&user.id);
        }
    }

    /// Ends every connection. The backlogs have a gap, so clients must reconnect and load anew.
    pub(super) fn close_all(&mut self) {
        self.close_where(|_| true);
        self.followers.clear();
        self.users.clear();
    }

    fn close_where(&mut self, ends: impl Fn(Caller) -> bool) {
        let ended: Vec<ConnectionId> =
            self.by_id.iter().filter(|(_, c)| ends(c.caller)).map(|(id, _)| *id).collect();
        for id in ended {
            if let Some(connection) = self.by_id.get(&id) {
                connection.outbox.close();
            }
            self.remove(id);
        }
    }

    /// Drops what has been kept too long: lists of loads, backlogs, users who did not reconnect.
    pub(super) fn drop_stale(&mut self, now: Instant) {
        for connection in self.by_id.values_mut() {
            connection.loads.graph.drop_stale(now);
            if let Some((_, load)) = &mut connection.loads.branch {
                load.drop_stale(now);
            }
        }
        self.over_rest.retain(|_, load| {
            load.drop_stale(now);
            load.0.is_some()
        });
        let kept = self.kept.time;
        self.followers.retain(|user, follower| {
            follower.backlog.trim(kept);
            let gone = follower.left.is_some_and(|left| left.elapsed() > kept);
            if gone {
                self.users.remove(user);
            }
            !gone
        });
    }
}

fn send(by_id: &HashMap<ConnectionId, LiveConnection>, id: ConnectionId, parts: &[Arc<DiffPart>]) {
    if let Some(connection) = by_id.get(&id) {
        connection.outbox.diff(parts);
    }
}

/// Whether the token that a caller presented is in force, with the secret that they presented.
pub(super) fn holds(world: &World, caller: Caller) -> bool {
    let same = |token: &Token| (token.user, token.id) == (caller.user, caller.token);
    tokens::in_force(world, &caller.hash).is_ok_and(|(_, token)| same(token))
}
