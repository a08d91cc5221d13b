//! Who is connected, and what each connection is sent.

use super::backlog::Backlog;
use super::clock;
use super::diff_part::{DiffPart, SharedParts};
use super::directory::Directory;
use super::figures::Figures;
use super::held_back::{HeldBack, HeldBounds, Message, Ticket};
use super::protocol::{
    Caller, ConnectionId, ConnectionSink, Failure, OnOutcome, Outcome, Published, Relayed,
};
use super::reading::{News, Position, ReadersFeed, ReadyPage};
use super::teller::{Delivery, Teller};
use graph::batch::{Batch, Change, Entry, Op, Subject};
use graph::hash::HashSet;
use graph::model::{Rev, Token, TokenKind, User};
use graph::{Audience, Timestamp, TokenId, UserId, World, tokens};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A live connection.
struct LiveConnection {
    caller: Caller,
    outbox: Arc<dyn ConnectionSink>,
    held_back: HeldBack,
    /// The number of the last group that was not decided for it, or that has a mutation which came on it. Its reads
    /// reflect that group.
    after_group: u64,
}

impl LiveConnection {
    /// Adds a message to what is sent now, or holds it back while a page is being prepared.
    fn send(&mut self, at: Position, message: Message, bounds: HeldBounds, now: &mut Vec<Delivery>) {
        if self.held_back.holds() {
            let leaving = self.held_back.put(at, message, bounds);
            now.extend(leaving.map(|message| (Arc::clone(&self.outbox), message)));
        } else {
            now.push((Arc::clone(&self.outbox), message));
        }
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
    kept: BacklogBounds,
    held_bounds: HeldBounds,
    feed: ReadersFeed,
    teller: Teller,
    figures: Arc<Figures>,
    /// The rev at which due times last passed.
    dues_passed_at: Option<Rev>,
    /// When the first of the connections' tokens ends by itself, or earlier.
    next_expiry: Option<Timestamp>,
}

impl Connections {
    pub(super) fn new(
        kept: BacklogBounds,
        held_bounds: HeldBounds,
        feed: ReadersFeed,
        teller: Teller,
        figures: Arc<Figures>,
    ) -> Self {
        Connections {
            by_id: HashMap::new(),
            followers: HashMap::new(),
            users: HashSet::default(),
            kept,
            held_bounds,
            feed,
            teller,
            figures,
            dues_passed_at: None,
            next_expiry: None,
        }
    }

    /// Notes that due times have passed at this rev.
    pub(super) fn note_dues(&mut self, rev: Rev) {
        self.dues_passed_at = Some(rev);
    }

    /// Adds a connection. Of groups after this one, and of batches after `rev`, its user is told.
    pub(super) fn add(
        &mut self,
        (rev, after_group): (Rev, u64),
        id: ConnectionId,
        caller: Caller,
        outbox: Box<dyn ConnectionSink>,
    ) {
        let (outbox, held_back) = (Arc::from(outbox), HeldBack::default());
        self.by_id.insert(id, LiveConnection { caller, outbox, held_back, after_group });
        self.figures.connections.set(self.by_id.len() as u64);
        let exact = self.dues_passed_at != Some(rev);
        let follower = self.followers.entry(caller.user).or_insert_with(|| Follower {
            connections: BTreeSet::new(),
            backlog: Backlog::begin(rev, exact),
            left: None,
        });
        follower.connections.insert(id);
        follower.left = None;
        self.users.insert(caller.user);
    }

