//! Finds: by what a batch is found. They follow from the line of batches.
//!
//! For the latest batches they are kept in memory, in parts, see [`super::tail`]. For all others they are in runs: a
//! fold writes those of many batches at once, in the order of their keys, after all earlier runs. Ids are random, so
//! a table ordered by id alone would have each find on a page of its own, and each page would be written whole.

use super::filter::Filter;
use crate::history_page::{Shows, touched};
use graph::batch::Lineage;
use graph::model::{Plan, Rev};
use graph::{Batch, BatchId, Entry, Subject, UserId};
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, ValueRef};
use rusqlite::{Connection, params};
use uuid::Uuid;

/// In what way a batch is found by an id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Way {
    /// It is the batch's own id.
    Name,
    /// An entry of the batch [touches](touched) it.
    Touch,
    /// It is the batch's actor, or [`INSTALLATION`].
    By,
}

impl Way {
    fn code(self) -> i64 {
        match self {
            Way::Name => 0,
            Way::Touch => 1,
            Way::By => 2,
        }
    }
}

impl ToSql for Way {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.code().into())
    }
}

impl FromSql for Way {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let code = value.as_i64()?;
        let ways = [Way::Name, Way::Touch, Way::By];
        ways.into_iter().find(|way| way.code() == code).ok_or(FromSqlError::OutOfRange(code))
    }
}

/// In place of an actor's id, for batches without one. No user has it.
pub(super) const INSTALLATION: Uuid = Uuid::nil();

/// One way to find one batch, in the order in which finds are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Find {
    pub(super) way: Way,
    pub(super) id: Uuid,
    pub(super) rev: i64,
    /// [`Shows`] as a number, of a find by actor; otherwise 0.
    pub(super) shows: i64,
}

/// An undo or redo that has a place in a chain. The turns of a chain are in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Turn {
    /// The batch that began the chain.
    pub(super) root: i64,
    pub(super) undo: bool,
    pub(super) rev: i64,
    pub(super) id: BatchId,
}

/// The size of a batch, and whose it is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Size {
    pub(super) rev: i64,
    /// Or [`INSTALLATION`].
    pub(super) actor: Uuid,
    pub(super) bytes: i64,
}

/// How many batches of one actor are held, and how many bytes they have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Kept {
    pub(super) batches: i64,
    pub(super) bytes: i64,
}

impl Kept {
    pub(super) fn add(&mut self, more: Kept) {
        self.batches = self.batches.saturating_add(more.batches);
        self.bytes = self.bytes.saturating_add(more.bytes);
    }
}

