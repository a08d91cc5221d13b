//! What nodes inherit from the nodes above them, computed for many nodes by one climb.
//!
//! A node inherits what it has itself and what any node above it inherits. Nodes in a cycle of secondary links are
//! above each other and inherit the same. The climb finds the cycles as it goes (Tarjan's algorithm), and
//! everything above a node is known before the climb leaves it. Each node and link is visited once, however many
//! nodes were given and however deep they are.

use crate::access::carries;
use crate::effort;
use crate::hash::HashMap;
use crate::id::NodeId;
use crate::model::{Link, Node};
use crate::world::{Graph, World};
use std::rc::Rc;
use std::sync::Arc;

/// Something a node inherits through the links to its targets. What comes by several links is joined.
pub(crate) trait Inherited: Clone {
    /// Whether joining the other into this would change nothing.
    fn holds(&self, other: &Self) -> bool;
    /// Joins the other into this.
    fn take_in(&mut self, other: &Self);
}

/// What a node inherits. Nodes that inherit the same usually share it.
pub(crate) type Reached<T> = Option<Rc<T>>;

/// Joins what comes another way into what a node inherits.
pub(crate) fn join<T: Inherited>(into: &mut Reached<T>, from: &Reached<T>) {
    match (into.as_mut(), from) {
        (_, None) => {}
        (None, Some(_)) => into.clone_from(from),
        (Some(into), Some(from)) if Rc::ptr_eq(into, from) || into.holds(from) => {}
        (Some(into), Some(from)) if from.holds(into) => into.clone_from(from),
        (Some(into), Some(from)) => Rc::make_mut(into).take_in(from),
    }
}

/// What each of the given nodes inherits, if every node has what `own` returns. The nodes may be in the trash, and
/// are judged by [`placement`](crate::access::placement). For active nodes that is their current position.
pub(crate) fn inherit<'w, T: Inherited>(
    world: &'w World,
    nodes: impl IntoIterator<Item = &'w Arc<Node>>,
    mut own: impl FnMut(&Arc<Node>) -> Option<T>,
) -> HashMap<NodeId, Reached<T>> {
    let mut climb = Climb::new(world);
    nodes.into_iter().map(|node| (node.id, climb.reach(node, &mut own))).collect()
}

struct Visit<'w, T> {
    node: &'w Arc<Node>,
    /// Its links up.
    up: &'w [Arc<Link>],
    reached: Reached<T>,
    /// How many of its links have been followed.
    followed: usize,
    /// The earliest visit known to be in a cycle with it.
    circle: usize,
    /// False once everything it inherits is known.
    open: bool,
}

/// A climb from one node after the other. What lies above several of them is visited once.
pub(crate) struct Climb<'w, T> {
    world: &'w World,
    met: HashMap<NodeId, usize>,
    visits: Vec<Visit<'w, T>>,
    /// Visits not yet closed, in order.
    open: Vec<usize>,
}

/// The next step of a climb at a node.
enum Step<'w> {
    Enter(&'w Arc<Node>),
    Leave,
}

impl<'w, T: Inherited> Climb<'w, T> {
    /// A climb that has not begun.
    pub(crate) fn new(world: &'w World) -> Self {
        Climb { world, met: HashMap::default(), visits: Vec::new(), open: Vec::new() }
    }

    /// Computes what a node inherits. Every call has the same `own`.
    pub(crate) fn reach(
        &mut self,
        start: &'w Arc<Node>,
        mut own: impl FnMut(&Arc<Node>) -> Option<T>,
    ) -> Reached<T> {
        let first = match self.met.get(&start.id) {
            Some(at) => *at,
            None => self.climb(start, &mut own),
        };
        self.visits.get(first).and_then(|visit| visit.reached.clone())
    }

    fn climb(&mut self, start: &'w Arc<Node>, own: &mut impl FnMut(&Arc<Node>) -> Option<T>) -> usize {
        let first = self.enter(start, own(start));
        let mut way = vec![first];
        while let Some(at) = way.last().copied() {
            match self.step(at) {
                Step::Enter(above) => way.push(self.enter(above, own(above))),
                Step::Leave => {
                    way.pop();
                    self.leave(at);
                    if let Some(below) = way.last() {
                        self.learn(*below, at);
                    }
                }
            }
        }
        first
    }

