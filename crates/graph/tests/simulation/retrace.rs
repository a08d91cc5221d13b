//! Looks back on batches: who sees them in history, what a replay tells their author, and that undoing them at once
//! leads back to where they began.

use super::telling::Readable;
use super::{New, Remembered, Simulation, View};
use crate::model::Model;
use crate::model::view::SeenNode;
use crate::supply::Supply;
use graph::diff::{Diff, LinkChange, NodeChange, UserChange};
use graph::history_view::{HistoryView, sees_batch, sees_entry};
use graph::model::{Link, Status};
use graph::{Batch, BatchId, Class, Operation, Reason, Subject, UserId, replay};
use std::collections::BTreeSet;
use uuid::Uuid;

/// The entities in a diff, by id.
fn told(diff: &Diff) -> BTreeSet<Uuid> {
    let nodes = diff.nodes.iter().map(|change| match change {
        NodeChange::Whole { seen, .. } => seen.node.id,
        NodeChange::Edited { after, .. } => after.id,
        NodeChange::PhantomStatus { id, .. } | NodeChange::Faded { id, .. } | NodeChange::Hidden { id } => {
            *id
        }
        NodeChange::Access { node, .. } => node.id,
        NodeChange::Deleted { before } => before.node.id,
    });
    let links = diff.links.iter().map(|change| match change {
        LinkChange::Whole { seen, .. } => seen.link.id,
        LinkChange::Edited { after, .. } => after.id,
        LinkChange::Hidden { id } => *id,
        LinkChange::Deleted { before } => before.id,
    });
    let users = diff.user.iter().map(|change| match change {
        UserChange::Renamed { after, .. } => after.id.0,
        UserChange::Embed { node, .. } => node.0,
    });
    let grants = diff.access.iter().filter_map(|change| change.after.as_ref().or(change.before.as_ref()));
    let grants = grants.map(|grant| Uuid::from_u128(grant.node.0.as_u128() ^ (grant.user.0.as_u128() << 64)));
    nodes.map(|id| id.0).chain(links.map(|id| id.0)).chain(users).chain(grants).collect()
}

/// Replayed at once, the batch tells its author about its own entities what it told them first.
pub fn check_replay(
    simulation: &Simulation,
    batch: &Batch,
    caller: UserId,
    first: Option<&Diff>,
) -> Result<(), String> {
    let again = replay::replay(&simulation.world, batch, simulation.world.rev(), caller);
    let own: BTreeSet<Uuid> = batch
        .entries
        .iter()
        .filter_map(|entry| match &entry.subject {
            Subject::Node(change) => change.latest().map(|node| node.id.0),
            Subject::Link(change) => change.latest().map(|link| link.id.0),
            _ => None,
        })
        .collect();
    let none = BTreeSet::new();
    let first_told = first.map_or(none, told);
    let again_told = told(&again);
    let model = &simulation.model;
    // The trash is not live: a change in it is told only by a replay.
    let in_trash = |id: &Uuid| {
        model.nodes.get(&graph::NodeId(*id)).is_some_and(|node| node.in_trash)
            || model.links.get(&graph::LinkId(*id)).is_some_and(|link| link.in_trash)
    };
    // Replayed, a purge also names links of its author that went with a node and that their trash did not show.
    // What they could read of them is theirs.
    let own_gone = |id: &Uuid| {
        let deleted =
            |change: &LinkChange| matches!(change, LinkChange::Deleted { before } if before.id.0 == *id);
        again.links.iter().any(deleted) && model.gone.contains(id)
    };
    let news = again_told.difference(&first_told).find(|id| !in_trash(id) && !own_gone(id));
    if let Some(id) = news {
        return Err(format!("{id} is told again, but was not told"));
    }
    // What left the author's view, and what they know only as a phantom, is not replayed.
    let seen = |id: &Uuid| {
        model.placement(caller, graph::NodeId(*id)).is_some()
            || model.links.get(&graph::LinkId(*id)).is_some_and(|link| model.sees_link(caller, link))
    };
    match first_told.intersection(&own).find(|id| seen(id) && !again_told.contains(id)) {
        Some(id) => Err(format!("{id} was told, but is not told again")),
        None => Ok(()),
    }
}

