//! The answer to a request that was executed before: its batch, as far as the caller may still see it.

use crate::access::sees_link;
use crate::audience::Audience;
use crate::batch::{Batch, Change, Op, Subject};
use crate::cover::{Cover, Placements, covers, shared_roots};
use crate::diff::{AccessChange, Diff, LinkChange, NodeChange, UserChange};
use crate::entries::{Entries, Shown, shown_to_all};
use crate::hash::{HashMap, HashSet};
use crate::id::{LinkId, NodeId, UserId};
use crate::model::{Embed, Grant, Level, Link, Node, Rev};
use crate::trash;
use crate::view::{SeenLink, Sight};
use crate::world::{Graph, World};
use std::sync::Arc;
use uuid::Uuid;

/// The diff of the batch, committed at `rev`, for its actor as of today. Entries on entities they may no longer
/// read are left out, and so are grants and embeds that have ended since. Deletions by the batch itself are
/// included.
pub fn replay(world: &World, batch: &Batch, rev: Rev, user: UserId) -> Diff {
    let mut diff = Diff::empty(world, Some(batch));
    diff.rev = rev;
    diff.copies = copies(world, batch, user);
    if batch.entries.is_empty() {
        diff.batch = None;
    }
    let today = Today::at(world, batch, user);
    let first = FirstAnswer::of(batch);
    for (index, entry) in batch.entries.iter().enumerate() {
        if today.passed(&entry.subject) || first.left_out.contains(&index) {
            continue;
        }
        match &entry.subject {
            Subject::Node(change) if first.whole.contains_key(&index) => {
                let after = first.whole.get(&index).cloned();
                let change = Change { before: change.before.clone(), after };
                diff.nodes.extend(node(world, entry.op, &change, &today));
            }
            Subject::Node(change) => diff.nodes.extend(node(world, entry.op, change, &today)),
            Subject::Link(change) => diff.links.extend(link(world, entry.op, change, &today)),
            Subject::Grant(change) => diff.access.extend(grant(world, entry.op, change, &today)),
            Subject::Embed(change) => diff.user.extend(embed(world, change, &today)),
            Subject::User(Change { before: Some(before), after: Some(after) })
                if after.id == user && !entry.op.is_internal() =>
            {
                let (before, after) = (Arc::clone(before), Arc::clone(after));
                diff.user.push(UserChange::Renamed { before, after });
            }
            Subject::User(_) | Subject::Token(_) | Subject::Key(_) => {}
        }
    }
    diff
}

/// What the batch copied and the copies, by id, as far as the user sees both now.
pub fn copies(world: &World, batch: &Batch, user: UserId) -> Vec<(Uuid, Uuid)> {
    let copied: Vec<(Uuid, &Subject)> =
        batch.entries.iter().filter_map(|entry| Some((entry.copy_of?, &entry.subject))).collect();
    let pairs = copied.iter().filter_map(|(of, subject)| Some((*of, entity(subject)?)));
    let ends = |id: Uuid| {
        let link = world.link(LinkId(id));
        let ends = link.map_or([NodeId(id); 2], |link| [link.source, link.target]);
        ends.into_iter()
    };
    let placed = Placements::of(world, user, pairs.clone().flat_map(|(of, id)| ends(of).chain(ends(id))));
    let sees = |id: &Uuid| match world.link(LinkId(*id)) {
        Some(link) => sees_link(user, link, placed.level(link.source), placed.level(link.target)),
        None => placed.level(NodeId(*id)).is_some(),
    };
    pairs.filter(|(of, id)| sees(of) && sees(id)).collect()
}

/// How the entries were shown to the actor at first, where that is not one by one.
#[derive(Default)]
struct FirstAnswer {
    left_out: HashSet<usize>,
    /// Entries that showed the whole node as the batch left it.
    whole: HashMap<usize, Arc<Node>>,
}

impl FirstAnswer {
    fn of(batch: &Batch) -> Self {
        let mut first = FirstAnswer::default();
        let entries = Entries::of(Some(batch));
        for entries in entries.nodes.iter() {
            match shown_to_all(entries) {
                Shown::Entries(from) => first.left_out.extend(entries.iter().take(from).map(|it| it.index)),
                Shown::Whole(at) => {
                    let others = entries.iter().enumerate().filter(|(nth, _)| *nth != at);
                    first.left_out.extend(others.map(|(_, it)| it.index));
                    let last = entries.last().and_then(|last| last.change.after.clone());
                    first.whole.extend(entries.get(at).map(|it| it.index).zip(last));
                }
                Shown::Nothing | Shown::Show | Shown::Hide => {}
            }
        }
        for entries in entries.links.iter() {
            if let Shown::Entries(from) | Shown::Whole(from) = shown_to_all(entries) {
                first.left_out.extend(entries.iter().take(from).map(|it| it.index));
            }
        }
        first
    }
}

/// The current state of what the batch touched, for the caller.
struct Today {
    user: UserId,
    covers: HashMap<NodeId, Arc<Cover>>,
    placed: Placements,
    /// What the batch made and deleted for good: nobody was told of it.
    passed: HashSet<Uuid>,
    /// What the batch deleted for good.
    deleted: HashSet<NodeId>,
}

