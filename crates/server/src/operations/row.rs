//! A row of the table, and its declaration.

use super::account_request::AccountRequest;
use super::input::{Field, Input, Optional, Reading};
use super::kinds::Batch;
use super::paths::{Parameter, parameters};
use crate::engine::protocol::Read;
use crate::limits::NamedLimit;
use crate::wire::ChangedAnswer;
use crate::wire::payload::{Json, Malformed};
use crate::wire::shape::{Shape, shape_of, success_of, words};
use crate::wire::{PayloadFault, PayloadRefusal, Problem};
use graph::{BatchId, Operation, Reason};
use schemars::JsonSchema;

/// How an operation is called over REST.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Method {
    Get,
    Post,
    Put,
    Delete,
}

impl Method {
    /// As HTTP writes it.
    pub fn name(self) -> &'static str {
        match self {
            Method::Get => "GET",
            Method::Post => "POST",
            Method::Put => "PUT",
            Method::Delete => "DELETE",
        }
    }
}

/// Whom an operation serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Callers {
    /// Whoever has an API token or a web session.
    Known,
    /// Whoever has a web session. An API token is not enough.
    Session,
    /// Anyone. Credentials are not looked at.
    Anyone,
}

/// How a row decodes a payload.
#[derive(Clone, Copy, Debug)]
pub(super) enum Make {
    Mutation {
        /// The field that holds the client's own id for the mutation.
        key: KeyField,
        read: fn(&Json) -> Result<Operation, PayloadRefusal>,
    },
    Read(fn(&Json) -> Result<Read, PayloadRefusal>),
    /// Carried out by the room `accounts`, over REST alone.
    Account(fn(&Json) -> Result<AccountRequest, PayloadRefusal>),
    /// Answered by the transport itself.
    Ping,
}

/// Where the client's own id for a mutation is read.
#[derive(Clone, Copy, Debug)]
pub(super) struct KeyField {
    pub field: Optional<Batch>,
    /// Whether it is read after the other fields of the mutation.
    pub is_last: bool,
}

/// One operation.
#[derive(Clone, Debug)]
pub struct Row {
    /// The event over sockets. It is the operation's name everywhere.
    pub event: &'static str,
    /// The operation that this event is an alias of.
    pub alias_of: Option<&'static str>,
    /// `None` where there is no REST form.
    pub method: Option<Method>,
    /// Full paths, including `/api`. All of them mean the same. A segment `{name}` is a parameter: the field of that
    /// name takes its value.
    pub paths: &'static [&'static str],
    /// The limit per user over sockets. Rows whose limits have the same name share one count.
    pub limit: NamedLimit,
    /// The fields in the order in which they are checked.
    pub fields: Vec<Field>,
    /// The read-only fields of the entity.
    pub read_only: &'static [&'static str],
    /// The domain's refusals, besides faults of the payload, in the order of the checks.
    pub errors: &'static [Reason],
    /// Failures besides those that every row of its kind has.
    pub failures: &'static [Problem],
    /// What it does, in a sentence.
    pub about: &'static str,
    /// The shape of its answer.
    pub answer: Option<Shape>,
    /// What else there is to say about its answer, in words.
    pub output: &'static str,
    /// Whom it serves.
    pub callers: Callers,
    /// True where fields that the operation does not take are passed over: another program adds what it likes.
    pub takes_others: bool,
    /// True where success is a redirect instead of a JSON object.
    pub redirects: bool,
    /// True where a browser goes by itself: it is answered with a page when the operation fails.
    pub for_browsers: bool,
    /// What the caller must present, in words.
    pub credentials: &'static str,
    /// True for a mutation that cannot be one of several in graph:apply.
    pub alone: bool,
    /// True where there is no event. The limit then counts over REST.
    pub over_rest_alone: bool,
    /// True where the answer brings its reader a secret that it is not to be compressed with: what else is in it could
    /// be used to guess the secret by the answer's size.
    pub carries_secret: bool,
    /// True where the answer has an ETag, and is 304 when the request names it.
    pub tagged: bool,
    pub(super) make: Make,
}

/// The credentials of nearly every operation.
pub(super) const CREDENTIALS: &str = "API token or web session";

