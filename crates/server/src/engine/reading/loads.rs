//! Loads in progress, kept between their pages.

use super::super::protocol::{ConnectionId, PageRequest};
use graph::load::{Load, Page};
use graph::{Root, UserId, World};
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Whose load it is: each connection has its own, and each user one over REST.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Holder {
    Connection(ConnectionId),
    OverRest(UserId),
}

/// What is loaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Loaded {
    /// The whole graph.
    Graph,
    /// The branch with this root.
    Branch(Root),
}

/// A load and how long it is kept.
type KeptLoad = Option<(Load, Instant)>;

/// The loads of one holder.
#[derive(Default)]
struct KeptLoads {
    graph: KeptLoad,
    /// At most one branch: a load of another replaces it.
    branch: Option<(Root, KeptLoad)>,
}

impl KeptLoads {
    fn of(&mut self, loaded: &Loaded) -> &mut KeptLoad {
        let Loaded::Branch(root) = loaded else { return &mut self.graph };
        if self.branch.as_ref().is_none_or(|(other, _)| other != root) {
            self.branch = None;
        }
        &mut self.branch.get_or_insert_with(|| (root.clone(), None)).1
    }

    fn drop_stale(&mut self, now: Instant) {
        self.graph.take_if(|(_, until)| *until < now);
        self.branch.take_if(|(_, load)| load.as_ref().is_none_or(|(_, until)| *until < now));
    }

    fn is_empty(&self) -> bool {
        self.graph.is_none() && self.branch.is_none()
    }
}

/// Every load in progress.
pub(super) struct Loads {
    kept: Mutex<HashMap<Holder, KeptLoads>>,
    /// How long a load is kept after each page.
    time: Duration,
}

impl Loads {
    /// No loads. Each will be kept so long after each page.
    pub(super) fn new(time: Duration) -> Self {
        Loads { kept: Mutex::default(), time }
    }

    /// A page. A load begun at offset 0 continues as long as each page is requested in time after the page before
    /// it. Any other page is taken from the World as it is and leaves the load alone.
    ///
    /// A holder has one read under way at a time.
    pub(super) fn page(
        &self,
        world: &World,
        holder: Holder,
        loaded: &Loaded,
        asked: PageRequest,
        begin: impl FnOnce() -> Load,
    ) -> Page {
        let PageRequest { limit, offset } = asked;
        let goes_on = self.take(holder, loaded, offset, Instant::now());
        let mut load = match goes_on {
            Some(load) => load,
            None if offset == 0 => begin(),
            None => {
                let mut load = begin();
                load.skip(offset);
                return load.next(world, limit);
            }
        };
        let page = load.next(world, limit);
        let mut kept = self.lock();
        let slot = kept.entry(holder).or_default();
        *slot.of(loaded) = page.has_more.then(|| (load, Instant::now() + self.time));
        page
    }

    /// Takes the load that continues at `offset`. Any other load stays.
    fn take(&self, holder: Holder, loaded: &Loaded, offset: usize, now: Instant) -> Option<Load> {
        let mut kept = self.lock();
        let slot = kept.get_mut(&holder)?.of(loaded);
        let goes_on =
            |(load, until): &mut (Load, Instant)| offset != 0 && load.sent() == offset && *until >= now;
        slot.take_if(goes_on).map(|(load, _)| load)
    }

    /// Forgets the loads of a holder.
    pub(super) fn forget(&self, holder: Holder) {
        self.lock().remove(&holder);
    }

    /// Forgets the loads that have been kept too long.
    pub(super) fn drop_stale(&self, now: Instant) {
        self.lock().retain(|_, loads| {
            loads.drop_stale(now);
            !loads.is_empty()
        });
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Holder, KeptLoads>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
