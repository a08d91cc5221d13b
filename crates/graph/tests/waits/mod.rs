//! What tasks wait for and who has access to them, computed the plain way from what a user sees: sets that grow until
//! they stop, lengths that are improved until they are right.

#![allow(dead_code)]

use graph::grants::{self, SeenGrant};
use graph::load::{Load, Page, visible};
use graph::model::{Level, Status};
use graph::view::SeenNode;
use graph::waiting::{self, Critical, Longest, Ready, ReadyTask, Waiting, Why};
use graph::{Graph, NodeId, Reason, Timestamp, UserId, World, access};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

type Edges = BTreeSet<(NodeId, NodeId)>;

struct Plain<'a> {
    open: BTreeMap<NodeId, &'a SeenNode>,
    /// What holds, and what is held by it.
    edges: Edges,
}

impl<'a> Plain<'a> {
    fn of(page: &'a Page) -> Self {
        let open = page.nodes.iter().filter(|seen| seen.node.status != Status::Completed);
        let open: BTreeMap<NodeId, &SeenNode> = open.map(|seen| (seen.node.id, seen)).collect();
        let mut edges = Edges::new();
        for link in page.links.iter().map(|seen| &seen.link).filter(|link| link.is_primary()) {
            let (Some(_), Some(target)) = (open.get(&link.source), open.get(&link.target)) else { continue };
            if target.is_full() && !target.node.independent {
                edges.insert((link.source, link.target));
            }
        }
        Plain { open, edges }
    }

    fn seq(&self, id: NodeId) -> u64 {
        self.open[&id].node.seq
    }

    fn below(&self, id: NodeId) -> BTreeSet<NodeId> {
        self.grown(id, |(source, target)| (target, source))
    }

    fn above(&self, id: NodeId) -> BTreeSet<NodeId> {
        self.grown(id, |edge| edge)
    }

    /// What one comes to from a node, without the node itself.
    fn grown(&self, id: NodeId, way: impl Fn((NodeId, NodeId)) -> (NodeId, NodeId)) -> BTreeSet<NodeId> {
        let mut all = BTreeSet::new();
        loop {
            let steps = self.edges.iter().map(|edge| way(*edge));
            let next: BTreeSet<NodeId> =
                steps.filter(|(from, _)| *from == id || all.contains(from)).map(|(_, to)| to).collect();
            if next.is_subset(&all) {
                return all;
            }
            all.extend(next);
        }
    }

    fn why(&self, id: NodeId, held: bool) -> Why {
        let below = self.below(id);
        let mut distance: BTreeMap<NodeId, usize> = BTreeMap::from([(id, 0)]);
        for _ in 0..=self.open.len() {
            for (source, target) in &self.edges {
                let Some(far) = distance.get(target).map(|far| far + 1) else { continue };
                let now = distance.entry(*source).or_insert(far);
                *now = (*now).min(far);
            }
        }
        let mut blockers: Vec<NodeId> = below.iter().copied().collect();
        blockers.sort_by_key(|at| (distance[at], self.seq(*at)));
        let is_end = |at: &&NodeId| !self.open[at].is_full() || self.open[at].node.status != Status::Blocked;
        let chain = |end: NodeId| {
            let (mut chain, mut at) = (vec![end], end);
            while at != id {
                let waits = self.edges.iter().filter(|(source, _)| *source == at).map(|(_, target)| *target);
                let nearer = waits.filter(|target| distance.get(target) == Some(&(distance[&at] - 1)));
                at = nearer.min_by_key(|target| self.seq(*target)).unwrap();
                chain.insert(0, at);
            }
            waiting::End { id: end, is_phantom: !self.open[&end].is_full(), chain }
        };
        let frontier = blockers.iter().filter(is_end).map(|end| chain(*end)).collect();
        Why { held, blockers, frontier, more: false }
    }