    fn enter(&mut self, node: &'w Arc<Node>, own: Option<T>) -> usize {
        let (at, up) = (self.visits.len(), self.world.up(node.id));
        self.met.insert(node.id, at);
        self.visits.push(Visit { node, up, reached: own.map(Rc::new), followed: 0, circle: at, open: true });
        self.open.push(at);
        at
    }

    /// Follows links up until one leads to an unvisited node.
    fn step(&mut self, at: usize) -> Step<'w> {
        while let Some(visit) = self.visits.get_mut(at) {
            let node = visit.node;
            let Some(link) = visit.up.get(visit.followed) else { return Step::Leave };
            effort::note();
            visit.followed += 1;
            if !carries(link, node) {
                continue;
            }
            // Most nodes above have been met, and need no look at the World.
            if let Some(other) = self.met.get(&link.target).copied() {
                // A climb never leaves its owner's nodes.
                if self.visits.get(other).is_some_and(|other| other.node.owner == node.owner) {
                    self.learn(at, other);
                }
                continue;
            }
            if let Some(above) = self.world.node(link.target).filter(|above| above.owner == node.owner) {
                return Step::Enter(above);
            }
        }
        Step::Leave
    }

    /// Notes that one visit reached another directly above it.
    fn learn(&mut self, at: usize, above: usize) {
        let Some((open, circle, reached)) =
            self.visits.get(above).map(|above| (above.open, above.circle, above.reached.clone()))
        else {
            return;
        };
        let Some(visit) = self.visits.get_mut(at) else { return };
        if open {
            // What the cycle inherits is joined when the cycle closes.
            visit.circle = visit.circle.min(circle);
        } else {
            join(&mut visit.reached, &reached);
        }
    }

    /// Leaves a visit whose links have all been followed. If it began a cycle, or is in none, every visit since that
    /// is still open closes with it.
    fn leave(&mut self, at: usize) {
        if self.visits.get(at).is_none_or(|visit| visit.circle != at) {
            return;
        }
        let since = self.open.partition_point(|open| *open < at);
        let members = self.open.split_off(since);
        let mut all: Reached<T> = None;
        for member in members.iter().filter_map(|member| self.visits.get(*member)) {
            join(&mut all, &member.reached);
        }
        for member in members {
            if let Some(visit) = self.visits.get_mut(member) {
                visit.open = false;
                visit.reached.clone_from(&all);
            }
        }
    }
}

/// A set of small numbers, one bit each.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Numbers(Vec<u64>);

impl Numbers {
    /// How many numbers fit in a word.
    pub(crate) const IN_A_WORD: usize = u64::BITS as usize;

    /// The set of one number.
    pub(crate) fn one(number: usize) -> Self {
        let mut numbers = Numbers::default();
        numbers.insert(number);
        numbers
    }

    /// Adds a number.
    pub(crate) fn insert(&mut self, number: usize) {
        let at = number / Self::IN_A_WORD;
        self.0.resize(self.0.len().max(at + 1), 0);
        if let Some(word) = self.0.get_mut(at) {
            *word |= 1 << (number % Self::IN_A_WORD);
        }
    }

    /// Whether the set is empty.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The numbers, the smallest first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = usize> {
        self.0.iter().enumerate().flat_map(|(at, word)| {
            let bits = (0..Self::IN_A_WORD).filter(move |bit| word >> bit & 1 == 1);
            bits.map(move |bit| at * Self::IN_A_WORD + bit)
        })
    }
}

impl Inherited for Numbers {
    fn holds(&self, other: &Self) -> bool {
        let words = || self.0.iter().zip(&other.0);
        self.0.len() >= other.0.len() && words().all(|(ours, theirs)| theirs & !ours == 0)
    }

    fn take_in(&mut self, other: &Self) {
        self.0.resize(self.0.len().max(other.0.len()), 0);
        self.0.iter_mut().zip(&other.0).for_each(|(ours, theirs)| *ours |= theirs);
    }
}
