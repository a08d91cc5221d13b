//! What is sent on a connection, and how it is written. It is written late, by the one task that sends.

use crate::asking::Said;
use crate::engine::{Outcome, Published, Relayed, clock};
use crate::line::{Standing, diff_bytes, page_bytes};
use crate::operations::relay_by_event;
use crate::wire::{self, Problem};
use graph::Diff;
use std::sync::Arc;
use tokio::sync::OwnedSemaphorePermit;

/// A place among the requests of a connection that may be under way, given back when the answer has been sent.
pub type Place = OwnedSemaphorePermit;

/// Something to be sent.
#[derive(Debug)]
pub enum Message {
    Event(&'static str, String),
    Diff(Arc<Diff>),
    Published(Arc<Published>),
    Relayed(Arc<Relayed>),
    Said { event: String, ack: Option<i64>, said: Box<Said>, trace: String, _place: Option<Place> },
}

/// Where a text goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum To {
    Event(&'static str),
    Ack(i64),
}

/// Without an ack a failure is heard, but of what is soon followed by another (P31), and a page of the graph; a change is heard as a diff like everybody's (T5, T6).
pub fn is_heard_without_ack(said: &Said, event: &str) -> bool {
    match said {
        Said::Problem(_) => relay_by_event(event).is_none(),
        Said::Outcome(Outcome::Graph { .. }) => event == "graph:get",
        Said::Outcome(_) | Said::Pong => false,
    }
}

impl Message {
    /// Where it goes and its text; `None` when there is nothing to say.
    pub fn encode(&self) -> Option<(To, String)> {
        Some(match self {
            Message::Event(event, text) => (To::Event(event), text.clone()),
            Message::Diff(diff) => (To::Event("graph:diff"), wire::diff_event(diff)),
            Message::Published(published) => {
                (To::Event("branch:published"), wire::published_event(published))
            }
            Message::Relayed(relayed) => {
                let (event, text) = wire::relayed_event(relayed);
                (To::Event(event), text)
            }
            Message::Said { ack: Some(ack), said, trace, .. } => (To::Ack(*ack), encode_ack(said, trace)),
            Message::Said { ack: None, said, event, trace, .. } => match (&**said, event.as_str()) {
                (Said::Outcome(Outcome::Graph { page, rev }), _) => {
                    (To::Event("graph:init"), wire::graph_init(page, *rev, trace))
                }
                (Said::Problem(problem), "graph:get") => {
                    (To::Event("graph:error"), wire::graph_error(problem, trace))
                }
                (Said::Problem(problem), event) => {
                    (To::Event("error"), wire::error_event(problem, event, trace))
                }
                _ => return None,
            },
        })
    }
}

fn encode_ack(said: &Said, trace: &str) -> String {
    match said {
        Said::Outcome(outcome) => wire::answer(outcome, trace).1,
        Said::Pong => wire::pong_ack(clock::now(), trace),
        Said::Problem(problem) => wire::refused(problem, trace).1,
    }
}

/// What an answer weighs in the line.
pub fn answer_bytes(said: &Said) -> usize {
    match said {
        Said::Outcome(Outcome::Changed { diff, .. }) => diff_bytes(diff),
        Said::Outcome(Outcome::Graph { page, .. } | Outcome::Branch { page, .. }) => {
            page_bytes(page.nodes.len() + page.links.len())
        }
        Said::Outcome(Outcome::Trash { page, .. }) => page_bytes(page.nodes.len() + page.links.len()),
        _ => page_bytes(1),
    }
}

/// How an answer stands to the line's bounds: one that has a place among the requests under way is asked for, any other
/// takes room like all that is sent unasked.
pub fn answer_standing(said: &Said, place: Option<&Place>) -> Standing {
    match said {
        Said::Outcome(Outcome::Changed { diff, .. }) if place.is_some() => Standing::Asked(diff.batch),
        _ if place.is_some() => Standing::Asked(None),
        _ => Standing::Bound,
    }
}

/// What is said instead of a message that cannot be written.
pub fn fallback(message: &Message) -> Option<(To, String)> {
    match message {
        Message::Said { ack: Some(ack), trace, .. } => {
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
