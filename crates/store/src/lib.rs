//! Durability and order for SynapTask: the [`Log`], an append-only sequence of batches, and the entities that
//! result from it.
//!
//! The store knows no transport and no rule of the domain. Decided changes come in as a [`Batch`]. They come back
//! as a [`World`], or as the batches that a World has not seen yet.

#![warn(missing_docs)]

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
pub use retention::{Limits, Pruned, Pruner, Retention, Upkeep};
pub use sqlite::SqliteLog;
pub use stop::StopSign;

use graph::batch::Lineage;
use graph::model::Rev;
use graph::world::Due;
use graph::{Batch, BatchId, Committed, Timestamp, TokenId, World};
use std::collections::HashMap;
use std::sync::Arc;

/// How much of the World [`Log::load`] loads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoadScope {
    /// Every entity.
    Everything,
    /// Only users and tokens: enough to add accounts and tokens, and fast for any size of graph.
    Accounts,
}

/// A hash of a request's content. It distinguishes requests with the same batch id.
pub type Fingerprint = [u8; 32];

/// A decided batch to append to the log.
#[derive(Clone, Debug, PartialEq)]
pub struct Proposal {
    /// The batch to append. It is shared with its maker: the log only reads it.
    pub batch: Arc<Batch>,
    /// Present when the client named the batch, so that a repeated request is recognized.
    pub fingerprint: Option<Fingerprint>,
}

/// A batch as kept in the log.
#[derive(Clone, Debug, PartialEq)]
pub struct Remembered {
    /// Its position in the order of commits.
    pub rev: Rev,
    /// The batch.
    pub batch: Batch,
    /// The fingerprint it was appended with.
    pub fingerprint: Option<Fingerprint>,
}

/// A batch with all its undos and redos; see [`Past::chain`].
#[derive(Clone, Debug, PartialEq)]
pub struct PastChain {
    /// The batch that began the chain.
    pub root: Remembered,
    /// How the last batch of the chain relates to the root: the chain's state. Fresh when none followed.
    pub latest: Lineage,
    /// How the named batch relates to the root.
    pub named: Lineage,
    /// The last batch of the chain after the root; `None` when none followed, or when it is no longer kept.
    pub last: Option<Batch>,
}

/// Decides what to append. It is given the batches that other logs appended since the caller's head, in order and
/// without a gap, and history as the transaction sees it. It is called at most once per transaction.
pub type Decide<'a> = dyn FnMut(&[Committed], &dyn Past) -> Result<Vec<Proposal>, Abandon> + 'a;

/// The one order of all batches, stored durably. Several logs, in one process or in many, may use the same storage.
/// They see the same batches in the same order.
pub trait Log: Send {
    /// Loads the World at the log's head.
    ///
    /// # Errors
    /// [`LogError::Corrupt`] when stored data cannot be read back, [`LogError::Refused`] when the storage could not
    /// be reached.
    fn load(&mut self, scope: LoadScope) -> Result<World, LogError>;

    /// Whether other logs may have committed since the last `load`, `since` or `transact` of this log. It stays
    /// true until one of them is called again. It is cheap enough to call several times a second. True may be a
    /// false alarm; false never is.
    ///
    /// # Errors
    /// [`LogError::Refused`] when the storage could not be read.
    fn changed(&mut self) -> Result<bool, LogError>;

    /// Opens the write transaction, gives `decide` the batches appended after `head`, appends the proposals it
    /// returns, commits durably and returns the rev of the last batch. The proposals get the next revs, in their
    /// order. Without proposals nothing is written, and the rev is that of the last batch, or `head`.
    ///
    /// `decide` gets the new batches even if the transaction fails afterwards; a caller that applied them keeps them.
    /// If `decide` cannot read history it should abandon, unless the history is damaged: any other read error may
    /// have ended the transaction, and then no proposal is appended.
    ///
    /// # Errors
    /// * [`LogError::Abandoned`] when `decide` returned [`Abandon`];
    /// * [`LogError::Duplicate`] when a proposal's batch id is already in the log, or twice among the proposals;
    /// * [`LogError::Astray`] when the log does not continue from `head`, or the batches after it have been pruned;
    /// * [`LogError::Refused`] when nothing was written for any other reason;
    /// * [`LogError::Unknown`] when it is unknown whether the proposals are in the log: the process must end.
    fn transact(&mut self, head: Rev, decide: &mut Decide<'_>) -> Result<Rev, LogError>;

    /// The batches after `head`, in order. Nothing is written.
    ///
    /// # Errors
    /// [`LogError::Astray`], [`LogError::Corrupt`] and [`LogError::Refused`], as for `transact`.
    fn since(&mut self, head: Rev) -> Result<Vec<Committed>, LogError>;

    /// Read access to history, outside a transaction.
    fn past(&self) -> &dyn Past;

    /// Opens read access to history for another thread. It sees everything that has been committed at the time of
    /// each call, by this log or by others, and works while a transaction is open.
    ///
    /// # Errors
    /// Those of opening the log.
    fn open_past(&self) -> Result<Box<dyn Past + Send>, LogError>;

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

    /// Moves everything committed into the storage's main file, except what readers still prevent. The last log on
    /// a storage removes every other file when it is dropped.
    ///
    /// # Errors
    /// [`LogError::Refused`]; no data is lost.
    fn checkpoint(&mut self) -> Result<(), LogError>;

    /// Notes what has expired although its due time is still to come: the clock was set back, see [`World::expired`].
    /// A later `load` includes it. Noting something again is not an error.
    ///
    /// # Errors
    /// [`LogError::Refused`] when it was not noted.
    fn note_expired(&mut self, expired: &[(Due, Timestamp)]) -> Result<(), LogError>;

    /// Stores when tokens were last used. A time earlier than the stored one is ignored, and so is an unknown
    /// token. This is not a batch and not durable at once: losing the latest times in a crash is harmless.
    ///
    /// # Errors
    /// [`LogError::Refused`] when they were not stored.
    fn touch_tokens(&mut self, used: &[(TokenId, Timestamp)]) -> Result<(), LogError>;

    /// When each token was last used. Tokens that were never used are left out.
    ///
    /// # Errors
    /// [`LogError::Refused`] and [`LogError::Corrupt`].
    fn tokens_last_used(&mut self) -> Result<HashMap<TokenId, Timestamp>, LogError>;
}

/// Read access to committed batches.
pub trait Past {
    /// The batch with that id. If a client chose the id, this is the result of its request.
    ///
    /// # Errors
    /// [`LogError::Refused`] and [`LogError::Corrupt`].
    fn batch(&self, id: BatchId) -> Result<Option<Remembered>, LogError>;

    /// The chain of the batch with that id; `None` when the batch, or the one that began its chain, is not kept.
    ///
    /// # Errors
    /// [`LogError::Refused`] and [`LogError::Corrupt`].
    fn chain(&self, id: BatchId) -> Result<Option<PastChain>, LogError>;
}
