//! A diff on the wire: one shape in acks, REST answers and events. Every change is an object `{op, before, after}`.

use super::entity::{
    Each, Exact, Form, FullLink, FullNode, PhantomNode, RestoredLink, RestoredNode, Seconds, TrashedLink,
    TrashedNode, WholeLink, WholeNode, Written, link_fields, publication, settable, share_roots, shown_token,
};
use super::shape::{
    self, about, any_of, boolean, list, nullable, object, only, shape_of, shaped, string, time, uuid, whole,
};
use crate::engine::DiffPart;
use graph::batch::Op;
use graph::diff::{AccessChange, LinkChange, NodeChange, UserChange};
use graph::field_rules::NodeField;
use graph::model::{Grant, Level, Link, Node, Status, User};
use graph::view::Sight;
use graph::{NODE_FIELDS, NodeId, each_node_field};
use schemars::{Schema, SchemaGenerator};
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use uuid::Uuid;

/// A whole diff.
pub(super) struct WholeDiff<'a>(pub &'a DiffPart);

impl Serialize for WholeDiff<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let diff = self.0;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("batchId", &diff.batch)?;
        map.serialize_entry("rev", &diff.rev)?;
        map.serialize_entry("actor", &diff.actor.as_deref().map(Actor::of))?;
        map.serialize_entry("ts", &Seconds(diff.at))?;
        if let Some((part, parts)) = diff.part {
            map.serialize_entry("part", &part)?;
            map.serialize_entry("parts", &parts)?;
        }
        map.serialize_entry("nodes", &Each(diff.nodes(), NodeEntry))?;
        map.serialize_entry("links", &Each(diff.links(), LinkEntry))?;
        map.serialize_entry("user", &Each(diff.user(), UserEntry))?;
        map.serialize_entry("access", &Each(diff.access(), AccessEntry))?;
        map.end()
    }
}

/// The actor of a diff.
#[derive(Serialize)]
pub(super) struct Actor<'a> {
    username: &'a str,
    email: &'a str,
}

impl<'a> Actor<'a> {
    pub(super) fn of(user: &'a User) -> Self {
        Actor { username: &user.username, email: &user.email }
    }
}

#[derive(Serialize)]
struct WireChange<B, A> {
    op: Op,
    before: B,
    after: A,
}

/// Writes one change.
fn change<S: Serializer>(
    serializer: S,
    op: Op,
    before: impl Serialize,
    after: impl Serialize,
) -> Result<S::Ok, S::Error> {
    WireChange { op, before, after }.serialize(serializer)
}

/// The `before` of an add: an empty object.
#[derive(Serialize)]
pub(super) struct Nothing {}

#[derive(Serialize)]
struct OnlyId {
    id: Uuid,
}

#[derive(Serialize)]
struct Hidden {
    id: Uuid,
    hidden: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Deleted<'a> {
    id: Uuid,
    deleted: bool,
    share_roots: &'a [NodeId],
}

/// The `before` of a restore: the entity was in the trash, one version earlier.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Trashed {
    id: Uuid,
    in_trash: bool,
    version: u64,
}

impl Trashed {
    fn before(id: Uuid, version: u64) -> Self {
        Trashed { id, in_trash: true, version: version.saturating_sub(1) }
    }
}

/// The changed fields of a phantom.
#[derive(Serialize)]
struct Phantom {
    id: NodeId,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<Status>,
    #[serde(skip_serializing_if = "Option::is_none")]
    phantom: Option<bool>,
}

struct NodeEntry<'a>(&'a NodeChange);

