//! Which tasks wait for which, as one user sees it: why a task waits ([`why`]), what can be worked on ([`ready`]), and
//! what takes longest ([`critical`]).
//!
//! All of it follows from a part of V(u) alone: its open tasks, and the visible primary links by which they hold each
//! other. What the user does not see is neither followed nor counted. Of two tasks that are otherwise equal, the one
//! that was created first comes first.

mod critical;
mod ready;
mod why;

pub use critical::{CHAIN_MOST, Critical, Longest, SLACK_MOST, Slack, critical};
pub use ready::{COUNT_STEPS, Ready, ReadyTask, ready};
pub use why::{CHAINS_MOST, End, WHY_MOST, Why, why};

use crate::access::{given, min_level, sees_link};
use crate::hash::{HashMap, HashSet};
use crate::id::{NodeId, UserId};
use crate::inherit::{Climb, Inherited};
use crate::load::Page;
use crate::model::{Level, Link, Node, Status, User};
use crate::time::Timestamp;
use crate::view::SeenNode;
use crate::world::{Graph, World};
use std::sync::Arc;

/// The open tasks that a user sees, and what each of them waits for. It needs no World: what is computed from it keeps
/// nobody from changing one.
#[derive(Clone, Debug, Default)]
pub struct Waiting {
    /// In order of creation.
    tasks: Vec<Task>,
    /// What holds each task.
    below: Lists,
    /// What each task holds up.
    above: Lists,
}

/// The number of a task.
type At = u32;

/// An open task.
#[derive(Clone, Debug)]
struct Task {
    id: NodeId,
    seq: u64,
    /// The user's access; `None` for a phantom, of which nothing else is known.
    level: Option<Level>,
    /// Whether it can be worked on now, by anybody.
    is_ready: bool,
    /// Whether it is assigned to the user.
    is_mine: bool,
    due: Option<Timestamp>,
    priority: u8,
    /// How much it counts where tasks do not count the same.
    weight: u64,
}

impl Task {
    fn of(node: &Node, level: Option<Level>, names: &[String; 2]) -> Self {
        let mut task = Task {
            id: node.id,
            seq: node.seq,
            level,
            is_ready: false,
            is_mine: false,
            due: None,
            priority: 0,
            weight: 1,
        };
        if level.is_some() {
            let names_them = |name: &String| names.contains(&name.to_lowercase());
            task.is_ready = matches!(node.status, Status::Available | Status::InProgress);
            task.is_mine = node.assignee.iter().any(names_them);
            task.due = node.due_date;
            task.priority = node.priority;
            task.weight = 1 + u64::from(node.volume);
        }
        task
    }
}

/// What a user is called where tasks are assigned: their username and email, which are the same in upper and lower case.
fn names(user: &User) -> [String; 2] {
    [&user.username, &user.email].map(|name| name.to_lowercase())
}

/// Whether a node is a task that is not done.
fn is_open(node: &Node) -> bool {
    node.status != Status::Completed
}

impl Waiting {
    /// What a page shows, which is all that a user sees of the graph or of a branch.
    pub fn in_page(page: &Page, user: &User) -> Self {
        let names = names(user);
        let mut found = Found::default();
        for seen in page.nodes.iter().filter(|seen| is_open(&seen.node)) {
            found.add(Task::of(&seen.node, seen.level(), &names));
        }
        let is_held = |seen: &&SeenNode| seen.is_full() && seen.node.status == Status::Blocked;
        let held: HashSet<NodeId> = page.nodes.iter().filter(is_held).map(|seen| seen.node.id).collect();
        for link in page.links.iter().map(|seen| &seen.link).filter(|link| link.is_primary()) {
            if held.contains(&link.target) {
                found.hold(link.source, link.target);
            }
        }
        found.finish()
    }

    /// A task and everything open that it waits for; `None` if the user has no access to it.
    pub fn below(world: &World, user: UserId, id: NodeId) -> Option<Self> {
        let mut holders = Holders::of(world, user);
        let names = world.user(user).map(|slot| names(&slot.user)).unwrap_or_default();
        let (start, level) = holders.start(id)?;
        let mut found = Found::default();
        let mut waiting = Vec::new();
        if is_open(start) {
            found.add(Task::of(start, Some(level), &names));
            waiting.push(start);
        }
        while let Some(node) = waiting.pop() {
            for (source, level) in holders.of_task(node) {
                if found.add(Task::of(source, level, &names)) && level.is_some() {
                    waiting.push(source);
                }
                found.hold(source.id, node.id);
            }
        }
        Some(found.finish())
    }

    fn at(&self, id: NodeId) -> Option<At> {
        let at = self.tasks.iter().position(|task| task.id == id)?;
        At::try_from(at).ok()
    }

    fn task(&self, at: At) -> Option<&Task> {
        self.tasks.get(at as usize)
    }

    /// Every task, after everything that it waits for. Whatever is on a cycle is left out: there is none (B9).
    fn upwards(&self) -> Vec<At> {
        let mut left: Vec<usize> = Vec::with_capacity(self.tasks.len());
        let mut order: Vec<At> = Vec::with_capacity(self.tasks.len());
        for at in self.places() {
            let holders = self.below.of(at).len();
            left.push(holders);
            if holders == 0 {
                order.push(at);
            }
        }
        let mut done = 0;
        while let Some(at) = order.get(done).copied() {
            done += 1;
            for above in self.above.of(at) {
                if let Some(left) = left.get_mut(*above as usize) {
                    *left -= 1;
                    if *left == 0 {
                        order.push(*above);
                    }
                }
            }
        }
        order
    }

