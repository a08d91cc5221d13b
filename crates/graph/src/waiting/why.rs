//! Why a task waits: everything open that it waits for, and where the chains of waiting end.

use super::{Holders, is_open};
use crate::hash::HashSet;
use crate::id::{NodeId, UserId};
use crate::model::{Node, Status};
use crate::world::World;
use std::sync::Arc;

/// How many blockers are listed, and how many ends of chains.
pub const WHY_MOST: usize = 1_000;
/// How many ids the chains may have together.
pub const CHAINS_MOST: usize = 20_000;

/// Why a task waits.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Why {
    /// Whether the task is held.
    pub held: bool,
    /// The open tasks that it waits for, the nearest first.
    pub blockers: Vec<NodeId>,
    /// Where chains end, the nearest first.
    pub frontier: Vec<End>,
    /// Whether anything was left out.
    pub more: bool,
}

/// A task at the end of a chain: it can be worked on now, or the user sees it only as a phantom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct End {
    /// The task.
    pub id: NodeId,
    /// Whether it is a phantom.
    pub is_phantom: bool,
    /// A shortest way to it: from the task that waits to this one, each waiting for the next.
    pub chain: Vec<NodeId>,
}

/// Why a task waits; `None` if the user has no access to it.
pub fn why(world: &World, user: UserId, id: NodeId) -> Option<Why> {
    let mut holders = Holders::of(world, user);
    let (start, _) = holders.start(id)?;
    let held = start.status == Status::Blocked;
    let mut search = Search { reached: vec![Reached { node: start, from: 0 }], ..Search::default() };
    let mut met: HashSet<NodeId> = HashSet::from_iter([id]);
    let mut layer = vec![0];
    while !layer.is_empty() && !search.has_enough() {
        layer = search.next_layer(&mut holders, &mut met, layer);
    }
    let more = search.ends.len() > WHY_MOST || search.reached.len() > WHY_MOST + 1;
    let blockers = search.reached.iter().skip(1).take(WHY_MOST).map(|reached| reached.node.id).collect();
    let mut why = Why { held, blockers, frontier: Vec::new(), more };
    let mut ids = 0;
    for (at, is_phantom) in search.ends.iter().copied().take(WHY_MOST) {
        let chain = search.chain(at);
        ids += chain.len();
        if ids > CHAINS_MOST {
            why.more = true;
            break;
        }
        let Some(end) = chain.last() else { continue };
        why.frontier.push(End { id: *end, is_phantom, chain });
    }
    Some(why)
}

struct Reached<'w> {
    node: &'w Arc<Node>,
    /// The number of the task that waits for it, and by which it was reached.
    from: usize,
}

/// A search from a task downwards, the nearest first.
#[derive(Default)]
struct Search<'w> {
    /// First the task itself.
    reached: Vec<Reached<'w>>,
    /// The numbers of those at the end of a chain, each with whether it is a phantom.
    ends: Vec<(usize, bool)>,
}

impl<'w> Search<'w> {
    /// Whether whatever is farther away would be left out.
    fn has_enough(&self) -> bool {
        self.reached.len() > WHY_MOST + 1 && self.ends.len() > WHY_MOST
    }

    /// Reaches what the tasks of a layer wait for. Returns those of the new layer from which it goes on.
    fn next_layer(
        &mut self,
        holders: &mut Holders<'w>,
        met: &mut HashSet<NodeId>,
        layer: Vec<usize>,
    ) -> Vec<usize> {
        let mut found = Vec::new();
        for from in layer {
            let Some(node) = self.reached.get(from).map(|reached| reached.node) else { continue };
            for (source, level) in holders.of_task(node) {
                if met.insert(source.id) {
                    found.push((source.seq, source.id, level.is_some(), Reached { node: source, from }));
                }
            }
        }
        found.sort_unstable_by_key(|(seq, id, ..)| (*seq, *id));
        let mut next = Vec::new();
        for (.., is_full, reached) in found {
            let at = self.reached.len();
            match (is_full, reached.node.status) {
                (true, Status::Blocked) => next.push(at),
                (true, _) => self.ends.push((at, false)),
                (false, _) => self.ends.push((at, true)),
            }
            debug_assert!(is_open(reached.node));
            self.reached.push(reached);
        }
        next
    }

    /// The way to a task that was reached.
    fn chain(&self, end: usize) -> Vec<NodeId> {
        let mut chain = Vec::new();
        let mut at = end;
        while let Some(reached) = self.reached.get(at) {
            chain.push(reached.node.id);
            if at == 0 {
                break;
            }
            at = reached.from;
        }
        chain.reverse();
        chain
    }
}
