//! The kinds of fields: how each is read from JSON and described.

use super::account_request::Confidential;
use super::rules::*;
use super::token_request::AskedScope;
use crate::wire::payload::Json;
use crate::wire::{PayloadFault, PayloadRefusal};
use graph::model::{Level, LinkType, Plan};
use graph::ops::{
    CAMERA_BYTES_MAX, EMAIL_CHARS_MAX, TOKEN_NAME_CHARS_MAX, USERNAME_CHARS, is_email, is_token_name,
    is_username,
};
use graph::{BatchId, NodeId, Root, Timestamp};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use uuid::{Uuid, Variant, Version};

/// A UUID v4, as a regular expression.
const UUID_V4: &str =
    "^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-4[0-9a-fA-F]{3}-[89abAB][0-9a-fA-F]{3}-[0-9a-fA-F]{12}$";

/// The description of a kind of field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schema {
    /// The JSON type of a value other than null, in words.
    pub json_type: &'static str,
    /// The limits of a value, in words.
    pub limits: String,
    /// The codes of a wrong value, besides the field's own.
    pub reasons: Vec<PayloadFault>,
    /// Whether a value is an id or a list of ids, which are the same in upper and lower case (N2).
    pub is_id: bool,
    /// The JSON Schema of a value other than null.
    pub json: Value,
}

impl Schema {
    /// A kind without codes of its own.
    pub(super) fn new(json_type: &'static str, limits: impl Into<String>) -> Self {
        let json = match json_type {
            "list of strings" => json!({ "type": "array", "items": { "type": "string" } }),
            "list of objects" => json!({ "type": "array", "items": { "type": "object" } }),
            "object of strings" => json!({ "type": "object", "additionalProperties": { "type": "string" } }),
            json_type => json!({ "type": json_type }),
        };
        Schema { json_type, limits: limits.into(), reasons: Vec::new(), is_id: false, json }
    }

    /// The same with more keywords in its JSON Schema.
    pub(super) fn json(mut self, keywords: Value) -> Self {
        if let (Value::Object(own), Value::Object(more)) = (&mut self.json, keywords) {
            own.extend(more);
        }
        self
    }

    fn id(limits: impl Into<String>) -> Self {
        Schema { is_id: true, ..Schema::new("string", limits) }.json(json!({ "format": "uuid" }))
    }
}

/// A field's name and the refusal of a wrong value.
#[derive(Clone, Copy, Debug)]
pub(super) struct Named {
    pub name: &'static str,
    /// What the field is, in a sentence.
    pub about: &'static str,
    pub invalid: PayloadFault,
}

impl Named {
    /// The refusal of a wrong value.
    pub fn refusal(self) -> PayloadRefusal {
        self.invalid.into()
    }

    /// The same, naming the field; used where several fields share the code.
    pub fn refusal_by_name(self) -> PayloadRefusal {
        PayloadRefusal::with(self.invalid, format!("The field is \"{}\".", self.name))
    }
}

/// A kind of field.
pub(super) trait Kind {
    /// The decoded value.
    type Value;

    /// The description.
    fn schema(&self) -> Schema;

    /// Reads a value.
    ///
    /// # Errors
    /// The field's own refusal, or one of [`Schema::reasons`].
    fn read(&self, field: Named, json: &Json) -> Result<Self::Value, PayloadRefusal>;
}

/// A kind whose wrong values all have the field's own refusal.
macro_rules! kind {
    ($kind:ty => $value:ty, $schema:expr, $read:expr) => {
        impl Kind for $kind {
            type Value = $value;

            fn schema(&self) -> Schema {
                $schema
            }

            fn read(&self, field: Named, json: &Json) -> Result<$value, PayloadRefusal> {
                let read: fn(&Json) -> Option<$value> = $read;
                read(json).ok_or_else(|| field.refusal())
            }
        }
    };
}

/// The UUID of an existing entity.
#[derive(Clone, Copy, Debug)]
pub(super) struct Id<T>(pub fn(Uuid) -> T);

impl<T> Kind for Id<T> {
    type Value = T;

    fn schema(&self) -> Schema {
        Schema::id("UUID")
    }

    fn read(&self, field: Named, json: &Json) -> Result<T, PayloadRefusal> {
        uuid(json).map(self.0).ok_or_else(|| field.refusal())
    }
}

