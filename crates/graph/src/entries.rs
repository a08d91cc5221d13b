//! The entries of a batch, by entity, and how the entries of one entity are shown.

use crate::batch::{Batch, Change, Op, Subject};
use crate::hash::HashMap;
use crate::id::{LinkId, NodeId};
use crate::model::{Link, Node};
use std::hash::Hash;
use std::sync::Arc;

/// A batch's entries on nodes and links, by entity.
pub(crate) struct Entries<'b> {
    pub nodes: ByEntity<'b, NodeId, Node>,
    pub links: ByEntity<'b, LinkId, Link>,
}

/// Entries on one kind of entity. The entities are numbered from 0, in order of their first entries.
pub(crate) struct ByEntity<'b, I, T> {
    /// The number of each entity.
    pub number_of: HashMap<I, u32>,
    /// Where the entries of each entity begin in `grouped`, and where the last ones end.
    starts: Vec<usize>,
    grouped: Vec<EntityEntry<'b, T>>,
    /// The entries in the order of the batch: the entity's number, and which of its entries it is.
    pub in_order: Vec<(u32, usize)>,
}

pub(crate) struct EntityEntry<'b, T> {
    /// Its index in the batch.
    pub index: usize,
    pub op: Op,
    derived: bool,
    pub change: &'b Change<Arc<T>>,
}

impl<'b> Entries<'b> {
    pub fn of(batch: Option<&'b Batch>) -> Self {
        let (mut nodes, mut links) = (Vec::new(), Vec::new());
        for (index, entry) in batch.iter().flat_map(|batch| &batch.entries).enumerate() {
            let (op, derived) = (entry.op, entry.derived);
            match &entry.subject {
                Subject::Node(change) => {
                    let id = change.latest().map(|node| node.id);
                    nodes.extend(id.map(|id| (id, EntityEntry { index, op, derived, change })));
                }
                Subject::Link(change) => {
                    let id = change.latest().map(|link| link.id);
                    links.extend(id.map(|id| (id, EntityEntry { index, op, derived, change })));
                }
                _ => {}
            }
        }
        Entries { nodes: ByEntity::of(nodes), links: ByEntity::of(links) }
    }
}

impl<'b, I: Copy + Eq + Hash, T> ByEntity<'b, I, T> {
    fn of(entries: Vec<(I, EntityEntry<'b, T>)>) -> Self {
        let mut number_of: HashMap<I, u32> = HashMap::default();
        let mut counts: Vec<usize> = Vec::new();
        let mut in_order: Vec<(u32, usize)> = Vec::with_capacity(entries.len());
        for (id, _) in &entries {
            let next = u32::try_from(counts.len()).unwrap_or(u32::MAX);
            let number = *number_of.entry(*id).or_insert(next);
            if number == next {
                counts.push(0);
            }
            if let Some(count) = counts.get_mut(number as usize) {
                in_order.push((number, *count));
                *count += 1;
            }
        }
        let mut starts = vec![0];
        let mut end = 0;
        starts.extend(counts.iter().map(|count| {
            end += count;
            end
        }));
        let mut grouped: Vec<EntityEntry<'b, T>> = entries.into_iter().map(|(_, entry)| entry).collect();
        // Most batches have one entry for each entity, and are grouped already.
        if counts.len() < grouped.len() {
            let mut numbered: Vec<_> = in_order.iter().map(|(number, _)| *number).zip(grouped).collect();
            numbered.sort_by_key(|(number, _)| *number);
            grouped = numbered.into_iter().map(|(_, entry)| entry).collect();
        }
        ByEntity { number_of, starts, grouped, in_order }
    }

    /// How many entities have entries.
    pub fn len(&self) -> usize {
        self.starts.len() - 1
    }

    /// The entries of an entity; none if it has no such number.
    pub fn get(&self, number: u32) -> &[EntityEntry<'b, T>] {
        let at = number as usize;
        let range = self.starts.get(at).zip(self.starts.get(at + 1)).map(|(from, to)| *from..*to);
        range.and_then(|range| self.grouped.get(range)).unwrap_or_default()
    }

    /// The entries of each entity, by number.
    pub fn iter(&self) -> impl Iterator<Item = &[EntityEntry<'b, T>]> {
        self.starts.windows(2).map(|ends| match ends {
            [from, to] => self.grouped.get(*from..*to).unwrap_or_default(),
            _ => &[],
        })
    }
}

/// How a change of one entity is shown to a user, by whether they held it before and see it after.
pub(crate) enum Shown {
    Nothing,
    Show,
    /// By the batch's entries from this one on.
    Entries(usize),
    /// By this entry alone, with the entity as the batch leaves it.
    Whole(usize),
    Hide,
}

/// What is to know of an entity to say how its change is shown.
pub(crate) trait Shows {
    /// Whether it is in the trash.
    fn in_trash(&self) -> bool;
    /// Its place in the order of creation.
    fn seq(&self) -> u64;
}

impl Shows for Node {
    fn in_trash(&self) -> bool {
        self.in_trash
    }

