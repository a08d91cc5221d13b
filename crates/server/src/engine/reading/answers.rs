//! The answers to reads, from the reading World as it stands.

use super::super::protocol::{
    Account, Caller, ConnectionId, Failure, Outcome, PageRequest, PublicRead, Read,
};
use super::loads::{Holder, Loaded, Loads};
use graph::cover::Placements;
use graph::load::{Load, Page, published_root, visible};
use graph::model::{Grant, Level, User};
use graph::{Graph, NodeId, Reason, Root, UserId, World, access, trash};
use std::sync::Arc;

/// Answers the read of a user.
pub(super) fn answer(
    world: &World,
    loads: &Loads,
    caller: Caller,
    read: &Read,
    connection: Option<ConnectionId>,
) -> Outcome {
    let rev = world.rev();
    let holder = connection.map_or(Holder::OverRest(caller.user), Holder::Connection);
    match *read {
        Read::Graph { page } => {
            let begin = || Load::begin(world, caller.user);
            Outcome::Graph { page: loads.page(world, holder, &Loaded::Graph, page, begin), rev }
        }
        Read::Trash { page: PageRequest { limit, offset } } => {
            Outcome::Trash { page: trash::trash_page(world, caller.user, limit, offset), rev }
        }
        Read::Branch { ref root, page } => {
            let page = branch_page(world, loads, holder, caller.user, root, page);
            branch_answer(world, page, false)
        }
        Read::Snapshot { ref root } => match whole(world, caller.user, root.as_ref()) {
            Some(page) => Outcome::Snapshot { page, rev, anonymous: false },
            None => Outcome::Failed(Failure::Refused(Reason::BranchNotFound.into())),
        },
        Read::Account => match account(world, caller.user) {
            Some(account) => Outcome::Account { account: Box::new(account), rev },
            None => Outcome::Failed(Failure::Exception),
        },
        // The engine and the archive answer these.
        Read::Sync { .. } | Read::History { .. } => Outcome::Failed(Failure::Exception),
    }
}

/// A page of a branch: by its root, as the caller sees it, or by a public token, as anyone sees it.
fn branch_page(
    world: &World,
    loads: &Loads,
    holder: Holder,
    user: UserId,
    root: &Root,
    at: PageRequest,
) -> Option<Page> {
    let loaded = Loaded::Branch(root.clone());
    match root {
        Root::Token(token) => {
            let root = published_root(world, token)?;
            Some(loads.page(world, holder, &loaded, at, || Load::of_publication(world, root)))
        }
        Root::Node(root) => {
            access::level(world, user, *root)?;
            Some(loads.page(world, holder, &loaded, at, || Load::of_branch(world, user, *root)))
        }
    }
}

/// All that a user sees of the graph or of a branch.
fn whole(world: &World, user: UserId, root: Option<&Root>) -> Option<Page> {
    let mut load = match root {
        None => return Some(visible(world, user)),
        Some(Root::Token(token)) => Load::of_publication(world, published_root(world, token)?),
        Some(Root::Node(root)) => {
            access::level(world, user, *root)?;
            Load::of_branch(world, user, *root)
        }
    };
    Some(load.next(world, usize::MAX))
}

/// Answers the read of a caller without an account.
pub(super) fn public(world: &World, read: &PublicRead) -> Outcome {
    let Some(root) = published_root(world, &read.token) else { return branch_answer(world, None, true) };
    let mut load = Load::of_publication(world, root);
    match read.page {
        None => {
            let page = load.next(world, usize::MAX);
            Outcome::Snapshot { page, rev: world.rev(), anonymous: true }
        }
        Some(PageRequest { limit, offset }) => {
            load.skip(offset);
            branch_answer(world, Some(load.next(world, limit)), true)
        }
    }
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
