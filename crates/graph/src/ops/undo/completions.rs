//! Gives back the completions that a cascade ended.

use super::{Chain, Step, unheld_status};
use crate::batch::{Batch, Change, Op, Subject};
use crate::blocking::settle_giving_back;
use crate::draft::{Cause, Draft};
use crate::hash::{HashMap, HashSet};
use crate::id::NodeId;
use crate::model::{Node, Status};
use crate::world::Graph;
use std::sync::Arc;

/// Settles what the steps have changed. It also completes again the nodes that the inverted batch's cascade had
/// reopened, where no status was set since and no node holds them in the end.
pub(super) fn give_back(
    draft: &mut Draft<'_>,
    chain: &Chain,
    steps: &[Step<'_>],
    unsettled: impl IntoIterator<Item = NodeId>,
) {
    // An undo inverts the latest redo and the batch that began the chain. A redo inverts the latest undo.
    let root = Some(&chain.root).filter(|_| !chain.undone);
    // What the root ended may have been given back by an undo since, and its status set after that. A node that
    // nothing has changed since was not.
    let since_root = chain.latest.is_some();
    let ended = chain.latest.iter().flat_map(ended_by).map(|after| (after, false));
    let ended = ended.chain(root.into_iter().flat_map(ended_by).map(|after| (after, since_root)));
    let mut seen: HashSet<NodeId> = steps.iter().filter_map(Step::status_of).collect();
    let mut given_back = Vec::new();
    for (after, unchanged) in ended.filter(|(after, _)| seen.insert(after.id)) {
        let stands = |now: &Arc<Node>| {
            unheld_status(now) == unheld_status(after) && (!unchanged || now.version == after.version)
        };
        if draft.world().node(after.id).is_some_and(stands) {
            given_back.push(after.id);
        }
    }
    complete_in_trash(draft, &given_back);
    settle_giving_back(draft, unsettled, &given_back);
}

/// The nodes whose completion the batch's own cascade ended, as the batch left them, causes first: what was complete before
/// the batch and is not after it. A batch may complete a node and reopen it.
fn ended_by(batch: &Batch) -> Vec<&Arc<Node>> {
    let nodes = batch.entries.iter().filter_map(|entry| match &entry.subject {
        Subject::Node(change) => Some((entry, change)),
        _ => None,
    });
    let mut before: HashMap<NodeId, Option<Status>> = HashMap::default();
    let mut left: HashMap<NodeId, &Arc<Node>> = HashMap::default();
    let mut ended = Vec::new();
    for (entry, Change { before: was, after }) in nodes {
        let Some(after) = after else { continue };
        let was = was.as_ref().map(|node| node.status);
        before.entry(after.id).or_insert(was);
        left.insert(after.id, after);
        if entry.derived && entry.op == Op::NodeStatus && was == Some(Status::Completed) {
            ended.push(after.id);
        }
    }
    let completed = |id: &NodeId| before.get(id) == Some(&Some(Status::Completed));
    let left = ended.into_iter().filter(completed).filter_map(|id| left.get(&id).copied());
    left.filter(|node| node.status != Status::Completed).collect()
}

/// A node that the steps have trashed is not held there. A node that was in the trash before is left alone, because
/// its last batch names its deletion group.
fn complete_in_trash(draft: &mut Draft<'_>, ended: &[NodeId]) {
    for id in ended {
        let went =
            draft.world().active_node(*id).is_some() && draft.node(*id).is_some_and(|node| node.in_trash);
        if went {
            draft.edit_node(Op::NodeStatus, Cause::Derived, *id, |node| {
                node.status = Status::Completed;
                node.resume = Status::Available;
            });
        }
    }
}

impl Step<'_> {
    /// The node whose status the step sets back.
    fn status_of(&self) -> Option<NodeId> {
        match self {
            Step::NodeStatus { to, .. } => Some(to.id),
            _ => None,
        }
    }

    /// Whether the step set back to Completed a node that is held in the end.
    pub(super) fn is_held_back(&self, draft: &Draft<'_>) -> bool {
        let Step::NodeStatus { to, .. } = self else { return false };
        let completes = unheld_status(to) == Status::Completed;
        completes && draft.active_node(to.id).is_some_and(|node| node.status != Status::Completed)
    }
}
