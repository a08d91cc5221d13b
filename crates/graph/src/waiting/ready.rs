//! What can be worked on now, the most pressing first.

use super::{At, Waiting};
use crate::hash::HashMap;
use crate::id::NodeId;
use crate::model::Level;
use crate::time::Timestamp;
use std::cmp::Reverse;

/// How many links are followed to count what tasks hold up.
pub const COUNT_STEPS: usize = 10_000_000;

/// What can be worked on now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ready {
    /// The most pressing first.
    pub tasks: Vec<ReadyTask>,
    /// Whether there are more of them.
    pub more: bool,
}

/// A task that can be worked on, and why it has its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadyTask {
    /// The task.
    pub id: NodeId,
    /// The earliest due date of the task and of all that it holds up.
    pub due: Option<Timestamp>,
    /// How many tasks it holds up, directly or not.
    pub holds: u64,
    /// Whether it may hold up more: counting them all would take too long.
    pub at_least: bool,
    /// Its priority.
    pub priority: u8,
}

/// The tasks that the user can work on now: by the earliest due date of each and of all that it holds up, then by
/// priority, then by how many it holds up. `mine` leaves only those that are assigned to the user.
pub fn ready(waiting: &Waiting, mine: bool, limit: usize) -> Ready {
    ready_within(waiting, mine, limit, COUNT_STEPS)
}

fn ready_within(waiting: &Waiting, mine: bool, limit: usize, steps: usize) -> Ready {
    let due = earliest(waiting);
    let mut order = Vec::new();
    for at in waiting.places() {
        let Some(task) = waiting.task(at) else { continue };
        let may_edit = task.level.is_some_and(|level| level <= Level::Editor);
        if task.is_ready && may_edit && (task.is_mine || !mine) {
            let due = due.get(at as usize).copied().flatten();
            order.push(((due.is_none(), due, Reverse(task.priority)), at));
        }
    }
    // Numbers of tasks are in order of creation.
    order.sort_unstable();
    let more = order.len() > limit;
    // Only those that may come in are counted further: what is pressing like the last one.
    let last = limit.checked_sub(1).and_then(|last| order.get(last)).map(|(pressing, _)| *pressing);
    if let Some(last) = last {
        order.truncate(order.partition_point(|(pressing, _)| *pressing <= last));
    }
    let mut counting = Counting::new(waiting, steps);
    let counted = order.into_iter().map(|(pressing, at)| (pressing, Reverse(counting.holds(at)), at));
    let mut counted: Vec<_> = counted.collect();
    counted.sort_unstable_by_key(|(pressing, Reverse(count), at)| (*pressing, Reverse(count.holds), *at));
    counted.truncate(limit);
    let task = |((_, due, Reverse(priority)), Reverse(count), at): (_, Reverse<Count>, At)| {
        let Count { holds, at_least } = count;
        Some(ReadyTask { id: waiting.task(at)?.id, due, holds, at_least, priority })
    };
    Ready { tasks: counted.into_iter().filter_map(task).collect(), more }
}

/// Of each task the earliest due date of it and of all that it holds up.
fn earliest(waiting: &Waiting) -> Vec<Option<Timestamp>> {
    let mut due: Vec<Option<Timestamp>> = waiting.tasks.iter().map(|task| task.due).collect();
    for at in waiting.upwards().into_iter().rev() {
        let above =
            waiting.above.of(at).iter().filter_map(|above| due.get(*above as usize).copied().flatten());
        let own = due.get(at as usize).copied().flatten();
        let first = above.chain(own).min();
        due.get_mut(at as usize).into_iter().for_each(|due| *due = first);
    }
    due
}

/// How many tasks one holds up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Count {
    holds: u64,
    at_least: bool,
}

/// Counts what tasks hold up. Where a task holds up only one other, it holds up that one and what that one holds up.
/// Where it holds up several, all above it are visited, because ways may meet again.
struct Counting<'a> {
    waiting: &'a Waiting,
    known: Vec<Option<Count>>,
    /// By what tasks hold up directly.
    alike: HashMap<&'a [At], Count>,
    /// In which search each task was met last.
    met: Vec<u32>,
    search: u32,
    steps_left: usize,
}