/// A row with this name and limit. What it does is declared next.
pub(super) fn row(event: &'static str, limit: NamedLimit) -> Row {
    Row {
        event,
        alias_of: None,
        method: None,
        paths: &[],
        limit,
        fields: Vec::new(),
        read_only: &[],
        errors: &[],
        failures: &[],
        about: "",
        answer: None,
        output: "",
        callers: Callers::Known,
        takes_others: false,
        for_browsers: false,
        redirects: false,
        credentials: CREDENTIALS,
        alone: false,
        over_rest_alone: false,
        carries_secret: false,
        tagged: false,
        make: Make::Ping,
    }
}

/// The declaration of a row.
impl Row {
    /// Declares a mutation. The client's own id for it, `batchId`, is read first.
    pub(super) fn mutates(self, input: Reading<Operation>) -> Row {
        self.mutation(input, super::fields::BATCH_ID, false)
    }

    /// Declares a mutation whose own id is in a field other than `batchId` and is read last.
    pub(super) fn mutates_as(self, input: Reading<Operation>, key: Optional<Batch>) -> Row {
        self.mutation(input, key, true)
    }

    fn mutation(mut self, input: Reading<Operation>, field: Optional<Batch>, is_last: bool) -> Row {
        let Reading { mut fields, read } = input;
        let mut described = Vec::new();
        field.describe(&mut described);
        let at = if is_last { fields.len() } else { 0 };
        fields.splice(at..at, described);
        self.fields = fields;
        self.answer = self.answer.or(Some(shape_of::<ChangedAnswer>));
        self.make = Make::Mutation { key: KeyField { field, is_last }, read };
        self
    }

    /// Declares a read.
    pub(super) fn reads(self, input: Reading<Read>) -> Row {
        Row { fields: input.fields, make: Make::Read(input.read), ..self }
    }

    /// Declares a request concerning accounts. It has no event.
    pub(super) fn account(self, input: Reading<AccountRequest>) -> Row {
        Row { fields: input.fields, make: Make::Account(input.read), over_rest_alone: true, ..self }
    }

    /// Declares the REST form: this method at any of these paths.
    pub(super) fn rest(self, method: Method, paths: &'static [&'static str]) -> Row {
        Row { method: Some(method), paths, ..self }
    }

    /// Declares an alias of an operation.
    pub(super) fn alias_of(self, event: &'static str) -> Row {
        Row { alias_of: Some(event), ..self }
    }

    /// Declares the read-only fields of the entity.
    pub(super) fn read_only(self, read_only: &'static [&'static str]) -> Row {
        Row { read_only, ..self }
    }

    /// Declares the domain's refusals, in the order of the checks.
    pub(super) fn refuses(self, errors: &'static [Reason]) -> Row {
        Row { errors, ..self }
    }

    /// Says what it does, in a sentence.
    pub(super) fn about(self, about: &'static str) -> Row {
        Row { about, ..self }
    }

    /// Declares the whole answer.
    pub(super) fn answers<T: JsonSchema>(self) -> Row {
        Row { answer: Some(shape_of::<T>), ..self }
    }

    /// Declares the fields of the answer that stand between `ok` and `trace_id`.
    #[allow(dead_code)] // until there is an answer of its own for each operation on accounts
    pub(super) fn answers_with<T: JsonSchema>(self) -> Row {
        Row { answer: Some(success_of::<T>), ..self }
    }

    /// Says more about the answer than its fields do.
    pub(super) fn gives(self, output: &'static str) -> Row {
        Row { output, ..self }
    }

    /// It cannot be one of several in graph:apply.
    pub(super) fn alone(self) -> Row {
        Row { alone: true, ..self }
    }

    /// There is no event for it.
    pub(super) fn over_rest_alone(self) -> Row {
        Row { over_rest_alone: true, ..self }
    }

    /// Its answer has an ETag.
    pub(super) fn tagged(self) -> Row {
        Row { tagged: true, ..self }
    }

    /// Its answer brings a secret.
    pub(super) fn carries_secret(self) -> Row {
        Row { carries_secret: true, ..self }
    }

    /// Declares failures besides refusals of the domain and faults of the payload.
    pub(super) fn fails(self, failures: &'static [Problem]) -> Row {
        Row { failures, ..self }
    }

    /// It serves anyone.
    pub(super) fn for_anyone(self) -> Row {
        Row { callers: Callers::Anyone, credentials: "none", ..self }
    }

    /// It serves web sessions alone.
    pub(super) fn for_sessions(self) -> Row {
        Row { callers: Callers::Session, credentials: "web session", ..self }
    }

    /// Its success is a redirect.
    pub(super) fn redirects(self) -> Row {
        Row { redirects: true, ..self }
    }

    /// A browser goes there by itself.
    pub(super) fn for_browsers(self) -> Row {
        Row { for_browsers: true, ..self }
    }

    /// Fields that it does not take are passed over.
    pub(super) fn takes_others(self) -> Row {
        Row { takes_others: true, ..self }
    }

    /// Describes the credentials.
    pub(super) fn with(self, credentials: &'static str) -> Row {
        Row { credentials, ..self }
    }
}

