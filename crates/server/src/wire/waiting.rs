//! What tasks wait for, and who has access to them.

use super::entity::{Exact, Seconds};
use super::shape::{
    self, about, boolean, list, nullable, object, shaped, string, success, time, uuid, whole,
};
use graph::NodeId;
use graph::grants::{Grants, SeenGrant};
use graph::model::{Level, Rev};
use graph::waiting::{Critical, End, Longest, Ready, ReadyTask, Slack, Why};
use schemars::Schema;
use serde::Serialize;
use serde_json::value::RawValue;

/// The answer to graph:why.
pub(super) fn why(why: &Why, rev: Rev, trace_id: &str) -> Box<RawValue> {
    let Why { held, blockers, frontier, more } = why;
    let frontier = frontier.iter().map(ShownEnd::of).collect();
    super::text(&WhyAnswer { ok: true, held: *held, blockers, frontier, more: *more, rev, trace_id })
}

/// The answer to graph:ready.
pub(super) fn ready(ready: &Ready, rev: Rev, trace_id: &str) -> Box<RawValue> {
    let tasks = ready.tasks.iter().map(ShownTask::of).collect();
    super::text(&ReadyAnswer { ok: true, tasks, more: ready.more, rev, trace_id })
}

/// The answer to graph:critical.
pub(super) fn critical(critical: &Critical, rev: Rev, trace_id: &str) -> Box<RawValue> {
    let Critical { tasks, volume } = critical;
    let [tasks, volume] = [tasks, volume].map(ShownLongest::of);
    super::text(&CriticalAnswer { ok: true, tasks, volume, rev, trace_id })
}

/// The answer to node:grants.
pub(super) fn grants(grants: &Grants, rev: Rev, trace_id: &str) -> Box<RawValue> {
    let Grants { grants, more } = grants;
    let grants = grants.iter().map(ShownGrant::of).collect();
    super::text(&GrantsAnswer { ok: true, grants, more: *more, rev, trace_id })
}

#[derive(Serialize)]
pub(crate) struct WhyAnswer<'a> {
    ok: bool,
    held: bool,
    blockers: &'a [NodeId],
    frontier: Vec<ShownEnd<'a>>,
    more: bool,
    rev: Rev,
    trace_id: &'a str,
}

#[derive(Serialize)]
struct ShownEnd<'a> {
    id: NodeId,
    phantom: bool,
    chain: &'a [NodeId],
}

impl<'a> ShownEnd<'a> {
    fn of(end: &'a End) -> Self {
        ShownEnd { id: end.id, phantom: end.is_phantom, chain: &end.chain }
    }
}

#[derive(Serialize)]
pub(crate) struct ReadyAnswer<'a> {
    ok: bool,
    tasks: Vec<ShownTask>,
    more: bool,
    rev: Rev,
    trace_id: &'a str,
}

#[derive(Serialize)]
struct ShownTask {
    id: NodeId,
    reason: ShownReason,
}

/// Why a task has its place.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ShownReason {
    due: Option<Seconds>,
    holds: u64,
    at_least: bool,
    priority: u8,
}

impl ShownTask {
    fn of(task: &ReadyTask) -> Self {
        let ReadyTask { id, due, holds, at_least, priority } = *task;
        ShownTask { id, reason: ShownReason { due: due.map(Seconds), holds, at_least, priority } }
    }
}

#[derive(Serialize)]
pub(crate) struct CriticalAnswer<'a> {
    ok: bool,
    tasks: ShownLongest<'a>,
    volume: ShownLongest<'a>,
    rev: Rev,
    trace_id: &'a str,
}

#[derive(Serialize)]
struct ShownLongest<'a> {
    length: u64,
    chain: &'a [NodeId],
    slack: Vec<ShownSlack>,
    more: bool,
}

#[derive(Serialize)]
struct ShownSlack {
    id: NodeId,
    slack: u64,
}

