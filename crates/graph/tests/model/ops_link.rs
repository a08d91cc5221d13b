//! Operations on links (SPEC.md, L).

use super::{Turn, refuse_if};
use graph::IdSupply;
use graph::model::{Level, Link, LinkType};
use graph::{LinkId, NodeId, Reason};

/// Whether link:add keeps `private` as requested, by access to source and target.
// Rules: L4, L5.
pub fn keeps_privacy(source: Level, target: Level) -> bool {
    (source <= Level::Editor && target <= Level::Editor)
        || (source == Level::Viewer && target == Level::Owner)
}

impl Turn {
    /// The link in the place of a link between these nodes, in either direction.
    // Rules: N26.
    pub fn at_place(
        &self,
        a: NodeId,
        b: NodeId,
        private_to: Option<graph::UserId>,
        but: Option<LinkId>,
    ) -> Option<Link> {
        self.m
            .links
            .values()
            .filter(|link| Some(link.id) != but)
            .filter(|link| (link.source, link.target) == (a, b) || (link.source, link.target) == (b, a))
            .find(|link| match private_to {
                Some(user) => link.private && link.owner == user,
                None => !link.private,
            })
            .cloned()
    }

    /// A link that the caller sees, and may change as its owner or as an editor of its target.
    // Rules: L11.
    fn seen_link(&self, id: LinkId) -> Result<Link, Reason> {
        let link = self.m.links.get(&id).ok_or(Reason::LinkNotFound)?;
        refuse_if(!self.m.sees_link(self.caller, link), Reason::LinkNotFound)?;
        Ok(link.clone())
    }

    // Rules: L12.
    pub fn may_change(&self, link: &Link) -> Result<(), Reason> {
        let target = self.m.placement(self.caller, link.target);
        let may = self.m.owns_link(self.caller, link) || target.is_some_and(|level| level <= Level::Editor);
        refuse_if(!may, Reason::NoPermission)
    }

    // Rules: L1, L2, L3, L4, L6, L10.
    pub fn link_add(
        &mut self,
        id: Option<LinkId>,
        source: NodeId,
        target: NodeId,
        mut kind: LinkType,
        mut private: bool,
    ) -> Result<(), Reason> {
        let source_level = self.m.placement(self.caller, source).ok_or(Reason::SourceNotFound)?;
        let target_level = self.m.placement(self.caller, target).ok_or(Reason::TargetNotFound)?;
        if target_level == Level::Viewer {
            kind = LinkType::Secondary;
        }
        if !keeps_privacy(source_level, target_level) {
            private = true;
        }
        refuse_if(!private && self.m.would_share(self.caller, source, target), Reason::WouldShare)?;
        refuse_if(!self.m.is_active(source), Reason::SourceInTrash)?;
        refuse_if(!self.m.is_active(target), Reason::TargetInTrash)?;
        refuse_if(source == target, Reason::SelfLink)?;
        let there = self.at_place(source, target, private.then_some(self.caller), None);
        if let Some(link) = there.as_ref().filter(|link| !link.in_trash) {
            let same_way = link.source == source;
            return Err(if same_way { Reason::DuplicateLink } else { Reason::DuplicateReversedLink });
        }
        refuse_if(there.is_none() && id.is_some_and(|id| self.m.id_taken(id.0)), Reason::IdTaken)?;
        let cycle = kind == LinkType::Primary && self.m.closes_cycle(source, target);
        refuse_if(cycle, Reason::DependencyCycle)?;
        match there {
            None => {
                let id = id.unwrap_or_else(|| self.ids.next_link());
                self.make_link(id, source, target, kind, private);
            }
            Some(link) => self.bring_back(&link, source, target, kind),
        }
        Ok(())
    }

    // Rules: L7, L8.
    fn bring_back(&mut self, link: &Link, source: NodeId, target: NodeId, kind: LinkType) {
        self.link_entry(link.id, |link| {
            link.in_trash = false;
            link.cascade = false;
        });
        if link.source != source {
            self.link_entry(link.id, |link| {
                link.source = source;
                link.target = target;
            });
        }
        if link.kind != kind {
            self.link_entry(link.id, |link| link.kind = kind);
        }
    }

