//! Guests: the users that branch tokens act as. A guest has one branch grant and nothing else, so what a branch token
//! sees and may do is what any grantee would, by the same rules.
//!
//! Entries on guests and on their grants have the operation of their token, which is told to nobody.

use super::{refuse_if, seen, user};
use crate::batch::{Change, Op, Subject};
use crate::blocking::settle;
use crate::draft::{Cause, Draft};
use crate::id::{NodeId, UserId};
use crate::model::{Grant, Level, Plan, User};
use crate::refusal::{Reason, Refusal};
use crate::time::Timestamp;
use std::sync::Arc;

/// Makes the guest of a new branch token. Only the node's owner may: a branch has one owner, who has access 0 to all of
/// it, so the token never sees more than its owner does.
pub(super) fn make(
    draft: &mut Draft<'_>,
    owner: UserId,
    (node, level): (NodeId, Level),
    guest: UserId,
    expires: Option<Timestamp>,
) -> Result<(), Refusal> {
    let (shared, access) = seen(draft, owner, node, Reason::NodeNotFound)?;
    refuse_if(access != Level::Owner, Reason::NoPermission)?;
    refuse_if(shared.in_trash, Reason::NodeInTrash)?;
    let blank = User::new(guest, String::new(), String::new(), Plan::Pro, draft.now());
    let account = User { guest_of: Some(owner), ..blank };
    let change = Change { before: None, after: Some(Arc::new(account)) };
    draft.write(Op::TokenUpdate, Cause::Meant, Subject::User(change));
    let grant = Grant {
        node,
        user: guest,
        level,
        branch: true,
        due: expires,
        showing: true,
        granted_by: owner,
        version: 1,
    };
    draft.set_grant(Op::TokenUpdate, Cause::Meant, None, Some(grant));
    Ok(())
}

/// Lets a guest's grant end when its token does.
pub(super) fn set_expiry(draft: &mut Draft<'_>, guest: UserId, node: NodeId, expires: Option<Timestamp>) {
    let Some(before) = draft.world().grant(node, guest).filter(|grant| grant.due != expires).cloned() else {
        return;
    };
    let after = Grant { due: expires, version: before.version + 1, ..Grant::clone(&before) };
    draft.set_grant(Op::TokenUpdate, Cause::Meant, Some(before), Some(after));
}

/// Ends the guest of a token that is gone: its grant, its private links, which nobody else could see, and the guest.
/// The links that others see stay.
pub(super) fn end(draft: &mut Draft<'_>, guest: UserId) {
    let world = draft.world();
    let Some(slot) = world.user(guest) else { return };
    for grant in slot.granted.iter().filter_map(|node| world.grant(*node, guest)) {
        draft.set_grant(Op::TokenUpdate, Cause::Meant, Some(Arc::clone(grant)), None);
    }
    let freed = user::delete_private_links(draft, slot);
    settle(draft, freed);
    // Last, so that whoever takes the batch back has the guest again before what is the guest's.
    let change = Change { before: Some(Arc::clone(&slot.user)), after: None };
    draft.write(Op::TokenUpdate, Cause::Meant, Subject::User(change));
}
