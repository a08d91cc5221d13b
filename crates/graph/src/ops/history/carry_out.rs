//! Carrying out the steps of an undo or redo on a draft.

use super::super::{Fresh, link, node, refuse_if, share};
use super::{Step, unheld_status};
use crate::access::{self, would_share};
use crate::batch::Op;
use crate::blocking::{is_held, targets};
use crate::draft::{Cause, Draft};
use crate::id::{LinkId, NodeId, UserId};
use crate::model::{Embed, Grant, Level, Link, Node, Publication, Status, User};
use crate::refusal::{Reason, Refusal};
use crate::world::Graph;
use std::sync::Arc;

impl Step<'_> {
    pub(super) fn carry_out(
        &self,
        draft: &mut Draft<'_>,
        caller: UserId,
        fresh: &Fresh,
        unsettled: &mut Vec<NodeId>,
    ) -> Result<(), Refusal> {
        match self {
            Step::NodeFields { from, to } => {
                refuse_if(draft.active_node(to.id).is_none(), Reason::NodeInTrash)?;
                draft.edit_node(Op::NodeUpdate, Cause::Meant, to.id, |node| set_fields_back(node, from, to));
                unsettled.push(to.id);
            }
            Step::NodeStatus { to, .. } => set_status_back(draft, to, unsettled)?,
            Step::NodeTrash { id } => unsettled.extend(node::put_in_trash(draft, *id)),
            Step::NodeRestore { id } => unsettled.extend(node::bring_back(draft, *id)),
            Step::NodePublication { to, .. } => publish_back(draft, to, fresh)?,
            Step::LinkTrash { id } => {
                let Some(link) = draft.link(*id).cloned() else { return Ok(()) };
                // It may have gone along with its end just now.
                if !link.in_trash {
                    draft.edit_link(Op::LinkTrash, Cause::Meant, *id, |link| link.in_trash = true);
                    unsettled.push(link.target);
                }
            }
            Step::LinkRestore { id } => restore_link(draft, caller, *id, unsettled)?,
            Step::LinkFields { op, from, to } => {
                set_link_back(draft, caller, *op, from, to)?;
                unsettled.extend([to.target, to.source]);
            }
            Step::Grant { from, to } => grant_back(draft, *from, *to)?,
            Step::Embed { embed, present } => embed_back(draft, *embed, *present)?,
            Step::Username { from, to } => {
                let taken = draft.world().user_by_username(&to.username);
                refuse_if(taken.is_some_and(|slot| slot.user.id != from.id), Reason::UsernameTaken)?;
                if let Some(slot) = draft.world().user(from.id) {
                    draft.set_user(
                        &slot.user,
                        User { username: to.username.clone(), ..User::clone(&slot.user) },
                    );
                }
            }
            Step::None { .. } => return Err(Reason::CannotRestorePurged.into()),
        }
        Ok(())
    }
}

/// Sets a status back: that of a held node becomes what it resumes with.
fn set_status_back(draft: &mut Draft<'_>, to: &Node, unsettled: &mut Vec<NodeId>) -> Result<(), Refusal> {
    let now = draft.active_node(to.id).ok_or(Reason::NodeInTrash)?;
    let status = unheld_status(to);
    let held = now.status == Status::Blocked && is_held(draft, now);
    draft.edit_node(Op::NodeStatus, Cause::Meant, to.id, |node| match held {
        true if status == Status::InProgress => node.resume = Status::InProgress,
        true => node.resume = Status::Available,
        false => {
            node.status = status;
            node.resume = Status::Available;
        }
    });
    unsettled.push(to.id);
    unsettled.extend(targets(draft, to.id));
    Ok(())
}

fn publish_back(draft: &mut Draft<'_>, to: &Node, fresh: &Fresh) -> Result<(), Refusal> {
    let world = draft.world();
    let mut publication = to.publication.clone();
    if let Some(Publication { token, .. }) = publication.as_deref_mut() {
        refuse_if(draft.active_node(to.id).is_none(), Reason::NodeInTrash)?;
        if world.published(token).is_some_and(|node| node.id != to.id) {
            token.clone_from(&fresh.public_token);
        }
    }
    let ends = publication.is_none();
    draft.edit_node(Op::NodePublish, Cause::Meant, to.id, |node| node.publication = publication);
    if ends {
        for user in world.embedders(to.id) {
            draft.set_embed(Cause::Derived, Embed { user, node: to.id }, false);
        }
    }
    Ok(())
}