    /// Of each task whether it is one of these.
    fn marked(&self, these: &[At]) -> Vec<bool> {
        let mut marked = vec![false; self.tasks.len()];
        for at in these {
            marked.get_mut(*at as usize).into_iter().for_each(|marked| *marked = true);
        }
        marked
    }

    fn places(&self) -> impl Iterator<Item = At> + use<> {
        0..At::try_from(self.tasks.len()).unwrap_or(At::MAX)
    }
}

/// What holds a task, as a user sees it.
struct Holders<'w> {
    world: &'w World,
    user: UserId,
    climb: Climb<'w, Strongest>,
}

/// The access that comes from above. By which share roots it comes does not matter here, and there may be many.
#[derive(Clone)]
struct Strongest(Level);

impl Inherited for Strongest {
    fn holds(&self, other: &Self) -> bool {
        self.0 <= other.0
    }

    fn take_in(&mut self, other: &Self) {
        self.0 = self.0.min(other.0);
    }
}

impl<'w> Holders<'w> {
    fn of(world: &'w World, user: UserId) -> Self {
        Holders { world, user, climb: Climb::new(world) }
    }

    /// The user's access to an active node.
    fn level(&mut self, node: &'w Arc<Node>) -> Option<Level> {
        let Holders { world, user, climb } = self;
        let (world, user) = (*world, *user);
        if node.owner == user {
            return Some(Level::Owner);
        }
        // Most users hold no share of most owners: no climb for them.
        if !world.user(user)?.holds_of.contains_key(&node.owner) {
            return None;
        }
        let from_above = climb.reach(node, |root| given(world, user, root, false).map(Strongest));
        min_level(from_above.map(|strongest| strongest.0), given(world, user, node, true))
    }

    /// An active node that the user has access to.
    fn start(&mut self, id: NodeId) -> Option<(&'w Arc<Node>, Level)> {
        let node = self.world.active_node(id)?;
        Some((node, self.level(node)?))
    }

    /// The open tasks that hold a task that the user has access to, by the links that they see; with their access to
    /// them, which a phantom has none of.
    fn of_task(&mut self, target: &'w Arc<Node>) -> Vec<(&'w Arc<Node>, Option<Level>)> {
        if target.status != Status::Blocked {
            return Vec::new();
        }
        let Some(level) = self.level(target) else { return Vec::new() };
        let primary = self.world.active_links_down(target.id).filter(|link| link.is_primary());
        primary.filter_map(|link| self.source(link, level)).collect()
    }

    fn source(&mut self, link: &Link, target: Level) -> Option<(&'w Arc<Node>, Option<Level>)> {
        let source = self.world.active_node(link.source).filter(|source| is_open(source))?;
        let level = self.level(source);
        sees_link(self.user, link, level, Some(target)).then_some((source, level))
    }
}

/// Tasks and what holds them, as they are found.
#[derive(Default)]
struct Found {
    tasks: Vec<Task>,
    at: HashMap<NodeId, At>,
    /// Sources and targets.
    held: Vec<(NodeId, NodeId)>,
}

impl Found {
    /// Adds a task, if it is not there yet; whether it was not.
    fn add(&mut self, task: Task) -> bool {
        let (id, at) = (task.id, At::try_from(self.tasks.len()).unwrap_or(At::MAX));
        let is_new = !self.at.contains_key(&id);
        if is_new {
            self.at.insert(id, at);
            self.tasks.push(task);
        }
        is_new
    }

    fn hold(&mut self, source: NodeId, target: NodeId) {
        self.held.push((source, target));
    }

    fn finish(mut self) -> Waiting {
        self.tasks.sort_unstable_by_key(|task| (task.seq, task.id));
        for (at, task) in self.tasks.iter().enumerate() {
            if let Some(place) = self.at.get_mut(&task.id) {
                *place = At::try_from(at).unwrap_or(At::MAX);
            }
        }
        let place = |id: &NodeId| self.at.get(id).copied();
        let held = self.held.iter().filter_map(|(source, target)| Some((place(source)?, place(target)?)));
        let mut held: Vec<(At, At)> = held.collect();
        let above = Lists::new(self.tasks.len(), &mut held);
        held.iter_mut().for_each(|(source, target)| std::mem::swap(source, target));
        let below = Lists::new(self.tasks.len(), &mut held);
        Waiting { tasks: self.tasks, below, above }
    }
}

/// Lists of tasks, one for each task, each in order of creation and without repeats.
#[derive(Clone, Debug, Default)]
struct Lists {
    all: Vec<At>,
    /// Where each list begins, and where the last one ends.
    begin: Vec<usize>,
}

impl Lists {
    /// Lists the second of each pair under its first.
    fn new(tasks: usize, pairs: &mut Vec<(At, At)>) -> Self {
        pairs.sort_unstable();
        pairs.dedup();
        let mut begin = Vec::with_capacity(tasks + 1);
        for (at, (first, _)) in pairs.iter().enumerate() {
            while begin.len() <= *first as usize {
                begin.push(at);
            }
        }
        begin.resize(tasks + 1, pairs.len());
        Lists { all: pairs.iter().map(|(_, second)| *second).collect(), begin }
    }

    fn of(&self, at: At) -> &[At] {
        let ends = self.begin.get(at as usize).zip(self.begin.get(at as usize + 1));
        ends.and_then(|(from, to)| self.all.get(*from..*to)).unwrap_or_default()
    }
}
