//! The table as it is printed: for programs and for people.

use super::rows::CREDENTIALS;
use super::{Field, Need, OWN_BYTES_MAX, RELAYS, ROWS, RelayRow, Row};
use crate::limits::RELAY;
use crate::wire::Problem;
use graph::Reason;
use serde_json::{Value, json};
use std::fmt::Write;

impl Row {
    /// Every error an operation may answer, as it is written, in the order they are checked.
    pub fn all_errors(&self) -> Vec<String> {
        let mut errors = Vec::new();
        // Over a socket these are settled before there is an event: when it connects, or by the size of its message.
        if self.method.is_some() {
            errors.extend([Problem::PayloadTooLarge.name(), Problem::Unauthorized.name()]);
            if self.is_mutation() {
                errors.extend([Problem::Origin.name(), Problem::Encoding.name()]);
            }
        }
        errors.push(Problem::malformed("").name());
        errors.extend(self.payload_errors().into_iter().map(reason_name));
        if self.is_mutation() {
            errors.push(reason_name(Reason::BatchIdConflict));
        }
        errors.push(Problem::limited(1).name());
        errors.extend(self.errors.iter().copied().map(reason_name));
        errors.push(Problem::unavailable().name());
        if self.is_mutation() {
            errors.push(Problem::storage().name());
        }
        errors.push(Problem::exception().name());
        let mut seen = std::collections::HashSet::new();
        errors.retain(|error| seen.insert(error.clone()));
        errors
    }
}

fn reason_name(reason: Reason) -> String {
    format!("{}.{}", reason.class().name(), reason.code())
}

/// The table as data.
pub fn table_json() -> Value {
    Value::Array(ROWS.iter().map(row_json).chain(RELAYS.iter().map(relay_json)).collect())
}

fn row_json(row: &Row) -> Value {
    json!({
        "event": row.event,
        "method": row.method.map(super::Method::name),
        "paths": row.paths,
        "input": row.fields().map(|field| field_json(row, field)).collect::<Vec<Value>>(),
        "output": row.output,
        "errors": row.all_errors(),
        "limit": { "name": row.limit.name, "count": row.limit.count, "windowSeconds": row.limit.window_s },
        "credentials": row.credentials,
    })
}

fn relay_json(relay: &RelayRow) -> Value {
    let optional = |field: &Field| matches!(field.need, Need::Optional { .. });
    let field = |field: &Field| json!({ "name": field.name, "type": field.kind.json_type(), "required": !optional(field), "limits": field.kind.limits() });
    json!({
        "event": relay.event,
        "relay": true,
        "passedOnAs": relay.passed_on_as,
        "to": relay.to,
        "input": relay.input.iter().map(field).collect::<Vec<Value>>(),
        "ownFieldsBytes": if relay.open { OWN_BYTES_MAX } else { 0 },
        "limit": { "name": RELAY.name, "count": RELAY.default.count, "windowSeconds": RELAY.default.window_ms / 1000 },
        "credentials": CREDENTIALS,
    })
}

fn field_json(row: &Row, field: &Field) -> Value {
    let default = row.default_of(field).and_then(|default| serde_json::from_str::<Value>(&default).ok());
    let mut described = json!({
        "name": field.name,
        "type": field.kind.json_type(),
        "required": matches!(field.need, Need::Required(_)),
        "limits": field.kind.limits(),
    });
    if let (Some(default), Some(described)) = (default, described.as_object_mut()) {
        described.insert("default".to_owned(), default);
    }
    described
}

/// The table for people: an operation to a paragraph.
pub fn table_text() -> String {
    let mut text = String::new();
    for row in ROWS {
        write_row(row, &mut text);
    }
    for relay in RELAYS {
        write_relay(relay, &mut text);
    }
    text
}

fn write_relay(relay: &RelayRow, text: &mut String) {
    let rule = RELAY.default;
    let _ = writeln!(text, "{}\n  passed on as {}, stored nowhere", relay.event, relay.passed_on_as);
    for field in relay.input {
        let need = if matches!(field.need, Need::Required(_)) { "required" } else { "optional" };
        let _ = writeln!(
            text,
            "  takes   {}: {}, {} ({need})",
            field.name,
            field.kind.json_type(),
            field.kind.limits()
        );
    }
    if relay.open {
        let _ = writeln!(text, "  takes   any other fields, {OWN_BYTES_MAX} bytes of JSON in all");
    }
    let _ = writeln!(text, "  with    {CREDENTIALS}");
    let _ = writeln!(text, "  to      {}", relay.to);
    let _ = writeln!(
        text,
        "  limit   {} in {} s and socket; beyond it the oldest unsent is dropped\n",
        rule.count,
        rule.window_ms / 1000
    );
}

fn write_row(row: &Row, text: &mut String) {
    let limit = row.limit;
    // Writing to a String cannot fail.
    let _ = writeln!(text, "{}", row.event);
    if let Some(method) = row.method {
        let paths: Vec<String> = row.paths.iter().map(|path| format!("{} {path}", method.name())).collect();
        let _ = writeln!(text, "  rest    {}", paths.join(", "));
    }
    for field in row.fields() {
        let need = match (field.need, row.default_of(field)) {
            (Need::Required(_), _) => "required".to_owned(),
            (_, Some(default)) => format!("default {default}"),
            (_, None) => "optional".to_owned(),
        };
        let (kind, limits) = (field.kind.json_type(), field.kind.limits());
        let _ = writeln!(text, "  takes   {}: {kind}, {limits} ({need})", field.name);
    }
    let _ = writeln!(text, "  with    {}", row.credentials);
    let _ = writeln!(text, "  gives   {}", row.output);
    let _ =
        writeln!(text, "  limit   {} in {} s, counted as \"{}\"", limit.count, limit.window_s, limit.name);
    let _ = writeln!(text, "  errors  {}\n", row.all_errors().join(", "));
}
