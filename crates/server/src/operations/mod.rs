//! The one table that names every operation: event, method and paths, input, limit, errors, and what it asks of the
//! engine. Routes, socket handlers, limits and the printed table all follow from it.
//!
//! Adding an operation is a row in [`ROWS`]; the payload is checked and read by the row alone, so that both transports
//! refuse the same things, in the same order and with the same words.

mod describe;
mod fields;
mod kinds;
mod node_fields;
mod relay_rows;
mod rows;
mod rules;

use crate::engine::protocol::{Failure, IdempotencyKey, Read};
use crate::wire::payload::Json;
use graph::{BatchId, NodeFields, Operation, Reason, Refusal, Root};
use sha2::{Digest, Sha256};

pub use describe::{table_json, table_text};
use kinds::Value;
pub use kinds::{Kind, Values};
pub use node_fields::NodeFieldKind;
pub use relay_rows::{OWN_BYTES_MAX, RELAYS, RelayRow, decode_relay, relay_by_event};
pub use rows::ROWS;
pub use rules::*;

/// How an operation is called over REST.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Method {
    Get,
    Post,
    Put,
    Delete,
}

impl Method {
    /// As HTTP writes it.
    pub fn name(self) -> &'static str {
        match self {
            Method::Get => "GET",
            Method::Post => "POST",
            Method::Put => "PUT",
            Method::Delete => "DELETE",
        }
    }
}

/// How often a user may ask over sockets. Rows with the same name share one count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    pub name: &'static str,
    pub count: u32,
    pub window_s: u64,
}

/// One field of an operation's payload.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    pub name: &'static str,
    pub kind: Kind,
    pub need: Need,
    /// The answer to a value of the wrong type or out of its range.
    pub invalid: Reason,
}

/// Whether a field must be there.
#[derive(Clone, Copy, Debug)]
pub enum Need {
    /// The answer when it is not.
    Required(Reason),
    /// What stands in for it where something is made, as JSON; empty where its absence has a meaning of its own. See
    /// [`Row::default_of`].
    Optional { default: &'static str },
}

/// What a row makes of its values. `None` would mean that the row lacks a field it needs; a test makes sure of each.
#[derive(Clone, Copy, Debug)]
pub enum Make {
    Mutation(fn(&mut Values) -> Option<Operation>),
    Read(fn(&mut Values) -> Option<Read>),
    /// Answered by the transport itself.
    Ping,
}

/// One operation.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// The event over sockets, and the operation's name everywhere.
    pub event: &'static str,
    /// Where the event is another name of an operation: its own.
    pub alias_of: Option<&'static str>,
    /// `None` where there is no REST form.
    pub method: Option<Method>,
    /// Full paths, `/api` included; all mean the same.
    pub paths: &'static [&'static str],
    pub limit: Limit,
    /// The fields in the order they are checked, in groups.
    pub input: &'static [&'static [Field]],
    /// The entity's own fields that cannot be set.
    pub read_only: &'static [&'static str],
    /// The fields of which an update takes at least one; empty where none is needed.
    pub one_of: &'static [Field],
    /// What the domain may answer besides what is wrong with the payload, in the order it is checked.
    pub errors: &'static [Reason],
    /// The answer, in words.
    pub output: &'static str,
    /// What the caller must present, in words.
    pub credentials: &'static str,
    pub make: Make,
}

impl Row {
    /// Whether the operation asks the engine for something that is there.
    pub fn is_read(&self) -> bool {
        matches!(self.make, Make::Read(_))
    }

    /// The fields in the order they are checked.
    pub fn fields(&self) -> impl Iterator<Item = &'static Field> + use<> {
        self.input.iter().flat_map(|group| group.iter())
    }

    /// Whether the operation changes anything.
    pub fn is_mutation(&self) -> bool {
        matches!(self.make, Make::Mutation(_))
    }

    /// Whether a field holds an integer; in a query string there is no other way to know.
    pub fn takes_integer(&self, name: &str) -> bool {
        self.fields().any(|field| field.name == name && field.kind.json_type() == "integer")
    }

    /// What stands in for a field that is not given, as JSON. An update leaves as it is what is not given.
    pub fn default_of(&self, field: &Field) -> Option<String> {
        let changes = self.one_of.iter().any(|change| change.name == field.name);
        let default = match (field.need, field.kind) {
            (Need::Required(_), _) => return None,
            (_, Kind::OfNode(of)) => (of.default)(),
            (Need::Optional { default }, _) => default.to_owned(),
        };
        (!changes && !default.is_empty()).then_some(default)
    }

    /// The field that holds the client's own name for the mutation.
    fn request_field(&self) -> Option<&'static Field> {
        self.fields().find(|field| matches!(field.kind, Kind::Request))
    }

    /// Everything that may be wrong with the payload, in the order it is checked; no reason twice.
    pub fn payload_errors(&self) -> Vec<Reason> {
        let mut reasons = vec![Reason::FieldsMustBeDict, Reason::UnknownField];
        if !self.read_only.is_empty() {
            reasons.push(Reason::ImmutableField);
        }
        for field in self.fields() {
            if let Need::Required(missing) = field.need {
                reasons.push(missing);
            }
            reasons.push(field.invalid);
            reasons.extend(field.kind.reasons());
        }
        if !self.one_of.is_empty() {
            reasons.push(Reason::NoFieldsToUpdate);
        }
        let mut seen = std::collections::HashSet::new();
        reasons.retain(|reason| seen.insert(*reason));
        reasons
    }
}

