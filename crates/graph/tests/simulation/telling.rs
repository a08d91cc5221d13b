//! What a diff may contain: never more than its receiver could read just before or just after.

use crate::model::Model;
use crate::model::view::{Seen, SeenNode};
use graph::batch::Op;
use graph::diff::{Diff, LinkChange, NodeChange, UserChange};
use graph::model::Level;
use graph::{LinkId, NodeId, UserId};
use std::collections::BTreeSet;

/// What one user could read at one moment.
pub struct Readable<'a> {
    pub model: &'a Model,
    pub seen: &'a Seen,
    pub trash: &'a (BTreeSet<NodeId>, BTreeSet<LinkId>),
}

impl Readable<'_> {
    pub fn full(&self, id: NodeId) -> bool {
        matches!(self.seen.nodes.get(&id), Some(SeenNode::Full { .. })) || self.trash.0.contains(&id)
    }

    fn node(&self, id: NodeId) -> bool {
        self.full(id) || self.seen.nodes.contains_key(&id)
    }

    fn link(&self, id: LinkId) -> bool {
        self.seen.links.contains_key(&id) || self.trash.1.contains(&id)
    }

    fn runs(&self, user: UserId, id: NodeId) -> bool {
        self.model.placement(user, id).is_some_and(|level| level <= Level::Admin)
    }
}

/// Checks one user's diff against what they could read before and after.
// Rules: P2, P6.
pub fn check(
    user: UserId,
    caller: Option<UserId>,
    diff: &Diff,
    before: &Readable<'_>,
    after: &Readable<'_>,
) -> Result<(), String> {
    if diff.is_empty() {
        return Err("told nothing".to_owned());
    }
    check_nodes(caller == Some(user), diff, before, after)?;
    check_links(caller == Some(user), diff, before, after)?;
    for change in &diff.user {
        let fine =
            match change {
                UserChange::Embed { user: told, .. } => told.id == user,
                UserChange::Renamed { after: told, .. } => {
                    told.id == user
                        || [before, after].iter().any(|readable| {
                            readable.seen.nodes.values().any(
                                |node| matches!(node, SeenNode::Full { node, .. } if node.owner == told.id),
                            )
                        })
                }
            };
        if !fine {
            return Err(format!("told of an account: {change:?}"));
        }
    }
    for change in &diff.access {
        let Some(grant) = change.after.as_ref().or(change.before.as_ref()) else { continue };
        let runs = before.runs(user, grant.node) || after.runs(user, grant.node);
        // Rules: Y11.
        let is_guest = after.model.guests.contains_key(&grant.user);
        if (grant.user != user && !runs) || is_guest {
            return Err(format!("told of a grant: {change:?}"));
        }
    }
    Ok(())
}

// Rules: P12, P14, V11.
fn check_nodes(own: bool, diff: &Diff, before: &Readable<'_>, after: &Readable<'_>) -> Result<(), String> {
    let mut shown = BTreeSet::new();
    let mut hidden = BTreeSet::new();
    let mut hides_began = false;
    for change in &diff.nodes {
        let full = |id: NodeId| before.full(id) || after.full(id);
        let (id, fine) = match change {
            NodeChange::Whole { seen, .. } if seen.is_full() => (seen.node.id, after.full(seen.node.id)),
            NodeChange::Whole { seen, .. } => (seen.node.id, after.node(seen.node.id)),
            NodeChange::Edited { after, .. } => (after.id, full(after.id)),
            NodeChange::Access { node, .. } => (node.id, full(node.id)),
            NodeChange::PhantomStatus { id, .. } => (*id, before.node(*id) || after.node(*id)),
            NodeChange::Faded { id, .. } => (*id, after.node(*id)),
            NodeChange::Hidden { id } => (*id, before.node(*id)),
            NodeChange::Deleted { before: gone } => (gone.node.id, own || before.full(gone.node.id)),
        };
        if !fine {
            return Err(format!("told of a node they cannot read: {change:?}"));
        }
        let is_hide = matches!(change, NodeChange::Hidden { .. } | NodeChange::Faded { .. });
        if hides_began && !is_hide && !matches!(change, NodeChange::Deleted { .. }) {
            return Err(format!("after what is hidden: {change:?}"));
        }
        hides_began |= is_hide;
        match change {
            NodeChange::Hidden { .. } => assert!(hidden.insert(id), "hidden twice"),
            NodeChange::Whole { op: Op::NodeShow | Op::NodeAccess, .. } => {
                assert!(shown.insert(id), "shown twice");
            }
            _ => {}
        }
        check_roots(change, after)?;
    }
    if shown.is_disjoint(&hidden) { Ok(()) } else { Err("both shown and hidden".to_owned()) }
}

/// The share roots sent with a node that stays in view are those that a load would send.
fn check_roots(change: &NodeChange, after: &Readable<'_>) -> Result<(), String> {
    let (id, roots) = match change {
        NodeChange::Whole { seen, .. } => match &seen.sight {
            graph::view::Sight::Full { roots, .. } => (seen.node.id, roots),
            graph::view::Sight::Phantom => return Ok(()),
        },
        NodeChange::Edited { after, roots, .. } => (after.id, roots),
        NodeChange::Access { node, roots, .. } => (node.id, roots),
        _ => return Ok(()),
    };
    match after.seen.nodes.get(&id) {
        Some(SeenNode::Full { share_roots, .. }) if !roots.iter().eq(share_roots.iter()) => {
            Err(format!("share roots {roots:?}, not {share_roots:?}: {change:?}"))
        }
        _ => Ok(()),
    }
}

fn check_links(own: bool, diff: &Diff, before: &Readable<'_>, after: &Readable<'_>) -> Result<(), String> {
    for change in &diff.links {
        let fine = match change {
            LinkChange::Whole { seen, .. } => after.link(seen.link.id),
            LinkChange::Edited { after: link, .. } => before.link(link.id) || after.link(link.id),
            LinkChange::Hidden { id } => before.link(*id),
            LinkChange::Deleted { before: gone } => own || before.link(gone.id),
        };
        if !fine {
            return Err(format!("told of a link they cannot read: {change:?}"));
        }
    }
    Ok(())
}
