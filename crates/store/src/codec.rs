//! How batches and entities are stored: as JSON, so that any tool can read a log.
//!
//! An entry stores the whole entity after the change, and of the entity before it only the fields that differ. A
//! change is thus stored about once rather than twice, and an entry can be read without any other data:
//!
//! | | `after` | `was` |
//! |---|---|---|
//! | added | whole | – |
//! | changed | whole | the fields that differ, as they were |
//! | deleted | – | whole |

#[cfg(test)]
pub(crate) mod arbitrary;
#[cfg(test)]
mod tests;

use graph::batch::{Change, Lineage};
use graph::model::Node;
use graph::node_fields;
use graph::{Batch, Entry, LinkId, NodeId, Op, Subject, TokenId, UserId};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Map, Value};
use std::sync::Arc;
use thiserror::Error;

/// Why a batch cannot be encoded, or stored data cannot be decoded.
#[derive(Debug, Error)]
pub(crate) enum CodecError {
    #[error(transparent)]
    Json(#[from] serde_json::Error),
    #[error("node {0} has a number that is not finite")]
    NotFinite(NodeId),
    #[error("an entity is not a JSON object")]
    NotAnObject,
}

/// An encoded batch.
#[derive(Debug)]
pub(crate) struct Encoded {
    /// The parts of the batch that have no columns of their own.
    pub(crate) body: String,
    /// The rows of the entities that its entries change, in the order of the entries.
    pub(crate) rows: Vec<EntityRow>,
}

/// An entity after an entry.
#[derive(Debug)]
pub(crate) struct EntityRow {
    pub(crate) key: EntityKey,
    /// The entity as JSON; `None` when it was deleted.
    pub(crate) after: Option<Box<RawValue>>,
}

/// The key of an entity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum EntityKey {
    Node(NodeId),
    Link(LinkId),
    Grant(NodeId, UserId),
    Embed(UserId, NodeId),
    User(UserId),
    Token(TokenId),
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Node,
    Link,
    Grant,
    Embed,
    User,
    Token,
}

#[derive(Serialize)]
struct BodyOut<'a> {
    lineage: Lineage,
    entries: Vec<EntryOut<'a>>,
}

#[derive(Serialize)]
struct EntryOut<'a> {
    op: Op,
    derived: bool,
    kind: Kind,
    #[serde(skip_serializing_if = "Option::is_none")]
    after: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    was: Option<&'a Value>,
}

#[derive(Deserialize)]
struct BodyIn<'a> {
    lineage: Lineage,
    #[serde(borrow)]
    entries: Vec<EntryIn<'a>>,
}

#[derive(Deserialize)]
struct EntryIn<'a> {
    op: Op,
    derived: bool,
    kind: Kind,
    #[serde(borrow, default)]
    after: Option<&'a RawValue>,
    #[serde(borrow, default)]
    was: Option<&'a RawValue>,
}

/// Encodes a batch. Each entity is encoded once: the same text goes into the batch's body and into the entity's own
/// row.
pub(crate) fn encode(batch: &Batch) -> Result<Encoded, CodecError> {
    let written = batch.entries.iter().map(write_entry).collect::<Result<Vec<_>, _>>()?;
    let entries = batch
        .entries
        .iter()
        .zip(&written)
        .map(|(entry, written)| EntryOut {
            op: entry.op,
            derived: entry.derived,
            kind: written.kind,
            after: written.after.as_deref(),
            was: written.was.as_ref(),
        })
        .collect();
    let body = serde_json::to_string(&BodyOut { lineage: batch.lineage, entries })?;
    let rows = batch
        .entries
        .iter()
        .zip(written)
        .filter_map(|(entry, written)| Some(EntityRow { key: key(entry)?, after: written.after }))
        .collect();
    Ok(Encoded { body, rows })
}

/// Decodes a body that [`encode`] wrote.
pub(crate) fn decode(body: &str) -> Result<(Lineage, Vec<Entry>), CodecError> {
    let body: BodyIn<'_> = serde_json::from_str(body)?;
    let entries = body.entries.iter().map(read_entry).collect::<Result<_, _>>()?;
    Ok((body.lineage, entries))
}

/// The text of each entry's entity after the entry, which is also the text of the entity's own row; `None` for a
/// deleted entity.
pub(crate) fn afters(body: &str) -> Result<Vec<Option<&str>>, CodecError> {
    let body: BodyIn<'_> = serde_json::from_str(body)?;
    Ok(body.entries.iter().map(|entry| entry.after.map(RawValue::get)).collect())
}

