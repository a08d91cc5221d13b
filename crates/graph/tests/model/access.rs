//! Who may do what with which node, as a fixpoint over all nodes (SPEC.md, A).

use super::Model;
use graph::model::{Grant, Level, Link, Publication};
use graph::{NodeId, UserId};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// Branches found so far, only for speed. A clone begins without any, and no operation asks again after a change.
#[derive(Debug, Default)]
pub struct Branches(RefCell<BTreeMap<(NodeId, bool), Rc<BTreeSet<NodeId>>>>);

impl Clone for Branches {
    fn clone(&self) -> Self {
        Branches::default()
    }
}

impl PartialEq for Branches {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Model {
    fn unexpired(&self, due: Option<graph::Timestamp>) -> bool {
        due.is_none_or(|due| due > self.now)
    }

    /// In force, apart from whether its node is active.
    // Rules: N28.
    pub fn grant_counts(&self, grant: &Grant) -> bool {
        grant.showing && self.unexpired(grant.due)
    }

    // Rules: N29.
    pub fn publication_in_force(&self, node: NodeId) -> Option<&Publication> {
        let node = self.nodes.get(&node)?;
        let publication = node.publication.as_deref()?;
        (!node.in_trash && self.unexpired(publication.due)).then_some(publication)
    }

    /// Branch(r); with `placement` also what went to the trash below r by cascade.
    pub fn branch(&self, root: NodeId, placement: bool) -> Rc<BTreeSet<NodeId>> {
        let known = self.branches.0.borrow().get(&(root, placement)).cloned();
        known.unwrap_or_else(|| {
            let branch = Rc::new(self.find_branch(root, placement));
            self.branches.0.borrow_mut().insert((root, placement), Rc::clone(&branch));
            branch
        })
    }

    // Rules: A5, A6, A7, A11.
    fn find_branch(&self, root: NodeId, placement: bool) -> BTreeSet<NodeId> {
        let mut branch = BTreeSet::new();
        if !placement && !self.is_active(root) {
            return branch;
        }
        let owner = self.nodes[&root].owner;
        branch.insert(root);
        loop {
            let before = branch.len();
            for link in self.links.values() {
                if link.private
                    || !branch.contains(&link.target)
                    || branch.contains(&link.source)
                    || self.nodes[&link.source].owner != owner
                {
                    continue;
                }
                let leads_up = if self.is_active(link.source) {
                    self.is_link_active(link)
                } else {
                    placement && link.in_trash && link.cascade
                };
                if leads_up {
                    branch.insert(link.source);
                }
            }
            if branch.len() == before {
                return branch;
            }
        }
    }

    /// Whether what is shared at `root` (with its branch or not) covers the node.
    pub fn reaches(&self, root: NodeId, with_branch: bool, node: NodeId, placement: bool) -> bool {
        if with_branch {
            self.branch(root, placement).contains(&node)
        } else {
            root == node && (placement || self.is_active(root))
        }
    }

    /// The best level among the user's grants that cover the node.
    // Rules: A3.
    fn grant_level(&self, user: UserId, node: NodeId, placement: bool, branch_only: bool) -> Option<Level> {
        self.grants
            .values()
            .filter(|grant| grant.user == user && self.grant_counts(grant))
            .filter(|grant| grant.branch || !branch_only)
            .filter(|grant| self.reaches(grant.node, grant.branch, node, placement))
            .map(|grant| grant.level)
            .min()
    }

    // Rules: A4, N30.
    fn embed_level(&self, user: UserId, node: NodeId, placement: bool) -> Option<Level> {
        self.embeds
            .iter()
            .filter(|(embedder, _)| *embedder == user)
            .any(|(_, root)| {
                self.publication_in_force(*root)
                    .is_some_and(|publication| self.reaches(*root, publication.branch, node, placement))
            })
            .then_some(Level::Viewer)
    }

    // Rules: A2.
    fn owner_level(&self, user: UserId, node: NodeId) -> Option<Level> {
        (self.nodes[&node].owner == user).then_some(Level::Owner)
    }

