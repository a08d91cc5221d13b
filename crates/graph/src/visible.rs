//! The whole of V(u), by one walk down from what the user owns and holds. Each node and each link is looked at once,
//! and everything found has a place in one list, so that all else is arithmetic on places.

use crate::access::sees_link;
use crate::cover::{Roots, common};
use crate::effort;
use crate::hash::{HashMap, Keyed};
use crate::id::{NodeId, UserId};
use crate::inherit::{Numbers, join};
use crate::load::Page;
use crate::look::{Covered, Reader, ShareRoots};
use crate::model::{Level, Link, Node, User};
use crate::view::{SeenLink, SeenNode, Sight};
use crate::world::{NodeLinks, UserSlot, World};
use std::collections::hash_map::Entry;
use std::rc::Rc;
use std::sync::Arc;

/// The whole of V(u).
pub fn visible(world: &World, user: UserId) -> Page {
    let mut walk = Walk::of(world, user);
    let links = walk.links();
    let covers = walk.covers(&links);
    Page { links: walk.seen_links(links, &covers), nodes: walk.seen_nodes(covers), has_more: false }
}

/// The ids of all nodes of V(u), phantoms too, in order of creation.
pub(crate) fn visible_nodes(world: &World, user: UserId) -> Vec<NodeId> {
    let mut walk = Walk::of(world, user);
    walk.links();
    walk.in_order().into_iter().map(|(_, id, _)| id).collect()
}

/// The number of a node in the walk's list.
type Place = u32;

struct Walk<'w> {
    world: &'w World,
    user: UserId,
    reader: Reader,
    /// First what the user has access to, then the phantoms.
    nodes: Vec<NodeLinks<'w>>,
    place_of: HashMap<NodeId, Place>,
    /// How many nodes the user has access to.
    full: usize,
}

/// The visible links, by the places of their targets.
struct Links<'w> {
    links: Vec<Placed<'w>>,
    /// Where the links to each node begin.
    begin: Vec<usize>,
}

/// A visible link, with its ends.
#[derive(Clone, Copy)]
struct Placed<'w> {
    seq: u64,
    link: &'w Arc<Link>,
    source: Place,
    target: Place,
    /// Whether access flows through it from its target to its source.
    carries: bool,
}

impl<'w> Walk<'w> {
    /// Finds what the user has access to.
    fn of(world: &'w World, user: UserId) -> Self {
        let slot = world.user(user);
        let owned = slot.map_or(0, UserSlot::owned);
        let mut walk = Walk {
            world,
            user,
            reader: Reader::User(user),
            nodes: Vec::with_capacity(owned),
            place_of: HashMap::with_capacity_and_hasher(owned, Keyed),
            full: 0,
        };
        let Some(slot) = slot else { return walk };
        world.owned_links(user).for_each(|found| walk.enter_found(found.node.id, |_| Some(found)));
        let own = walk.nodes.len();
        let held = || slot.granted.iter().chain(&slot.embedded).copied();
        let reader = walk.reader;
        let gets = |itself| move |root: &Node| reader.gets(world, root, itself).is_some();
        held().for_each(|root| walk.enter(root, gets(false)));
        let mut at = own;
        while let Some(above) = walk.nodes.get(at).copied() {
            at += 1;
            for link in active(above.down).filter(|link| !link.private) {
                walk.enter(link.source, |below| below.owner == above.node.owner);
            }
        }
        // Shares without branch reach nothing below.
        held().for_each(|root| walk.enter(root, gets(true)));
        walk.full = walk.nodes.len();
        walk
    }

    /// Adds an active node that is not in the list yet, if it fits.
    fn enter(&mut self, id: NodeId, fits: impl FnOnce(&Node) -> bool) {
        self.enter_found(id, |world| world.node_links(id).filter(|it| fits(it.node)));
    }

    fn enter_found(&mut self, id: NodeId, find: impl FnOnce(&'w World) -> Option<NodeLinks<'w>>) {
        let Entry::Vacant(vacant) = self.place_of.entry(id) else { return };
        let found = find(self.world).filter(|found| !found.node.in_trash);
        if let (Some(found), Ok(place)) = (found, Place::try_from(self.nodes.len())) {
            vacant.insert(place);
            self.nodes.push(found);
        }
    }

    /// Finds every visible link, at its target, and with it the phantoms.
    fn links(&mut self) -> Links<'w> {
        let mut found = Links { links: Vec::new(), begin: Vec::with_capacity(self.full + 1) };
        for target in 0..self.full {
            found.begin.push(found.links.len());
            let Some(above) = self.nodes.get(target).copied() else { continue };
            for link in active(above.down) {
                found.links.extend(self.placed(link, above.node, target));
            }
        }
        found.begin.push(found.links.len());
        found
    }

