//! Publishing, embedding and granting.

use super::{Root, refuse_guest, refuse_if, seen_with};
use crate::access;
use crate::batch::Op;
use crate::draft::{Cause, Draft};
use crate::id::{IdSupply, NodeId, UserId};
use crate::model::{Embed, Grant, Level, Node, Plan, Publication};
use crate::refusal::{Reason, Refusal};
use crate::time::Timestamp;
use crate::world::Graph;
use std::sync::Arc;

/// How many grants a user of the basic plan may show at once.
const BASIC_SHOWING_MAX: usize = 3;

/// Makes a node public.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodePublish {
    /// The node to publish.
    pub id: NodeId,
    /// Whether the node's branch is public with it.
    pub branch: bool,
    /// When it ends; `None` for never.
    pub due: Option<Timestamp>,
}

pub(super) fn publish(
    draft: &mut Draft<'_>,
    caller: UserId,
    publish: &NodePublish,
    ids: &mut dyn IdSupply,
) -> Result<(), Refusal> {
    let NodePublish { id, branch, due } = *publish;
    check_due(draft, due)?;
    let node = giveable(draft, caller, id)?;
    refuse_if(node.publication.is_some(), Reason::AlreadyPublic)?;
    let token = ids.next_public_token();
    draft.edit_node(Op::NodePublish, Cause::Meant, id, |node| {
        node.publication = Some(Box::new(Publication { token, branch, due }));
    });
    Ok(())
}

/// A change of a publication. `None` leaves a field as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodePublishUpdate {
    /// The published node.
    pub id: NodeId,
    /// Whether its branch is public with it; `None` leaves it.
    pub branch: Option<bool>,
    /// `Some(None)` for never.
    pub due: Option<Option<Timestamp>>,
}

pub(super) fn publish_update(
    draft: &mut Draft<'_>,
    caller: UserId,
    update: &NodePublishUpdate,
) -> Result<(), Refusal> {
    let NodePublishUpdate { id, branch, due } = *update;
    refuse_if(branch.is_none() && due.is_none(), Reason::NoFieldsToUpdate)?;
    check_due(draft, due.flatten())?;
    let node = giveable(draft, caller, id)?;
    let before = node.publication.as_deref().ok_or(Reason::NotPublic)?;
    let mut after = before.clone();
    after.branch = branch.unwrap_or(after.branch);
    after.due = due.unwrap_or(after.due);
    if after != *before {
        draft.edit_node(Op::NodePublish, Cause::Meant, id, |node| node.publication = Some(Box::new(after)));
    }
    Ok(())
}

pub(super) fn unpublish(draft: &mut Draft<'_>, caller: UserId, id: NodeId) -> Result<(), Refusal> {
    let node = seen_with(draft, caller, id, Level::Admin)?;
    refuse_if(node.publication.is_none(), Reason::NotPublic)?;
    draft.edit_node(Op::NodePublish, Cause::Meant, id, |node| node.publication = None);
    for user in draft.world().embedders(id) {
        draft.set_embed(Cause::Derived, Embed { user, node: id }, false);
    }
    Ok(())
}

pub(super) fn embed(draft: &mut Draft<'_>, caller: UserId, root: &Root) -> Result<(), Refusal> {
    refuse_guest(draft, caller)?;
    let world = draft.world();
    let node = named(draft, root).ok_or(Reason::BranchNotFound)?;
    if world.publication_in_force(&node).is_none() {
        // Only users who see the node without its publication learn why it cannot be embedded.
        let seen = access::placement(draft, caller, node.id).is_some();
        refuse_if(!seen, Reason::BranchNotFound)?;
        refuse_if(node.in_trash, Reason::NodeInTrash)?;
        refuse_if(node.publication.is_some(), Reason::PublicExpired)?;
        return Err(Reason::NotPublic.into());
    }
    refuse_if(world.has_embed(node.id, caller), Reason::AlreadyEmbedded)?;
    let has_access = node.owner == caller || access::granted_level(draft, caller, node.id).is_some();
    refuse_if(has_access, Reason::HasAccess)?;
    draft.set_embed(Cause::Meant, Embed { user: caller, node: node.id }, true);
    Ok(())
}

