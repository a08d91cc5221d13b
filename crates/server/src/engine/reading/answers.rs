//! The answers to reads, from the reading World as it stands.

use super::super::protocol::{
    Account, Caller, ConnectionId, Failure, Outcome, PageRequest, PublicRead, Read,
};
use super::loads::{Holder, Loaded, Loads};
use super::world::WorldAt;
use graph::cover::Placements;
use graph::load::{Load, Page, published_root, visible};
use graph::model::{Grant, Level, User};
use graph::waiting::{self, Waiting};
use graph::{Graph, NodeId, Reason, Root, UserId, World, access, grants, trash};
use std::sync::Arc;

type Work = Box<dyn FnOnce() -> Outcome + Send>;

/// What was found in the World.
pub(super) enum Found {
    /// The answer.
    Answer(Outcome),
    /// What the answer follows from. It takes the World no longer, so the World can follow the engine's meanwhile.
    Work(Work),
}

/// Answers the read of a user.
pub(super) fn answer(
    world: &WorldAt,
    loads: &Loads,
    caller: Caller,
    read: &Read,
    connection: Option<ConnectionId>,
) -> Found {
    let (user, rev) = (caller.user, world.rev());
    let found = match *read {
        Read::Ready { mine, ref root, limit } => whole(world, user, root.as_ref())
            .zip(world.user(user).map(|slot| Arc::clone(&slot.user)))
            .ok_or(Reason::BranchNotFound)
            .map(|(page, user)| -> Work {
                Box::new(move || {
                    let ready = waiting::ready(&Waiting::in_page(&page, &user), mine, limit);
                    Outcome::Ready { ready, rev }
                })
            }),
        Read::Critical { id, ref root } => open_tasks(world, user, id, root.as_ref()).map(|open| -> Work {
            Box::new(move || {
                // A task that is done is not among the open ones.
                let critical = waiting::critical(&open.tasks(), id).unwrap_or_default();
                Outcome::Critical { critical, rev }
            })
        }),
        _ => return Found::Answer(at_once(world, loads, caller, read, connection)),
    };
    match found {
        Ok(work) => Found::Work(work),
        Err(reason) => Found::Answer(refused(reason)),
    }
}

fn refused(reason: Reason) -> Outcome {
    Outcome::Failed(Failure::Refused(reason.into()))
}

/// Where the open tasks are.
enum Open {
    Found(Waiting),
    InPage(Page, Arc<User>),
}

impl Open {
    fn tasks(self) -> Waiting {
        match self {
            Open::Found(waiting) => waiting,
            Open::InPage(page, user) => Waiting::in_page(&page, &user),
        }
    }
}

/// The open tasks of the graph or of a branch; all that one waits for, if only the way to it is asked for.
fn open_tasks(
    world: &WorldAt,
    user: UserId,
    into: Option<NodeId>,
    root: Option<&Root>,
) -> Result<Open, Reason> {
    if let (Some(id), None) = (into, root) {
        return Waiting::below(world, user, id).map(Open::Found).ok_or(Reason::NodeNotFound);
    }
    let page = whole(world, user, root).ok_or(Reason::BranchNotFound)?;
    let is_there = |id: NodeId| page.nodes.iter().any(|seen| seen.node.id == id && seen.is_full());
    if into.is_some_and(|id| !is_there(id)) {
        return Err(Reason::NodeNotFound);
    }
    let who = world.user(user).map(|slot| Arc::clone(&slot.user)).ok_or(Reason::NodeNotFound)?;
    Ok(Open::InPage(page, who))
}

/// Answers what takes little more time than to find it.
fn at_once(
    world: &WorldAt,
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
            None => refused(Reason::BranchNotFound),
        },
        Read::Why { id } => match waiting::why(world, caller.user, id) {
            Some(why) => Outcome::Why { why, rev },
            None => refused(Reason::NodeNotFound),
        },
        Read::Grants { id } => match grants::grants(world, caller.user, id) {
            Ok(grants) => Outcome::Grants { grants, rev },
            Err(reason) => refused(reason),
        },
        Read::Account => match account(world, caller.user) {
            Some(account) => Outcome::Account { account: Box::new(account), rev },
            None => Outcome::Failed(Failure::Exception),
        },
        // Those above, the engine and the archive answer these.
        Read::Ready { .. } | Read::Critical { .. } | Read::Sync { .. } | Read::History { .. } => {
            Outcome::Failed(Failure::Exception)
        }
    }
}

