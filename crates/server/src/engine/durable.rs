//! What is durable: the one place that everything committed passes, in order.

use super::Shared;
use super::connections::Connections;
use super::directory::DirectoryChange;
use super::reading::News;
use graph::model::Rev;
use graph::{Batch, Timestamp, World};
use std::sync::Arc;

/// One step of what is durable.
#[derive(Debug)]
pub(super) enum Step<'w> {
    /// This batch is on disk, at this rev.
    Batch { rev: Rev, batch: Arc<Batch>, directory: DirectoryChange },
    /// Due times have passed up to this time, or the clock was set back to it; see [`World::set_clock`]. Besides, the
    /// clock moves to the time of each batch.
    Clock(Timestamp),
    /// The World was loaded anew. It includes every earlier step.
    Reloaded(&'w World),
}

/// Takes one step. Each committed batch, of this process or of another, and each passing of due times comes here,
/// in order and before anyone is told of it. Whatever follows what is durable is fed here. The engine's World may be
/// ahead of it.
pub(super) fn durable(connections: &mut Connections, shared: &Shared, step: Step<'_>) {
    match step {
        Step::Batch { rev, batch, directory } => {
            tracing::trace!(rev, "committed");
            shared.directory.follow(directory);
            connections.follow(&shared.directory, &batch);
            connections.pass_to_readers(News::Batch(batch));
        }
        Step::Clock(now) => {
            tracing::trace!(now = now.ms(), "time passed");
            connections.pass_to_readers(News::Clock(now));
        }
        Step::Reloaded(world) => {
            shared.directory.replace(world);
            connections.pass_to_readers(News::Reloaded(Box::new(world.clone())));
        }
    }
}
