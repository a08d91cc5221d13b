//! Who has access to which nodes, computed for many nodes and users together. Each computation is one walk, up from
//! the nodes or down from what is shared. Asking [`crate::access`] for each of them would repeat the same walk.

use crate::access::{branch, climb, given};
use crate::audience::Audience;
use crate::hash::{HashMap, HashSet};
use crate::id::{NodeId, UserId};
use crate::inherit::{Climb, Inherited, Numbers, Reached, inherit, join};
use crate::model::{Level, Node};
use crate::world::{Graph, World};
use std::rc::Rc;
use std::sync::Arc;

/// Who sees a node, and by which share roots.
#[derive(Debug, PartialEq, Eq)]
pub struct Cover {
    owner: UserId,
    /// Every share root that covers the node, sorted.
    roots: Arc<[NodeId]>,
    /// The users of the audience who see it, without its owner, sorted, with the roots that give them access.
    viewers: Vec<(UserId, Level, Arc<[NodeId]>)>,
}

impl Cover {
    /// The user's access. Defined only for the owner and the audience.
    pub fn level(&self, user: UserId) -> Option<Level> {
        if user == self.owner {
            return Some(Level::Owner);
        }
        self.viewer(user).map(|(_, level, _)| *level)
    }

    /// The share roots shown to the user: all for the owner, for others those that give them access.
    pub fn roots_for(&self, user: UserId) -> Arc<[NodeId]> {
        if user == self.owner {
            return Arc::clone(&self.roots);
        }
        self.viewer(user).map(|(.., roots)| Arc::clone(roots)).unwrap_or_default()
    }

    /// The owner and every viewer.
    pub fn users(&self) -> impl Iterator<Item = UserId> {
        std::iter::once(self.owner).chain(self.viewers.iter().map(|(user, ..)| *user))
    }

    /// Every share root that covers the node, sorted.
    pub(crate) fn roots(&self) -> &Arc<[NodeId]> {
        &self.roots
    }

    /// The owner and every viewer, each with their access and the share roots shown to them.
    pub(crate) fn sights(&self) -> impl Iterator<Item = (UserId, Level, &Arc<[NodeId]>)> {
        let viewers = self.viewers.iter().map(|(user, level, roots)| (*user, *level, roots));
        std::iter::once((self.owner, Level::Owner, &self.roots)).chain(viewers)
    }

    fn viewer(&self, user: UserId) -> Option<&(UserId, Level, Arc<[NodeId]>)> {
        let at = self.viewers.binary_search_by_key(&user, |(user, ..)| *user).ok()?;
        self.viewers.get(at)
    }
}

/// The covers of active nodes, for an audience. Nodes under the same roots share one cover.
///
/// Costs one climb from all the nodes together, plus the resulting lists of roots.
pub fn covers(
    world: &World,
    nodes: impl IntoIterator<Item = NodeId>,
    audience: Audience<'_>,
) -> HashMap<NodeId, Arc<Cover>> {
    let nodes: HashMap<NodeId, &Arc<Node>> =
        nodes.into_iter().filter_map(|id| world.active_node(id)).map(|node| (node.id, node)).collect();
    let nodes: Vec<Option<&Arc<Node>>> = nodes.into_values().map(Some).collect();
    let placing = Placing::find(world, &nodes, audience, &HashSet::default());
    let covers = placing.covers(world, audience);
    let cover = |(node, class): (&Option<&Arc<Node>>, &u32)| {
        Some((node.as_ref()?.id, Arc::clone(covers.get(*class as usize)?)))
    };
    nodes.iter().zip(&placing.of).filter_map(cover).collect()
}

/// Which share roots lie over nodes. Nodes of one owner under the same roots form a class, and each class has one
/// cover.
///
/// The classes stay true, and their covers can be asked for again, until a link changes or a node comes, goes to the
/// trash or leaves it. The shares may change meanwhile, on the nodes that were named as changing.
pub(crate) struct Placing {
    /// The class of each node; [`Placing::NOWHERE`] where there is no node.
    pub(crate) of: Vec<u32>,
    classes: Vec<PlacedClass>,
    /// The share roots, by number.
    numbered: Vec<NodeId>,
}

