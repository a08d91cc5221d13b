//! The table of operations, printed for programs and for people.

use super::row::{CREDENTIALS, Callers};
use super::{Field, Method, OWN_BYTES_MAX, RELAYS, ROWS, RelayRow, Row};
use crate::limits::{NamedLimit, RELAY};
use crate::wire::Problem;
use graph::Reason;
use serde_json::{Value, json};
use std::fmt::Write;

impl Row {
    /// Every error that an operation may answer, in the order of the checks.
    pub fn all_errors(&self) -> Vec<String> {
        self.all_problems().iter().map(Problem::name).collect()
    }

    /// The same, with what it is over HTTP.
    pub fn all_problems(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        // Over a socket these arise before there is an event: at connection, or from the size of a message.
        if self.method.is_some() {
            problems.push(Problem::PayloadTooLarge);
            if self.callers != Callers::Anyone {
                problems.extend([Problem::Unauthorized, Problem::api_not_allowed()]);
            }
            if self.callers == Callers::Session {
                problems.push(Problem::Session);
            }
            if self.is_change() {
                problems.extend([Problem::Origin, Problem::Encoding]);
            }
        }
        if self.is_change() && self.callers == Callers::Known {
            problems.push(Problem::read_only());
        }
        problems.push(Problem::malformed(""));
        problems.extend(self.payload_errors().into_iter().map(Problem::from));
        if self.is_mutation() {
            problems.push(Reason::BatchIdConflict.into());
        }
        problems.push(Problem::limited(1));
        problems.extend(self.errors.iter().copied().map(Problem::from));
        problems.extend(self.failures.iter().cloned());
        problems.push(Problem::unavailable());
        if self.is_change() {
            problems.push(Problem::storage());
        }
        problems.push(Problem::exception());
        let mut seen = std::collections::HashSet::new();
        problems.retain(|problem| seen.insert(problem.name()));
        problems
    }
}

/// The table as data.
pub fn table_json() -> Value {
    Value::Array(ROWS.iter().map(row_json).chain(RELAYS.iter().map(relay_json)).collect())
}

fn row_json(row: &Row) -> Value {
    json!({
        "event": row.event,
        "about": row.about,
        "overSockets": !row.over_rest_alone,
        "method": row.method.map(Method::name),
        "paths": row.paths,
        "input": row.fields.iter().map(field_json).collect::<Vec<Value>>(),
        "output": row.output(),
        "errors": row.all_errors(),
        "limit": limit_json(row.limit),
        "credentials": row.credentials,
    })
}

fn relay_json(relay: &RelayRow) -> Value {
    json!({
        "event": relay.event,
        "relay": true,
        "passedOnAs": relay.passed_on_as,
        "to": relay.to,
        "input": relay.fields.iter().map(field_json).collect::<Vec<Value>>(),
        "ownFieldsBytes": if relay.is_open() { OWN_BYTES_MAX } else { 0 },
        "limit": limit_json(RELAY),
        "credentials": CREDENTIALS,
    })
}

fn limit_json(limit: NamedLimit) -> Value {
    let NamedLimit { name, default } = limit;
    json!({ "name": name, "count": default.count, "windowSeconds": default.window_ms / 1000 })
}

fn field_json(field: &Field) -> Value {
    let default = field.default.as_deref().and_then(|default| serde_json::from_str::<Value>(default).ok());
    let mut described = json!({
        "name": field.name,
        "type": field.json_type(),
        "required": field.missing.is_some(),
        "limits": field.schema.limits,
    });
    if let (Some(default), Some(described)) = (default, described.as_object_mut()) {
        described.insert("default".to_owned(), default);
    }
    described
}

/// The table for people, one paragraph per operation.
pub fn table_text() -> String {
    let mut text = String::new();
    for row in ROWS.iter() {
        write_row(row, &mut text);
    }
    for relay in RELAYS.iter() {
        write_relay(relay, &mut text);
    }
    text
}

fn write_relay(relay: &RelayRow, text: &mut String) {
    // Writing to a String cannot fail.
    let _ = writeln!(text, "{}\n  relayed as {}, not stored", relay.event, relay.passed_on_as);
    for field in &relay.fields {
        write_field(field, text);
    }
    if relay.is_open() {
        let _ = writeln!(text, "  takes   any other fields, {OWN_BYTES_MAX} bytes of JSON in all");
    }
    let _ = writeln!(text, "  with    {CREDENTIALS}");
    let _ = writeln!(text, "  to      {}", relay.to);
    let _ = writeln!(
        text,
        "  limit   {} in {} s and socket; beyond it the oldest unsent is dropped\n",
        RELAY.default.count,
        RELAY.default.window_ms / 1000
    );
}

fn write_row(row: &Row, text: &mut String) {
    let _ = writeln!(text, "{}\n  does    {}", row.event, row.about);
    if let Some(method) = row.method {
        let paths: Vec<String> = row.paths.iter().map(|path| format!("{} {path}", method.name())).collect();
        let _ = writeln!(text, "  rest    {}", paths.join(", "));
    }
    if row.over_rest_alone {
        let _ = writeln!(text, "  not over sockets");
    }
    for field in &row.fields {
        write_field(field, text);
    }
    let NamedLimit { name, default } = row.limit;
    let (count, window_s) = (default.count, default.window_ms / 1000);
    let _ = writeln!(text, "  with    {}", row.credentials);
    let _ = writeln!(text, "  gives   {}", row.output());
    let _ = writeln!(text, "  limit   {count} in {window_s} s, counted as \"{name}\"");
    let _ = writeln!(text, "  errors  {}\n", row.all_errors().join(", "));
}

fn write_field(field: &Field, text: &mut String) {
    let need = match (field.missing, &field.default) {
        (Some(_), _) => "required".to_owned(),
        (None, Some(default)) => format!("default {default}"),
        (None, None) => "optional".to_owned(),
    };
    let (kind, limits) = (field.json_type(), &field.schema.limits);
    let _ = writeln!(text, "  takes   {}: {kind}, {limits} ({need})", field.name);
}
