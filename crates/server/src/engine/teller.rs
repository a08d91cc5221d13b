//! The teller: sends what many connections are told in a task of its own, so that the engine goes on meanwhile. The
//! tasks that it wakes are at hand there, which is cheaper than waking them from the engine's thread.
//!
//! Everything leaves in the order in which it was given: what few are told is sent at once, but only when nothing
//! given before is still being sent.

use super::held_back::Message;
use super::protocol::ConnectionSink;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use tokio::runtime::Handle;
use tokio::sync::mpsc::{Receiver, Sender, channel};

/// From so many deliveries on, they are left to the task.
const MANY: usize = 32;
/// How many bundles may wait for the task. Then the engine waits.
const BUNDLES_MAX: usize = 256;

/// A message, and the connection that it is for.
pub(super) type Delivery = (Arc<dyn ConnectionSink>, Message);

enum Bundle {
    Deliveries(Vec<Delivery>),
    /// To be told once everything before has been sent.
    Flush(mpsc::Sender<()>),
}

/// The engine's end.
pub(super) struct Teller {
    bundles: Sender<Bundle>,
    /// How many bundles have not been sent yet.
    pending: Arc<AtomicUsize>,
}

impl Teller {
    /// Starts the task. Outside of a runtime there is none, and everything is sent at once.
    pub(super) fn start() -> Self {
        let (bundles, waiting) = channel(BUNDLES_MAX);
        let pending = Arc::new(AtomicUsize::new(0));
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(send_all(waiting, Arc::clone(&pending)));
        }
        Teller { bundles, pending }
    }

    /// Sends messages in this order.
    pub(super) fn send(&self, deliveries: Vec<Delivery>) {
        if deliveries.len() < MANY && self.pending.load(Ordering::Acquire) == 0 {
            return deliveries.into_iter().for_each(deliver);
        }
        self.pending.fetch_add(1, Ordering::Relaxed);
        // Without the task nothing was given to it that could be overtaken.
        if let Err(unsent) = self.bundles.blocking_send(Bundle::Deliveries(deliveries)) {
            self.pending.fetch_sub(1, Ordering::Relaxed);
            if let Bundle::Deliveries(deliveries) = unsent.0 {
                deliveries.into_iter().for_each(deliver);
            }
        }
    }

    /// Waits until everything has been sent.
    pub(super) fn flush(&self) {
        let (done, flushed) = mpsc::channel();
        if self.bundles.blocking_send(Bundle::Flush(done)).is_ok() {
            // An error means that the task is gone.
            let _ = flushed.recv();
        }
    }
}

async fn send_all(mut waiting: Receiver<Bundle>, pending: Arc<AtomicUsize>) {
    while let Some(bundle) = waiting.recv().await {
        match bundle {
            Bundle::Deliveries(deliveries) => {
                deliveries.into_iter().for_each(deliver);
                pending.fetch_sub(1, Ordering::Release);
            }
            Bundle::Flush(done) => {
                // The thread that wanted to know may be gone.
                let _ = done.send(());
            }
        }
    }
}

/// A message that panics must keep the others from nothing.
fn deliver((outbox, message): Delivery) {
    if catch_unwind(AssertUnwindSafe(|| message.send(&*outbox))).is_err() {
        tracing::error!("internal error: a message could not be sent");
    }
}

#[cfg(test)]
mod tests {
    use super::super::protocol::Outcome;
    use super::*;
    use std::sync::Mutex;
    use std::thread;

    struct Nowhere;

    impl ConnectionSink for Nowhere {
        fn diff(&self, _: &[Arc<super::super::DiffPart>]) {}
        fn missed(&self, _: Arc<super::super::DiffPart>) {}
        fn published(&self, _: Arc<super::super::Published>) {}
        fn viewed(&self, _: Arc<graph::model::User>) {}
        fn relay(&self, _: Arc<super::super::Relayed>) {}
        fn close(&self) {}
    }

    /// What is given in bundles of these sizes, as it was sent, and the number of threads that sent it.
    fn sent(bundles: &[usize]) -> (Vec<usize>, usize) {
        let (log, outbox) = (Arc::new(Mutex::new(Vec::new())), Arc::new(Nowhere) as Arc<dyn ConnectionSink>);
        let teller = Teller::start();
        let mut next = 0..;
        for size in bundles {
            let deliveries = next.by_ref().take(*size).map(|n| {
                let log = Arc::clone(&log);
                let note = move |_| {
                    log.lock().unwrap().push((n, thread::current().id()));
                    assert!(n != 7, "one of them panics");
                };
                (Arc::clone(&outbox), Message::Answer(Box::new(note), Box::new(Outcome::PassedOn)))
            });
            teller.send(deliveries.collect());
        }
        teller.flush();
        let log = log.lock().unwrap();
        let mut threads: Vec<_> = log.iter().map(|(_, thread)| *thread).collect();
        threads.dedup();
        (log.iter().map(|(n, _)| *n).collect(), threads.len())
    }

    // Rules: P4.
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn p4_what_many_are_told_overtakes_nothing_and_is_not_overtaken() {
        let bundles = [1, 500, 1, 1, 2_000, 40, 1, 1, 300, 2];
        let all: Vec<usize> = (0..bundles.iter().sum()).collect();
        for _ in 0..20 {
            let (order, threads) = tokio::task::spawn_blocking(move || sent(&bundles)).await.unwrap();
            assert_eq!(order, all);
            assert!(threads > 1, "the many were sent elsewhere");
        }
        // Outside of a runtime.
        assert_eq!(thread::spawn(move || sent(&bundles)).join().unwrap(), (all, 1));
    }
}
