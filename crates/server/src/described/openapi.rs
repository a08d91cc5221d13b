//! The OpenAPI document: every path of the table.

use super::{GROUPS, Table, group, identifier, inputs};
use crate::limits::{DOCUMENTS as DOCUMENTS_LIMIT, HEALTH_HOUR, HEALTH_MINUTE, NamedLimit, REST};
use crate::operations::{Callers, Field, Method, PUBLIC_EVENTS, Row};
use crate::wire::shape::{generator, shape_of};
use crate::wire::{self, Problem};
use schemars::SchemaGenerator;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

const ABOUT: &str = "SynapTask keeps graphs of tasks. Every operation takes a JSON object and answers with one: \
    `ok` says whether it was done. A failure has a class and mostly a code, `class.code`, and a sentence that a person \
    can act on. Every change takes a `batchId` of the client's making: sent again with the same one, it is not made \
    again. The same operations are events over Socket.IO; `/api/asyncapi.json` describes those.";

/// The document.
pub fn document(table: &Table<'_>) -> Value {
    let mut generator = generator();
    let mut paths: BTreeMap<&str, Map<String, Value>> = BTreeMap::new();
    for row in table.rows {
        let Some(method) = row.method else { continue };
        for (nth, path) in row.paths.iter().enumerate() {
            let operation = operation((row, table.rows), method, path, nth, &mut generator);
            paths.entry(path).or_default().insert(method.name().to_lowercase(), operation);
        }
    }
    paths.entry("/api/health").or_default().insert("get".to_owned(), health(&mut generator));
    for (path, name, about) in DOCUMENTS {
        paths.entry(path).or_default().insert("get".to_owned(), document_of(name, about, &mut generator));
    }
    let mut schemas = generator.take_definitions(true);
    schemas.insert("Part".to_owned(), inputs::part(table.rows));
    schemas.sort_keys();
    let used = |name: &str| {
        table.rows.iter().any(|row| row.method.is_some() && group(row.event) == name) || name == "other"
    };
    let tags: Vec<Value> = GROUPS
        .iter()
        .filter(|(name, _)| used(name))
        .map(|(name, about)| json!({ "name": name, "description": about }))
        .collect();
    json!({
        "openapi": "3.1.1",
        "info": {
            "title": "SynapTask",
            "version": env!("CARGO_PKG_VERSION"),
            "description": ABOUT,
            "license": { "name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0" },
        },
        "servers": [{ "url": "/", "description": "The server that this document comes from." }],
        "security": [{ "token": [] }, { "session": [] }],
        "tags": tags,
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "An API token: `Authorization: Bearer st_…`.",
                },
                "session": {
                    "type": "apiKey",
                    "in": "cookie",
                    "name": "st_access",
                    "description": "A web session. Requests that change something also need an `Origin` that is the server's own, or one that its settings allow.",
                },
            },
            "headers": {
                "TraceId": {
                    "description": "Names the request in the server's log; the same as `trace_id` in the body.",
                    "required": true,
                    "schema": wire::shape::trace(),
                },
                "RetryAfter": {
                    "description": "After how many seconds to try again.",
                    "schema": { "type": "integer", "minimum": 0 },
                },
            },
        },
    })
}

/// The documents themselves, which are no operations of the table.
const DOCUMENTS: &[(&str, &str, &str)] = &[
    ("/api/openapi.json", "openapi", "Reads this document: REST, as OpenAPI 3.1."),
    ("/api/asyncapi.json", "asyncapi", "Reads the document of the sockets, as AsyncAPI 3."),
];