    /// A link to a node of the walk, if the user sees it.
    fn placed(&mut self, link: &'w Arc<Link>, target: &Node, at: usize) -> Option<Placed<'w>> {
        // Of levels it only matters here whether the target is the user's own.
        let level = if target.owner == self.user { Level::Owner } else { Level::Viewer };
        let full = |place: &&Place| (**place as usize) < self.full;
        let source = self.place_of.get(&link.source).filter(full).copied();
        if !sees_link(self.user, link, source.map(|_| Level::Viewer), Some(level)) {
            return None;
        }
        if source.is_none() {
            self.enter(link.source, |_| true);
        }
        let one_owner = |at: Place| self.node(at).is_some_and(|source| source.owner == target.owner);
        let carries = !link.private && source.is_some_and(one_owner);
        let source = source.or_else(|| self.place_of.get(&link.source).copied())?;
        Some(Placed { seq: link.seq, link, source, target: Place::try_from(at).ok()?, carries })
    }

    fn node(&self, place: Place) -> Option<&'w Arc<Node>> {
        self.nodes.get(place as usize).map(|it| it.node)
    }

    /// What the user has at each node that they have access to.
    fn covers(&self, links: &Links<'w>) -> Vec<Option<Covered>> {
        let mut roots = ShareRoots::new(self.world, self.reader);
        let over = self.roots_over(links, &mut roots);
        let cover = |(found, over): (&NodeLinks<'w>, Roots)| {
            let root = found.is_shared && self.reader.gets(self.world, found.node, true).is_some();
            roots.covering(found.node, over, root)
        };
        self.nodes.iter().take(self.full).zip(over).map(cover).collect()
    }

    /// The share roots above each node, or at it, that share their branch.
    fn roots_over(&self, links: &Links<'w>, roots: &mut ShareRoots<'w>) -> Vec<Roots> {
        let mut over: Vec<Roots> = vec![None; self.full];
        let is_root = |at: &usize| {
            let found = self.nodes.get(*at).filter(|found| found.is_shared);
            found.is_some_and(|found| self.reader.gets(self.world, found.node, false).is_some())
        };
        let shared: Vec<usize> = (0..self.full).filter(is_root).collect();
        for at in &shared {
            if let (Some(over), Some(root)) = (over.get_mut(*at), self.nodes.get(*at)) {
                *over = Some(Rc::new(Numbers::one(roots.number(root.node.id))));
            }
        }
        let descent = Descent::from(&shared, links);
        for members in descent.downwards() {
            let mut all: Roots = None;
            members.iter().for_each(|at| join(&mut all, over.get(*at).unwrap_or(&None)));
            for at in members {
                over.get_mut(*at).into_iter().for_each(|over| over.clone_from(&all));
            }
            for below in members.iter().flat_map(|at| links.below(*at)) {
                over.get_mut(below).into_iter().for_each(|over| join(over, &all));
            }
        }
        over
    }

    fn in_order(&self) -> Vec<(u64, NodeId, usize)> {
        let each = self.nodes.iter().enumerate();
        let mut order: Vec<_> = each.map(|(at, it)| (it.node.seq, it.node.id, at)).collect();
        order.sort_unstable();
        order
    }

    fn seen_nodes(&self, mut covers: Vec<Option<Covered>>) -> Vec<SeenNode> {
        let mut owner: Option<Arc<User>> = None;
        let see = |(_, _, at): (u64, NodeId, usize)| {
            let node = self.nodes.get(at)?.node;
            if owner.as_ref().is_none_or(|owner| owner.id != node.owner) {
                owner = self.world.user(node.owner).map(|slot| Arc::clone(&slot.user));
            }
            let sight = match covers.get_mut(at).and_then(Option::take) {
                Some(Covered { level, roots }) => Sight::Full { level, roots },
                None => Sight::Phantom,
            };
            Some(SeenNode { node: Arc::clone(node), owner: owner.clone(), sight })
        };
        self.in_order().into_iter().filter_map(see).collect()
    }

