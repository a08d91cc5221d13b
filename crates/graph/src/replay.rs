//! The answer to a request that was carried out before: its batch, as far as the caller may still see it.

use crate::access::{Cover, covers, placement, sees_link, shared_roots};
use crate::batch::{Batch, Change, Op, Subject};
use crate::diff::{AccessChange, Diff, LinkChange, NodeChange, UserChange};
use crate::id::{NodeId, UserId};
use crate::model::{Grant, Level, Link, Node, Rev};
use crate::trash;
use crate::view::{SeenLink, Sight};
use crate::world::{Graph, World};
use std::collections::HashMap;
use std::sync::Arc;

/// What the batch, committed at `rev`, tells its actor today. Entries on what they have lost sight of since are left out;
/// of what was deleted for good, their own deletions are told again.
pub fn replay(world: &World, batch: &Batch, rev: Rev, user: UserId) -> Diff {
    let mut diff = Diff::empty(world, Some(batch));
    diff.rev = rev;
    if batch.entries.is_empty() {
        diff.batch = None;
    }
    let shared = Shared::at(world, batch, user);
    for entry in &batch.entries {
        match &entry.subject {
            Subject::Node(change) => diff.nodes.extend(node(world, user, entry.op, change, &shared)),
            Subject::Link(change) => diff.links.extend(link(world, batch, user, entry.op, change, &shared)),
            Subject::Grant(change) => diff.access.extend(grant(world, user, entry.op, change)),
            Subject::Embed(change) => {
                if let Some(embed) = change.latest().filter(|embed| embed.user == user)
                    && let Some(slot) = world.user(user)
                {
                    let present = change.after.is_some();
                    let user = Arc::clone(&slot.user);
                    diff.user.push(UserChange::Embed { user, node: embed.node, present });
                }
            }
            Subject::User(Change { before: Some(before), after: Some(after) }) if after.id == user => {
                let (before, after) = (Arc::clone(before), Arc::clone(after));
                diff.user.push(UserChange::Renamed { before, after });
            }
            Subject::User(_) | Subject::Token(_) => {}
        }
    }
    diff
}

/// Through which share roots the caller is shown what the batch touched, as of today.
struct Shared {
    user: UserId,
    covers: HashMap<NodeId, Arc<Cover>>,
}

impl Shared {
    fn at(world: &World, batch: &Batch, user: UserId) -> Self {
        let ids = batch.entries.iter().flat_map(|entry| match &entry.subject {
            Subject::Node(change) => [change.latest().map(|node| node.id), None],
            Subject::Link(change) => {
                [change.latest().map(|link| link.source), change.latest().map(|link| link.target)]
            }
            _ => [None, None],
        });
        Shared { user, covers: covers(world, ids.flatten(), &|other| other == user) }
    }

    fn node(&self, id: NodeId) -> Vec<NodeId> {
        self.covers.get(&id).map_or_else(Vec::new, |cover| cover.roots_for(self.user).to_vec())
    }

    fn link(&self, link: &Link) -> Vec<NodeId> {
        let ends = self.covers.get(&link.source).zip(self.covers.get(&link.target));
        ends.map_or_else(Vec::new, |(source, target)| shared_roots(source, target, self.user))
    }
}

fn node(
    world: &World,
    user: UserId,
    op: Op,
    change: &Change<Arc<Node>>,
    shared: &Shared,
) -> Option<NodeChange> {
    match (&change.before, &change.after) {
        (Some(before), None) if before.owner == user => {
            Some(NodeChange::Deleted { before: trash::with_level(world, before, Level::Owner) })
        }
        (_, Some(after)) => {
            let level = placement(world, user, after.id)?;
            match &change.before {
                Some(before) if op != Op::NodeRestore => {
                    let (before, after) = (Arc::clone(before), Arc::clone(after));
                    let roots = shared.node(after.id);
                    Some(NodeChange::Edited { op, before, after, level, roots })
                }
                _ => {
                    let mut seen = trash::with_level(world, after, level);
                    seen.sight = Sight::Full { level, roots: shared.node(after.id) };
                    Some(NodeChange::Whole { op, seen })
                }
            }
        }
        _ => None,
    }
}

fn link(
    world: &World,
    batch: &Batch,
    user: UserId,
    op: Op,
    change: &Change<Arc<Link>>,
    shared: &Shared,
) -> Option<LinkChange> {
    // What is still there is judged as it is now: it may be private meanwhile, or gone for good.
    let told = change.latest()?;
    let link = if change.after.is_some() { world.link(told.id)? } else { told };
    let source = placement(world, user, link.source);
    let target = placement(world, user, link.target);
    // Their own link that went with a node is told again while they see its other end, as it was then.
    let seen_or_deleted = |id: NodeId, level: Option<Level>| level.is_some() || deletes(batch, id);
    let gone_with_its_end = change.after.is_none()
        && link.owner == user
        && seen_or_deleted(link.source, source)
        && seen_or_deleted(link.target, target);
    if !gone_with_its_end && !sees_link(user, link, source, target) {
        return None;
    }
    match (&change.before, &change.after) {
        (Some(before), None) => Some(LinkChange::Deleted { before: Arc::clone(before) }),
        (Some(before), Some(after)) if op != Op::LinkRestore => {
            let (before, after) = (Arc::clone(before), Arc::clone(after));
            let roots = shared.link(&after);
            Some(LinkChange::Edited { op, before, after, roots })
        }
        (_, Some(after)) => {
            let seen = SeenLink { link: Arc::clone(after), roots: shared.link(after) };
            Some(LinkChange::Whole { op, seen })
        }
        (None, None) => None,
    }
}

fn deletes(batch: &Batch, id: NodeId) -> bool {
    batch.entries.iter().any(|entry| match &entry.subject {
        Subject::Node(Change { before: Some(node), after: None }) => node.id == id,
        _ => false,
    })
}

fn grant(world: &World, user: UserId, op: Op, change: &Change<Arc<Grant>>) -> Option<AccessChange> {
    let grant = change.latest()?;
    let runs = placement(world, user, grant.node).is_some_and(|level| level <= Level::Admin);
    let grantee = Arc::clone(&world.user(grant.user)?.user);
    let told = AccessChange { op, grantee, before: change.before.clone(), after: change.after.clone() };
    (grant.user == user || runs).then_some(told)
}