impl Serialize for NodeEntry<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            NodeChange::Whole { op, seen } => {
                let (id, after) = (seen.node.id, WholeNode { seen, form: Form::Graph });
                match op {
                    Op::NodeRestore => {
                        let after = WholeNode { seen, form: Form::Restored };
                        change(to, *op, Trashed::before(id.0, seen.node.version), after)
                    }
                    // A phantom that becomes a full node is written whole.
                    Op::NodeAccess => {
                        change(to, *op, Phantom { id, status: None, phantom: Some(true) }, after)
                    }
                    _ => change(to, *op, Nothing {}, after),
                }
            }
            NodeChange::Edited { op, before, after, level, roots } => {
                let side = |this, other, roots| NodeSide { this, other, level: *level, roots };
                change(to, *op, side(before, after, None), side(after, before, Some(roots)))
            }
            NodeChange::PhantomStatus { id, before, after } => {
                let side = |status: &Status| Phantom { id: *id, status: Some(*status), phantom: None };
                change(to, Op::NodeStatus, side(before), side(after))
            }
            NodeChange::Access { node, before, after, roots } => {
                let side = |level: &Level, other: &Level, roots| AccessSide {
                    node,
                    level: *level,
                    other: *other,
                    roots,
                };
                change(to, Op::NodeAccess, side(before, after, None), side(after, before, Some(roots)))
            }
            NodeChange::Faded { id, status } => {
                let after = Phantom { id: *id, status: Some(*status), phantom: Some(true) };
                change(to, Op::NodeAccess, OnlyId { id: id.0 }, after)
            }
            NodeChange::Hidden { id } => {
                change(to, Op::NodeHide, OnlyId { id: id.0 }, Hidden { id: id.0, hidden: true })
            }
            NodeChange::Deleted { before } => {
                let share_roots: &[NodeId] = match &before.sight {
                    Sight::Full { roots, .. } => roots,
                    Sight::Phantom => &[],
                };
                let after = Deleted { id: before.node.id.0, deleted: true, share_roots };
                change(to, Op::NodeDelete, WholeNode { seen: before, form: Form::Trash }, after)
            }
        }
    }
}

fn write_changed<M: SerializeMap, R: Written>(
    map: &mut M,
    field: &NodeField<R>,
    value: &R::Value,
) -> Result<(), M::Error> {
    map.serialize_entry(field.wire, &R::written(value))
}

/// One side of a node's change: its id, the fields that differ from the other side, its version.
pub(super) struct NodeSide<'a> {
    pub this: &'a Node,
    pub other: &'a Node,
    /// The receiver's access: the public token is not shown to everyone.
    pub level: Level,
    /// Only for `after`.
    pub roots: Option<&'a [NodeId]>,
}

impl Serialize for NodeSide<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (this, other) = (self.this, self.other);
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("id", &this.id)?;
        macro_rules! write {
            ($($field:ident)*) => {$(
                if this.$field != other.$field {
                    write_changed(&mut map, &NODE_FIELDS.$field, &this.$field)?;
                }
            )*};
        }
        each_node_field!(write);
        self.publication(&mut map)?;
        if this.in_trash != other.in_trash {
            map.serialize_entry("inTrash", &this.in_trash)?;
            // The last batch of an active node is not shown elsewhere either.
            if this.in_trash || self.roots.is_some() {
                map.serialize_entry("lastBatchID", &this.last_batch)?;
            }
        }
        map.serialize_entry("version", &this.version)?;
        if let Some(roots) = self.roots {
            map.serialize_entry("shareRoots", roots)?;
            map.serialize_entry("lastEditedTime", &Seconds(this.edited))?;
        }
        map.end()
    }
}

impl NodeSide<'_> {
    fn publication<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
        let (this, other) = (self.this.publication.as_deref(), self.other.publication.as_deref());
        let token = shown_token(self.this, self.level);
        if token != shown_token(self.other, self.level) {
            map.serialize_entry("publicToken", &token)?;
        }
        let branch = this.map(|it| it.branch);
        if branch != other.map(|it| it.branch) {
            map.serialize_entry("publicBranch", &branch)?;
        }
        let due = this.and_then(|it| it.due);
        if due != other.and_then(|it| it.due) {
            map.serialize_entry("publicDue", &due.map(Exact))?;
        }
        Ok(())
    }
}

/// One side of a change of the receiver's access to a node. It has no version: the node itself has not changed.
struct AccessSide<'a> {
    node: &'a Node,
    level: Level,
    other: Level,
    /// Only for `after`.
    roots: Option<&'a [NodeId]>,
}

impl Serialize for AccessSide<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("id", &self.node.id)?;
        map.serialize_entry("access", &self.level)?;
        let token = shown_token(self.node, self.level);
        if token != shown_token(self.node, self.other) {
            map.serialize_entry("publicToken", &token)?;
        }
        if let Some(roots) = self.roots {
            map.serialize_entry("shareRoots", roots)?;
        }
        map.end()
    }
}

struct LinkEntry<'a>(&'a LinkChange);

