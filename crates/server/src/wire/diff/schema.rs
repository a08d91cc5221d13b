//! The schemas of diffs, and of the answers that have one.

use super::{AccessEntry, Actor, GrantGone, GrantSide, LinkEntry, NodeEntry, UserEntry, WholeDiff};
use crate::wire::entity::{
    Form, FullLink, FullNode, PhantomNode, RestoredLink, RestoredNode, TrashedLink, TrashedNode, link_fields,
    publication, settable, share_roots,
};
use crate::wire::shape::{
    self, about, any_of, boolean, list, nullable, object, only, shape_of, shaped, string, time, uuid, whole,
};
use graph::batch::Op;
use schemars::{Schema, SchemaGenerator};

shaped!(WholeDiff<'_>, "Diff", |to| object(
    "What a batch changed, as far as the receiver may see it. Applied entry by entry, in order, it gives the new state.",
    [
        ("batchId", about(nullable(uuid()), "The batch; null when nobody made it, as when time has passed.")),
        ("rev", about(whole(), "Where it stands in the order of all batches.")),
        ("actor", any_of([shape_of::<Actor<'_>>(to), nothing_there()])),
        ("ts", time()),
        ("part?", about(whole(), "Of a large diff that is sent in parts, which one this is, from 1.")),
        ("parts?", about(whole(), "How many parts there are.")),
        ("nodes", list(shape_of::<NodeEntry<'_>>(to))),
        ("links", list(shape_of::<LinkEntry<'_>>(to))),
        ("user", list(shape_of::<UserEntry<'_>>(to))),
        ("access", list(shape_of::<AccessEntry<'_>>(to))),
    ],
));

pub(in crate::wire) fn nothing_there() -> Schema {
    schemars::json_schema!({ "type": "null" })
}

shaped!(Actor<'_>, "Actor", |_| object("Who did it.", [("username", string()), ("email", string())]));

/// An entry `{op, before, after}`.
fn entry(about: &str, op: Schema, before: Vec<Schema>, after: Vec<Schema>) -> Schema {
    object(about, [("op", op), ("before", any_of(before)), ("after", any_of(after))])
}

fn codes(ops: &[(Op, &str)]) -> Schema {
    let numbers: Vec<(u8, &str)> = ops.iter().map(|(op, meaning)| (op.code(), *meaning)).collect();
    shape::numbers(&numbers)
}

fn nothing() -> Schema {
    object("Nothing.", [])
}

shaped!(NodeEntry<'_>, "NodeEntry", |to| entry(
    "A change of a node. Of an add, `before` is empty and `after` the whole node. Of a change, both hold the changed \
     fields. Of a deletion, `before` is the whole node.",
    codes(&[
        (Op::NodeAdd, "added"),
        (Op::NodeUpdate, "updated"),
        (Op::NodeStatus, "status"),
        (Op::NodeTrash, "trashed"),
        (Op::NodeRestore, "restored"),
        (Op::NodeDelete, "deleted"),
        (Op::NodePublish, "publication"),
        (Op::NodeShow, "came into view"),
        (Op::NodeHide, "left the view"),
        (Op::NodeAccess, "access"),
    ]),
    vec![nothing(), shape_of::<TrashedNode>(to), shape_of::<PhantomNode>(to), shape_of::<NodePart>(to)],
    vec![
        shape_of::<FullNode>(to),
        shape_of::<PhantomNode>(to),
        shape_of::<RestoredNode>(to),
        shape_of::<Gone>(to),
        shape_of::<NodePart>(to),
    ],
));

/// Some fields of a node.
pub(in crate::wire) struct NodePart;
shaped!(NodePart, "NodeChange", |_| part("The changed fields of a node.", {
    let mut fields = settable(Form::Graph);
    fields.extend(publication());
    fields.extend([
        ("access", about(shape::level(), "The reader's access.")),
        ("hidden", about(only(true), "The node left the reader's view.")),
        ("phantom", about(only(true), "The reader sees no more than the status.")),
    ]);
    fields
}));

/// Some fields of a link.
pub(in crate::wire) struct LinkPart;
shaped!(LinkPart, "LinkChange", |_| part("The changed fields of a link.", {
    let mut fields = link_fields().to_vec();
    fields.push(("hidden", about(only(true), "The link left the reader's view.")));
    fields
}));

/// An id and some of an entity's other fields.
fn part(about: &str, fields: Vec<(&'static str, Schema)>) -> Schema {
    let always = [("id".to_owned(), uuid())];
    let own = fields.into_iter().map(|(name, schema)| (format!("{name}?"), schema));
    let common = [
        ("inTrash?".to_owned(), boolean()),
        ("lastBatchID?".to_owned(), uuid()),
        ("version?".to_owned(), whole()),
        ("shareRoots?".to_owned(), share_roots()),
        ("lastEditedTime?".to_owned(), time()),
    ];
    let fields: Vec<(String, Schema)> = always.into_iter().chain(own).chain(common).collect();
    object(about, fields.iter().map(|(name, schema)| (name.as_str(), schema.clone())))
}

/// The `after` of a deletion.
struct Gone;
shaped!(Gone, "Deleted", |_| object(
    "What is left of an entity that was deleted.",
    [("id", uuid()), ("deleted", only(true)), ("shareRoots", share_roots())],
));

shaped!(LinkEntry<'_>, "LinkEntry", |to| entry(
    "A change of a link, in the same form as that of a node.",
    codes(&[
        (Op::LinkAdd, "added"),
        (Op::LinkUpdate, "updated"),
        (Op::LinkTrash, "trashed"),
        (Op::LinkRestore, "restored"),
        (Op::LinkDelete, "deleted"),
        (Op::LinkSwap, "turned around"),
        (Op::LinkShow, "came into view"),
        (Op::LinkHide, "left the view"),
    ]),
    vec![nothing(), shape_of::<TrashedLink>(to), shape_of::<LinkPart>(to)],
    vec![
        shape_of::<FullLink>(to),
        shape_of::<RestoredLink>(to),
        shape_of::<Gone>(to),
        shape_of::<LinkPart>(to),
    ],
));

shaped!(UserEntry<'_>, "UserEntry", |_| {
    let side = any_of([
        object("A name.", [("email", string()), ("username", string())]),
        object("An embedded publication.", [("email", string()), ("publicEmbed", nullable(uuid()))]),
    ]);
    entry(
        "A change of an account: its username, or a publication that is embedded or no longer.",
        codes(&[(Op::UserUpdate, "updated")]),
        vec![side.clone()],
        vec![side],
    )
});

shaped!(AccessEntry<'_>, "AccessEntry", |to| entry(
    "A change of a grant.",
    codes(&[(Op::GrantUpsert, "granted"), (Op::GrantUpdate, "updated"), (Op::GrantDelete, "ended"),]),
    vec![nothing(), shape_of::<GrantSide<'_>>(to)],
    vec![shape_of::<GrantSide<'_>>(to), shape_of::<GrantGone<'_>>(to), nothing()],
));

shaped!(GrantSide<'_>, "Grant", |_| object(
    "A grant: a user's access to a node or branch.",
    [
        ("nodeId", uuid()),
        ("email", string()),
        ("level", shape::granted_level()),
        ("branch", about(boolean(), "Whether it is of the whole branch.")),
        ("due", about(nullable(time()), "When it ends; null if it does not.")),
        ("version", whole()),
        ("showing?", about(boolean(), "Whether the grantee has it in their graph, when that changes.")),
    ],
));

shaped!(GrantGone<'_>, "GrantEnded", |_| object(
    "What is left of a grant that ended.",
    [("nodeId", uuid()), ("email", string()), ("deleted", only(true))],
));

/// An answer with a diff, and with what else it has.
fn changed(to: &mut SchemaGenerator, first: Vec<(&str, Schema)>) -> Schema {
    let diff = [
        ("diff", shape_of::<WholeDiff<'_>>(to)),
        ("rev", about(whole(), "Where the change stands in the order of all batches.")),
        ("replayed?", about(only(true), "The batchId was known: nothing was done again.")),
    ];
    shape::success("The change was made.", first.into_iter().chain(diff))
}

/// The answer to a mutation.
pub(crate) struct ChangedAnswer;
shaped!(ChangedAnswer, "Changed", |to| changed(to, Vec::new()));

/// The ids of copies.
fn ids() -> Schema {
    let ids = schemars::json_schema!({
        "type": "object",
        "propertyNames": { "format": "uuid" },
        "additionalProperties": { "type": "string", "format": "uuid" },
    });
    about(ids, "From the ids of what was copied to those of the copies.")
}

/// The answer to a copy. A replay shows no ids of copies that the caller no longer sees.
pub(crate) struct CopiedAnswer;
shaped!(CopiedAnswer, "Copied", |to| changed(to, vec![("ids?", ids())]));

/// The answer to several operations, of which some may copy.
pub(crate) struct AppliedAnswer;
shaped!(AppliedAnswer, "Applied", |to| changed(to, vec![("ids?", ids())]));

/// The answer to an undo or a redo. The undo of an undo redoes what that undid, and says so.
pub(crate) struct UndoneAnswer;
shaped!(UndoneAnswer, "Undone", |to| changed(
    to,
    vec![
        ("batchId", about(uuid(), "Its own batch.")),
        ("undoOf?", about(uuid(), "What was undone.")),
        ("redoOf?", about(uuid(), "What was redone.")),
    ],
));