struct PlacedClass {
    owner: UserId,
    roots: Roots,
    /// Its only node, if that has shares of its own: grants without branch count only there.
    itself: Option<NodeId>,
}

impl Placing {
    /// The class of no node.
    pub(crate) const NOWHERE: u32 = u32::MAX;

    /// The classes of nodes, which are active. The shares on `changing` may come or go.
    pub(crate) fn find(
        world: &World,
        nodes: &[Option<&Arc<Node>>],
        audience: Audience<'_>,
        changing: &HashSet<NodeId>,
    ) -> Self {
        let shares = Shares { world, changing };
        let mut owner: Option<(UserId, bool)> = None;
        let mut is_reached = |node: &Node| match owner {
            Some((known, reached)) if known == node.owner => reached,
            _ => {
                let reached = !changing.is_empty() || may_be_reached(world, node.owner, audience);
                owner = Some((node.owner, reached));
                reached
            }
        };
        let covered: Vec<Option<&Arc<Node>>> =
            nodes.iter().map(|node| node.filter(|node| is_reached(node))).collect();
        let RootsOver { of: over, numbered } = RootsOver::find(world, &covered, &shares);
        let mut classes: Vec<PlacedClass> = Vec::new();
        let mut known: HashMap<(UserId, Roots), u32> = HashMap::default();
        // Nodes beside each other are usually under the same roots.
        let mut last: Option<(UserId, Roots, u32)> = None;
        let class_of = |(node, roots): (&Option<&Arc<Node>>, Roots)| {
            let Some(node) = node else { return Placing::NOWHERE };
            let mut add = |roots: Roots, itself| {
                classes.push(PlacedClass { owner: node.owner, roots, itself });
                u32::try_from(classes.len() - 1).unwrap_or(Placing::NOWHERE)
            };
            if shares.on(node, has_share_in_force) {
                return add(roots, Some(node.id));
            }
            if let Some((owner, same, class)) = &last
                && *owner == node.owner
                && same.as_ref().map(Rc::as_ptr) == roots.as_ref().map(Rc::as_ptr)
            {
                return *class;
            }
            let class = *known.entry((node.owner, roots.clone())).or_insert_with(|| add(roots.clone(), None));
            last = Some((node.owner, roots, class));
            class
        };
        let of = nodes.iter().zip(over).map(class_of).collect();
        Placing { of, classes, numbered }
    }

    /// The cover of each class, for an audience, by the shares that are in force now.
    pub(crate) fn covers(&self, world: &World, audience: Audience<'_>) -> Vec<Arc<Cover>> {
        let now = |id: NodeId, such: fn(&World, &Node) -> bool| {
            world.active_node(id).filter(|node| such(world, node)).map(|node| node.id)
        };
        let in_force: Vec<Option<NodeId>> =
            self.numbered.iter().map(|id| now(*id, has_branch_share_in_force)).collect();
        let cover = |class: &PlacedClass| {
            let numbers = class.roots.iter().flat_map(|numbers| numbers.iter());
            let mut roots: Vec<NodeId> =
                numbers.filter_map(|number| in_force.get(number).copied().flatten()).collect();
            roots.extend(class.itself.and_then(|id| now(id, has_share_in_force)));
            roots.sort_unstable();
            roots.dedup();
            Arc::new(cover_of(world, class.owner, class.itself, roots, audience))
        };
        self.classes.iter().map(cover).collect()
    }
}

/// The shares that count when nodes are placed: those in force, and those that may come into force.
struct Shares<'s> {
    world: &'s World,
    changing: &'s HashSet<NodeId>,
}

impl Shares<'_> {
    fn on(&self, node: &Node, such: fn(&World, &Node) -> bool) -> bool {
        let shared = |owner| self.world.user(owner).is_some_and(|slot| slot.shared.contains(&node.id));
        self.changing.contains(&node.id) || (shared(node.owner) && such(self.world, node))
    }
}

