//! Counts how often a World is looked at, so that tests can measure how costs grow without a clock. It counts only
//! in debug builds.

#[cfg(debug_assertions)]
mod counted {
    use std::cell::Cell;

    thread_local! {
        static LOOKS: Cell<u64> = const { Cell::new(0) };
    }

    pub(crate) fn note() {
        LOOKS.set(LOOKS.get() + 1);
    }

    /// The number of looks of this thread so far.
    pub fn looks() -> u64 {
        LOOKS.get()
    }
}

#[cfg(debug_assertions)]
pub use counted::looks;
#[cfg(debug_assertions)]
pub(crate) use counted::note;

#[cfg(not(debug_assertions))]
#[inline(always)]
pub(crate) fn note() {}
