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
        assert!(row.answer.is_some() || row.redirects, "{} has no shape of its answer", row.event);
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

// Rules: E2.
#[test]
fn e2_the_same_version_gives_the_same_text() {
    for make in [openapi::document, asyncapi::document] {
        assert_eq!(text(&make(&Table::whole())), text(&make(&Table::whole())));
    }
    assert!(OPENAPI.starts_with("{\n  \"openapi\": \"3.1"));
    assert!(ASYNCAPI.starts_with("{\n  \"asyncapi\": \"3."));
}

// Rules: E4.
#[test]
fn e4_every_row_has_its_place_with_its_errors() {
    let (rest, sockets) = (openapi::document(&Table::whole()), asyncapi::document(&Table::whole()));
    for row in ROWS.iter() {
        for path in row.paths {
            let method = row.method.map(|method| method.name().to_lowercase()).unwrap_or_default();
            let operation = &rest["paths"][path][&method];
            assert_eq!(operation["summary"], row.about, "{method} {path}");
            for problem in problems(row, &ROWS) {
                let response = &operation["responses"][problem.status().to_string()];
                let errors =
                    &response["content"]["application/json"]["schema"]["properties"]["error"]["enum"];
                assert!(errors.as_array().unwrap().contains(&json!(problem.name())), "{method} {path}");
            }
        }
        assert_eq!(
            sockets["operations"].get(identifier(row.event)).is_some(),
            !row.over_rest_alone,
            "{}",
            row.event
        );
    }
}

/// A row that only this test has, as whoever adds an operation writes it.
// Rules: E4.
#[test]
fn e4_a_new_operation_needs_no_line_of_its_own() {
    let mut rows = ROWS.clone();
    rows.push(crate::operations::tested::row());
    let table = Table { rows: &rows, relays: &RELAYS };
    let (rest, sockets) = (openapi::document(&table), asyncapi::document(&table));
    let operation = &rest["paths"]["/api/tested"]["post"];
    assert_eq!(operation["operationId"], "nodeTested");
    assert_eq!(operation["tags"], json!(["node"]));
    let input = &operation["requestBody"]["content"]["application/json"]["schema"];
    assert_eq!(input["required"], json!(["id"]));
    assert_eq!(input["properties"]["id"]["format"], "uuid");
    let answer = &operation["responses"]["200"]["content"]["application/json"]["schema"];
    assert_eq!(answer["$ref"], "#/components/schemas/Changed");
    let missing =
        &operation["responses"]["404"]["content"]["application/json"]["schema"]["properties"]["error"];
    assert_eq!(missing["enum"], json!(["not_found.node_not_found"]));
    let live = &sockets["operations"]["nodeTested"];
    assert_eq!(live["title"], "node:tested");
    assert!(live["reply"]["messages"][0]["$ref"].as_str().unwrap().ends_with("/nodeTestedAck"));
    // It can be one of several, too.
    let parts = rest["components"]["schemas"]["Part"]["oneOf"].as_array().unwrap();
    assert!(parts.iter().any(|part| part["title"] == "node:tested"));
    // Nothing of it is in the table of the server.
    assert!(!OPENAPI.contains("tested") && !ASYNCAPI.contains("tested"));
}