/// Whether shares above a node of this owner may matter. An owner without shares has none. For a single other user
/// only the shares that they hold matter.
fn may_be_reached(world: &World, owner: UserId, audience: Audience<'_>) -> bool {
    let shares = world.user(owner).is_some_and(|slot| !slot.shared.is_empty());
    let concerned = match audience {
        Audience::One(user) => {
            user == owner || world.user(user).is_some_and(|slot| slot.holds_of.contains_key(&owner))
        }
        Audience::All(..) => true,
    };
    shares && concerned
}

/// Share roots by number.
pub(crate) type Roots = Reached<Numbers>;

/// The share roots, at or above the nodes, that share their branch.
struct RootsOver {
    /// Of each node in turn.
    of: Vec<Roots>,
    numbered: Vec<NodeId>,
}

/// With at least this many share roots and few nodes, each node is climbed from separately.
const MANY_ROOTS: usize = 4096;

impl RootsOver {
    fn find(world: &World, nodes: &[Option<&Arc<Node>>], shares: &Shares<'_>) -> Self {
        // Passing roots down costs, at each visited node, one word for every `Numbers::IN_A_WORD` roots. With very
        // many roots and few nodes, a climb from each node costs less.
        let shared = |node: &Node| world.user(node.owner).map_or(0, |slot| slot.shared.len());
        let few = nodes.len() <= Numbers::IN_A_WORD
            && nodes.iter().flatten().any(|node| shared(node) >= MANY_ROOTS);
        if nodes.len() <= 1 || few {
            Self::climbing(world, nodes, shares)
        } else {
            Self::by_one_climb(world, nodes, shares)
        }
    }

    fn climbing(world: &World, nodes: &[Option<&Arc<Node>>], shares: &Shares<'_>) -> Self {
        let mut numbered = Vec::new();
        let mut number_of: HashMap<NodeId, usize> = HashMap::default();
        let over = |start: &Option<&Arc<Node>>| {
            let mut roots = Numbers::default();
            climb(world, start.as_ref()?, None, |node| {
                if shares.on(node, has_branch_share_in_force) {
                    roots.insert(*number_of.entry(node.id).or_insert_with(|| {
                        numbered.push(node.id);
                        numbered.len() - 1
                    }));
                }
                true
            });
            (!roots.is_empty()).then(|| Rc::new(roots))
        };
        let of = nodes.iter().map(over).collect();
        RootsOver { of, numbered }
    }

    fn by_one_climb(world: &World, nodes: &[Option<&Arc<Node>>], shares: &Shares<'_>) -> Self {
        let mut numbered = Vec::new();
        let mut own = |node: &Arc<Node>| {
            shares.on(node, has_branch_share_in_force).then(|| {
                numbered.push(node.id);
                Numbers::one(numbered.len() - 1)
            })
        };
        let mut climb = Climb::new(world);
        let of = nodes.iter().map(|node| climb.reach((*node)?, &mut own)).collect();
        RootsOver { of, numbered }
    }
}

pub(crate) fn has_share_in_force(world: &World, node: &Node) -> bool {
    world.publication_in_force(node).is_some()
        || world.grants_on(node.id).any(|grant| world.grant_counts(grant))
}

pub(crate) fn has_branch_share_in_force(world: &World, node: &Node) -> bool {
    world.publication_in_force(node).is_some_and(|publication| publication.branch)
        || world.grants_on(node.id).any(|grant| grant.branch && world.grant_counts(grant))
}

/// The cover of the nodes of an owner under these roots. A node that is a root itself is named.
fn cover_of(
    world: &World,
    owner: UserId,
    itself: Option<NodeId>,
    roots: Vec<NodeId>,
    audience: Audience<'_>,
) -> Cover {
    let mut viewers: HashMap<UserId, (Level, Vec<NodeId>)> = HashMap::default();
    for root in roots.iter().filter_map(|id| world.node(*id)) {
        for user in holders(world, root, audience) {
            let Some(level) = given(world, user, root, itself == Some(root.id)) else { continue };
            let viewer = viewers.entry(user).or_insert((level, Vec::new()));
            viewer.0 = viewer.0.min(level);
            viewer.1.push(root.id);
        }
    }
    let roots: Arc<[NodeId]> = roots.into();
    let mut viewers: Vec<_> = viewers
        .into_iter()
        .map(|(user, (level, theirs))| {
            let all = theirs.len() == roots.len();
            (user, level, if all { Arc::clone(&roots) } else { theirs.into() })
        })
        .collect();
    viewers.sort_unstable_by_key(|(user, ..)| *user);
    Cover { owner, roots, viewers }
}