/// The client's own id for an entity to be made, a UUID v4.
#[derive(Clone, Copy, Debug)]
pub(super) struct NewId<T>(pub fn(Uuid) -> T);

impl<T> Kind for NewId<T> {
    type Value = T;

    fn schema(&self) -> Schema {
        Schema::id("UUID v4").json(json!({ "pattern": UUID_V4 }))
    }

    fn read(&self, field: Named, json: &Json) -> Result<T, PayloadRefusal> {
        uuid(json).filter(is_v4).map(self.0).ok_or_else(|| field.refusal())
    }
}

/// The id of a batch: of an existing one, or the client's own for a new one. Two fields share its code.
#[derive(Clone, Copy, Debug)]
pub(super) enum Batch {
    Existing,
    New,
}

impl Kind for Batch {
    type Value = BatchId;

    fn schema(&self) -> Schema {
        match self {
            Batch::Existing => Schema::id("UUID"),
            Batch::New => {
                Schema::new("string", "UUID v4").json(json!({ "format": "uuid", "pattern": UUID_V4 }))
            }
        }
    }

    fn read(&self, field: Named, json: &Json) -> Result<BatchId, PayloadRefusal> {
        let id = match self {
            Batch::Existing => uuid(json),
            Batch::New => uuid(json).filter(is_v4),
        };
        id.map(BatchId).ok_or_else(|| field.refusal_by_name())
    }
}

/// A list of UUIDs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ids;

kind! { Ids => Vec<Uuid>,
    Schema { is_id: true, ..Schema::new("list of strings", format!("at most {PURGE_IDS_MOST} UUIDs")) }
        .json(json!({ "items": { "type": "string", "format": "uuid" }, "maxItems": PURGE_IDS_MOST })),
    |json| match json {
        Json::List(items) if items.len() <= PURGE_IDS_MOST => items.iter().map(uuid).collect(),
        _ => None,
    }
}

/// The client's own names for copies, by the ids of what is copied.
#[derive(Clone, Copy, Debug)]
pub(super) struct CopyIds;

kind! { CopyIds => BTreeMap<Uuid, Uuid>,
    Schema { is_id: true, ..Schema::new("object of strings", "UUIDs v4 by UUID") }.json(json!({
        "propertyNames": { "format": "uuid" },
        "additionalProperties": { "type": "string", "format": "uuid", "pattern": UUID_V4 },
    })),
    |json| match json {
        Json::Object(pairs) => {
            let pair = |(of, id): &(String, Json)| Some((uuid_text(of)?, uuid(id).filter(is_v4)?));
            pairs.iter().map(pair).collect()
        }
        _ => None,
    }
}

/// A node's UUID, or any other short text, which is a public token.
#[derive(Clone, Copy, Debug)]
pub(super) struct Branch;

kind! { Branch => Root,
    Schema {
        is_id: true,
        ..Schema::new(
            "string",
            format!("a node's UUID, or a public token of at most {PUBLIC_TOKEN_CHARS_MOST} characters"),
        )
    }
    .json(json!({ "maxLength": PUBLIC_TOKEN_CHARS_MOST })),
    |json| match uuid(json) {
        Some(id) => Some(Root::Node(NodeId(id))),
        None => {
            let short = |token: &&str| token.chars().count() <= PUBLIC_TOKEN_CHARS_MOST;
            text(json).filter(short).map(|token| Root::Token(token.to_owned()))
        }
    }
}

/// A due time, as RFC 3339. The domain checks that it is in the future.
#[derive(Clone, Copy, Debug)]
pub(super) struct Due;

kind! { Due => Timestamp, Schema::new("string", "RFC 3339, in the future")
.json(json!({ "format": "date-time" })), |json| Timestamp::parse(text(json)?) }

/// A boolean.
#[derive(Clone, Copy, Debug)]
pub(super) struct Boolean;

kind! { Boolean => bool, Schema::new("boolean", "true or false"), |json| match json {
    Json::Bool(flag) => Some(*flag),
    _ => None,
} }

/// A camera position: an object, as text.
#[derive(Clone, Copy, Debug)]
pub(super) struct Camera;

kind! { Camera => String,
    Schema::new("object", format!("at most {CAMERA_BYTES_MAX} bytes as JSON")),
    |json| match json {
        Json::Object(_) => Some(json.canonical()).filter(|text| text.len() <= CAMERA_BYTES_MAX),
        _ => None,
    }
}

/// The plan of an account.
#[derive(Clone, Copy, Debug)]
pub(super) struct PlanOf;