    pub(super) fn remove(&mut self, id: ConnectionId) {
        let Some(connection) = self.by_id.remove(&id) else { return };
        self.figures.connections.set(self.by_id.len() as u64);
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

    /// Passes on what has become durable, before anything of it is told.
    pub(super) fn pass_to_readers(&mut self, news: News) {
        self.feed.note(news);
    }

    /// The position of everything told so far.
    pub(super) fn position(&mut self) -> Position {
        self.feed.position()
    }

    /// Notes that a group has a mutation which came on the connection.
    pub(super) fn note_group(&mut self, id: ConnectionId, group: u64) {
        if let Some(connection) = self.by_id.get_mut(&id) {
            connection.after_group = group;
        }
    }

    /// The number of the last group that the connection's reads must reflect.
    pub(super) fn after_group(&self, id: ConnectionId) -> Option<u64> {
        self.by_id.get(&id).map(|connection| connection.after_group)
    }

    /// Whether the connection is there.
    pub(super) fn has(&self, id: ConnectionId) -> bool {
        self.by_id.contains_key(&id)
    }

    /// Holds back from now on what the connection is sent, until a page takes its place. `None` if the connection
    /// is gone.
    pub(super) fn hold_back(&mut self, id: ConnectionId) -> Option<Ticket> {
        self.by_id.get_mut(&id).map(|connection| connection.held_back.begin())
    }

    /// Sends a page that was prepared, at its place.
    pub(super) fn take_place(&mut self, page: ReadyPage) {
        let ReadyPage { connection, ticket, reflects, outcome, answer } = page;
        // The page may be from before a revocation that ended the connection.
        let Some(connection) = self.by_id.get_mut(&connection) else {
            return answer(Outcome::Failed(Failure::Revoked));
        };
        let page = Message::Answer(answer, Box::new(outcome));
        let mut now = Vec::new();
        match connection.held_back.take_place(ticket, reflects, page, self.held_bounds) {
            Ok(leaving) => now.extend(leaving.map(|message| (Arc::clone(&connection.outbox), message))),
            // So much else came that the page is no longer waited for.
            Err(Message::Answer(answer, _)) => {
                let late = Message::Answer(answer, Box::new(Outcome::Failed(Failure::Unavailable)));
                connection.send(self.feed.position(), late, self.held_bounds, &mut now);
            }
            Err(_) => {}
        }
        self.hand_over(now);
    }

    /// Answers a request: in its turn among what its connection is sent, if it came on one that is there.
    pub(super) fn answer(&mut self, on: Option<ConnectionId>, answer: OnOutcome, outcome: Outcome) {
        match on.filter(|id| self.has(*id)) {
            Some(id) => self.send_each([(id, Message::Answer(answer, Box::new(outcome)))]),
            None => answer(outcome),
        }
    }

    /// Waits until everything has been sent that was to be sent so far.
    pub(super) fn flush(&self) {
        self.teller.flush();
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
        self.figures.projections.one();
        for user in &diff.users {
            let Some(follower) = self.followers.get_mut(user) else { continue };
            follower.backlog.push(&diff.kept, self.kept.bytes);
        }
        self.send_to_all(diff.users.iter().copied(), besides, || Message::Diff(Arc::clone(&diff.parts)));
    }

    /// Sends parts of a diff on one connection.
    pub(super) fn send(&mut self, id: ConnectionId, parts: &Arc<[Arc<DiffPart>]>) {
        self.send_each([(id, Message::Diff(Arc::clone(parts)))]);
    }

    /// Sends a connection the diffs it missed.
    pub(super) fn catch_up(&mut self, id: ConnectionId, missed: &[Arc<DiffPart>]) {
        self.send_each(missed.iter().map(|diff| (id, Message::Missed(Arc::clone(diff)))));
    }

    /// Tells users, on every connection except one, that a node has become public.
    pub(super) fn announce(
        &mut self,
        users: &[UserId],
        published: &Arc<Published>,
        besides: Option<ConnectionId>,
    ) {
        self.send_to_all(users.iter().copied(), besides, || Message::Published(Arc::clone(published)));
    }

    /// Tells a user's view settings to every connection of theirs except one.
    pub(super) fn tell_view(&mut self, user: &Arc<User>, besides: Option<ConnectionId>) {
        self.send_to_all(std::iter::once(user.id), besides, || Message::Viewed(Arc::clone(user)));
    }

    /// Relays an event to users, on every connection except the one it came from.
    pub(super) fn relay(
        &mut self,
        users: impl Iterator<Item = UserId>,
        relayed: &Arc<Relayed>,
        besides: ConnectionId,
    ) {
        self.send_to_all(users, Some(besides), || Message::Relayed(Arc::clone(relayed)));
    }

    fn send_to_all(
        &mut self,
        users: impl Iterator<Item = UserId>,
        besides: Option<ConnectionId>,
        message: impl Fn() -> Message,
    ) {
        let ids = self.connections_of(users, besides);
        self.send_each(ids.into_iter().map(|id| (id, message())));
    }

    fn hand_over(&self, messages: Vec<Delivery>) {
        self.figures.messages.add(messages.len() as u64);
        self.teller.send(messages);
    }

    fn send_each(&mut self, messages: impl IntoIterator<Item = (ConnectionId, Message)>) {
        let at = self.feed.position();
        let mut now = Vec::new();
        for (id, message) in messages {
            if let Some(connection) = self.by_id.get_mut(&id) {
                connection.send(at, message, self.held_bounds, &mut now);
            }
        }
        self.hand_over(now);
    }

    fn connections_of(
        &self,
        users: impl Iterator<Item = UserId>,
        besides: Option<ConnectionId>,
    ) -> Vec<ConnectionId> {
        users
            .filter_map(|user| self.followers.get(&user))
            .flat_map(|follower| &follower.connections)
            .copied()
            .filter(|id| Some(*id) != besides)
            .collect()
    }

    /// Ends the connections whose token a committed batch revoked. The directory is as it is after the batch.
    pub(super) fn follow(&mut self, directory: &Directory, batch: &Batch) {
        let shuts_out = |entry: &Entry| match &entry.subject {
            Subject::Token(change) => change.before.is_some(),
            Subject::User(change) => change.before.is_some(),
            _ => false,
        };
        if batch.entries.iter().any(shuts_out) {
            self.close_where(|caller| !directory.holds(caller));
            self.look_at_expiries(directory);
            self.forget_removed(batch);
        }
    }

    /// Notes when the token of a connection ends by itself.
    pub(super) fn note_expiry(&mut self, expires: Option<Timestamp>) {
        self.next_expiry = self.next_expiry.into_iter().chain(expires).min();
    }

    /// Ends the connections whose token has ended by itself.
    pub(super) fn end_expired(&mut self, directory: &Directory) {
        if self.next_expiry.is_some_and(|expiry| expiry <= clock::now()) {
            self.close_where(|caller| !directory.holds(caller));
            self.look_at_expiries(directory);
        }
    }

    fn look_at_expiries(&mut self, directory: &Directory) {
        let callers = self.by_id.values().map(|connection| connection.caller);
        self.next_expiry = callers.filter_map(|caller| directory.expires(caller)).min();
    }

    /// The sessions with a connection.
    pub(super) fn sessions(&self) -> impl Iterator<Item = TokenId> {
        let callers = self.by_id.values().map(|connection| connection.caller);
        callers.filter(|caller| caller.kind == TokenKind::Session).map(|caller| caller.token)
    }

    /// Ends the connections of the users that a batch removes, and drops what is kept for them: no part of the batch
    /// is sent to them. Called before the batch is told to others.
    pub(super) fn forget_removed(&mut self, batch: &Batch) {
        for entry in &batch.entries {
            let user = match &entry.subject {
                Subject::User(Change { after: Some(user), .. }) if entry.op == Op::UserRemove => user,
                // The guest of a token that is gone.
                Subject::User(Change { before: Some(user), after: None }) => user,
                _ => continue,
            };
            self.close_where(|caller| caller.user == user.id);
            self.followers.remove(&user.id);
            self.users.remove(&user.id);
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

    /// Drops what has been kept too long: backlogs, users who did not reconnect.
    pub(super) fn drop_stale(&mut self) {
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

/// Whether the token that a caller presented is in force, with the secret that they presented.
pub(super) fn holds(world: &World, caller: Caller) -> bool {
    let same = |token: &Token| (token.acts_for(), token.id) == (caller.user, caller.token);
    tokens::in_force(world, &caller.hash).is_ok_and(|(_, token)| same(token))
}
