//! Everything that becomes JSON: answers, events, diffs and failures, the same for both transports. It is written
//! directly from the domain's data, field by field, without an intermediate form.

mod account;
mod diff;
mod entity;
mod events;
mod history_page;
pub mod payload;
mod payload_fault;
mod people;
mod problem;
mod relay_event;
pub mod shape;
mod sign_in_fault;
mod snapshot;
mod token;
mod waiting;

use crate::engine::DiffPart;
use crate::engine::protocol::{Outcome, Published};
use account::{View, WholeAccount};
use diff::{Actor, WholeDiff};
use entity::{Each, Exact, Form, Seconds, WholeLink, WholeNode, Written};
use graph::batch::Lineage;
use graph::field_rules::NodeField;
use graph::load::Page;
use graph::model::{Rev, ViewSettings};
use graph::trash::TrashPage;
use graph::{BatchId, NodeId, Timestamp, UserId};
use history_page::Batches;
use problem::Failed;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;
use std::sync::atomic::{AtomicU64, Ordering};
use uuid::Uuid;

pub(crate) use diff::{AppliedAnswer, ChangedAnswer, CopiedAnswer, UndoneAnswer};
pub(crate) use events::{
    BranchPage, Done, GraphPage, Healthy, InvitedAnswer, InvitesAnswer, OwnAccount, PageOfBatches, PongAck,
    ProvidersAnswer, SnapshotAnswer, SyncAnswer, TrashAnswer,
};
pub use events::{EVENTS, Event};
pub(crate) use history_page::{EveryOp, undo_and_redo};
pub use payload_fault::{PayloadFault, PayloadRefusal};
pub(crate) use people::{
    ClosedAnswer, ConfirmedAnswer, EmailAnswer, RemovedAnswer, SessionsAnswer, UserAnswer, UsersAnswer,
};
pub(crate) use problem::FailedAnswer;
pub use problem::Problem;
pub(crate) use relay_event::relayed_shape;
pub use relay_event::{relayed_event, relayed_event_name};
pub use sign_in_fault::SignInFault;
pub use snapshot::Snapshot;
pub use token::token_json;
pub(crate) use token::{NewTokenAnswer, RevokedTokensAnswer, TokenAnswer, TokensAnswer};
pub(crate) use waiting::{CriticalAnswer, GrantsAnswer, ReadyAnswer, WhyAnswer};

/// A value of a field of a node, as JSON.
pub(crate) fn written<R: Written>(_field: &NodeField<R>, value: &R::Value) -> String {
    into_string(text(&R::written(value)))
}

/// A new id for one request, to find it in the logs: 12 hex digits.
pub fn trace_id() -> String {
    static FALLBACK: AtomicU64 = AtomicU64::new(0);
    // Without randomness a counter serves: the id is no secret.
    let number = getrandom::u64().unwrap_or_else(|_| FALLBACK.fetch_add(1, Ordering::Relaxed));
    format!("{:012x}", number & 0xffff_ffff_ffff)
}

/// The answer to a request, as a REST response and as an ack, with its HTTP status.
pub fn answer(outcome: &Outcome, trace_id: &str) -> (u16, Box<RawValue>) {
    let text = match outcome {
        Outcome::Changed { diff, replayed } => {
            let replayed = replayed.then_some(true);
            let (undo_of, redo_of) = undo_and_redo(diff.lineage);
            let batch_id = diff.batch.filter(|_| diff.lineage != Lineage::Fresh);
            text(&Changed {
                ok: true,
                batch_id,
                undo_of,
                redo_of,
                ids: (!diff.copies().is_empty()).then_some(Pairs(diff.copies())),
                diff: WholeDiff(diff),
                rev: diff.rev,
                replayed,
                trace_id,
            })
        }
        Outcome::Graph { page, rev } => graph_page(page, *rev, Form::Graph, trace_id),
        Outcome::Branch { page, rev, anonymous } => {
            let form = if *anonymous { Form::Public } else { Form::Graph };
            graph_page(page, *rev, form, trace_id)
        }
        Outcome::Snapshot { page, rev, anonymous } => {
            let text = Snapshot::new(page.clone(), *rev, *anonymous, trace_id).write(usize::MAX);
            parsed(String::from_utf8(text).unwrap_or_default())
        }
        Outcome::History { page, rev } => {
            let (has_more, batches) = (page.past.has_more, Batches(page));
            text(&HistoryAnswer { ok: true, has_more, batches, rev: *rev, trace_id })
        }
        Outcome::Synced { rev, recovered } => {
            text(&Synced { ok: true, rev: *rev, recovered: *recovered, trace_id })
        }
        Outcome::Why { why, rev } => waiting::why(why, *rev, trace_id),
        Outcome::Ready { ready, rev } => waiting::ready(ready, *rev, trace_id),
        Outcome::Critical { critical, rev } => waiting::critical(critical, *rev, trace_id),
        Outcome::Grants { grants, rev } => waiting::grants(grants, *rev, trace_id),
        Outcome::Trash { page, rev } => trash_page(page, *rev, trace_id),
        Outcome::Account { account, rev } => {
            text(&AccountAnswer { ok: true, account: WholeAccount(account), rev: *rev, trace_id })
        }
        // What a change of accounts answers is written where it was asked for.
        Outcome::Administered(_) | Outcome::PassedOn => passed_on(trace_id),
        Outcome::Failed(failure) => return refused(&failure.clone().into(), trace_id),
    };
    (200, text)
}