/// For a few batches: who sees them, and what a replay tells their authors today.
pub fn check_history(simulation: &Simulation) -> Result<(), String> {
    let length = simulation.history.len();
    let users = simulation.model.users.keys().copied();
    let readers: Vec<HistoryView> = users.map(|user| HistoryView::of(&simulation.world, user)).collect();
    let some = [1, 2, 3, 5 + simulation.events % 40];
    for at in some.into_iter().filter_map(|back| length.checked_sub(back)) {
        let Remembered { batch, past, .. } = &simulation.history[at];
        if let Some(author) = past.actor {
            check_later(simulation, batch, author)?;
        }
        for reader in &readers {
            let user = reader.user;
            let want = simulation.model.knows_past(user, past);
            let judged = HistoryView::of_entries(&simulation.world, user, &batch.entries);
            let seen = [reader, &judged].map(|view| view.sees_batch(batch));
            let got = (sees_batch(&simulation.world, user, batch), seen);
            if got != (want, [want; 2]) {
                return Err(format!("{user} sees {}: {got:?}, not {want}", batch.id));
            }
            for entry in &batch.entries {
                let runs = entry.subject.nodes().find(|id| judged.runs(*id) != reader.runs(*id));
                if let (Some(id), Subject::Node(_) | Subject::Grant(_)) = (runs, &entry.subject) {
                    return Err(format!("{user} runs {id} by one judgement and not by the other"));
                }
                let want = !entry.op.is_internal() && knows(&simulation.model, user, &entry.subject);
                let seen = [reader, &judged].map(|view| view.sees_entry(entry));
                let got = (sees_entry(&simulation.world, user, entry), seen);
                if got != (want, [want; 2]) {
                    return Err(format!("{user} sees {entry:?}: {got:?}, not {want}"));
                }
            }
        }
    }
    Ok(())
}

fn knows(model: &Model, user: UserId, subject: &Subject) -> bool {
    match subject {
        Subject::Node(change) => model.knows_node(user, change.latest().unwrap().id),
        Subject::Link(change) => model.knows_link(user, change.latest().unwrap().id),
        Subject::Grant(change) => {
            let grant = change.latest().unwrap();
            model.knows_grant(user, (grant.node, grant.user))
        }
        Subject::Embed(change) => {
            let embed = change.latest().unwrap();
            model.knows_embed(user, (embed.user, embed.node))
        }
        Subject::User(change) => change.latest().unwrap().id == user,
        Subject::Token(_) | Subject::Key(_) => false,
    }
}

/// Replayed later, a batch tells its author nothing that they cannot read now, except their own deletions.
fn check_later(simulation: &Simulation, batch: &Batch, author: UserId) -> Result<(), String> {
    let model = &simulation.model;
    let (seen, trash) = &simulation.views[simulation.index(author)];
    let now = Readable { model, seen, trash };
    let diff = replay::replay(&simulation.world, batch, simulation.world.rev(), author);
    let node = |id| now.full(id) || model.placement(author, id).is_some();
    for change in &diff.nodes {
        let fine = match change {
            NodeChange::Whole { seen, .. } => node(seen.node.id),
            NodeChange::Edited { after, .. } => node(after.id),
            NodeChange::Deleted { before } => !model.nodes.contains_key(&before.node.id),
            _ => false,
        };
        if !fine {
            return Err(format!("told again of a node they cannot read: {change:?}"));
        }
    }
    for change in &diff.links {
        // A link is judged by its current state.
        let seen = |id| model.links.get(&id).is_some_and(|now| model.sees_link(author, now));
        let readable = match change {
            LinkChange::Whole { seen: told, .. } => seen(told.link.id),
            LinkChange::Edited { after, .. } => seen(after.id),
            LinkChange::Hidden { .. } => false,
            LinkChange::Deleted { .. } => true,
        };
        if !readable {
            return Err(format!("told again of a link they cannot read: {change:?}"));
        }
    }
    for change in &diff.access {
        let grant = change.after.as_ref().or(change.before.as_ref()).unwrap();
        let key = (grant.node, grant.user);
        let over = change.after.is_some() && !model.grants.contains_key(&key);
        if over || !model.knows_grant(author, key) {
            return Err(format!("told again of a grant: {change:?}"));
        }
    }
    for change in &diff.user {
        if let UserChange::Embed { node, present, .. } = change {
            let over = *present && !model.embeds.contains(&(author, *node));
            if over || !model.knows_embed(author, (author, *node)) {
                return Err(format!("told again of an embed: {change:?}"));
            }
        }
    }
    Ok(())
}

