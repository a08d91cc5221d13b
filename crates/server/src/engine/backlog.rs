//! The recent diffs of a user, so that a connection lost for a moment can catch up instead of loading anew.

use super::diff_part::DiffPart;
use graph::model::Rev;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A user's recent diffs, without a gap from `complete_from` on.
pub(super) struct Backlog {
    diffs: VecDeque<BacklogDiff>,
    bytes: usize,
    /// Every diff that leads beyond this rev is kept.
    complete_from: Rev,
    /// Whether everything at `complete_from` itself is kept too: due times pass without a rev of their own.
    exact: bool,
}

/// A diff with all its parts. They share it, so it is kept or dropped as a whole.
struct BacklogDiff {
    parts: Arc<[Arc<DiffPart>]>,
    rev: Rev,
    bytes: usize,
    at: Instant,
}

impl Backlog {
    /// Begins at the given rev; `exact` if no due time has passed at that rev yet.
    pub(super) fn begin(rev: Rev, exact: bool) -> Self {
        Backlog { diffs: VecDeque::new(), bytes: 0, complete_from: rev, exact }
    }

    /// Adds a diff, in the parts it is sent in. A diff that is larger than all that may be kept is not, nor is
    /// anything before it.
    pub(super) fn push(&mut self, parts: &Arc<[Arc<DiffPart>]>, bytes_max: usize) {
        let Some(rev) = parts.first().map(|part| part.rev) else { return };
        let bytes = parts.iter().map(|part| part.bytes()).sum();
        self.bytes += bytes;
        self.diffs.push_back(BacklogDiff { parts: Arc::clone(parts), rev, bytes, at: Instant::now() });
        while self.bytes > bytes_max && self.drop_oldest() {}
    }

    /// Drops diffs that are older than `kept`.
    pub(super) fn trim(&mut self, kept: Duration) {
        while self.diffs.front().is_some_and(|entry| entry.at.elapsed() > kept) {
            self.drop_oldest();
        }
    }

    fn drop_oldest(&mut self) -> bool {
        let Some(entry) = self.diffs.pop_front() else { return false };
        self.bytes -= entry.bytes;
        self.complete_from = self.complete_from.max(entry.rev);
        // A diff of that very rev has been dropped.
        self.exact = false;
        true
    }

    /// The diffs missed by a client at `since`; `None` when they are not all kept, or may no longer be read.
    pub(super) fn since(&self, since: Rev, head: Rev) -> Option<Vec<Arc<DiffPart>>> {
        let complete = since > self.complete_from || (since == self.complete_from && self.exact);
        if !complete || since > head {
            return None;
        }
        // It is unknown whether the client missed the due times that passed at `since`. They only take access away,
        // so repeating them is safe. The batch of that rev was not missed.
        let later = |part: &DiffPart| part.rev > since || (part.rev == since && part.batch.is_none());
        let mut firsts = self.diffs.iter().filter_map(|entry| entry.parts.first());
        // All parts of a diff lead to the same rev, so the rev does not tell whether the last part has arrived.
        let in_part = |part: &DiffPart| part.rev == since && part.part.is_some();
        if firsts.any(|part| in_part(part) || (later(part) && part.whole().shrinks())) {
            return None;
        }
        let missed = self.diffs.iter().filter(|entry| entry.rev > since);
        Some(missed.flat_map(|entry| &*entry.parts).map(Arc::clone).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use graph::diff::NodeChange;
    use graph::model::Level;
    use graph::{BatchId, Diff, NodeId, Timestamp, World};
    use uuid::Uuid;

    /// A diff of `count` entries that hides nothing.
    fn diff(rev: Rev, count: usize) -> Arc<[Arc<DiffPart>]> {
        let of = NodeId(Uuid::from_u128(7));
        let node = graph::model::Node::new(
            of,
            graph::UserId(Uuid::nil()),
            BatchId(Uuid::from_u128(rev.into())),
            Timestamp::default(),
            1,
        );
        let (before, after) = (Level::Viewer, Level::Editor);
        let change = NodeChange::Access { node: Arc::new(node), before, after, roots: Arc::default() };
        let batch = Some(BatchId(Uuid::from_u128(rev.into())));
        let nodes = vec![change; count];
        DiffPart::split(Diff { batch, rev, nodes, ..Diff::empty(&World::default(), None) }, 10).into()
    }

    fn missed(backlog: &Backlog, since: Rev) -> Option<usize> {
        backlog.since(since, 9).map(|parts| parts.len())
    }

    #[test]
    fn p22_a_diff_larger_than_all_that_is_kept_is_not_kept_in_part() {
        let mut backlog = Backlog::begin(0, true);
        backlog.push(&diff(1, 1), 10_000);
        backlog.push(&diff(2, 20), 10_000);
        assert_eq!((missed(&backlog, 0), missed(&backlog, 1)), (Some(3), Some(2)));
        backlog.push(&diff(3, 1_000), 10_000);
        assert_eq!((backlog.bytes, backlog.diffs.len()), (0, 0), "nothing of it, and nothing before it");
        backlog.push(&diff(4, 1), 10_000);
        let since = [0, 1, 2, 3].map(|since| missed(&backlog, since));
        assert_eq!(since, [None; 4], "whoever missed it, or may have missed a part of it, loads anew");
        assert_eq!(missed(&backlog, 4), Some(0));
    }

    #[test]
    fn p22_the_oldest_diffs_go_first_and_with_all_their_parts() {
        let mut backlog = Backlog::begin(0, true);
        let bytes_max = diff(1, 20).iter().map(|part| part.bytes()).sum::<usize>() * 2;
        (1..=3).for_each(|rev| backlog.push(&diff(rev, 20), bytes_max));
        assert_eq!((missed(&backlog, 0), missed(&backlog, 1)), (None, None));
        assert_eq!(backlog.diffs.iter().map(|entry| entry.parts.len()).collect::<Vec<_>>(), [2, 2]);
    }
}
