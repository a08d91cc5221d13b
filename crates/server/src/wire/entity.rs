//! Nodes and links as they are written.

use graph::model::{Level, Link, Node};
use graph::view::{SeenLink, SeenNode, Sight};
use graph::{NodeId, Timestamp};
use serde::ser::{SerializeMap, SerializeSeq};
use serde::{Serialize, Serializer};

/// A time in whole seconds.
pub(super) struct Seconds(pub Timestamp);

impl Serialize for Seconds {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0.whole_seconds().rfc3339())
    }
}

/// A due time, which keeps its milliseconds.
pub(super) struct Exact(pub Timestamp);

impl Serialize for Exact {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0.rfc3339())
    }
}

/// The occasion on which an entity is written whole.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// In pages and diffs of the graph.
    Graph,
    /// The same, as `graph:init` has it: the tags as one string, the assignees also under `asignee`.
    Init,
    /// In pages of the trash, and of what was deleted from it.
    Trash,
    /// For callers without an account, who are shown no email address.
    Public,
}

/// A node, whole.
pub(super) struct WholeNode<'a> {
    pub seen: &'a SeenNode,
    pub form: Form,
}

impl Serialize for WholeNode<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let node = &*self.seen.node;
        let mut map = serializer.serialize_map(None)?;
        match &self.seen.sight {
            Sight::Phantom => {
                map.serialize_entry("id", &node.id)?;
                map.serialize_entry("status", &node.status)?;
                map.serialize_entry("phantom", &true)?;
            }
            Sight::Full { level, roots } => self.fields(&mut map, *level, roots)?,
        }
        map.end()
    }
}

impl WholeNode<'_> {
    fn fields<M: SerializeMap>(&self, map: &mut M, level: Level, roots: &[NodeId]) -> Result<(), M::Error> {
        let node = &*self.seen.node;
        map.serialize_entry("id", &node.id)?;
        map.serialize_entry("title", &node.title)?;
        map.serialize_entry("description", &node.description)?;
        map.serialize_entry("status", &node.status)?;
        map.serialize_entry("dueDate", &node.due_date.map(Seconds))?;
        map.serialize_entry("type", &0)?;
        if self.form == Form::Init {
            map.serialize_entry("tags", &comma_separated(&node.tags))?;
        } else {
            map.serialize_entry("tags", &node.tags)?;
        }
        map.serialize_entry("priority", &node.priority)?;
        map.serialize_entry("volume", &node.volume)?;
        map.serialize_entry("independent", &node.independent)?;
        map.serialize_entry("assignee", &node.assignee)?;
        if self.form == Form::Init {
            map.serialize_entry("asignee", &node.assignee)?;
        }
        map.serialize_entry("x", &node.x)?;
        map.serialize_entry("y", &node.y)?;
        map.serialize_entry("z", &node.z)?;
        map.serialize_entry("pinned", &node.pinned)?;
        map.serialize_entry("collapsed", &node.collapsed)?;
        map.serialize_entry("version", &node.version)?;
        map.serialize_entry("createdTime", &Seconds(node.created))?;
        map.serialize_entry("lastEditedTime", &Seconds(node.edited))?;
        let owner = self.seen.owner.as_deref();
        map.serialize_entry("ownerUsername", &owner.map(|owner| &owner.username))?;
        if self.form != Form::Public {
            map.serialize_entry("ownerEmail", &owner.map(|owner| &owner.email))?;
        }
        let publication = node.publication.as_deref();
        map.serialize_entry("publicToken", &shown_token(node, level))?;
        map.serialize_entry("publicDue", &publication.and_then(|it| it.due).map(Exact))?;
        map.serialize_entry("publicBranch", &publication.map(|it| it.branch))?;
        map.serialize_entry("access", &level)?;
        map.serialize_entry("shareRoots", roots)?;
        if self.form == Form::Trash {
            map.serialize_entry("inTrash", &true)?;
            map.serialize_entry("lastBatchID", &node.last_batch)?;
        }
        Ok(())
    }
}

/// The public token, to those alone who may publish.
pub(super) fn shown_token(node: &Node, level: Level) -> Option<&str> {
    let publication = node.publication.as_deref().filter(|_| level <= Level::Admin);
    publication.map(|publication| publication.token.as_str())
}

/// The tags as one string; a comma inside a tag is written `\,`.
fn comma_separated(tags: &[String]) -> String {
    let tags: Vec<String> = tags.iter().map(|tag| tag.replace(',', "\\,")).collect();
    tags.join(",")
}

/// A link, whole.
pub(super) struct WholeLink<'a> {
    pub link: &'a Link,
    pub roots: &'a [NodeId],
    pub form: Form,
}

impl<'a> WholeLink<'a> {
    pub(super) fn of(seen: &'a SeenLink, form: Form) -> Self {
        WholeLink { link: &seen.link, roots: &seen.roots, form }
    }
}

impl Serialize for WholeLink<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let link = self.link;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("id", &link.id)?;
        map.serialize_entry("source", &link.source)?;
        map.serialize_entry("target", &link.target)?;
        map.serialize_entry("type", &link.kind)?;
        map.serialize_entry("private", &link.private)?;
        map.serialize_entry("wasBlocker", &link.was_blocker)?;
        map.serialize_entry("version", &link.version)?;
        map.serialize_entry("createdTime", &Seconds(link.created))?;
        map.serialize_entry("lastEditedTime", &Seconds(link.edited))?;
        map.serialize_entry("shareRoots", self.roots)?;
        if self.form == Form::Trash {
            map.serialize_entry("inTrash", &true)?;
            map.serialize_entry("lastBatchID", &link.last_batch)?;
        }
        map.end()
    }
}

/// A list whose items are written by a wrapper each.
pub(super) struct Each<'a, T, F>(pub &'a [T], pub F);

impl<'a, T, W: Serialize, F: Fn(&'a T) -> W> Serialize for Each<'a, T, F> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(Some(self.0.len()))?;
        for item in self.0 {
            list.serialize_element(&(self.1)(item))?;
        }
        list.end()
    }
}
