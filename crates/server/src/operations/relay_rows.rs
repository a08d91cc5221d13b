//! Relay events, which are passed on to other connections and not stored (P27–P31). They are not operations: they
//! have no batch and no REST form, and over their limit the oldest unsent event is dropped instead of refused.

use super::fields::{BATCH_ID, NODE_ID, PRESENCE_NODE};
use super::input::{Field, Given, Input, input};
use super::node_fields::{Position, X, Y, Z};
use super::row::{Row, row};
use super::{Reading, named, rows};
use crate::engine::protocol::Relay;
use crate::wire::payload::Json;
use crate::wire::{PayloadFault, PayloadRefusal, Problem};
use graph::ops::NodeUpdate;
use graph::{NodeId, Operation};
use std::sync::{Arc, LazyLock};

/// How many bytes a client's own fields may take, as JSON.
pub const OWN_BYTES_MAX: usize = 4096;

/// One relay event.
#[derive(Clone, Debug)]
pub struct RelayRow {
    /// The incoming event.
    pub event: &'static str,
    /// The outgoing event.
    pub passed_on_as: &'static str,
    /// The fields in the order in which they are checked.
    pub fields: Vec<Field>,
    /// The receivers, in words.
    pub to: &'static str,
    /// The operation that also stores it, if any.
    pub stored_by: Option<Row>,
    read: ReadRelay,
}

/// How a relay event is read.
#[derive(Clone, Copy, Debug)]
enum ReadRelay {
    /// It takes only the fields of the row.
    Closed(fn(&Json) -> Result<Relay, PayloadRefusal>),
    /// The client may add fields of its own. They are relayed unchanged: the members of a JSON object.
    Open(fn(&Json, Arc<str>) -> Result<Relay, PayloadRefusal>),
}

/// Declared like an operation's input, with the name of the field for the client's own fields.
macro_rules! open {
    ($variant:ident { $($field:ident: $from:expr),* }, $own:ident) => {
        ReadRelay::Open(|payload, own| {
            // An event that has only own fields reads nothing else of the payload.
            let _ = payload;
            Ok(Relay::$variant { $($field: $from.read(payload)?,)* $own: own })
        })
    };
}

fn described(input: &impl Input) -> Vec<Field> {
    let mut fields = Vec::new();
    input.describe(&mut fields);
    fields
}

/// Every relay event.
pub static RELAYS: LazyLock<Vec<RelayRow>> = LazyLock::new(|| {
    let drag = input!(Relay::Drag { node: NODE_ID, x: X, y: Y, z: Z, end: Given(false) });
    let drag_end = input!(Relay::Drag { node: NODE_ID, x: X, y: Y, z: Z, end: Given(true) });
    // A node:update of x, y and z, with its own name and under the limit of node:update.
    let store = row("node:dragend", rows::NODE_LIMIT).mutates(input!(Operation::NodeUpdate(NodeUpdate {
        id: NODE_ID,
        fields: Position,
        version: Given(None::<u64>),
    })));
    vec![
        RelayRow {
            event: "presence:update",
            passed_on_as: "presence:state",
            fields: described(&PRESENCE_NODE),
            to: "users who see the node, and the user's other sockets",
            stored_by: None,
            read: open!(Presence { node: PRESENCE_NODE }, fields),
        },
        RelayRow {
            event: "camera:update",
            passed_on_as: "camera:presence",
            fields: Vec::new(),
            to: "the user's other sockets",
            stored_by: None,
            read: open!(Camera {}, fields),
        },
        RelayRow {
            event: "node:drag",
            passed_on_as: "node:drag",
            fields: drag.fields,
            to: "users who see the node; takes access 2",
            stored_by: None,
            read: ReadRelay::Closed(drag.read),
        },
        RelayRow {
            event: "node:dragend",
            passed_on_as: "node:dragend",
            fields: store.fields.clone(),
            to: "users who see the node; takes access 2; also stored as a node:update of x, y and z",
            stored_by: Some(store),
            read: ReadRelay::Closed(drag_end.read),
        },
    ]
});

/// The row of a relay event.
pub fn relay_by_event(event: &str) -> Option<&'static RelayRow> {
    RELAYS.iter().find(|row| row.event == event)
}

impl RelayRow {
    /// Whether the client may add fields of its own.
    pub fn is_open(&self) -> bool {
        matches!(self.read, ReadRelay::Open(_))
    }
}

/// Decodes the payload of a relay event.
///
/// # Errors
/// What is wrong with the payload.
pub fn decode_relay(row: &RelayRow, payload: &Json) -> Result<Relay, Problem> {
    let Json::Object(given) = payload else { return Err(PayloadFault::FieldsMustBeDict.into()) };
    let is_known = |name: &str| row.fields.iter().any(|field| field.name == name);
    let mut own = Vec::new();
    for (name, value) in given.iter().filter(|(name, _)| !is_known(name)) {
        match name.as_str() {
            // The server sets the sender.
            "actor" => return Err(named(PayloadFault::ImmutableField, name).into()),
            _ if !row.is_open() => return Err(named(PayloadFault::UnknownField, name).into()),
            _ => own.push((name.clone(), value.clone())),
        }
    }
    if row.stored_by.is_some() {
        BATCH_ID.read(payload)?;
    }
    let own = Json::Object(own).canonical();
    // The object's members, without its braces.
    let members = own.get(1..own.len() - 1).unwrap_or_default();
    let relay = match row.read {
        ReadRelay::Closed(read) => read(payload),
        ReadRelay::Open(read) => read(payload, members.into()),
    };
    let relay = relay?;
    if own.len() > OWN_BYTES_MAX {
        return Err(Problem::PayloadTooLarge);
    }
    Ok(relay)
}

impl Relay {
    /// The node it concerns.
    pub fn node(&self) -> Option<NodeId> {
        match self {
            Relay::Presence { node, .. } => *node,
            Relay::Camera { .. } => None,
            Relay::Drag { node, .. } => Some(*node),
        }
    }
}
