//! What users may see of history. Computing it visits everything a user sees, so it is cached until something
//! changes.

use super::connections::Connections;
use graph::history_view::HistoryView;
use graph::model::Rev;
use graph::{UserId, World};
use std::collections::HashMap;
use std::sync::Arc;

/// How many users' views are cached at most.
const KEPT_MAX: usize = 8;

/// The history views of one version of the World.
#[derive(Default)]
pub(super) struct HistoryViews {
    version: Option<ViewVersion>,
    by_user: HashMap<UserId, Arc<HistoryView>>,
}

/// Counts everything that changes what users see: batches, and due times that have passed. Equal versions have
/// equal views.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ViewVersion {
    rev: Rev,
    dues_passed: u64,
}

impl ViewVersion {
    pub(super) fn now(world: &World, connections: &Connections) -> Self {
        ViewVersion { rev: world.rev(), dues_passed: connections.dues_passed() }
    }
}

impl HistoryViews {
    /// What a user may see now.
    pub(super) fn of(&mut self, world: &World, now: ViewVersion, user: UserId) -> Arc<HistoryView> {
        if self.version != Some(now) || self.by_user.len() >= KEPT_MAX {
            self.version = Some(now);
            self.by_user.clear();
        }
        let reader = self.by_user.entry(user).or_insert_with(|| Arc::new(HistoryView::of(world, user)));
        Arc::clone(reader)
    }
}
