//! Blocking, computed for all nodes at once (SPEC.md, B).

use super::{Model, Turn};
use graph::model::{LinkType, Node, Status};
use graph::{LinkId, NodeId};
use std::collections::BTreeSet;

impl Model {
    /// An active primary link whose source is not completed, to a node that is not independent.
    // Rules: B1, B12.
    pub fn holds(&self, link: LinkId) -> bool {
        let link = &self.links[&link];
        self.is_link_active(link)
            && link.kind == LinkType::Primary
            && self.nodes[&link.source].status != Status::Completed
            && !self.nodes[&link.target].independent
    }

    pub fn held(&self, node: NodeId) -> bool {
        self.links.values().any(|link| link.target == node && self.holds(link.id))
    }

    fn primary_sources(&self, node: NodeId) -> impl Iterator<Item = NodeId> {
        self.links
            .values()
            .filter(move |link| {
                link.target == node && link.kind == LinkType::Primary && self.is_link_active(link)
            })
            .map(|link| link.source)
    }

    /// Whether `from` waits for `to` over active primary links, or is the same node.
    pub fn waits_for(&self, from: NodeId, to: NodeId) -> bool {
        let mut reached = BTreeSet::from([from]);
        loop {
            let more: Vec<NodeId> = reached.iter().flat_map(|node| self.primary_sources(*node)).collect();
            let before = reached.len();
            reached.extend(more);
            if reached.len() == before {
                return reached.contains(&to);
            }
        }
    }

    /// Whether a primary link source → target would close a cycle.
    // Rules: B9.
    pub fn closes_cycle(&self, source: NodeId, target: NodeId) -> bool {
        self.waits_for(source, target)
    }

    pub fn has_primary_cycle(&self) -> bool {
        self.links.values().any(|link| {
            link.kind == LinkType::Primary
                && self.is_link_active(link)
                && self.waits_for(link.source, link.target)
        })
    }

    /// Every active node, after the nodes it waits for.
    fn causes_first(&self) -> Vec<NodeId> {
        let mut order: Vec<NodeId> = Vec::new();
        let mut left: Vec<NodeId> = self.nodes.keys().copied().filter(|id| self.is_active(*id)).collect();
        while !left.is_empty() {
            let (ready, waiting): (Vec<_>, Vec<_>) = left
                .iter()
                .copied()
                .partition(|node| self.primary_sources(*node).all(|source| order.contains(&source)));
            assert!(!ready.is_empty(), "the primary links have a cycle");
            order.extend(ready);
            left = waiting;
        }
        order
    }
}

fn complete(node: &mut Node) {
    node.status = Status::Completed;
    node.resume = Status::Available;
}

impl Turn {
    /// Derives every status and every wasBlocker from scratch.
    // Rules: B2, B3, B4, B5, H21.
    pub fn settle(&mut self) {
        self.meant = false;
        let given_back = std::mem::take(&mut self.given_back);
        for (node, was_active) in &given_back {
            if *was_active && !self.m.is_active(*node) {
                self.node_entry(*node, complete);
            }
        }
        for node in self.m.causes_first() {
            let held = self.m.held(node);
            let status = self.m.nodes[&node].status;
            if !held && status != Status::Completed && given_back.contains_key(&node) {
                self.node_entry(node, complete);
                continue;
            }
            if held && status == Status::Completed {
                self.ended.insert(node);
            }
            if held && status != Status::Blocked {
                self.node_entry(node, |node| {
                    let was_in_progress = node.status == Status::InProgress;
                    node.resume = if was_in_progress { Status::InProgress } else { Status::Available };
                    node.status = Status::Blocked;
                });
            }
            if !held && status == Status::Blocked {
                self.node_entry(node, |node| node.status = node.resume);
            }
        }
        self.settle_was_blocker();
    }

    // Rules: B14, B15.
    fn settle_was_blocker(&mut self) {
        let ids: Vec<LinkId> = self.m.links.keys().copied().collect();
        for id in ids {
            let link = self.m.links[&id].clone();
            if link.in_trash {
                continue;
            }
            let target_completed = self.m.nodes[&link.target].status == Status::Completed;
            let was_blocker = if link.kind == LinkType::Secondary {
                false
            } else if self.m.holds(id) {
                true
            } else if target_completed {
                false
            } else {
                link.was_blocker
            };
            if was_blocker == link.was_blocker {
                continue;
            }
            if self.own_entry.contains(&id) {
                self.m.links.get_mut(&id).unwrap().was_blocker = was_blocker;
            } else {
                self.link_entry(id, |link| link.was_blocker = was_blocker);
            }
        }
    }
}