/// Undoing the latest batch leads back for every user, and redoing it leads forth again.
pub fn there_and_back(
    before: &Simulation,
    after: &Simulation,
    caller: UserId,
    operation: &Operation,
) -> Result<(), String> {
    let (back, forth) = match operation {
        // An undo is reverted by the id of the undo.
        Operation::HistoryRedo { .. } => return Ok(()),
        Operation::HistoryUndo { .. } => return Ok(()),
        _ => ("undo at once", "redo after it"),
    };
    let root = after.history.last().map(|it| it.past.root).unwrap_or_else(|| unreachable!());
    let mut aside = after.clone();
    aside.aside = true;
    let undo = Operation::HistoryUndo { batch: root };
    let other =
        |n: u128| New { batch: BatchId(Uuid::from_u128(0xE000_0000 + n)), ids: Supply::new(0xE000_0000 + n) };
    aside.outcomes.clear();
    aside.perform(caller, &undo, &other(1)).map_err(|problem| format!("{back}: {problem}"))?;
    if !aside.history.last().is_some_and(|it| it.past.undone) {
        let code = aside.outcomes.keys().next().cloned().unwrap_or_default();
        // What came to nothing in the end is as it was.
        if matches!(operation, Operation::GraphApply { .. }) && code.ends_with("done") {
            return same_views(before, &aside, operation, false)
                .map_err(|problem| format!("{back}: {problem}"));
        }
        // In the trash nothing is granted, and what is no longer public is not embedded again.
        use Operation as O;
        let parts = parts(operation);
        let expected = Reason::ALL.iter().any(|reason| {
            let allowed = match reason {
                Reason::CannotRestorePurged => parts.iter().any(|part| {
                    matches!(part, O::NodeDelete { .. } | O::LinkDelete { .. } | O::TrashPurge { .. })
                }),
                // What several operations changed on a node that they trashed again is not given back in the trash.
                // Rules: H14, H22.
                Reason::NodeInTrash => parts.iter().any(|part| match part {
                    O::AccessDelete { .. } | O::NodeUnpublish { .. } => true,
                    O::AccessUpdate(_) | O::NodePublishUpdate(_) => parts.len() > 1,
                    _ => false,
                }),
                Reason::DuplicateLink => takes_a_place_that_was_left(before, &after.model),
                Reason::NotPublic | Reason::HasAccess => {
                    parts.iter().any(|part| matches!(part, O::NodeUnembed { .. }))
                }
                _ => reason.class() == Class::Forbidden,
            };
            allowed && code.ends_with(reason.code())
        });
        return if expected { Ok(()) } else { Err(format!("{back} is refused: {code}")) };
    }
    if !leaves_a_link_behind(before, &after.model, operation) {
        same_views(before, &aside, operation, false).map_err(|problem| format!("{back}: {problem}"))?;
    }
    let redo = Operation::HistoryRedo { batch: root };
    aside.outcomes.clear();
    aside.perform(caller, &redo, &other(2)).map_err(|problem| format!("{forth}: {problem}"))?;
    if aside.history.last().is_some_and(|it| it.past.undone) {
        let code = aside.outcomes.keys().next().cloned().unwrap_or_default();
        // What several operations gave while their node was there is not given once it ends up in the trash.
        let several = matches!(operation, Operation::GraphApply { .. });
        // Of what came to nothing but for a completion that the undo gave back, there is nothing to redo.
        if several && code.ends_with("done") {
            return Ok(());
        }
        let forbidden = Reason::ALL.iter().any(|reason| {
            let in_trash = several && *reason == Reason::NodeInTrash;
            (reason.class() == Class::Forbidden || in_trash) && code.ends_with(reason.code())
        });
        return if forbidden { Ok(()) } else { Err(format!("{forth} is refused: {code}")) };
    }
    // Several operations may have reopened a task for a while, between one and the next. Redone at once they do not.
    // Rules: H22.
    let reopened = matches!(operation, Operation::GraphApply { .. })
        && before.model.nodes.values().any(|node| {
            let after = after.model.nodes.get(&node.id).map(|node| node.status);
            node.status == Status::Completed && after != Some(Status::Completed)
        });
    same_views(after, &aside, operation, reopened).map_err(|problem| format!("{forth}: {problem}"))
}