/// The key of an entry's entity; `None` for an entry that names no entity.
pub(crate) fn key(entry: &Entry) -> Option<EntityKey> {
    match &entry.subject {
        Subject::Node(change) => change.latest().map(|node| EntityKey::Node(node.id)),
        Subject::Link(change) => change.latest().map(|link| EntityKey::Link(link.id)),
        Subject::Grant(change) => change.latest().map(|grant| EntityKey::Grant(grant.node, grant.user)),
        Subject::Embed(change) => change.latest().map(|embed| EntityKey::Embed(embed.user, embed.node)),
        Subject::User(change) => change.latest().map(|user| EntityKey::User(user.id)),
        Subject::Token(change) => change.latest().map(|token| EntityKey::Token(token.id)),
    }
}

struct Written {
    kind: Kind,
    after: Option<Box<RawValue>>,
    was: Option<Value>,
}

fn write_entry(entry: &Entry) -> Result<Written, CodecError> {
    match &entry.subject {
        Subject::Node(change) => {
            change.after.iter().chain(&change.before).try_for_each(storable)?;
            write(Kind::Node, change)
        }
        Subject::Link(change) => write(Kind::Link, change),
        Subject::Grant(change) => write(Kind::Grant, change),
        Subject::Embed(change) => write(Kind::Embed, change),
        Subject::User(change) => write(Kind::User, change),
        Subject::Token(change) => write(Kind::Token, change),
    }
}

/// JSON has no infinity. It would be written as null, and the log could never be read again.
fn storable(node: &Arc<Node>) -> Result<(), CodecError> {
    if node_fields::is_writable(node) { Ok(()) } else { Err(CodecError::NotFinite(node.id)) }
}

fn write<T: Serialize>(kind: Kind, change: &Change<T>) -> Result<Written, CodecError> {
    Ok(Written { kind, after: change.after.as_ref().map(to_raw_value).transpose()?, was: was(change)? })
}

fn was<T: Serialize>(change: &Change<T>) -> Result<Option<Value>, CodecError> {
    let Some(before) = &change.before else { return Ok(None) };
    let before = object(serde_json::to_value(before)?)?;
    let Some(after) = &change.after else { return Ok(Some(Value::Object(before))) };
    let after = object(serde_json::to_value(after)?)?;
    // A field that only the later form has is stored as null, meaning that it was absent.
    let mut differing: Map<_, _> = after
        .keys()
        .filter(|field| !before.contains_key(*field))
        .map(|field| (field.clone(), Value::Null))
        .collect();
    differing.extend(before.into_iter().filter(|(field, value)| after.get(field) != Some(value)));
    Ok(Some(Value::Object(differing)))
}

fn object(value: Value) -> Result<Map<String, Value>, CodecError> {
    match value {
        Value::Object(fields) => Ok(fields),
        _ => Err(CodecError::NotAnObject),
    }
}

fn read_entry(entry: &EntryIn<'_>) -> Result<Entry, CodecError> {
    let subject = match entry.kind {
        Kind::Node => Subject::Node(read(entry)?),
        Kind::Link => Subject::Link(read(entry)?),
        Kind::Grant => Subject::Grant(read(entry)?),
        Kind::Embed => Subject::Embed(read(entry)?),
        Kind::User => Subject::User(read(entry)?),
        Kind::Token => Subject::Token(read(entry)?),
    };
    Ok(Entry { op: entry.op, derived: entry.derived, subject })
}

fn read<T: DeserializeOwned + Clone>(entry: &EntryIn<'_>) -> Result<Change<T>, CodecError> {
    let after: Option<T> = entry.after.map(|json| serde_json::from_str(json.get())).transpose()?;
    let before = match (entry.was, entry.after, &after) {
        (Some(was), Some(json), Some(after)) => Some(overlay(was, json, after)?),
        (Some(was), _, _) => Some(serde_json::from_str(was.get())?),
        (None, _, _) => None,
    };
    Ok(Change { before, after })
}

/// The entity before: the entity after, with the differing fields replaced.
fn overlay<T: DeserializeOwned + Clone>(was: &RawValue, json: &RawValue, after: &T) -> Result<T, CodecError> {
    let was: Map<String, Value> = serde_json::from_str(was.get())?;
    if was.is_empty() {
        return Ok(after.clone());
    }
    let mut fields: Map<String, Value> = serde_json::from_str(json.get())?;
    fields.extend(was);
    Ok(serde_json::from_value(Value::Object(fields))?)
}
