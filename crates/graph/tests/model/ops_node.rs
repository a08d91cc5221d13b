//! Operations on nodes and the trash (SPEC.md, O).

use super::undo::Deed;
use super::{Turn, refuse_if};
use graph::IdSupply;
use graph::model::{Level, LinkType, Node, Status};
use graph::{LinkId, NodeFields, NodeId, Reason, each_node_field};
use uuid::Uuid;

impl Turn {
    // Rules: A9.
    pub fn seen(&self, id: NodeId) -> Result<Level, Reason> {
        self.m.placement(self.caller, id).ok_or(Reason::NodeNotFound)
    }

    // Rules: A8, A10.
    pub fn seen_with(&self, id: NodeId, needed: Level) -> Result<(), Reason> {
        let level = self.seen(id)?;
        refuse_if(level > needed, Reason::NoPermission)
    }

    // Rules: O10, O13, O14, O15, O16, O17.
    pub fn node_add(
        &mut self,
        id: Option<NodeId>,
        target: Option<NodeId>,
        fields: &NodeFields,
    ) -> Result<(), Reason> {
        let mut owner = self.caller;
        let mut link = None;
        if let Some(target) = target {
            let level = self.m.placement(self.caller, target).ok_or(Reason::TargetNotFound)?;
            refuse_if(!self.m.is_active(target), Reason::TargetInTrash)?;
            let by_branch = self.m.branch_access(self.caller, target);
            if by_branch.is_some_and(|level| level <= Level::Editor) {
                owner = self.m.nodes[&target].owner;
                link = Some((target, LinkType::Primary, false));
            } else if level <= Level::Editor {
                link = Some((target, LinkType::Primary, false));
            } else {
                link = Some((target, LinkType::Secondary, true));
            }
        }
        refuse_if(id.is_some_and(|id| self.m.id_taken(id.0)), Reason::IdTaken)?;
        let id = id.unwrap_or_else(|| self.ids.next_node());
        let seq = self.seq();
        let mut node = Node::new(id, owner, self.batch, self.m.now, seq);
        set_fields(&mut node, fields);
        node.status = fields.status.unwrap_or(Status::Available);
        self.note(Deed::Node { id, before: None, after: Some(node.clone()) });
        self.m.nodes.insert(id, node);
        if let Some((target, kind, private)) = link {
            let new = self.ids.next_link();
            self.make_link(new, id, target, kind, private);
        }
        Ok(())
    }

    // Rules: O18, O19, O20, O21, B8.
    pub fn node_update(
        &mut self,
        id: NodeId,
        fields: &NodeFields,
        version: Option<u64>,
    ) -> Result<(), Reason> {
        refuse_if(*fields == NodeFields::default(), Reason::NoFieldsToUpdate)?;
        self.seen_with(id, Level::Editor)?;
        refuse_if(!self.m.is_active(id), Reason::NodeInTrash)?;
        let current = self.m.nodes[&id].clone();
        refuse_if(version.is_some_and(|version| version != current.version), Reason::VersionConflict)?;
        let mut changed = current.clone();
        set_fields(&mut changed, fields);
        if changed != current {
            self.node_entry(id, |node| set_fields(node, fields));
        }
        if let Some(status) = fields.status {
            refuse_if(self.m.held(id), Reason::NodeBlocked)?;
            if status != current.status {
                self.node_entry(id, |node| node.status = status);
            }
        }
        Ok(())
    }

    // Rules: O22.
    pub fn node_trash(&mut self, id: NodeId) -> Result<(), Reason> {
        self.seen_with(id, Level::Editor)?;
        refuse_if(!self.m.is_active(id), Reason::AlreadyTrashedNode)?;
        self.put_in_trash(id);
        Ok(())
    }

    /// The node goes to the trash, and every active link at it by cascade.
    pub fn put_in_trash(&mut self, id: NodeId) {
        self.unmeant(|turn| {
            for link in turn.links_at(id) {
                if turn.m.is_link_active(&turn.m.links[&link]) {
                    turn.link_entry(link, |link| {
                        link.in_trash = true;
                        link.cascade = true;
                    });
                }
            }
        });
        self.node_entry(id, |node| node.in_trash = true);
    }

    // Rules: O23, B11.
    pub fn node_restore(&mut self, id: NodeId) -> Result<(), Reason> {
        self.seen_with(id, Level::Editor)?;
        refuse_if(self.m.is_active(id), Reason::NotTrashedNode)?;
        self.take_from_trash(id);
        Ok(())
    }

