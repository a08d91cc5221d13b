//! Off-graph changes: entries that no comparison of two views shows, because they are about deletions from the trash,
//! grants, embeds or users.

use crate::audience::Audience;
use crate::batch::{Batch, Change, Entry, Subject};
use crate::cover::{Standing, admitted, standings};
use crate::diff::{AccessChange, LinkChange, NodeChange, UserChange};
use crate::hash::{HashMap, HashSet};
use crate::id::{NodeId, UserId};
use crate::model::{Grant, Level, Link, Node, User};
use crate::trash;
use crate::world::{Graph, World};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A change outside the visible graph.
#[derive(Clone, PartialEq)]
pub(crate) enum OffGraphChange {
    Node(NodeChange),
    Link(LinkChange),
    User(UserChange),
    Access(AccessChange),
}

/// The off-graph changes of one user, by index in the batch.
type ByIndex = BTreeMap<usize, OffGraphChange>;

/// The off-graph changes by user and by index in the batch.
#[derive(Default)]
pub(crate) struct OffGraphChanges {
    /// Of each user, by index in the batch.
    pub(crate) by_user: HashMap<UserId, ByIndex>,
}

impl OffGraphChanges {
    /// Adds the changes that affect users as of now. It is called before the batch and again after it.
    pub(crate) fn collect(&mut self, world: &World, batch: &Batch, viewers: Audience<'_>) {
        let asked = batch.entries.iter().flat_map(|entry| nodes_to_place(world, &entry.subject));
        let asked: HashSet<NodeId> = asked.collect();
        let standings = standings(world, asked, viewers);
        for (index, entry) in batch.entries.iter().enumerate() {
            match &entry.subject {
                Subject::Node(Change { before: Some(node), after: None }) => {
                    let Some(standing) = standings.get(&node.id) else { continue };
                    self.node_deleted(world, batch.caller(), index, node, standing, viewers);
                }
                Subject::Link(Change { before: Some(link), after: None }) => {
                    let named_by = batch.caller().filter(|_| !entry.derived);
                    self.link_deleted(world, named_by, index, link, &standings, viewers);
                }
                Subject::Grant(change) => self.grant(world, index, entry, change, &standings, viewers),
                Subject::Embed(change) => {
                    let Some(embed) = change.latest() else { continue };
                    let Some(slot) = world.user(embed.user) else { continue };
                    let present = change.after.is_some();
                    let user = Arc::clone(&slot.user);
                    let change = UserChange::Embed { user, node: embed.node, present };
                    self.push(embed.user, index, OffGraphChange::User(change), viewers);
                }
                Subject::User(Change { before: Some(before), after: Some(after) })
                    if is_renamed(before, after) =>
                {
                    for user in who_sees_nodes_of(world, after.id, viewers) {
                        let (before, after) = (Arc::clone(before), Arc::clone(after));
                        self.push(
                            user,
                            index,
                            OffGraphChange::User(UserChange::Renamed { before, after }),
                            viewers,
                        );
                    }
                }
                _ => {}
            }
        }
    }

    /// The users with changes, each with a number that two of them share if their changes are equal.
    pub(crate) fn numbered(&self) -> impl Iterator<Item = (UserId, usize)> {
        // Most changes that differ are at different indices.
        let mut known: HashMap<Vec<usize>, Vec<(usize, &ByIndex)>> = HashMap::default();
        let mut next = 0..;
        self.by_user.iter().filter_map(move |(user, changes)| {
            let alike = known.entry(changes.keys().copied().collect()).or_default();
            let number = match alike.iter().find(|(_, known)| *known == changes) {
                Some((number, _)) => *number,
                None => {
                    let number = next.next()?;
                    alike.push((number, changes));
                    number
                }
            };
            Some((*user, number))
        })
    }

    fn push(&mut self, user: UserId, index: usize, change: OffGraphChange, viewers: Audience<'_>) {
        if viewers.contains(user) {
            // The change collected before the batch is kept: a removed user has another name afterwards.
            self.by_user.entry(user).or_default().entry(index).or_insert(change);
        }
    }