/// The users of the audience to whom the shares of this very node give access.
pub fn admitted(world: &World, root: &Node, audience: Audience<'_>) -> Vec<UserId> {
    let mut users = holders(world, root, audience);
    users.retain(|user| given(world, *user, root, true).is_some());
    users
}

/// The users of the audience who have a grant on the node or have embedded it, in force or not, without its owner.
fn holders(world: &World, root: &Node, audience: Audience<'_>) -> Vec<UserId> {
    let mut found: Vec<UserId> = match world.holders(root.id) {
        0 => return Vec::new(),
        // There may be many holders and few of them in the audience.
        many if many > audience.len() => {
            let holds =
                |user: &UserId| world.grant(root.id, *user).is_some() || world.has_embed(root.id, *user);
            audience.iter().filter(holds).collect()
        }
        _ => {
            let all = world.grants_on(root.id).map(|grant| grant.user).chain(world.embedders(root.id));
            all.filter(|user| audience.contains(*user)).collect()
        }
    };
    found.retain(|user| *user != root.owner);
    found.sort_unstable();
    found.dedup();
    found
}

/// The share roots that cover both ends of a link, as shown to the user.
pub fn shared_roots(source: &Cover, target: &Cover, user: UserId) -> Arc<[NodeId]> {
    common(&source.roots_for(user), &target.roots_for(user))
}

/// The share roots that are in both lists.
pub(crate) fn common(of_source: &Arc<[NodeId]>, of_target: &Arc<[NodeId]>) -> Arc<[NodeId]> {
    if Arc::ptr_eq(of_source, of_target) {
        return Arc::clone(of_target);
    }
    let both = of_source.iter().filter(|root| of_target.binary_search(root).is_ok());
    let both: Vec<NodeId> = both.copied().collect();
    // Usually, everything that covers one end also covers the other, and that list already exists.
    match both.len() {
        all if all == of_target.len() => Arc::clone(of_target),
        all if all == of_source.len() => Arc::clone(of_source),
        _ => both.into(),
    }
}

/// Levels by user, sorted.
#[derive(Clone, Debug, Default)]
struct Levels(Vec<(UserId, Level)>);

impl Levels {
    fn of(&self, user: UserId) -> Option<Level> {
        let at = self.0.binary_search_by_key(&user, |(user, _)| *user).ok()?;
        self.0.get(at).map(|(_, level)| *level)
    }

    /// The access that the shares of the root give the audience, to the root itself or to its branch.
    fn given(world: &World, root: &Node, itself: bool, audience: Audience<'_>) -> Option<Self> {
        let users = holders(world, root, audience).into_iter();
        let levels: Vec<_> =
            users.filter_map(|user| Some((user, given(world, user, root, itself)?))).collect();
        (!levels.is_empty()).then_some(Levels(levels))
    }
}

impl Inherited for Levels {
    fn holds(&self, other: &Self) -> bool {
        other.0.iter().all(|(user, level)| self.of(*user).is_some_and(|ours| ours <= *level))
    }

    fn take_in(&mut self, other: &Self) {
        self.0.extend(&other.0);
        // The highest privilege of each user sorts first and is kept.
        self.0.sort_unstable();
        self.0.dedup_by_key(|(user, _)| *user);
    }
}

/// The users with access to a node by placement, and their levels.
#[derive(Clone, Debug)]
pub struct Standing {
    owner: UserId,
    others: Reached<Levels>,
}

impl Standing {
    /// [`placement`](crate::access::placement). Defined only for the owner and the audience.
    pub fn level(&self, user: UserId) -> Option<Level> {
        if user == self.owner {
            return Some(Level::Owner);
        }
        self.others.as_ref().and_then(|levels| levels.of(user))
    }

