//! What users may see of history, kept while nothing changes: to gather it takes a look at all that a user sees.

use super::connections::Connections;
use graph::history::Reader;
use graph::model::Rev;
use graph::{UserId, World};
use std::collections::HashMap;
use std::sync::Arc;

/// For how many users at most.
const KEPT_MAX: usize = 8;

/// The readers gathered at one moment.
#[derive(Default)]
pub(super) struct Readers {
    moment: Option<Moment>,
    by_user: HashMap<UserId, Arc<Reader>>,
}

/// A place in the order of all that changes a view: the latest batch, and how often due times have passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Moment {
    rev: Rev,
    dues_passed: u64,
}

impl Moment {
    pub(super) fn now(world: &World, connections: &Connections) -> Self {
        Moment { rev: world.rev(), dues_passed: connections.dues_passed() }
    }
}

impl Readers {
    /// What a user may see now.
    pub(super) fn of(&mut self, world: &World, now: Moment, user: UserId) -> Arc<Reader> {
        if self.moment != Some(now) || self.by_user.len() >= KEPT_MAX {
            self.moment = Some(now);
            self.by_user.clear();
        }
        let reader = self.by_user.entry(user).or_insert_with(|| Arc::new(Reader::of(world, user)));
        Arc::clone(reader)
    }
}
