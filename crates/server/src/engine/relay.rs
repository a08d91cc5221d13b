//! Events that are passed on and stored nowhere: to those who see what they are about, and to nobody else.

use super::connections::Connections;
use super::message::{Caller, ConnectionId, Failure, Outcome, Relay, Relayed};
use graph::cover::covers;
use graph::model::Level;
use graph::{NodeId, Reason, UserId, World, access};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Passes an event on. One about a node the sender may not speak of goes nowhere.
pub(super) fn pass_on(
    world: &World,
    connections: &Connections,
    caller: Caller,
    relay: Relay,
    from: ConnectionId,
) -> Outcome {
    let Some(sender) = world.user(caller.user) else { return Outcome::Failed(Failure::Exception) };
    let needed = match &relay {
        Relay::Presence { node, .. } => node.map(|node| (node, Level::Viewer)),
        Relay::Camera { .. } => None,
        Relay::Drag { node, .. } => Some((*node, Level::Editor)),
    };
    let mut users = BTreeSet::from([caller.user]);
    if let Some((node, needed)) = needed {
        match access::level(world, caller.user, node) {
            None => return Outcome::Failed(Failure::Refused(Reason::NodeNotFound.into())),
            Some(level) if level > needed => {
                return Outcome::Failed(Failure::Refused(Reason::NoPermission.into()));
            }
            Some(_) => {}
        }
        users.extend(who_sees(world, connections, node));
    }
    let relayed = Arc::new(Relayed { from: Arc::clone(&sender.user), relay });
    connections.relay(users.into_iter(), &relayed, from);
    Outcome::PassedOn
}

fn who_sees(world: &World, connections: &Connections, node: NodeId) -> Vec<UserId> {
    let covers = covers(world, [node], connections.users().into());
    covers.values().flat_map(|cover| cover.users()).collect()
}
