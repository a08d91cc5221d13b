//! The sign that ends long reads and pruning early.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A sign that starts unset and is set once. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct StopSign(Arc<AtomicBool>);

impl StopSign {
    /// Sets the sign permanently.
    pub fn set(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether it is set.
    pub fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
