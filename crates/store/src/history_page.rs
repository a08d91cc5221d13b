//! History, page by page, as one user sees it. A reader has its own connection, for use on its own thread.

use crate::{LogError, StopSign};
use graph::batch::Subject;
use graph::history_view::HistorySight;
use graph::model::Rev;
use graph::{Batch, BatchId, Entry, NodeId, Op, Timestamp, UserId};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use uuid::Uuid;

/// The most bytes of batches on one page, as stored, before it ends. It bounds the memory of a page: a page of few
/// large batches is short. A page always has one batch, however large.
pub const PAGE_BYTES_MAX: usize = 4 << 20;

/// Reads pages of history. It never waits for writers, and writers never wait for it.
pub trait HistoryReader: Send {
    /// Makes searches end with [`LogError::Stopped`] once the sign is set.
    fn heed(&mut self, stop: StopSign);

    /// Reads one page. Batches pruned in the meantime may or may not be on it. A page can be shorter than its limit
    /// although more follows, see [`PAGE_BYTES_MAX`]. The next page begins at `offset` plus the number of batches
    /// on this one.
    ///
    /// # Errors
    /// [`LogError::Refused`] and [`LogError::Corrupt`].
    fn page(&mut self, query: &HistoryQuery) -> Result<HistoryPage, LogError> {
        self.page_before(query, Rev::MAX)
    }

    /// Reads one page of the batches before a rev. It continues after another page without counting that page's
    /// batches again.
    ///
    /// # Errors
    /// [`LogError::Refused`] and [`LogError::Corrupt`].
    fn page_before(&mut self, query: &HistoryQuery, before: Rev) -> Result<HistoryPage, LogError>;

    /// The rev of the last batch up to a time; 0 when there is none.
    ///
    /// # Errors
    /// [`LogError::Refused`].
    fn rev_by(&mut self, at: Timestamp) -> Result<Rev, LogError>;

    /// The current titles of nodes. Nodes that were deleted for good are left out.
    ///
    /// # Errors
    /// [`LogError::Refused`] and [`LogError::Corrupt`].
    fn titles(&mut self, nodes: &HashSet<NodeId>) -> Result<HashMap<NodeId, String>, LogError>;
}

/// The scope of a page, within what its reader sees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HistoryScope {
    /// Everything the reader sees.
    Everything,
    /// The batches made by this user.
    By(UserId),
    /// The batches with an entry that the reader sees and that [touches](touched) one of these ids.
    Touching(Arc<HashSet<Uuid>>),
}

/// A query for a page.
#[derive(Clone, Debug)]
pub struct HistoryQuery {
    /// The reader, whose view decides what is on the page.
    pub reader: Arc<dyn HistorySight>,
    /// The scope.
    pub scope: HistoryScope,
    /// The rev at which the page is requested. Nothing on the page is later, undos and redos included.
    pub until: Rev,
    /// The greatest number of batches.
    pub limit: usize,
    /// How many of the latest batches to skip.
    pub offset: usize,
}

/// What a batch shows, known without reading it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Shows {
    /// Nothing: it has no entries, or none but view settings, which have no history.
    Nothing,
    /// Only accounts and tokens, which only a reader that sees everything is shown.
    Accounts,
    /// Entries on entities that it [touches](touched).
    Touched,
}

impl Shows {
    pub(crate) fn of(entries: &[Entry]) -> Shows {
        let is_shown = entries.iter().any(|entry| entry.op != Op::ViewUpdate);
        match (is_shown, entries.iter().flat_map(touched).next()) {
            (false, _) => Shows::Nothing,
            (_, None) => Shows::Accounts,
            (_, Some(_)) => Shows::Touched,
        }
    }

    pub(crate) fn code(self) -> i64 {
        match self {
            Shows::Nothing => 0,
            Shows::Accounts => 1,
            Shows::Touched => 2,
        }
    }

    pub(crate) fn from_code(code: i64) -> Option<Shows> {
        [Shows::Nothing, Shows::Accounts, Shows::Touched].into_iter().find(|shows| shows.code() == code)
    }
}

impl HistoryQuery {
    /// Whether a batch belongs to the query, if its columns alone can tell.
    pub(crate) fn settles(&self, actor: Option<UserId>, shows: Shows) -> Option<bool> {
        let reader = &self.reader;
        let least = if reader.sees_everything() { Shows::Accounts } else { Shows::Touched };
        let sees_all_of = |user: Option<UserId>| reader.sees_everything() || user == Some(reader.user());
        match self.scope {
            _ if shows < least => Some(false),
            HistoryScope::By(user) if actor != Some(user) => Some(false),
            HistoryScope::Everything | HistoryScope::By(_) => sees_all_of(actor).then_some(true),
            HistoryScope::Touching(_) => None,
        }
    }

    /// Whether a batch belongs to the query.
    pub(crate) fn wants(&self, batch: &Batch) -> bool {
        let settled = self.settles(batch.actor, Shows::of(&batch.entries));
        settled.unwrap_or_else(|| match &self.scope {
            HistoryScope::Everything | HistoryScope::By(_) => self.reader.sees_batch(batch),
            HistoryScope::Touching(ids) => batch
                .entries
                .iter()
                .any(|entry| touched(entry).any(|id| ids.contains(&id)) && self.reader.sees_entry(entry)),
        })
    }
}

/// Batches of history, latest first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct HistoryPage {
    /// At most as many as the query's limit.
    pub batches: Vec<PastBatch>,
    /// Whether there are older batches.
    pub has_more: bool,
}

/// A batch on a page.
#[derive(Clone, Debug, PartialEq)]
pub struct PastBatch {
    /// Its position in the order of commits.
    pub rev: Rev,
    /// The whole batch. [`HistorySight::sees_entry`] decides which entries to show.
    pub batch: Batch,
    /// Whether the chain that it belongs to is undone.
    pub undone: bool,
    /// For a batch that began a chain: the latest undo, even if it was redone since.
    pub undone_by: Option<BatchId>,
    /// For a batch that began a chain: the latest redo, even if it was undone since.
    pub redone_by: Option<BatchId>,
}

/// The ids that an entry touches: the node or link; for a grant, its node and its grantee; for an embed or a change
/// to an account that history shows its user, the user. Tokens, keys and new accounts touch no id.
pub fn touched(entry: &Entry) -> impl Iterator<Item = Uuid> {
    let ids = match &entry.subject {
        // A branch token's guest and grant.
        Subject::Grant(_) | Subject::User(_) if entry.op.is_internal() && entry.op != Op::UserAdd => {
            [None, None]
        }
        Subject::Node(change) => [change.latest().map(|node| node.id.0), None],
        Subject::Link(change) => [change.latest().map(|link| link.id.0), None],
        Subject::Grant(change) => {
            let grant = change.latest();
            [grant.map(|grant| grant.node.0), grant.map(|grant| grant.user.0)]
        }
        Subject::Embed(change) => [change.latest().map(|embed| embed.user.0), None],
        Subject::User(change) if !entry.op.is_internal() => {
            [change.before.as_ref().map(|user| user.id.0), None]
        }
        Subject::User(_) | Subject::Token(_) | Subject::Key(_) => [None, None],
    };
    ids.into_iter().flatten()
}