fn restore_link(
    draft: &mut Draft<'_>,
    caller: UserId,
    id: LinkId,
    unsettled: &mut Vec<NodeId>,
) -> Result<(), Refusal> {
    let Some(link) = draft.link(id).cloned() else { return Ok(()) };
    if !link.in_trash {
        // It came back along with its end just now.
        return Ok(());
    }
    let active = |end| draft.active_node(end).is_some();
    refuse_if(!active(link.source) || !active(link.target), Reason::InactiveEnd)?;
    check_kept(draft, caller, &link)?;
    draft.edit_link(Op::LinkRestore, Cause::Meant, id, |link| {
        link.in_trash = false;
        link.cascade = false;
    });
    unsettled.push(link.target);
    Ok(())
}

/// A link that is to be so again must be what adding it now could make: nothing is changed in silence.
fn check_kept(draft: &Draft<'_>, caller: UserId, link: &Link) -> Result<(), Refusal> {
    let ends = (access::placement(draft, caller, link.source), access::placement(draft, caller, link.target));
    let (Some(source), Some(target)) = ends else { return Err(Reason::NoPermission.into()) };
    refuse_if(link.is_primary() && target == Level::Viewer, Reason::ForbiddenType)?;
    refuse_if(!link.private && !link::keeps_privacy(source, target), Reason::ForbiddenPrivate)?;
    let shares = !link.private && would_share(draft, link.source, link.target, Some(link.id));
    refuse_if(shares && source > Level::Admin, Reason::WouldShare)
}

fn set_link_back(
    draft: &mut Draft<'_>,
    caller: UserId,
    op: Op,
    from: &Link,
    to: &Link,
) -> Result<(), Refusal> {
    let Some(now) = draft.link(to.id).cloned() else { return Ok(()) };
    refuse_if(now.in_trash, Reason::LinkInTrash)?;
    let mut after = Link::clone(&now);
    if from.source != to.source {
        (after.source, after.target) = (to.source, to.target);
    }
    if from.private != to.private {
        after.private = to.private;
    }
    if from.kind != to.kind {
        link::set_kind(&mut after, to.kind);
    }
    let turned = after.source != now.source;
    if turned || after.private != now.private || (after.is_primary() && !now.is_primary()) {
        check_kept(draft, caller, &after)?;
        let owner = after.private.then_some(after.owner);
        let taken = link::occupant(draft, after.source, after.target, owner, Some(after.id));
        refuse_if(taken.is_some(), Reason::DuplicateLink)?;
    }
    draft.edit_link(op, Cause::Meant, to.id, |link| {
        (link.source, link.target) = (after.source, after.target);
        link.private = after.private;
        link::set_kind(link, after.kind);
    });
    Ok(())
}

fn grant_back(
    draft: &mut Draft<'_>,
    from: Option<&Arc<Grant>>,
    to: Option<&Arc<Grant>>,
) -> Result<(), Refusal> {
    let Some(grant) = from.or(to) else { return Ok(()) };
    let world = draft.world();
    let now = world.grant(grant.node, grant.user).cloned();
    let Some(to) = to else {
        draft.set_grant(Op::GrantDelete, Cause::Meant, now, None);
        return Ok(());
    };
    refuse_if(draft.active_node(to.node).is_none(), Reason::NodeInTrash)?;
    let shows_more = to.showing && now.as_ref().is_none_or(|now| !now.showing);
    let mut after = Grant::clone(to);
    after.showing = to.showing && (!shows_more || share::has_room(draft, to.user));
    after.version = now.as_ref().map_or(1, |now| now.version + 1);
    let op = if now.is_some() { Op::GrantUpdate } else { Op::GrantUpsert };
    draft.set_grant(op, Cause::Meant, now, Some(after));
    Ok(())
}

fn embed_back(draft: &mut Draft<'_>, embed: Embed, present: bool) -> Result<(), Refusal> {
    if present {
        let node = draft.world().node(embed.node).ok_or(Reason::BranchNotFound)?;
        refuse_if(draft.world().publication_in_force(node).is_none(), Reason::NotPublic)?;
        let granted = access::granted_level(draft, embed.user, embed.node).is_some();
        refuse_if(granted || node.owner == embed.user, Reason::HasAccess)?;
    }
    draft.set_embed(Cause::Meant, embed, present);
    Ok(())
}

fn set_fields_back(node: &mut Node, from: &Node, to: &Node) {
    macro_rules! set_back {
        ($($field:ident)*) => {$(
            if from.$field != to.$field {
                node.$field = to.$field.clone();
            }
        )*};
    }
    each_field!(set_back);
}
