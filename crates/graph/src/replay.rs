//! The answer to a request that was carried out before: its batch, as far as the caller may still see it.

use crate::access::{placement, sees_link};
use crate::batch::{Batch, Change, Op, Subject};
use crate::diff::{AccessChange, Diff, LinkChange, NodeChange, UserChange};
use crate::id::UserId;
use crate::model::{Grant, Level, Link, Node, Rev};
use crate::trash;
use crate::view::SeenLink;
use crate::world::World;
use std::sync::Arc;

/// What the batch, committed at `rev`, tells its actor today. Entries on what they have lost sight of since are left out;
/// of what was deleted for good, their own deletions are told again.
pub fn replay(world: &World, batch: &Batch, rev: Rev, user: UserId) -> Diff {
    let mut diff = Diff::empty(world, Some(batch));
    diff.rev = rev;
    if batch.entries.is_empty() {
        diff.batch = None;
    }
    for entry in &batch.entries {
        match &entry.subject {
            Subject::Node(change) => diff.nodes.extend(node(world, user, entry.op, change)),
            Subject::Link(change) => diff.links.extend(link(world, user, entry.op, change)),
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

fn node(world: &World, user: UserId, op: Op, change: &Change<Arc<Node>>) -> Option<NodeChange> {
    match (&change.before, &change.after) {
        (Some(before), None) if before.owner == user => {
            Some(NodeChange::Deleted { before: trash::with_level(world, before, Level::Owner) })
        }
        (_, Some(after)) => {
            let level = placement(world, user, after.id)?;
            match &change.before {
                Some(before) if op != Op::NodeRestore => {
                    let (before, after) = (Arc::clone(before), Arc::clone(after));
                    Some(NodeChange::Edited { op, before, after, level, roots: Vec::new() })
                }
                _ => Some(NodeChange::Whole { op, seen: trash::with_level(world, after, level) }),
            }
        }
        _ => None,
    }
}

fn link(world: &World, user: UserId, op: Op, change: &Change<Arc<Link>>) -> Option<LinkChange> {
    let link = change.latest()?;
    let source = placement(world, user, link.source);
    let target = placement(world, user, link.target);
    let gone_with_its_end = change.after.is_none() && link.owner == user;
    if !gone_with_its_end && !sees_link(user, link, source, target) {
        return None;
    }
    match (&change.before, &change.after) {
        (Some(before), None) => Some(LinkChange::Deleted { before: Arc::clone(before) }),
        (Some(before), Some(after)) if op != Op::LinkRestore => {
            let (before, after) = (Arc::clone(before), Arc::clone(after));
            Some(LinkChange::Edited { op, before, after, roots: Vec::new() })
        }
        (_, Some(after)) => {
            let seen = SeenLink { link: Arc::clone(after), roots: Vec::new() };
            Some(LinkChange::Whole { op, seen })
        }
        (None, None) => None,
    }
}

fn grant(world: &World, user: UserId, op: Op, change: &Change<Arc<Grant>>) -> Option<AccessChange> {
    let grant = change.latest()?;
    let runs = placement(world, user, grant.node).is_some_and(|level| level <= Level::Admin);
    let grantee = Arc::clone(&world.user(grant.user)?.user);
    let told = AccessChange { op, grantee, before: change.before.clone(), after: change.after.clone() };
    (grant.user == user || runs).then_some(told)
}
