//! Nodes and links on the wire.

use super::shape::{
    self, about, boolean, list, nullable, object, only, shaped, string, time, uuid, whole, with,
};
use graph::field_rules::{Finite, Flag, Integer, Moment, Names, NodeField, Rule, SettableStatus, Tags, Text};
use graph::model::{Level, Link, Node, Status};
use graph::view::{SeenLink, SeenNode, Sight};
use graph::{BatchId, NODE_FIELDS, NodeId, Timestamp, each_node_field};
use schemars::{Schema, json_schema};
use serde::ser::{SerializeMap, SerializeSeq};
use serde::{Serialize, Serializer};
use serde_json::json;

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

/// Where an entity is written whole.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// In pages and diffs of the graph.
    Graph,
    /// The same in `graph:init`: tags as one string, and assignees also under `asignee`.
    Init,
    /// Pages of the trash, and entities deleted from it.
    Trash,
    /// In the entry by which the entity returns from the trash.
    Restored,
    /// For callers without an account, who see no email addresses.
    Public,
}

impl Form {
    /// Whether the entity is in the trash, and by what batch, where that is said.
    fn write_trash<M: SerializeMap>(self, map: &mut M, last_batch: BatchId) -> Result<(), M::Error> {
        let in_trash = match self {
            Form::Graph | Form::Init | Form::Public => return Ok(()),
            Form::Trash => true,
            Form::Restored => false,
        };
        map.serialize_entry("inTrash", &in_trash)?;
        map.serialize_entry("lastBatchID", &last_batch)
    }
}

/// A whole node.
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
        macro_rules! write {
            ($($field:ident)*) => {$(
                if NODE_FIELDS.$field.wire == NODE_FIELDS.tags.wire {
                    map.serialize_entry("type", &0)?;
                }
                write_field(map, &NODE_FIELDS.$field, &node.$field, self.form)?;
            )*};
        }
        each_node_field!(write);
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
        self.form.write_trash(map, node.last_batch)?;
        Ok(())
    }
}

/// How the values of a field are written.
pub(crate) trait Written: Rule {
    /// The value as JSON. Some forms write it differently.
    fn written(value: &Self::Value) -> impl Serialize;

    /// Writes the entries of the field in a whole node.
    fn write<M: SerializeMap>(
        map: &mut M,
        field: &NodeField<Self>,
        value: &Self::Value,
        _form: Form,
    ) -> Result<(), M::Error> {
        map.serialize_entry(field.wire, &Self::written(value))
    }

    /// The shape of the value.
    fn shape(&self) -> Schema;
}

/// Writes the entries of a field in a whole node.
fn write_field<M: SerializeMap, R: Written>(
    map: &mut M,
    field: &NodeField<R>,
    value: &R::Value,
    form: Form,
) -> Result<(), M::Error> {
    R::write(map, field, value, form)
}

impl Written for Text {
    fn written(text: &String) -> impl Serialize {
        text
    }

    fn shape(&self) -> Schema {
        with(string(), "maxLength", self.chars_max)
    }
}

impl Written for SettableStatus {
    fn written(status: &Status) -> impl Serialize {
        status
    }

    fn shape(&self) -> Schema {
        shape::status()
    }
}

impl Written for Moment {
    fn written(at: &Option<Timestamp>) -> impl Serialize {
        at.map(Seconds)
    }

    fn shape(&self) -> Schema {
        nullable(time())
    }
}

impl Written for Tags {
    fn written(tags: &Vec<String>) -> impl Serialize {
        tags
    }

    fn write<M: SerializeMap>(
        map: &mut M,
        field: &NodeField<Self>,
        tags: &Vec<String>,
        form: Form,
    ) -> Result<(), M::Error> {
        match form {
            Form::Init => map.serialize_entry(field.wire, &comma_separated(tags)),
            _ => map.serialize_entry(field.wire, tags),
        }
    }

    fn shape(&self) -> Schema {
        let tag = json_schema!({ "type": "string", "minLength": 1, "maxLength": self.chars_max });
        with(list(tag), "maxItems", self.tags_max)
    }
}

impl Written for Names {
    fn written(names: &Vec<String>) -> impl Serialize {
        names
    }

    fn write<M: SerializeMap>(
        map: &mut M,
        field: &NodeField<Self>,
        names: &Vec<String>,
        form: Form,
    ) -> Result<(), M::Error> {
        if form == Form::Public {
            let names: Vec<&str> = names.iter().map(|name| without_email(name)).collect();
            return map.serialize_entry(field.wire, &names);
        }
        map.serialize_entry(field.wire, names)?;
        if form == Form::Init && field.wire == NODE_FIELDS.assignee.wire {
            map.serialize_entry("asignee", names)?;
        }
        Ok(())
    }

    fn shape(&self) -> Schema {
        let name = json_schema!({ "type": "string", "maxLength": self.chars_max });
        with(list(name), "maxItems", self.names_max)
    }
}

impl<T: Copy + Serialize> Written for Integer<T>
where
    Integer<T>: Rule<Value = T>,
{
    fn written(number: &T) -> impl Serialize {
        number
    }

    fn shape(&self) -> Schema {
        json_schema!({ "type": "integer", "minimum": json!(self.least), "maximum": json!(self.most) })
    }
}

impl Written for Finite {
    fn written(number: &f64) -> impl Serialize {
        number
    }

    fn shape(&self) -> Schema {
        json_schema!({ "type": "number" })
    }
}

impl Written for Flag {
    fn written(flag: &bool) -> impl Serialize {
        flag
    }

    fn shape(&self) -> Schema {
        boolean()
    }
}

