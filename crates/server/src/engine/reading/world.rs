//! The reading World: a second World, which follows the engine's in the same order, so that a read holds up no
//! mutation. It shares the entities with the engine's World and has indices of its own.

use super::super::thread::end_process;
use super::publications::Publications;
use graph::model::Rev;
use graph::{Batch, Timestamp, World};
use std::ops::Deref;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Instant;

/// A place in the order of everything that changes what users see: of groups of batches and of due times that
/// pass, which have no rev of their own.
pub(in super::super) type Position = u64;

/// With this many entries waiting in the feed, an idle reader is woken to take them up.
const WAKE_AT: usize = 1_000;
/// With this many entries waiting in the feed, the engine itself takes them up, and waits for the reads under way.
/// It bounds the feed while a read lasts for as long as a million changes.
const WAITING_MAX: usize = 1_000_000;

/// Something that changes the engine's World, and in its turn the reading World.
pub(in super::super) enum News {
    /// A batch that is on disk.
    Batch(Arc<Batch>),
    /// Due times have passed up to this time, or the clock was set back to it.
    Clock(Timestamp),
    /// The engine has loaded its World anew.
    Reloaded(Box<World>),
    /// History no longer remembers what was deleted for good at or before this rev.
    Forgotten(Rev),
}

impl News {
    fn entries(&self) -> usize {
        match self {
            News::Batch(batch) => 1 + batch.entries.len(),
            _ => 1,
        }
    }

    fn apply(self, at: &mut WorldAt) {
        let WorldAt { world, publications, .. } = at;
        match self {
            News::Batch(batch) => {
                // The engine's clock when the batch was decided. No due time passes here that was not news before.
                world.advance(batch.at);
                world.apply(&batch);
                publications.follow(&batch);
            }
            News::Clock(now) => world.set_clock(now),
            News::Reloaded(other) => {
                *world = *other;
                publications.clear();
            }
            News::Forgotten(rev) => world.forget_gone(rev),
        }
    }
}

/// The World at one position.
pub(in super::super) struct WorldAt {
    world: World,
    position: Position,
    publications: Publications,
}

impl WorldAt {
    /// The lists of its publications.
    pub(super) fn publications(&self) -> &Publications {
        &self.publications
    }

    /// The position.
    pub(super) fn position(&self) -> Position {
        self.position
    }
}

impl Deref for WorldAt {
    type Target = World;

    fn deref(&self) -> &World {
        &self.world
    }
}

/// The reading World and its feed.
pub(in super::super) struct ReadingWorld {
    at: RwLock<WorldAt>,
    feed: Mutex<Feed>,
}

struct Feed {
    waiting: Vec<News>,
    entries: usize,
    /// The position after everything that waits.
    end: Position,
}

impl ReadingWorld {
    /// Begins as the given World is.
    pub(super) fn new(world: World) -> Self {
        let feed = Feed { waiting: Vec::new(), entries: 0, end: 0 };
        let at = WorldAt { world, position: 0, publications: Publications::default() };
        ReadingWorld { at: RwLock::new(at), feed: Mutex::new(feed) }
    }

    /// Puts news into the feed, all at one new position, and returns it; also whether a reader should take them up.
    /// Does not wait for reads, unless the feed is full.
    pub(super) fn feed(&self, news: Vec<News>) -> (Position, bool) {
        let (end, before, entries) = {
            let mut feed = self.lock_feed();
            let before = feed.entries;
            feed.entries += news.iter().map(News::entries).sum::<usize>();
            feed.waiting.extend(news);
            feed.end += 1;
            (feed.end, before, feed.entries)
        };
        if entries >= WAITING_MAX {
            drop(self.taken_up(self.write()));
        }
        (end, before < WAKE_AT && entries >= WAKE_AT)
    }

    /// Puts news into the feed that change no answer, and so have no position.
    pub(super) fn note(&self, news: News) {
        let mut feed = self.lock_feed();
        feed.entries += news.entries();
        feed.waiting.push(news);
    }

    /// Takes up what waits in the feed.
    pub(super) fn catch_up(&self) {
        drop(self.taken_up(self.write()));
    }

    /// The World at a position that is not before the given one. It stands still until the guard is dropped.
    pub(super) fn since(&self, position: Position) -> RwLockReadGuard<'_, WorldAt> {
        let at = self.at.read().unwrap_or_else(PoisonError::into_inner);
        if at.position >= position {
            return at;
        }
        drop(at);
        RwLockWriteGuard::downgrade(self.taken_up(self.write()))
    }

    fn taken_up<'w>(&self, mut at: RwLockWriteGuard<'w, WorldAt>) -> RwLockWriteGuard<'w, WorldAt> {
        let (news, end) = {
            let mut feed = self.lock_feed();
            feed.entries = 0;
            (std::mem::take(&mut feed.waiting), feed.end)
        };
        let applied =
            catch_unwind(AssertUnwindSafe(|| news.into_iter().for_each(|news| news.apply(&mut at))));
        if applied.is_err() {
            end_process("the reading World failed");
        }
        at.position = end;
        at.publications.drop_stale(Instant::now());
        at
    }

    fn write(&self) -> RwLockWriteGuard<'_, WorldAt> {
        self.at.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock_feed(&self) -> MutexGuard<'_, Feed> {
        self.feed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