    fn seen_links(&self, links: Links<'w>, covers: &[Option<Covered>]) -> Vec<SeenLink> {
        let mut links = links.links;
        links.sort_unstable_by(|a, b| a.seq.cmp(&b.seq).then_with(|| a.link.id.cmp(&b.link.id)));
        let roots_at = |at: Place| covers.get(at as usize)?.as_ref().map(|covered| &covered.roots);
        let none: Arc<[NodeId]> = Arc::default();
        let see = |placed: Placed<'w>| {
            let roots = match (roots_at(placed.source), roots_at(placed.target)) {
                (Some(source), Some(target)) => common(source, target),
                _ => Arc::clone(&none),
            };
            SeenLink { link: Arc::clone(placed.link), roots }
        };
        links.into_iter().map(see).collect()
    }
}

fn active(links: &[Arc<Link>]) -> impl Iterator<Item = &Arc<Link>> {
    links.iter().inspect(|_| effort::note()).filter(|link| !link.in_trash)
}

impl Links<'_> {
    /// The links to a node.
    fn to(&self, target: usize) -> &[Placed<'_>] {
        let ends = self.begin.get(target).zip(self.begin.get(target + 1));
        ends.and_then(|(from, to)| self.links.get(*from..*to)).unwrap_or_default()
    }

    /// The nodes to which access flows from a node.
    fn below(&self, target: usize) -> impl Iterator<Item = usize> {
        self.to(target).iter().filter(|link| link.carries).map(|link| link.source as usize)
    }
}

/// What is below some nodes, in groups: each node alone, or the nodes of a cycle together. A group stands behind
/// everything below it (Tarjan's algorithm).
struct Descent {
    visits: Vec<Visit>,
    begun: usize,
    /// Visits not yet closed, in order.
    open: Vec<usize>,
    closed: Vec<usize>,
    /// Where each group ends.
    ends: Vec<usize>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Visit {
    None,
    /// The number of the visit, and of the earliest one known to be in a cycle with it.
    Open(usize, usize),
    Closed,
}

impl Descent {
    fn from(roots: &[usize], links: &Links<'_>) -> Self {
        let visits = vec![Visit::None; links.begin.len()];
        let mut descent =
            Descent { visits, begun: 0, open: Vec::new(), closed: Vec::new(), ends: Vec::new() };
        for root in roots {
            if descent.visit(*root) == Visit::None {
                descent.descend(*root, links);
            }
        }
        descent
    }

    /// The groups, each before everything below it.
    fn downwards(&self) -> impl Iterator<Item = &[usize]> {
        let begins = std::iter::once(0).chain(self.ends.iter().copied());
        let groups: Vec<_> = begins.zip(&self.ends).collect();
        groups.into_iter().rev().filter_map(|(begin, end)| self.closed.get(begin..*end))
    }

    fn descend(&mut self, root: usize, links: &Links<'_>) {
        self.enter(root);
        let mut way = vec![(root, links.to(root))];
        while let Some((at, unfollowed)) = way.last_mut() {
            let at = *at;
            let Some((link, others)) = unfollowed.split_first() else {
                way.pop();
                let circle = self.leave(at);
                if let Some((above, _)) = way.last() {
                    self.is_in_circle(*above, circle);
                }
                continue;
            };
            *unfollowed = others;
            let below = link.source as usize;
            match self.visit(below) {
                _ if !link.carries => {}
                Visit::None => {
                    self.enter(below);
                    way.push((below, links.to(below)));
                }
                Visit::Open(number, _) => self.is_in_circle(at, number),
                Visit::Closed => {}
            }
        }
    }

    fn visit(&self, at: usize) -> Visit {
        self.visits.get(at).copied().unwrap_or(Visit::Closed)
    }

    fn set(&mut self, at: usize, visit: Visit) {
        self.visits.get_mut(at).into_iter().for_each(|it| *it = visit);
    }

    fn enter(&mut self, at: usize) {
        self.set(at, Visit::Open(self.begun, self.begun));
        self.begun += 1;
        self.open.push(at);
    }

    fn is_in_circle(&mut self, at: usize, with: usize) {
        if let Visit::Open(number, circle) = self.visit(at) {
            self.set(at, Visit::Open(number, circle.min(with)));
        }
    }

    /// Leaves a node. If it began a cycle, or is in none, every node since that is still open closes with it. Returns
    /// the earliest visit in a cycle with it.
    fn leave(&mut self, at: usize) -> usize {
        let Visit::Open(number, circle) = self.visit(at) else { return usize::MAX };
        if number == circle {
            while let Some(member) = self.open.pop() {
                self.set(member, Visit::Closed);
                self.closed.push(member);
                if member == at {
                    break;
                }
            }
            self.ends.push(self.closed.len());
        }
        circle
    }
}