/// What a payload asks for.
#[derive(Clone, Debug)]
pub enum Asked {
    Mutation { operation: Operation, request: Option<IdempotencyKey> },
    Read(Read),
    Ping,
}

/// The row of an event.
pub fn by_event(event: &str) -> Option<&'static Row> {
    ROWS.iter().find(|row| row.event == event)
}

/// Reads a payload by its row. The first thing at fault answers: its shape, unknown and immutable fields, then the fields
/// in the row's order.
pub fn decode(row: &Row, payload: &Json) -> Result<Asked, Failure> {
    let mut values = check(row, payload).map_err(Failure::Refused)?;
    let named = row.request_field().and_then(|field| values.id(field.name)).map(BatchId);
    let request = named.map(|batch| IdempotencyKey { batch, fingerprint: fingerprint(row, payload) });
    let asked = match row.make {
        Make::Mutation(make) => make(&mut values).map(|operation| Asked::Mutation { operation, request }),
        Make::Read(make) => make(&mut values).map(Asked::Read),
        Make::Ping => Some(Asked::Ping),
    };
    asked.ok_or(Failure::Exception)
}

/// Whether a payload names the branch it is about by a public token, whatever else is wrong with it.
pub fn names_token(row: &Row, payload: &Json) -> bool {
    let branch = row.fields().find(|field| matches!(field.kind, Kind::Branch));
    let read = branch
        .and_then(|field| field.kind.read(field, payload.get(field.name)?, &mut NodeFields::default()).ok());
    matches!(read, Some(Value::Branch(Root::Token(_))))
}

fn check(row: &Row, payload: &Json) -> Result<Values, Refusal> {
    let Json::Object(given) = payload else { return Err(Reason::FieldsMustBeDict.into()) };
    for (name, _) in given {
        if !row.fields().any(|field| field.name == name) {
            return Err(stranger(row, name));
        }
    }
    let mut values = Values::default();
    for field in row.fields() {
        match (payload.get(field.name), field.need) {
            (Some(json), _) => values.read(field, json)?,
            (None, Need::Required(missing)) => return Err(missing.into()),
            (None, Need::Optional { .. }) => {}
        }
    }
    if !row.one_of.is_empty() && !row.one_of.iter().any(|field| values.has(field.name)) {
        return Err(Reason::NoFieldsToUpdate.into());
    }
    Ok(values)
}

/// The refusal of a field that the operation does not take.
fn stranger(row: &Row, name: &str) -> Refusal {
    let own = row.read_only.contains(&name) || (!row.read_only.is_empty() && name.starts_with("owner"));
    let reason = if own { Reason::ImmutableField } else { Reason::UnknownField };
    named(reason, name)
}

fn named(reason: Reason, name: &str) -> Refusal {
    // A name can be a megabyte; enough of it to find it is enough.
    let shown: String = name.chars().filter(|c| !c.is_control()).take(NAME_SHOWN_MOST).collect();
    Refusal::with(reason, format!("Its name is \"{shown}\"."))
}

/// What makes two requests with one batchId the same: the operation and the rest of the payload, ids in lower case.
fn fingerprint(row: &Row, payload: &Json) -> [u8; 32] {
    let own_name = row.request_field().map_or("", |field| field.name);
    let mut payload = payload.clone();
    if let Json::Object(fields) = &mut payload {
        for (name, json) in fields {
            if row.fields().any(|field| field.name == name && field.kind.is_id()) {
                json.lower_ids();
            }
        }
    }
    let mut hash = Sha256::new();
    hash.update(row.alias_of.unwrap_or(row.event));
    hash.update([0]);
    hash.update(payload.canonical_without(own_name));
    hash.finalize().into()
}

#[cfg(test)]
mod tests;
