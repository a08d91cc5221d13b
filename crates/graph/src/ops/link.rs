//! Adding, changing, swapping, trashing and restoring links.

use super::{refuse_if, seen};
use crate::access::{self, sees_link, would_share};
use crate::batch::Op;
use crate::blocking::{self, settle};
use crate::draft::{Cause, Draft};
use crate::id::{IdSupply, LinkId, NodeId, UserId};
use crate::model::{Level, Link, LinkType};
use crate::refusal::{Reason, Refusal};
use crate::trash;
use crate::world::Graph;
use std::sync::Arc;

/// A new link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkAdd {
    /// The client's own id for it; otherwise it gets a new id.
    pub id: Option<LinkId>,
    /// The child: what blocks.
    pub source: NodeId,
    /// The parent: what waits.
    pub target: NodeId,
    /// As asked; with access 3 to the target it becomes secondary.
    pub kind: LinkType,
    /// As asked; it becomes true where the caller's access does not allow a non-private link.
    pub private: bool,
}

/// Whether a link may keep its requested privacy, by the caller's access to its ends; otherwise it is private.
pub(super) fn keeps_privacy(source: Level, target: Level) -> bool {
    (source <= Level::Editor && target <= Level::Editor) || target == Level::Owner
}

pub(super) fn add(
    draft: &mut Draft<'_>,
    caller: UserId,
    new: &LinkAdd,
    ids: &mut dyn IdSupply,
) -> Result<(), Refusal> {
    let (source, source_level) = seen(draft, caller, new.source, Reason::SourceNotFound)?;
    let (target, target_level) = seen(draft, caller, new.target, Reason::TargetNotFound)?;
    let kind = if target_level == Level::Viewer { LinkType::Secondary } else { new.kind };
    let private = new.private || !keeps_privacy(source_level, target_level);
    let shares = !private && would_share(draft, new.source, new.target, None);
    refuse_if(shares && source_level > Level::Admin, Reason::WouldShare)?;
    refuse_if(source.in_trash, Reason::SourceInTrash)?;
    refuse_if(target.in_trash, Reason::TargetInTrash)?;
    refuse_if(new.source == new.target, Reason::SelfLink)?;
    let occupant = occupant(draft, new.source, new.target, private.then_some(caller), None);
    match occupant {
        Some(link) if !link.in_trash && link.source == new.source => Err(Reason::DuplicateLink.into()),
        Some(link) if !link.in_trash => Err(Reason::DuplicateReversedLink.into()),
        Some(link) => {
            refuse_cycle(draft, caller, kind, new.source, new.target)?;
            bring_back(draft, &link, new, kind);
            settle(draft, [new.target]);
            Ok(())
        }
        None => {
            let id = match new.id {
                Some(id) if draft.world().id_taken(id.0) => return Err(Reason::IdTaken.into()),
                Some(id) => id,
                None => ids.next_link(),
            };
            refuse_cycle(draft, caller, kind, new.source, new.target)?;
            let seq = draft.take_seq();
            let ends = (new.source, new.target);
            let link = Link::new(id, caller, ends, draft.batch(), draft.now(), seq);
            draft.add_link(Link { kind, private, ..link });
            settle(draft, [new.target]);
            Ok(())
        }
    }
}

/// The link in a place: an unordered pair of nodes, with its owner if private. A place has at most one, counting
/// the trash.
pub(super) fn occupant(
    draft: &Draft<'_>,
    a: NodeId,
    b: NodeId,
    private_of: Option<UserId>,
    besides: Option<LinkId>,
) -> Option<Arc<Link>> {
    let here = draft.world().degree(a) <= draft.world().degree(b);
    let (near, far) = if here { (a, b) } else { (b, a) };
    draft
        .links_at(near)
        .find(|link| {
            link.other(near) == far
                && link.private == private_of.is_some()
                && private_of.is_none_or(|owner| link.owner == owner)
                && Some(link.id) != besides
        })
        .cloned()
}

fn bring_back(draft: &mut Draft<'_>, link: &Link, new: &LinkAdd, kind: LinkType) {
    draft.edit_link(Op::LinkRestore, Cause::Meant, link.id, |link| {
        link.in_trash = false;
        link.cascade = false;
    });
    if link.source != new.source {
        draft.edit_link(Op::LinkSwap, Cause::Meant, link.id, |link| {
            std::mem::swap(&mut link.source, &mut link.target);
        });
    }
    if link.kind != kind {
        draft.edit_link(Op::LinkUpdate, Cause::Meant, link.id, |link| set_kind(link, kind));
    }
}

pub(super) fn set_kind(link: &mut Link, kind: LinkType) {
    link.kind = kind;
    link.was_blocker &= link.is_primary();
}