fn operation(
    (row, rows): (&Row, &[Row]),
    method: Method,
    path: &str,
    nth: usize,
    to: &mut SchemaGenerator,
) -> Value {
    let in_path = |field: &&Field| path.contains(&format!("{{{}}}", field.name));
    let (of_path, others): (Vec<&Field>, Vec<&Field>) = row.fields.iter().partition(in_path);
    let mut parameters: Vec<Value> = of_path.iter().map(|field| parameter(field, "path")).collect();
    let mut operation = json!({
        "operationId": if nth == 0 { identifier(row.event) } else { format!("{}{}", identifier(row.event), nth + 1) },
        "summary": row.about,
        "description": about(row),
        "tags": [group(row.event)],
        "x-event": row.event,
        "x-limit": limit(row),
    });
    let Value::Object(of) = &mut operation else { return operation };
    if method == Method::Get {
        parameters.extend(others.iter().map(|field| parameter(field, "query")));
    } else {
        let schema = inputs::payload(others.iter().copied());
        // Without a body the payload is an empty object.
        let required = others.iter().any(|field| field.missing.is_some() || field.changes);
        of.insert(
            "requestBody".to_owned(),
            json!({ "required": required, "content": { "application/json": { "schema": schema } } }),
        );
    }
    if row.tagged {
        parameters.push(if_none_match());
    }
    if !parameters.is_empty() {
        of.insert("parameters".to_owned(), json!(parameters));
    }
    of.insert("security".to_owned(), security(row));
    of.insert("responses".to_owned(), responses(row, rows, to));
    operation
}

fn about(row: &Row) -> String {
    let mut text = format!("Takes {}.", row.credentials);
    if !row.over_rest_alone {
        text.push_str(&format!(" Over Socket.IO it is the event `{}`.", row.event));
    }
    if let Some(of) = row.alias_of {
        text.push_str(&format!(" Another name of `{of}`."));
    }
    if !row.output.is_empty() {
        text.push_str(&format!(" The answer: {}.", row.output));
    }
    text
}

fn limit(row: &Row) -> Value {
    let of = |NamedLimit { name, default }: NamedLimit| {
        json!({
            "name": name, "count": default.count, "windowSeconds": default.window_ms / 1000,
        })
    };
    if row.over_rest_alone {
        json!({ "rest": of(row.limit) })
    } else {
        json!({ "rest": of(REST), "sockets": of(row.limit) })
    }
}

fn parameter(field: &Field, place: &str) -> Value {
    let mut schema = inputs::field(&Field { null: crate::operations::Null::Wrong, ..field.clone() });
    let description = schema.as_object_mut().and_then(|schema| {
        // A query has no null: a field is left out instead.
        if schema.get("default").is_some_and(Value::is_null) {
            schema.remove("default");
        }
        schema.remove("description")
    });
    json!({
        "name": field.name,
        "in": place,
        "required": place == "path" || field.missing.is_some(),
        "description": description,
        "schema": schema,
    })
}

fn security(row: &Row) -> Value {
    let (token, session) = (json!({ "token": [] }), json!({ "session": [] }));
    match row.callers {
        _ if PUBLIC_EVENTS.contains(&row.event) => json!([token, session, {}]),
        Callers::Known => json!([token, session]),
        Callers::Session => json!([session]),
        Callers::Anyone => json!([]),
    }
}

fn responses(row: &Row, rows: &[Row], to: &mut SchemaGenerator) -> Value {
    let mut responses = BTreeMap::new();
    let answer = row.answer.map(|shape| shape(to).to_value());
    let mut success = json!({ "description": "It was done.", "headers": traced() });
    if let (Value::Object(success), Some(answer)) = (&mut success, answer) {
        success.insert("content".to_owned(), json!({ "application/json": { "schema": answer } }));
    }
    if row.tagged {
        success["headers"]["ETag"] = tag();
        responses.insert("304".to_owned(), not_modified());
    }
    if row.redirects {
        let to = json!({ "description": "Where the browser goes.", "schema": { "type": "string" } });
        success["headers"]["Location"] = to;
        success["description"] = json!("The browser goes on.");
    }
    responses.insert(if row.redirects { "302" } else { "200" }.to_owned(), success);
    let problems = super::problems(row, rows);
    let errors: Vec<(u16, String)> =
        problems.iter().map(|problem| (problem.status(), problem.name())).collect();
    responses.extend(failures(&errors, to));
    json!(responses)
}

fn if_none_match() -> Value {
    json!({
        "name": "If-None-Match",
        "in": "header",
        "description": "The ETag of an earlier answer: if nothing has changed since, the answer is 304.",
        "schema": { "type": "string" },
    })
}