    /// `access(u, n)`, of active nodes only.
    pub fn access(&self, user: UserId, node: NodeId) -> Option<Level> {
        if self.is_active(node) { self.placement(user, node) } else { None }
    }

    /// Access to any node; in the trash by placement.
    // Rules: A1, A11.
    pub fn placement(&self, user: UserId, node: NodeId) -> Option<Level> {
        if !self.nodes.contains_key(&node) {
            return None;
        }
        let placement = !self.is_active(node);
        [
            self.owner_level(user, node),
            self.grant_level(user, node, placement, false),
            self.embed_level(user, node, placement),
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// Access by ownership or by branch grants.
    pub fn branch_access(&self, user: UserId, node: NodeId) -> Option<Level> {
        self.owner_level(user, node).or_else(|| self.grant_level(user, node, !self.is_active(node), true))
    }

    /// Access by ownership or by any grant, which makes an embed pointless.
    pub fn has_access_without_embed(&self, user: UserId, node: NodeId) -> bool {
        self.owner_level(user, node).is_some() || self.grant_level(user, node, false, false).is_some()
    }

    /// Whether the user sees the link, in the graph or, by placement, in the trash.
    // Rules: V4, V5, V6.
    pub fn sees_link(&self, user: UserId, link: &Link) -> bool {
        if self.placement(user, link.target).is_none() {
            return false;
        }
        let source = self.placement(user, link.source);
        let shown = !link.private
            || (link.owner == user && source.is_some())
            || (link.is_primary() && self.is_link_active(link) && self.nodes[&link.target].owner == user);
        shown && (source.is_some() || link.is_primary())
    }

    /// Ownership of a link counts only with access to both its ends.
    // Rules: A12.
    pub fn owns_link(&self, user: UserId, link: &Link) -> bool {
        link.owner == user
            && self.placement(user, link.source).is_some()
            && self.placement(user, link.target).is_some()
    }

    /// Nodes shared with their branch, whether or not the grant is showing, and even in the trash: what is in the
    /// trash may be restored.
    // Rules: A15.
    fn share_roots_with_branch(&self) -> BTreeSet<NodeId> {
        let granted = self
            .grants
            .values()
            .filter(|grant| grant.branch && self.unexpired(grant.due))
            .map(|grant| grant.node);
        let published = self
            .nodes
            .values()
            .filter(|node| node.publication.as_ref().is_some_and(|it| it.branch && self.unexpired(it.due)));
        granted.chain(published.map(|node| node.id)).collect()
    }

    /// What Branch(r) would be if every node in the trash were restored, with everything that went by cascade.
    // Rules: A15.
    fn branch_when_all_is_back(&self, root: NodeId) -> BTreeSet<NodeId> {
        let owner = self.nodes[&root].owner;
        let mut branch = BTreeSet::from([root]);
        loop {
            let below: Vec<NodeId> = self
                .links
                .values()
                .filter(|link| !link.private && (!link.in_trash || link.cascade))
                .filter(|link| branch.contains(&link.target) && self.nodes[&link.source].owner == owner)
                .map(|link| link.source)
                .collect();
            let before = branch.len();
            branch.extend(below);
            if branch.len() == before {
                return branch;
            }
        }
    }

    /// Whether a non-private link source → target is refused to the user because it would share.
    // Rules: A13.
    pub fn would_share(&self, user: UserId, source: NodeId, target: NodeId) -> bool {
        // With an end in the trash there is nothing to share yet. The state answers then.
        if !self.is_active(source) || !self.is_active(target) {
            return false;
        }
        // Nor does a link to itself share a node's branch.
        if self.nodes[&source].owner != self.nodes[&target].owner || source == target {
            return false;
        }
        if self.placement(user, source).is_some_and(|level| level <= Level::Admin) {
            return false;
        }
        self.share_roots_with_branch().into_iter().any(|root| {
            self.branch_when_all_is_back(root).contains(&target)
                && !self.branch(root, false).contains(&source)
        })
    }
}
