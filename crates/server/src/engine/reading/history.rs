//! Pages of history. A reader finds out what is asked for, the archive searches, and a reader judges what was found.

use super::super::archive::FoundPage;
use super::super::protocol::{Caller, Outcome, PageOfHistory, RequestedScope};
use super::{Position, Readers};
use graph::history_view::{HistorySight, HistoryView};
use graph::{Batch, Entry, Reason, Refusal, UserId, World, access};
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};
use store::HistoryScope;

/// For how long a search judges batch by batch. After that it finds out at once all that its reader sees, if that
/// takes longer than a batch does: where nodes lie deep, each judgement is a long climb.
const ONE_BY_ONE: Duration = Duration::from_millis(50);

/// What a user sees of history, found out when it is asked for.
pub(super) struct Sight {
    readers: Arc<Readers>,
    user: UserId,
    /// The position at which the page was requested.
    since: Position,
    /// Nanoseconds spent on judging one by one.
    spent: AtomicU64,
    whole: OnceLock<Arc<HistoryView>>,
}

impl fmt::Debug for Sight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sight").field("user", &self.user).finish_non_exhaustive()
    }
}

impl Sight {
    pub(super) fn new(readers: Arc<Readers>, user: UserId, since: Position) -> Self {
        Sight { readers, user, since, spent: AtomicU64::new(0), whole: OnceLock::new() }
    }

    /// Judges some entries, holding the World only for that.
    fn judge(&self, entries: &[Entry], sees: impl Fn(&HistoryView) -> bool) -> bool {
        if let Some(whole) = self.whole.get() {
            return sees(whole);
        }
        let begun = Instant::now();
        let view = HistoryView::of_entries(&self.readers.world.since(self.since), self.user, entries);
        let took = u64::try_from(begun.elapsed().as_nanos()).unwrap_or(u64::MAX);
        let spent = self.spent.fetch_add(took, Ordering::Relaxed).saturating_add(took);
        if u128::from(spent) > ONE_BY_ONE.as_nanos() {
            self.whole();
        }
        sees(&view)
    }
}

impl HistorySight for Sight {
    fn user(&self) -> UserId {
        self.user
    }

    fn sees_everything(&self) -> bool {
        false
    }

    fn sees_entry(&self, entry: &Entry) -> bool {
        self.judge(std::slice::from_ref(entry), |view| view.sees_entry(entry))
    }

    fn sees_batch(&self, batch: &Batch) -> bool {
        self.judge(&batch.entries, |view| view.sees_batch(batch))
    }

    fn whole(&self) -> Arc<HistoryView> {
        let whole = || Arc::new(HistoryView::of(&self.readers.world.since(self.since), self.user));
        Arc::clone(self.whole.get_or_init(whole))
    }

    fn whole_within(&self, most: usize) -> Option<Arc<HistoryView>> {
        let whole = HistoryView::of_at_most(&self.readers.world.since(self.since), self.user, most)?;
        Some(Arc::clone(self.whole.get_or_init(|| Arc::new(whole))))
    }
}

/// The scope that a caller asked for.
///
/// # Errors
/// Why they may not.
pub(super) fn scope(world: &World, caller: Caller, asked: RequestedScope) -> Result<HistoryScope, Refusal> {
    Ok(match asked {
        RequestedScope::Everything => HistoryScope::Everything,
        RequestedScope::Own => HistoryScope::By(caller.account),
        RequestedScope::User(user) if user == caller.account => HistoryScope::By(user),
        RequestedScope::User(_) | RequestedScope::Unfit => return Err(Reason::InvalidScope.into()),
        RequestedScope::Graph(root) => {
            if access::placement(world, caller.user, root).is_none() {
                return Err(Reason::NodeNotFound.into());
            }
            let nodes = access::placed_under(world, [root]);
            let links = nodes.iter().flat_map(|id| world.link_ids_at(*id)).map(|id| id.0);
            HistoryScope::Touching(Arc::new(links.chain(nodes.iter().map(|id| id.0)).collect()))
        }
    })
}

/// A page as its reader sees it now. What has left their view since the search is left out.
pub(super) fn judged(world: &World, user: UserId, found: FoundPage) -> Outcome {
    let FoundPage { mut past, people, until, .. } = found;
    let view = HistoryView::of_entries(world, user, past.batches.iter().flat_map(|past| &past.batch.entries));
    past.batches.retain(|past| view.sees_batch(&past.batch));
    let page = PageOfHistory { past, reader: Arc::new(view), people };
    Outcome::History { page: Box::new(page), rev: until }
}
