//! Blocking: after every batch, an active node is Blocked if and only if it is held.
//!
//! A node is **held** when it is active, not independent, and some active primary link leads to it from a node that
//! is not completed.

use crate::batch::Op;
use crate::blockers::{Blockers, is_open};
use crate::draft::{Cause, Draft};
use crate::hash::{HashMap, HashSet};
use crate::id::{LinkId, NodeId};
use crate::model::{Link, Node, Status};
use crate::world::Graph;
use smallvec::SmallVec;
use std::collections::VecDeque;
use std::sync::Arc;

/// Whether the node is held, by the current statuses in the graph.
pub fn is_held(graph: &impl Graph, node: &Node) -> bool {
    !node.in_trash && !node.independent && graph.blockers(node.id).open > 0
}

/// Updates statuses and `wasBlocker` to match what is held. It starts at nodes whose blockers changed and climbs as
/// far as statuses change. Entries are written causes first, each changed node once.
pub fn settle(draft: &mut Draft<'_>, begin: impl IntoIterator<Item = NodeId>) {
    settle_giving_back(draft, begin, &[]);
}

/// [`settle`], which also gives completions back: each of these nodes becomes completed again unless it is held in
/// the end. In `ended` causes should come before effects.
pub fn settle_giving_back(draft: &mut Draft<'_>, begin: impl IntoIterator<Item = NodeId>, ended: &[NodeId]) {
    let mut cascade = Cascade::default();
    cascade.give_back(draft, ended);
    for node in begin {
        cascade.look_at(node, 0);
    }
    cascade.weigh_all(draft);
    cascade.write(draft);
    mark(draft);
}

/// Statuses that are computed but not written: a node may be freed and held again before the cascade ends.
#[derive(Default)]
struct Cascade {
    waiting: VecDeque<NodeId>,
    weighed: HashMap<NodeId, Weighed>,
    changes: usize,
}

#[derive(Clone, Copy, Default)]
struct Weighed {
    /// Whether it waits to be weighed.
    queued: bool,
    /// How many more open blockers it has, by the statuses that are settled, than in the draft.
    more: i32,
    /// Status, resume status, and when they last changed.
    settled: Option<(Status, Status, usize)>,
}

impl Weighed {
    fn status(&self, node: &Node) -> (Status, Status) {
        self.settled.map_or((node.status, node.resume), |(status, resume, _)| (status, resume))
    }

    fn is_held(&self, draft: &Draft<'_>, node: &Node) -> bool {
        !node.independent && draft.blockers(node.id).open + self.more > 0
    }
}

impl Cascade {
    /// Lets a node wait to be weighed, with so many more open blockers.
    fn look_at(&mut self, node: NodeId, more: i32) {
        let weighed = self.weighed.entry(node).or_default();
        weighed.more += more;
        if !std::mem::replace(&mut weighed.queued, true) {
            self.waiting.push_back(node);
        }
    }

    fn is_held(&self, draft: &Draft<'_>, node: &Node) -> bool {
        self.weighed.get(&node.id).copied().unwrap_or_default().is_held(draft, node)
    }

    /// Completes the nodes of `ended` that no open node holds, and those that wait only for such nodes. It reopens
    /// nothing: weighing all nodes does that afterwards, and takes back what was completed here too early. A
    /// completed node that waits for one of `ended` is thus not reopened in between.
    fn give_back(&mut self, draft: &Draft<'_>, ended: &[NodeId]) {
        let open = |id: &NodeId| draft.active_node(*id).filter(|node| node.status != Status::Completed);
        let free = |id: &NodeId| open(id).is_some_and(|node| !self.is_held(draft, node));
        let mut free: VecDeque<NodeId> = ended.iter().copied().filter(free).collect();
        let mut left: HashSet<NodeId> = ended.iter().copied().filter(|id| open(id).is_some()).collect();
        free.iter().for_each(|id| {
            left.remove(id);
        });
        while let Some(id) = free.pop_front() {
            self.changes += 1;
            let settled = Some((Status::Completed, Status::Available, self.changes));
            self.weighed.entry(id).or_default().settled = settled;
            self.look_at(id, 0);
            for above in targets(draft, id) {
                self.look_at(above, -1);
                let held = || draft.node(above).is_some_and(|node| self.is_held(draft, node));
                if left.contains(&above) && !held() {
                    left.remove(&above);
                    free.push_back(above);
                }
            }
        }
    }