/// A page of a branch: by its root, as the caller sees it, or by a public token, as anyone sees it.
fn branch_page(
    world: &WorldAt,
    loads: &Loads,
    holder: Holder,
    user: UserId,
    root: &Root,
    at: PageRequest,
) -> Option<Page> {
    let loaded = Loaded::Branch(root.clone());
    match root {
        Root::Token(token) if matches!(holder, Holder::OverRest(_)) => published_page(world, token, at),
        Root::Token(token) => {
            let root = published_root(world, token)?;
            Some(loads.page(world, holder, &loaded, at, || Load::of_publication(world, root)))
        }
        Root::Node(root) => {
            access::level(&**world, user, *root)?;
            Some(loads.page(world, holder, &loaded, at, || Load::of_branch(world, user, *root)))
        }
    }
}

/// All that a user sees of the graph or of a branch.
fn whole(world: &WorldAt, user: UserId, root: Option<&Root>) -> Option<Page> {
    match root {
        None => Some(visible(world, user)),
        Some(Root::Token(token)) => published_page(world, token, WHOLE),
        Some(Root::Node(root)) => {
            access::level(&**world, user, *root)?;
            Some(Load::of_branch(world, user, *root).next(world, usize::MAX))
        }
    }
}

/// Answers the read of a caller without an account.
pub(super) fn public(world: &WorldAt, read: &PublicRead) -> Outcome {
    match read.page {
        None => match published_page(world, &read.token, WHOLE) {
            Some(page) => Outcome::Snapshot { page, rev: world.rev(), anonymous: true },
            None => branch_answer(world, None, true),
        },
        Some(page) => branch_answer(world, published_page(world, &read.token, page), true),
    }
}

const WHOLE: PageRequest = PageRequest { limit: usize::MAX, offset: 0 };

/// A page of a publication, by its token. All its readers over REST share one list of it, so that a page costs what
/// it returns.
fn published_page(world: &WorldAt, token: &str, page: PageRequest) -> Option<Page> {
    let list = world.publications().list(world, published_root(world, token)?)?;
    Some(list.page(world, page.limit, page.offset))
}

fn branch_answer(world: &World, page: Option<Page>, anonymous: bool) -> Outcome {
    match page {
        Some(page) => Outcome::Branch { page, rev: world.rev(), anonymous },
        None => refused(Reason::BranchNotFound),
    }
}

fn account(world: &World, user: UserId) -> Option<Account> {
    // A branch token reads of its owner's account what it may know: what the owner gave on the token's nodes.
    let is_guest = world.is_guest(user);
    let slot = world.user(world.person(user))?;
    let with = |grant: &Arc<Grant>, other: UserId| -> Option<(Arc<Grant>, Arc<User>)> {
        Some((Arc::clone(grant), Arc::clone(&world.user(other)?.user)))
    };
    // A user who may no longer share a node no longer sees who has access to it.
    let placed = Placements::of(world, user, slot.given.iter().map(|(node, _)| *node));
    let may_share = |node: &NodeId| placed.level(*node).is_some_and(|level| level <= Level::Admin);
    let given = slot.given.iter().filter(|(node, _)| may_share(node));
    let given = given.filter_map(|(node, grantee)| world.grant(*node, *grantee));
    let given = given.filter(|grant| !world.is_guest(grant.user));
    let own = |id: &&NodeId| !is_guest && world.node(**id).is_some();
    let granted = slot.granted.iter().filter(own).filter_map(|node| world.grant(*node, user));
    let embeds: Vec<NodeId> = slot.embedded.iter().filter(own).copied().collect();
    Some(Account {
        user: Arc::clone(&slot.user),
        granted_by: given.filter_map(|grant| with(grant, grant.user)).collect(),
        granted_to: granted.filter_map(|grant| with(grant, grant.granted_by)).collect(),
        embeds,
    })
}
