//! Undo and redo: the inverse of what a batch meant, decided like any operation. What followed from it is not replayed
//! but follows anew.

use super::{Fresh, refuse_if};
use super::{link, node, share};
use crate::access::{self, would_share};
use crate::batch::{Batch, Change, Entry, Lineage, Op, Subject};
use crate::blocking::settle;
use crate::draft::{Cause, Draft};
use crate::history::sees_batch;
use crate::id::{LinkId, NodeId, UserId};
use crate::model::{Embed, Grant, Level, Link, Node, Plan, Publication, Status, User};
use crate::refusal::{Reason, Refusal};
use crate::world::{Graph, World};
use std::sync::Arc;

/// A batch with all its undos and redos: one chain with one state.
#[derive(Clone, Debug)]
pub struct Chain {
    /// The batch that began it.
    pub root: Batch,
    /// Whether the last of its undos and redos was an undo.
    pub undone: bool,
    /// Whether the batch that was named is one of the undos: undoing it is a redo.
    pub names_undo: bool,
}

/// Which way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    Undo,
    Redo,
}

/// Decides an undo or redo on the World as it is now.
///
/// # Errors
/// The first that applies of: `batch_not_found`, `already_undone` or `not_undone`, `cannot_restore_purged`, the
/// `forbidden` ones, `version_conflict` naming what has been changed since, and whatever refuses a step.
pub fn turn(
    world: &World,
    caller: UserId,
    chain: &Chain,
    asked: Turn,
    fresh: &Fresh,
) -> Result<Batch, Refusal> {
    refuse_if(!sees_batch(world, caller, &chain.root), Reason::BatchNotFound)?;
    let backward = (asked == Turn::Undo) != chain.names_undo;
    if backward == chain.undone {
        return Err(match asked {
            Turn::Undo => Reason::AlreadyUndone,
            Turn::Redo => Reason::NotUndone,
        }
        .into());
    }
    let steps = steps(&chain.root, backward);
    let mut draft = Draft::new(world, fresh.batch, Some(caller));
    refuse_purged(world, caller, chain, &steps)?;
    for step in &steps {
        step.check_permission(&draft, caller)?;
    }
    refuse_changed(&draft, &steps)?;
    let mut unsettled = Vec::new();
    for step in &steps {
        step.carry_out(&mut draft, caller, fresh, &mut unsettled)?;
    }
    refuse_cycles(&draft, caller, &steps)?;
    settle(&mut draft, unsettled);
    let id = chain.root.id;
    draft.set_lineage(if backward { Lineage::UndoOf(id) } else { Lineage::RedoOf(id) });
    Ok(draft.finish())
}

/// One thing a batch meant, in the direction it is to be turned: from what it should be now to what it shall be.
enum Step<'b> {
    NodeFields {
        from: &'b Node,
        to: &'b Node,
    },
    NodeStatus {
        from: &'b Node,
        to: &'b Node,
    },
    NodeTrash {
        id: NodeId,
    },
    NodeRestore {
        id: NodeId,
    },
    NodePublication {
        from: &'b Node,
        to: &'b Node,
    },
    LinkFields {
        op: Op,
        from: &'b Link,
        to: &'b Link,
    },
    LinkTrash {
        id: LinkId,
    },
    LinkRestore {
        id: LinkId,
    },
    Grant {
        from: Option<&'b Arc<Grant>>,
        to: Option<&'b Arc<Grant>>,
    },
    Embed {
        embed: Embed,
        present: bool,
    },
    Username {
        from: &'b User,
        to: &'b User,
    },
    /// Deleted for good, or made by nobody's hand: there is no way back.
    None {
        node: Option<NodeId>,
        link: Option<LinkId>,
    },
}

/// The steps of what was meant: backward in reverse order, but nodes before the links that go and come with them.
fn steps(root: &Batch, backward: bool) -> Vec<Step<'_>> {
    let meant = root.entries.iter().filter(|entry| !entry.derived);
    let mut steps: Vec<Step<'_>> = meant.filter_map(|entry| step(entry, backward)).collect();
    if backward {
        steps.reverse();
        steps.sort_by_key(|step| !matches!(step, Step::NodeTrash { .. } | Step::NodeRestore { .. }));
    }
    steps
}

fn sides<T>(change: &Change<T>, backward: bool) -> (Option<&T>, Option<&T>) {
    let (before, after) = (change.before.as_ref(), change.after.as_ref());
    if backward { (after, before) } else { (before, after) }
}

fn step(entry: &Entry, backward: bool) -> Option<Step<'_>> {
    Some(match &entry.subject {
        Subject::Node(change) => node_step(entry.op, change, backward)?,
        Subject::Link(change) => link_step(entry.op, change, backward)?,
        Subject::Grant(change) => {
            let (from, to) = sides(change, backward);
            Step::Grant { from, to }
        }
        Subject::Embed(change) => {
            let (_, to) = sides(change, backward);
            Step::Embed { embed: *change.latest()?, present: to.is_some() }
        }
        Subject::User(change) => {
            let (Some(from), Some(to)) = sides(change, backward) else { return None };
            Step::Username { from, to }
        }
        Subject::Token(_) => return None,
    })
}

