//! What each user sees (SPEC.md, V).

use super::Model;
use graph::model::{Level, Link, LinkType, Node};
use graph::{LinkId, NodeId, UserId};
use std::collections::{BTreeMap, BTreeSet};

/// A node as a user sees it.
#[derive(Clone, Debug, PartialEq)]
pub enum SeenNode {
    Full { node: Node, access: Level, share_roots: BTreeSet<NodeId> },
    Phantom { status: u8 },
}

/// V(u).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Seen {
    pub nodes: BTreeMap<NodeId, SeenNode>,
    pub links: BTreeMap<LinkId, (Link, BTreeSet<NodeId>)>,
}

impl Model {
    /// Share roots in force that cover the node: for its owner all of them, for others those that give them access.
    // Rules: V7, V9.
    pub fn share_roots(&self, user: UserId, node: NodeId) -> BTreeSet<NodeId> {
        let all = self.nodes[&node].owner == user;
        let granted = self
            .grants
            .values()
            .filter(|grant| (all || grant.user == user) && self.grant_counts(grant))
            .filter(|grant| self.reaches(grant.node, grant.branch, node, false))
            .map(|grant| grant.node);
        let published =
            self.nodes.keys().copied().filter(|root| all || self.embeds.contains(&(user, *root))).filter(
                |root| {
                    self.publication_in_force(*root)
                        .is_some_and(|publication| self.reaches(*root, publication.branch, node, false))
                },
            );
        granted.chain(published).collect()
    }

    // Rules: V1, V2, V3, V8, V10.
    pub fn visible(&self, user: UserId) -> Seen {
        let mut seen = Seen::default();
        let mut roots = BTreeMap::new();
        for node in self.nodes.values() {
            if let Some(access) = self.access(user, node.id) {
                let share_roots = self.share_roots(user, node.id);
                roots.insert(node.id, share_roots.clone());
                let mut node = node.clone();
                if access > Level::Admin
                    && let Some(publication) = node.publication.as_mut()
                {
                    publication.token.clear();
                }
                seen.nodes.insert(node.id, SeenNode::Full { node, access, share_roots });
            }
        }
        for link in self.links.values() {
            if !self.is_link_active(link) || !self.sees_link(user, link) {
                continue;
            }
            if !roots.contains_key(&link.source) {
                let status = self.nodes[&link.source].status.number();
                seen.nodes.insert(link.source, SeenNode::Phantom { status });
            }
            let none = BTreeSet::new();
            let source = roots.get(&link.source).unwrap_or(&none);
            let target = roots.get(&link.target).unwrap_or(&none);
            let shared = source.intersection(target).copied().collect();
            seen.links.insert(link.id, (link.clone(), shared));
        }
        seen
    }

    /// Trash(u).
    // Rules: V12, V13.
    pub fn trash(&self, user: UserId) -> (BTreeSet<NodeId>, BTreeSet<LinkId>) {
        let nodes = self.nodes.keys().copied().filter(|id| self.trash_shows_node(user, *id)).collect();
        let links = self.links.keys().copied().filter(|id| self.trash_shows_link(user, *id)).collect();
        (nodes, links)
    }

    fn runs(&self, user: UserId, id: NodeId) -> bool {
        self.placement(user, id).is_some_and(|level| level <= Level::Admin)
    }

    pub fn trash_shows_node(&self, user: UserId, id: NodeId) -> bool {
        self.nodes.get(&id).is_some_and(|node| node.in_trash) && self.runs(user, id)
    }

    pub fn trash_shows_link(&self, user: UserId, id: LinkId) -> bool {
        let Some(link) = self.links.get(&id).filter(|link| link.in_trash) else { return false };
        let known = link.kind == LinkType::Primary || self.placement(user, link.source).is_some();
        self.owns_link(user, link) || (!link.private && self.runs(user, link.target) && known)
    }
}
