//! The events that are passed on to others and stored nowhere (P27–P31). They are no operations: they have no batch, no
//! REST form, and over their limit the oldest unsent is dropped instead of refused.

use super::fields::{BATCH_ID, NODE_ID, optional};
use super::node_fields::NODE_INPUTS;
use super::{Field, Kind, Need, Row, Values, rows};
use crate::engine::protocol::{Failure, Relay};
use crate::wire::Problem;
use crate::wire::payload::Json;
use graph::ops::NodeUpdate;
use graph::{NodeFields, NodeId, Operation, Reason, Refusal};

/// How many bytes a client's own fields may take, as JSON.
pub const OWN_BYTES_MAX: usize = 4096;

/// One event that is passed on.
#[derive(Clone, Copy, Debug)]
pub struct RelayRow {
    /// The event as it comes in.
    pub event: &'static str,
    /// The event as it is passed on.
    pub passed_on_as: &'static str,
    pub input: &'static [Field],
    /// Whether the client may add fields of its own.
    pub open: bool,
    /// Who gets it, in words.
    pub to: &'static str,
    /// The operation that stores it besides, if one does.
    pub stored_by: Option<&'static Row>,
    make: fn(&mut Values, String) -> Option<Relay>,
}

/// A field of a node that must be there: without a value it is as wrong as with a wrong one.
const fn needed(field: Field) -> Field {
    Field { need: Need::Required(field.invalid), ..field }
}

const X: Field = needed(NODE_INPUTS.x);
const Y: Field = needed(NODE_INPUTS.y);
const Z: Field = needed(NODE_INPUTS.z);
const DRAG: &[Field] = &[NODE_ID, X, Y, Z];
const DRAG_END: &[Field] = &[BATCH_ID, NODE_ID, X, Y, Z];

/// What stores the end of a drag: a node:update of x, y and z, by its own name and under node:update's limit.
const STORE: Row = Row {
    event: "node:dragend",
    limit: rows::NODE_LIMIT,
    input: &[DRAG_END],
    make: super::Make::Mutation(|values| {
        let fields = values.node_fields();
        Some(Operation::NodeUpdate(NodeUpdate { id: values.node("id")?, fields, version: None }))
    }),
    ..rows::BLANK
};

fn drag(values: &mut Values, end: bool) -> Option<Relay> {
    let NodeFields { x: Some(x), y: Some(y), z: Some(z), .. } = *values.node_fields() else { return None };
    Some(Relay::Drag { node: values.node("id")?, x, y, z, end })
}

/// Every event that is passed on.
pub const RELAYS: &[RelayRow] = &[
    RelayRow {
        event: "presence:update",
        passed_on_as: "presence:state",
        // Null stands for nowhere; see `decode_relay`.
        input: &[optional("nodeId", Kind::Id, "null", Reason::InvalidNodeId)],
        open: true,
        to: "those who see the node, and the user's other sockets",
        stored_by: None,
        make: |values, own| Some(Relay::Presence { node: values.node("nodeId"), fields: own.into() }),
    },
    RelayRow {
        event: "camera:update",
        passed_on_as: "camera:presence",
        input: &[],
        open: true,
        to: "the user's other sockets",
        stored_by: None,
        make: |_, own| Some(Relay::Camera { fields: own.into() }),
    },
    RelayRow {
        event: "node:drag",
        passed_on_as: "node:drag",
        input: DRAG,
        open: false,
        to: "those who see the node, which takes access 2",
        stored_by: None,
        make: |values, _| drag(values, false),
    },
    RelayRow {
        event: "node:dragend",
        passed_on_as: "node:dragend",
        input: DRAG_END,
        open: false,
        to: "those who see the node, which takes access 2; then it is stored as a node:update of x, y and z",
        stored_by: Some(&STORE),
        make: |values, _| drag(values, true),
    },
];

/// The row of an event that is passed on.
pub fn relay_by_event(event: &str) -> Option<&'static RelayRow> {
    RELAYS.iter().find(|row| row.event == event)
}

/// Reads the payload of an event that is passed on.
///
/// # Errors
/// What is wrong with the payload.
pub fn decode_relay(row: &RelayRow, payload: &Json) -> Result<Relay, Problem> {
    let refused = |refusal: Refusal| Problem::from(Failure::Refused(refusal));
    let Json::Object(given) = payload else { return Err(refused(Reason::FieldsMustBeDict.into())) };
    let is_known = |name: &str| row.input.iter().any(|field| field.name == name);
    let mut own = Vec::new();
    for (name, value) in given.iter().filter(|(name, _)| !is_known(name)) {
        match name.as_str() {
            // Who it comes from is for the server to say.
            "actor" => return Err(refused(super::named(Reason::ImmutableField, name))),
            _ if !row.open => return Err(refused(super::named(Reason::UnknownField, name))),
            _ => own.push((name.clone(), value.clone())),
        }
    }
    let mut values = Values::default();
    for field in row.input {
        match (payload.get(field.name), field.need) {
            (None, Need::Required(missing)) => return Err(refused(missing.into())),
            (None, Need::Optional { .. }) => {}
            (Some(Json::Null), Need::Optional { default: "null" }) => {}
            (Some(json), _) => values.read(field, json).map_err(refused)?,
        }
    }
    let own = Json::Object(own).canonical();
    if own.len() > OWN_BYTES_MAX {
        return Err(Problem::PayloadTooLarge);
    }
    // The object's members, without its braces.
    let members = own.get(1..own.len() - 1).unwrap_or_default().to_owned();
    (row.make)(&mut values, members).ok_or_else(Problem::exception)
}

impl Relay {
    /// The node it is about.
    pub fn node(&self) -> Option<NodeId> {
        match self {
            Relay::Presence { node, .. } => *node,
            Relay::Camera { .. } => None,
            Relay::Drag { node, .. } => Some(*node),
        }
    }
}