fn node_step(op: Op, change: &Change<Arc<Node>>, backward: bool) -> Option<Step<'_>> {
    let id = change.latest()?.id;
    let (Some(from), Some(to)) = sides(change, backward) else {
        let undoes_add = op == Op::NodeAdd && backward;
        return Some(match op {
            Op::NodeAdd if undoes_add => Step::NodeTrash { id },
            Op::NodeAdd => Step::NodeRestore { id },
            _ => Step::None { node: Some(id), link: None },
        });
    };
    Some(match op {
        Op::NodeStatus => Step::NodeStatus { from, to },
        Op::NodePublish => Step::NodePublication { from, to },
        Op::NodeTrash | Op::NodeRestore if to.in_trash => Step::NodeTrash { id },
        Op::NodeTrash | Op::NodeRestore => Step::NodeRestore { id },
        _ => Step::NodeFields { from, to },
    })
}

fn link_step(op: Op, change: &Change<Arc<Link>>, backward: bool) -> Option<Step<'_>> {
    let id = change.latest()?.id;
    let (Some(from), Some(to)) = sides(change, backward) else {
        return Some(match op {
            Op::LinkAdd if backward => Step::LinkTrash { id },
            Op::LinkAdd => Step::LinkRestore { id },
            _ => Step::None { node: None, link: Some(id) },
        });
    };
    Some(match op {
        Op::LinkTrash | Op::LinkRestore if to.in_trash => Step::LinkTrash { id },
        Op::LinkTrash | Op::LinkRestore => Step::LinkRestore { id },
        _ => Step::LinkFields { op, from, to },
    })
}

impl Step<'_> {
    fn node(&self) -> Option<NodeId> {
        match self {
            Step::NodeFields { to, .. } | Step::NodeStatus { to, .. } | Step::NodePublication { to, .. } => {
                Some(to.id)
            }
            Step::NodeTrash { id } | Step::NodeRestore { id } => Some(*id),
            Step::Grant { from, to } => from.or(*to).map(|grant| grant.node),
            Step::Embed { embed, .. } => Some(embed.node),
            Step::None { node, .. } => *node,
            _ => None,
        }
    }

    fn link(&self) -> Option<LinkId> {
        match self {
            Step::LinkFields { to, .. } => Some(to.id),
            Step::LinkTrash { id } | Step::LinkRestore { id } => Some(*id),
            Step::None { link, .. } => *link,
            _ => None,
        }
    }
}

/// Nothing comes back that was deleted for good. It is named to whoever made the batch; they knew it.
fn refuse_purged(world: &World, caller: UserId, chain: &Chain, steps: &[Step<'_>]) -> Result<(), Refusal> {
    let missing_node = |id: &NodeId| world.node(*id).is_none();
    let missing_link = |id: &LinkId| world.link(*id).is_none();
    let nodes = steps.iter().filter_map(Step::node).filter(missing_node).map(|id| id.to_string());
    let links = steps.iter().filter_map(Step::link).filter(missing_link).map(|id| id.to_string());
    let gone: Vec<String> = nodes.chain(links).collect();
    if gone.is_empty() {
        return Ok(());
    }
    match chain.root.actor == Some(caller) {
        true => Err(Refusal::with(Reason::CannotRestorePurged, format!("Gone: {}.", gone.join(", ")))),
        false => Err(Reason::CannotRestorePurged.into()),
    }
}

impl Step<'_> {
    /// What the step needs if it were done by hand now.
    fn check_permission(&self, draft: &Draft<'_>, caller: UserId) -> Result<(), Refusal> {
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
            Step::LinkTrash { id } => link_permission(draft, caller, *id, false),
            Step::LinkRestore { id } => link_permission(draft, caller, *id, true),
            Step::LinkFields { from, to, .. } => {
                link_permission(draft, caller, to.id, from.source != to.source)?;
                let owner = draft.link(to.id).is_some_and(|link| link.owner == caller);
                refuse_if(from.private != to.private && !owner, Reason::NoPermission)
            }
            Step::Grant { from, to } => grant_permission(draft, caller, *from, *to),
            Step::Embed { embed, .. } => refuse_if(embed.user != caller, Reason::NoPermission),
            Step::Username { to, .. } => refuse_if(to.id != caller, Reason::NoPermission),
            Step::None { .. } => Err(Reason::NoPermission.into()),
        }
    }
}

fn may_give(draft: &Draft<'_>, caller: UserId, gives: bool) -> Result<(), Refusal> {
    let pro = draft.world().user(caller).is_some_and(|slot| slot.user.plan == Plan::Pro);
    refuse_if(gives && !pro, Reason::PlanLimit)
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
    let owner = link.owner == caller && source.is_some() && target.is_some();
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
    if from.zip(to).is_some_and(only_showing) || (own && to.is_none()) {
        return refuse_if(!own, Reason::NoPermission);
    }
    let admin = access::placement(draft, caller, grant.node).is_some_and(|level| level <= Level::Admin);
    refuse_if(!admin || own, Reason::NoPermission)?;
    may_give(draft, caller, to.is_some())
}

