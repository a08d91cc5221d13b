//! The read that the engine answers itself: graph:sync, from the diffs that it keeps.

use super::connections::Connections;
use super::protocol::{Caller, ConnectionId, Outcome};
use graph::model::Rev;

/// Sends a connection what it missed up to `rev`, the last one that was told, and answers whether it could be sent.
pub(super) fn sync(
    rev: Rev,
    connections: &mut Connections,
    caller: Caller,
    since: Rev,
    connection: Option<ConnectionId>,
) -> Outcome {
    let missed = connection.zip(connections.missed(caller.user, since, rev));
    if let Some((connection, missed)) = &missed {
        connections.catch_up(*connection, missed);
    }
    Outcome::Synced { rev, recovered: missed.is_some() }
}