    fn ready(&self, names: [&str; 2], mine: bool, limit: usize) -> Ready {
        let mut tasks: Vec<(&SeenNode, ReadyTask)> = Vec::new();
        for seen in self.open.values().filter(|seen| seen.level().is_some_and(|level| level <= Level::Editor))
        {
            let node = &seen.node;
            let is_mine =
                node.assignee.iter().any(|one| names.iter().any(|name| one.eq_ignore_ascii_case(name)));
            if node.status == Status::Blocked || (mine && !is_mine) {
                continue;
            }
            let above = self.above(node.id);
            let due = |id: &NodeId| self.open[id].node.due_date;
            let due = above.iter().chain([&node.id]).filter_map(due).min();
            let holds = above.len() as u64;
            tasks.push((
                seen,
                ReadyTask { id: node.id, due, holds, at_least: false, priority: node.priority },
            ));
        }
        tasks.sort_by_key(|(seen, task)| {
            let due = task.due.unwrap_or(Timestamp::from_ms(i64::MAX));
            (due, Reverse(task.priority), Reverse(task.holds), seen.node.seq)
        });
        let more = tasks.len() > limit;
        Ready { tasks: tasks.into_iter().take(limit).map(|(_, task)| task).collect(), more }
    }

    fn critical(&self, into: Option<NodeId>) -> Critical {
        let tasks = self.longest(into, |_| 1);
        let volume = |seen: &SeenNode| if seen.is_full() { u64::from(seen.node.volume) + 1 } else { 1 };
        Critical { tasks, volume: self.longest(into, volume) }
    }

    fn longest(&self, into: Option<NodeId>, weight: impl Fn(&SeenNode) -> u64) -> Longest {
        let own = |id: &NodeId| weight(self.open[id]);
        let counts = |id: &NodeId| into.is_none_or(|into| into == *id || self.below(into).contains(id));
        let tasks: Vec<NodeId> = self.open.keys().copied().filter(|id| counts(id)).collect();
        // The longest chain that ends with each task, and the longest that begins with it.
        let mut to: BTreeMap<NodeId, u64> = tasks.iter().map(|id| (*id, own(id))).collect();
        let mut from = to.clone();
        for _ in &tasks {
            for (source, target) in
                self.edges.iter().filter(|(source, target)| counts(source) && counts(target))
            {
                let longer = to[source] + own(target);
                to.insert(*target, to[target].max(longer));
                let longer = from[target] + own(source);
                from.insert(*source, from[source].max(longer));
            }
        }
        let is_end = |id: &&NodeId| into.map_or(self.open[id].is_full(), |into| into == **id);
        let Some(end) = tasks.iter().filter(is_end).max_by_key(|id| (to[id], Reverse(self.seq(**id)))) else {
            return Longest::default();
        };
        let mut chain = vec![*end];
        loop {
            let sources =
                self.edges.iter().filter(|(_, target)| *target == chain[0]).map(|(source, _)| *source);
            match sources.max_by_key(|id| (to[id], Reverse(self.seq(*id)))) {
                Some(next) => chain.insert(0, next),
                None => break,
            }
        }
        let on_one = |id: &&NodeId| {
            !chain.contains(id)
                && (self.open[id].is_full() || self.edges.iter().any(|(source, _)| source == *id))
        };
        let slack = |id: &NodeId| waiting::Slack { id: *id, slack: to[end] - (to[id] + from[id] - own(id)) };
        let mut slack: Vec<_> = tasks.iter().filter(on_one).map(slack).collect();
        slack.sort_by_key(|one| (one.slack, self.seq(one.id)));
        Longest { length: to[end], chain, slack, more: false }
    }
}

fn same<T: PartialEq + std::fmt::Debug>(what: &str, got: &T, want: &T) -> Result<(), String> {
    if got == want { Ok(()) } else { Err(format!("{what}: {got:?}, not {want:?}")) }
}

