//! The AsyncAPI document: every event over Socket.IO, in both directions.

use super::{Table, group, identifier, inputs};
use crate::limits::{NamedLimit, RELAY};
use crate::operations::{OWN_BYTES_MAX, RelayRow, Row};
use crate::wire::shape::{generator, shape_of};
use crate::wire::{self, EVENTS, Problem, relayed_shape};
use schemars::SchemaGenerator;
use serde_json::{Map, Value, json};

const ABOUT: &str = "The live side of SynapTask, over Socket.IO 4 (Engine.IO 4) in the namespace `/`. A payload is one \
    JSON object. A client that asks for an ack gets exactly one: the same answer as over REST. Without an ack it hears of \
    its change by `graph:diff`, as everyone else does, and of a failure by `error`.";

/// The document.
pub fn document(table: &Table<'_>) -> Value {
    let mut made = Made::default();
    let mut to = generator();
    for row in table.rows.iter().filter(|row| !row.over_rest_alone) {
        made.operation(row, table.rows, &mut to);
    }
    for relay in table.relays {
        made.relay(relay, &mut to);
    }
    for event in EVENTS {
        made.event(event.name, event.about, (event.shape)(&mut to).to_value());
    }
    for relay in table.relays {
        let about = format!("Relayed, not stored: to {}.", relay.to);
        made.event(relay.passed_on_as, &about, relayed_shape(relay.passed_on_as)(&mut to).to_value());
    }
    let mut schemas = to.take_definitions(true);
    schemas.insert("Part".to_owned(), inputs::part(table.rows));
    schemas.sort_keys();
    json!({
        "asyncapi": "3.1.0",
        "info": {
            "title": "SynapTask, live",
            "version": env!("CARGO_PKG_VERSION"),
            "description": ABOUT,
            "license": { "name": "MIT OR Apache-2.0" },
        },
        "defaultContentType": "application/json",
        "servers": {
            "server": {
                "host": "{host}",
                "pathname": "/socket.io/",
                "protocol": "ws",
                "description": "The server that this document comes from; also at `/ext-socket.io/`, and by polling.",
                "variables": { "host": { "default": "localhost:8080" } },
                "security": [
                    { "$ref": "#/components/securitySchemes/token" },
                    { "$ref": "#/components/securitySchemes/session" },
                ],
            },
        },
        "channels": {
            "namespace": {
                "address": "/",
                "description": "The namespace of Socket.IO.",
                "messages": made.messages,
            },
        },
        "operations": made.operations,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "An API token: in the handshake as `auth: {api_token}`, as the header `Authorization: Bearer …`, or as the subprotocols `Bearer, …`.",
                },
                "session": {
                    "type": "httpApiKey",
                    "in": "cookie",
                    "name": "st_access",
                    "description": "A web session.",
                },
            },
        },
    })
}

/// The messages and operations made so far.
#[derive(Default)]
struct Made {
    messages: Map<String, Value>,
    operations: Map<String, Value>,
}

impl Made {
    fn message(&mut self, key: &str, name: &str, about: &str, payload: Value) {
        self.messages.insert(
            key.to_owned(),
            json!({ "name": name, "title": name, "summary": about, "payload": payload }),
        );
    }

    /// What a client may send, and its ack.
    fn request(&mut self, event: &str, about: &str, payload: Value, ack: Value, more: Value) {
        let (key, ack_key) = (identifier(event), format!("{}Ack", identifier(event)));
        self.message(&key, event, about, payload);
        self.message(&ack_key, &format!("{event} (ack)"), "The ack, if the client asks for one.", ack);
        let mut operation = json!({
            "action": "receive",
            "title": event,
            "summary": about,
            "channel": { "$ref": "#/channels/namespace" },
            "tags": [{ "name": group(event) }],
            "messages": [{ "$ref": format!("#/channels/namespace/messages/{key}") }],
            "reply": {
                "channel": { "$ref": "#/channels/namespace" },
                "messages": [{ "$ref": format!("#/channels/namespace/messages/{ack_key}") }],
            },
        });
        if let (Value::Object(operation), Value::Object(more)) = (&mut operation, more) {
            operation.extend(more);
        }
        self.operations.insert(key, operation);
    }

    fn operation(&mut self, row: &Row, rows: &[Row], to: &mut SchemaGenerator) {
        let failure = shape_of::<wire::FailedAnswer>(to).to_value();
        let answer = row.answer.map(|shape| shape(to).to_value());
        let errors: Vec<String> = super::problems(row, rows).iter().map(Problem::name).collect();
        let failure = json!({
            "allOf": [failure],
            "properties": { "error": { "type": "string", "enum": errors } },
        });
        let ack = json!({ "anyOf": answer.into_iter().chain([failure]).collect::<Vec<_>>() });
        let mut more = json!({ "x-limit": limit(row.limit) });
        if let Some(of) = row.alias_of {
            more["x-alias-of"] = json!(of);
        }
        self.request(row.event, row.about, inputs::payload(&row.fields), ack, more);
    }

    fn relay(&mut self, relay: &RelayRow, to: &mut SchemaGenerator) {
        let mut payload = inputs::payload(&relay.fields);
        if relay.is_open() {
            payload["additionalProperties"] = json!(true);
            let most =
                format!("With any fields of the client's own: at most {OWN_BYTES_MAX} bytes of JSON in all.");
            payload["description"] = json!(most);
        }
        let failure = shape_of::<wire::FailedAnswer>(to).to_value();
        // What is also stored is answered as what stores it.
        let stored = relay.stored_by.as_ref().and_then(|row| row.answer);
        let answer = stored.unwrap_or(shape_of::<wire::Done>)(to).to_value();
        let ack = json!({ "anyOf": [answer, failure] });
        let about = format!("Is relayed as {}: to {}.", relay.passed_on_as, relay.to);
        self.request(relay.event, &about, payload, ack, json!({ "x-limit": limit(RELAY) }));
    }

    /// What the server sends.
    fn event(&mut self, name: &str, about: &str, payload: Value) {
        let key = format!("{}Event", identifier(name));
        self.message(&key, name, about, payload);
        self.operations.insert(
            key.clone(),
            json!({
                "action": "send",
                "title": name,
                "summary": about,
                "channel": { "$ref": "#/channels/namespace" },
                "tags": [{ "name": group(name) }],
                "messages": [{ "$ref": format!("#/channels/namespace/messages/{key}") }],
            }),
        );
    }
}

fn limit(NamedLimit { name, default }: NamedLimit) -> Value {
    json!({ "name": name, "count": default.count, "windowSeconds": default.window_ms / 1000 })
}
