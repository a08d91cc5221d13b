//! The answers of reads, and the events that the server sends: their names and shapes.

use super::account::WholeAccount;
use super::diff::{Actor, WholeDiff, nothing_there};
use super::entity::{FullLink, FullNode, InitNode, PhantomNode, PublicNode, TrashedLink, TrashedNode};
use super::history_page::WholeBatch;
use super::people::ViewShape;
use super::problem::ErrorEvent;
use super::shape::{
    Shape, about, any_of, boolean, list, nullable, object, only, shape_of, shaped, string, success, time,
    trace, uuid, whole,
};
use schemars::{Schema, json_schema};

/// An event that the server sends.
#[derive(Clone, Copy, Debug)]
pub struct Event {
    pub name: &'static str,
    /// When it is sent, in a sentence.
    pub about: &'static str,
    /// What is sent.
    pub shape: Shape,
}

/// Every event, but for relay events, which have rows of their own.
pub const EVENTS: &[Event] = &[
    Event {
        name: "connected",
        about: "Sent first on every connection: whether it is admitted. If not, the server ends the connection.",
        shape: shape_of::<ConnectedEvent>,
    },
    Event {
        name: "graph:diff",
        about: "Something changed that the receiver sees.",
        shape: shape_of::<WholeDiff<'static>>,
    },
    Event {
        name: "graph:init",
        about: "The answer to graph:get when it was asked without an ack.",
        shape: shape_of::<GraphInit>,
    },
    Event {
        name: "graph:error",
        about: "The failure of graph:get when it was asked without an ack.",
        shape: shape_of::<GraphErrorEvent>,
    },
    Event {
        name: "branch:published",
        about: "Someone else published a node that the receiver sees, or changed its publication.",
        shape: shape_of::<PublishedShape>,
    },
    Event {
        name: "settings:view",
        about: "The user's view settings were changed, by another connection.",
        shape: shape_of::<ViewShape>,
    },
    Event { name: "error", about: "A request without an ack failed.", shape: shape_of::<ErrorEvent> },
    Event {
        name: "rate_limited",
        about: "A request over its limit; sent besides the ack or the event error.",
        shape: shape_of::<ErrorEvent>,
    },
    Event { name: "ws:pong", about: "The answer to ws:ping.", shape: shape_of::<PongEvent> },
];

fn rev() -> Schema {
    about(whole(), "The position in the order of all batches that this reflects.")
}

fn has_more() -> Schema {
    about(boolean(), "Whether there is another page.")
}

/// A page of the graph.
pub(crate) struct GraphPage;
shaped!(GraphPage, "GraphPage", |to| {
    let node = any_of([shape_of::<FullNode>(to), shape_of::<PhantomNode>(to)]);
    page("A page of what the caller sees.", node, shape_of::<FullLink>(to))
});

/// A page of a branch, which may be read without an account.
pub(crate) struct BranchPage;
shaped!(BranchPage, "BranchPage", |to| {
    let node = any_of([shape_of::<FullNode>(to), shape_of::<PhantomNode>(to), shape_of::<PublicNode>(to)]);
    page("A page of a branch. Callers without an account get public nodes.", node, shape_of::<FullLink>(to))
});

/// A page of the trash.
pub(crate) struct TrashAnswer;
shaped!(TrashAnswer, "TrashPage", |to| {
    let node = shape_of::<TrashedNode>(to);
    page("A page of the trash, latest first.", node, shape_of::<TrashedLink>(to))
});

fn page(about: &str, node: Schema, link: Schema) -> Schema {
    success(about, [("hasMore", has_more()), ("nodes", list(node)), ("links", list(link)), ("rev", rev())])
}

/// The answer of graph:snapshot.
pub(crate) struct SnapshotAnswer;
shaped!(SnapshotAnswer, "Snapshot", |to| {
    let node = any_of([shape_of::<FullNode>(to), shape_of::<PhantomNode>(to), shape_of::<PublicNode>(to)]);
    success(
        "Everything that the caller sees, of the graph or of a branch.",
        [("rev", rev()), ("nodes", list(node)), ("links", list(shape_of::<FullLink>(to)))],
    )
});