    // Rules: L13, L14, L15.
    pub fn link_update(
        &mut self,
        id: LinkId,
        kind: Option<LinkType>,
        private: Option<bool>,
    ) -> Result<(), Reason> {
        refuse_if(kind.is_none() && private.is_none(), Reason::NoFieldsToUpdate)?;
        let link = self.seen_link(id)?;
        self.may_change(&link)?;
        let source_level = self.m.placement(self.caller, link.source);
        let target_level = self.m.placement(self.caller, link.target);
        refuse_if(
            kind == Some(LinkType::Primary)
                && link.kind != LinkType::Primary
                && target_level == Some(Level::Viewer),
            Reason::ForbiddenType,
        )?;
        if let Some(private) = private.filter(|private| *private != link.private) {
            refuse_if(!self.m.owns_link(self.caller, &link), Reason::ForbiddenPrivate)?;
            let kept = source_level.zip(target_level).is_some_and(|(s, t)| keeps_privacy(s, t));
            refuse_if(!private && !kept, Reason::ForbiddenPrivate)?;
        }
        let opens = link.private && private == Some(false);
        refuse_if(opens && self.m.would_share(self.caller, link.source, link.target), Reason::WouldShare)?;
        refuse_if(link.in_trash, Reason::LinkInTrash)?;
        let new_private = private.unwrap_or(link.private);
        if new_private != link.private {
            let taken = self.at_place(link.source, link.target, new_private.then_some(link.owner), Some(id));
            refuse_if(taken.is_some(), Reason::DuplicateLink)?;
        }
        let new_kind = kind.unwrap_or(link.kind);
        let becomes_primary = new_kind == LinkType::Primary && link.kind != LinkType::Primary;
        refuse_if(becomes_primary && self.m.closes_cycle(link.source, link.target), Reason::DependencyCycle)?;
        if (new_kind, new_private) != (link.kind, link.private) {
            self.link_entry(id, |link| {
                link.kind = new_kind;
                link.private = new_private;
            });
        }
        Ok(())
    }

    // Rules: L16, L17, L18, L19.
    pub fn link_swap(&mut self, id: LinkId) -> Result<(), Reason> {
        let link = self.seen_link(id)?;
        let mut without = self.m.clone();
        without.links.remove(&id);
        let old_source = without.placement(self.caller, link.source).ok_or(Reason::NoPermission)?;
        let old_target = without.placement(self.caller, link.target).ok_or(Reason::NoPermission)?;
        let may = link.owner == self.caller || old_target <= Level::Editor;
        refuse_if(!may, Reason::NoPermission)?;
        let (source, target) = (link.target, link.source);
        let (source_level, target_level) = (old_target, old_source);
        let kind = if target_level == Level::Viewer { LinkType::Secondary } else { link.kind };
        let private = link.private || !keeps_privacy(source_level, target_level);
        let hidden = private
            && link.owner != self.caller
            && !(kind == LinkType::Primary && self.m.nodes[&target].owner == self.caller);
        refuse_if(hidden, Reason::ForbiddenPrivate)?;
        refuse_if(!private && without.would_share(self.caller, source, target), Reason::WouldShare)?;
        refuse_if(link.in_trash, Reason::LinkInTrash)?;
        let taken = self.at_place(source, target, private.then_some(link.owner), Some(id));
        refuse_if(taken.is_some(), Reason::DuplicateLink)?;
        let cycle = kind == LinkType::Primary && without.closes_cycle(source, target);
        refuse_if(cycle, Reason::DependencyCycle)?;
        self.link_entry(id, |link| {
            link.source = source;
            link.target = target;
            link.kind = kind;
            link.private = private;
        });
        Ok(())
    }

    // Rules: L20.
    pub fn link_trash(&mut self, id: LinkId) -> Result<(), Reason> {
        let link = self.seen_link(id)?;
        self.may_change(&link)?;
        refuse_if(link.in_trash, Reason::AlreadyTrashedLink)?;
        self.link_entry(id, |link| link.in_trash = true);
        Ok(())
    }

    // Rules: L21, L22.
    pub fn link_restore(&mut self, id: LinkId) -> Result<(), Reason> {
        let link = self.seen_link(id)?;
        self.may_change(&link)?;
        let source_level = self.m.placement(self.caller, link.source).ok_or(Reason::NoPermission)?;
        let target_level = self.m.placement(self.caller, link.target).ok_or(Reason::NoPermission)?;
        refuse_if(link.kind == LinkType::Primary && target_level == Level::Viewer, Reason::ForbiddenType)?;
        refuse_if(!link.private && !keeps_privacy(source_level, target_level), Reason::ForbiddenPrivate)?;
        // Restoring does not make what is not in the trash.
        let makes = link.in_trash && !link.private;
        let would_share = makes && self.m.would_share(self.caller, link.source, link.target);
        refuse_if(would_share, Reason::WouldShare)?;
        refuse_if(!link.in_trash, Reason::NotTrashedLink)?;
        let ends_active = self.m.is_active(link.source) && self.m.is_active(link.target);
        refuse_if(!ends_active, Reason::InactiveEnd)?;
        let cycle = link.kind == LinkType::Primary && self.m.closes_cycle(link.source, link.target);
        refuse_if(cycle, Reason::DependencyCycle)?;
        self.link_entry(id, |link| {
            link.in_trash = false;
            link.cascade = false;
        });
        Ok(())
    }

    // Rules: L23.
    pub fn link_delete(&mut self, id: LinkId) -> Result<(), Reason> {
        let link = self.seen_link(id)?;
        let may = self.m.owns_link(self.caller, &link) || self.m.nodes[&link.target].owner == self.caller;
        refuse_if(!may, Reason::NoPermission)?;
        refuse_if(!link.in_trash, Reason::CantDeleteActiveLink)?;
        self.remove_link(id);
        Ok(())
    }
}
