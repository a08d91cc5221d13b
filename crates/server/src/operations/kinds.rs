//! The kinds of fields: how each is read from JSON, and how it is described.

use super::node_fields::NodeFieldKind;
use super::rules::*;
use super::{Field, Reason};
use crate::wire::payload::Json;
use graph::model::{Level, LinkType};
use graph::ops::{EMAIL_CHARS_MAX, USERNAME_CHARS, is_email, is_username};
use graph::{LinkId, NodeFields, NodeId, Refusal, Root, Timestamp};
use uuid::{Uuid, Variant, Version};

/// What a field holds.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// The client's own name for a mutation, a UUID v4.
    Request,
    /// The client's own name for an entity to be made, a UUID v4.
    NewId,
    /// A UUID of something there is.
    Id,
    /// Some UUIDs.
    Ids,
    /// A field of a node, by its own rule.
    OfNode(&'static NodeFieldKind),
    /// A node's UUID, or any other short text: a public token.
    Branch,
    /// An RFC 3339 time or null.
    Due,
    Boolean,
    /// A version: a whole number.
    Version,
    /// 0 or 1.
    LinkType,
    /// 1, 2 or 3.
    Level,
    Email,
    Username,
    /// USER or GRAPH.
    ScopeType,
    /// A count of a page, an integer; out of its range it has its own code.
    Count {
        least: i64,
        most: i64,
    },
}

/// A field's value, read.
#[derive(Clone, Debug)]
pub enum Value {
    Id(Uuid),
    Ids(Vec<Uuid>),
    Branch(Root),
    Text(String),
    Moment(Option<Timestamp>),
    Integer(i64),
    Version(u64),
    Flag(bool),
    /// Read into the patch.
    OfNode,
}

impl Kind {
    /// Reads a value, that of a field of a node into the patch; `field` says what the answer to a wrong one is.
    pub(super) fn read(self, field: &Field, json: &Json, patch: &mut NodeFields) -> Result<Value, Refusal> {
        let invalid = || match field.invalid {
            // It stands for batchId and newBatchId alike.
            Reason::InvalidBatchId => at_field(field.invalid, field),
            _ => Refusal::from(field.invalid),
        };
        let value = match self {
            Kind::OfNode(of) => {
                (of.read)(json, patch)?;
                Value::OfNode
            }
            Kind::Request | Kind::NewId => Value::Id(uuid(json).filter(is_v4).ok_or_else(invalid)?),
            Kind::Id => Value::Id(uuid(json).ok_or_else(invalid)?),
            Kind::Ids => Value::Ids(ids(json).ok_or_else(invalid)?),
            Kind::Branch => Value::Branch(branch(json).ok_or_else(invalid)?),
            Kind::Due => Value::Moment(moment(json).ok_or_else(invalid)?),
            Kind::Boolean => match json {
                Json::Bool(flag) => Value::Flag(*flag),
                _ => return Err(invalid()),
            },
            Kind::Version => Value::Version(version(json).ok_or_else(invalid)?),
            Kind::LinkType => Value::Integer(within(json, 0, 1).ok_or_else(invalid)?),
            Kind::Level => Value::Integer(within(json, 1, 3).ok_or_else(invalid)?),
            Kind::Email => Value::Text(string(json).filter(|text| is_email(text)).ok_or_else(invalid)?),
            Kind::Username => Value::Text(string(json).filter(|text| is_username(text)).ok_or_else(invalid)?),
            Kind::ScopeType => {
                let known = |text: &String| matches!(text.as_str(), "USER" | "GRAPH");
                Value::Text(string(json).filter(known).ok_or_else(invalid)?)
            }
            Kind::Count { least, most } => match json {
                Json::Int(count) if (least..=most).contains(count) => Value::Integer(*count),
                Json::Int(_) | Json::Huge(_) => return Err(Reason::OutOfRange.into()),
                _ => return Err(invalid()),
            },
        };
        Ok(value)
    }

    /// What a wrong value may be answered with besides the field's own code.
    pub(super) fn reasons(self) -> Vec<Reason> {
        match self {
            Kind::OfNode(of) => (of.reasons)(),
            Kind::Count { .. } => vec![Reason::OutOfRange],
            _ => Vec::new(),
        }
    }

    /// Whether a value is an id, or some: the same in either case (N2).
    pub(super) fn is_id(self) -> bool {
        matches!(self, Kind::NewId | Kind::Id | Kind::Ids | Kind::Branch)
    }

