//! The errors of a log, distinguished by what the caller must do about them.

use graph::BatchId;
use graph::model::Rev;
use std::error::Error;
use thiserror::Error;

/// The underlying error, for the operator.
pub(crate) type Source = Box<dyn Error + Send + Sync>;

/// Returned by the deciding closure to leave a transaction with nothing written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Abandon;

/// Why a call to the log failed. Except for [`LogError::Unknown`] nothing was written.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LogError {
    /// Nothing was written: the disk is full, another process held the log for too long, or the storage could not
    /// be read. Reads continue where they can, and the same call may succeed later.
    #[error("nothing was written to the batch log: {0}")]
    Refused(#[source] Source),
    /// The outcome of the commit is unknown, for example after an I/O error at fsync. The process must end: what it
    /// answers from now on may contradict the log after a restart.
    #[error("the outcome of a write to the batch log is unknown: {0}")]
    Unknown(#[source] Source),
    /// The [stop sign](crate::StopSign) was set before the result was complete.
    #[error("reading was told to stop")]
    Stopped,
    /// The deciding closure left the transaction.
    #[error("the transaction was abandoned")]
    Abandoned,
    /// A batch with that id is already in the log, or was proposed twice.
    #[error("the batch log already contains batch {0}")]
    Duplicate(BatchId),
    /// The log does not continue from the caller's head: it was restored from a backup, or the batches after the
    /// head have been pruned. The World must be reloaded.
    #[error("the batch log ends at rev {log} and does not continue from rev {head}")]
    Astray {
        /// The caller's head.
        head: Rev,
        /// The log's head.
        log: Rev,
    },
    /// Stored data cannot be read back.
    #[error("{place} is damaged: {reason}")]
    Corrupt {
        /// Which file, table, entity or batch.
        place: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The storage was written by a newer SynapTask, whose data this version cannot interpret.
    #[error(
        "the data has schema {found}, but this version of SynapTask knows only up to {known}: use a newer version"
    )]
    NewerSchema {
        /// The schema's version in the storage.
        found: i64,
        /// The newest version known here.
        known: i64,
    },
    /// The storage belongs to another program and was left unchanged.
    #[error("this is a database of another program, not data of SynapTask")]
    Foreign,
    /// The linked SQLite library is too old to be trusted with the log.
    #[error("SQLite {found} is too old: SynapTask needs at least {needed}")]
    OldSqlite {
        /// The linked version.
        found: String,
        /// The oldest accepted version.
        needed: &'static str,
    },
}

impl LogError {
    pub(crate) fn refused(source: impl Into<Source>) -> Self {
        LogError::Refused(source.into())
    }

    pub(crate) fn corrupt(place: impl Into<String>, reason: impl ToString) -> Self {
        LogError::Corrupt { place: place.into(), reason: reason.to_string() }
    }
}
