//! Relay events, which are not stored: they go to the users who see their subject and to no others.

use super::connections::Connections;
use super::protocol::{Caller, ConnectionId, Failure, Relay, Relayed};
use super::shared_text::SharedText;
use graph::cover::covers;
use graph::model::Level;
use graph::{NodeId, Reason, UserId, World, access};
use std::collections::BTreeSet;
use std::sync::Arc;

/// A relay event and its recipients.
pub(super) struct AddressedRelay {
    relayed: Arc<Relayed>,
    users: BTreeSet<UserId>,
    from: ConnectionId,
}

impl AddressedRelay {
    /// Sends the event.
    pub(super) fn send(self, connections: &mut Connections) {
        connections.relay(self.users.into_iter(), &self.relayed, self.from);
    }
}

/// Addresses an event to the users who may receive it now. An event about a node that the sender may not use goes
/// nowhere.
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
    let sender = world.account(caller.user).ok_or(Failure::Exception)?;
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
    let relayed = Relayed { from: Arc::clone(sender), relay, text: SharedText::default() };
    Ok(AddressedRelay { relayed: Arc::new(relayed), users, from })
}

fn who_sees(world: &World, connections: &Connections, node: NodeId) -> Vec<UserId> {
    let covers = covers(world, [node], connections.users().into());
    covers.values().flat_map(|cover| cover.users()).collect()
}
