//! The kinds of fields: how each is read from JSON, and how it is described.

use super::rules::*;
use super::{Field, Reason};
use crate::wire::payload::Json;
use graph::model::{Level, LinkType, Status};
use graph::ops::{EMAIL_CHARS_MAX, USERNAME_CHARS, is_email, is_username};
use graph::{LinkId, NodeId, Refusal, Root, Timestamp};
use uuid::{Uuid, Variant, Version};

/// What a field holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The client's own name for a mutation, a UUID v4.
    Request,
    /// The client's own name for an entity to be made, a UUID v4.
    NewId,
    /// A UUID of something there is.
    Id,
    /// Some UUIDs.
    Ids,
    /// A node's UUID, or any other short text: a public token.
    Branch,
    /// A string of at most so many Unicode scalar values; a longer one has its own code.
    Text {
        most: usize,
        too_long: Reason,
    },
    /// 0, 1 or 3; 2 has its own code.
    Status,
    /// An RFC 3339 time, cut to whole seconds, or null.
    DueDate,
    /// An RFC 3339 time or null.
    Due,
    Tags,
    /// Names of people.
    Assignees,
    Integer {
        least: i64,
        most: i64,
    },
    /// Any finite number; −0 becomes 0.
    Number,
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
    Texts(Vec<String>),
    Status(Status),
    Moment(Option<Timestamp>),
    Integer(i64),
    Version(u64),
    Number(f64),
    Flag(bool),
}

