//! A diff on the wire: one shape in acks, REST answers and events. Every change is an object `{op, before, after}`.

mod schema;

use super::entity::{Each, Exact, Form, Seconds, WholeLink, WholeNode, Written, shown_token};
use crate::engine::DiffPart;
use graph::batch::Op;
use graph::diff::{AccessChange, LinkChange, NodeChange, UserChange};
use graph::field_rules::NodeField;
use graph::model::{Grant, Level, Link, Node, Status, User};
use graph::view::Sight;
use graph::{NODE_FIELDS, NodeId, each_node_field};
pub(crate) use schema::{AppliedAnswer, ChangedAnswer, CopiedAnswer, UndoneAnswer};
pub(super) use schema::{LinkPart, NodePart, nothing_there};
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