kind! { PlanOf => Plan,
    Schema::new("string", "basic, plus or pro").json(json!({ "enum": ["basic", "plus", "pro"] })),
    |json| [Plan::Basic, Plan::Plus, Plan::Pro].into_iter().find(|plan| text(json) == Some(plan.name()))
}

/// A version or a rev. An integer that no entity will ever have is a version like any other that does not match.
#[derive(Clone, Copy, Debug)]
pub(super) struct WholeNumber;

kind! { WholeNumber => u64, Schema::new("integer", "a whole number"), |json| match json {
    Json::Int(value) => Some(u64::try_from(*value).unwrap_or(u64::MAX)),
    Json::Huge(_) => Some(u64::MAX),
    _ => None,
} }

/// A link's type.
#[derive(Clone, Copy, Debug)]
pub(super) struct TypeOfLink;

kind! { TypeOfLink => LinkType, Schema::new("integer", "0 or 1").json(json!({ "enum": [0, 1] })), |json| LinkType::try_from(small(json)?).ok() }

/// A grant's level.
#[derive(Clone, Copy, Debug)]
pub(super) struct GrantLevel;

kind! { GrantLevel => Level, Schema::new("integer", "1, 2 or 3").json(json!({ "enum": [1, 2, 3] })), |json| {
    let level = Level::try_from(small(json)?).ok()?;
    // Ownership cannot be granted.
    (level != Level::Owner).then_some(level)
} }

/// A user's email.
#[derive(Clone, Copy, Debug)]
pub(super) struct Email;

kind! { Email => String,
    Schema::new("string", format!("an email address of at most {EMAIL_CHARS_MAX} characters"))
        .json(json!({ "format": "email", "maxLength": EMAIL_CHARS_MAX })),
    |json| text(json).filter(|text| is_email(text)).map(str::to_owned)
}

/// A user's username.
#[derive(Clone, Copy, Debug)]
pub(super) struct Username;

kind! { Username => String,
    Schema::new("string", {
        let (least, most) = (USERNAME_CHARS.start(), USERNAME_CHARS.end());
        format!("{least} to {most} of A-Z, a-z, 0-9, '_', '.' and '-'")
    })
    .json(json!({
        "pattern": "^[A-Za-z0-9_.-]+$",
        "minLength": USERNAME_CHARS.start(),
        "maxLength": USERNAME_CHARS.end(),
    })),
    |json| text(json).filter(|text| is_username(text)).map(str::to_owned)
}

/// An API token's name.
#[derive(Clone, Copy, Debug)]
pub(super) struct TokenName;

kind! { TokenName => String,
    Schema::new("string", format!("at most {TOKEN_NAME_CHARS_MAX} characters, none of them a control character"))
        .json(json!({ "maxLength": TOKEN_NAME_CHARS_MAX, "pattern": "^[^\\u0000-\\u001f\\u007f-\\u009f]*$" })),
    |json| text(json).filter(|text| is_token_name(text)).map(str::to_owned)
}

/// What an API token is for.
#[derive(Clone, Copy, Debug)]
pub(super) struct ScopeOfToken;

kind! { ScopeOfToken => AskedScope,
    Schema {
        is_id: true,
        json: json!({ "type": ["string", "object"], "anyOf": [
            { "type": "string", "enum": ["all", "read"] },
            {
                "type": "object",
                "properties": {
                    "branch": { "type": "string", "format": "uuid" },
                    "level": { "type": "integer", "enum": [1, 2, 3] },
                },
                "required": ["branch", "level"],
                "additionalProperties": false,
            },
        ] }),
        ..Schema::new("string or object", "\"all\", \"read\", or {branch, level}: a node's UUID, and 1, 2 or 3")
    },
    |json| match json {
        Json::Text(scope) if scope == "all" => Some(AskedScope::All),
        Json::Text(scope) if scope == "read" => Some(AskedScope::Read),
        Json::Object(fields) if fields.len() == 2 => {
            let level = Level::try_from(small(json.get("level")?)?).ok()?;
            let node = NodeId(uuid(json.get("branch")?)?);
            (level != Level::Owner).then_some(AskedScope::Branch { node, level })
        }
        _ => None,
    }
}

/// A password. Whether a new one is good enough is judged where it is set.
#[derive(Clone, Copy, Debug)]
pub(super) struct Password;