impl Kind {
    /// Reads a value; `field` says what the answer to a wrong one is.
    pub(super) fn read(self, field: &Field, json: &Json) -> Result<Value, Refusal> {
        let invalid = || match field.invalid {
            // It stands for batchId and newBatchId alike.
            Reason::InvalidBatchId => at_field(field.invalid, field),
            _ => Refusal::from(field.invalid),
        };
        let value = match self {
            Kind::Request | Kind::NewId => Value::Id(uuid(json).filter(is_v4).ok_or_else(invalid)?),
            Kind::Id => Value::Id(uuid(json).ok_or_else(invalid)?),
            Kind::Ids => Value::Ids(ids(json).ok_or_else(invalid)?),
            Kind::Branch => Value::Branch(branch(json).ok_or_else(invalid)?),
            Kind::Text { most, too_long } => return text(field, json, most, too_long),
            Kind::Status => Value::Status(status(json).ok_or_else(invalid)??),
            Kind::DueDate => Value::Moment(moment(json).ok_or_else(invalid)?.map(Timestamp::whole_seconds)),
            Kind::Due => Value::Moment(moment(json).ok_or_else(invalid)?),
            Kind::Tags => Value::Texts(tags(field, json)?),
            Kind::Assignees => Value::Texts(assignees(field, json)?),
            Kind::Integer { least, most } => Value::Integer(within(json, least, most).ok_or_else(invalid)?),
            Kind::Number => return number(json).ok_or_else(|| at_field(field.invalid, field)),
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
            Kind::Text { too_long, .. } => vec![Reason::InvalidText, too_long],
            Kind::Status => vec![Reason::StatusBlocked],
            Kind::Tags => {
                vec![Reason::InvalidText, Reason::TagEmpty, Reason::TagTooLong, Reason::TooManyTags]
            }
            Kind::Assignees => vec![Reason::InvalidText],
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
            Kind::Request | Kind::NewId | Kind::Id | Kind::Branch | Kind::Text { .. } => "string",
            Kind::Email | Kind::Username | Kind::ScopeType => "string",
            Kind::DueDate | Kind::Due => "string or null",
            Kind::Ids | Kind::Tags | Kind::Assignees => "list of strings",
            Kind::Status | Kind::Integer { .. } | Kind::Version | Kind::LinkType | Kind::Level => "integer",
            Kind::Count { .. } => "integer",
            Kind::Number => "number",
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
            Kind::Text { most, .. } => format!("at most {most} characters"),
            Kind::Status => "0, 1 or 3".to_owned(),
            Kind::DueDate => "RFC 3339, from 1970 to 9999, whole seconds".to_owned(),
            Kind::Due => "RFC 3339, in the future".to_owned(),
            Kind::Tags => format!("at most {TAGS_MOST}, each of 1 to {TAG_CHARS_MOST} characters, trimmed"),
            Kind::Assignees => {
                format!("at most {ASSIGNEES_MOST}, each of 1 to {ASSIGNEE_CHARS_MOST} characters")
            }
            Kind::Count { least, most: i64::MAX } => format!("at least {least}"),
            Kind::Integer { least, most } | Kind::Count { least, most } => format!("{least} to {most}"),
            Kind::Number => "finite".to_owned(),
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

fn text(field: &Field, json: &Json, most: usize, too_long: Reason) -> Result<Value, Refusal> {
    let text = string(json).filter(|text| !has_control(text));
    let text = text.ok_or_else(|| at_field(field.invalid, field))?;
    match text.chars().count() {
        chars if chars > most => Err(Refusal::with(too_long, format!("This one has {chars}."))),
        _ => Ok(Value::Text(text)),
    }
}

/// `None` for what is no status at all.
fn status(json: &Json) -> Option<Result<Status, Refusal>> {
    let Json::Int(number) = json else { return None };
    match Status::try_from(u8::try_from(*number).ok()?).ok()? {
        Status::Blocked => Some(Err(Reason::StatusBlocked.into())),
        status => Some(Ok(status)),
    }
}

fn moment(json: &Json) -> Option<Option<Timestamp>> {
    match json {
        Json::Null => Some(None),
        Json::Text(text) => Timestamp::parse(text).map(Some),
        _ => None,
    }
}

fn tags(field: &Field, json: &Json) -> Result<Vec<String>, Refusal> {
    let Json::List(given) = json else { return Err(field.invalid.into()) };
    if given.len() > TAGS_GIVEN_MOST {
        return Err(Refusal::with(Reason::TooManyTags, format!("This one has {}.", given.len())));
    }
    let mut kept: Vec<String> = Vec::new();
    for json in given {
        let tag = string(json).ok_or(field.invalid)?;
        if has_control(&tag) {
            return Err(at_field(Reason::InvalidText, field));
        }
        let tag = tag.trim();
        match tag.chars().count() {
            0 => return Err(Reason::TagEmpty.into()),
            chars if chars > TAG_CHARS_MOST => {
                return Err(Refusal::with(Reason::TagTooLong, format!("One has {chars}.")));
            }
            _ if kept.iter().any(|other| other == tag) => {}
            _ => kept.push(tag.to_owned()),
        }
    }
    if kept.len() > TAGS_MOST {
        return Err(Refusal::with(Reason::TooManyTags, format!("This one has {}.", kept.len())));
    }
    Ok(kept)
}

fn assignees(field: &Field, json: &Json) -> Result<Vec<String>, Refusal> {
    let invalid = || Refusal::from(field.invalid);
    let Json::List(given) = json else { return Err(invalid()) };
    if given.len() > ASSIGNEES_MOST {
        return Err(invalid());
    }
    let names = given.iter().map(|json| {
        let name = string(json).ok_or_else(invalid)?;
        if has_control(&name) {
            return Err(at_field(Reason::InvalidText, field));
        }
        let chars = name.chars().count();
        if (1..=ASSIGNEE_CHARS_MOST).contains(&chars) { Ok(name) } else { Err(invalid()) }
    });
    names.collect()
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

fn number(json: &Json) -> Option<Value> {
    let number = match json {
        Json::Int(value) => *value as f64,
        Json::Huge(value) | Json::Real(value) => *value,
        _ => return None,
    };
    number.is_finite().then_some(Value::Number(number + 0.0))
}

/// The values of a payload by their fields' names, to be taken out.
#[derive(Debug, Default)]
pub struct Values(Vec<(&'static str, Value)>);

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
    pub(super) fn put(&mut self, name: &'static str, value: Value) {
        self.0.push((name, value));
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(has, _)| *has == name)
    }

    fn take(&mut self, name: &str) -> Option<Value> {
        let at = self.0.iter().position(|(has, _)| *has == name)?;
        Some(self.0.swap_remove(at).1)
    }

    take! {
        id Id Uuid;
        ids Ids Vec<Uuid>;
        branch Branch Root;
        text Text String;
        texts Texts Vec<String>;
        status Status Status;
        moment Moment Option<Timestamp>;
        integer Integer i64;
        version Version u64;
        number Number f64;
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