impl<'a> Counting<'a> {
    fn new(waiting: &'a Waiting, steps: usize) -> Self {
        let tasks = waiting.tasks.len();
        Counting {
            waiting,
            known: vec![None; tasks],
            alike: HashMap::default(),
            met: vec![0; tasks],
            search: 0,
            steps_left: steps,
        }
    }

    fn holds(&mut self, at: At) -> Count {
        let mut way = Vec::new();
        let mut top = at;
        let mut count = loop {
            if let Some(known) = self.known.get(top as usize).copied().flatten() {
                break known;
            }
            match self.waiting.above.of(top) {
                [one] if way.len() < self.known.len() => {
                    way.push(top);
                    top = *one;
                }
                above => break self.search(above),
            }
        };
        self.know(top, count);
        for below in way.into_iter().rev() {
            count.holds += 1;
            self.know(below, count);
        }
        count
    }

    fn know(&mut self, at: At, count: Count) {
        self.known.get_mut(at as usize).into_iter().for_each(|known| *known = Some(count));
    }

    /// How many tasks these are, with all that they hold up.
    fn search(&mut self, first: &'a [At]) -> Count {
        if let Some(count) = self.alike.get(first) {
            return *count;
        }
        self.search += 1;
        let mut count = Count::default();
        let mut waiting: Vec<&[At]> = vec![first];
        while let Some(list) = waiting.pop() {
            for at in list {
                self.steps_left = self.steps_left.saturating_sub(1);
                if let Some(met) = self.met.get_mut(*at as usize).filter(|met| **met != self.search) {
                    *met = self.search;
                    count.holds += 1;
                    waiting.push(self.waiting.above.of(*at));
                }
            }
            if self.steps_left == 0 {
                count.at_least = waiting.iter().any(|list| !list.is_empty());
                break;
            }
        }
        self.alike.insert(first, count);
        count
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Found, Task};
    use super::*;
    use uuid::Uuid;

    fn id(at: usize) -> NodeId {
        NodeId(Uuid::from_u128(at as u128))
    }

    /// Ten tasks that each hold up the two ends of a ladder of the given length.
    fn ladder(rungs: usize) -> Waiting {
        let task = |at: usize, is_ready| Task {
            id: id(at),
            seq: at as u64,
            level: Some(Level::Owner),
            is_ready,
            is_mine: false,
            due: None,
            priority: 0,
            weight: 6,
        };
        let mut found = Found::default();
        (0..2 * rungs).for_each(|at| {
            found.add(task(at, false));
        });
        for at in 0..2 * rungs - 2 {
            found.hold(id(at), id(at / 2 * 2 + 2));
            found.hold(id(at), id(at / 2 * 2 + 3));
        }
        for at in 2 * rungs..2 * rungs + 10 {
            found.add(task(at, true));
            found.hold(id(at), id(0));
            // Each holds up something of its own, so that none is like another.
            found.hold(id(at), id(2 * rungs - 1 - (at % 10)));
        }
        found.finish()
    }

    // Rule: Q7.
    #[test]
    fn q7_counting_ends_and_says_so() {
        let waiting = ladder(100);
        let all = ready(&waiting, false, 100);
        let exact: Vec<(u64, bool)> = all.tasks.iter().map(|task| (task.holds, task.at_least)).collect();
        assert!(exact.iter().all(|(holds, at_least)| (199..=200).contains(holds) && !at_least), "{exact:?}");
        let cut = ready_within(&waiting, false, 100, 600);
        let at_least: Vec<_> = cut.tasks.iter().filter(|task| task.at_least).collect();
        assert!(!at_least.is_empty() && at_least.len() < 10, "{cut:?}");
        let of = |id: NodeId| all.tasks.iter().find(|task| task.id == id).map(|task| task.holds);
        assert!(cut.tasks.iter().all(|task| Some(task.holds) <= of(task.id)), "{cut:?}");
        assert!(cut.tasks.iter().all(|task| task.at_least || Some(task.holds) == of(task.id)), "{cut:?}");
    }
}