/// How many tasks at either end of a cycle's path are named. A path may have a hundred thousand.
const PATH_END_MOST: usize = 10;

/// Refuses a primary link that would close a cycle. The message names the path by what the caller sees now, not by
/// what the link would let them see.
pub(super) fn refuse_cycle(
    draft: &Draft<'_>,
    caller: UserId,
    kind: LinkType,
    source: NodeId,
    target: NodeId,
) -> Result<(), Refusal> {
    if kind == LinkType::Secondary {
        return Ok(());
    }
    let Some(path) = blocking::cycle(draft, source, target) else { return Ok(()) };
    let world = draft.world();
    let sees = |id: NodeId| {
        let level = access::placement(world, caller, id);
        world
            .node(id)
            .is_some_and(|node| trash::shows_node(node, level) || (!node.in_trash && level.is_some()))
    };
    let name = |id: &NodeId| match sees(*id) {
        true => id.to_string(),
        false => "a task you cannot see".to_owned(),
    };
    let left_out = path.len().saturating_sub(2 * PATH_END_MOST);
    let mut named: Vec<String> = path.iter().take(PATH_END_MOST).map(name).collect();
    if left_out > 0 {
        named.push(format!("{left_out} more"));
    }
    named.extend(path.iter().skip(PATH_END_MOST + left_out).map(name));
    Err(Refusal::with(Reason::DependencyCycle, format!("Path: {}.", named.join(" → "))))
}

/// A link that the caller sees, with their access to its ends.
struct Seen {
    link: Arc<Link>,
    /// `None` for a phantom.
    source: Option<Level>,
    target: Level,
}

fn seen_link(draft: &Draft<'_>, caller: UserId, id: LinkId) -> Result<Seen, Refusal> {
    let link = draft.link(id).ok_or(Reason::LinkNotFound)?;
    let source = access::placement(draft, caller, link.source);
    let target = access::placement(draft, caller, link.target);
    match target {
        Some(level) if sees_link(caller, link, source, target) => {
            Ok(Seen { link: Arc::clone(link), source, target: level })
        }
        _ => Err(Reason::LinkNotFound.into()),
    }
}

impl Seen {
    /// Whether the caller owns the link. Ownership counts only while they have access to both ends.
    fn is_owner(&self, caller: UserId) -> bool {
        self.link.owner == caller && self.source.is_some()
    }

    /// The link's owner or an editor of its target may change it: a user who can edit a task can free it.
    fn check_may_change(&self, caller: UserId) -> Result<(), Refusal> {
        refuse_if(!self.is_owner(caller) && self.target > Level::Editor, Reason::NoPermission)
    }
}

/// A link that the caller may change.
fn changeable(draft: &Draft<'_>, caller: UserId, id: LinkId) -> Result<Seen, Refusal> {
    let seen = seen_link(draft, caller, id)?;
    seen.check_may_change(caller)?;
    Ok(seen)
}

/// A link that the caller may delete with link:delete: they own it or its target.
pub(super) fn deletable(draft: &Draft<'_>, caller: UserId, id: LinkId) -> Result<Arc<Link>, Refusal> {
    let seen = seen_link(draft, caller, id)?;
    refuse_if(!seen.is_owner(caller) && seen.target != Level::Owner, Reason::NoPermission)?;
    Ok(seen.link)
}

/// A change of a link. `None` leaves a field as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkUpdate {
    /// The link to change.
    pub id: LinkId,
    /// The new type; `None` leaves it.
    pub kind: Option<LinkType>,
    /// The new privacy; `None` leaves it.
    pub private: Option<bool>,
}

pub(super) fn update(draft: &mut Draft<'_>, caller: UserId, update: &LinkUpdate) -> Result<(), Refusal> {
    let LinkUpdate { id, kind, private } = *update;
    refuse_if(kind.is_none() && private.is_none(), Reason::NoFieldsToUpdate)?;
    let seen = changeable(draft, caller, id)?;
    let link = &seen.link;
    let kind = kind.filter(|kind| *kind != link.kind);
    let private = private.filter(|private| *private != link.private);
    refuse_if(kind == Some(LinkType::Primary) && seen.target == Level::Viewer, Reason::ForbiddenType)?;
    if let Some(private) = private {
        let may_be_public = seen.source.is_some_and(|source| keeps_privacy(source, seen.target));
        refuse_if(!seen.is_owner(caller) || (!private && !may_be_public), Reason::ForbiddenPrivate)?;
        let shares = !private && would_share(draft, link.source, link.target, Some(id));
        refuse_if(shares && seen.source.is_none_or(|level| level > Level::Admin), Reason::WouldShare)?;
    }
    refuse_if(link.in_trash, Reason::LinkInTrash)?;
    if let Some(private) = private {
        let owner = private.then_some(link.owner);
        let taken = occupant(draft, link.source, link.target, owner, Some(id)).is_some();
        refuse_if(taken, Reason::DuplicateLink)?;
    }
    if let Some(kind) = kind {
        refuse_cycle(draft, caller, kind, link.source, link.target)?;
    }
    if kind.is_some() || private.is_some() {
        draft.edit_link(Op::LinkUpdate, Cause::Meant, id, |link| {
            set_kind(link, kind.unwrap_or(link.kind));
            link.private = private.unwrap_or(link.private);
        });
        settle(draft, [link.target]);
    }
    Ok(())
}

