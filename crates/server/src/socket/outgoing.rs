//! What is sent on a connection, and how it is written. It is written late, by the one task that sends.

use super::outbox::{Admission, diff_bytes, page_bytes};
use crate::dispatch::Reply;
use crate::engine::{Outcome, Published, Relayed, clock};
use crate::operations::relay_by_event;
use crate::wire::{self, Problem};
use graph::Diff;
use std::sync::Arc;
use tokio::sync::OwnedSemaphorePermit;

/// A permit for one of the requests of a connection that may be in flight, given back when the answer has been sent.
pub type InFlightPermit = OwnedSemaphorePermit;

/// Something to be sent.
#[derive(Debug)]
pub enum Outgoing {
    Event(&'static str, String),
    Diff(Arc<Diff>),
    Published(Arc<Published>),
    Relayed(Arc<Relayed>),
    Reply {
        event: String,
        ack: Option<i64>,
        reply: Box<Reply>,
        trace: String,
        _permit: Option<InFlightPermit>,
    },
}

/// Where a text goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum To {
    Event(&'static str),
    Ack(i64),
}

/// Without an ack a failure is heard, but of what is soon followed by another (P31), and a page of the graph; a change is heard as a diff like everybody's (T5, T6).
pub fn is_heard_without_ack(reply: &Reply, event: &str) -> bool {
    match reply {
        Reply::Problem(_) => relay_by_event(event).is_none(),
        Reply::Outcome(Outcome::Graph { .. }) => event == "graph:get",
        Reply::Outcome(_) | Reply::Pong => false,
    }
}

impl Outgoing {
    /// Where it goes and its text; `None` when there is nothing to say.
    pub fn encode(&self) -> Option<(To, String)> {
        Some(match self {
            Outgoing::Event(event, text) => (To::Event(event), text.clone()),
            Outgoing::Diff(diff) => (To::Event("graph:diff"), wire::diff_event(diff)),
            Outgoing::Published(published) => {
                (To::Event("branch:published"), wire::published_event(published))
            }
            Outgoing::Relayed(relayed) => {
                let (event, text) = wire::relayed_event(relayed);
                (To::Event(event), text)
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
        })
    }
}

fn encode_ack(reply: &Reply, trace: &str) -> String {
    match reply {
        Reply::Outcome(outcome) => wire::answer(outcome, trace).1,
        Reply::Pong => wire::pong_ack(clock::now(), trace),
        Reply::Problem(problem) => wire::refused(problem, trace).1,
    }
}

/// What an answer weighs in the line.
pub fn answer_bytes(reply: &Reply) -> usize {
    match reply {
        Reply::Outcome(Outcome::Changed { diff, .. }) => diff_bytes(diff),
        Reply::Outcome(Outcome::Graph { page, .. } | Outcome::Branch { page, .. }) => {
            page_bytes(page.nodes.len() + page.links.len())
        }
        Reply::Outcome(Outcome::Trash { page, .. }) => page_bytes(page.nodes.len() + page.links.len()),
        _ => page_bytes(1),
    }
}

/// How an answer stands to the line's bounds: one that holds a permit was asked for, any other
/// takes room like all that is sent unasked.
pub fn answer_admission(reply: &Reply, permit: Option<&InFlightPermit>) -> Admission {
    match reply {
        Reply::Outcome(Outcome::Changed { diff, .. }) if permit.is_some() => Admission::Asked(diff.batch),
        _ if permit.is_some() => Admission::Asked(None),
        _ => Admission::Bound,
    }
}

/// What is reply instead of a message that cannot be written.
pub fn fallback(message: &Outgoing) -> Option<(To, String)> {
    match message {
        Outgoing::Reply { ack: Some(ack), trace, .. } => {
            Some((To::Ack(*ack), wire::refused(&Problem::exception(), trace).1))
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
