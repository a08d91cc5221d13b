//! node:duplicate: a copy of a node, or of its branch with the links inside.

use super::node::{Place, link_under, place};
use super::{refuse_if, seen};
use crate::access::sees_link;
use crate::blocking::settle;
use crate::cover::Placements;
use crate::draft::Draft;
use crate::hash::{HashMap, HashSet, Keyed};
use crate::id::{IdSupply, LinkId, NodeId, UserId};
use crate::model::{Link, Node, Status};
use crate::refusal::{Reason, Refusal};
use crate::view::in_order_of_creation;
use crate::world::{Graph, World};
use std::collections::BTreeMap;
use std::sync::Arc;
use uuid::Uuid;

/// The input of node:duplicate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeDuplicate {
    /// The node to copy.
    pub id: NodeId,
    /// Whether to copy the node's branch with it.
    pub branch: bool,
    /// The node to link the copy to.
    pub target: Option<NodeId>,
    /// The ids that the client chose for copies, by the id of the original. All other copies get a new id.
    pub names: Option<BTreeMap<Uuid, Uuid>>,
}

/// The greatest number of nodes and links in one copy.
pub const COPIES_MAX: usize = 20_000;

/// The distance of a copy from its original in x and in y, in units of graph space.
const SHIFT: f64 = 40.0;

pub(super) fn duplicate(
    draft: &mut Draft<'_>,
    caller: UserId,
    asked: &NodeDuplicate,
    ids: &mut dyn IdSupply,
) -> Result<(), Refusal> {
    let (node, _) = seen(draft, caller, asked.id, Reason::NodeNotFound)?;
    let place = place(draft, caller, asked.target)?;
    refuse_if(node.in_trash, Reason::NodeInTrash)?;
    refuse_if(place.target_in_trash, Reason::TargetInTrash)?;
    let (nodes, links) = copied(draft.world(), caller, asked)?;
    let nodes = nodes.into_iter().filter_map(|id| draft.node(id).cloned()).collect::<Vec<_>>();
    let mut copy_of: HashMap<NodeId, NodeId> = HashMap::with_capacity_and_hasher(nodes.len(), Keyed);
    for node in &nodes {
        let id = NodeId(name(draft, asked, node.id.0, || ids.next_node().0)?);
        add_copy(draft, node, id, &place);
        copy_of.insert(node.id, id);
    }
    for link in links {
        let ends = copy_of.get(&link.source).copied().zip(copy_of.get(&link.target).copied());
        let Some((source, target)) = ends else { continue };
        let id = LinkId(name(draft, asked, link.id.0, || ids.next_link().0)?);
        add_link_copy(draft, caller, &link, id, source, target);
    }
    if let Some((target, level)) = place.under
        && let Some(copy) = copy_of.get(&asked.id)
    {
        link_under(draft, caller, *copy, target, level, ids);
    }
    let made = nodes.iter().filter_map(|node| copy_of.get(&node.id).copied());
    settle(draft, made.chain(asked.target));
    Ok(())
}

/// The nodes and links to copy, in order of creation: the node, or the part of its branch that the caller reaches through
/// nodes that they see in full; and the links between those nodes that the caller sees.
fn copied(
    world: &World,
    caller: UserId,
    asked: &NodeDuplicate,
) -> Result<(Vec<NodeId>, Vec<Arc<Link>>), Refusal> {
    let branch = match asked.branch {
        true => crate::access::branch(world, [asked.id]),
        false => HashSet::from_iter([asked.id]),
    };
    let placed = Placements::of(world, caller, branch.iter().copied());
    let mut reached = HashSet::from_iter([asked.id]);
    let mut waiting = vec![asked.id];
    let mut links = Vec::new();
    while let Some(id) = waiting.pop() {
        for link in world.active_links_down(id) {
            let level = placed.level(link.source);
            let inside = branch.contains(&link.source) && level.is_some();
            // Another user's private link is theirs alone, also where it holds a task of the caller's.
            let theirs = link.private && link.owner != caller;
            if !inside || theirs || !sees_link(caller, link, level, placed.level(id)) {
                continue;
            }
            links.push(Arc::clone(link));
            if !link.private && reached.insert(link.source) {
                waiting.push(link.source);
            }
        }
        refuse_if(reached.len() + links.len() > COPIES_MAX + 1, Reason::BatchTooLarge)?;
    }
    links.retain(|link| reached.contains(&link.source));
    refuse_if(reached.len() + links.len() > COPIES_MAX, Reason::BatchTooLarge)?;
    links.sort_unstable_by_key(|link| (link.seq, link.id));
    Ok((in_order_of_creation(world, reached), links))
}

/// The id that a copy gets.
fn name(
    draft: &Draft<'_>,
    asked: &NodeDuplicate,
    of: Uuid,
    new: impl FnOnce() -> Uuid,
) -> Result<Uuid, Refusal> {
    let Some(id) = asked.names.as_ref().and_then(|names| names.get(&of).copied()) else { return Ok(new()) };
    let made = draft.node(NodeId(id)).is_some() || draft.link(LinkId(id)).is_some();
    refuse_if(made || draft.world().id_taken(id), Reason::IdTaken)?;
    Ok(id)
}

fn add_copy(draft: &mut Draft<'_>, node: &Node, id: NodeId, place: &Place) {
    let seq = draft.take_seq();
    let made = Node::new(id, place.owner, draft.batch(), draft.now(), seq);
    let copy = Node {
        // The fields that users set are copied, except the status. All others are those of a new node.
        status: Status::Available,
        x: node.x + SHIFT,
        y: node.y + SHIFT,
        id,
        owner: place.owner,
        resume: made.resume,
        publication: None,
        in_trash: false,
        version: made.version,
        created: made.created,
        edited: made.edited,
        seq,
        last_batch: made.last_batch,
        ..node.clone()
    };
    draft.add_node_copy(node.id, copy);
}

fn add_link_copy(
    draft: &mut Draft<'_>,
    caller: UserId,
    link: &Link,
    id: LinkId,
    source: NodeId,
    target: NodeId,
) {
    let seq = draft.take_seq();
    let new = Link::new(id, caller, (source, target), draft.batch(), draft.now(), seq);
    let copy = Link { kind: link.kind, private: link.private, ..new };
    draft.add_link_copy(link.id, copy);
}
