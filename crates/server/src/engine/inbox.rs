//! The engine's inbox: requests in one line per user, served in turn, and events, which go before all requests.

use super::archive::{FoundPage, Job};
use super::committer::Report;
use super::protocol::{
    Actor, Administration, Caller, ConnectionId, ConnectionSink, Mutation, OnOutcome, Outcome, PublicRead,
    Read, Relay,
};
use super::reading::{ReadyPage, TurnCome};
use graph::UserId;
use std::collections::{BTreeSet, HashMap, VecDeque};
use std::mem;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

/// Something that waits for an answer. Dropping it answers `unavailable`.
pub(super) enum Request {
    Mutate(Box<Mutation>, OnOutcome),
    Administer(Box<Administration>, OnOutcome),
    Read { caller: Caller, read: Read, connection: Option<ConnectionId>, answer: OnOutcome },
    ReadPublic { read: PublicRead, answer: OnOutcome },
    Relay { caller: Caller, relay: Relay, connection: ConnectionId, answer: OnOutcome },
}

impl Request {
    /// Whether it is decided as part of a group. The engine only passes on any other request.
    fn is_mutation(&self) -> bool {
        matches!(self, Request::Mutate(..) | Request::Administer(..))
    }

    fn line(&self) -> Line {
        match self {
            Request::Mutate(mutation, _) => Line::User(mutation.caller.account),
            Request::Administer(asked, _) => match asked.actor {
                Actor::Caller(caller) => Line::User(caller.account),
                Actor::Server => Line::Anonymous,
            },
            Request::Read { caller, .. } | Request::Relay { caller, .. } => Line::User(caller.account),
            Request::ReadPublic { .. } => Line::Anonymous,
        }
    }
}

/// Something that happened. It is never refused, and the engine hears of it before any request.
pub(super) enum Event {
    Connect {
        id: ConnectionId,
        caller: Caller,
        outbox: Box<dyn ConnectionSink>,
    },
    Disconnect(ConnectionId),
    /// The turn of a read has come.
    TurnCome(Box<TurnCome>),
    /// A read on a connection is done.
    PageReady(Box<ReadyPage>),
    /// A page of history is to be searched.
    Search(Box<Job>),
    /// A page of history is found, for a request on this connection.
    PageFound(Box<FoundPage>, Option<ConnectionId>, OnOutcome),
    /// A request on this connection has an answer.
    Answer(Option<ConnectionId>, OnOutcome, Box<Outcome>),
    /// The committer reports about the group in flight.
    Committer(Report),
    /// Nothing is accepted any more. The sender is told once everything that waits is answered.
    Drain(Option<oneshot::Sender<()>>),
}

/// What the engine handles next.
pub(super) enum Item {
    Event(Event),
    Request(Request),
}

/// The engine has ended.
#[derive(Debug)]
pub(super) struct Ended;

/// Whose requests stand in one line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Line {
    User(UserId),
    /// All callers without an account share one line.
    Anonymous,
}

#[derive(Default)]
struct State {
    events: VecDeque<Event>,
    /// The lines that are not empty.
    lines: HashMap<Line, VecDeque<Request>>,
    /// The same, by length.
    lengths: BTreeSet<(usize, Line)>,
    /// The lines that begin with a mutation, the next one first.
    turn: VecDeque<Line>,
    /// The lines that begin with anything else, the next one first.
    light_turn: VecDeque<Line>,
    /// The lines that begin with a mutation and have had their share of this group. They wait for the next.
    rested: Vec<Line>,
    /// How many mutations were taken for this group, by line.
    taken: HashMap<Line, usize>,
    /// Whether a light request was served last.
    was_light: bool,
    /// How many requests wait: those in lines, and those that were taken and not released yet.
    waiting: usize,
    /// Whether requests are refused.
    closed: bool,
    /// Whether events are dropped.
    ended: bool,
    /// Whether the engine sleeps, and must be woken.
    asleep: bool,
}

/// Where the engine's work arrives.
pub(super) struct Inbox {
    state: Mutex<State>,
    arrived: Condvar,
    /// How many requests may wait.
    queue_max: usize,
    /// How many requests of one line a group may have.
    line_share: usize,
}

