//! Checks every invariant of the model on a whole World, for `synaptask check`.

use crate::blockers::{Blockers, is_open};
use crate::blocking::is_held;
use crate::hash::{HashMap, HashSet};
use crate::id::{LinkId, NodeId, UserId};
use crate::model::{Grant, Link, Node, Status, Token, TokenScope};
use crate::node_fields;
use crate::ops::{Belongings, is_email, is_username};
use crate::world::{Graph, World};
use std::sync::Arc;

/// The violations, one sentence each; empty when every invariant holds.
pub fn problems(world: &World) -> Vec<String> {
    let mut problems = Vec::new();
    for node in world.nodes() {
        check_node(world, node, &mut problems);
    }
    let mut places: HashMap<LinkPlace, LinkId> = HashMap::default();
    for link in world.links() {
        check_link(world, link, &mut problems);
        if let Some(other) = places.insert(LinkPlace::of(link), link.id) {
            problems.push(format!("links {other} and {} have the same place", link.id));
        }
    }
    // Every link is known to be in both its lists, so any excess is a duplicate or a stray.
    if world.listings() != 2 * world.links().count() {
        problems.push("the lists of links to and from nodes contain links that do not exist".to_owned());
    }
    check_blockers(world, &mut problems);
    check_cycles(world, &mut problems);
    check_shares(world, &mut problems);
    check_users(world, &mut problems);
    check_guests(world, &mut problems);
    problems.sort_unstable();
    problems
}

/// A link's place: its unordered pair of nodes, with its owner if it is private.
#[derive(PartialEq, Eq, Hash)]
struct LinkPlace(NodeId, NodeId, Option<UserId>);

impl LinkPlace {
    fn of(link: &Link) -> Self {
        let (a, b) = (link.source.min(link.target), link.source.max(link.target));
        LinkPlace(a, b, link.private.then_some(link.owner))
    }
}

fn check_node(world: &World, node: &Node, problems: &mut Vec<String>) {
    let id = node.id;
    if world.user(node.owner).is_none() {
        problems.push(format!("node {id} has no owner"));
    }
    if !node.in_trash && (node.status == Status::Blocked) != is_held(world, node) {
        problems.push(format!("node {id} is Blocked without being held, or held without being Blocked"));
    }
    if matches!(node.resume, Status::Blocked | Status::Completed) {
        problems.push(format!("node {id} would resume as {:?}", node.resume));
    }
    if node.version == 0 {
        problems.push(format!("node {id} has version 0"));
    }
    for (field, refusal) in node_fields::faults(node) {
        problems.push(format!("the {field} of node {id} breaks its rule: {}", refusal.message()));
    }
}

fn check_link(world: &World, link: &Link, problems: &mut Vec<String>) {
    let id = link.id;
    if link.source == link.target {
        problems.push(format!("link {id} leads from a node to itself"));
    }
    for end in [link.source, link.target] {
        match world.node(end) {
            None => problems.push(format!("link {id} has an end {end} that does not exist")),
            Some(node) if node.in_trash && !link.in_trash => {
                problems.push(format!("link {id} is active though {end} is in the trash"));
            }
            Some(_) => {}
        }
    }
    if !world.lists(id) {
        problems.push(format!("link {id} is not listed at both its ends"));
    }
    if link.was_blocker && !link.is_primary() {
        problems.push(format!("secondary link {id} is marked as a blocker"));
    }
    if link.cascade && !link.in_trash {
        problems.push(format!("active link {id} is marked as trashed by cascade"));
    }
}

/// Counts anew what the World counts as it changes.
fn check_blockers(world: &World, problems: &mut Vec<String>) {
    let mut counted: HashMap<NodeId, Blockers> = HashMap::default();
    for link in world.links() {
        let open = world.node(link.source).is_some_and(|node| is_open(node));
        *counted.entry(link.target).or_default() += Blockers::of(link, open);
    }
    for node in world.nodes() {
        let (id, counted) = (node.id, counted.get(&node.id).copied().unwrap_or_default());
        let kept = world.blockers(id);
        if kept != counted {
            problems.push(format!("the blockers of node {id} are counted as {kept:?}, and are {counted:?}"));
        }
    }
}

