//! Reads: answered between groups from the World as it stands on disk.

use super::connections::Connections;
use super::message::{Account, Caller, ConnectionId, Failure, Outcome, PageOfHistory, Read, Scope};
use graph::history::Reader;
use graph::model::{Grant, User};
use graph::view::{self, Load, Page};
use graph::{Graph, NodeId, Reason, Refusal, Root, UserId, World, access, trash};
use std::sync::Arc;
use std::time::{Duration, Instant};
use store::{HistoryQuery, HistoryScope};

/// Answers a read.
pub(super) fn answer(
    world: &World,
    connections: &mut Connections,
    caller: Caller,
    read: &Read,
    connection: Option<ConnectionId>,
    load_kept: Duration,
) -> Outcome {
    let rev = world.rev();
    match *read {
        Read::Graph { limit, offset } => {
            let page = graph_page(world, connections, caller, connection, (limit, offset), load_kept);
            Outcome::Graph { page, rev }
        }
        Read::Trash { limit, offset } => {
            Outcome::Trash { page: trash::trash_page(world, caller.user, limit, offset), rev }
        }
        Read::Branch { ref root, limit, offset } => branch(world, caller.user, root, limit, offset),
        // Asked of the archive, see `history_query` and `seen_now`.
        Read::History { .. } => Outcome::Failed(Failure::Exception),
        Read::Sync { since } => {
            let missed = connection.zip(connections.missed(caller.user, since, rev));
            if let Some((connection, missed)) = &missed {
                connections.catch_up(*connection, missed);
            }
            Outcome::Synced { rev, recovered: missed.is_some() }
        }
        Read::Account => match account(world, caller.user) {
            Some(account) => Outcome::Account { account: Box::new(account), rev },
            None => Outcome::Failed(Failure::Exception),
        },
    }
}

/// A page of the visible graph. A load begun at offset 0 goes on as long as each page follows the last one in time, on
/// its connection or over REST; any other page is cut from the graph as it is now and leaves the load as it is.
fn graph_page(
    world: &World,
    connections: &mut Connections,
    caller: Caller,
    connection: Option<ConnectionId>,
    (limit, offset): (usize, usize),
    load_kept: Duration,
) -> Page {
    let now = Instant::now();
    let under_way = connections.load_of(connection, caller.user).and_then(|slot| {
        let kept = slot.take();
        if offset == 0 {
            return Some((slot, Load::begin(world, caller.user)));
        }
        let (load, until) = kept.filter(|(_, until)| *until >= now)?;
        if load.sent() != offset {
            *slot = Some((load, until));
            return None;
        }
        Some((slot, load))
    });
    match under_way {
        Some((slot, mut load)) => {
            let page = load.next(world, limit);
            *slot = page.has_more.then_some((load, now + load_kept));
            page
        }
        None => {
            let mut load = Load::begin(world, caller.user);
            load.skip(offset);
            load.next(world, limit)
        }
    }
}

/// What to search the past for, with a reader that holds what the caller sees.
pub(super) fn history_query(
    world: &World,
    caller: Caller,
    (scope, limit, offset): (Scope, usize, usize),
    reader: impl FnOnce() -> Arc<Reader>,
) -> Result<HistoryQuery, Refusal> {
    let scope = match scope {
        Scope::Everything => HistoryScope::Everything,
        Scope::Own => HistoryScope::By(caller.user),
        Scope::User(user) if user == caller.user => HistoryScope::By(user),
        Scope::User(_) | Scope::Unfit => return Err(Reason::InvalidScope.into()),
        Scope::Graph(root) => {
            if access::placement(world, caller.user, root).is_none() {
                return Err(Reason::NodeNotFound.into());
            }
            let nodes = access::placed_under(world, [root]);
            let links = nodes.iter().flat_map(|id| world.link_ids_at(*id)).map(|id| id.0);
            HistoryScope::Touching(Arc::new(links.chain(nodes.iter().map(|id| id.0)).collect()))
        }
    };
    Ok(HistoryQuery { reader: reader(), scope, until: world.rev(), limit, offset })
}

/// A page of history as its reader sees it now: what has left their view since it was looked for is left out.
pub(super) fn seen_now(mut page: PageOfHistory, now: Arc<Reader>) -> PageOfHistory {
    page.past.batches.retain(|past| now.sees_batch(&past.batch));
    page.reader = now;
    page
}

/// A branch as the caller sees it, by its root; or a publication, by its token, as anyone sees it.
fn branch(world: &World, user: UserId, root: &Root, limit: usize, offset: usize) -> Outcome {
    let rev = world.rev();
    let page = match root {
        Root::Token(token) => view::published_page(world, token, limit, offset),
        Root::Node(root) => access::level(world, user, *root).map(|_| {
            let mut load = Load::of(user, view::visible_branch(world, user, *root));
            load.skip(offset);
            load.next(world, limit)
        }),
    };
    match page {
        Some(page) => Outcome::Branch { page, rev, anonymous: false },
        None => Outcome::Failed(Failure::Refused(Reason::BranchNotFound.into())),
    }
}

/// A publication, by its token, for someone without an account.
pub(super) fn public(world: &World, token: &str, limit: usize, offset: usize) -> Outcome {
    match view::published_page(world, token, limit, offset) {
        Some(page) => Outcome::Branch { page, rev: world.rev(), anonymous: true },
        None => Outcome::Failed(Failure::Refused(Reason::BranchNotFound.into())),
    }
}

fn account(world: &World, user: UserId) -> Option<Account> {
    let slot = world.user(user)?;
    let with = |grant: &Arc<Grant>, other: UserId| -> Option<(Arc<Grant>, Arc<User>)> {
        Some((Arc::clone(grant), Arc::clone(&world.user(other)?.user)))
    };
    let given = slot.given.iter().filter_map(|(node, grantee)| world.grant(*node, *grantee));
    let granted = slot.granted.iter().filter_map(|node| world.grant(*node, user));
    let embeds: Vec<NodeId> = slot.embedded.iter().copied().filter(|id| world.node(*id).is_some()).collect();
    Some(Account {
        user: Arc::clone(&slot.user),
        granted_by: given.filter_map(|grant| with(grant, grant.user)).collect(),
        granted_to: granted.filter_map(|grant| with(grant, grant.granted_by)).collect(),
        embeds,
    })
}
