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

struct BacklogDiff {
    diff: Arc<DiffPart>,
    bytes: usize,
    at: Instant,
}

impl Backlog {
    /// Begins at the given rev; `exact` if no due time has passed at that rev yet.
    pub(super) fn begin(rev: Rev, exact: bool) -> Self {
        Backlog { diffs: VecDeque::new(), bytes: 0, complete_from: rev, exact }
    }

    /// Adds a diff, in the parts it is sent in.
    pub(super) fn push(&mut self, parts: &[Arc<DiffPart>], bytes_max: usize) {
        for diff in parts {
            let bytes = diff.bytes();
            self.bytes += bytes;
            self.diffs.push_back(BacklogDiff { diff: Arc::clone(diff), bytes, at: Instant::now() });
        }
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
        self.complete_from = self.complete_from.max(entry.diff.rev);
        // A diff of that very rev has been dropped.
        self.exact = false;
        true
    }

    /// The diffs missed by a client at `since`; `None` when they are not all kept, or may no longer be read.
    pub(super) fn since(&self, since: Rev, head: Rev) -> Option<Vec<Arc<DiffPart>>> {
        let complete = since > self.complete_from || (since == self.complete_from && self.exact);
        // It is unknown whether the client missed the due times that passed at `since`. They only take access away,
        // so repeating them is safe. The batch of that rev was not missed.
        let later = |entry: &BacklogDiff| {
            entry.diff.rev > since || (entry.diff.rev == since && entry.diff.batch.is_none())
        };
        let shrunk = self.diffs.iter().any(|entry| later(entry) && entry.diff.shrinks());
        // All parts of a diff lead to the same rev, so the rev does not tell whether the last part has arrived.
        let in_part = self.diffs.iter().any(|entry| entry.diff.rev == since && entry.diff.part.is_some());
        if !complete || shrunk || in_part || since > head {
            return None;
        }
        let missed = self.diffs.iter().filter(|entry| entry.diff.rev > since);
        Some(missed.map(|entry| Arc::clone(&entry.diff)).collect())
    }
}
