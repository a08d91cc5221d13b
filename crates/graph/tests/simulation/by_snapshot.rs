//! Loads the slow way: from one snapshot of all nodes and links, which is also what diffs are compared by.

use graph::audience::Audience;
use graph::hash::HashSet;
use graph::load::{Load, Page, visible};
use graph::view::{SeenLink, SeenNode, Sight, Snapshot, owner_of};
use graph::{Graph, LinkId, NodeId, UserId, World, access};
use std::sync::Arc;

/// The whole of V(u).
fn visible_by_snapshot(world: &World, user: UserId) -> Page {
    let nodes = world.nodes().map(|node| node.id);
    part_by_snapshot(world, user, nodes.collect(), |_| true)
}

/// The part of V(u) that has these nodes, as far as they pass, and the links between them.
fn part_by_snapshot(
    world: &World,
    user: UserId,
    nodes: Vec<NodeId>,
    passes: impl Fn(&SeenNode) -> bool,
) -> Page {
    let links: Vec<LinkId> = world.links().map(|link| link.id).collect();
    let no_access = |_, cover: &graph::cover::Cover| cover.level(user).is_none();
    let all = Snapshot::take(world, nodes.clone(), links.clone(), Audience::One(user), no_access);
    let nodes = nodes.into_iter().filter_map(|id| all.node(user, id)).filter(passes).collect();
    page(nodes, links.into_iter().filter_map(|id| all.link(user, id)).collect())
}

fn branch_by_snapshot(world: &World, user: UserId, root: NodeId) -> Page {
    let branch = access::branch(world, [root]).into_iter().collect();
    part_by_snapshot(world, user, branch, SeenNode::is_full)
}

fn publication_by_walk(world: &World, root: NodeId) -> Page {
    let publication = world.active_node(root).and_then(|node| world.publication_in_force(node));
    let covered: HashSet<NodeId> = match publication {
        Some(publication) if publication.branch => access::branch(world, [root]),
        Some(_) => HashSet::from_iter([root]),
        None => HashSet::default(),
    };
    let roots: Arc<[NodeId]> = [root].into();
    let nodes = covered.iter().filter_map(|id| world.active_node(*id)).map(|node| {
        let sight = Sight::Full { level: graph::model::Level::Viewer, roots: Arc::clone(&roots) };
        SeenNode { node: Arc::clone(node), owner: owner_of(world, node), sight }
    });
    let links = world.links().filter(|link| !link.in_trash && !link.private);
    let links = links.map(|link| SeenLink { link: Arc::clone(link), roots: Arc::clone(&roots) });
    page(nodes.collect(), links.collect())
}

/// In order of creation, with only the links that have both ends here.
fn page(mut nodes: Vec<SeenNode>, mut links: Vec<SeenLink>) -> Page {
    let here: HashSet<NodeId> = nodes.iter().map(|seen| seen.node.id).collect();
    links.retain(|seen| here.contains(&seen.link.source) && here.contains(&seen.link.target));
    nodes.sort_by_key(|seen| seen.node.seq);
    links.sort_by_key(|seen| seen.link.seq);
    Page { nodes, links, has_more: false }
}

/// Loads everything in pages.
fn in_pages(world: &World, mut load: Load, limit: usize) -> Result<Page, String> {
    let mut all = Page { nodes: Vec::new(), links: Vec::new(), has_more: false };
    loop {
        let page = load.next(world, limit);
        if page.nodes.len() < limit && page.has_more || page.nodes.is_empty() && !all.nodes.is_empty() {
            return Err(format!("a page of {} nodes", page.nodes.len()));
        }
        if !page.links.is_sorted_by_key(|seen| seen.link.seq) {
            return Err("the links of a page are not in order of creation".to_owned());
        }
        all.nodes.extend(page.nodes);
        all.links.extend(page.links);
        if !page.has_more {
            all.links.sort_by_key(|seen| seen.link.seq);
            return Ok(all);
        }
    }
}

fn same(what: &str, got: &Page, want: &Page) -> Result<(), String> {
    if got == want { Ok(()) } else { Err(format!("{what}: {got:?}, not {want:?}")) }
}

/// Every way to load agrees with the slow one. `turn` picks the size of the pages and the branch.
// Rules: V1, V2, V4, V6, V7, V8, G1, G2, G6, G8.
pub fn check(world: &World, user: UserId, turn: usize) -> Result<(), String> {
    let want = visible_by_snapshot(world, user);
    same("all at once", &visible(world, user), &want)?;
    let limit = 1 + turn % 5;
    same("in pages", &in_pages(world, Load::begin(world, user), limit)?, &want)?;
    let mut nodes: Vec<_> = world.nodes().map(|node| node.id).collect();
    nodes.sort_unstable();
    let Some(root) = nodes.get(turn % nodes.len().max(1)) else { return Ok(()) };
    let branch = in_pages(world, Load::of_branch(world, user, *root), limit)?;
    same("a branch", &branch, &branch_by_snapshot(world, user, *root))?;
    let publication = in_pages(world, Load::of_publication(world, *root), limit)?;
    same("a publication", &publication, &publication_by_walk(world, *root))
}
