//! Relay events on the wire.

use super::diff::Actor;
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