    /// Weighs every waiting node, and those that wait because of it.
    fn weigh_all(&mut self, draft: &Draft<'_>) {
        while let Some(id) = self.waiting.pop_front() {
            let Some(weighed) = self.weighed.get_mut(&id) else { continue };
            weighed.queued = false;
            let Some(node) = draft.active_node(id) else { continue };
            let (status, resume) = weighed.status(node);
            let (status_next, resume_next) = match (weighed.is_held(draft, node), status) {
                (true, Status::Blocked)
                | (false, Status::Available | Status::InProgress | Status::Completed) => continue,
                (true, Status::InProgress) => (Status::Blocked, Status::InProgress),
                (true, Status::Available | Status::Completed) => (Status::Blocked, Status::Available),
                (false, Status::Blocked) => (resume, Status::Available),
            };
            self.changes += 1;
            weighed.settled = Some((status_next, resume_next, self.changes));
            if status == Status::Completed {
                for above in targets(draft, id) {
                    self.look_at(above, 1);
                }
            }
        }
    }

    fn write(self, draft: &mut Draft<'_>) {
        let settled = |(id, weighed): (NodeId, Weighed)| weighed.settled.map(|settled| (id, settled));
        let mut changed: Vec<_> = self.weighed.into_iter().filter_map(settled).collect();
        changed.sort_unstable_by_key(|(_, (.., when))| *when);
        for (id, (status, resume, _)) in changed {
            if draft.node(id).is_some_and(|node| node.status != status) {
                draft.edit_node(Op::NodeStatus, Cause::Derived, id, |node| {
                    node.status = status;
                    node.resume = resume;
                });
            }
        }
    }
}

/// The nodes that wait for this one, oldest link first.
pub fn targets<G: Graph>(graph: &G, id: NodeId) -> impl Iterator<Item = NodeId> + use<G> {
    let mut links: SmallVec<[(u64, NodeId); 4]> = SmallVec::new();
    let primary = graph.active_links_up(id).filter(|link| link.is_primary());
    links.extend(primary.map(|link| (link.seq, link.target)));
    links.sort_unstable();
    links.into_iter().map(|(_, target)| target)
}

/// Marks the links that have come to hold their target, and unmarks links to nodes that were completed. Only links
/// that changed, or at an end that did, are looked at.
fn mark(draft: &mut Draft<'_>) {
    for id in draft.links_written().collect::<Vec<_>>() {
        if let Some(was_blocker) = draft.link(id).and_then(|link| turns(draft, link)) {
            draft.set_was_blocker(id, was_blocker);
        }
    }
    for id in draft.opened().to_vec() {
        let turning = turning(draft, draft.active_links_up(id));
        turn(draft, turning);
    }
    for id in draft.exposed().to_vec() {
        let Blockers { unmarked, marked, .. } = draft.blockers(id);
        let any = |node: &Node| match node.status {
            Status::Completed => marked > 0,
            _ => unmarked > 0,
        };
        if draft.active_node(id).is_some_and(|node| any(node)) {
            let turning = turning(draft, draft.active_links_down(id));
            turn(draft, turning);
        }
    }
}

/// Those of some links whose `wasBlocker` changes, the oldest first.
fn turning<'d>(draft: &Draft<'_>, links: impl Iterator<Item = &'d Arc<Link>>) -> Vec<(u64, LinkId, bool)> {
    let turning = links.filter_map(|link| Some((link.seq, link.id, turns(draft, link)?)));
    let mut turning: Vec<_> = turning.collect();
    turning.sort_unstable();
    turning
}

fn turn(draft: &mut Draft<'_>, turning: Vec<(u64, LinkId, bool)>) {
    for (_, link, was_blocker) in turning {
        draft.set_was_blocker(link, was_blocker);
    }
}

