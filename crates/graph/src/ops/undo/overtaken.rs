//! Whether a field has been changed since and cannot be set back: by value, field by field.

use super::{Step, unheld_status};
use crate::draft::Draft;
use crate::model::{Grant, Node};
use crate::node_fields;
use crate::world::Graph;
use std::sync::Arc;

impl Step<'_> {
    pub(super) fn is_overtaken(&self, draft: &Draft<'_>) -> bool {
        match self {
            Step::NodeFields { from, to } => {
                draft.node(to.id).is_none_or(|now| node_fields::are_overtaken(now, from, to))
            }
            Step::NodeStatus { from, to } => {
                draft.node(to.id).is_none_or(|now| unheld_status(now) != unheld_status(from))
            }
            Step::NodeTrash { id } => draft.node(*id).is_none_or(|now| now.in_trash),
            Step::NodeRestore { id } => draft.node(*id).is_none_or(|now| !now.in_trash),
            Step::NodePublication { from, to } => {
                draft.node(to.id).is_none_or(|now| publication_overtaken(now, from, to))
            }
            Step::LinkTrash { id } => draft.link(*id).is_none_or(|now| now.in_trash),
            Step::LinkRestore { id } => draft.link(*id).is_none_or(|now| !now.in_trash),
            Step::LinkFields { from, to, .. } => draft.link(to.id).is_none_or(|now| {
                (from.kind != to.kind && now.kind != from.kind)
                    || (from.private != to.private && now.private != from.private)
                    || (from.source != to.source && now.source != from.source)
            }),
            Step::Grant { from, to } => grant_overtaken(draft, *from, *to),
            Step::Embed { embed, present } => draft.world().has_embed(embed.node, embed.user) == *present,
            Step::Username { from, .. } => {
                draft.world().user(from.id).is_none_or(|slot| slot.user.username != from.username)
            }
            Step::None { .. } => false,
        }
    }
}

fn publication_overtaken(now: &Node, from: &Node, to: &Node) -> bool {
    match (&now.publication, &from.publication, &to.publication) {
        (Some(now), Some(from), Some(to)) => {
            (from.branch != to.branch && now.branch != from.branch)
                || (from.due != to.due && now.due != from.due)
        }
        (now, from, _) => now != from,
    }
}

fn grant_overtaken(draft: &Draft<'_>, from: Option<&Arc<Grant>>, to: Option<&Arc<Grant>>) -> bool {
    let Some(grant) = from.or(to) else { return false };
    let now = draft.world().grant(grant.node, grant.user);
    match (now, from, to) {
        (None, None, Some(_)) => false,
        (Some(now), Some(from), Some(to)) => {
            (from.level != to.level && now.level != from.level)
                || (from.branch != to.branch && now.branch != from.branch)
                || (from.due != to.due && now.due != from.due)
                || (from.showing != to.showing && now.showing != from.showing)
        }
        (Some(now), Some(from), None) => {
            (now.level, now.branch, now.due) != (from.level, from.branch, from.due)
        }
        _ => true,
    }
}
