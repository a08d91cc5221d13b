//! The past, page by page, as one user sees it: on a connection of its own, for a thread of its own.

use crate::{LogError, StopSign};
use graph::batch::Subject;
use graph::history_view::HistoryView;
use graph::model::Rev;
use graph::{Batch, BatchId, Entry, NodeId, Timestamp, UserId};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use uuid::Uuid;

/// How large the batches of a page may be together, as they are stored, before it ends: a page of few large batches is
/// short, so that no page takes more memory than can be spared. One batch it always has, however large.
pub const PAGE_BYTES_MAX: usize = 4 << 20;

/// Reads pages of the past. It never waits for whoever appends, and they never wait for it.
pub trait HistoryReader: Send {
    /// Has pages that are searched for end with [`LogError::Stopped`] once the sign is set.
    fn heed(&mut self, stop: StopSign);

    /// One page. What is taken away while it is read may or may not be on it. It can be shorter than its limit though
    /// more follows, see [`PAGE_BYTES_MAX`]; the next begins at `offset` and as many as were on it.
    ///
    /// # Errors
    /// [`LogError::Refused`] and [`LogError::Corrupt`].
    fn page(&mut self, query: &HistoryQuery) -> Result<HistoryPage, LogError> {
        self.page_before(query, Rev::MAX)
    }

    /// One page of what came before a rev: to go on where another page ended without counting anew what was on it.
    ///
    /// # Errors
    /// [`LogError::Refused`] and [`LogError::Corrupt`].
    fn page_before(&mut self, query: &HistoryQuery, before: Rev) -> Result<HistoryPage, LogError>;

    /// The last batch up to a moment, by its rev; 0 when there is none.
    ///
    /// # Errors
    /// [`LogError::Refused`].
    fn rev_by(&mut self, at: Timestamp) -> Result<Rev, LogError>;

    /// What nodes are called now; those that were deleted for good are not in it.
    ///
    /// # Errors
    /// [`LogError::Refused`] and [`LogError::Corrupt`].
    fn titles(&mut self, nodes: &HashSet<NodeId>) -> Result<HashMap<NodeId, String>, LogError>;
}

/// Which batches a page is about, besides being seen by its reader.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HistoryScope {
    /// All that the reader sees.
    Everything,
    /// Those that this user made.
    By(UserId),
    /// Those with an entry that the reader sees and that [touches](touched) one of these ids.
    Touching(Arc<HashSet<Uuid>>),
}

/// What to put on a page.
#[derive(Clone, Debug)]
pub struct HistoryQuery {
    /// Who reads: what they see decides what there is.
    pub reader: Arc<HistoryView>,
    /// Which of it.
    pub scope: HistoryScope,
    /// The rev at which the reader was taken; nothing of the page is younger, undos and redos included.
    pub until: Rev,
    /// How many batches at most.
    pub limit: usize,
    /// How many of the latest to leave out.
    pub offset: usize,
}

/// What of a batch there is to show, known without reading it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Shows {
    /// Nothing: it has no entries.
    Nothing,
    /// Accounts opened and tokens made, which only whoever sees everything is told of.
    Accounts,
    /// What is history for somebody, because it is [touched].
    Touched,
}

impl Shows {
    pub(crate) fn of(entries: &[Entry]) -> Shows {
        match (entries, entries.iter().flat_map(touched).next()) {
            ([], _) => Shows::Nothing,
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
    /// Whether a batch belongs to what is asked for, where that can be said without reading it.
    pub(crate) fn settles(&self, actor: Option<UserId>, shows: Shows) -> Option<bool> {
        let reader = &self.reader;
        let least = if reader.everything { Shows::Accounts } else { Shows::Touched };
        let sees_all_of = |user: Option<UserId>| reader.everything || user == Some(reader.user);
        match self.scope {
            _ if shows < least => Some(false),
            HistoryScope::By(user) if actor != Some(user) => Some(false),
            HistoryScope::Everything | HistoryScope::By(_) => sees_all_of(actor).then_some(true),
            HistoryScope::Touching(_) => None,
        }
    }

    /// Whether a batch belongs to what is asked for.
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

/// Batches of the past, latest first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct HistoryPage {
    /// At most as many as were asked for.
    pub batches: Vec<PastBatch>,
    /// Whether there are older ones.
    pub has_more: bool,
}

/// A batch on a page.
#[derive(Clone, Debug, PartialEq)]
pub struct PastBatch {
    /// Its place in the order of commits.
    pub rev: Rev,
    /// The whole of it: which entries to show is [`HistoryView::sees_entry`]'s to say.
    pub batch: Batch,
    /// Whether the chain it belongs to was undone last.
    pub undone: bool,
    /// Of a batch that began a chain: the last that undid it, also when it was redone since.
    pub undone_by: Option<BatchId>,
    /// Of a batch that began a chain: the last that redid it, also when it was undone since.
    pub redone_by: Option<BatchId>,
}

/// The ids under which an entry is history: the node or link; of a grant its node and the grantee; of an embed and of a
/// renaming the user. Tokens and the opening of accounts are nobody's history.
pub fn touched(entry: &Entry) -> impl Iterator<Item = Uuid> {
    let ids = match &entry.subject {
        Subject::Node(change) => [change.latest().map(|node| node.id.0), None],
        Subject::Link(change) => [change.latest().map(|link| link.id.0), None],
        Subject::Grant(change) => {
            let grant = change.latest();
            [grant.map(|grant| grant.node.0), grant.map(|grant| grant.user.0)]
        }
        Subject::Embed(change) => [change.latest().map(|embed| embed.user.0), None],
        Subject::User(change) => [change.before.as_ref().map(|user| user.id.0), None],
        Subject::Token(_) => [None, None],
    };
    ids.into_iter().flatten()
}