/// The answer of history:page.
pub(crate) struct PageOfBatches;
shaped!(PageOfBatches, "HistoryPage", |to| success(
    "A page of history, latest first.",
    [("hasMore", has_more()), ("batches", list(shape_of::<WholeBatch<'_>>(to))), ("rev", rev())],
));

/// The answer of graph:sync.
pub(crate) struct SyncAnswer;
shaped!(SyncAnswer, "Synced", |_| success(
    "Whether everything missed has been sent again, before this.",
    [("rev", rev()), ("recovered", boolean())],
));

/// The answer of account:get.
pub(crate) struct OwnAccount;
shaped!(OwnAccount, "AccountAnswer", |to| success(
    "The caller's account.",
    [("account", shape_of::<WholeAccount<'_>>(to)), ("rev", rev())],
));

fn invitation(url: Option<(&'static str, Schema)>) -> Schema {
    let fields = [
        ("id", uuid()),
        ("email", about(nullable(string()), "The only email that it is for; null for anyone.")),
        ("by", about(nullable(string()), "Who invites: a username; null for the command line.")),
        ("createdTime", time()),
        ("expires", time()),
    ];
    object("An invitation to make an account.", fields.into_iter().chain(url))
}

/// The answer of account:invite.
pub(crate) struct InvitedAnswer;
shaped!(InvitedAnswer, "Invited", |_| success(
    "The invitation.",
    [("invite", invitation(Some(("url", about(string(), "The link, sent this once.")))))],
));

/// The answer of account:invites.
pub(crate) struct InvitesAnswer;
shaped!(InvitesAnswer, "Invites", |_| success(
    "The invitations that nobody has used.",
    [("invites", list(invitation(None)))],
));

/// The answer of account:oidc.
pub(crate) struct ProvidersAnswer;
shaped!(ProvidersAnswer, "Providers", |_| success(
    "The identity providers to sign in with.",
    [(
        "providers",
        list(object(
            "An identity provider.",
            [
                ("name", string()),
                ("title", about(string(), "What people call it.")),
                ("startUrl", about(string(), "Where a browser goes to sign in with it.")),
            ],
        ))
    )],
));

/// An answer that says only that it was done.
pub(crate) struct Done;
shaped!(Done, "Done", |_| success("It was done.", []));

/// The ack of ws:ping.
pub(crate) struct PongAck;
shaped!(PongAck, "Pong", |_| success("The server's time.", [("serverTime", time())]));

/// The answer of health.
pub(crate) struct Healthy;
shaped!(Healthy, "Health", |_| object("The server is up.", [("ok", only(true)), ("status", only("up"))]));

struct ConnectedEvent;
shaped!(ConnectedEvent, "Connected", |_| any_of([
    object(
        "The connection is admitted.",
        [
            ("ok", only(true)),
            ("uid", about(uuid(), "The user.")),
            ("client", json_schema!({ "type": "string", "enum": ["api", "web"] })),
            ("serverTime", time()),
        ],
    ),
    object(
        "The connection is refused.",
        [
            ("ok", only(false)),
            ("error", string()),
            ("message", string()),
            ("retryAfter?", about(whole(), "After how many seconds to try again.")),
        ],
    ),
]));

struct GraphInit;
shaped!(GraphInit, "GraphInit", |to| {
    let node = any_of([shape_of::<InitNode>(to), shape_of::<PhantomNode>(to)]);
    let graph = object(
        "",
        [("nodes", list(node)), ("links", list(shape_of::<FullLink>(to))), ("hasMore", has_more())],
    );
    success("A page of the graph.", [("hasMore", has_more()), ("graph", graph), ("rev", rev())])
});

struct GraphErrorEvent;
shaped!(GraphErrorEvent, "GraphError", |_| object(
    "A failure.",
    [("error", string()), ("message", string()), ("trace_id", trace())],
));

struct PublishedShape;
shaped!(PublishedShape, "Published", |to| object(
    "A publication.",
    [
        ("id", about(uuid(), "The node.")),
        ("publicBranch", boolean()),
        ("publicDue", nullable(time())),
        ("actor", any_of([shape_of::<Actor<'_>>(to), nothing_there()])),
        ("ts", time()),
    ],
));

struct PongEvent;
shaped!(PongEvent, "PongEvent", |_| object("The server's time.", [("serverTime", time())]));