impl Inbox {
    pub(super) fn new(queue_max: usize, line_share: usize) -> Self {
        Inbox { state: Mutex::default(), arrived: Condvar::new(), queue_max, line_share }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Queues a request. When the inbox is full, the latest request of the longest line gives way: a user who floods the
    /// inbox fills it only with their own requests. What is returned is refused.
    pub(super) fn ask(&self, request: Request) -> Option<Request> {
        let mut state = self.state();
        if state.closed {
            return Some(request);
        }
        let line = request.line();
        let refused = match state.waiting < self.queue_max {
            true => None,
            false => match state.give_way(line) {
                Some(other) => Some(other),
                None => return Some(request),
            },
        };
        state.push(line, request, self.line_share);
        self.wake(state);
        refused
    }

    /// Queues an event.
    ///
    /// # Errors
    /// The engine has ended, and the event is dropped.
    pub(super) fn tell(&self, event: Event) -> Result<(), Ended> {
        let mut state = self.state();
        if state.ended {
            return Err(Ended);
        }
        state.events.push_back(event);
        self.wake(state);
        Ok(())
    }

    fn wake(&self, mut state: MutexGuard<'_, State>) {
        // Waking costs a system call, and a busy engine is not asleep.
        if mem::take(&mut state.asleep) {
            drop(state);
            self.arrived.notify_one();
        }
    }

    /// How many requests wait.
    pub(super) fn waiting(&self) -> usize {
        self.state().waiting
    }

    /// Accepts no more requests.
    pub(super) fn refuse(&self) {
        self.state().closed = true;
    }

    /// The next event, otherwise the next request: a mutation only if there is room for one.
    pub(super) fn next(&self, has_room: bool) -> Option<Item> {
        self.state().next(has_room, self.line_share)
    }

    /// Waits for the next item, at most for `patience`.
    pub(super) fn wait(&self, has_room: bool, patience: Duration) -> Option<Item> {
        let until = Instant::now() + patience;
        let mut state = self.state();
        loop {
            if let Some(item) = state.next(has_room, self.line_share) {
                return Some(item);
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return None;
            }
            state.asleep = true;
            state = self.arrived.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
            state.asleep = false;
        }
    }

    /// Begins a new group: every line has its whole share again.
    pub(super) fn next_group(&self) {
        self.state().next_group();
    }

    /// Requests that were taken wait no longer.
    pub(super) fn release(&self, requests: usize) {
        self.state().waiting -= requests;
    }

    /// Whether no request waits in a line.
    pub(super) fn is_empty(&self) -> bool {
        self.state().lines.is_empty()
    }

    /// Whether an event waits.
    pub(super) fn has_events(&self) -> bool {
        !self.state().events.is_empty()
    }

    /// Ends the inbox, and drops what is in it.
    pub(super) fn end(&self) {
        let ended = mem::replace(&mut *self.state(), State { closed: true, ended: true, ..State::default() });
        // What is dropped answers, and must find the inbox unlocked.
        drop(ended);
    }
}

impl State {
    fn push(&mut self, line: Line, request: Request, line_share: usize) {
        let queue = self.lines.entry(line).or_default();
        queue.push_back(request);
        let length = queue.len();
        self.waiting += 1;
        self.lengths.remove(&(length - 1, line));
        self.lengths.insert((length, line));
        if length == 1 {
            self.stand(line, line_share);
        }
    }

    /// Puts a line that is not empty where it is served next.
    fn stand(&mut self, line: Line, line_share: usize) {
        let Some(first) = self.lines.get(&line).and_then(VecDeque::front) else { return };
        match self.taken.get(&line) {
            _ if !first.is_mutation() => self.light_turn.push_back(line),
            Some(taken) if *taken >= line_share => self.rested.push(line),
            _ => self.turn.push_back(line),
        }
    }

    fn next(&mut self, has_room: bool, line_share: usize) -> Option<Item> {
        if let Some(event) = self.events.pop_front() {
            return Some(Item::Event(event));
        }
        // Mutations and other requests take turns, so that neither waits for a flood of the other.
        let is_heavy = has_room && !self.turn.is_empty();
        let is_light = !(self.light_turn.is_empty() || is_heavy && self.was_light);
        let line = match is_light {
            true => self.light_turn.pop_front()?,
            false if has_room => self.turn.pop_front()?,
            false => return None,
        };
        self.was_light = is_light;
        let request = self.shorten(line, VecDeque::pop_front)?;
        if !is_light {
            *self.taken.entry(line).or_default() += 1;
        }
        self.stand(line, line_share);
        Some(Item::Request(request))
    }

    /// Takes a request from a line.
    fn shorten(
        &mut self,
        line: Line,
        take: impl FnOnce(&mut VecDeque<Request>) -> Option<Request>,
    ) -> Option<Request> {
        let queue = self.lines.get_mut(&line)?;
        let request = take(queue)?;
        let length = queue.len();
        self.lengths.remove(&(length + 1, line));
        match length {
            0 => drop(self.lines.remove(&line)),
            length => drop(self.lengths.insert((length, line))),
        }
        Some(request)
    }

    /// Takes the latest request of the longest line, if that line stays longer than the given one.
    fn give_way(&mut self, to: Line) -> Option<Request> {
        let own = self.lines.get(&to).map_or(0, VecDeque::len);
        let (length, longest) = *self.lengths.last()?;
        let gives_way = (length > own + 1).then(|| self.shorten(longest, VecDeque::pop_back))?;
        self.waiting -= 1;
        gives_way
    }

    fn next_group(&mut self) {
        self.taken.clear();
        self.turn.extend(self.rested.drain(..));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use graph::TokenId;
    use uuid::Uuid;

    fn account(user: u128) -> Request {
        let id = Uuid::from_u128(user);
        let caller = Caller::api(UserId(id), TokenId(id), [0; 32]);
        Request::Read { caller, read: Read::Account, connection: None, answer: Box::new(drop) }
    }

    fn anonymous() -> Request {
        let read = PublicRead { token: String::new(), page: None };
        Request::ReadPublic { read, answer: Box::new(drop) }
    }

    #[test]
    fn r18_callers_without_an_account_displace_nobody() {
        let inbox = Inbox::new(6, 64);
        assert!((0..6).all(|_| inbox.ask(anonymous()).is_none()));
        assert!(inbox.ask(anonymous()).is_some(), "it is full");
        for _ in 0..2 {
            let refused = inbox.ask(account(1)).map(|request| request.line());
            assert_eq!(refused, Some(Line::Anonymous), "the longest line gives way");
        }
        for _ in 0..50 {
            let refused = inbox.ask(anonymous()).map(|request| request.line());
            assert_eq!(refused, Some(Line::Anonymous), "and nobody else does");
        }
    }
}