    /// The JSON type.
    pub fn json_type(self) -> &'static str {
        match self {
            Kind::OfNode(of) => of.json_type,
            Kind::Request | Kind::NewId | Kind::Id | Kind::Branch => "string",
            Kind::Email | Kind::Username | Kind::ScopeType => "string",
            Kind::Due => "string or null",
            Kind::Ids => "list of strings",
            Kind::Version | Kind::LinkType | Kind::Level => "integer",
            Kind::Count { .. } => "integer",
            Kind::Boolean => "boolean",
        }
    }

    /// What a value must keep to, in words.
    pub fn limits(self) -> String {
        match self {
            Kind::ScopeType => "USER or GRAPH".to_owned(),
            Kind::Request | Kind::NewId => "UUID v4".to_owned(),
            Kind::Id => "UUID".to_owned(),
            Kind::Ids => format!("at most {PURGE_IDS_MOST} UUIDs"),
            Kind::Branch => {
                format!("a node's UUID, or a public token of at most {PUBLIC_TOKEN_CHARS_MOST} characters")
            }
            Kind::OfNode(of) => (of.limits)(),
            Kind::Due => "RFC 3339, in the future".to_owned(),
            Kind::Count { least, most: i64::MAX } => format!("at least {least}"),
            Kind::Count { least, most } => format!("{least} to {most}"),
            Kind::Boolean => "true or false".to_owned(),
            Kind::Version => "a whole number".to_owned(),
            Kind::LinkType => "0 or 1".to_owned(),
            Kind::Level => "1, 2 or 3".to_owned(),
            Kind::Email => format!("an email address of at most {EMAIL_CHARS_MAX} characters"),
            Kind::Username => {
                let (least, most) = (USERNAME_CHARS.start(), USERNAME_CHARS.end());
                format!("{least} to {most} of A-Z, a-z, 0-9, '_', '.' and '-'")
            }
        }
    }
}

/// A refusal that names the field, where its code alone does not.
fn at_field(reason: Reason, field: &Field) -> Refusal {
    Refusal::with(reason, format!("The field is \"{}\".", field.name))
}

/// A UUID in its usual form, in either case; the other forms that libraries read are not ids here.
fn uuid(json: &Json) -> Option<Uuid> {
    match json {
        Json::Text(text) if text.len() == 36 => Uuid::try_parse(text).ok(),
        _ => None,
    }
}

fn is_v4(id: &Uuid) -> bool {
    id.get_version() == Some(Version::Random) && id.get_variant() == Variant::RFC4122
}

fn ids(json: &Json) -> Option<Vec<Uuid>> {
    match json {
        Json::List(items) if items.len() <= PURGE_IDS_MOST => items.iter().map(uuid).collect(),
        _ => None,
    }
}

fn branch(json: &Json) -> Option<Root> {
    if let Some(id) = uuid(json) {
        return Some(Root::Node(NodeId(id)));
    }
    string(json).filter(|token| token.chars().count() <= PUBLIC_TOKEN_CHARS_MOST).map(Root::Token)
}

fn string(json: &Json) -> Option<String> {
    match json {
        Json::Text(text) => Some(text.clone()),
        _ => None,
    }
}

fn moment(json: &Json) -> Option<Option<Timestamp>> {
    match json {
        Json::Null => Some(None),
        Json::Text(text) => Timestamp::parse(text).map(Some),
        _ => None,
    }
}

fn within(json: &Json, least: i64, most: i64) -> Option<i64> {
    match json {
        Json::Int(value) if (least..=most).contains(value) => Some(*value),
        _ => None,
    }
}

fn version(json: &Json) -> Option<u64> {
    match json {
        // An integer that no node will ever have is a version like any other that is not the node's.
        Json::Int(value) => Some(u64::try_from(*value).unwrap_or(u64::MAX)),
        Json::Huge(_) => Some(u64::MAX),
        _ => None,
    }
}

/// The values of a payload by their fields' names, to be taken out.
#[derive(Debug, Default)]
pub struct Values {
    named: Vec<(&'static str, Value)>,
    /// Those of the fields of a node.
    patch: NodeFields,
}

macro_rules! take {
    ($($(#[$doc:meta])* $name:ident $variant:ident $type:ty;)*) => {$(
        $(#[$doc])*
        pub(super) fn $name(&mut self, name: &str) -> Option<$type> {
            match self.take(name)? {
                Value::$variant(value) => Some(value),
                _ => None,
            }
        }
    )*};
}

impl Values {
    /// Reads the value of a field.
    pub(super) fn read(&mut self, field: &Field, json: &Json) -> Result<(), Refusal> {
        let value = field.kind.read(field, json, &mut self.patch)?;
        self.named.push((field.name, value));
        Ok(())
    }

    /// The fields of a node that the payload sets.
    pub(super) fn node_fields(&mut self) -> Box<NodeFields> {
        Box::new(std::mem::take(&mut self.patch))
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.named.iter().any(|(has, _)| *has == name)
    }

    fn take(&mut self, name: &str) -> Option<Value> {
        let at = self.named.iter().position(|(has, _)| *has == name)?;
        Some(self.named.swap_remove(at).1)
    }

    take! {
        id Id Uuid;
        ids Ids Vec<Uuid>;
        branch Branch Root;
        text Text String;
        moment Moment Option<Timestamp>;
        integer Integer i64;
        version Version u64;
        flag Flag bool;
    }

    pub(super) fn node(&mut self, name: &str) -> Option<NodeId> {
        self.id(name).map(NodeId)
    }

    pub(super) fn link(&mut self, name: &str) -> Option<LinkId> {
        self.id(name).map(LinkId)
    }

    pub(super) fn small(&mut self, name: &str) -> Option<u8> {
        self.integer(name).and_then(|value| u8::try_from(value).ok())
    }

    pub(super) fn count(&mut self, name: &str) -> Option<usize> {
        self.integer(name).and_then(|value| usize::try_from(value).ok())
    }

    pub(super) fn link_type(&mut self, name: &str) -> Option<LinkType> {
        self.small(name).and_then(|number| LinkType::try_from(number).ok())
    }

    pub(super) fn level(&mut self, name: &str) -> Option<Level> {
        self.small(name).and_then(|number| Level::try_from(number).ok())
    }
}