/// `{ok: true, …, trace_id}`, with the fields of a value between them.
pub fn success(fields: &impl Serialize, trace_id: &str) -> Box<RawValue> {
    #[derive(Serialize)]
    struct Success<'a, T> {
        ok: bool,
        #[serde(flatten)]
        fields: &'a T,
        trace_id: &'a str,
    }
    text(&Success { ok: true, fields, trace_id })
}

/// The answer to a request that failed, with its HTTP status.
pub fn refused(problem: &Problem, trace_id: &str) -> (u16, Box<RawValue>) {
    (problem.status(), text(&Failed { problem, event: None, trace_id }))
}

/// The event `error`: a socket request without an ack failed.
pub fn error_event(problem: &Problem, event: &str, trace_id: &str) -> Box<RawValue> {
    text(&Failed { problem, event: Some(event), trace_id })
}

/// The event `graph:init`: a page of the graph for a client that asked without an ack.
pub fn graph_init(page: &Page, rev: Rev, trace_id: &str) -> Box<RawValue> {
    let nodes = Each(&page.nodes, |seen| WholeNode { seen, form: Form::Init });
    let links = Each(&page.links, |seen| WholeLink::of(seen, Form::Init));
    let graph = InitGraph { nodes, links, has_more: page.has_more };
    text(&Init { ok: true, has_more: page.has_more, graph, rev, trace_id })
}

/// The event `graph:error`: the failure of the same request.
pub fn graph_error(problem: &Problem, trace_id: &str) -> Box<RawValue> {
    text(&GraphError { error: problem.name(), message: problem.message(), trace_id })
}

/// The event `graph:diff`.
pub fn diff_event(diff: &DiffPart) -> Box<RawValue> {
    text(&WholeDiff(diff))
}

/// The event `settings:view`: view settings as they are now.
pub fn view_event(view: &ViewSettings) -> Box<RawValue> {
    text(&View::of(view))
}

/// The event `branch:published`.
pub fn published_event(published: &Published) -> Box<RawValue> {
    text(&PublishedEvent {
        id: published.id,
        public_branch: published.branch,
        public_due: published.due.map(Exact),
        actor: published.actor.as_deref().map(Actor::of),
        ts: Seconds(published.at),
    })
}

/// The event `connected` of an admitted socket; `client` is `api` or `web`.
pub fn connected(user: UserId, client: &str, now: Timestamp) -> Box<RawValue> {
    text(&Connected { ok: true, uid: user, client, server_time: Seconds(now) })
}

/// The event `connected` of a refused socket.
pub fn not_connected(problem: &Problem) -> Box<RawValue> {
    text(&NotConnected {
        ok: false,
        error: problem.name(),
        message: problem.message(),
        retry_after: problem.retry_after_s(),
    })
}

/// The event `ws:pong`.
pub fn pong(now: Timestamp) -> Box<RawValue> {
    text(&Pong { ok: None, server_time: Seconds(now), trace_id: None })
}

/// The ack of `ws:ping`, for a client that asked for one.
pub fn pong_ack(now: Timestamp, trace_id: &str) -> Box<RawValue> {
    text(&Pong { ok: Some(true), server_time: Seconds(now), trace_id: Some(trace_id) })
}

/// The ack of a relay event.
pub fn passed_on(trace_id: &str) -> Box<RawValue> {
    text(&PassedOn { ok: true, trace_id })
}

/// The answer of `GET /api/health`.
pub fn health() -> &'static str {
    r#"{"ok":true,"status":"up"}"#
}

/// Serializing cannot fail: keys are strings, and numbers are finite. The text is not read again to see that it is JSON.
fn text(value: &impl Serialize) -> Box<RawValue> {
    serde_json::value::to_raw_value(value).unwrap_or_else(|_| RawValue::NULL.to_owned())
}

