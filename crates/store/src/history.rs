//! The past, page by page, as one user sees it: on a connection of its own, for a thread of its own.

use crate::LogError;
use graph::batch::Subject;
use graph::history::Reader;
use graph::model::Rev;
use graph::{Batch, BatchId, Entry, NodeId, Timestamp, UserId};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use uuid::Uuid;

/// Reads pages of the past. It never waits for whoever appends, and they never wait for it.
pub trait History: Send {
    /// One page, from a single moment of the log.
    ///
    /// # Errors
    /// [`LogError::Refused`] and [`LogError::Corrupt`].
    fn page(&mut self, query: &HistoryQuery) -> Result<HistoryPage, LogError>;

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
    pub reader: Arc<Reader>,
    /// Which of it.
    pub scope: HistoryScope,
    /// The rev at which the reader was taken; nothing of the page is younger, undos and redos included.
    pub until: Rev,
    /// How many batches at most.
    pub limit: usize,
    /// How many of the latest to leave out.
    pub offset: usize,
}

impl HistoryQuery {
    /// Whether a batch belongs to what is asked for.
    pub(crate) fn wants(&self, batch: &Batch) -> bool {
        // Whoever sees everything sees accounts opened and tokens made too.
        let told = || match self.reader.everything {
            true => !batch.entries.is_empty(),
            false => batch.entries.iter().any(|entry| touched(entry).next().is_some()),
        };
        match &self.scope {
            HistoryScope::Everything => told() && self.reader.sees_batch(batch),
            HistoryScope::By(user) => batch.actor == Some(*user) && told() && self.reader.sees_batch(batch),
            HistoryScope::Touching(ids) => batch
                .entries
                .iter()
                .any(|entry| touched(entry).any(|id| ids.contains(&id)) && self.reader.sees_entry(entry)),
        }
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
    /// The whole of it: which entries to show is [`Reader::sees_entry`]'s to say.
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