    fn seq(&self) -> u64 {
        self.seq
    }
}

impl Shows for Link {
    fn in_trash(&self) -> bool {
        self.in_trash
    }

    fn seq(&self) -> u64 {
        self.seq
    }
}

fn active<T: Shows>(side: Option<&Option<Arc<T>>>) -> bool {
    side.and_then(Option::as_ref).is_some_and(|entity| !entity.in_trash())
}

/// The entity before the batch, unless there was none or it was in the trash.
pub(crate) fn was<'e, T: Shows>(entries: &'e [EntityEntry<'_, T>]) -> Option<&'e Arc<T>> {
    entries.first()?.change.before.as_ref().filter(|entity| !entity.in_trash())
}

/// The entity after the batch, unless there is none or it is in the trash.
pub(crate) fn is<'e, T: Shows>(entries: &'e [EntityEntry<'_, T>]) -> Option<&'e Arc<T>> {
    entries.last()?.change.after.as_ref().filter(|entity| !entity.in_trash())
}

/// [`shown_as`] for someone who sees the entity whenever it is not in the trash.
pub(crate) fn shown_to_all<T: Shows>(entries: &[EntityEntry<'_, T>]) -> Shown {
    let held = active(entries.first().map(|entry| &entry.change.before));
    let sees = active(entries.last().map(|entry| &entry.change.after));
    shown_as(held, sees, entries)
}

/// Whether an entry of this code brings its entity into the graph.
pub(crate) fn brings(op: Op) -> bool {
    matches!(op, Op::NodeAdd | Op::NodeRestore | Op::LinkAdd | Op::LinkRestore)
}

pub(crate) fn shown_as<T: Shows>(held: bool, sees: bool, entries: &[EntityEntry<'_, T>]) -> Shown {
    let last = |such: fn(Op) -> bool| entries.iter().rposition(|entry| such(entry.op));
    match (held, sees) {
        (false, false) => Shown::Nothing,
        (false, true) if active(entries.first().map(|entry| &entry.change.before)) => Shown::Show,
        // What it was before it came, and in between, is not for those who only see it now.
        (false, true) => match last(brings) {
            Some(at) if entries.iter().skip(at + 1).all(|entry| entry.derived) => Shown::Entries(at),
            Some(at) => Shown::Whole(at),
            None => Shown::Show,
        },
        (true, true) => Shown::Entries(0),
        // Nor what was made of it on its way to the trash for those who do not see it any more.
        (true, false) if !active(entries.last().map(|entry| &entry.change.after)) => {
            last(|op| matches!(op, Op::NodeTrash | Op::LinkTrash)).map_or(Shown::Hide, Shown::Entries)
        }
        (true, false) => Shown::Hide,
    }
}
