//! Relay events on the wire.

use super::diff::Actor;
use super::shape::{nullable, object, shape_of, shaped, uuid, with};
use super::{parsed, text};
use crate::engine::protocol::{Relay, Relayed};
use graph::NodeId;
use serde::Serialize;
use serde_json::value::RawValue;

#[derive(Serialize)]
struct Dragged<'a> {
    id: NodeId,
    x: f64,
    y: f64,
    z: f64,
    actor: Actor<'a>,
}

/// The name of a relay event.
pub fn relayed_event_name(relayed: &Relayed) -> &'static str {
    match &relayed.relay {
        Relay::Presence { .. } => "presence:state",
        Relay::Camera { .. } => "camera:presence",
        Relay::Drag { end: false, .. } => "node:drag",
        Relay::Drag { end: true, .. } => "node:dragend",
    }
}

/// The text of a relay event.
pub fn relayed_event(relayed: &Relayed) -> Box<RawValue> {
    let actor = Actor::of(&relayed.from);
    match &relayed.relay {
        Relay::Presence { node, fields } => {
            let comma = if fields.is_empty() { "" } else { "," };
            let (node, actor) = (text(node), text(&actor));
            parsed(format!("{{\"nodeId\":{node},\"actor\":{actor}{comma}{fields}}}"))
        }
        Relay::Camera { fields } => parsed(format!("{{{fields}}}")),
        Relay::Drag { node, x, y, z, end: _ } => text(&Dragged { id: *node, x: *x, y: *y, z: *z, actor }),
    }
}

shaped!(Dragged<'_>, "Dragged", |to| object(
    "A node that someone else drags.",
    [
        ("id", uuid()),
        ("x", schemars::json_schema!({ "type": "number" })),
        ("y", schemars::json_schema!({ "type": "number" })),
        ("z", schemars::json_schema!({ "type": "number" })),
        ("actor", shape_of::<Actor<'_>>(to)),
    ],
));

/// What `presence:state` has.
pub(super) struct PresenceState;
shaped!(PresenceState, "Presence", |to| with(
    object(
        "Where someone is, with the fields that their client adds.",
        [("nodeId", nullable(uuid())), ("actor", shape_of::<Actor<'_>>(to))],
    ),
    "additionalProperties",
    true,
));

/// What `camera:presence` has.
pub(super) struct CameraPresence;
shaped!(CameraPresence, "CameraPresence", |_| with(
    object("The fields that the user's other client sent.", []),
    "additionalProperties",
    true,
));

/// The shape of a relay event of this name.
pub(crate) fn relayed_shape(name: &str) -> super::shape::Shape {
    match name {
        "presence:state" => shape_of::<PresenceState>,
        "camera:presence" => shape_of::<CameraPresence>,
        _ => shape_of::<Dragged<'static>>,
    }
}
