//! A log that fails when a test tells it to.

use super::PATIENCE;
use graph::model::Rev;
use graph::world::Due;
use graph::{BatchId, Committed, NodeId, Timestamp, TokenId, World};
use std::collections::{HashMap, HashSet};
use std::mem;
use std::ops::Deref;
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;
use store::{
    Abandon, Decide, HistoryPage, HistoryQuery, HistoryReader, LoadScope, Log, LogError, Past, Pruned,
    Pruner, Remembered, SqliteLog, StopSign, Upkeep,
};

/// The faults that a test can cause.
#[derive(Default)]
pub struct Knobs {
    state: Mutex<State>,
    turned: Condvar,
}

#[derive(Default)]
struct State {
    hold: bool,
    held: bool,
    /// How many commits may return although commits are held.
    let_pass: usize,
    hold_writing: bool,
    slowness: Duration,
    writing_held: bool,
    refusals: usize,
    doubtful: bool,
    panic_on: Option<BatchId>,
    unreadable: Option<(BatchId, fn() -> LogError)>,
    prunings: Vec<fn() -> LogError>,
    before_load: Option<Box<dyn FnOnce() + Send>>,
    groups: Vec<usize>,
    hold_pages: bool,
    page_held: bool,
    looks: usize,
    sought: HashSet<BatchId>,
}

impl Knobs {
    /// From now on no commit returns.
    pub fn hold(&self) {
        self.state.lock().unwrap().hold = true;
    }

    /// Waits until a commit is held.
    pub fn until_held(&self) {
        self.until(|state| state.held);
    }

    pub fn release(&self) {
        self.state.lock().unwrap().hold = false;
        self.turned.notify_all();
    }

    /// Lets one held commit return.
    pub fn release_one(&self) {
        self.state.lock().unwrap().let_pass += 1;
        self.turned.notify_all();
    }

    /// From now on no commit begins to be written.
    pub fn hold_writing(&self) {
        self.state.lock().unwrap().hold_writing = true;
    }

    /// Waits until a commit is held before it is written.
    pub fn until_writing_held(&self) {
        self.until(|state| state.writing_held);
    }

    /// From now on every commit takes that much longer.
    pub fn slow_down(&self, by: Duration) {
        self.state.lock().unwrap().slowness = by;
    }

    pub fn release_writing(&self) {
        self.state.lock().unwrap().hold_writing = false;
        self.turned.notify_all();
    }

    /// From now on no page of history is found.
    pub fn hold_pages(&self) {
        self.state.lock().unwrap().hold_pages = true;
    }

    /// Waits until a page of history is held: found but not yet sent.
    pub fn until_page_held(&self) {
        self.until(|state| state.page_held);
    }

    pub fn release_pages(&self) {
        self.state.lock().unwrap().hold_pages = false;
        self.turned.notify_all();
    }

    /// The next commits, this many, are refused, as on a full disk.
    pub fn refuse(&self, commits: usize) {
        self.state.lock().unwrap().refusals = commits;
    }

    /// The outcome of the next commit is unknown; it is on disk.
    pub fn doubt(&self) {
        self.state.lock().unwrap().doubtful = true;
    }

    /// Deciding a request with this name panics.
    pub fn panic_on(&self, id: BatchId) {
        self.state.lock().unwrap().panic_on = Some(id);
    }

    /// The next lookup of a batch with this name fails.
    pub fn fail_on(&self, id: BatchId, error: fn() -> LogError) {
        self.state.lock().unwrap().unreadable = Some((id, error));
    }

    /// The next prunings fail, the last of these first. A pruning that panics does so.
    pub fn fail_pruning(&self, errors: Vec<fn() -> LogError>) {
        self.state.lock().unwrap().prunings = errors;
    }

    /// Whether a pruning is still to fail.
    pub fn is_to_fail_pruning(&self) -> bool {
        !self.state.lock().unwrap().prunings.is_empty()
    }

    /// What happens just before the World is reloaded.
    pub fn before_load(&self, happens: impl FnOnce() + Send + 'static) {
        self.state.lock().unwrap().before_load = Some(Box::new(happens));
    }

    /// How many batches each group committed, since the last call.
    pub fn groups(&self) -> Vec<usize> {
        mem::take(&mut self.state.lock().unwrap().groups)
    }

    /// How often the log was polled for other processes' batches.
    pub fn looks(&self) -> usize {
        self.state.lock().unwrap().looks
    }

    /// Waits until a mutation with this name is being decided.
    pub fn until_sought(&self, id: BatchId) {
        drop(
            self.turned.wait_while(self.state.lock().unwrap(), |state| !state.sought.contains(&id)).unwrap(),
        );
    }

    fn until(&self, so: impl Fn(&State) -> bool) {
        let state = self.state.lock().unwrap();
        let (_state, waited) = self.turned.wait_timeout_while(state, PATIENCE, |state| !so(state)).unwrap();
        assert!(!waited.timed_out(), "waited in vain for a commit or a lookup");
    }

    fn take_refusal(&self) -> bool {
        let mut state = self.state.lock().unwrap();
        let refuse = state.refusals > 0;
        state.refusals -= usize::from(refuse);
        refuse
    }

    fn pass(&self, group: usize) {
        let mut state = self.state.lock().unwrap();
        state.groups.push(group);
        state.held = state.hold;
        self.turned.notify_all();
        let mut state = self.turned.wait_while(state, |state| state.hold && state.let_pass == 0).unwrap();
        state.let_pass = state.let_pass.saturating_sub(1);
        state.held = false;
    }