impl<'a> ShownLongest<'a> {
    fn of(longest: &'a Longest) -> Self {
        let Longest { length, chain, slack, more } = longest;
        let slack = slack.iter().map(|Slack { id, slack }| ShownSlack { id: *id, slack: *slack }).collect();
        ShownLongest { length: *length, chain, slack, more: *more }
    }
}

#[derive(Serialize)]
pub(crate) struct GrantsAnswer<'a> {
    ok: bool,
    grants: Vec<ShownGrant<'a>>,
    more: bool,
    rev: Rev,
    trace_id: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ShownGrant<'a> {
    via: Option<NodeId>,
    user_name: &'a str,
    user_email: &'a str,
    level: Level,
    branch: bool,
    due: Option<Exact>,
    showing: bool,
    in_force: bool,
}

impl<'a> ShownGrant<'a> {
    fn of(seen: &'a SeenGrant) -> Self {
        let SeenGrant { grant, user, via, in_force } = seen;
        ShownGrant {
            via: *via,
            user_name: &user.username,
            user_email: &user.email,
            level: grant.level,
            branch: grant.branch,
            due: grant.due.map(Exact),
            showing: grant.showing,
            in_force: *in_force,
        }
    }
}

fn more() -> Schema {
    about(boolean(), "Whether there are more than these.")
}

fn rev() -> Schema {
    about(whole(), "The position in the order of all batches that this reflects.")
}

shaped!(WhyAnswer<'_>, "Why", |_| {
    let end = object(
        "A task at the end of what is waited for: nothing holds it.",
        [
            ("id", uuid()),
            ("phantom", about(boolean(), "Whether the caller sees no more of it than its status.")),
            ("chain", about(list(uuid()), "The tasks from it to the one that waits.")),
        ],
    );
    success(
        "Why a task waits.",
        [
            ("held", about(boolean(), "Whether it is held.")),
            ("blockers", about(list(uuid()), "The tasks that hold it directly.")),
            ("frontier", list(end)),
            ("more", more()),
            ("rev", rev()),
        ],
    )
});

shaped!(ReadyAnswer<'_>, "Ready", |_| {
    let reason = object(
        "Why the task has its place.",
        [
            ("due", about(nullable(time()), "When it is due, or what waits for it.")),
            ("holds", about(whole(), "How many tasks wait for it.")),
            ("atLeast", about(boolean(), "Whether there may be more.")),
            ("priority", whole()),
        ],
    );
    let task = object("A task that can be started.", [("id", uuid()), ("reason", reason)]);
    success("What can be started.", [("tasks", list(task)), ("more", more()), ("rev", rev())])
});

shaped!(ShownLongest<'_>, "Longest", |_| object(
    "The longest chain of tasks that are not completed.",
    [
        ("length", whole()),
        ("chain", list(uuid())),
        (
            "slack",
            list(object(
                "By how much a task may grow before it is on the longest chain.",
                [("id", uuid()), ("slack", whole())],
            )),
        ),
        ("more", more()),
    ],
));

shaped!(CriticalAnswer<'_>, "Critical", |to| success(
    "The longest chains.",
    [
        ("tasks", about(to.subschema_for::<ShownLongest<'_>>(), "By the number of tasks.")),
        ("volume", about(to.subschema_for::<ShownLongest<'_>>(), "By the sum of their volumes.")),
        ("rev", rev()),
    ],
));

shaped!(GrantsAnswer<'_>, "NodeGrants", |_| {
    let grant = object(
        "A grant by which a user has access to the node.",
        [
            (
                "via",
                about(nullable(uuid()), "The node above that it is a grant of; null if it is of this one."),
            ),
            ("userName", string()),
            ("userEmail", string()),
            ("level", shape::granted_level()),
            ("branch", about(boolean(), "Whether it is of the whole branch.")),
            ("due", about(nullable(time()), "When it ends; null if it does not.")),
            ("showing", about(boolean(), "Whether the grantee has it in their graph.")),
            ("inForce", boolean()),
        ],
    );
    success("Who has access to a node.", [("grants", list(grant)), ("more", more()), ("rev", rev())])
});