impl Today {
    fn at(world: &World, batch: &Batch, user: UserId) -> Self {
        let ids: HashSet<NodeId> = batch.entries.iter().flat_map(|entry| entry.subject.nodes()).collect();
        let deleted = batch.entries.iter().filter_map(|entry| match &entry.subject {
            Subject::Node(Change { before: Some(node), after: None }) => Some(node.id),
            _ => None,
        });
        let mut made: HashSet<Uuid> = HashSet::default();
        let mut passed: HashSet<Uuid> = HashSet::default();
        for subject in batch.entries.iter().map(|entry| &entry.subject) {
            match (entity(subject), is_made(subject), is_deleted(subject)) {
                (Some(id), true, _) => made.insert(id),
                (Some(id), _, true) if made.contains(&id) => passed.insert(id),
                _ => false,
            };
        }
        Today {
            user,
            passed,
            covers: covers(world, ids.iter().copied(), Audience::One(user)),
            placed: Placements::of(world, user, ids),
            deleted: deleted.collect(),
        }
    }

    fn passed(&self, subject: &Subject) -> bool {
        entity(subject).is_some_and(|id| self.passed.contains(&id))
    }

    /// Whether the caller has access ≤ 1 to a node, by placement in the trash.
    fn runs(&self, id: NodeId) -> bool {
        self.placed.level(id).is_some_and(|level| level <= Level::Admin)
    }

    fn node(&self, id: NodeId) -> Arc<[NodeId]> {
        self.covers.get(&id).map(|cover| cover.roots_for(self.user)).unwrap_or_default()
    }

    fn link(&self, link: &Link) -> Arc<[NodeId]> {
        let ends = self.covers.get(&link.source).zip(self.covers.get(&link.target));
        ends.map(|(source, target)| shared_roots(source, target, self.user)).unwrap_or_default()
    }
}

/// The id of a node or link.
fn entity(subject: &Subject) -> Option<Uuid> {
    match subject {
        Subject::Node(change) => change.latest().map(|node| node.id.0),
        Subject::Link(change) => change.latest().map(|link| link.id.0),
        _ => None,
    }
}

fn is_made(subject: &Subject) -> bool {
    matches!(subject, Subject::Node(Change { before: None, .. }) | Subject::Link(Change { before: None, .. }))
}

fn is_deleted(subject: &Subject) -> bool {
    matches!(subject, Subject::Node(Change { after: None, .. }) | Subject::Link(Change { after: None, .. }))
}

fn node(world: &World, op: Op, change: &Change<Arc<Node>>, today: &Today) -> Option<NodeChange> {
    match (&change.before, &change.after) {
        (Some(before), None) if before.owner == today.user => {
            Some(NodeChange::Deleted { before: trash::with_level(world, before, Level::Owner) })
        }
        (_, Some(after)) => {
            let level = today.placed.level(after.id)?;
            match &change.before {
                Some(before) if op != Op::NodeRestore => {
                    let (before, after) = (Arc::clone(before), Arc::clone(after));
                    let roots = today.node(after.id);
                    Some(NodeChange::Edited { op, before, after, level, roots })
                }
                _ => {
                    let mut seen = trash::with_level(world, after, level);
                    seen.sight = Sight::Full { level, roots: today.node(after.id) };
                    Some(NodeChange::Whole { op, seen })
                }
            }
        }
        _ => None,
    }
}

fn link(world: &World, op: Op, change: &Change<Arc<Link>>, today: &Today) -> Option<LinkChange> {
    // An entity that still exists is judged by its current state: it may have become private, or been deleted for
    // good.
    let told = change.latest()?;
    let link = if change.after.is_some() { world.link(told.id)? } else { told };
    let (source, target) = (today.placed.level(link.source), today.placed.level(link.target));
    // The deletion of their own link together with a node is included if, for each of its ends, they still have
    // access to it or this batch deleted it.
    let seen_or_deleted = |id: NodeId, level: Option<Level>| level.is_some() || today.deleted.contains(&id);
    let gone_with_its_end = change.after.is_none()
        && link.owner == today.user
        && seen_or_deleted(link.source, source)
        && seen_or_deleted(link.target, target);
    if !gone_with_its_end && !sees_link(today.user, link, source, target) {
        return None;
    }
    match (&change.before, &change.after) {
        (Some(before), None) => Some(LinkChange::Deleted { before: Arc::clone(before) }),
        (Some(before), Some(after)) if op != Op::LinkRestore => {
            let (before, after) = (Arc::clone(before), Arc::clone(after));
            let roots = today.link(&after);
            Some(LinkChange::Edited { op, before, after, roots })
        }
        (_, Some(after)) => {
            let seen = SeenLink { link: Arc::clone(after), roots: today.link(after) };
            Some(LinkChange::Whole { op, seen })
        }
        (None, None) => None,
    }
}

fn grant(world: &World, op: Op, change: &Change<Arc<Grant>>, today: &Today) -> Option<AccessChange> {
    let grant = change.latest()?;
    let held = world.grant(grant.node, grant.user).is_some();
    let readable = (held && grant.user == today.user) || today.runs(grant.node);
    let ended_since = change.after.is_some() && !held;
    let grantee = Arc::clone(&world.user(grant.user)?.user);
    let replayed = AccessChange { op, grantee, before: change.before.clone(), after: change.after.clone() };
    (readable && !ended_since).then_some(replayed)
}

fn embed(world: &World, change: &Change<Embed>, today: &Today) -> Option<UserChange> {
    let embed = change.latest().filter(|embed| embed.user == today.user)?;
    let held = world.has_embed(embed.node, embed.user);
    let sees_node = world.node(embed.node).is_some_and(|node| match node.in_trash {
        false => today.placed.level(embed.node).is_some(),
        true => today.runs(embed.node),
    });
    let present = change.after.is_some();
    let readable = held || (!present && sees_node);
    let user = Arc::clone(&world.user(embed.user)?.user);
    readable.then_some(UserChange::Embed { user, node: embed.node, present })
}