kind! { Password => Confidential,
    Schema::new("string", format!("at most {PASSWORD_CHARS_MOST} characters; a new one at least {PASSWORD_CHARS_LEAST}"))
        .json(json!({ "maxLength": PASSWORD_CHARS_MOST })),
    |json| {
        let text = text(json).filter(|text| text.chars().count() <= PASSWORD_CHARS_MOST)?;
        Some(Confidential::new(text.to_owned()))
    }
}

/// A text of at most this many characters.
#[derive(Clone, Copy, Debug)]
pub(super) struct Words(pub usize);

impl Kind for Words {
    type Value = String;

    fn schema(&self) -> Schema {
        Schema::new("string", format!("1–{} characters", self.0))
            .json(json!({ "minLength": 1, "maxLength": self.0 }))
    }

    fn read(&self, field: Named, json: &Json) -> Result<String, PayloadRefusal> {
        let fits = |text: &&str| !text.is_empty() && text.chars().count() <= self.0;
        text(json).filter(fits).map(str::to_owned).ok_or_else(|| field.refusal())
    }
}

/// The same, of a secret.
#[derive(Clone, Copy, Debug)]
pub(super) struct SecretWords(pub usize);

impl Kind for SecretWords {
    type Value = Confidential;

    fn schema(&self) -> Schema {
        Words(self.0).schema()
    }

    fn read(&self, field: Named, json: &Json) -> Result<Confidential, PayloadRefusal> {
        Words(self.0).read(field, json).map(Confidential::new)
    }
}

/// The key of a link. Which keys there are is not told by their form.
#[derive(Clone, Copy, Debug)]
pub(super) struct KeyText;

kind! { KeyText => Confidential,
    Schema::new("string", format!("at most {KEY_CHARS_MOST} characters"))
        .json(json!({ "maxLength": KEY_CHARS_MOST })),
    |json| {
        let text = text(json).filter(|text| text.chars().count() <= KEY_CHARS_MOST)?;
        Some(Confidential::new(text.to_owned()))
    }
}

/// A scope of history.
#[derive(Clone, Copy, Debug)]
pub(super) struct ScopeType;

/// See [`ScopeType`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ScopedBy {
    User,
    Graph,
}

kind! { ScopeType => ScopedBy, Schema::new("string", "USER or GRAPH").json(json!({ "enum": ["USER", "GRAPH"] })), |json| match text(json)? {
    "USER" => Some(ScopedBy::User),
    "GRAPH" => Some(ScopedBy::Graph),
    _ => None,
} }

/// A page's limit or offset, an integer. A value out of range has a code of its own.
#[derive(Clone, Copy, Debug)]
pub(super) struct Count {
    pub least: i64,
    pub most: i64,
}

impl Kind for Count {
    type Value = usize;

    fn schema(&self) -> Schema {
        let limits = match self {
            Count { least, most: i64::MAX } => format!("at least {least}"),
            Count { least, most } => format!("{least} to {most}"),
        };
        let range = json!({ "minimum": self.least, "maximum": self.most });
        Schema { reasons: vec![PayloadFault::OutOfRange], ..Schema::new("integer", limits) }.json(range)
    }

    fn read(&self, field: Named, json: &Json) -> Result<usize, PayloadRefusal> {
        match json {
            Json::Int(count) if (self.least..=self.most).contains(count) => {
                usize::try_from(*count).map_err(|_| PayloadFault::OutOfRange.into())
            }
            Json::Int(_) | Json::Huge(_) => Err(PayloadFault::OutOfRange.into()),
            _ => Err(field.refusal()),
        }
    }
}

/// A UUID in its usual form, in either case. Other forms that libraries read are not accepted.
fn uuid(json: &Json) -> Option<Uuid> {
    text(json).and_then(uuid_text)
}

fn uuid_text(text: &str) -> Option<Uuid> {
    Some(text).filter(|text| text.len() == 36).and_then(|text| Uuid::try_parse(text).ok())
}

fn is_v4(id: &Uuid) -> bool {
    id.get_version() == Some(Version::Random) && id.get_variant() == Variant::RFC4122
}

/// The text of a string.
pub(super) fn text(json: &Json) -> Option<&str> {
    match json {
        Json::Text(text) => Some(text),
        _ => None,
    }
}

fn small(json: &Json) -> Option<u8> {
    match json {
        Json::Int(number) => u8::try_from(*number).ok(),
        _ => None,
    }
}
