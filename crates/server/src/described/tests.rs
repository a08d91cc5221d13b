use super::*;
use crate::wire::EVENTS;
use crate::wire::shape::generator;
use serde_json::json;

/// Every object in a schema that lists its fields.
fn objects<'s>(schema: &'s Value, found: &mut Vec<&'s Value>) {
    match schema {
        Value::Object(keywords) => {
            if keywords.contains_key("properties") && keywords.get("type") == Some(&json!("object")) {
                found.push(schema);
            }
            keywords.values().for_each(|value| objects(value, found));
        }
        Value::Array(items) => items.iter().for_each(|item| objects(item, found)),
        _ => {}
    }
}

// Rules: E1.
#[test]
fn e1_every_operation_and_event_is_described() {
    for row in ROWS.iter() {
        assert!(row.about.ends_with('.'), "{} has no sentence", row.event);
        assert!(row.answer.is_some(), "{} has no shape of its answer", row.event);
        for field in &row.fields {
            assert!(field.about.ends_with('.'), "{} of {} has no sentence", field.name, row.event);
            let input = inputs::field(field);
            assert!(input.get("type").is_some() || input.get("$ref").is_some(), "{}: {input}", field.name);
        }
    }
    for event in EVENTS {
        assert!(event.about.ends_with('.'), "{} has no sentence", event.name);
    }
}

// Rules: E1.
#[test]
fn e1_schemas_are_strict() {
    let documents = [openapi::document(&Table::whole()), asyncapi::document(&Table::whole())];
    let mut found = Vec::new();
    documents.iter().for_each(|document| objects(document, &mut found));
    assert!(found.len() > 100, "{}", found.len());
    let open: Vec<&&Value> = found.iter().filter(|one| one["additionalProperties"] != json!(false)).collect();
    // Presence and cameras, as they are sent and as they are received.
    assert!(open.len() <= 5, "{open:#?}");
    for one in &found {
        for required in one["required"].as_array().into_iter().flatten() {
            assert!(one["properties"].get(required.as_str().unwrap()).is_some(), "{required} in {one:#}");
        }
    }
    assert!(generator().definitions().is_empty());
}
