//! One-time keys. A key ends in the batch that it permits, so it works once.

use super::refuse_if;
use crate::draft::{Cause, Draft};
use crate::id::{KeyId, UserId};
use crate::model::{Key, KeyHash, KeyPurpose};
use crate::refusal::{Reason, Refusal};
use crate::time::Timestamp;
use crate::world::World;
use std::sync::Arc;

/// Whether a key still works at that time.
pub fn is_in_force(key: &Key, now: Timestamp) -> bool {
    key.expires > now
}

/// Issues a key. One to set up the installation, to give an account a password or to give it an email takes the place
/// of those for the same that were issued before.
pub(super) fn issue(draft: &mut Draft<'_>, key: &Key) -> Result<(), Refusal> {
    let actor = draft.actor();
    match &key.purpose {
        KeyPurpose::Setup => {
            refuse_if(actor.is_some(), Reason::NoPermission)?;
            end_where(draft, None, |purpose| matches!(purpose, KeyPurpose::Setup));
        }
        KeyPurpose::Invite { by, .. } => refuse_if(actor != *by, Reason::NoPermission)?,
        KeyPurpose::Reset { user } => {
            super::person::active(draft, *user)?;
            refuse_if(actor.is_some(), Reason::NoPermission)?;
            end_where(draft, Some(*user), |purpose| matches!(purpose, KeyPurpose::Reset { .. }));
        }
        KeyPurpose::Email { user, .. } => {
            super::person::active(draft, *user)?;
            super::person::refuse_other(draft, *user)?;
            end_where(draft, Some(*user), |purpose| matches!(purpose, KeyPurpose::Email { .. }));
        }
    }
    draft.set_key(Cause::Meant, None, Some(Key { created: draft.now(), ..key.clone() }));
    Ok(())
}

/// Ends a key, if the actor issued it or is the operator.
pub(super) fn revoke(draft: &mut Draft<'_>, id: KeyId) -> Result<(), Refusal> {
    let own = |key: &&Arc<Key>| draft.actor().is_none_or(|actor| key.purpose.user() == Some(actor));
    let key = draft.world().key_by_id(id).filter(own).ok_or(Reason::KeyNotFound)?;
    draft.set_key(Cause::Meant, Some(key), None);
    Ok(())
}

/// Uses up the key with that hash, if it is in force and for this purpose.
///
/// # Errors
/// `otherwise`, if it is not.
pub(super) fn use_up(
    draft: &mut Draft<'_>,
    hash: &KeyHash,
    is_for: impl FnOnce(&KeyPurpose) -> bool,
    otherwise: Reason,
) -> Result<(), Refusal> {
    let key = draft.world().key(hash).filter(|key| is_in_force(key, draft.now()) && is_for(&key.purpose));
    draft.set_key(Cause::Derived, Some(key.ok_or(otherwise)?), None);
    Ok(())
}

/// Ends the keys for something: those that go with a user, or with nobody.
pub(super) fn end_where(draft: &mut Draft<'_>, user: Option<UserId>, such: fn(&KeyPurpose) -> bool) {
    let world = draft.world();
    for key in with(world, user).filter(|key| such(&key.purpose)) {
        draft.set_key(Cause::Derived, Some(key), None);
    }
}

/// The keys that go with a user, in an order that does not depend on chance, or those that go with nobody.
fn with(world: &World, user: Option<UserId>) -> Box<dyn Iterator<Item = &Arc<Key>> + '_> {
    match user {
        Some(user) => {
            let slot = world.user(user);
            Box::new(slot.into_iter().flat_map(|slot| &slot.keys).filter_map(|hash| world.key(hash)))
        }
        None => Box::new(world.keys().filter(|key| key.purpose.user().is_none())),
    }
}
