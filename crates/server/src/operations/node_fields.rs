//! How the fields of a node are read from JSON: each by its rule in [`graph::node_fields`].

use super::input::{Field, Input, Null, Optional, Required, optional, required};
use super::kinds::{Kind, Named, Schema, text};
use crate::wire::payload::Json;
use crate::wire::{PayloadFault, PayloadRefusal, written};
use graph::field_rules::{Finite, Flag, Integer, Moment, Names, NodeField, Rule, SettableStatus, Tags, Text};
use graph::{NODE_FIELDS, NodeFields, Refusal, Timestamp, each_node_field};
use serde_json::{Value, json};

/// Text without control characters but line breaks and tabs, as a regular expression.
const NO_CONTROL: &str = r"^[^\u0000-\u0008\u000b\u000c\u000e-\u001f]*$";

/// A character of a text, as in [`NO_CONTROL`].
const ALLOWED: &str = r"[^\u0000-\u0008\u000b\u000c\u000e-\u001f]";
/// One that trimming takes away, and one that it does not.
const BLANK: &str = r"[\t\n\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]";
const VISIBLE: &str = r"[^\u0000- \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]";

/// The beginning of a time in the years that can be stored.
const FROM_1970: &str = "^(?:19[7-9][0-9]|[2-9][0-9]{3})-";

/// The settable fields of a node, each optional.
pub(super) struct NodeInput;

macro_rules! declare {
    ($($field:ident)*) => {
        impl Input for NodeInput {
            type Value = Box<NodeFields>;

            fn describe(&self, fields: &mut Vec<Field>) {
                let defaults = NodeFields::defaults();
                $(
                    let first = fields.len();
                    of_node(NODE_FIELDS.$field).describe(fields);
                    for field in fields.iter_mut().skip(first) {
                        let default = defaults.$field.as_ref();
                        field.default = default.map(|value| written(&NODE_FIELDS.$field, value));
                        field.null = null_of(&NODE_FIELDS.$field);
                    }
                )*
            }

            fn read(&self, payload: &Json) -> Result<Box<NodeFields>, PayloadRefusal> {
                Ok(Box::new(NodeFields { $($field: of_node(NODE_FIELDS.$field).read(payload)?,)* }))
            }
        }
    };
}
each_node_field!(declare);

const fn of_node<R: Decode>(field: NodeField<R>) -> Optional<NodeField<R>> {
    optional(field.wire, field, PayloadFault::Domain(field.invalid)).about(field.about)
}

/// A required field of a node. Absence has the same refusal as a wrong value.
const fn needed<R: Decode>(field: NodeField<R>) -> Required<NodeField<R>> {
    required(field.wire, field, PayloadFault::Domain(field.invalid), PayloadFault::Domain(field.invalid))
        .about(field.about)
}

pub(super) const X: Required<NodeField<Finite>> = needed(NODE_FIELDS.x);
pub(super) const Y: Required<NodeField<Finite>> = needed(NODE_FIELDS.y);
pub(super) const Z: Required<NodeField<Finite>> = needed(NODE_FIELDS.z);

/// A node's position, as settable fields.
pub(super) struct Position;

impl Input for Position {
    type Value = Box<NodeFields>;

    fn describe(&self, fields: &mut Vec<Field>) {
        X.describe(fields);
        Y.describe(fields);
        Z.describe(fields);
    }

    fn read(&self, payload: &Json) -> Result<Box<NodeFields>, PayloadRefusal> {
        let (x, y, z) = (X.read(payload)?, Y.read(payload)?, Z.read(payload)?);
        Ok(Box::new(NodeFields { x: Some(x), y: Some(y), z: Some(z), ..NodeFields::default() }))
    }
}

/// A rule whose values are read from JSON.
trait Decode: Rule + Copy {
    /// The JSON type of a value other than null.
    const JSON_TYPE: &'static str;
    /// The meaning of null.
    const NULL: Null = Null::Wrong;

    /// Reads a value and checks it by the rule.
    fn decode(field: &NodeField<Self>, json: &Json) -> Result<Self::Value, Refusal>;

    /// The limits of a value, in words.
    fn limits(&self) -> String;

    /// The limits of a value other than null, as keywords of JSON Schema.
    fn keywords(&self) -> Value;
}

impl<R: Decode> Kind for NodeField<R> {
    type Value = R::Value;

    fn schema(&self) -> Schema {
        let reasons = self.rule.reasons().into_iter().map(PayloadFault::Domain).collect();
        Schema { reasons, ..Schema::new(R::JSON_TYPE, self.rule.limits()) }.json(self.rule.keywords())
    }

    fn read(&self, _field: Named, json: &Json) -> Result<R::Value, PayloadRefusal> {
        Ok(R::decode(self, json)?)
    }
}

const fn null_of<R: Decode>(_field: &NodeField<R>) -> Null {
    R::NULL
}

impl Decode for Text {
    const JSON_TYPE: &'static str = "string";

