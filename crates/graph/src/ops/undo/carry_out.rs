//! Executes the steps of an undo or redo on a draft.

use super::super::{account, link, node, refuse_if, share};
use super::{Step, unheld_status};
use crate::access::{self, would_share};
use crate::batch::Op;
use crate::blocking::{is_held, targets};
use crate::draft::{Cause, Draft};
use crate::id::{IdSupply, LinkId, NodeId, UserId};
use crate::model::{Embed, Grant, Level, Link, Node, Publication, Status, User};
use crate::node_fields;
use crate::refusal::{Reason, Refusal};
use crate::world::Graph;
use std::sync::Arc;

/// Carries out the steps in their order.
pub(super) fn carry_out(
    draft: &mut Draft<'_>,
    steps: &[Step<'_>],
    ids: &mut dyn IdSupply,
    unsettled: &mut Vec<NodeId>,
) -> Result<(), Refusal> {
    let mut returning = Vec::new();
    let mut left = steps.iter().peekable();
    while let Some(step) = left.next() {
        // Nodes that return do so together, with the links between them.
        if let Step::NodeRestore { id } = step {
            returning.push(*id);
            if !matches!(left.peek(), Some(Step::NodeRestore { .. })) {
                unsettled.extend(node::bring_back_all(draft, std::mem::take(&mut returning)));
            }
            continue;
        }
        step.carry_out(draft, ids, unsettled)?;
    }
    for step in steps {
        if let Step::LinkFields { to, .. } = step {
            let gone = draft.link(to.id).is_none_or(|link| link.in_trash && !to.in_trash);
            refuse_if(gone, Reason::LinkInTrash)?;
        }
    }
    Ok(())
}

impl Step<'_> {
    fn carry_out(
        &self,
        draft: &mut Draft<'_>,
        ids: &mut dyn IdSupply,
        unsettled: &mut Vec<NodeId>,
    ) -> Result<(), Refusal> {
        match self {
            Step::NodeFields { from, to } => {
                refuse_gone(draft, from)?;
                draft.edit_node(Op::NodeUpdate, Cause::Meant, to.id, |node| {
                    node_fields::set_back(node, from, to)
                });
                unsettled.push(to.id);
            }
            Step::NodeStatus { from, to } => {
                refuse_gone(draft, from)?;
                set_status_back(draft, to, unsettled);
            }
            Step::NodeTrash { id } => unsettled.extend(node::put_in_trash(draft, *id)),
            Step::NodeRestore { id } => unsettled.extend(node::bring_back_all(draft, vec![*id])),
            Step::NodePublication { from, to } => publish_back(draft, from, to, ids)?,
            Step::LinkTrash { id, was_in_trash } => {
                let Some(link) = draft.link(*id).cloned() else { return Ok(()) };
                // It may have gone along with its end just now. If it had before, it would return with that.
                if !link.in_trash || (link.cascade && *was_in_trash) {
                    draft.edit_link(Op::LinkTrash, Cause::Meant, *id, |link| {
                        link.in_trash = true;
                        link.cascade = false;
                    });
                    unsettled.push(link.target);
                }
            }
            Step::LinkRestore { id, .. } => restore_link(draft, *id, unsettled)?,
            Step::LinkFields { op, from, to } => {
                set_link_back(draft, *op, from, to);
                unsettled.extend([to.target, to.source]);
            }
            Step::Grant { from, to } => grant_back(draft, *from, *to)?,
            Step::Embed { embed, present } => embed_back(draft, *embed, *present)?,
            Step::Username { from, to } => {
                account::refuse_taken(draft.world(), &to.username, Some(from.id))?;
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

/// Refuses what is in the trash, unless the batch itself left it there.
fn refuse_gone(draft: &Draft<'_>, from: &Node) -> Result<(), Refusal> {
    refuse_if(draft.node(from.id).is_none_or(|now| now.in_trash && !from.in_trash), Reason::NodeInTrash)
}

/// Sets a status back: that of a held node becomes what it resumes with. Whether something holds a node that is set back to
/// Completed is judged on the final state, see [`Step::is_held_back`].
fn set_status_back(draft: &mut Draft<'_>, to: &Node, unsettled: &mut Vec<NodeId>) {
    let status = unheld_status(to);
    let held = status != Status::Completed
        && draft.node(to.id).is_some_and(|now| now.status == Status::Blocked && is_held(draft, now));
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
}

fn publish_back(
    draft: &mut Draft<'_>,
    from: &Node,
    to: &Node,
    ids: &mut dyn IdSupply,
) -> Result<(), Refusal> {
    let world = draft.world();
    let mut publication = to.publication.clone();
    if let Some(Publication { token, branch, due }) = publication.as_deref_mut() {
        let now = draft.active_node(to.id).ok_or(Reason::NodeInTrash)?;
        if let (Some(now), Some(from)) = (now.publication.as_deref(), from.publication.as_deref()) {
            // Ended and made anew within the batch, it gets its old token back.
            if from.token == *token {
                token.clone_from(&now.token);
            }
            *branch = if from.branch == *branch { now.branch } else { *branch };
            *due = if from.due == *due { now.due } else { *due };
        }
        if world.published(token).is_some_and(|node| node.id != to.id) {
            *token = ids.next_public_token();
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

fn restore_link(draft: &mut Draft<'_>, id: LinkId, unsettled: &mut Vec<NodeId>) -> Result<(), Refusal> {
    let Some(link) = draft.link(id).cloned() else { return Ok(()) };
    if !link.in_trash {
        // It returned with its end just before.
        return Ok(());
    }
    let active = |end| draft.active_node(end).is_some();
    refuse_if(!active(link.source) || !active(link.target), Reason::InactiveEnd)?;
    draft.edit_link(Op::LinkRestore, Cause::Meant, id, |link| {
        link.in_trash = false;
        link.cascade = false;
    });
    unsettled.push(link.target);
    Ok(())
}

fn set_link_back(draft: &mut Draft<'_>, op: Op, from: &Link, to: &Link) {
    draft.edit_link(op, Cause::Meant, to.id, |link| {
        if from.source != to.source {
            (link.source, link.target) = (to.source, to.target);
        }
        if from.private != to.private {
            link.private = to.private;
        }
        if from.kind != to.kind {
            link::set_kind(link, to.kind);
        }
    });
}

/// In the end, a link that was restored or changed must be one that the caller could make by hand, and nothing is
/// changed silently. States between the steps are not judged, and neither are links that returned with an end.
pub(super) fn judge_link(draft: &Draft<'_>, caller: UserId, id: LinkId) -> Result<(), Refusal> {
    let (Some(before), Some(after)) = (draft.world().link(id), draft.link(id)) else { return Ok(()) };
    if after.in_trash {
        return Ok(());
    }
    // What lies in the trash with an end of it returns with that unjudged.
    let returned = before.in_trash && !before.cascade;
    let turned = after.source != before.source;
    let opened = before.private && !after.private;
    let primary = after.is_primary() && !before.is_primary();
    if returned || turned || opened || primary {
        // A link must not raise its maker's access, so it is judged as if it did not exist, as in link:swap.
        let access = |end| match returned || turned || opened {
            true => access::placement_without(draft, caller, end, id),
            false => access::placement(draft, caller, end),
        };
        let (source, target) = (access(after.source), access(after.target).ok_or(Reason::NoPermission)?);
        refuse_if(after.is_primary() && target == Level::Viewer, Reason::ForbiddenType)?;
        if !after.private && (returned || turned || opened) {
            let source = source.ok_or(Reason::NoPermission)?;
            refuse_if(!link::keeps_privacy(source, target), Reason::ForbiddenPrivate)?;
            let shares = would_share(draft, after.source, after.target, Some(id));
            refuse_if(shares && source > Level::Admin, Reason::WouldShare)?;
        }
        let holds_ours = after.is_primary() && target == Level::Owner;
        let lost = turned && after.private && after.owner != caller && !holds_ours;
        refuse_if(lost, Reason::ForbiddenPrivate)?;
    }
    if turned || after.private != before.private {
        let owner = after.private.then_some(after.owner);
        let taken = link::occupant(draft, after.source, after.target, owner, Some(id));
        refuse_if(taken.is_some(), Reason::DuplicateLink)?;
    }
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
    let mut after = Grant::clone(to);
    if let (Some(now), Some(from)) = (&now, from) {
        // Hiding and showing also work in the trash.
        let gives = (from.level, from.branch, from.due) != (to.level, to.branch, to.due);
        refuse_if(gives && draft.active_node(to.node).is_none(), Reason::NodeInTrash)?;
        after = Grant::clone(now);
        set_grant_back(&mut after, from, to);
        let shows_more = after.showing && !now.showing;
        refuse_if(shows_more && !share::has_room(draft, to.user), Reason::PlanLimit)?;
        after.version += 1;
        draft.set_grant(Op::GrantUpdate, Cause::Meant, Some(Arc::clone(now)), Some(after));
    } else {
        refuse_if(draft.active_node(to.node).is_none(), Reason::NodeInTrash)?;
        after.showing = to.showing && share::has_room(draft, to.user);
        // Nobody is left who gave it: now it is given anew.
        if world.user(to.granted_by).is_none_or(|giver| giver.user.is_removed()) {
            after.granted_by = draft.actor().unwrap_or(to.granted_by);
        }
        after.version = 1;
        draft.set_grant(Op::GrantUpsert, Cause::Meant, now, Some(after));
    }
    Ok(())
}

/// Only the fields that the batch changed. The others may have been changed since.
fn set_grant_back(grant: &mut Grant, from: &Grant, to: &Grant) {
    macro_rules! set_back {
        ($($field:ident)*) => {$(
            if from.$field != to.$field {
                grant.$field = to.$field;
            }
        )*};
    }
    set_back!(level branch due showing);
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
