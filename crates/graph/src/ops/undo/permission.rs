//! The permission for a step of an undo or redo: what doing it by hand would take now.

use super::super::{refuse_if, share};
use super::Step;
use crate::access;
use crate::draft::Draft;
use crate::id::{LinkId, NodeId, UserId};
use crate::model::{Grant, Level, Link, Plan, User};
use crate::refusal::{Reason, Refusal};
use crate::world::Graph;
use std::sync::Arc;

impl Step<'_> {
    /// Checks what the step would take if done by hand now.
    pub(super) fn check_permission(&self, draft: &Draft<'_>, caller: UserId) -> Result<(), Refusal> {
        let at_least = |id: NodeId, needed: Level| {
            let level = access::placement(draft, caller, id);
            refuse_if(level.is_none_or(|level| level > needed), Reason::NoPermission)
        };
        match self {
            Step::NodeFields { to, .. } | Step::NodeStatus { to, .. } => at_least(to.id, Level::Editor),
            Step::NodeTrash { id } | Step::NodeRestore { id } => at_least(*id, Level::Editor),
            Step::NodePublication { to, .. } => {
                at_least(to.id, Level::Admin)?;
                may_give(draft, caller, to.publication.is_some())
            }
            Step::LinkTrash { id, .. } => link_permission(draft, caller, *id, false),
            Step::LinkRestore { id, .. } => link_permission(draft, caller, *id, true),
            Step::LinkFields { from, to, .. } => {
                link_permission(draft, caller, to.id, false)?;
                if from.source != to.source {
                    swap_permission(draft, caller, to.id)?;
                }
                let owner = draft.link(to.id).is_some_and(|link| owns_link(draft, caller, link));
                refuse_if(from.private != to.private && !owner, Reason::NoPermission)
            }
            Step::Grant { from, to } => grant_permission(draft, caller, *from, *to),
            Step::Embed { embed, .. } => refuse_if(embed.user != caller, Reason::NoPermission),
            Step::Username { from, to } => {
                // What only the operator can change, only the operator changes back.
                let renames = User { username: from.username.clone(), ..User::clone(to) } == **from;
                refuse_if(to.id != caller || !renames, Reason::NoPermission)
            }
            Step::None { .. } => Err(Reason::NoPermission.into()),
        }
    }
}

fn may_give(draft: &Draft<'_>, caller: UserId, gives: bool) -> Result<(), Refusal> {
    let pro = draft.world().account(caller).is_some_and(|account| account.plan == Plan::Pro);
    refuse_if(gives && !pro, Reason::PlanLimit)
}

/// Ownership of a link counts only with access to both its ends.
fn owns_link(draft: &Draft<'_>, caller: UserId, link: &Link) -> bool {
    let seen = |end| access::placement(draft, caller, end).is_some();
    link.owner == caller && seen(link.source) && seen(link.target)
}

/// As in link:swap, access is judged as if the link did not exist.
fn swap_permission(draft: &Draft<'_>, caller: UserId, id: LinkId) -> Result<(), Refusal> {
    let link = draft.link(id).ok_or(Reason::NoPermission)?;
    let without = |end| access::placement_without(draft, caller, end, id).ok_or(Reason::NoPermission);
    let (_, target) = (without(link.source)?, without(link.target)?);
    refuse_if(link.owner != caller && target > Level::Editor, Reason::NoPermission)
}

fn link_permission(
    draft: &Draft<'_>,
    caller: UserId,
    id: LinkId,
    needs_both_ends: bool,
) -> Result<(), Refusal> {
    let link = draft.link(id).ok_or(Reason::NoPermission)?;
    let source = access::placement(draft, caller, link.source);
    let target = access::placement(draft, caller, link.target);
    let owner = owns_link(draft, caller, link);
    let edits_target = target.is_some_and(|level| level <= Level::Editor);
    let seen = access::sees_link(caller, link, source, target);
    let allowed = seen && (owner || edits_target) && (source.is_some() || !needs_both_ends);
    refuse_if(!allowed, Reason::NoPermission)
}

fn grant_permission(
    draft: &Draft<'_>,
    caller: UserId,
    from: Option<&Arc<Grant>>,
    to: Option<&Arc<Grant>>,
) -> Result<(), Refusal> {
    let Some(grant) = from.or(to) else { return Ok(()) };
    let only_showing = |(a, b): (&Arc<Grant>, &Arc<Grant>)| {
        (a.level, a.branch, a.due) == (b.level, b.branch, b.due) && a.showing != b.showing
    };
    let own = grant.user == caller;
    // A grantee may leave as long as the grant exists.
    let leaves = own && to.is_none() && draft.world().grant(grant.node, caller).is_some();
    if from.zip(to).is_some_and(only_showing) || leaves {
        refuse_if(!own, Reason::NoPermission)?;
        let shows = to.is_some_and(|grant| grant.showing);
        return refuse_if(shows && !share::has_room(draft, caller), Reason::PlanLimit);
    }
    let admin = access::placement(draft, caller, grant.node).is_some_and(|level| level <= Level::Admin);
    refuse_if(!admin || (own && to.is_some()), Reason::NoPermission)?;
    may_give(draft, caller, to.is_some())
}
