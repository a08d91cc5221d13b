//! graph:apply: several operations as one batch.

use super::{Operation, decide};
use crate::batch::{Batch, Lineage};
use crate::id::{BatchId, IdSupply, UserId};
use crate::refusal::{Reason, Refusal};
use crate::world::World;

/// The greatest number of operations in one batch.
pub const OPERATIONS_MAX: usize = 1_000;

/// The number of entries from which no further operation is accepted.
const ENTRIES_MAX: usize = 100_000;

/// Decides operations in order and makes one batch of them. Each operation sees what the operations before it did: its
/// part is applied to the World. In the end all parts are reverted, so the World is as before and the caller handles the
/// batch like any other. `has_time` is called before each operation; `false` ends the batch.
///
/// # Errors
/// The first refusal, with the index of its operation: also `unknown_operation` for an operation that cannot be part of
/// a batch, and `batch_too_large` when the batch has too many entries or takes too long.
pub fn apply(
    world: &mut World,
    caller: UserId,
    operations: &[Operation],
    batch: BatchId,
    ids: &mut dyn IdSupply,
    mut has_time: impl FnMut() -> bool,
) -> Result<Batch, Refusal> {
    let next_seq = world.next_seq();
    let expired: Vec<_> = world.expired().collect();
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
    // A World that goes back has forgotten what an operation gave another expiry time.
    expired.into_iter().for_each(|(due, at)| world.expire(due, at));
    result?;
    let (actor, at) = (Some(world.person(caller)), world.clock());
    let guest = Some(caller).filter(|caller| world.is_guest(*caller));
    let entries = done.into_iter().flat_map(|part| part.entries).collect();
    Ok(Batch { id: batch, actor, guest, at, lineage: Lineage::Fresh, entries })
}

/// Whether an operation may be part of a batch: all operations on the graph and its shares, except trash:purge.
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
        | O::TokenSet(_)
        | O::TokenRevoke { .. }
        | O::TokenRotate { .. }
        | O::Account(_) => false,
    }
}