/// The public token, shown only to users who may publish.
pub(super) fn shown_token(node: &Node, level: Level) -> Option<&str> {
    let publication = node.publication.as_deref().filter(|_| level <= Level::Admin);
    publication.map(|publication| publication.token.as_str())
}

/// A name as callers without an account may read it: of an email only what is before the `@`.
fn without_email(name: &str) -> &str {
    // A name that begins with an `@` is a handle; an email may follow in it.
    let at = name.char_indices().find(|(at, char)| *at > 0 && *char == '@');
    at.and_then(|(at, _)| name.get(..at)).unwrap_or(name)
}

/// The tags as one string; inside a tag a backslash is written `\\` and a comma `\,`.
fn comma_separated(tags: &[String]) -> String {
    let tags: Vec<String> = tags.iter().map(|tag| tag.replace('\\', "\\\\").replace(',', "\\,")).collect();
    tags.join(",")
}

/// A whole link.
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
        self.form.write_trash(&mut map, link.last_batch)?;
        map.end()
    }
}

/// A list that writes each item through a wrapper.
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

/// The fields of a node that users set, with their shapes.
pub(super) fn settable(form: Form) -> Vec<(&'static str, Schema)> {
    let mut fields = Vec::new();
    macro_rules! shapes {
        ($($field:ident)*) => {$(
            let field = &NODE_FIELDS.$field;
            fields.push((field.wire, about(field.rule.shape(), field.about)));
        )*};
    }
    each_node_field!(shapes);
    if form == Form::Init {
        let comma_separated = about(string(), "The tags, with commas between them.");
        fields.iter_mut().filter(|(name, _)| *name == NODE_FIELDS.tags.wire).for_each(|field| {
            field.1 = comma_separated.clone();
        });
        fields.push(("asignee", about(list(string()), "The same as assignee.")));
    }
    fields
}

/// The public token of a node, its due and whether it shows the branch.
pub(super) fn publication() -> [(&'static str, Schema); 3] {
    [
        ("publicToken", about(nullable(string()), "The public token, for those who may publish the node.")),
        ("publicDue", about(nullable(time()), "When the publication ends; null if it does not.")),
        (
            "publicBranch",
            about(nullable(boolean()), "Whether the whole branch is public; null if nothing is."),
        ),
    ]
}

pub(super) fn share_roots() -> Schema {
    about(list(uuid()), "The nodes by which the reader sees it: their own, granted or embedded ones.")
}

fn trash_fields(form: Form) -> Vec<(&'static str, Schema)> {
    let in_trash = match form {
        Form::Graph | Form::Init | Form::Public => return Vec::new(),
        Form::Trash => true,
        Form::Restored => false,
    };
    vec![
        ("inTrash", only(in_trash)),
        ("lastBatchID", about(uuid(), "The batch that trashed or restored it.")),
    ]
}

fn node(form: Form) -> Schema {
    let mut fields = vec![("id", uuid())];
    fields.extend(settable(form));
    fields.extend([
        ("type", about(only(0), "Always 0.")),
        ("version", about(whole(), "Counts the node's changes.")),
        ("createdTime", time()),
        ("lastEditedTime", time()),
        ("ownerUsername", nullable(string())),
    ]);
    if form != Form::Public {
        fields.push(("ownerEmail", nullable(string())));
    }
    fields.extend(publication());
    fields.extend([("access", about(shape::level(), "The reader's access.")), ("shareRoots", share_roots())]);
    fields.extend(trash_fields(form));
    object("A node.", fields)
}

fn link(form: Form) -> Schema {
    let mut fields = vec![("id", uuid())];
    fields.extend(link_fields());
    fields.extend([
        ("version", about(whole(), "Counts the link's changes.")),
        ("createdTime", time()),
        ("lastEditedTime", time()),
        ("shareRoots", share_roots()),
    ]);
    fields.extend(trash_fields(form));
    object("A link: its target waits for its source.", fields)
}

/// What can change of a link.
pub(super) fn link_fields() -> [(&'static str, Schema); 5] {
    [
        ("source", uuid()),
        ("target", uuid()),
        ("type", shape::link_type()),
        ("private", boolean()),
        ("wasBlocker", about(boolean(), "Whether the source held the target when the link was trashed.")),
    ]
}

/// A full node, as in pages of the graph.
pub(crate) struct FullNode;
shaped!(FullNode, "Node", |_| node(Form::Graph));
/// For callers without an account.
pub(crate) struct PublicNode;
shaped!(PublicNode, "PublicNode", |_| node(Form::Public));
/// In the event `graph:init`.
pub(crate) struct InitNode;
shaped!(InitNode, "InitNode", |_| node(Form::Init));
/// In the trash.
pub(crate) struct TrashedNode;
shaped!(TrashedNode, "TrashedNode", |_| node(Form::Trash));
/// In the entry by which it returns from the trash.
pub(crate) struct RestoredNode;
shaped!(RestoredNode, "RestoredNode", |_| node(Form::Restored));
/// A node that a full one depends on, and of which the reader sees no more than this.
pub(crate) struct PhantomNode;
shaped!(PhantomNode, "Phantom", |_| object(
    "A node of which the reader sees no more: a node that they see depends on it.",
    [("id", uuid()), ("status", shape::status()), ("phantom", only(true))],
));
pub(crate) struct FullLink;
shaped!(FullLink, "Link", |_| link(Form::Graph));
pub(crate) struct TrashedLink;
shaped!(TrashedLink, "TrashedLink", |_| link(Form::Trash));
pub(crate) struct RestoredLink;
shaped!(RestoredLink, "RestoredLink", |_| link(Form::Restored));
