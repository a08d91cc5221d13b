//! The text of something that many connections are sent. The first to send it writes it, the others share it.

use serde_json::value::RawValue;
use std::sync::{Arc, Mutex, PoisonError, Weak};

/// A text longer than this is shared only while somebody is sending it. It is written again for those who send it later: a
/// connection that drains slowly must not hold a large text for as long as it waits.
const KEPT_BYTES_MAX: usize = 16 << 10;

/// A place for a text. A clone has a place of its own, which is empty.
#[derive(Debug, Default)]
pub struct SharedText(Mutex<Slot>);

#[derive(Debug, Default)]
enum Slot {
    #[default]
    Empty,
    Kept(Arc<RawValue>),
    Passing(Weak<RawValue>),
}

impl SharedText {
    /// The text. If nobody has it, `write` is called, and others who ask meanwhile wait.
    pub fn get_or_write(&self, write: impl FnOnce() -> Box<RawValue>) -> Arc<RawValue> {
        let mut slot = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let there = match &*slot {
            Slot::Empty => None,
            Slot::Kept(text) => Some(Arc::clone(text)),
            Slot::Passing(text) => text.upgrade(),
        };
        there.unwrap_or_else(|| {
            let text: Arc<RawValue> = write().into();
            *slot = if text.get().len() <= KEPT_BYTES_MAX {
                Slot::Kept(Arc::clone(&text))
            } else {
                Slot::Passing(Arc::downgrade(&text))
            };
            text
        })
    }
}

impl Clone for SharedText {
    fn clone(&self) -> Self {
        SharedText::default()
    }
}

/// The text follows from what it is the text of, so it makes no difference.
impl PartialEq for SharedText {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    // Rules: P35.
    #[test]
    fn p35_a_text_is_written_once_and_a_large_one_is_held_only_while_it_is_sent() {
        let written = Cell::new(0);
        let write = |bytes: usize| {
            written.set(written.get() + 1);
            RawValue::from_string(format!("\"{}\"", "x".repeat(bytes))).unwrap()
        };
        let small = SharedText::default();
        for _ in 0..3 {
            assert_eq!(small.get_or_write(|| write(100)).get().len(), 102);
        }
        assert_eq!(written.get(), 1);

        let large = SharedText::default();
        let sent = [(); 3].map(|()| large.get_or_write(|| write(KEPT_BYTES_MAX)));
        assert_eq!(written.get(), 2, "all three send the same text");
        let held = Arc::downgrade(&sent[0]);
        drop(sent);
        assert_eq!(held.strong_count(), 0);
        large.get_or_write(|| write(KEPT_BYTES_MAX));
        assert_eq!(written.get(), 3);
    }
}