    /// The node returns, and with it the links that went by cascade.
    pub fn take_from_trash(&mut self, id: NodeId) {
        self.node_entry(id, |node| node.in_trash = false);
        self.unmeant(|turn| turn.links_from_trash(id));
    }

    fn links_from_trash(&mut self, id: NodeId) {
        let mut links = self.links_at(id);
        links.sort_by_key(|link| (self.m.links[link].created, self.m.links[link].seq));
        for id in links {
            let link = self.m.links[&id].clone();
            let ends_active = self.m.is_active(link.source) && self.m.is_active(link.target);
            if !link.in_trash || !link.cascade || !ends_active {
                continue;
            }
            if link.kind == LinkType::Primary && self.m.closes_cycle(link.source, link.target) {
                // It went with its end, and both its ends are active again: from now on it is in the trash in its
                // own right.
                self.link_entry(id, |link| link.cascade = false);
                continue;
            }
            self.link_entry(id, |link| {
                link.in_trash = false;
                link.cascade = false;
            });
        }
    }

    // Rules: O24.
    pub fn node_delete(&mut self, id: NodeId) -> Result<(), Reason> {
        self.seen_with(id, Level::Owner)?;
        refuse_if(self.m.is_active(id), Reason::CantDeleteActiveNode)?;
        self.remove_node(id);
        Ok(())
    }

    // Rules: O25.
    pub fn purge(&mut self, ids: Option<&[Uuid]>) -> Result<(), Reason> {
        let nodes: Vec<NodeId> = self
            .m
            .nodes
            .values()
            .filter(|node| node.in_trash && node.owner == self.caller)
            .map(|node| node.id)
            .collect();
        let links: Vec<LinkId> = self
            .m
            .links
            .values()
            .filter(|link| link.in_trash && self.m.owns_link(self.caller, link))
            .map(|link| link.id)
            .collect();
        if let Some(ids) = ids {
            let named = |id: &Uuid| nodes.contains(&NodeId(*id)) || links.contains(&LinkId(*id));
            refuse_if(!ids.iter().all(named), Reason::NotInTrash)?;
        }
        let wanted = |id: Uuid| ids.is_none_or(|ids| ids.contains(&id));
        for id in nodes.into_iter().filter(|id| wanted(id.0)) {
            self.remove_node(id);
        }
        for id in links.into_iter().filter(|id| wanted(id.0)) {
            self.remove_link(id);
        }
        Ok(())
    }

    fn links_at(&self, id: NodeId) -> Vec<LinkId> {
        let at = |link: &&graph::model::Link| link.source == id || link.target == id;
        self.m.links.values().filter(at).map(|link| link.id).collect()
    }

    pub fn remove_node(&mut self, id: NodeId) {
        self.unmeant(|turn| {
            for link in turn.links_at(id) {
                turn.remove_link(link);
            }
        });
        self.m.grants.retain(|(node, _), _| *node != id);
        self.m.embeds.retain(|(_, node)| *node != id);
        let before = self.m.nodes.remove(&id);
        self.m.gone.insert(id.0);
        self.note(Deed::Node { id, before, after: None });
    }

    pub fn remove_link(&mut self, id: LinkId) {
        if let Some(before) = self.m.links.remove(&id) {
            self.m.gone.insert(id.0);
            self.note(Deed::Link { id, before: Some(before), after: None });
        }
    }

    // Rules: O26, N1.
    pub fn rename(&mut self, username: &str) -> Result<(), Reason> {
        let fits = (3..=32).contains(&username.len())
            && username.chars().all(|c| c.is_ascii_alphanumeric() || "_.-".contains(c));
        refuse_if(!fits, Reason::InvalidUsername)?;
        let other = |user: &graph::model::User| {
            user.id != self.caller && user.username.eq_ignore_ascii_case(username)
        };
        refuse_if(self.m.users.values().any(other), Reason::UsernameTaken)?;
        self.set_username(self.caller, username);
        Ok(())
    }
}

/// Everything but the status.
fn set_fields(node: &mut Node, fields: &NodeFields) {
    let status = node.status;
    macro_rules! set {
        ($($field:ident)*) => {$(
            if let Some(value) = fields.$field.clone() {
                node.$field = value;
            }
        )*};
    }
    each_node_field!(set);
    node.status = status;
}
