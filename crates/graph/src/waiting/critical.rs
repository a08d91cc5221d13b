//! The longest chain of open tasks, and how far every other task is from being on it.

use super::{At, Task, Waiting};
use crate::id::NodeId;
use std::cmp::Reverse;

/// How many tasks of a chain are listed.
pub const CHAIN_MOST: usize = 20_000;
/// How many tasks are listed with their slack.
pub const SLACK_MOST: usize = 1_000;

/// The longest chains, by both ways of counting.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Critical {
    /// Where each task counts 1.
    pub tasks: Longest,
    /// Where each task counts its volume + 1, and a phantom, whose volume is not seen, 1.
    pub volume: Longest,
}

/// A longest chain.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Longest {
    /// Its length; 0 if there is no open task.
    pub length: u64,
    /// Its tasks, each waiting for the one before it. Of a longer chain those nearest to its end are listed.
    pub chain: Vec<NodeId>,
    /// The other open tasks that are on a chain, the least slack first.
    pub slack: Vec<Slack>,
    /// Whether anything was left out.
    pub more: bool,
}

/// A task that is not on the longest chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slack {
    /// The task.
    pub id: NodeId,
    /// By how much the longest chain through the task is shorter than the longest one.
    pub slack: u64,
}

/// The longest chain of open tasks into the given one, or into any that the user has access to. `None` if the given
/// one is not there.
pub fn critical(waiting: &Waiting, into: Option<NodeId>) -> Option<Critical> {
    let counts = match into {
        Some(id) => Some(below(waiting, waiting.at(id)?)),
        None => None,
    };
    let counts = |at: At| counts.as_ref().is_none_or(|below| below.get(at as usize) == Some(&true));
    let mut order = waiting.upwards();
    order.retain(|at| counts(*at));
    let longest = |weight: fn(&Task) -> u64| Ways::of(waiting, &order, weight).longest(&order);
    Some(Critical { tasks: longest(|_| 1), volume: longest(|task| task.weight) })
}

/// Of each task whether it is the given one or one that it waits for.
fn below(waiting: &Waiting, start: At) -> Vec<bool> {
    let mut below = vec![false; waiting.tasks.len()];
    let mut left = vec![start];
    while let Some(at) = left.pop() {
        if let Some(is_below @ false) = below.get_mut(at as usize) {
            *is_below = true;
            left.extend(waiting.below.of(at));
        }
    }
    below
}

/// The lengths of the longest ways from each task, without the task itself.
struct Ways<'a> {
    waiting: &'a Waiting,
    weight: fn(&Task) -> u64,
    down: Vec<u64>,
    up: Vec<u64>,
}

impl<'a> Ways<'a> {
    /// The ways through some tasks, which are in order, each after everything that it waits for.
    fn of(waiting: &'a Waiting, order: &[At], weight: fn(&Task) -> u64) -> Self {
        let none = vec![0; waiting.tasks.len()];
        let mut ways = Ways { waiting, weight, down: none.clone(), up: none };
        let counts = waiting.marked(order);
        for at in order {
            let longest = waiting.below.of(*at).iter().map(|below| ways.to(*below)).max();
            ways.down.get_mut(*at as usize).into_iter().for_each(|way| *way = longest.unwrap_or(0));
        }
        for at in order.iter().rev() {
            let above =
                waiting.above.of(*at).iter().filter(|above| counts.get(**above as usize) == Some(&true));
            let longest = above.map(|above| ways.up(*above) + ways.own(*above)).max();
            ways.up.get_mut(*at as usize).into_iter().for_each(|way| *way = longest.unwrap_or(0));
        }
        ways
    }

    fn own(&self, at: At) -> u64 {
        self.waiting.task(at).map_or(0, self.weight)
    }

    fn up(&self, at: At) -> u64 {
        self.up.get(at as usize).copied().unwrap_or(0)
    }

    /// The longest chain that ends with a task.
    fn to(&self, at: At) -> u64 {
        self.down.get(at as usize).copied().unwrap_or(0) + self.own(at)
    }

    /// The longest chain that a task is on.
    fn through(&self, at: At) -> u64 {
        self.to(at) + self.up(at)
    }

    fn longest(&self, order: &[At]) -> Longest {
        let full = |at: &At| self.waiting.task(*at).is_some_and(|task| task.level.is_some());
        let ends = order.iter().copied().filter(full);
        let Some(end) = ends.max_by_key(|at| (self.to(*at), Reverse(*at))) else {
            return Longest::default();
        };
        let (length, chain) = (self.to(end), self.chain(end));
        let is_on = self.waiting.marked(&chain);
        // A phantom that holds nothing is on no chain into a task.
        let has_place = |at: &At| full(at) || !self.waiting.above.of(*at).is_empty();
        let others =
            order.iter().copied().filter(|at| is_on.get(*at as usize) == Some(&false) && has_place(at));
        let mut slack: Vec<(u64, At)> =
            others.map(|at| (length - self.through(at).min(length), at)).collect();
        let more = slack.len() > SLACK_MOST || chain.len() > CHAIN_MOST;
        if slack.len() > SLACK_MOST {
            slack.select_nth_unstable(SLACK_MOST);
            slack.truncate(SLACK_MOST);
        }
        slack.sort_unstable();
        let id = |at: At| self.waiting.task(at).map(|task| task.id);
        let listed = chain.iter().take(CHAIN_MOST).rev();
        Longest {
            length,
            chain: listed.filter_map(|at| id(*at)).collect(),
            slack: slack.into_iter().filter_map(|(slack, at)| Some(Slack { id: id(at)?, slack })).collect(),
            more,
        }
    }

    /// The tasks of a longest chain that ends with a task, from there on.
    fn chain(&self, end: At) -> Vec<At> {
        let mut chain = vec![end];
        let mut at = end;
        while let Some(below) =
            self.waiting.below.of(at).iter().copied().max_by_key(|below| (self.to(*below), Reverse(*below)))
        {
            chain.push(below);
            at = below;
            if chain.len() > self.waiting.tasks.len() {
                break;
            }
        }
        chain
    }
}
