//! The API, described for programs: OpenAPI of REST and AsyncAPI of the sockets. Both are made from the table of
//! operations and from the shapes of what is sent, and say nothing that is not there.

mod asyncapi;
mod examples;
mod files;
mod inputs;
mod openapi;

pub use files::{File, POLICY, TAG, file, is_at};

use crate::operations::{RELAYS, ROWS, RelayRow, Row};
use crate::wire::Problem;
use serde_json::Value;
use std::collections::HashSet;
use std::sync::LazyLock;

/// What a description is made from. There is one, but for tests.
pub struct Table<'a> {
    pub rows: &'a [Row],
    pub relays: &'a [RelayRow],
}

impl Table<'static> {
    /// The table of the server.
    pub fn whole() -> Self {
        Table { rows: &ROWS, relays: &RELAYS }
    }
}

/// The OpenAPI document, as text. It is the same in every process of a version.
pub static OPENAPI: LazyLock<String> = LazyLock::new(|| text(&openapi::document(&Table::whole())));

/// The AsyncAPI document, as text.
pub static ASYNCAPI: LazyLock<String> = LazyLock::new(|| text(&asyncapi::document(&Table::whole())));

/// Every error of an operation. That of several in one payload may be that of any of them.
fn problems(row: &Row, rows: &[Row]) -> Vec<Problem> {
    let mut problems = row.all_problems();
    if row.takes_operations() {
        let parts = rows.iter().filter(|part| part.can_be_part());
        problems.extend(parts.flat_map(Row::all_problems));
        let mut seen = HashSet::new();
        problems.retain(|problem| seen.insert(problem.name()));
    }
    problems
}

fn text(document: &Value) -> String {
    let mut text = serde_json::to_string_pretty(document).unwrap_or_default();
    text.push('\n');
    text
}

/// The name of an event as an identifier: `node:access:update` is `nodeAccessUpdate`.
fn identifier(event: &str) -> String {
    let mut words = event.split([':', '/', '-']).filter(|word| !word.is_empty());
    let mut name = words.next().unwrap_or_default().to_owned();
    for word in words {
        let mut letters = word.chars().filter(|letter| letter.is_ascii_alphanumeric());
        name.extend(letters.next().map(|letter| letter.to_ascii_uppercase()));
        name.extend(letters);
    }
    name
}

/// The group of an operation: what stands before the first colon of its event.
fn group(event: &str) -> &'static str {
    let group = event.split(':').next().unwrap_or_default();
    GROUPS.iter().map(|(name, _)| *name).find(|name| *name == group).unwrap_or("other")
}

/// The groups of operations, in the order in which they are shown.
const GROUPS: &[(&str, &str)] = &[
    ("graph", "Reading the whole graph, and changing much of it at once."),
    ("branch", "Reading a branch or a publication."),
    ("node", "Nodes: tasks, with who may see them."),
    ("link", "Links: what waits for what."),
    ("access", "What is shown of what others granted."),
    ("trash", "What was thrown away and can be restored."),
    ("history", "Who did what and when; undo and redo."),
    ("batch", "Other names for undo and redo."),
    ("account", "Accounts, sessions, passwords and tokens."),
    ("settings", "What a user sets for themself."),
    ("presence", "Where others are."),
    ("camera", "Where the user's other windows look."),
    ("ws", "The connection."),
    ("other", "Everything else."),
];

#[cfg(test)]
mod tests;
