//! What can go wrong with a log, told apart by what the caller must do about it.

use graph::BatchId;
use graph::model::Rev;
use std::error::Error;
use thiserror::Error;

/// What lies beneath an error, for the operator's eyes.
pub(crate) type Source = Box<dyn Error + Send + Sync>;

/// Said by whoever decides, inside a transaction, to leave it with nothing written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Abandon;

/// Why a log did not do as asked. In every case but [`LogError::Unknown`] nothing was written.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LogError {
    /// Known to have written nothing: the disk is full, another process held the log for too long, the storage could not
    /// be read. Reads go on where they can, and the same call may succeed later.
    #[error("nothing was written to the log: {0}")]
    Refused(#[source] Source),
    /// The commit failed in a way that leaves open whether it happened, an I/O error at fsync for one. The process must
    /// end: what it would say next could be contradicted by the log at its next start.
    #[error("the outcome of a write to the log is unknown: {0}")]
    Unknown(#[source] Source),
    /// The [sign to stop](crate::StopSign) was set before the answer was found.
    #[error("reading was told to stop")]
    Stopped,
    /// The deciding side left the transaction.
    #[error("the transaction was abandoned")]
    Abandoned,
    /// A batch of that id is in the log already, or was proposed twice.
    #[error("the log already holds a batch {0}")]
    Duplicate(BatchId),
    /// The log does not lead on from the caller's head – it was put back from a backup, or what followed is no longer
    /// held. The World must be loaded anew.
    #[error("the log ends at rev {log} and does not continue from rev {head}")]
    Astray {
        /// Where the caller stood.
        head: Rev,
        /// Where the log ends.
        log: Rev,
    },
    /// What is stored cannot be read back.
    #[error("{place} is damaged: {reason}")]
    Corrupt {
        /// Which file, table, entity or batch.
        place: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The storage was written by a newer SynapTask, whose meaning this one cannot know.
    #[error(
        "the log has schema {found}, but this version of SynapTask knows only up to {known}: use a newer version"
    )]
    NewerSchema {
        /// The schema's version in the storage.
        found: i64,
        /// The newest version known here.
        known: i64,
    },
    /// The storage belongs to another program and was left as it is.
    #[error("this is a database of another program, not a log of SynapTask")]
    Foreign,
    /// The SQLite library that is linked is too old to be trusted with the log.
    #[error("SQLite {found} is too old: SynapTask needs at least {needed}")]
    OldSqlite {
        /// The version that is linked.
        found: String,
        /// The oldest version accepted.
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