pub(super) fn unembed(draft: &mut Draft<'_>, caller: UserId, root: &Root) -> Result<(), Refusal> {
    refuse_guest(draft, caller)?;
    let world = draft.world();
    let node = named(draft, root).ok_or(Reason::BranchNotFound)?;
    if !world.has_embed(node.id, caller) {
        let seen = world.publication_in_force(&node).is_some()
            || access::placement(draft, caller, node.id).is_some();
        refuse_if(!seen, Reason::BranchNotFound)?;
        return Err(Reason::NotEmbedded.into());
    }
    draft.set_embed(Cause::Meant, Embed { user: caller, node: node.id }, false);
    Ok(())
}

fn named(draft: &Draft<'_>, root: &Root) -> Option<Arc<Node>> {
    match root {
        Root::Node(id) => draft.node(*id).cloned(),
        Root::Token(token) => draft.world().published(token).cloned(),
    }
}

/// A new grant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessAdd {
    /// The node to share.
    pub id: NodeId,
    /// The grantee's email.
    pub email: String,
    /// Admin, Editor or Viewer.
    pub level: Level,
    /// Whether it covers the node's branch as well.
    pub branch: bool,
    /// When it ends; `None` for never.
    pub due: Option<Timestamp>,
}

pub(super) fn access_add(draft: &mut Draft<'_>, caller: UserId, new: &AccessAdd) -> Result<(), Refusal> {
    let AccessAdd { id, ref email, level, branch, due } = *new;
    check_due(draft, due)?;
    let node = shareable(draft, caller, id)?;
    let world = draft.world();
    // Only users who may share the node learn whether the email belongs to an account.
    let grantee = world.user_by_email(email).ok_or(Reason::UserNotFound)?;
    refuse_if(node.in_trash, Reason::NodeInTrash)?;
    refuse_if(grantee.user.id == caller, Reason::CannotShareWithSelf)?;
    let user = grantee.user.id;
    refuse_if(node.owner == user || world.grant(id, user).is_some(), Reason::AlreadyGranted)?;
    let grant = Grant {
        node: id,
        user,
        level,
        branch,
        due,
        showing: has_room(draft, user),
        granted_by: world.person(caller),
        version: 1,
    };
    draft.set_grant(Op::GrantUpsert, Cause::Meant, None, Some(grant));
    Ok(())
}

/// A change of a grant. `None` leaves a field as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessUpdate {
    /// The shared node.
    pub id: NodeId,
    /// The grantee's email.
    pub email: String,
    /// The new level; `None` leaves it.
    pub level: Option<Level>,
    /// Whether the branch is granted with it; `None` leaves it.
    pub branch: Option<bool>,
    /// `Some(None)` for never.
    pub due: Option<Option<Timestamp>>,
}

pub(super) fn access_update(
    draft: &mut Draft<'_>,
    caller: UserId,
    update: &AccessUpdate,
) -> Result<(), Refusal> {
    let AccessUpdate { id, ref email, level, branch, due } = *update;
    refuse_if(level.is_none() && branch.is_none() && due.is_none(), Reason::NoFieldsToUpdate)?;
    check_due(draft, due.flatten())?;
    seen_with(draft, caller, id, Level::Admin)?;
    let own = draft.world().user_by_email(email).is_some_and(|slot| slot.user.id == caller);
    refuse_if(own && draft.world().grant(id, caller).is_some(), Reason::NoPermission)?;
    let node = shareable(draft, caller, id)?;
    refuse_if(draft.world().user_by_email(email).is_none(), Reason::UserNotFound)?;
    refuse_if(node.in_trash, Reason::NodeInTrash)?;
    let grant = grant_of(draft, id, email)?;
    let mut after = Grant::clone(&grant);
    after.level = level.unwrap_or(after.level);
    after.branch = branch.unwrap_or(after.branch);
    after.due = due.unwrap_or(after.due);
    change_grant(draft, grant, after);
    Ok(())
}

pub(super) fn access_delete(
    draft: &mut Draft<'_>,
    caller: UserId,
    id: NodeId,
    email: &str,
) -> Result<(), Refusal> {
    let world = draft.world();
    let own = world.user_by_email(email).filter(|slot| slot.user.id == caller);
    if let Some(grant) = own.and_then(|slot| world.grant(id, slot.user.id)).cloned() {
        // A grantee may always leave, even a hidden or expired grant.
        draft.set_grant(Op::GrantDelete, Cause::Meant, Some(grant), None);
        return Ok(());
    }
    seen_with(draft, caller, id, Level::Admin)?;
    let grant = grant_of(draft, id, email)?;
    draft.set_grant(Op::GrantDelete, Cause::Meant, Some(grant), None);
    Ok(())
}

