//! An example of each error, as the server has answered it. The stories record them and hold them against what the
//! server answers.

use serde_json::Value;
use std::sync::LazyLock;

static EXAMPLES: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(include_str!("examples.json")).unwrap_or_default());

/// The answer of a request that failed with an error.
pub fn of(error: &str) -> Option<&'static Value> {
    EXAMPLES.get(error)
}