/// Every id that a batch's entries touch, once each and sorted.
pub(super) fn ids(entries: &[Entry]) -> Vec<Uuid> {
    let mut ids: Vec<Uuid> = entries.iter().flat_map(touched).collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

/// What is known of a stretch of the line without reading it.
#[derive(Clone, Debug, Default)]
pub(super) struct Part {
    /// The first rev of the stretch.
    pub(super) first: i64,
    /// The last one.
    pub(super) last: i64,
    /// In their order.
    pub(super) finds: Vec<Find>,
    /// The ids of the finds, except actors. Most look-ups are for an id that is not there.
    filter: Filter,
    /// In their order.
    pub(super) turns: Vec<Turn>,
    /// Of every batch, in order.
    pub(super) sizes: Vec<Size>,
    /// The size of all their bodies.
    pub(super) bytes: i64,
    /// The plans of the accounts that were added or changed, and by which batch, in order.
    pub(super) plans: Vec<(i64, UserId, Plan)>,
}

impl Part {
    /// An empty part that begins after a rev.
    pub(super) fn after(rev: i64) -> Part {
        Part { first: rev + 1, last: rev, ..Part::default() }
    }

    /// Adds the next batch, with the rev of the batch that began its chain. `finish` must follow.
    pub(super) fn note(&mut self, rev: i64, batch: &Batch, root: Option<i64>, bytes: i64) {
        let shows = Shows::of(&batch.entries).code();
        self.note_unread(rev, Some(batch.id), batch.actor, shows, bytes);
        let touches = ids(&batch.entries).into_iter();
        self.finds.extend(touches.map(|id| Find { way: Way::Touch, id, rev, shows: 0 }));
        let undo = matches!(batch.lineage, Lineage::UndoOf(_));
        self.turns.extend(root.map(|root| Turn { root, undo, rev, id: batch.id }));
        for entry in &batch.entries {
            if let Subject::User(change) = &entry.subject {
                self.plans.extend(change.after.iter().map(|user| (rev, user.id, user.plan)));
            }
        }
    }

    /// Adds the next batch, of which only the columns are known.
    pub(super) fn note_unread(
        &mut self,
        rev: i64,
        id: Option<BatchId>,
        actor: Option<UserId>,
        shows: i64,
        bytes: i64,
    ) {
        let actor = actor.map_or(INSTALLATION, |user| user.0);
        self.last = rev;
        self.finds.extend(id.map(|id| Find { way: Way::Name, id: id.0, rev, shows: 0 }));
        self.finds.push(Find { way: Way::By, id: actor, rev, shows });
        self.sizes.push(Size { rev, actor, bytes });
        self.bytes = self.bytes.saturating_add(bytes);
    }

    /// Orders what was added.
    pub(super) fn finish(mut self) -> Part {
        self.finds.sort_unstable();
        self.turns.sort_unstable();
        self.filter = filter(&self.finds);
        self
    }

    /// This part and the one that follows it, as one.
    pub(super) fn and(&self, next: &Part) -> Part {
        let bytes = self.bytes.saturating_add(next.bytes);
        let mut both = Part { last: next.last, bytes, filter: Filter::default(), ..self.clone() };
        // Two sorted runs, one after the other, are what this sort is fast for.
        both.finds.extend_from_slice(&next.finds);
        both.finds.sort();
        both.filter = filter(&both.finds);
        both.turns.extend_from_slice(&next.turns);
        both.turns.sort();
        both.sizes.extend_from_slice(&next.sizes);
        both.plans.extend_from_slice(&next.plans);
        both
    }

    /// The part without its batches up to a rev.
    pub(super) fn without(&self, up_to: i64) -> Part {
        let mut rest = Part { first: self.first.max(up_to + 1), ..self.clone() };
        rest.finds.retain(|find| find.rev > up_to);
        rest.filter = filter(&rest.finds);
        rest.turns.retain(|turn| turn.rev > up_to);
        rest.sizes.retain(|size| size.rev > up_to);
        rest.bytes = rest.sizes.iter().fold(0, |sum, size| sum.saturating_add(size.bytes));
        rest.plans.retain(|(rev, ..)| *rev > up_to);
        rest
    }

    /// The finds by one id, in ascending order of revs.
    pub(super) fn by_id(&self, way: Way, id: Uuid) -> &[Find] {
        if way != Way::By && !self.filter.may_have(id) {
            return &[];
        }
        let from = self.finds.partition_point(|find| (find.way, find.id) < (way, id));
        let rest = self.finds.get(from..).unwrap_or_default();
        let len = rest.partition_point(|find| (find.way, find.id) == (way, id));
        rest.get(..len).unwrap_or_default()
    }

    /// The last undo or redo of a chain, up to a rev.
    pub(super) fn last_turn(&self, root: i64, undo: bool, until: i64) -> Option<&Turn> {
        let end = self.turns.partition_point(|turn| (turn.root, turn.undo, turn.rev) <= (root, undo, until));
        let last = self.turns.get(end.checked_sub(1)?);
        last.filter(|turn| (turn.root, turn.undo) == (root, undo))
    }
}

fn filter(finds: &[Find]) -> Filter {
    let ids = || finds.iter().filter(|find| find.way != Way::By).map(|find| find.id);
    let mut filter = Filter::for_ids(ids().count());
    ids().for_each(|id| filter.add(id));
    filter
}

pub(super) fn put_turn(conn: &Connection, turn: &Turn) -> rusqlite::Result<()> {
    let Turn { root, undo, rev, id } = turn;
    conn.prepare_cached("INSERT OR REPLACE INTO turns (rev, root, undo, id) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![rev, root, undo, id.0])?;
    Ok(())
}

/// As SQLite has it. No rev is greater than its greatest integer.
pub(super) fn as_stored(rev: Rev) -> i64 {
    i64::try_from(rev).unwrap_or(i64::MAX)
}