/// Whether a link was added in a place that another link had before. Undone, it keeps the place in the trash, so the
/// other link cannot return to it.
// Rules: N26.
fn takes_a_place_that_was_left(before: &Simulation, after: &Model) -> bool {
    let place = |link: &Link| {
        let (a, b) = (link.source.min(link.target), link.source.max(link.target));
        (a, b, link.private.then_some(link.owner))
    };
    let added = after.links.values().filter(|link| !before.model.links.contains_key(&link.id));
    let taken: Vec<_> = added.map(place).collect();
    let mut left = before
        .model
        .links
        .values()
        .filter(|was| after.links.get(&was.id).is_some_and(|is| place(is) != place(was)));
    left.any(|was| taken.contains(&place(was)))
}

/// Whether a batch trashed a node and restored it without a link that had come to close a cycle meanwhile. Nobody meant
/// to trash that link, so undo leaves it there.
// Rules: B11.
fn leaves_a_link_behind(before: &Simulation, after: &Model, operation: &Operation) -> bool {
    let meant = |id| parts(operation).contains(&Operation::LinkTrash { id });
    let mut active = before.model.links.values().filter(|link| !link.in_trash);
    active.any(|was| !meant(was.id) && after.links.get(&was.id).is_some_and(|is| is.in_trash && !is.cascade))
}

/// The operations that a batch was made of.
fn parts(operation: &Operation) -> &[Operation] {
    match operation {
        Operation::GraphApply { operations } => operations,
        one => std::slice::from_ref(one),
    }
}

/// Compares what every user saw with what they see after the undo (`now`).
fn same_views(
    then: &Simulation,
    now: &Simulation,
    operation: &Operation,
    reopened: bool,
) -> Result<(), String> {
    // A link that stayed in the trash because of a cycle is there in its own right from then on. It no longer shows
    // its ends to users who had access to one by the other.
    let left_behind = |link: &&Link| {
        link.cascade && now.model.links.get(&link.id).is_some_and(|now| now.in_trash && !now.cascade)
    };
    if then.model.links.values().any(|link| left_behind(&link)) {
        return Ok(());
    }
    // Embeds that an unpublish ended stay ended.
    let mut model = then.model.clone();
    if parts(operation).iter().any(|part| matches!(part, Operation::NodeUnpublish { .. })) {
        model.branches = Default::default();
        let kept = &now.model.embeds;
        model.embeds.retain(|embed| kept.contains(embed));
    }
    for user in now.replicas.iter().map(|replica| replica.user) {
        let view = |model: &Model, of: &Model| plain(of, (model.visible(user), model.trash(user)), reopened);
        let want = view(&model, &then.model);
        let got = view(&now.model, &then.model);
        super::differ("node", &got.0.nodes, &want.0.nodes).map_err(|problem| format!("{user}: {problem}"))?;
        super::differ("link", &got.0.links, &want.0.links).map_err(|problem| format!("{user}: {problem}"))?;
        if got.1 != want.1 {
            return Err(format!("the trash of {user}: {:?}, not {:?}", got.1, want.1));
        }
    }
    Ok(())
}

/// Without versions, times and batches, and without the trash that added entities go to.
fn plain(known: &Model, (mut seen, mut trash): View, reopened: bool) -> View {
    for node in seen.nodes.values_mut() {
        match node {
            SeenNode::Full { node, .. } => {
                node.version = 0;
                node.edited = node.created;
                node.last_batch = BatchId(Uuid::nil());
                if reopened {
                    node.status = Status::Available;
                }
                if node.status != Status::Blocked {
                    node.resume = Status::Available;
                }
            }
            SeenNode::Phantom { status } if reopened => *status = 0,
            SeenNode::Phantom { .. } => {}
        }
    }
    for (link, _) in seen.links.values_mut() {
        link.version = 0;
        link.edited = link.created;
        link.last_batch = BatchId(Uuid::nil());
        // wasBlocker stays true.
        link.was_blocker = false;
        link.cascade = false;
    }
    trash.0.retain(|id| known.nodes.contains_key(id));
    trash.1.retain(|id| known.links.contains_key(id));
    (seen, trash)
}