impl Row {
    /// The answer, in words: its fields, and what else there is to say.
    pub fn output(&self) -> String {
        let fields = self.answer.map(words).unwrap_or_default();
        match (fields.is_empty(), self.output.is_empty()) {
            (false, false) => format!("{fields}; {}", self.output),
            (_, true) => fields,
            (true, false) => self.output.to_owned(),
        }
    }

    /// Whether the operation is a read.
    pub fn is_read(&self) -> bool {
        matches!(self.make, Make::Read(_))
    }

    /// Whether the operation changes anything.
    pub fn is_mutation(&self) -> bool {
        matches!(self.make, Make::Mutation { .. })
    }

    /// Whether the operation is carried out by the room `accounts`.
    pub fn is_account(&self) -> bool {
        matches!(self.make, Make::Account(_))
    }

    /// Whether the operation may change anything. GET never does.
    pub fn is_change(&self) -> bool {
        self.is_mutation() || (self.is_account() && self.method != Some(Method::Get))
    }

    /// The parameters of a path, if it is one of the operation's.
    pub fn at(&self, path: &str) -> Option<Vec<Parameter>> {
        self.paths.iter().find_map(|own| parameters(own, path))
    }

    /// Reads a query string, which does not show the types of its values.
    ///
    /// # Errors
    /// Those of [`Json::from_query`].
    pub fn read_query(&self, query: &str) -> Result<Json, Malformed> {
        let mut payload = Json::from_query(query, |name| self.takes_integer(name))?;
        payload.read_booleans(|name| self.takes(name, "boolean"));
        Ok(payload)
    }

    /// Whether a field holds an integer.
    pub(super) fn takes_integer(&self, name: &str) -> bool {
        self.takes(name, "integer")
    }

    fn takes(&self, name: &str, json_type: &str) -> bool {
        self.fields.iter().any(|field| field.name == name && field.schema.json_type == json_type)
    }

    /// Whether it can be one of several in graph:apply.
    pub fn can_be_part(&self) -> bool {
        self.is_mutation() && !self.alone && !self.over_rest_alone
    }

    /// Whether it takes several operations.
    pub fn takes_operations(&self) -> bool {
        self.fields.iter().any(|field| field.name == super::fields::OPERATIONS.name())
    }

    /// The name of the field that holds the client's own id for the mutation.
    pub fn key_name(&self) -> Option<&'static str> {
        match self.make {
            Make::Mutation { key, .. } => Some(key.field.name()),
            _ => None,
        }
    }

    /// Every possible fault of the payload, in the order of the checks, without repeats.
    pub fn payload_errors(&self) -> Vec<PayloadFault> {
        let mut reasons = vec![PayloadFault::FieldsMustBeDict];
        if !self.takes_others {
            reasons.push(PayloadFault::UnknownField);
        }
        if !self.read_only.is_empty() {
            reasons.push(PayloadFault::ImmutableField);
        }
        for field in &self.fields {
            reasons.extend(field.missing);
            reasons.push(field.invalid);
            reasons.extend(&field.schema.reasons);
        }
        if self.fields.iter().any(|field| field.changes) {
            reasons.push(PayloadFault::Domain(Reason::NoFieldsToUpdate));
        }
        let mut seen = std::collections::HashSet::new();
        reasons.retain(|reason| seen.insert(*reason));
        reasons
    }
}

/// Reads a mutation and the client's own id for it, in the row's order.
pub(super) fn read_mutation(
    key: KeyField,
    read: fn(&Json) -> Result<Operation, PayloadRefusal>,
    payload: &Json,
) -> Result<(Operation, Option<BatchId>), PayloadRefusal> {
    if key.is_last {
        let operation = read(payload)?;
        Ok((operation, key.field.read(payload)?))
    } else {
        let batch = key.field.read(payload)?;
        Ok((read(payload)?, batch))
    }
}