/// Refuses when a field that would be set back no longer has the value the batch left it with.
fn refuse_changed(draft: &Draft<'_>, steps: &[Step<'_>]) -> Result<(), Refusal> {
    let changed: Vec<String> = steps
        .iter()
        .filter(|step| step.is_overtaken(draft))
        .filter_map(|step| step.node().map(|id| id.to_string()).or(step.link().map(|id| id.to_string())))
        .collect();
    if changed.is_empty() && !steps.iter().any(|step| step.is_overtaken(draft)) {
        return Ok(());
    }
    Err(Refusal::with(Reason::VersionConflict, format!("Changed since: {}.", changed.join(", "))))
}

impl Step<'_> {
    fn is_overtaken(&self, draft: &Draft<'_>) -> bool {
        match self {
            Step::NodeFields { from, to } => {
                draft.node(to.id).is_none_or(|now| fields_overtaken(now, from, to))
            }
            Step::NodeStatus { from, to } => {
                draft.node(to.id).is_none_or(|now| unheld_status(now) != unheld_status(from))
            }
            Step::NodeTrash { id } => draft.node(*id).is_none_or(|now| now.in_trash),
            Step::NodeRestore { id } => draft.node(*id).is_none_or(|now| !now.in_trash),
            Step::NodePublication { from, to } => {
                draft.node(to.id).is_none_or(|now| now.publication != from.publication)
            }
            Step::LinkTrash { id } => draft.link(*id).is_none_or(|now| now.in_trash),
            Step::LinkRestore { id } => draft.link(*id).is_none_or(|now| !now.in_trash),
            Step::LinkFields { from, to, .. } => draft.link(to.id).is_none_or(|now| {
                (from.kind != to.kind && now.kind != from.kind)
                    || (from.private != to.private && now.private != from.private)
                    || (from.source != to.source && now.source != from.source)
            }),
            Step::Grant { from, to } => grant_overtaken(draft, *from, *to),
            Step::Embed { embed, present } => draft.world().has_embed(embed.node, embed.user) == *present,
            Step::Username { from, .. } => {
                draft.world().user(from.id).is_none_or(|slot| slot.user.username != from.username)
            }
            Step::None { .. } => false,
        }
    }
}

/// What a node's status is when nothing holds it: what a user set stands as the resume status meanwhile.
fn unheld_status(node: &Node) -> Status {
    if node.status == Status::Blocked { node.resume } else { node.status }
}

/// Applies to each field that an update of nodes may change and undo sets back.
macro_rules! each_field {
    ($visit:ident) => {
        $visit!(title description due_date tags priority volume independent assignee x y z pinned collapsed)
    };
}

fn fields_overtaken(now: &Node, from: &Node, to: &Node) -> bool {
    macro_rules! overtaken {
        ($($field:ident)*) => { false $(|| (from.$field != to.$field && now.$field != from.$field))* };
    }
    each_field!(overtaken)
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

fn grant_overtaken(draft: &Draft<'_>, from: Option<&Arc<Grant>>, to: Option<&Arc<Grant>>) -> bool {
    let Some(grant) = from.or(to) else { return false };
    let now = draft.world().grant(grant.node, grant.user);
    match (now, from, to) {
        (None, None, Some(_)) => false,
        (Some(now), Some(from), Some(to)) => {
            (from.level != to.level && now.level != from.level)
                || (from.branch != to.branch && now.branch != from.branch)
                || (from.due != to.due && now.due != from.due)
                || (from.showing != to.showing && now.showing != from.showing)
        }
        (Some(now), Some(from), None) => {
            (now.level, now.branch, now.due) != (from.level, from.branch, from.due)
        }
        _ => true,
    }
}

impl Step<'_> {
    fn carry_out(
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
    let held = now.status == Status::Blocked && crate::blocking::is_held(draft, now);
    draft.edit_node(Op::NodeStatus, Cause::Meant, to.id, |node| match held {
        true if status == Status::InProgress => node.resume = Status::InProgress,
        true => node.resume = Status::Available,
        false => {
            node.status = status;
            node.resume = Status::Available;
        }
    });
    unsettled.push(to.id);
    unsettled.extend(crate::blocking::targets(draft, to.id));
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

/// Cycles are judged on the final state.
fn refuse_cycles(draft: &Draft<'_>, caller: UserId, steps: &[Step<'_>]) -> Result<(), Refusal> {
    for id in steps.iter().filter_map(Step::link) {
        if let Some(link) = draft.link(id).filter(|link| !link.in_trash) {
            link::refuse_cycle(draft, caller, link.kind, link.source, link.target)?;
        }
    }
    Ok(())
}
