//! Reads that the engine has a part in: graph:sync, and pages of history.

use super::connections::Connections;
use super::protocol::{Caller, ConnectionId, Outcome, PageOfHistory, PageRequest, RequestedScope};
use graph::history_view::HistoryView;
use graph::model::Rev;
use graph::{Reason, Refusal, World, access};
use std::sync::Arc;
use store::{HistoryQuery, HistoryScope};

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

/// The query for the archive, with a reader that has what the caller sees.
pub(super) fn history_query(
    world: &World,
    caller: Caller,
    scope: RequestedScope,
    page: PageRequest,
    reader: impl FnOnce() -> Arc<HistoryView>,
) -> Result<HistoryQuery, Refusal> {
    let scope = match scope {
        RequestedScope::Everything => HistoryScope::Everything,
        RequestedScope::Own => HistoryScope::By(caller.user),
        RequestedScope::User(user) if user == caller.user => HistoryScope::By(user),
        RequestedScope::User(_) | RequestedScope::Unfit => return Err(Reason::InvalidScope.into()),
        RequestedScope::Graph(root) => {
            if access::placement(world, caller.user, root).is_none() {
                return Err(Reason::NodeNotFound.into());
            }
            let nodes = access::placed_under(world, [root]);
            let links = nodes.iter().flat_map(|id| world.link_ids_at(*id)).map(|id| id.0);
            HistoryScope::Touching(Arc::new(links.chain(nodes.iter().map(|id| id.0)).collect()))
        }
    };
    let PageRequest { limit, offset } = page;
    Ok(HistoryQuery { reader: reader(), scope, until: world.rev(), limit, offset })
}

/// A page of history as its reader sees it now. Entities that have left their view since the search are left out.
pub(super) fn seen_now(mut page: PageOfHistory, now: Arc<HistoryView>) -> PageOfHistory {
    page.past.batches.retain(|past| now.sees_batch(&past.batch));
    page.reader = now;
    page
}
