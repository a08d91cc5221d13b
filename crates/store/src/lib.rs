//! Durability and order for SynapTask: one append-only line of batches, the [`Log`], and the entities it leads to.
//!
//! The store knows no transport and no rule of the domain: what is decided comes in as a [`Batch`], and what was
//! decided comes back as a [`World`] or as the batches a World has not seen yet.

mod codec;
mod error;
pub mod history_page;
pub mod retention;
pub mod sqlite;
mod stop;

#[cfg(any(test, feature = "contract"))]
pub mod contract;

pub use error::{Abandon, LogError};
pub use history_page::{HistoryPage, HistoryQuery, HistoryReader, HistoryScope, PastBatch};
pub use retention::{Limits, Pruned, Pruner, Retention};
pub use sqlite::SqliteLog;
pub use stop::StopSign;

use graph::batch::Lineage;
use graph::model::Rev;
use graph::{Batch, BatchId, Committed, Timestamp, TokenId, World};
use std::collections::HashMap;

/// How much of the World [`Log::load`] brings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoadScope {
    /// Every entity.
    Everything,
    /// Users and tokens alone: enough to open accounts and make tokens, and fast however large the graph is.
    Accounts,
}

/// A hash of a request's content, by which the same request is told from another under the same batch id.
pub type Fingerprint = [u8; 32];

/// A decided batch on its way into the log.
#[derive(Clone, Debug, PartialEq)]
pub struct Proposal {
    /// What to append.
    pub batch: Batch,
    /// Set when the client named the batch, so that the request sent again can be recognized.
    pub fingerprint: Option<Fingerprint>,
}

/// A batch as the log remembers it.
#[derive(Clone, Debug, PartialEq)]
pub struct Remembered {
    /// Its place in the order of commits.
    pub rev: Rev,
    /// What was done.
    pub batch: Batch,
    /// The fingerprint it was appended with.
    pub fingerprint: Option<Fingerprint>,
}

/// A batch with all its undos and redos, see [`Past::chain`].
#[derive(Clone, Debug, PartialEq)]
pub struct PastChain {
    /// The batch that began the chain.
    pub root: Remembered,
    /// How the last batch of the chain stands to the root: the chain's state. Fresh when none followed.
    pub latest: Lineage,
    /// How the batch asked for stands to the root.
    pub named: Lineage,
    /// The last batch of the chain after the root; `None` when none followed, or when it is no longer held.
    pub last: Option<Batch>,
}

/// Decides what to append, given the batches that others appended since the caller's head, in order and without a
/// gap, and the past as the transaction sees it. It is called at most once in a transaction.
pub type Decide<'a> = dyn FnMut(&[Committed], &dyn Past) -> Result<Vec<Proposal>, Abandon> + 'a;

/// The one order of all batches, kept durably. Several logs – in one process or in many – may stand on the same
/// storage; they see the same batches in the same order.
pub trait Log: Send {
    /// The World that the log leads to, standing at the log's head.
    ///
    /// # Errors
    /// [`LogError::Corrupt`] when what is stored cannot be read back, [`LogError::Refused`] when it could not be reached.
    fn load(&mut self, scope: LoadScope) -> Result<World, LogError>;

    /// Whether others may have committed since this log last looked, by `load`, `since` or `transact`; it stays true
    /// until one of them looks again. Cheap enough to ask several times a second. True may be a false alarm, false never is.
    ///
    /// # Errors
    /// [`LogError::Refused`] when the storage could not be asked.
    fn changed(&mut self) -> Result<bool, LogError>;

    /// Opens the write transaction, hands `decide` the batches appended after `head`, appends what it returns, commits
    /// durably and returns the rev of the last batch. Proposals get the revs that follow the news, in their order.
    /// Without proposals nothing is written, and the rev is that of the last of the news, or `head`.
    ///
    /// The news are handed over even when the transaction fails afterwards: a caller that applied them keeps them. A caller
    /// that could not read the past, but for what is damaged of it, should abandon: an error like that may have ended the
    /// transaction, and then nothing is appended, whatever is proposed.
    ///
    /// # Errors
    /// * [`LogError::Abandoned`] when `decide` said so;
    /// * [`LogError::Duplicate`] when a proposal's batch id is in the log, or twice among the proposals;
    /// * [`LogError::Astray`] when the log does not lead on from `head`, or what followed it has been pruned;
    /// * [`LogError::Refused`] when nothing was written for any other reason;
    /// * [`LogError::Unknown`] when it cannot be told whether the proposals are in the log: the process must end.
    fn transact(&mut self, head: Rev, decide: &mut Decide<'_>) -> Result<Rev, LogError>;

    /// The batches after `head`, in order, without writing.
    ///
    /// # Errors
    /// [`LogError::Astray`], [`LogError::Corrupt`] and [`LogError::Refused`], as for `transact`.
    fn since(&mut self, head: Rev) -> Result<Vec<Committed>, LogError>;

    /// Read access to the past, outside a transaction.
    fn past(&self) -> &dyn Past;

    /// Opens a reader of history on the same storage.
    ///
    /// # Errors
    /// Those of opening the log.
    fn history(&self) -> Result<Box<dyn HistoryReader>, LogError>;

    /// Opens a pruner on the same storage.
    ///
    /// # Errors
    /// Those of opening the log.
    fn pruner(&self, retention: Retention) -> Result<Box<dyn Pruner>, LogError>;

    /// Brings all that was committed into the storage's main file, as far as nobody else reads what is replaced by it.
    /// The last log on a storage that is dropped removes every other file.
    ///
    /// # Errors
    /// [`LogError::Refused`]; nothing is lost by it.
    fn checkpoint(&mut self) -> Result<(), LogError>;

    /// Keeps when tokens were last used; an earlier time than the one kept changes nothing, and neither does an unknown
    /// token. Not a batch and not durable at once: losing the last of them in a crash harms nobody.
    ///
    /// # Errors
    /// [`LogError::Refused`] when they were not kept.
    fn touch_tokens(&mut self, used: &[(TokenId, Timestamp)]) -> Result<(), LogError>;

    /// When each token was last used; tokens that never were are not in it.
    ///
    /// # Errors
    /// [`LogError::Refused`] and [`LogError::Corrupt`].
    fn tokens_last_used(&mut self) -> Result<HashMap<TokenId, Timestamp>, LogError>;
}

/// Read access to what was committed.
pub trait Past {
    /// The batch with that id: what became of the request that a client gave that name, if the id was a client's.
    ///
    /// # Errors
    /// [`LogError::Refused`] and [`LogError::Corrupt`].
    fn batch(&self, id: BatchId) -> Result<Option<Remembered>, LogError>;

    /// The chain that the batch with that id belongs to; `None` when the batch, or the one that began its chain, is not
    /// held (any longer).
    ///
    /// # Errors
    /// [`LogError::Refused`] and [`LogError::Corrupt`].
    fn chain(&self, id: BatchId) -> Result<Option<PastChain>, LogError>;
}