/// What `wasBlocker` of a link becomes, if that changes: true if it holds its target, false if that is completed.
fn turns(draft: &Draft<'_>, link: &Link) -> Option<bool> {
    if link.in_trash || !link.is_primary() {
        return None;
    }
    let target = draft.active_node(link.target)?;
    let holds = || !target.independent && draft.node(link.source).is_some_and(|node| is_open(node));
    match link.was_blocker {
        false => holds().then_some(true),
        true => (target.status == Status::Completed && !holds()).then_some(false),
    }
}

/// The path by which `source` already waits for `target`, if a primary link source → target would close a cycle:
/// target, the node that waits for it, … , source. It follows links from both ends in turn, so it costs no more than
/// the smaller side, however many links there are at one node.
pub fn cycle(graph: &impl Graph, source: NodeId, target: NodeId) -> Option<Vec<NodeId>> {
    if source == target {
        return Some(vec![source]);
    }
    let mut up = Search::new(target, |node| Way::Up.follow(graph, node));
    let mut down = Search::new(source, |node| Way::Down.follow(graph, node));
    loop {
        let met = up.follow()?.filter(|next| down.reached(*next));
        let met = match met {
            Some(next) => Some(next),
            None => down.follow()?.filter(|next| up.reached(*next)),
        };
        if let Some(meeting) = met {
            return Some(join(up.path_from(meeting), down.path_from(meeting)));
        }
    }
}

/// Of primary links that come back together, those that may close a cycle if all of them do: from both their ends one
/// comes to a cycle. One walk over what waits for their sources, once for all of them.
pub fn suspects(graph: &impl Graph, returning: &[Arc<Link>]) -> HashSet<LinkId> {
    let mut above: HashMap<NodeId, Vec<NodeId>> = HashMap::default();
    for link in returning.iter().filter(|link| link.is_primary()) {
        above.entry(link.source).or_default().push(link.target);
    }
    let mut waiting: Vec<NodeId> = above.keys().copied().collect();
    let mut below: HashMap<NodeId, Vec<NodeId>> = HashMap::default();
    let mut left: HashMap<NodeId, usize> = HashMap::default();
    while let Some(node) = waiting.pop() {
        if left.contains_key(&node) {
            continue;
        }
        let targets = Way::Up.follow(graph, node).chain(above.remove(&node).unwrap_or_default());
        let targets: Vec<NodeId> = targets.collect();
        left.insert(node, targets.len());
        for target in targets {
            below.entry(target).or_default().push(node);
            waiting.push(target);
        }
    }
    // What leads nowhere is on no cycle, nor is what then leads nowhere any more.
    let mut done: Vec<NodeId> = left.iter().filter(|(_, left)| **left == 0).map(|(node, _)| *node).collect();
    while let Some(node) = done.pop() {
        left.remove(&node);
        for source in below.remove(&node).unwrap_or_default() {
            if let Some(count) = left.get_mut(&source) {
                *count -= 1;
                if *count == 0 {
                    done.push(source);
                }
            }
        }
    }
    let suspect = |link: &&Arc<Link>| link.is_primary() && left.contains_key(&link.target);
    returning.iter().filter(suspect).map(|link| link.id).collect()
}

/// Decides, for primary links that return one after the other to a node that had none, which of them would close a
/// cycle. Such a cycle enters by one of the links and leaves by another, so only what the sources wait for and what
/// waits for the targets counts. Both sides are explored once for all links, in turn and no further than needed:
/// not at all while all links lead the same way.
#[derive(Default)]
pub struct Returning {
    /// What waits for the node by the links admitted so far.
    above: Side,
    /// What the node waits for by the links admitted so far.
    below: Side,
}

/// One side of a node. It shares no node with the other side.
#[derive(Default)]
struct Side {
    reached: HashSet<NodeId>,
    /// Reached, but not explored further.
    waiting: Vec<NodeId>,
}

/// The direction in which primary links are followed.
#[derive(Clone, Copy)]
enum Way {
    Up,
    Down,
}

