//! What the links to a node mean for it, counted. The World keeps the counts, and a draft how they differ, so that no
//! edit of a node looks at its links.

use crate::model::{Link, Node, Status};
use std::ops::{AddAssign, Neg};

/// Counts of the active primary links to a node; of a draft, the difference to those of the World.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Blockers {
    /// Those from an open node. They hold the node, unless it is independent.
    pub open: i32,
    /// Those from an open node that are not marked as having held it.
    pub unmarked: i32,
    /// Those marked as having held it.
    pub marked: i32,
}

impl Blockers {
    /// What one link counts for at its target.
    pub(crate) fn of(link: &Link, source_is_open: bool) -> Self {
        if link.in_trash || !link.is_primary() {
            return Blockers::default();
        }
        Blockers {
            open: source_is_open.into(),
            unmarked: (source_is_open && !link.was_blocker).into(),
            marked: link.was_blocker.into(),
        }
    }

    /// By how much the counts at the target of a link change when its source opens.
    pub(crate) fn of_opening(link: &Link) -> Self {
        let mut change = Blockers::of(link, true);
        change += -Blockers::of(link, false);
        change
    }
}

impl AddAssign for Blockers {
    fn add_assign(&mut self, other: Self) {
        self.open += other.open;
        self.unmarked += other.unmarked;
        self.marked += other.marked;
    }
}

impl Neg for Blockers {
    type Output = Self;

    fn neg(self) -> Self {
        Blockers { open: -self.open, unmarked: -self.unmarked, marked: -self.marked }
    }
}

/// Whether a node can block: it is active and not completed.
pub fn is_open(node: &Node) -> bool {
    !node.in_trash && node.status != Status::Completed
}
