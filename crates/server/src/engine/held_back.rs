//! What a connection is sent while a page for it is being prepared: it is held back, so that the page can take its
//! place after everything that it reflects and before everything that it does not.

use super::diff_part::DiffPart;
use super::protocol::{ConnectionSink, OnOutcome, Outcome, Published, Relayed};
use super::reading::Position;
use graph::model::User;
use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

/// A message to a connection.
pub(super) enum Message {
    /// A diff, in the parts it is sent in.
    Diff(Arc<[Arc<DiffPart>]>),
    /// A diff that the connection missed and requested.
    Missed(Arc<DiffPart>),
    /// A node has become public.
    Published(Arc<Published>),
    /// The user's view settings are others now.
    Viewed(Arc<User>),
    /// A relayed event, which may be dropped.
    Relayed(Arc<Relayed>),
    /// The answer to a request that came on the connection.
    Answer(OnOutcome, Box<Outcome>),
}

impl Message {
    /// Puts the message into the connection's outbox.
    pub(super) fn send(self, outbox: &dyn ConnectionSink) {
        match self {
            Message::Diff(parts) => outbox.diff(&parts),
            Message::Missed(diff) => outbox.missed(diff),
            Message::Published(published) => outbox.published(published),
            Message::Viewed(user) => outbox.viewed(user),
            Message::Relayed(relayed) => outbox.relay(relayed),
            Message::Answer(answer, outcome) => answer(*outcome),
        }
    }

    fn bytes(&self) -> usize {
        match self {
            Message::Diff(parts) => parts.iter().map(|part| part.bytes()).sum(),
            Message::Missed(diff) => diff.bytes(),
            Message::Answer(_, outcome) => match &**outcome {
                Outcome::Changed { diff, .. } => diff.bytes(),
                _ => SMALL_BYTES,
            },
            Message::Published(_) | Message::Viewed(_) | Message::Relayed(_) => SMALL_BYTES,
        }
    }
}

/// The approximate size of a message without a diff, in bytes.
const SMALL_BYTES: usize = 512;

/// How much is held back at most.
#[derive(Clone, Copy, Debug)]
pub(super) struct HeldBounds {
    /// The most messages.
    pub(super) entries_max: usize,
    /// The most bytes, roughly.
    pub(super) bytes_max: usize,
}

/// A page that is being prepared for a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Ticket(u64);

/// How many messages too large for the bounds are held besides what the bounds admit, as in the outbox.
const LARGE_MAX: usize = 2;

/// The messages held back on one connection. There are none unless a page is being prepared for it.
#[derive(Default)]
pub(super) struct HeldBack {
    prepared: BTreeSet<Ticket>,
    next: u64,
    /// In the order in which they leave.
    messages: VecDeque<Held>,
    tally: Tally,
}

struct Held {
    /// What the message belongs to.
    position: Position,
    bytes: usize,
    message: Message,
}

/// What is held.
#[derive(Default)]
struct Tally {
    /// Of messages that are not too large.
    bytes: usize,
    large: usize,
}

impl Tally {
    fn add(&mut self, bytes: usize, bounds: HeldBounds) {
        if bytes > bounds.bytes_max {
            self.large += 1;
        } else {
            self.bytes += bytes;
        }
    }

    fn remove(&mut self, bytes: usize, bounds: HeldBounds) {
        if bytes > bounds.bytes_max {
            self.large -= 1;
        } else {
            self.bytes -= bytes;
        }
    }
}

impl HeldBack {
    /// Holds everything back from now on, until the page comes.
    pub(super) fn begin(&mut self) -> Ticket {
        let ticket = Ticket(self.next);
        self.next += 1;
        self.prepared.insert(ticket);
        ticket
    }

    /// Whether a page is being prepared.
    pub(super) fn holds(&self) -> bool {
        !self.prepared.is_empty()
    }

    /// Holds a message back. If there is no room for it, no page is waited for any more, and everything is given
    /// back: the outbox has bounds of its own.
    pub(super) fn put(
        &mut self,
        position: Position,
        message: Message,
        bounds: HeldBounds,
    ) -> impl Iterator<Item = Message> + use<> {
        let bytes = message.bytes();
        let fits = |part: usize| {
            let large = bytes > bounds.bytes_max && self.tally.large < LARGE_MAX;
            let small = self.tally.bytes.saturating_add(bytes) <= bounds.bytes_max / part;
            self.messages.len() < bounds.entries_max / part && (small || large)
        };
        let leaving = match message {
            // As in the outbox, what may be dropped goes only where there is room to spare.
            Message::Relayed(_) if !fits(2) => VecDeque::new(),
            message => {
                let is_held = fits(1);
                self.messages.push_back(Held { position, bytes, message });
                self.tally.add(bytes, bounds);
                if is_held { VecDeque::new() } else { self.release() }
            }
        };
        leaving.into_iter().map(|held| held.message)
    }

    /// Gives a page its place. Returns what leaves now, in order, if the page is still waited for; otherwise gives
    /// the page back.
    ///
    /// The pages of a connection are prepared one after the other, so those that follow reflect no less.
    pub(super) fn take_place(
        &mut self,
        ticket: Ticket,
        reflects: Position,
        page: Message,
        bounds: HeldBounds,
    ) -> Result<impl Iterator<Item = Message> + use<>, Message> {
        if !self.prepared.remove(&ticket) {
            return Err(page);
        }
        let reflected = self.messages.partition_point(|held| held.position <= reflects);
        let later = self.messages.split_off(reflected);
        let leaving = std::mem::replace(&mut self.messages, later);
        leaving.iter().for_each(|held| self.tally.remove(held.bytes, bounds));
        let rest = if self.prepared.is_empty() { self.release() } else { VecDeque::new() };
        let message = |held: Held| held.message;
        Ok(leaving.into_iter().map(message).chain([page]).chain(rest.into_iter().map(message)))
    }

    fn release(&mut self) -> VecDeque<Held> {
        self.prepared.clear();
        self.tally = Tally::default();
        std::mem::take(&mut self.messages)
    }
}