    /// The owner, and the users of the audience with access.
    pub fn users(&self) -> impl Iterator<Item = UserId> {
        let others = self.others.iter().flat_map(|levels| levels.0.iter());
        std::iter::once(self.owner).chain(others.map(|(user, _)| *user))
    }
}

/// The placements of nodes, in the trash or not, for an audience. They are found by one climb.
pub fn standings(
    world: &World,
    nodes: impl IntoIterator<Item = NodeId>,
    audience: Audience<'_>,
) -> HashMap<NodeId, Standing> {
    let nodes: HashMap<NodeId, &Arc<Node>> =
        nodes.into_iter().filter_map(|id| world.node(id)).map(|node| (node.id, node)).collect();
    let reached = nodes.values().copied().filter(|node| may_be_reached(world, node.owner, audience));
    // An owner's access takes no climb.
    let reached = reached.filter(|node| !matches!(audience, Audience::One(user) if user == node.owner));
    let mut reached = inherit(world, reached, |node| Levels::given(world, node, false, audience));
    let standing = |(id, node): (NodeId, &Arc<Node>)| {
        let mut others = reached.remove(&id).flatten();
        join(&mut others, &Levels::given(world, node, true, audience).map(Rc::new));
        (id, Standing { owner: node.owner, others })
    };
    nodes.into_iter().map(standing).collect()
}

/// One user's [`placement`](crate::access::placement)s, computed for many nodes together.
pub struct Placements {
    user: UserId,
    standings: HashMap<NodeId, Standing>,
}

impl Placements {
    /// The user's placements at the given nodes, in the trash or not.
    pub fn of(world: &World, user: UserId, nodes: impl IntoIterator<Item = NodeId>) -> Self {
        Placements { user, standings: standings(world, nodes, Audience::One(user)) }
    }

    /// The user's placement. Defined only for the given nodes.
    pub fn level(&self, node: NodeId) -> Option<Level> {
        self.standings.get(&node).and_then(|standing| standing.level(self.user))
    }
}

/// The active nodes a user has access to, with their levels. They are found downwards from what the user owns and
/// holds.
pub fn accessible(world: &World, user: UserId) -> HashMap<NodeId, Level> {
    let Some(slot) = world.user(user) else { return HashMap::default() };
    let owned = world.owned(user).filter(|node| !node.in_trash);
    let mut levels: HashMap<NodeId, Level> = owned.map(|node| (node.id, Level::Owner)).collect();
    let held = || slot.granted.iter().chain(&slot.embedded).filter_map(|id| world.active_node(*id));
    for level in [Level::Admin, Level::Editor, Level::Viewer] {
        // A node reached before was reached by a higher privilege.
        let given_for = |itself| {
            let gives = move |root: &&Arc<Node>| given(world, user, root, itself) == Some(level);
            held().filter(gives).map(|root| root.id)
        };
        for id in branch(world, given_for(false)).into_iter().chain(given_for(true)) {
            levels.entry(id).or_insert(level);
        }
    }
    levels
}

/// Whether any user of the audience, except their owners, has access to any of the nodes, or would have it once a
/// node returns with its shares. The climb ends at the first such user.
pub fn reach_anyone(world: &World, nodes: impl IntoIterator<Item = NodeId>, audience: Audience<'_>) -> bool {
    let mut seen: HashSet<NodeId> = HashSet::default();
    let mut waiting: Vec<&Arc<Node>> = Vec::new();
    for node in nodes.into_iter().filter_map(|id| world.node(id)) {
        if may_be_reached(world, node.owner, audience) && seen.insert(node.id) {
            if !holders(world, node, audience).is_empty() {
                return true;
            }
            waiting.extend(Some(node).filter(|node| !node.in_trash));
        }
    }
    while let Some(node) = waiting.pop() {
        if Levels::given(world, node, false, audience).is_some() {
            return true;
        }
        for link in world.active_links_up(node.id).filter(|link| !link.private) {
            let above = world.active_node(link.target).filter(|above| above.owner == node.owner);
            waiting.extend(above.filter(|above| seen.insert(above.id)));
        }
    }
    false
}
