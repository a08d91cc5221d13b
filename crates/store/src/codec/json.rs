//! Batches and entities as JSON, as versions up to schema 4 wrote them. Their batches stay in the log as they are,
//! until they are pruned.
//!
//! An entry has the whole entity after the change in `after`, and in `was` the fields of the entity before it that
//! differ, as they were; null for one that was absent. `was` is whole if the entity was deleted.

use super::{CodecError, Decoded};
use graph::batch::{Change, Lineage};
use graph::{Entry, Op, Subject};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use uuid::Uuid;

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Node,
    Link,
    Grant,
    Embed,
    User,
    Token,
    Key,
}

#[derive(Deserialize)]
struct Body<'a> {
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
    #[serde(default)]
    copy_of: Option<Uuid>,
}

/// Decodes a body.
pub(super) fn decode(body: &[u8]) -> Result<Decoded, CodecError> {
    let body: Body<'_> = serde_json::from_slice(body)?;
    let entries = body.entries.iter().map(read_entry).collect::<Result<_, _>>()?;
    Ok(Decoded { lineage: body.lineage, guest: None, entries })
}

fn read_entry(entry: &EntryIn<'_>) -> Result<Entry, CodecError> {
    let subject = match entry.kind {
        Kind::Node => Subject::Node(read(entry)?),
        Kind::Link => Subject::Link(read(entry)?),
        Kind::Grant => Subject::Grant(read(entry)?),
        Kind::Embed => Subject::Embed(read(entry)?),
        Kind::User => Subject::User(read(entry)?),
        Kind::Token => Subject::Token(read(entry)?),
        Kind::Key => Subject::Key(read(entry)?),
    };
    Ok(Entry { op: entry.op, derived: entry.derived, subject, copy_of: entry.copy_of })
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

#[cfg(test)]
pub(crate) mod tests {
    //! Writes what earlier versions wrote.

    use super::{CodecError, Kind};
    use graph::batch::{Change, Lineage};
    use graph::{Batch, Entry, Op, Subject};
    use serde::Serialize;
    use serde_json::value::{RawValue, to_raw_value};
    use serde_json::{Map, Value};
    use uuid::Uuid;

    /// A batch's body, and each entry's entity after it.
    pub(crate) struct Encoded {
        pub(crate) body: String,
        pub(crate) afters: Vec<Option<Box<RawValue>>>,
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
        #[serde(skip_serializing_if = "Option::is_none")]
        copy_of: Option<Uuid>,
    }

    struct Written {
        kind: Kind,
        after: Option<Box<RawValue>>,
        was: Option<Value>,
    }

    pub(crate) fn encode(batch: &Batch) -> Result<Encoded, CodecError> {
        let written = batch.entries.iter().map(write_entry).collect::<Result<Vec<_>, _>>()?;
        let entries = batch.entries.iter().zip(&written).map(|(entry, written)| EntryOut {
            op: entry.op,
            derived: entry.derived,
            kind: written.kind,
            after: written.after.as_deref(),
            was: written.was.as_ref(),
            copy_of: entry.copy_of,
        });
        let body = serde_json::to_string(&BodyOut { lineage: batch.lineage, entries: entries.collect() })?;
        Ok(Encoded { body, afters: written.into_iter().map(|written| written.after).collect() })
    }

    fn write_entry(entry: &Entry) -> Result<Written, CodecError> {
        match &entry.subject {
            Subject::Node(change) => write(Kind::Node, change),
            Subject::Link(change) => write(Kind::Link, change),
            Subject::Grant(change) => write(Kind::Grant, change),
            Subject::Embed(change) => write(Kind::Embed, change),
            Subject::User(change) => write(Kind::User, change),
            Subject::Token(change) => write(Kind::Token, change),
            Subject::Key(change) => write(Kind::Key, change),
        }
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
}