impl Way {
    /// Where the primary links of a node lead in this direction.
    fn follow<G: Graph>(self, graph: &G, node: NodeId) -> impl Iterator<Item = NodeId> {
        let up = matches!(self, Way::Up).then(|| graph.active_links_up(node)).into_iter().flatten();
        let down = matches!(self, Way::Down).then(|| graph.active_links_down(node)).into_iter().flatten();
        let up = up.filter(|link| link.is_primary()).map(|link| link.target);
        up.chain(down.filter(|link| link.is_primary()).map(|link| link.source))
    }
}

impl Returning {
    /// Whether a link with the node as its source may return. If so, it counts from then on.
    pub fn lets_out(&mut self, graph: &impl Graph, target: NodeId) -> bool {
        let_through(graph, Way::Up, target, &mut self.above, &mut self.below)
    }

    /// Whether a link with the node as its target may return. If so, it counts from then on.
    pub fn lets_in(&mut self, graph: &impl Graph, source: NodeId) -> bool {
        let_through(graph, Way::Down, source, &mut self.below, &mut self.above)
    }
}

/// Adds a node, and what it leads to in that direction, to a side, unless that would meet the other side.
fn let_through(graph: &impl Graph, way: Way, node: NodeId, side: &mut Side, other: &mut Side) -> bool {
    let back = match way {
        Way::Up => Way::Down,
        Way::Down => Way::Up,
    };
    if other.reached.contains(&node) {
        return false;
    }
    if side.reached.contains(&node) {
        return true;
    }
    let mut fresh = Side { reached: HashSet::from_iter([node]), waiting: vec![node] };
    // Once either side has nothing left to explore, the two do not meet.
    while !other.waiting.is_empty() {
        let Some(next) = fresh.waiting.pop() else { break };
        for reached in way.follow(graph, next) {
            if other.reached.contains(&reached) {
                return false;
            }
            if !side.reached.contains(&reached) && fresh.reached.insert(reached) {
                fresh.waiting.push(reached);
            }
        }
        let Some(next) = other.waiting.pop() else { break };
        let mut met = false;
        for reached in back.follow(graph, next) {
            met |= fresh.reached.contains(&reached);
            if other.reached.insert(reached) {
                other.waiting.push(reached);
            }
        }
        if met {
            return false;
        }
    }
    side.reached.extend(fresh.reached);
    side.waiting.extend(fresh.waiting);
    true
}

/// A search from a node, one link after the other.
struct Search<L, F> {
    came_from: HashMap<NodeId, NodeId>,
    waiting: VecDeque<NodeId>,
    start: NodeId,
    /// A node, and where those of its links lead that have not been followed yet.
    following: Option<(NodeId, L)>,
    links: F,
}

impl<L: Iterator<Item = NodeId>, F: FnMut(NodeId) -> L> Search<L, F> {
    fn new(start: NodeId, links: F) -> Self {
        let waiting = VecDeque::from([start]);
        Search { came_from: HashMap::default(), waiting, start, following: None, links }
    }

    /// Follows one link more: the node it leads to, if that is new. `None` once there is no link left.
    fn follow(&mut self) -> Option<Option<NodeId>> {
        loop {
            if let Some((from, links)) = &mut self.following
                && let Some(next) = links.next()
            {
                let from = *from;
                return Some(self.reach(next, from).then_some(next));
            }
            let node = self.waiting.pop_front()?;
            self.following = Some((node, (self.links)(node)));
        }
    }

    fn reached(&self, node: NodeId) -> bool {
        node == self.start || self.came_from.contains_key(&node)
    }

    /// Notes a step; false when the node was reached before.
    fn reach(&mut self, node: NodeId, from: NodeId) -> bool {
        if self.reached(node) {
            return false;
        }
        self.came_from.insert(node, from);
        self.waiting.push_back(node);
        true
    }

    fn path_from(&self, node: NodeId) -> Vec<NodeId> {
        let mut path = vec![node];
        let mut at = node;
        while let Some(from) = self.came_from.get(&at) {
            path.push(*from);
            at = *from;
        }
        path
    }
}

/// The path from the start of one search to that of the other, by the node where they have met.
fn join(mut up: Vec<NodeId>, down: Vec<NodeId>) -> Vec<NodeId> {
    up.reverse();
    up.extend(down.into_iter().skip(1));
    up
}