pub(super) fn swap(draft: &mut Draft<'_>, caller: UserId, id: LinkId) -> Result<(), Refusal> {
    let seen = changeable(draft, caller, id)?;
    let link = &seen.link;
    // Source and target are exchanged. Access is judged as if the link did not exist.
    let new_source = access::placement_without(draft, caller, link.target, id).ok_or(Reason::NoPermission)?;
    let new_target = access::placement_without(draft, caller, link.source, id).ok_or(Reason::NoPermission)?;
    let kind = if new_target == Level::Viewer { LinkType::Secondary } else { link.kind };
    let private = link.private || !keeps_privacy(new_source, new_target);
    let holds_ours = kind == LinkType::Primary && new_target == Level::Owner;
    refuse_if(private && link.owner != caller && !holds_ours, Reason::ForbiddenPrivate)?;
    let shares = !private && would_share(draft, link.target, link.source, Some(id));
    refuse_if(shares && new_source > Level::Admin, Reason::WouldShare)?;
    refuse_if(link.in_trash, Reason::LinkInTrash)?;
    let owner = private.then_some(link.owner);
    let taken = occupant(draft, link.source, link.target, owner, Some(id)).is_some();
    refuse_if(taken, Reason::DuplicateLink)?;
    refuse_swap_cycle(draft, caller, link, kind)?;
    draft.edit_link(Op::LinkSwap, Cause::Meant, id, |link| {
        std::mem::swap(&mut link.source, &mut link.target);
        link.private = private;
        set_kind(link, kind);
    });
    settle(draft, [link.target, link.source]);
    Ok(())
}

/// A swapped primary link must not meet another path between its ends. The link itself does not count as one.
fn refuse_swap_cycle(
    draft: &mut Draft<'_>,
    caller: UserId,
    link: &Link,
    kind: LinkType,
) -> Result<(), Refusal> {
    if kind == LinkType::Secondary {
        return Ok(());
    }
    let mut without = Draft::new(draft.world(), draft.batch(), None);
    without.delete_link(link.id, Cause::Derived);
    refuse_cycle(&without, caller, kind, link.target, link.source)
}

pub(super) fn trash(draft: &mut Draft<'_>, caller: UserId, id: LinkId) -> Result<(), Refusal> {
    let seen = changeable(draft, caller, id)?;
    refuse_if(seen.link.in_trash, Reason::AlreadyTrashedLink)?;
    draft.edit_link(Op::LinkTrash, Cause::Meant, id, |link| link.in_trash = true);
    settle(draft, [seen.link.target]);
    Ok(())
}

pub(super) fn restore(draft: &mut Draft<'_>, caller: UserId, id: LinkId) -> Result<(), Refusal> {
    let target = bring_back_alone(draft, caller, id)?;
    settle(draft, [target]);
    Ok(())
}

/// link:restore, but for what follows. Returns the node that may be held now.
pub(super) fn bring_back_alone(draft: &mut Draft<'_>, caller: UserId, id: LinkId) -> Result<NodeId, Refusal> {
    let seen = changeable(draft, caller, id)?;
    let link = &seen.link;
    // Restoring requires what adding the link now would require, and changes nothing silently.
    let source = seen.source.ok_or(Reason::NoPermission)?;
    refuse_if(link.is_primary() && seen.target == Level::Viewer, Reason::ForbiddenType)?;
    refuse_if(!link.private && !keeps_privacy(source, seen.target), Reason::ForbiddenPrivate)?;
    // An active link already shares what it shares.
    let shares = link.in_trash && !link.private && would_share(draft, link.source, link.target, Some(id));
    refuse_if(shares && source > Level::Admin, Reason::WouldShare)?;
    refuse_if(!link.in_trash, Reason::NotTrashedLink)?;
    let active = |end| draft.active_node(end).is_some();
    refuse_if(!active(link.source) || !active(link.target), Reason::InactiveEnd)?;
    refuse_cycle(draft, caller, link.kind, link.source, link.target)?;
    draft.edit_link(Op::LinkRestore, Cause::Meant, id, |link| {
        link.in_trash = false;
        link.cascade = false;
    });
    Ok(link.target)
}
