//! Outgoing messages and their encoding. The task that sends them encodes them last of all.

use super::outbox::{Admission, page_bytes};
use crate::access_log::AccessLine;
use crate::aside::LARGE_ENTITIES;
use crate::dispatch::Reply;
use crate::engine::{DiffPart, Outcome, Published, Relayed, SharedText, clock};
use crate::measure::Transport;
use crate::operations::relay_by_event;
use crate::wire::{self, Problem};
use graph::UserId;
use graph::model::User;
use serde_json::value::RawValue;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::OwnedSemaphorePermit;

/// A permit for one request in flight on a connection. It is released when the answer has been sent.
pub type InFlightPermit = OwnedSemaphorePermit;

/// An outgoing message.
#[derive(Debug)]
pub enum Outgoing {
    Event(&'static str, Box<RawValue>),
    Diff(Arc<DiffPart>),
    Published(Arc<Published>),
    Viewed(Arc<User>),
    Relayed(Arc<Relayed>),
    Reply {
        event: String,
        ack: Option<i64>,
        reply: Box<Reply>,
        trace: String,
        /// What is logged of it, once its size is known.
        noted: Option<Box<NotedReply>>,
        _permit: Option<InFlightPermit>,
    },
}

/// A request that was answered, for the access log.
#[derive(Clone, Copy, Debug)]
pub struct NotedReply {
    pub operation: &'static str,
    pub status: u16,
    pub code: Option<&'static str>,
    pub time: Duration,
    pub user: Option<UserId>,
    pub client: IpAddr,
}

impl NotedReply {
    /// Writes its line.
    pub fn note(&self, trace_id: &str, bytes: usize) {
        let NotedReply { operation, status, code, time, user, client } = *self;
        let (transport, bytes) = (Transport::Socket.name(), u64::try_from(bytes).ok());
        let access = AccessLine {
            transport,
            method: None,
            path: None,
            operation,
            status,
            code,
            time,
            bytes,
            user,
            client,
            trace_id,
        };
        access.note();
    }
}

/// The destination of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum To {
    Event(&'static str),
    Ack(i64),
}

/// A JSON text, perhaps shared with other connections.
pub type Text = Arc<RawValue>;

/// Whether a reply is sent as an event when the client asked for no ack (T5, T6): a failure, except of relay events
/// (P31), and a page of the graph. A change arrives as a diff, as for everyone.
pub fn is_heard_without_ack(reply: &Reply, event: &str) -> bool {
    match reply {
        Reply::Problem(_) => relay_by_event(event).is_none(),
        Reply::Outcome(Outcome::Graph { .. }) => event == "graph:get",
        Reply::Outcome(_) | Reply::Pong => false,
    }
}

impl Outgoing {
    /// Whether it takes so long to encode that others would wait for it.
    pub fn is_large(&self) -> bool {
        let entities = match self {
            Outgoing::Diff(diff) => diff.nodes().len() + diff.links().len(),
            Outgoing::Reply { reply, .. } => match &**reply {
                Reply::Outcome(outcome) => outcome.entities(),
                _ => 0,
            },
            Outgoing::Event(..) | Outgoing::Published(_) | Outgoing::Viewed(_) | Outgoing::Relayed(_) => 0,
        };
        entities >= LARGE_ENTITIES
    }

    /// The destination and the text; `None` when there is nothing to send.
    pub fn encode(&self) -> Option<(To, Text)> {
        let (to, text) = match self {
            Outgoing::Event(event, text) => (To::Event(event), text.clone()),
            Outgoing::Diff(diff) => {
                return Some((To::Event("graph:diff"), shared(&diff.text, || wire::diff_event(diff))));
            }
            Outgoing::Published(published) => {
                let text = shared(&published.text, || wire::published_event(published));
                return Some((To::Event("branch:published"), text));
            }
            Outgoing::Viewed(user) => (To::Event("settings:view"), wire::view_event(&user.view)),
            Outgoing::Relayed(relayed) => {
                let text = shared(&relayed.text, || wire::relayed_event(relayed));
                return Some((To::Event(wire::relayed_event_name(relayed)), text));
            }
            Outgoing::Reply { ack: Some(ack), reply, trace, .. } => (To::Ack(*ack), encode_ack(reply, trace)),
            Outgoing::Reply { ack: None, reply, event, trace, .. } => match (&**reply, event.as_str()) {
                (Reply::Outcome(Outcome::Graph { page, rev }), _) => {
                    (To::Event("graph:init"), wire::graph_init(page, *rev, trace))
                }
                (Reply::Problem(problem), "graph:get") => {
                    (To::Event("graph:error"), wire::graph_error(problem, trace))
                }
                (Reply::Problem(problem), event) => {
                    (To::Event("error"), wire::error_event(problem, event, trace))
                }
                _ => return None,
            },
        };
        Some((to, text.into()))
    }
}

fn shared(place: &SharedText, write: impl FnOnce() -> Box<RawValue>) -> Text {
    place.get_or_write(write)
}

fn encode_ack(reply: &Reply, trace: &str) -> Box<RawValue> {
    match reply {
        Reply::Outcome(outcome) => wire::answer(outcome, trace).1,
        Reply::Pong => wire::pong_ack(clock::now(), trace),
        Reply::Problem(problem) => wire::refused(problem, trace).1,
    }
}

/// The size of an answer in the outbox.
pub fn answer_bytes(reply: &Reply) -> usize {
    match reply {
        Reply::Outcome(Outcome::Changed { diff, .. }) => diff.bytes(),
        Reply::Outcome(Outcome::Graph { page, .. } | Outcome::Branch { page, .. }) => {
            page_bytes(page.nodes.len() + page.links.len())
        }
        Reply::Outcome(
            outcome @ (Outcome::Why { .. }
            | Outcome::Ready { .. }
            | Outcome::Critical { .. }
            | Outcome::Grants { .. }),
        ) => page_bytes(outcome.entities() + 1),
        Reply::Outcome(Outcome::Trash { page, .. }) => page_bytes(page.nodes.len() + page.links.len()),
        _ => page_bytes(1),
    }
}

/// How the outbox bounds apply to an answer. An answer with a permit was requested; any other takes room like
/// unrequested messages.
pub fn answer_admission(permit: Option<&InFlightPermit>) -> Admission {
    if permit.is_some() { Admission::Asked } else { Admission::Bound }
}

/// What is sent instead of a message that cannot be encoded.
pub fn fallback(message: &Outgoing) -> Option<(To, Text)> {
    match message {
        Outgoing::Reply { ack: Some(ack), trace, .. } => {
            Some((To::Ack(*ack), wire::refused(&Problem::exception(), trace).1.into()))
        }
        _ => None,
    }
}

/// The bytes around a text: `42["event",…]` or `43id[…]`.
pub fn envelope_bytes(to: To) -> usize {
    match to {
        To::Event(event) => 7 + event.len(),
        To::Ack(ack) => 4 + ack.checked_ilog10().map_or(1, |digits| digits as usize + 1),
    }
}
