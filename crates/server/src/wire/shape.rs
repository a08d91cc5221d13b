//! The shapes of what is sent, as JSON Schema: the parts from which the schemas beside `Serialize` are made.
//!
//! A shape is strict. It lists every field, says which are always there, and allows no others.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Map, Value, json};

/// A function that makes the schema of an answer or of an event.
pub type Shape = fn(&mut SchemaGenerator) -> Schema;

/// The schema of a type, or a reference to it.
pub fn shape_of<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<T>()
}

/// A generator whose named schemas stand where OpenAPI and AsyncAPI have them.
pub fn generator() -> SchemaGenerator {
    let mut settings = schemars::generate::SchemaSettings::draft2020_12().for_serialize();
    settings.definitions_path = "/components/schemas".into();
    settings.meta_schema = None;
    settings.into_generator()
}

/// Gives a type its named schema.
macro_rules! shaped {
    ($type:ty, $name:literal, |$generator:pat_param| $schema:expr) => {
        impl schemars::JsonSchema for $type {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                $name.into()
            }

            fn json_schema($generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
                $schema
            }
        }
    };
}
pub(crate) use shaped;

/// An object with these fields and no others. A name with a `?` at its end is of a field that is not always there.
pub(crate) fn object<'a>(about: &str, fields: impl IntoIterator<Item = (&'a str, Schema)>) -> Schema {
    let (mut properties, mut required) = (Map::new(), Vec::new());
    for (name, schema) in fields {
        let optional = name.strip_suffix('?');
        if optional.is_none() {
            required.push(name);
        }
        properties.insert(optional.unwrap_or(name).to_owned(), schema.to_value());
    }
    let mut schema =
        json_schema!({ "type": "object", "properties": properties, "additionalProperties": false });
    if !required.is_empty() {
        schema.insert("required".to_owned(), json!(required));
    }
    if !about.is_empty() {
        schema.insert("description".to_owned(), json!(about));
    }
    schema
}

/// A UUID.
pub(crate) fn uuid() -> Schema {
    json_schema!({ "type": "string", "format": "uuid" })
}

/// A time, as RFC 3339 in UTC.
pub(crate) fn time() -> Schema {
    json_schema!({ "type": "string", "format": "date-time" })
}

/// A text.
pub(crate) fn string() -> Schema {
    json_schema!({ "type": "string" })
}

/// A boolean.
pub(crate) fn boolean() -> Schema {
    json_schema!({ "type": "boolean" })
}

/// A whole number, from 0.
pub(crate) fn whole() -> Schema {
    json_schema!({ "type": "integer", "minimum": 0 })
}

/// One value.
pub(crate) fn only(value: impl Into<Value>) -> Schema {
    json_schema!({ "const": value.into() })
}

/// One of some numbers, each with its meaning.
pub(crate) fn numbers(meanings: &[(u8, &str)]) -> Schema {
    let values: Vec<u8> = meanings.iter().map(|(value, _)| *value).collect();
    let meanings: Vec<String> =
        meanings.iter().map(|(value, meaning)| format!("{value} {meaning}")).collect();
    json_schema!({ "type": "integer", "enum": values, "description": meanings.join(", ") })
}

/// A list.
pub(crate) fn list(items: Schema) -> Schema {
    json_schema!({ "type": "array", "items": items })
}

/// One of several shapes.
pub(crate) fn any_of(shapes: impl IntoIterator<Item = Schema>) -> Schema {
    let shapes: Vec<Schema> = shapes.into_iter().collect();
    json_schema!({ "anyOf": shapes })
}

/// The same, or null.
pub(crate) fn nullable(schema: Schema) -> Schema {
    match schema.get("type") {
        Some(Value::String(of)) if schema.get("enum").is_none() => {
            let of = json!([of, "null"]);
            with(schema, "type", of)
        }
        _ => json_schema!({ "anyOf": [schema, { "type": "null" }] }),
    }
}

/// The same with one more keyword.
pub(crate) fn with(mut schema: Schema, keyword: &str, value: impl Into<Value>) -> Schema {
    schema.insert(keyword.to_owned(), value.into());
    schema
}

/// The same with a description.
pub(crate) fn about(schema: Schema, about: &str) -> Schema {
    with(schema, "description", about)
}

/// The access to a node.
pub(crate) fn level() -> Schema {
    numbers(&[(0, "owner"), (1, "admin"), (2, "editor"), (3, "viewer")])
}

/// A level that can be granted.
pub(crate) fn granted_level() -> Schema {
    numbers(&[(1, "admin"), (2, "editor"), (3, "viewer")])
}

/// The status of a node.
pub(crate) fn status() -> Schema {
    numbers(&[(0, "available"), (1, "in progress"), (2, "blocked"), (3, "completed")])
}

/// The type of a link.
pub(crate) fn link_type() -> Schema {
    numbers(&[(0, "primary"), (1, "secondary")])
}

/// The plan of an account.
pub(crate) fn plan() -> Schema {
    json_schema!({ "type": "string" })
}

/// The trace id of an answer.
pub(crate) fn trace() -> Schema {
    json_schema!({
        "type": "string",
        "pattern": "^[0-9a-f]{12}$",
        "description": "Names the request in the server's log."
    })
}

/// A successful answer: `{ok: true, …, trace_id}` with these fields between them.
pub(crate) fn success<'a>(about: &str, fields: impl IntoIterator<Item = (&'a str, Schema)>) -> Schema {
    let ok = [("ok", only(true))];
    object(about, ok.into_iter().chain(fields).chain([("trace_id", trace())]))
}

/// `{ok: true, …, trace_id}` with the fields of a type between them.
pub fn success_of<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    let fields = T::json_schema(generator);
    let of = |keyword| fields.get(keyword).cloned();
    let (mut properties, mut required) = (Map::new(), vec![json!("ok")]);
    properties.insert("ok".to_owned(), only(true).to_value());
    if let Some(Value::Object(own)) = of("properties") {
        properties.extend(own);
    }
    if let Some(Value::Array(own)) = of("required") {
        required.extend(own);
    }
    properties.insert("trace_id".to_owned(), trace().to_value());
    required.push(json!("trace_id"));
    json_schema!({
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": false
    })
}

/// The names of an answer's fields, as `{ok, diff, replayed?, trace_id}`.
pub fn words(shape: Shape) -> String {
    let mut generator = generator();
    let mut schema = shape(&mut generator);
    // A reference is to one of the schemas that have just been made.
    if let Some(name) = schema.get("$ref").and_then(Value::as_str).and_then(|path| path.rsplit('/').next())
        && let Some(named) = generator.definitions().get(name)
        && let Ok(named) = Schema::try_from(named.clone())
    {
        schema = named;
    }
    let required = schema.get("required").and_then(Value::as_array);
    let is_required = |name: &str| required.is_some_and(|all| all.iter().any(|one| one == name));
    let properties = schema.get("properties").and_then(Value::as_object).into_iter().flatten();
    let names: Vec<String> =
        properties.map(|(name, _)| format!("{name}{}", if is_required(name) { "" } else { "?" })).collect();
    format!("{{{}}}", names.join(", "))
}