/// Everything that is said of waiting agrees with the plain way, for one user. `turn` picks a task, a branch and a limit.
// Rules: Q1, Q2, Q3, Q4, Q5, Q6, Q8, Q9, Q10.
pub fn check(world: &World, user: UserId, turn: usize) -> Result<(), String> {
    let all = visible(world, user);
    let plain = Plain::of(&all);
    let who = &world.user(user).unwrap().user;
    let names = [who.username.as_str(), who.email.as_str()];
    let whole = Waiting::in_page(&all, who);
    for seen in &all.nodes {
        let id = seen.node.id;
        let why = waiting::why(world, user, id);
        let below = Waiting::below(world, user, id);
        if !seen.is_full() {
            same("why a phantom waits", &why, &None)?;
            same("below a phantom", &below.is_none(), &true)?;
            continue;
        }
        let held = seen.node.status == Status::Blocked;
        same("why", &why, &Some(plain.why(id, held)))?;
        let into = below.and_then(|below| waiting::critical(&below, Some(id)));
        if seen.node.status == Status::Completed {
            same("what is done takes no time", &into, &None)?;
            continue;
        }
        same("critical into", &into, &Some(plain.critical(Some(id))))?;
        same("critical into, of all", &waiting::critical(&whole, Some(id)), &into)?;
    }
    for (mine, limit) in [(false, 1_000), (false, 1 + turn % 4), (true, 1 + turn % 3)] {
        same("ready", &waiting::ready(&whole, mine, limit), &plain.ready(names, mine, limit))?;
    }
    same("critical", &waiting::critical(&whole, None), &Some(plain.critical(None)))?;

    let mut nodes: Vec<NodeId> = world.nodes().map(|node| node.id).collect();
    nodes.sort_unstable();
    let Some(root) = nodes.get(turn % nodes.len().max(1)).copied() else { return Ok(()) };
    let branch = Load::of_branch(world, user, root).next(world, usize::MAX);
    let (plain, part) = (Plain::of(&branch), Waiting::in_page(&branch, who));
    same("ready in a branch", &waiting::ready(&part, false, 1_000), &plain.ready(names, false, 1_000))?;
    same("critical in a branch", &waiting::critical(&part, None), &Some(plain.critical(None)))?;
    who_has_access(world, user, root)
}

/// The list of a node's grants agrees with what each grant covers.
// Rules: Q11, Q12.
fn who_has_access(world: &World, user: UserId, id: NodeId) -> Result<(), String> {
    let got = grants::grants(world, user, id).map(|found| {
        found
            .grants
            .iter()
            .map(|SeenGrant { grant, user, via, in_force }| {
                (
                    grant.node == id,
                    user.id,
                    grant.level,
                    grant.branch,
                    grant.due,
                    grant.showing,
                    *via,
                    *in_force,
                )
            })
            .collect::<Vec<_>>()
    });
    if world.node(id).is_some_and(|node| node.in_trash) {
        return Ok(());
    }
    let want = match access::level(world, user, id) {
        None => Err(Reason::NodeNotFound),
        Some(Level::Editor | Level::Viewer) => Err(Reason::NoPermission),
        Some(_) => {
            let mut want = BTreeSet::new();
            for root in world.nodes().filter(|root| !root.in_trash) {
                let covers = root.id == id || access::branch(world, [root.id]).contains(&id);
                for grant in
                    world.grants_on(root.id).filter(|grant| covers && (root.id == id || grant.branch))
                {
                    let via = access::level(world, user, root.id).map(|_| root.id);
                    want.insert((
                        grant.node == id,
                        grant.user,
                        grant.level,
                        grant.branch,
                        grant.due,
                        grant.showing,
                        via,
                        world.grant_counts(grant),
                    ));
                }
            }
            Ok(want)
        }
    };
    let no_order = got.clone().map(|got| got.into_iter().collect::<BTreeSet<_>>());
    same("grants", &no_order, &want)?;
    if let (Ok(got), Ok(want)) = (got, want) {
        same("grants, without repeats", &got.len(), &want.len())?;
        same("its own first", &got.is_sorted_by_key(|(is_own, ..)| !is_own), &true)?;
    }
    Ok(())
}
