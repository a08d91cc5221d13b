//! Diffs as they are sent: in parts, and of a size that queues can be bounded by.

use graph::diff::{LinkChange, NodeChange};
use graph::node_fields::text_bytes;
use graph::view::{SeenNode, Sight};
use graph::{Diff, NodeId};
use std::ops::Deref;
use std::sync::Arc;

/// A whole diff, or one of the parts of a large one.
#[derive(Clone, Debug, PartialEq)]
pub struct DiffPart {
    /// The diff, or this part of it.
    pub diff: Diff,
    /// The number of this part, counted from 1, and the number of parts; `None` for a whole diff.
    pub part: Option<(usize, usize)>,
}

impl Deref for DiffPart {
    type Target = Diff;

    fn deref(&self) -> &Diff {
        &self.diff
    }
}

impl From<Diff> for DiffPart {
    fn from(diff: Diff) -> Self {
        DiffPart { diff, part: None }
    }
}

/// The approximate size of an entry in bytes, without its texts and share roots.
const ENTRY_BYTES: usize = 300;
/// The approximate size of an id in a list, in bytes.
const ID_BYTES: usize = 40;

impl DiffPart {
    /// Splits a diff into parts of at most `most` entries, to be applied in order. A small diff is its only part.
    pub fn split(diff: Diff, most: usize) -> Vec<Arc<DiffPart>> {
        if diff.len() <= most {
            return vec![Arc::new(diff.into())];
        }
        let parts = diff.len().div_ceil(most);
        let Diff { batch, rev, actor, at, lineage, nodes, links, user, access, mut copies } = diff;
        let (mut nodes, mut links) = (nodes.into_iter(), links.into_iter());
        let (mut user, mut access) = (user.into_iter(), access.into_iter());
        let one = |part| {
            let mut diff = Diff {
                batch,
                rev,
                actor: actor.clone(),
                at,
                lineage,
                nodes: nodes.by_ref().take(most).collect(),
                links: Vec::new(),
                user: Vec::new(),
                access: Vec::new(),
                // Only the first part is an answer.
                copies: std::mem::take(&mut copies),
            };
            diff.links = links.by_ref().take(most - diff.len()).collect();
            diff.user = user.by_ref().take(most - diff.len()).collect();
            diff.access = access.by_ref().take(most - diff.len()).collect();
            Arc::new(DiffPart { diff, part: Some((part, parts)) })
        };
        (1..=parts).map(one).collect()
    }

    /// Its approximate size in bytes when written, precise enough to bound a queue.
    pub fn bytes(&self) -> usize {
        let nodes: usize = self.nodes.iter().map(node_bytes).sum();
        let links: usize = self.links.iter().map(link_bytes).sum();
        let copies = self.copies.len() * 2 * ID_BYTES;
        ENTRY_BYTES + nodes + links + copies + (self.user.len() + self.access.len()) * ENTRY_BYTES
    }
}

fn node_bytes(change: &NodeChange) -> usize {
    ENTRY_BYTES
        + match change {
            NodeChange::Whole { seen, .. } | NodeChange::Deleted { before: seen } => whole_bytes(seen),
            NodeChange::Edited { before, after, roots, .. } => {
                text_bytes(before) + text_bytes(after) + roots_bytes(roots)
            }
            NodeChange::Access { roots, .. } => roots_bytes(roots),
            NodeChange::PhantomStatus { .. } | NodeChange::Faded { .. } | NodeChange::Hidden { .. } => 0,
        }
}

fn whole_bytes(seen: &SeenNode) -> usize {
    match &seen.sight {
        Sight::Full { roots, .. } => 2 * ENTRY_BYTES + text_bytes(&seen.node) + roots_bytes(roots),
        Sight::Phantom => 0,
    }
}

fn link_bytes(change: &LinkChange) -> usize {
    ENTRY_BYTES
        + match change {
            LinkChange::Whole { seen, .. } => roots_bytes(&seen.roots),
            LinkChange::Edited { roots, .. } => roots_bytes(roots),
            LinkChange::Hidden { .. } | LinkChange::Deleted { .. } => 0,
        }
}

fn roots_bytes(roots: &[NodeId]) -> usize {
    roots.len() * ID_BYTES
}
