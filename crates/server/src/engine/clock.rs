//! The one place where the engine reads the time.

use graph::Timestamp;
use std::time::{SystemTime, UNIX_EPOCH};

/// The current time. A clock before 1970 counts as 1970. The World ignores a clock that runs backwards.
pub(crate) fn now() -> Timestamp {
    #[expect(clippy::disallowed_methods, reason = "this is that one place")]
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_ms(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
