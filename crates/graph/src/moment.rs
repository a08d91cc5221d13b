//! The affected set at one moment: who sees each of its nodes and links, and how. It holds no reference to the World, so
//! that two moments can be compared.

use crate::access::sees_link;
use crate::affected::Places;
use crate::audience::Audience;
use crate::cover::{Cover, Placing, common};
use crate::hash::{HashMap, HashSet};
use crate::id::{NodeId, UserId};
use crate::model::{Level, Link, Node};
use crate::view::{held_by, may_show};
use crate::world::{Graph, World};
use std::rc::Rc;
use std::sync::Arc;

/// The affected set at one moment. Nodes and links are named by their positions in it.
#[derive(Clone)]
pub(crate) struct Moment {
    placing: Rc<Placing>,
    /// The cover of each class of the placing.
    covers: Vec<Arc<Cover>>,
    /// The ends of each link: source and target.
    ends: Rc<Vec<(u32, u32)>>,
    /// The primary links from each node by which it may be a phantom, with their targets.
    phantoms: Rc<Phantoms>,
}

/// By node, links and the positions of their targets.
type Phantoms = HashMap<u32, Vec<(Arc<Link>, u32)>>;

impl Moment {
    /// The affected set now, with its nodes and links as they are now; those that are not active are `None`. Only the
    /// nodes that `may_be_phantom` picks are treated as phantoms. The shares of the nodes in `reshared` may change.
    pub(crate) fn now<'a>(
        world: &World,
        places: &mut Places,
        nodes: &[Option<&Arc<Node>>],
        links: impl Iterator<Item = Option<&'a Arc<Link>>>,
        may_be_phantom: impl Fn(u32) -> bool,
        reshared: &HashSet<NodeId>,
        audience: Audience<'_>,
    ) -> Self {
        let ends = links.map(|link| {
            link.map_or((u32::MAX, u32::MAX), |link| (places.place(link.source), places.place(link.target)))
        });
        let ends = ends.collect();
        let mut phantoms = Phantoms::default();
        for (at, node) in (0..).zip(nodes) {
            let Some(node) = node.filter(|_| may_be_phantom(at)) else { continue };
            for link in held_by(world, node.id) {
                let known = places.position(link.target).and_then(|at| nodes.get(at as usize));
                let target = known.copied().flatten().or_else(|| world.node(link.target));
                let shows = |target: &&Arc<Node>| {
                    // Shares that are about to come count like those there are.
                    let may_come = !link.private && !reshared.is_empty();
                    let by_them = target.owner != node.owner || reshared.contains(&target.id);
                    (may_come && by_them) || may_show(world, link, node, target, audience)
                };
                if target.filter(shows).is_some() {
                    let target = places.place(link.target);
                    phantoms.entry(at).or_default().push((Arc::clone(link), target));
                }
            }
        }
        let further = places.further.iter().map(|id| world.active_node(*id));
        let all: Vec<Option<&Arc<Node>>> = nodes.iter().copied().chain(further).collect();
        let placing = Placing::find(world, &all, audience, reshared);
        let covers = placing.covers(world, audience);
        Moment { placing: Rc::new(placing), covers, ends: Rc::new(ends), phantoms: Rc::new(phantoms) }
    }

    /// The affected set now, if nothing has changed since but shares and what the nodes and links say.
    pub(crate) fn reshared(&self, world: &World, audience: Audience<'_>) -> Self {
        Moment { covers: self.placing.covers(world, audience), ..self.clone() }
    }

    /// The covers of the nodes, each once.
    pub(crate) fn covers(&self) -> impl Iterator<Item = &Cover> {
        self.covers.iter().map(|cover| &**cover)
    }

    /// How one user sees it.
    pub(crate) fn of(&self, user: UserId) -> Seen<'_> {
        let access = |cover: &Arc<Cover>| Some((cover.level(user)?, cover.roots_for(user)));
        Seen { moment: self, user, access: self.covers.iter().map(access).collect() }
    }
}

/// The affected set at one moment as one user sees it.
pub(crate) struct Seen<'m> {
    moment: &'m Moment,
    user: UserId,
    /// The user's access to the nodes of each class, and the share roots that give it.
    access: Vec<Option<Access>>,
}

type Access = (Level, Arc<[NodeId]>);

/// How a user sees a node.
#[derive(Clone, Copy)]
pub(crate) enum NodeSight<'m> {
    Full(Level, &'m Arc<[NodeId]>),
    Phantom,
}

impl<'m> Seen<'m> {
    fn access(&self, at: u32) -> Option<&Access> {
        let class = self.moment.placing.of.get(at as usize)?;
        self.access.get(*class as usize)?.as_ref()
    }

    /// How the user sees a node that is active at this moment; `None` if they do not.
    pub(crate) fn node(&self, at: u32) -> Option<NodeSight<'_>> {
        if let Some((level, roots)) = self.access(at) {
            return Some(NodeSight::Full(*level, roots));
        }
        if self.moment.phantoms.is_empty() {
            return None;
        }
        let mut links = self.moment.phantoms.get(&at).into_iter().flatten();
        let holds = |(link, target): &(Arc<Link>, u32)| {
            sees_link(self.user, link, None, self.access(*target).map(|(level, _)| *level))
        };
        links.any(holds).then_some(NodeSight::Phantom)
    }

    /// Whether the user sees a link that is active at this moment.
    pub(crate) fn link(&self, at: u32, link: &Link) -> bool {
        let Some((source, target)) = self.moment.ends.get(at as usize) else { return false };
        let level = |at: u32| self.access(at).map(|(level, _)| *level);
        sees_link(self.user, link, level(*source), level(*target))
    }

    /// The share roots that cover both ends of a link, as shown to the user.
    pub(crate) fn link_roots(&self, at: u32) -> Arc<[NodeId]> {
        let Some((source, target)) = self.moment.ends.get(at as usize) else { return Arc::default() };
        let roots = |at: u32| self.access(at).map(|(_, roots)| roots);
        match (roots(*source), roots(*target)) {
            (Some(source), Some(target)) => common(source, target),
            _ => Arc::default(),
        }
    }
}
