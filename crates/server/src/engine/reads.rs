//! Reads, answered between groups from the World as it is on disk.

use super::connections::{Connections, KeptLoad};
use super::protocol::{
    Account, Caller, ConnectionId, Failure, Outcome, PageOfHistory, PageRequest, Read, RequestedScope,
};
use graph::cover::Placements;
use graph::history_view::HistoryView;
use graph::load::{Load, Page, published_root};
use graph::model::{Grant, Level, User};
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
        Read::Graph { page } => {
            let kept = match connection {
                Some(id) => connections.loads_on(id).map(|loads| &mut loads.graph),
                None => Some(connections.load_over_rest(caller.user)),
            };
            let begin = || Load::begin(world, caller.user);
            Outcome::Graph { page: page_of(world, kept, begin, page, load_kept), rev }
        }
        Read::Trash { page: PageRequest { limit, offset } } => {
            Outcome::Trash { page: trash::trash_page(world, caller.user, limit, offset), rev }
        }
        Read::Branch { ref root, page } => {
            let loads = connection.and_then(|id| connections.loads_on(id));
            let kept = loads.map(|loads| loads.branch(root));
            let page = branch_page(world, kept, Some(caller.user), root, page, load_kept);
            branch_answer(world, page, false)
        }
        // The archive answers these; see `history_query` and `seen_now`.
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

/// A page. A load begun at offset 0 continues as long as each page is requested within `load_kept` of the page before
/// it. Any other page is taken from the current state and leaves the load alone.
fn page_of(
    world: &World,
    kept: Option<&mut KeptLoad>,
    begin: impl FnOnce() -> Load,
    asked: PageRequest,
    load_kept: Duration,
) -> Page {
    let PageRequest { limit, offset } = asked;
    let now = Instant::now();
    let Some(kept) = kept else {
        let mut load = begin();
        load.skip(offset);
        return load.next(world, limit);
    };
    let goes_on = if offset == 0 { None } else { kept.take_at(offset, now) };
    let mut load = match goes_on {
        Some(load) => load,
        None if offset == 0 => begin(),
        None => return page_of(world, None, begin, asked, load_kept),
    };
    let page = load.next(world, limit);
    if page.has_more {
        kept.keep(load, now + load_kept);
    } else {
        kept.end();
    }
    page
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

/// A page of a branch: by its root, as the caller sees it, or by a public token, as anyone sees it.
fn branch_page(
    world: &World,
    kept: Option<&mut KeptLoad>,
    user: Option<UserId>,
    root: &Root,
    at: PageRequest,
    load_kept: Duration,
) -> Option<Page> {
    match (root, user) {
        (Root::Token(token), _) => {
            let root = published_root(world, token)?;
            Some(page_of(world, kept, || Load::of_publication(world, root), at, load_kept))
        }
        (Root::Node(root), Some(user)) => {
            access::level(world, user, *root)?;
            Some(page_of(world, kept, || Load::of_branch(world, user, *root), at, load_kept))
        }
        (Root::Node(_), None) => None,
    }
}

/// A page of a publication, by its token, for a caller without an account.
pub(super) fn public(world: &World, token: &str, page: PageRequest) -> Outcome {
    let root = Root::Token(token.to_owned());
    branch_answer(world, branch_page(world, None, None, &root, page, Duration::ZERO), true)
}

fn branch_answer(world: &World, page: Option<Page>, anonymous: bool) -> Outcome {
    match page {
        Some(page) => Outcome::Branch { page, rev: world.rev(), anonymous },
        None => Outcome::Failed(Failure::Refused(Reason::BranchNotFound.into())),
    }
}

fn account(world: &World, user: UserId) -> Option<Account> {
    let slot = world.user(user)?;
    let with = |grant: &Arc<Grant>, other: UserId| -> Option<(Arc<Grant>, Arc<User>)> {
        Some((Arc::clone(grant), Arc::clone(&world.user(other)?.user)))
    };
    // A user who may no longer share a node no longer sees who has access to it.
    let placed = Placements::of(world, user, slot.given.iter().map(|(node, _)| *node));
    let may_share = |node: &NodeId| placed.level(*node).is_some_and(|level| level <= Level::Admin);
    let given = slot.given.iter().filter(|(node, _)| may_share(node));
    let given = given.filter_map(|(node, grantee)| world.grant(*node, *grantee));
    let granted = slot.granted.iter().filter_map(|node| world.grant(*node, user));
    let embeds: Vec<NodeId> = slot.embedded.iter().copied().filter(|id| world.node(*id).is_some()).collect();
    Some(Account {
        user: Arc::clone(&slot.user),
        granted_by: given.filter_map(|grant| with(grant, grant.user)).collect(),
        granted_to: granted.filter_map(|grant| with(grant, grant.granted_by)).collect(),
        embeds,
    })
}