    fn before_writing(&self) {
        let slowness = self.state.lock().unwrap().slowness;
        std::thread::sleep(slowness);
        let mut state = self.state.lock().unwrap();
        state.writing_held = state.hold_writing;
        self.turned.notify_all();
        let mut state = self.turned.wait_while(state, |state| state.hold_writing).unwrap();
        state.writing_held = false;
    }
}

/// A log that obeys its faults.
pub struct OddLog {
    pub log: SqliteLog,
    pub knobs: Arc<Knobs>,
}

impl Log for OddLog {
    fn load(&mut self, scope: LoadScope) -> Result<World, LogError> {
        let happens = self.knobs.state.lock().unwrap().before_load.take();
        if let Some(happens) = happens {
            happens();
        }
        self.log.load(scope)
    }

    fn changed(&mut self) -> Result<bool, LogError> {
        self.knobs.state.lock().unwrap().looks += 1;
        self.log.changed()
    }

    fn transact(&mut self, head: Rev, decide: &mut Decide<'_>) -> Result<Rev, LogError> {
        self.knobs.before_writing();
        let refuse = self.knobs.take_refusal();
        let mut group = 0;
        let committed = self.log.transact(head, &mut |news, past| {
            let proposals = decide(news, &OddPast { past, knobs: &*self.knobs })?;
            group = proposals.len();
            if refuse { Err(Abandon) } else { Ok(proposals) }
        });
        match committed {
            Err(LogError::Abandoned) if refuse => Err(LogError::Refused("the disk is full".into())),
            Ok(_) if mem::take(&mut self.knobs.state.lock().unwrap().doubtful) => {
                Err(LogError::Unknown("the disk did not say".into()))
            }
            Ok(rev) => {
                self.knobs.pass(group);
                Ok(rev)
            }
            Err(error) => Err(error),
        }
    }

    fn since(&mut self, head: Rev) -> Result<Vec<Committed>, LogError> {
        self.log.since(head)
    }

    fn past(&self) -> &dyn Past {
        self.log.past()
    }

    fn open_past(&self) -> Result<Box<dyn Past + Send>, LogError> {
        Ok(Box::new(OddPast { past: self.log.open_past()?, knobs: Arc::clone(&self.knobs) }))
    }

    fn history(&self) -> Result<Box<dyn HistoryReader>, LogError> {
        Ok(Box::new(OddHistory { history: self.log.history()?, knobs: Arc::clone(&self.knobs) }))
    }

    fn pruner(&self, retention: store::Retention) -> Result<Box<dyn Pruner>, LogError> {
        let (pruner, knobs) = (self.log.pruner(retention)?, Arc::clone(&self.knobs));
        Ok(Box::new(OddPruner { pruner, knobs }))
    }

    fn checkpoint(&mut self) -> Result<(), LogError> {
        self.log.checkpoint()
    }

    fn note_expired(&mut self, expired: &[(Due, Timestamp)]) -> Result<(), LogError> {
        self.log.note_expired(expired)
    }

    fn touch_tokens(&mut self, used: &[(TokenId, Timestamp)]) -> Result<(), LogError> {
        self.log.touch_tokens(used)
    }

    fn tokens_last_used(&mut self) -> Result<HashMap<TokenId, Timestamp>, LogError> {
        self.log.tokens_last_used()
    }
}

struct OddPruner {
    pruner: Box<dyn Pruner>,
    knobs: Arc<Knobs>,
}

impl Pruner for OddPruner {
    fn heed(&mut self, stop: StopSign) {
        self.pruner.heed(stop);
    }

    fn prune_some(&mut self, now: Timestamp, most: usize) -> Result<Pruned, LogError> {
        let fails = self.knobs.state.lock().unwrap().prunings.pop();
        match fails {
            Some(fails) => Err(fails()),
            None => self.pruner.prune_some(now, most),
        }
    }

    fn keep_up(&mut self) -> Result<Upkeep, LogError> {
        self.pruner.keep_up()
    }
}

struct OddPast<P, K> {
    past: P,
    knobs: K,
}

impl<P: Deref<Target: Past>, K: Deref<Target = Knobs>> Past for OddPast<P, K> {
    fn batch(&self, id: BatchId) -> Result<Option<Remembered>, LogError> {
        self.knobs.state.lock().unwrap().sought.insert(id);
        self.knobs.turned.notify_all();
        let panics = self.knobs.state.lock().unwrap().panic_on == Some(id);
        assert!(!panics, "a fault, made for the test");
        let unreadable = self.knobs.state.lock().unwrap().unreadable.take_if(|(name, _)| *name == id);
        if let Some((_, error)) = unreadable {
            return Err(error());
        }
        self.past.batch(id)
    }

    fn chain(&self, id: BatchId) -> Result<Option<store::PastChain>, LogError> {
        self.past.chain(id)
    }
}

struct OddHistory {
    history: Box<dyn HistoryReader>,
    knobs: Arc<Knobs>,
}

impl HistoryReader for OddHistory {
    fn heed(&mut self, stop: StopSign) {
        self.history.heed(stop);
    }

    fn page_before(&mut self, query: &HistoryQuery, before: Rev) -> Result<HistoryPage, LogError> {
        let page = self.history.page_before(query, before);
        let mut state = self.knobs.state.lock().unwrap();
        state.page_held = state.hold_pages;
        self.knobs.turned.notify_all();
        self.knobs.turned.wait_while(state, |state| state.hold_pages).unwrap().page_held = false;
        page
    }

    fn rev_by(&mut self, at: Timestamp) -> Result<Rev, LogError> {
        self.history.rev_by(at)
    }

    fn titles(&mut self, nodes: &HashSet<NodeId>) -> Result<HashMap<NodeId, String>, LogError> {
        self.history.titles(nodes)
    }
}
