//! How often something of a World is looked at, so that tests can say how costs grow without asking a clock. Counted in
//! debug builds alone.

#[cfg(debug_assertions)]
mod counted {
    use std::cell::Cell;

    thread_local! {
        static LOOKS: Cell<u64> = const { Cell::new(0) };
    }

    pub(crate) fn note() {
        LOOKS.set(LOOKS.get() + 1);
    }

    /// How many looks this thread has taken so far.
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