    /// A deletion goes to the caller and to users whose trash showed the node.
    fn node_deleted(
        &mut self,
        world: &World,
        caller: Option<UserId>,
        index: usize,
        node: &Arc<Node>,
        standing: &Standing,
        viewers: Audience<'_>,
    ) {
        for user in standing.users() {
            let Some(level) = standing.level(user) else { continue };
            if caller == Some(user) || trash::shows_node(node, Some(level)) {
                let before = trash::with_level(world, node, level);
                self.push(user, index, OffGraphChange::Node(NodeChange::Deleted { before }), viewers);
            }
        }
    }

    /// A deletion goes to users whose trash showed the link, and to the caller who named it. A deleted node at one
    /// end is not enough: the link may be another user's private link.
    fn link_deleted(
        &mut self,
        world: &World,
        named_by: Option<UserId>,
        index: usize,
        link: &Arc<Link>,
        standings: &HashMap<NodeId, Standing>,
        viewers: Audience<'_>,
    ) {
        if world.link(link.id).is_none() {
            return;
        }
        let level = |id: NodeId, user| standings.get(&id).and_then(|standing| standing.level(user));
        // Users whose trash showed it had access to its target.
        let users = standings.get(&link.target).into_iter().flat_map(Standing::users);
        let shown = users.filter(|user| {
            trash::shows_link(*user, link, level(link.source, *user), level(link.target, *user))
        });
        for user in shown.chain(named_by) {
            let before = Arc::clone(link);
            self.push(user, index, OffGraphChange::Link(LinkChange::Deleted { before }), viewers);
        }
    }

    /// A change of a grant goes to the grantee and to users with access ≤ 1 to the node.
    fn grant(
        &mut self,
        world: &World,
        index: usize,
        entry: &Entry,
        change: &Change<Arc<Grant>>,
        standings: &HashMap<NodeId, Standing>,
        viewers: Audience<'_>,
    ) {
        let Some(grant) = change.latest() else { return };
        // Nobody is told of the grant that a branch token is.
        let Some(grantee) = world.user(grant.user).filter(|slot| !slot.user.is_guest()) else { return };
        let standing = standings.get(&grant.node);
        let runs = |user: &UserId| {
            standing.and_then(|standing| standing.level(*user)).is_some_and(|level| level <= Level::Admin)
        };
        let running = standing.into_iter().flat_map(Standing::users).filter(runs);
        // A grant that is over with the batch that gave it is not for its grantee.
        let holds = world.grant(grant.node, grant.user).is_some();
        for user in running.chain(holds.then_some(grant.user)) {
            let (op, grantee) = (entry.op, Arc::clone(&grantee.user));
            let (before, after) = (change.before.clone(), change.after.clone());
            let change = OffGraphChange::Access(AccessChange { op, grantee, before, after });
            self.push(user, index, change, viewers);
        }
    }
}

/// The nodes whose placement decides who gets an off-graph change.
fn nodes_to_place(world: &World, subject: &Subject) -> impl Iterator<Item = NodeId> {
    let ids = match subject {
        Subject::Node(Change { before: Some(node), after: None }) => [Some(node.id), None],
        Subject::Link(Change { before: Some(link), after: None }) if world.link(link.id).is_some() => {
            [Some(link.source), Some(link.target)]
        }
        Subject::Grant(change) => [change.latest().map(|grant| grant.node), None],
        _ => [None, None],
    };
    ids.into_iter().flatten()
}

/// Whether others see a new name or email of the user from now on. The name that stands for a removed user is not
/// sent.
fn is_renamed(before: &User, after: &User) -> bool {
    !after.is_removed() && (&before.username, &before.email) != (&after.username, &after.email)
}

/// The user themselves, and every viewer with access to one of their nodes, which takes a share in force.
fn who_sees_nodes_of(world: &World, owner: UserId, viewers: Audience<'_>) -> HashSet<UserId> {
    let shared = world.user(owner).map(|slot| &slot.shared).into_iter().flatten();
    let shared = shared.filter_map(|id| world.active_node(*id));
    shared.flat_map(|root| admitted(world, root, viewers)).chain([owner]).collect()
}