pub(super) fn visibility(
    draft: &mut Draft<'_>,
    caller: UserId,
    id: NodeId,
    showing: bool,
) -> Result<(), Refusal> {
    refuse_guest(draft, caller)?;
    let Some(grant) = draft.world().grant(id, caller).cloned() else {
        let seen = access::placement(draft, caller, id).is_some();
        return Err(if seen { Reason::NotShared } else { Reason::NodeNotFound }.into());
    };
    let shows_more = showing && !grant.showing;
    refuse_if(shows_more && !has_room(draft, caller), Reason::PlanLimit)?;
    let mut after = Grant::clone(&grant);
    after.showing = showing;
    change_grant(draft, grant, after);
    Ok(())
}

fn change_grant(draft: &mut Draft<'_>, before: Arc<Grant>, mut after: Grant) {
    if after != *before {
        after.version += 1;
        draft.set_grant(Op::GrantUpdate, Cause::Meant, Some(before), Some(after));
    }
}

/// Hides those of a user's showing grants that exceed the basic plan. Grants in force are kept before others, then
/// higher levels before lower ones, then grants on older nodes before those on newer ones.
pub(super) fn hide_beyond_basic(draft: &mut Draft<'_>, user: UserId) {
    let world = draft.world();
    let granted = world.user(user).map(|slot| &slot.granted).into_iter().flatten();
    let showing = granted.filter_map(|node| world.grant(*node, user)).filter(|grant| grant.showing);
    let mut showing: Vec<&Arc<Grant>> = showing.collect();
    showing.sort_by_key(|grant| {
        let active = world.active_node(grant.node).is_some();
        let in_force = active && world.grant_counts(grant);
        (!in_force, grant.level, world.node(grant.node).map(|node| node.seq))
    });
    for before in showing.into_iter().skip(BASIC_SHOWING_MAX) {
        let after = Grant { showing: false, version: before.version + 1, ..Grant::clone(before) };
        draft.set_grant(Op::GrantUpdate, Cause::Derived, Some(Arc::clone(before)), Some(after));
    }
}

fn grant_of(draft: &Draft<'_>, id: NodeId, email: &str) -> Result<Arc<Grant>, Refusal> {
    let world = draft.world();
    let user = world.user_by_email(email).ok_or(Reason::UserNotFound)?;
    Ok(Arc::clone(world.grant(id, user.user.id).ok_or(Reason::NotShared)?))
}

/// Whether the user's plan has room for one more showing grant.
pub(super) fn has_room(draft: &Draft<'_>, user: UserId) -> bool {
    let world = draft.world();
    world.user(user).is_some_and(|slot| {
        let grants = slot.granted.iter().filter_map(|node| world.grant(*node, user));
        let showing =
            grants.filter(|grant| grant.showing).count().saturating_add_signed(draft.showing_more(user));
        slot.user.plan != Plan::Basic || showing < BASIC_SHOWING_MAX
    })
}

/// A node the caller may share: they have access ≤ 1 to it and a plan that can share.
fn shareable(draft: &Draft<'_>, caller: UserId, id: NodeId) -> Result<Arc<Node>, Refusal> {
    let node = seen_with(draft, caller, id, Level::Admin)?;
    let plan = draft.world().account(caller).map(|account| account.plan);
    refuse_if(plan != Some(Plan::Pro), Reason::PlanLimit)?;
    Ok(node)
}

/// [`shareable`], and not in the trash.
fn giveable(draft: &Draft<'_>, caller: UserId, id: NodeId) -> Result<Arc<Node>, Refusal> {
    let node = shareable(draft, caller, id)?;
    refuse_if(node.in_trash, Reason::NodeInTrash)?;
    Ok(node)
}

fn check_due(draft: &Draft<'_>, due: Option<Timestamp>) -> Result<(), Refusal> {
    refuse_if(due.is_some_and(|due| due <= draft.now()), Reason::InvalidDue)
}