    fn decode(field: &NodeField<Self>, json: &Json) -> Result<String, Refusal> {
        let given = text(json).ok_or_else(|| field.refusal_by_name(field.invalid))?.to_owned();
        field.check(&given)?;
        Ok(given)
    }

    fn limits(&self) -> String {
        format!("at most {} characters", self.chars_max)
    }

    fn keywords(&self) -> Value {
        json!({ "maxLength": self.chars_max, "pattern": NO_CONTROL })
    }
}

impl Decode for SettableStatus {
    const JSON_TYPE: &'static str = "integer";

    fn decode(field: &NodeField<Self>, json: &Json) -> Result<graph::model::Status, Refusal> {
        match json {
            Json::Int(number) => field.admit(*number),
            _ => Err(field.refusal()),
        }
    }

    fn limits(&self) -> String {
        "0, 1 or 3".to_owned()
    }

    fn keywords(&self) -> Value {
        json!({ "enum": [0, 1, 3] })
    }
}

impl Decode for Moment {
    const JSON_TYPE: &'static str = "string";
    const NULL: Null = Null::Clears;

    fn decode(field: &NodeField<Self>, json: &Json) -> Result<Option<Timestamp>, Refusal> {
        match json {
            Json::Null => Ok(None),
            Json::Text(text) => {
                let at = Timestamp::parse(text).ok_or_else(|| field.refusal())?;
                Ok(field.admit(Some(at)))
            }
            _ => Err(field.refusal()),
        }
    }

    fn limits(&self) -> String {
        "RFC 3339, from 1970 to 9999, whole seconds".to_owned()
    }

    fn keywords(&self) -> Value {
        json!({ "format": "date-time", "pattern": FROM_1970 })
    }
}

impl Decode for Tags {
    const JSON_TYPE: &'static str = "list of strings";

    fn decode(field: &NodeField<Self>, json: &Json) -> Result<Vec<String>, Refusal> {
        match json {
            Json::List(given) => field.admit(given.iter().map(text)),
            _ => Err(field.refusal()),
        }
    }

    fn limits(&self) -> String {
        format!("at most {}, each of 1 to {} characters, trimmed", self.tags_max, self.chars_max)
    }

    fn keywords(&self) -> Value {
        // Trimmed, it has a character and not too many of them.
        let inner = self.chars_max - 2;
        let pattern = format!("^{BLANK}*{VISIBLE}(?:{ALLOWED}{{0,{inner}}}{VISIBLE})?{BLANK}*$");
        let tag = json!({ "type": "string", "pattern": pattern });
        json!({ "items": tag, "maxItems": self.given_max })
    }
}

impl Decode for Names {
    const JSON_TYPE: &'static str = "list of strings";

    fn decode(field: &NodeField<Self>, json: &Json) -> Result<Vec<String>, Refusal> {
        match json {
            Json::List(given) => field.admit(given.iter().map(text)),
            _ => Err(field.refusal()),
        }
    }

    fn limits(&self) -> String {
        format!("at most {}, each of 1 to {} characters", self.names_max, self.chars_max)
    }

    fn keywords(&self) -> Value {
        let name =
            json!({ "type": "string", "minLength": 1, "maxLength": self.chars_max, "pattern": NO_CONTROL });
        json!({ "items": name, "maxItems": self.names_max })
    }
}

impl<T: Copy + PartialOrd + TryFrom<i64> + std::fmt::Display + serde::Serialize> Decode for Integer<T>
where
    Integer<T>: Rule<Value = T>,
{
    const JSON_TYPE: &'static str = "integer";

    fn decode(field: &NodeField<Self>, json: &Json) -> Result<T, Refusal> {
        match json {
            Json::Int(number) => field.admit(*number),
            _ => Err(field.refusal()),
        }
    }

    fn limits(&self) -> String {
        format!("{} to {}", self.least, self.most)
    }

    fn keywords(&self) -> Value {
        json!({ "minimum": self.least, "maximum": self.most })
    }
}

impl Decode for Finite {
    const JSON_TYPE: &'static str = "number";

    fn decode(field: &NodeField<Self>, json: &Json) -> Result<f64, Refusal> {
        match json {
            Json::Int(number) => field.admit(*number as f64),
            Json::Huge(number) | Json::Real(number) => field.admit(*number),
            _ => Err(field.refusal_by_name(field.invalid)),
        }
    }

    fn limits(&self) -> String {
        "finite".to_owned()
    }

    fn keywords(&self) -> Value {
        json!({})
    }
}

impl Decode for Flag {
    const JSON_TYPE: &'static str = "boolean";

    fn decode(field: &NodeField<Self>, json: &Json) -> Result<bool, Refusal> {
        match json {
            Json::Bool(flag) => Ok(*flag),
            _ => Err(field.refusal()),
        }
    }

    fn limits(&self) -> String {
        "true or false".to_owned()
    }

    fn keywords(&self) -> Value {
        json!({})
    }
}
