//! Relay events on the wire.

use super::diff::Actor;
use super::text;
use crate::engine::protocol::{Relay, Relayed};
use graph::NodeId;
use serde::Serialize;

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
pub fn relayed_event(relayed: &Relayed) -> String {
    let actor = Actor::of(&relayed.from);
    match &relayed.relay {
        Relay::Presence { node, fields } => {
            let comma = if fields.is_empty() { "" } else { "," };
            let (node, actor) = (text(node), text(&actor));
            format!("{{\"nodeId\":{node},\"actor\":{actor}{comma}{fields}}}")
        }
        Relay::Camera { fields } => format!("{{{fields}}}"),
        Relay::Drag { node, x, y, z, end: _ } => text(&Dragged { id: *node, x: *x, y: *y, z: *z, actor }),
    }
}
