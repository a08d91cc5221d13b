//! graph:apply: several operations as one batch.

use super::{Operation, decide};
use crate::batch::{Batch, Lineage};
use crate::id::{BatchId, IdSupply, UserId};
use crate::refusal::{Reason, Refusal};
use crate::world::World;

/// How many operations one batch may be made of.
pub const OPERATIONS_MAX: usize = 1_000;

/// From how many entries on no further operation is taken in.
const ENTRIES_MAX: usize = 100_000;

/// Decides operations one after the other, each on the World as the former leave it, and makes one batch of them. The
/// World is the same afterwards: each is carried out and all of them are taken back, so that the batch can go the way of
/// every other. `has_time` is asked before each whether there is time for it.
///
/// # Errors
/// The first refusal, with the place of its operation in the list; `unknown_operation` for what cannot be part of a
/// batch, `batch_too_large` when the operations come to too much.
pub fn apply(
    world: &mut World,
    caller: UserId,
    operations: &[Operation],
    batch: BatchId,
    ids: &mut dyn IdSupply,
    mut has_time: impl FnMut() -> bool,
) -> Result<Batch, Refusal> {
    let next_seq = world.next_seq();
    let mut done: Vec<Batch> = Vec::new();
    let mut entries = 0;
    let mut result = Ok(());
    for (index, operation) in operations.iter().enumerate() {
        let decided = match operation {
            _ if index >= OPERATIONS_MAX || entries > ENTRIES_MAX || !has_time() => {
                Err(Reason::BatchTooLarge.into())
            }
            operation if !may_be_part(operation) => Err(Reason::UnknownOperation.into()),
            operation => decide(world, Some(caller), operation, batch, ids),
        };
        match decided {
            Ok(part) => {
                entries += part.entries.len();
                world.apply(&part);
                done.push(part);
            }
            Err(refusal) => {
                result = Err(Refusal { index: Some(index), ..refusal });
                break;
            }
        }
    }
    for part in done.iter().rev() {
        world.revert(part);
    }
    world.set_next_seq(next_seq);
    result?;
    let (actor, at) = (Some(caller), world.clock());
    let entries = done.into_iter().flat_map(|part| part.entries).collect();
    Ok(Batch { id: batch, actor, at, lineage: Lineage::Fresh, entries })
}

/// Whether an operation may be one of several in a batch: any on the graph and its shares but emptying the trash.
pub fn may_be_part(operation: &Operation) -> bool {
    use Operation as O;
    match operation {
        O::NodeAdd(_)
        | O::NodeUpdate(_)
        | O::NodeTrash { .. }
        | O::NodeDuplicate(_)
        | O::NodeRestore { .. }
        | O::NodeDelete { .. }
        | O::TrashRestore { .. }
        | O::LinkAdd(_)
        | O::LinkUpdate(_)
        | O::LinkSwap { .. }
        | O::LinkTrash { .. }
        | O::LinkRestore { .. }
        | O::LinkDelete { .. }
        | O::NodePublish(_)
        | O::NodePublishUpdate(_)
        | O::NodeUnpublish { .. }
        | O::NodeEmbed { .. }
        | O::NodeUnembed { .. }
        | O::AccessAdd(_)
        | O::AccessUpdate(_)
        | O::AccessDelete { .. }
        | O::AccessVisibility { .. } => true,
        O::GraphApply { .. }
        | O::TrashPurge { .. }
        | O::SettingsUsername { .. }
        | O::HistoryUndo { .. }
        | O::HistoryRedo { .. }
        | O::UserAdd(_)
        | O::UserSet(_)
        | O::UserDisable { .. }
        | O::UserEnable { .. }
        | O::UserRemove { .. }
        | O::TokenCreate(_)
        | O::TokenRevoke { .. }
        | O::TokenRotate { .. } => false,
    }
}
