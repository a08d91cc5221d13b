//! The engine's inbox: requests in one line per user, served in turn, and events, which go before all requests.

use super::archive::FoundPage;
use super::committer::Report;
use super::protocol::{Caller, ConnectionId, ConnectionSink, Mutation, OnOutcome, PageRequest, Read, Relay};
use graph::UserId;
use std::collections::{BTreeSet, HashMap, VecDeque};
use std::mem;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

/// Something that waits for an answer. Dropping it answers `unavailable`.
pub(super) enum Request {
    Mutate(Box<Mutation>, OnOutcome),
    Read { caller: Caller, read: Read, connection: Option<ConnectionId>, answer: OnOutcome },
    ReadPublic { token: String, page: PageRequest, answer: OnOutcome },
    Relay { caller: Caller, relay: Relay, connection: ConnectionId, answer: OnOutcome },
}

impl Request {
    fn line(&self) -> Line {
        match self {
            Request::Mutate(mutation, _) => Line::User(mutation.caller.user),
            Request::Read { caller, .. } | Request::Relay { caller, .. } => Line::User(caller.user),
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
    PageFound(Box<FoundPage>),
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
    /// The lines to be served in this group, the next one first.
    turn: VecDeque<Line>,
    /// The lines that have had their share of this group, and wait for the next.
    rested: Vec<Line>,
    /// How many requests were taken for this group, by line.
    taken: HashMap<Line, usize>,
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

    /// Queues a request. When the inbox is full, the latest request of the longest line gives way: whoever floods the
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

    /// Queues an event. An engine that has ended drops it.
    pub(super) fn tell(&self, event: Event) {
        let mut state = self.state();
        if state.ended {
            return;
        }
        state.events.push_back(event);
        self.wake(state);
    }

    fn wake(&self, mut state: MutexGuard<'_, State>) {
        // Waking costs a system call, and a busy engine is not asleep.
        if mem::take(&mut state.asleep) {
            drop(state);
            self.arrived.notify_one();
        }
    }

    /// Accepts no more requests.
    pub(super) fn refuse(&self) {
        self.state().closed = true;
    }

    /// The next event, otherwise the next request if `requests` are to be taken.
    pub(super) fn next(&self, requests: bool) -> Option<Item> {
        self.state().next(requests, self.line_share)
    }

    /// Waits for the next item, at most for `patience`.
    pub(super) fn wait(&self, requests: bool, patience: Duration) -> Option<Item> {
        let until = Instant::now() + patience;
        let mut state = self.state();
        loop {
            if let Some(item) = state.next(requests, self.line_share) {
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

    /// Puts a line where it is served next.
    fn stand(&mut self, line: Line, line_share: usize) {
        match self.taken.get(&line) {
            Some(taken) if *taken >= line_share => self.rested.push(line),
            _ => self.turn.push_back(line),
        }
    }

    fn next(&mut self, requests: bool, line_share: usize) -> Option<Item> {
        if let Some(event) = self.events.pop_front() {
            return Some(Item::Event(event));
        }
        let line = if requests { self.turn.pop_front()? } else { return None };
        let request = self.shorten(line, VecDeque::pop_front)?;
        *self.taken.entry(line).or_default() += 1;
        if self.lines.contains_key(&line) {
            self.stand(line, line_share);
        }
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