fn tag() -> Value {
    json!({ "description": "Names what is shown.", "schema": { "type": "string" } })
}

fn not_modified() -> Value {
    json!({ "description": "What is shown has not changed.", "headers": traced() })
}

fn traced() -> Value {
    json!({ "X-Trace-Id": { "$ref": "#/components/headers/TraceId" } })
}

/// The responses of failures: for each status, the errors that it may stand for.
fn failures(errors: &[(u16, String)], to: &mut SchemaGenerator) -> BTreeMap<String, Value> {
    let mut by_status: BTreeMap<u16, Vec<&str>> = BTreeMap::new();
    for (status, error) in errors {
        by_status.entry(*status).or_default().push(error);
    }
    let failure = shape_of::<wire::FailedAnswer>(to).to_value();
    let mut responses = BTreeMap::new();
    for (status, errors) in by_status {
        let mut headers = traced();
        if matches!(status, 429 | 503) {
            headers["Retry-After"] = json!({ "$ref": "#/components/headers/RetryAfter" });
        }
        let examples: Map<String, Value> = errors
            .iter()
            .filter_map(|error| Some(((*error).to_owned(), json!({ "value": super::examples::of(error)? }))))
            .collect();
        let schema = json!({
            "allOf": [failure],
            "properties": { "error": { "type": "string", "enum": errors } },
        });
        let mut content = json!({ "schema": schema });
        if !examples.is_empty() {
            content["examples"] = json!(examples);
        }
        responses.insert(
            status.to_string(),
            json!({
                "description": meaning(status),
                "headers": headers,
                "content": { "application/json": content },
            }),
        );
    }
    responses
}

fn meaning(status: u16) -> &'static str {
    match status {
        400 => "The request is wrong in itself.",
        401 => "There are no valid credentials.",
        403 => "The caller may not do this.",
        404 => "The caller does not see what it names.",
        409 => "It does not fit what is there now.",
        413 => "The payload is too large.",
        414 => "The path and query are too long.",
        415 => "The body is encoded, or not JSON.",
        429 => "Too many requests.",
        431 => "The headers are too long.",
        503 => "The server is busy or stopping.",
        500 => "Something is wrong inside. Nothing was changed.",
        _ => "A failure.",
    }
}

fn health(to: &mut SchemaGenerator) -> Value {
    let answer = shape_of::<wire::Healthy>(to).to_value();
    open("health", "Says whether the server is up.", answer, &[HEALTH_MINUTE, HEALTH_HOUR], to)
}

fn document_of(name: &str, about: &str, to: &mut SchemaGenerator) -> Value {
    let mut operation = open(name, about, json!({ "type": "object" }), &[DOCUMENTS_LIMIT], to);
    operation["parameters"] = json!([if_none_match()]);
    operation["responses"]["200"]["headers"]["ETag"] = tag();
    operation["responses"]["304"] = not_modified();
    operation
}

/// A path that is open to everyone, and counted per address.
fn open(name: &str, about: &str, answer: Value, limits: &[NamedLimit], to: &mut SchemaGenerator) -> Value {
    let errors = [Problem::limited(1), Problem::unavailable(), Problem::exception()];
    let errors: Vec<(u16, String)> =
        errors.iter().map(|problem| (problem.status(), problem.name())).collect();
    let mut responses = failures(&errors, to);
    responses.insert(
        "200".to_owned(),
        json!({
            "description": "It is there.",
            "headers": traced(),
            "content": { "application/json": { "schema": answer } },
        }),
    );
    let limits: Vec<Value> = limits
        .iter()
        .map(|NamedLimit { name, default }| {
            json!({ "name": name, "count": default.count, "windowSeconds": default.window_ms / 1000 })
        })
        .collect();
    json!({
        "operationId": name,
        "summary": about,
        "description": "Takes no credentials.",
        "tags": ["other"],
        "x-limit": { "rest": limits },
        "security": [],
        "responses": responses,
    })
}
