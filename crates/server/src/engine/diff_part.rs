//! Diffs as they are sent: in parts, and of a size that queues can be bounded by.

use super::shared_text::SharedText;
use graph::batch::Lineage;
use graph::diff::{AccessChange, LinkChange, NodeChange, UserChange};
use graph::model::{Link, Node, Rev, User};
use graph::node_fields::text_bytes;
use graph::{BatchId, Diff, SharedDiff, Timestamp, UserId};
use std::ops::Range;
use std::sync::Arc;
use uuid::Uuid;

/// A whole diff, or one of the parts of a large one. A part is a range of the diff's entries. It refers to the diff,
/// which all parts share, and to nothing else, so it costs the same however many entries it has.
#[derive(Clone, Debug, PartialEq)]
pub struct DiffPart {
    /// As [`Diff::batch`].
    pub batch: Option<BatchId>,
    /// As [`Diff::rev`].
    pub rev: Rev,
    /// As [`Diff::actor`].
    pub actor: Option<Arc<User>>,
    /// As [`Diff::at`].
    pub at: Timestamp,
    /// As [`Diff::lineage`].
    pub lineage: Lineage,
    /// The number of this part, counted from 1, and the number of parts; `None` for a whole diff.
    pub part: Option<(usize, usize)>,
    whole: Arc<Diff>,
    /// Which of the whole diff's entries it has, counted over nodes, links, user and access in turn.
    entries: Range<usize>,
    bytes: usize,
    /// Its text, once a connection has sent it.
    pub text: SharedText,
    /// Whether several users are sent it.
    pub is_shared: bool,
}

/// The parts of a diff, and everyone to whom they are sent. They share the parts.
#[derive(Clone, Debug)]
pub struct SharedParts {
    /// The users, sorted.
    pub users: Vec<UserId>,
    /// The parts to send, in order. There is at least one.
    pub parts: Arc<[Arc<DiffPart>]>,
    /// The same parts without their texts, to keep.
    pub kept: Arc<[Arc<DiffPart>]>,
}

impl SharedParts {
    /// Splits a diff as [`DiffPart::split`] does.
    pub fn of(SharedDiff { users, diff }: SharedDiff, most: usize) -> Self {
        let kept = DiffPart::split(diff, most);
        let is_shared = users.len() > 1;
        let sent = |part: &Arc<DiffPart>| Arc::new(DiffPart { is_shared, ..DiffPart::clone(part) });
        SharedParts { users, parts: kept.iter().map(sent).collect(), kept: kept.into() }
    }
}

impl<D: Into<Arc<Diff>>> From<D> for DiffPart {
    fn from(diff: D) -> Self {
        let diff = diff.into();
        DiffPart::of(&diff, 0..diff.len(), None)
    }
}

impl DiffPart {
    /// Splits a diff into parts of at most `most` entries, to be applied in order. A small diff is its only part.
    pub fn split(diff: impl Into<Arc<Diff>>, most: usize) -> Vec<Arc<DiffPart>> {
        let (whole, most) = (diff.into(), most.max(1));
        let all = whole.len();
        if all <= most {
            return vec![Arc::new(whole.into())];
        }
        let parts = all.div_ceil(most);
        let one = |nth: usize| {
            let entries = nth * most..all.min((nth + 1) * most);
            Arc::new(DiffPart::of(&whole, entries, Some((nth + 1, parts))))
        };
        (0..parts).map(one).collect()
    }

    /// The whole diff that this is a part of, as its only part.
    pub fn as_whole(&self) -> DiffPart {
        Arc::clone(&self.whole).into()
    }

    fn of(whole: &Arc<Diff>, entries: Range<usize>, part: Option<(usize, usize)>) -> Self {
        let Diff { batch, rev, ref actor, at, lineage, .. } = **whole;
        let (actor, whole) = (actor.clone(), Arc::clone(whole));
        let (text, is_shared) = (SharedText::default(), false);
        let mut this =
            DiffPart { batch, rev, actor, at, lineage, part, whole, entries, bytes: 0, text, is_shared };
        this.bytes = this.held_bytes();
        this
    }

    /// The whole diff that this is, or is a part of.
    pub fn whole(&self) -> &Diff {
        &self.whole
    }

    /// Its entries about nodes.
    pub fn nodes(&self) -> &[NodeChange] {
        within(&self.whole.nodes, &self.entries, 0)
    }

    /// Its entries about links.
    pub fn links(&self) -> &[LinkChange] {
        within(&self.whole.links, &self.entries, self.whole.nodes.len())
    }

    /// Its entries about accounts and embeds.
    pub fn user(&self) -> &[UserChange] {
        within(&self.whole.user, &self.entries, self.whole.nodes.len() + self.whole.links.len())
    }

    /// Its entries about grants.
    pub fn access(&self) -> &[AccessChange] {
        within(&self.whole.access, &self.entries, self.whole.len() - self.whole.access.len())
    }

    /// As [`Diff::copies`]. Only the first part is an answer, so only it has them.
    pub fn copies(&self) -> &[(Uuid, Uuid)] {
        if self.entries.start == 0 { &self.whole.copies } else { &[] }
    }

    /// How many entries it has.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether it has no entries.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The bytes of memory that it holds while it waits, about. Nodes and links as they are now are shared with the
    /// World and do not count. Earlier states and what was deleted do.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    fn held_bytes(&self) -> usize {
        let nodes: usize = self.nodes().iter().map(node_bytes).sum();
        let links: usize = self.links().iter().map(link_bytes).sum();
        let (user, access) = (size_of_val(self.user()), size_of_val(self.access()));
        size_of::<DiffPart>() + nodes + links + user + access + size_of_val(self.copies())
    }
}

/// The items of a list that begins at `from` in the whole diff, as far as they are in the range.
fn within<'l, T>(list: &'l [T], range: &Range<usize>, from: usize) -> &'l [T] {
    let at = |position: usize| position.saturating_sub(from).min(list.len());
    list.get(at(range.start)..at(range.end)).unwrap_or_default()
}

fn node_bytes(change: &NodeChange) -> usize {
    let held = |node: &Node| size_of::<Node>() + text_bytes(node);
    size_of::<NodeChange>()
        + match change {
            NodeChange::Edited { before, after, .. } => held(before) + held(after),
            NodeChange::Deleted { before } => held(&before.node),
            NodeChange::Whole { .. }
            | NodeChange::Access { .. }
            | NodeChange::PhantomStatus { .. }
            | NodeChange::Faded { .. }
            | NodeChange::Hidden { .. } => 0,
        }
}

fn link_bytes(change: &LinkChange) -> usize {
    size_of::<LinkChange>()
        + match change {
            LinkChange::Edited { .. } => 2 * size_of::<Link>(),
            LinkChange::Deleted { .. } => size_of::<Link>(),
            LinkChange::Whole { .. } | LinkChange::Hidden { .. } => 0,
        }
}
