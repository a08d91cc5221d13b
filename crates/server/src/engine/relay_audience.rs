//! Events that are passed on and stored nowhere: to those who see what they are about, and to nobody else.

use super::connections::Connections;
use super::protocol::{Caller, ConnectionId, Failure, Relay, Relayed};
use graph::cover::covers;
use graph::model::Level;
use graph::{NodeId, Reason, UserId, World, access};
use std::collections::BTreeSet;
use std::sync::Arc;

/// An event that is passed on, and to whom.
pub(super) struct AddressedRelay {
    relayed: Arc<Relayed>,
    users: BTreeSet<UserId>,
    from: ConnectionId,
}

impl AddressedRelay {
    /// Passes it on.
    pub(super) fn send(self, connections: &Connections) {
        connections.relay(self.users.into_iter(), &self.relayed, self.from);
    }
}

/// Addresses an event by who may hear of it now. One about a node the sender may not speak of goes nowhere.
///
/// # Errors
/// Why it goes nowhere.
pub(super) fn address(
    world: &World,
    connections: &Connections,
    caller: Caller,
    relay: Relay,
    from: ConnectionId,
) -> Result<AddressedRelay, Failure> {
    let sender = world.user(caller.user).ok_or(Failure::Exception)?;
    let needed = match &relay {
        Relay::Presence { node, .. } => node.map(|node| (node, Level::Viewer)),
        Relay::Camera { .. } => None,
        Relay::Drag { node, .. } => Some((*node, Level::Editor)),
    };
    let mut users = BTreeSet::from([caller.user]);
    if let Some((node, needed)) = needed {
        let level = access::level(world, caller.user, node);
        let level = level.ok_or_else(|| Failure::Refused(Reason::NodeNotFound.into()))?;
        if level > needed {
            return Err(Failure::Refused(Reason::NoPermission.into()));
        }
        users.extend(who_sees(world, connections, node));
    }
    Ok(AddressedRelay { relayed: Arc::new(Relayed { from: Arc::clone(&sender.user), relay }), users, from })
}

fn who_sees(world: &World, connections: &Connections, node: NodeId) -> Vec<UserId> {
    let covers = covers(world, [node], connections.users().into());
    covers.values().flat_map(|cover| cover.users()).collect()
}
