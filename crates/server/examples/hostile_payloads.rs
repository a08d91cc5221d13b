//! Prints the table of hostile payloads, one JSON object a line: `{"event", "payload", "code"}`, the payload as its text.
//! The client stories send every one of them to a running server. What has no event is left out.

#[allow(dead_code)] // the tests use more of it
#[path = "../tests/hostile/table.rs"]
mod table;

use std::io::{BufWriter, Result, Write as _, stdout};

fn main() -> Result<()> {
    let mut out = BufWriter::new(stdout().lock());
    let with_event = |case: &table::Case| synaptask::operations::by_event(case.event).is_some();
    for table::Case { event, payload, code } in table::table().into_iter().filter(with_event) {
        let line = serde_json::json!({ "event": event, "payload": payload, "code": code });
        writeln!(out, "{line}")?;
    }
    out.flush()
}
