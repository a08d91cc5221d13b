//! The inputs of operations as JSON Schema.

use crate::operations::{Field, Null, Row};
use serde_json::{Map, Value, json};

/// The schema of one field.
pub fn field(field: &Field) -> Value {
    let mut schema = field.schema.json.clone();
    let nullable = field.null != Null::Wrong;
    if nullable {
        schema = or_null(schema);
    }
    let default = field.default.as_deref().and_then(|default| serde_json::from_str::<Value>(default).ok());
    if let Value::Object(schema) = &mut schema {
        schema.insert("description".to_owned(), json!(sentence(field)));
        if let Some(default) = default {
            schema.insert("default".to_owned(), default);
        }
    }
    schema
}

fn sentence(field: &Field) -> String {
    let mut limits = field.schema.limits.clone();
    if let Some(first) = limits.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    match field.about {
        "" => format!("{limits}."),
        about => format!("{about} {limits}."),
    }
}

fn or_null(mut schema: Value) -> Value {
    let Value::Object(keywords) = &mut schema else { return schema };
    if let Some(values) = keywords.get_mut("enum").and_then(Value::as_array_mut) {
        values.push(Value::Null);
    }
    if let Some(of) = keywords.get("type").cloned() {
        keywords.insert("type".to_owned(), json!([of, "null"]));
    }
    schema
}

/// The schema of a payload with these fields and no others.
pub fn payload<'a>(fields: impl IntoIterator<Item = &'a Field>) -> Value {
    let (mut properties, mut required, mut changes) = (Map::new(), Vec::new(), Vec::new());
    for one in fields {
        properties.insert(one.name.to_owned(), field(one));
        if one.missing.is_some() {
            required.push(one.name);
        }
        if one.changes {
            changes.push(json!({ "required": [one.name] }));
        }
    }
    let mut schema = json!({ "type": "object", "properties": properties, "additionalProperties": false });
    if let Value::Object(schema) = &mut schema {
        if !required.is_empty() {
            schema.insert("required".to_owned(), json!(required));
        }
        // An update takes at least one field that it changes.
        if !changes.is_empty() {
            schema.insert("anyOf".to_owned(), json!(changes));
        }
    }
    schema
}

/// The schema of one of several operations in a payload: its event, and its input without a name of its own.
pub fn part(rows: &[Row]) -> Value {
    let parts = rows.iter().filter(|row| row.can_be_part()).map(|row| {
        let own_name = row.key_name();
        let mut schema = payload(row.fields.iter().filter(|field| Some(field.name) != own_name));
        if let Value::Object(schema) = &mut schema {
            if let Some(Value::Object(properties)) = schema.get_mut("properties") {
                properties.insert("event".to_owned(), json!({ "const": row.event }));
            }
            let required = schema.entry("required").or_insert_with(|| json!([]));
            if let Value::Array(required) = required {
                required.push(json!("event"));
            }
            schema.insert("title".to_owned(), json!(row.event));
        }
        schema
    });
    json!({ "description": "One of several operations in a payload.", "oneOf": parts.collect::<Vec<_>>() })
}