impl Serialize for LinkEntry<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            LinkChange::Whole { op, seen } => {
                let after = WholeLink::of(seen, Form::Graph);
                match op {
                    Op::LinkRestore => {
                        let after = WholeLink::of(seen, Form::Restored);
                        change(to, *op, Trashed::before(seen.link.id.0, seen.link.version), after)
                    }
                    _ => change(to, *op, Nothing {}, after),
                }
            }
            LinkChange::Edited { op, before, after, roots } => {
                let side = |this, other, roots| LinkSide { this, other, roots };
                change(to, *op, side(before, after, None), side(after, before, Some(roots)))
            }
            LinkChange::Hidden { id } => {
                change(to, Op::LinkHide, OnlyId { id: id.0 }, Hidden { id: id.0, hidden: true })
            }
            LinkChange::Deleted { before } => {
                let after = Deleted { id: before.id.0, deleted: true, share_roots: &[] };
                let before = WholeLink { link: before, roots: &[], form: Form::Trash };
                change(to, Op::LinkDelete, before, after)
            }
        }
    }
}

/// One side of a link's change.
pub(super) struct LinkSide<'a> {
    pub this: &'a Link,
    pub other: &'a Link,
    /// Only for `after`.
    pub roots: Option<&'a [NodeId]>,
}

impl Serialize for LinkSide<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (this, other) = (self.this, self.other);
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("id", &this.id)?;
        macro_rules! changed {
            ($($name:literal $field:ident;)*) => {$(
                if this.$field != other.$field {
                    map.serialize_entry($name, &this.$field)?;
                }
            )*};
        }
        changed! { "source" source; "target" target; "type" kind; "private" private; "wasBlocker" was_blocker; }
        if this.in_trash != other.in_trash {
            map.serialize_entry("inTrash", &this.in_trash)?;
            if this.in_trash || self.roots.is_some() {
                map.serialize_entry("lastBatchID", &this.last_batch)?;
            }
        }
        map.serialize_entry("version", &this.version)?;
        if let Some(roots) = self.roots {
            map.serialize_entry("shareRoots", roots)?;
            map.serialize_entry("lastEditedTime", &Seconds(this.edited))?;
        }
        map.end()
    }
}

struct UserEntry<'a>(&'a UserChange);

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct EmbedSide<'a> {
    email: &'a str,
    public_embed: Option<NodeId>,
}

#[derive(Serialize)]
struct NameSide<'a> {
    email: &'a str,
    username: &'a str,
}

impl<'a> NameSide<'a> {
    fn of(user: &'a User) -> Self {
        NameSide { email: &user.email, username: &user.username }
    }
}

impl Serialize for UserEntry<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            UserChange::Renamed { before, after } => {
                change(to, Op::UserUpdate, NameSide::of(before), NameSide::of(after))
            }
            UserChange::Embed { user, node, present } => {
                let side =
                    |there: bool| EmbedSide { email: &user.email, public_embed: there.then_some(*node) };
                change(to, Op::UserUpdate, side(!present), side(*present))
            }
        }
    }
}

struct AccessEntry<'a>(&'a AccessChange);

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct GrantSide<'a> {
    node_id: NodeId,
    email: &'a str,
    level: Level,
    branch: bool,
    due: Option<Exact>,
    version: u64,
    /// Present when it changes: the grantee has hidden the grant or shows it again.
    #[serde(skip_serializing_if = "Option::is_none")]
    showing: Option<bool>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct GrantGone<'a> {
    node_id: NodeId,
    email: &'a str,
    deleted: bool,
}

impl Serialize for AccessEntry<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let AccessChange { op, grantee, before, after } = self.0;
        let side = |this: &Grant, other: Option<&Grant>| GrantSide {
            node_id: this.node,
            email: &grantee.email,
            level: this.level,
            branch: this.branch,
            due: this.due.map(Exact),
            version: this.version,
            showing: other.filter(|other| other.showing != this.showing).map(|_| this.showing),
        };
        match (before.as_deref(), after.as_deref()) {
            (Some(before), Some(after)) => {
                change(to, *op, side(before, Some(after)), side(after, Some(before)))
            }
            (None, Some(after)) => change(to, *op, Nothing {}, side(after, None)),
            (Some(before), None) => {
                let gone = GrantGone { node_id: before.node, email: &grantee.email, deleted: true };
                change(to, *op, side(before, None), gone)
            }
            (None, None) => change(to, *op, Nothing {}, Nothing {}),
        }
    }
}

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

pub(super) fn nothing_there() -> Schema {
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
pub(super) struct NodePart;
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
pub(super) struct LinkPart;
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
