//! Operations on nodes and the trash (SPEC.md, O).

use super::undo::Deed;
use super::{Turn, refuse_if};
use graph::IdSupply;
use graph::model::{Level, Link, LinkType, Node, Status};
use graph::ops::NodeDuplicate;
use graph::{BatchId, LinkId, NodeFields, NodeId, Reason, UserId, each_node_field};
use std::collections::{BTreeMap, BTreeSet};
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
        let (owner, link) = self.place(target)?;
        refuse_if(target.is_some_and(|target| !self.m.is_active(target)), Reason::TargetInTrash)?;
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

    /// Whose a node made under the target is, and how it is linked.
    // Rules: O13, O14, O15, O16.
    #[allow(clippy::type_complexity)]
    fn place(&self, target: Option<NodeId>) -> Result<(UserId, Option<(NodeId, LinkType, bool)>), Reason> {
        let Some(target) = target else {
            self.refuse_guest()?;
            return Ok((self.caller, None));
        };
        let level = self.m.placement(self.caller, target).ok_or(Reason::TargetNotFound)?;
        let by_branch = self.m.branch_access(self.caller, target);
        if by_branch.is_some_and(|level| level <= Level::Editor) {
            return Ok((self.m.nodes[&target].owner, Some((target, LinkType::Primary, false))));
        }
        self.refuse_guest()?;
        let edits = level <= Level::Editor;
        let kind = if edits { LinkType::Primary } else { LinkType::Secondary };
        Ok((self.caller, Some((target, kind, !edits))))
    }

    // Rules: O31, O32.
    pub fn node_duplicate(&mut self, asked: &NodeDuplicate) -> Result<(), Reason> {
        self.seen(asked.id)?;
        let (owner, under) = self.place(asked.target)?;
        refuse_if(!self.m.is_active(asked.id), Reason::NodeInTrash)?;
        refuse_if(asked.target.is_some_and(|target| !self.m.is_active(target)), Reason::TargetInTrash)?;
        let old = self.m.clone();
        let sees = |id: NodeId| old.placement(self.caller, id).is_some();
        // The branch as the caller sees it: grown link by link from the node.
        let mut nodes = BTreeSet::from([asked.id]);
        let carries = |link: &&Link| !link.private && old.is_link_active(link) && sees(link.source);
        loop {
            let below = old.links.values().filter(carries).filter(|link| {
                nodes.contains(&link.target) && old.nodes[&link.source].owner == old.nodes[&link.target].owner
            });
            let more: Vec<NodeId> = below.map(|link| link.source).filter(|_| asked.branch).collect();
            let before = nodes.len();
            nodes.extend(more);
            if nodes.len() == before {
                break;
            }
        }
        let mut copies: BTreeMap<NodeId, NodeId> = BTreeMap::new();
        let mut nodes: Vec<&Node> = nodes.iter().map(|id| &old.nodes[id]).collect();
        nodes.sort_by_key(|node| node.seq);
        for node in nodes {
            let named = asked.names.as_ref().and_then(|it| it.get(&node.id.0).copied());
            refuse_if(named.is_some_and(|id| self.m.id_taken(id)), Reason::IdTaken)?;
            let id = named.map_or_else(|| self.ids.next_node(), NodeId);
            let seq = self.seq();
            let mut copy = Node::new(id, owner, self.batch, self.m.now, seq);
            macro_rules! copy_field {
                ($($field:ident)*) => {$(copy.$field = node.$field.clone();)*};
            }
            each_node_field!(copy_field);
            copy.status = Status::Available;
            copy.x += 40.0;
            copy.y += 40.0;
            self.note(Deed::Node { id, before: None, after: Some(copy.clone()) });
            self.m.nodes.insert(id, copy);
            copies.insert(node.id, id);
        }
        let mut links: Vec<&Link> = old.links.values().filter(|link| old.is_link_active(link)).collect();
        links.retain(|link| old.sees_link(self.caller, link) && (!link.private || link.owner == self.caller));
        links.sort_by_key(|link| link.seq);
        for link in links {
            if let (Some(source), Some(target)) = (copies.get(&link.source), copies.get(&link.target)) {
                let named = asked.names.as_ref().and_then(|it| it.get(&link.id.0).copied());
                refuse_if(named.is_some_and(|id| self.m.id_taken(id)), Reason::IdTaken)?;
                let id = named.map_or_else(|| self.ids.next_link(), LinkId);
                self.make_link(id, *source, *target, link.kind, link.private);
            }
        }
        if let Some((target, kind, private)) = under {
            let id = self.ids.next_link();
            self.make_link(id, copies[&asked.id], target, kind, private);
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

    // Rules: O39.
    pub fn node_trash_branch(&mut self, id: NodeId) -> Result<(), Reason> {
        self.seen_with(id, Level::Editor)?;
        refuse_if(!self.m.is_active(id), Reason::AlreadyTrashedNode)?;
        let branch = self.m.branch(id, false);
        let editable =
            |id: &&NodeId| self.m.placement(self.caller, **id).is_some_and(|at| at <= Level::Editor);
        let mut editable: Vec<NodeId> = branch.iter().filter(editable).copied().collect();
        editable.sort_by_key(|id| self.m.nodes[id].seq);
        for id in editable {
            self.put_in_trash(id);
        }
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

    /// The node returns, and with it what went by cascade.
    fn take_from_trash(&mut self, id: NodeId) {
        self.take_all_from_trash(&[id]);
    }

    /// The nodes return, and then what went by cascade.
    pub fn take_all_from_trash(&mut self, nodes: &[NodeId]) {
        for id in nodes {
            self.node_entry(*id, |node| node.in_trash = false);
        }
        let links: BTreeSet<LinkId> = nodes.iter().flat_map(|id| self.links_at(*id)).collect();
        self.unmeant(|turn| turn.links_from_trash(links.into_iter().collect()));
    }

    // Rules: O30, B11.
    pub fn trash_restore(&mut self, batch: BatchId) -> Result<(), Reason> {
        let may = |id: NodeId| self.m.placement(self.caller, id).is_some_and(|at| at <= Level::Editor);
        let nodes = self.m.nodes.values().filter(|node| node.in_trash && node.last_batch == batch);
        let mut nodes: Vec<NodeId> = nodes.map(|node| node.id).filter(|id| may(*id)).collect();
        nodes.sort_by_key(|id| self.m.nodes[id].seq);
        let alone = |link: &&Link| link.in_trash && !link.cascade && link.last_batch == batch;
        let mut links: Vec<LinkId> = self.m.links.values().filter(alone).map(|link| link.id).collect();
        links.sort_by_key(|id| self.m.links[id].seq);
        self.take_all_from_trash(&nodes);
        let mut result = if nodes.is_empty() { Err(Reason::NotInTrash) } else { Ok(()) };
        for id in links {
            self.m.branches = Default::default();
            match (self.link_restore(id), result) {
                (Ok(()), _) => result = Ok(()),
                (Err(reason), Err(Reason::NotInTrash)) if reason != Reason::LinkNotFound => {
                    result = Err(reason)
                }
                _ => {}
            }
        }
        result
    }

    fn links_from_trash(&mut self, mut links: Vec<LinkId>) {
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
        let at = |link: &&Link| link.source == id || link.target == id;
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