/// A text that was put together from others. Only such a text is read again.
fn parsed(text: String) -> Box<RawValue> {
    RawValue::from_string(text).unwrap_or_else(|error| {
        tracing::error!(%error, "internal error: a message is not valid JSON");
        RawValue::NULL.to_owned()
    })
}

/// The text as the body of an HTTP answer. Nothing is copied.
pub fn into_string(text: Box<RawValue>) -> String {
    Box::<str>::from(text).into()
}

fn graph_page(page: &Page, rev: Rev, form: Form, trace_id: &str) -> Box<RawValue> {
    let nodes = Each(&page.nodes, |seen| WholeNode { seen, form });
    let links = Each(&page.links, |seen| WholeLink::of(seen, form));
    text(&PageAnswer { ok: true, has_more: page.has_more, nodes, links, rev, trace_id })
}

fn trash_page(page: &TrashPage, rev: Rev, trace_id: &str) -> Box<RawValue> {
    let nodes = Each(&page.nodes, |seen| WholeNode { seen, form: Form::Trash });
    let links = Each(&page.links, |seen| WholeLink::of(seen, Form::Trash));
    text(&PageAnswer { ok: true, has_more: page.has_more, nodes, links, rev, trace_id })
}

/// An object from ids to ids.
struct Pairs<'a>(&'a [(Uuid, Uuid)]);

impl Serialize for Pairs<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(from, to)| (from, to)))
    }
}

#[derive(Serialize)]
struct Changed<'a> {
    ok: bool,
    /// For an undo or redo: its batch, and the batch that it undid or redid.
    #[serde(rename = "batchId", skip_serializing_if = "Option::is_none")]
    batch_id: Option<BatchId>,
    #[serde(rename = "undoOf", skip_serializing_if = "Option::is_none")]
    undo_of: Option<BatchId>,
    #[serde(rename = "redoOf", skip_serializing_if = "Option::is_none")]
    redo_of: Option<BatchId>,
    /// Of a copy, the ids of what was copied and of the copies.
    #[serde(skip_serializing_if = "Option::is_none")]
    ids: Option<Pairs<'a>>,
    diff: WholeDiff<'a>,
    rev: Rev,
    #[serde(skip_serializing_if = "Option::is_none")]
    replayed: Option<bool>,
    trace_id: &'a str,
}

#[derive(Serialize)]
struct PageAnswer<'a, N, L> {
    ok: bool,
    #[serde(rename = "hasMore")]
    has_more: bool,
    nodes: N,
    links: L,
    rev: Rev,
    trace_id: &'a str,
}

#[derive(Serialize)]
struct HistoryAnswer<'a> {
    ok: bool,
    #[serde(rename = "hasMore")]
    has_more: bool,
    batches: Batches<'a>,
    rev: Rev,
    trace_id: &'a str,
}

#[derive(Serialize)]
struct Synced<'a> {
    ok: bool,
    rev: Rev,
    recovered: bool,
    trace_id: &'a str,
}

#[derive(Serialize)]
struct Init<'a, G> {
    ok: bool,
    #[serde(rename = "hasMore")]
    has_more: bool,
    graph: G,
    rev: Rev,
    trace_id: &'a str,
}

#[derive(Serialize)]
struct InitGraph<N, L> {
    nodes: N,
    links: L,
    #[serde(rename = "hasMore")]
    has_more: bool,
}

#[derive(Serialize)]
struct GraphError<'a> {
    error: String,
    message: String,
    trace_id: &'a str,
}

#[derive(Serialize)]
struct AccountAnswer<'a> {
    ok: bool,
    account: WholeAccount<'a>,
    rev: Rev,
    trace_id: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PublishedEvent<'a> {
    id: NodeId,
    public_branch: bool,
    public_due: Option<Exact>,
    actor: Option<Actor<'a>>,
    ts: Seconds,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Connected<'a> {
    ok: bool,
    uid: UserId,
    client: &'a str,
    server_time: Seconds,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct NotConnected {
    ok: bool,
    error: String,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after: Option<u64>,
}

#[derive(Serialize)]
struct PassedOn<'a> {
    ok: bool,
    trace_id: &'a str,
}

#[derive(Serialize)]
struct Pong<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    ok: Option<bool>,
    #[serde(rename = "serverTime")]
    server_time: Seconds,
    #[serde(skip_serializing_if = "Option::is_none")]
    trace_id: Option<&'a str>,
}

#[cfg(test)]
mod tests;
