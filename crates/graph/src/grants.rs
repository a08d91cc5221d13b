//! Who has access to a node, and by what.

use crate::access::{climb, placement};
use crate::cover::Placements;
use crate::id::{NodeId, UserId};
use crate::model::{Grant, Level, User};
use crate::refusal::Reason;
use crate::world::{Graph, World};
use std::sync::Arc;

/// How many grants are listed.
pub const GRANTS_MOST: usize = 1_000;

/// The grants that give access to a node.
#[derive(Clone, Debug, Default)]
pub struct Grants {
    /// Those on the node itself first; each by username.
    pub grants: Vec<SeenGrant>,
    /// Whether there are more of them.
    pub more: bool,
}

/// A grant, as somebody who may share the node sees it.
#[derive(Clone, Debug)]
pub struct SeenGrant {
    /// The grant.
    pub grant: Arc<Grant>,
    /// To whom it was given.
    pub user: Arc<User>,
    /// The node that it is on; `None` if whoever asks does not see that node.
    pub via: Option<NodeId>,
    /// Whether it is in force.
    pub in_force: bool,
}

/// The grants on a node, and those above it that cover it, in force or not.
///
/// # Errors
/// `node_not_found` without access, `no_permission` with access 2 or 3. A node in the trash is judged by placement.
pub fn grants(world: &World, user: UserId, id: NodeId) -> Result<Grants, Reason> {
    let node = world.node(id).ok_or(Reason::NodeNotFound)?;
    match placement(world, user, id) {
        None => return Err(Reason::NodeNotFound),
        Some(Level::Editor | Level::Viewer) => return Err(Reason::NoPermission),
        Some(Level::Owner | Level::Admin) => {}
    }
    let mut found: Vec<&Arc<Grant>> = Vec::new();
    climb(world, node, None, |root| {
        found.extend(world.grants_on(root.id).filter(|grant| root.id == id || grant.branch));
        true
    });
    let placed = Placements::of(world, user, found.iter().map(|grant| grant.node));
    let mut listed: Vec<SeenGrant> = Vec::new();
    for grant in found {
        let person = world.user(grant.user).filter(|slot| is_listed(&slot.user));
        let (Some(person), Some(root)) = (person, world.node(grant.node)) else { continue };
        let level = placed.level(root.id);
        let is_seen = if root.in_trash { level <= Some(Level::Admin) } else { true };
        listed.push(SeenGrant {
            grant: Arc::clone(grant),
            user: Arc::clone(&person.user),
            via: level.filter(|_| is_seen).map(|_| root.id),
            in_force: world.grant_counts(grant) && !root.in_trash,
        });
    }
    // Only by what is shown: the order and the number of grants tell nothing of nodes that are not seen.
    listed.sort_by_cached_key(|seen| seen.key(id));
    listed.dedup_by_key(|seen| seen.key(id));
    let more = listed.len() > GRANTS_MOST;
    listed.truncate(GRANTS_MOST);
    Ok(Grants { grants: listed, more })
}

/// Whether the grants to a user are listed: those to people are, those to the guest of a token are not.
fn is_listed(user: &User) -> bool {
    user.has_email()
}

impl SeenGrant {
    fn key(&self, node: NodeId) -> impl Ord + use<> {
        let SeenGrant { grant, user, via, in_force } = self;
        let (level, branch, due) = (grant.level, grant.branch, grant.due);
        let is_above = grant.node != node;
        let who = (user.username.to_lowercase(), user.id);
        (is_above, who, level, !in_force, !grant.showing, branch, due, *via)
    }
}
