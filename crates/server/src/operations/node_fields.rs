//! How the fields of a node are read from JSON: each by the rule it is declared with in [`graph::node_fields`].

use super::{Field, Kind, Need};
use crate::wire::payload::Json;
use crate::wire::written;
use graph::field_rules::{Finite, Flag, Integer, Moment, Names, NodeField, Rule, SettableStatus, Tags, Text};
use graph::{NODE_FIELDS, NodeFields, Reason, Refusal, Timestamp, each_node_field};

/// What a payload's field has to do with a field of a node.
#[derive(Clone, Copy, Debug)]
pub struct NodeFieldKind {
    /// Reads a value into a patch.
    pub(super) read: fn(&Json, &mut NodeFields) -> Result<(), Refusal>,
    /// The JSON type.
    pub(super) json_type: &'static str,
    /// What a value must keep to, in words.
    pub(super) limits: fn() -> String,
    /// What a wrong value may be answered with besides the field's own code.
    pub(super) reasons: fn() -> Vec<Reason>,
    /// What stands in for the field in a new node, as JSON.
    pub(super) default: fn() -> String,
}

macro_rules! declare {
    ($($field:ident)*) => {
        /// The fields of a node, as payloads take them.
        pub(super) struct NodeFieldInputs {
            $(pub $field: Field,)*
        }

        /// The fields of a node, as payloads take them.
        pub(super) const NODE_INPUTS: NodeFieldInputs = NodeFieldInputs {
            $($field: Field {
                name: NODE_FIELDS.$field.wire,
                kind: Kind::OfNode(&NodeFieldKind {
                    read: |json, patch| {
                        patch.$field = Some(decode(&NODE_FIELDS.$field, json)?);
                        Ok(())
                    },
                    json_type: json_type(&NODE_FIELDS.$field),
                    limits: || NODE_FIELDS.$field.rule.limits(),
                    reasons: || NODE_FIELDS.$field.rule.reasons(),
                    default: || {
                        let default = NodeFields::defaults().$field;
                        default.map_or_else(String::new, |default| written(&NODE_FIELDS.$field, &default))
                    },
                }),
                need: Need::Optional { default: "" },
                invalid: NODE_FIELDS.$field.invalid,
            },)*
        };

        /// The fields of a node that can be set, in the order in which they are checked.
        pub(super) const NODE_INPUT: &[Field] = &[$(NODE_INPUTS.$field,)*];
    };
}
each_node_field!(declare);

/// A rule whose values are read from JSON.
trait Decode: Rule {
    /// The JSON type of a value.
    const JSON_TYPE: &'static str;

    /// Reads a value and holds it to the rule.
    fn decode(field: &NodeField<Self>, json: &Json) -> Result<Self::Value, Refusal>;

    /// What a value must keep to, in words.
    fn limits(&self) -> String;
}

fn decode<R: Decode>(field: &NodeField<R>, json: &Json) -> Result<R::Value, Refusal> {
    R::decode(field, json)
}

const fn json_type<R: Decode>(_field: &NodeField<R>) -> &'static str {
    R::JSON_TYPE
}

fn string(json: &Json) -> Option<&str> {
    match json {
        Json::Text(text) => Some(text),
        _ => None,
    }
}

impl Decode for Text {
    const JSON_TYPE: &'static str = "string";

    fn decode(field: &NodeField<Self>, json: &Json) -> Result<String, Refusal> {
        let text = string(json).ok_or_else(|| field.refusal_by_name(field.invalid))?.to_owned();
        field.check(&text)?;
        Ok(text)
    }

    fn limits(&self) -> String {
        format!("at most {} characters", self.chars_max)
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
}

impl Decode for Moment {
    const JSON_TYPE: &'static str = "string or null";

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
}

impl Decode for Tags {
    const JSON_TYPE: &'static str = "list of strings";

    fn decode(field: &NodeField<Self>, json: &Json) -> Result<Vec<String>, Refusal> {
        match json {
            Json::List(given) => field.admit(given.iter().map(string)),
            _ => Err(field.refusal()),
        }
    }

    fn limits(&self) -> String {
        format!("at most {}, each of 1 to {} characters, trimmed", self.tags_max, self.chars_max)
    }
}

impl Decode for Names {
    const JSON_TYPE: &'static str = "list of strings";

    fn decode(field: &NodeField<Self>, json: &Json) -> Result<Vec<String>, Refusal> {
        match json {
            Json::List(given) => field.admit(given.iter().map(string)),
            _ => Err(field.refusal()),
        }
    }

    fn limits(&self) -> String {
        format!("at most {}, each of 1 to {} characters", self.names_max, self.chars_max)
    }
}

impl<T: Copy + PartialOrd + TryFrom<i64> + std::fmt::Display> Decode for Integer<T>
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
}