/// Repeatedly removes the nodes that no other node waits for. What is left is in a cycle.
fn check_cycles(world: &World, problems: &mut Vec<String>) {
    let primary = |link: &&Arc<Link>| !link.in_trash && link.is_primary();
    let mut waiting_for: HashMap<NodeId, usize> = HashMap::default();
    for link in world.links().filter(primary) {
        *waiting_for.entry(link.target).or_default() += 1;
    }
    let mut free: Vec<NodeId> =
        world.nodes().map(|node| node.id).filter(|id| !waiting_for.contains_key(id)).collect();
    while let Some(id) = free.pop() {
        for link in world.links_up(id).filter(primary) {
            if let Some(count) = waiting_for.get_mut(&link.target) {
                *count -= 1;
                if *count == 0 {
                    waiting_for.remove(&link.target);
                    free.push(link.target);
                }
            }
        }
    }
    if !waiting_for.is_empty() {
        problems.push(format!("{} nodes wait for themselves in cycles", waiting_for.len()));
    }
}

fn check_shares(world: &World, problems: &mut Vec<String>) {
    for slot in world.users() {
        let user = slot.user.id;
        for node in &slot.granted {
            match world.grant(*node, user) {
                None => {
                    problems.push(format!("user {user} is listed with a grant on {node} that does not exist"))
                }
                Some(_) if world.node(*node).is_some_and(|node| node.owner == user) => {
                    problems.push(format!("user {user} has a grant on their own node {node}"));
                }
                Some(_) => {}
            }
        }
        for node in &slot.embedded {
            if world.node(*node).is_none_or(|node| node.publication.is_none()) {
                problems.push(format!("user {user} has embedded {node}, which is not public"));
            }
        }
    }
    let known: HashSet<UserId> = world.users().map(|slot| slot.user.id).collect();
    for token in world.tokens().filter(|token| !known.contains(&token.user)) {
        problems.push(format!("token {} belongs to no user", token.id));
    }
}

fn check_users(world: &World, problems: &mut Vec<String>) {
    for slot in world.users().filter(|slot| !slot.user.is_guest()) {
        let user = &slot.user;
        let (id, email, username) = (user.id, &user.email, &user.username);
        let holds = || Belongings::of(world, id) != Belongings::default() || !slot.given.is_empty();
        if user.is_removed() && holds() {
            problems.push(format!("user {id} was removed and still has nodes, grants, embeds or tokens"));
        }
        if !user.is_removed() && !is_email(email) {
            problems.push(format!("user {id} has an invalid email: {email:?}"));
        }
        if !is_username(username) {
            problems.push(format!("user {id} has an invalid username: {username:?}"));
        }
        let found = world.user_by_email(email).map(|slot| slot.user.id);
        if found != (!user.is_removed()).then_some(id) {
            problems.push(format!("user {id} has the same email {email:?} as another user"));
        }
        let mut named = world.users_named(username).map(|slot| &slot.user);
        if let Some(other) = named.find(|other| other.id < id) {
            let (theirs, other) = (&other.username, other.id);
            problems.push(format!(
                "user {id} has the same username {username:?} as another user: {theirs:?} of user {other}"
            ));
        }
    }
}

/// Every guest belongs to one branch token, and has that token's grant and nothing else.
fn check_guests(world: &World, problems: &mut Vec<String>) {
    let mut tokens: HashMap<UserId, &Arc<Token>> = HashMap::default();
    for token in world.tokens() {
        let TokenScope::Branch { node, level, guest } = token.scope else { continue };
        let id = token.id;
        if world.user(guest).map(|slot| slot.user.guest_of) != Some(Some(token.user)) {
            problems.push(format!("token {id} acts as {guest}, which is not a guest of its user"));
        }
        if tokens.insert(guest, token).is_some() {
            problems.push(format!("token {id} shares its guest {guest} with another"));
        }
        // Without its node, a branch token has no grant.
        let Some(root) = world.node(node) else { continue };
        let as_token = |grant: &Arc<Grant>| {
            let given = (grant.level, grant.branch, grant.due, grant.showing, grant.granted_by);
            given == (level, true, token.expires, true, token.user)
        };
        if root.owner != token.user || !world.grant(node, guest).is_some_and(as_token) {
            problems.push(format!("token {id} does not have the grant on {node} that it stands for"));
        }
    }
    for slot in world.users().filter(|slot| slot.user.is_guest()) {
        let user = &slot.user;
        let Some(token) = tokens.get(&user.id) else {
            problems.push(format!("guest {} belongs to no token", user.id));
            continue;
        };
        let TokenScope::Branch { node, .. } = token.scope else { continue };
        let owns = slot.owned() > 0 || !slot.given.is_empty() || !slot.embedded.is_empty();
        if owns || !slot.tokens.is_empty() || slot.granted.iter().any(|other| *other != node) {
            problems.push(format!("guest {} has more than the grant of its token", user.id));
        }
        if !user.username.is_empty() || !user.email.is_empty() {
            problems.push(format!("guest {} has a name", user.id));
        }
    }
}
