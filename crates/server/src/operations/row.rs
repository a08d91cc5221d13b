//! A row of the table, and how one is declared.

use super::input::{Field, Input, Optional, Reading};
use super::kinds::Batch;
use crate::engine::protocol::Read;
use crate::limits::NamedLimit;
use crate::wire::payload::Json;
use graph::{BatchId, Operation, Reason, Refusal};

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

/// What a row makes of a payload.
#[derive(Clone, Copy, Debug)]
pub(super) enum Make {
    Mutation {
        /// The field that holds the client's own name for the mutation.
        key: KeyField,
        read: fn(&Json) -> Result<Operation, Refusal>,
    },
    Read(fn(&Json) -> Result<Read, Refusal>),
    /// Answered by the transport itself.
    Ping,
}

/// Where a mutation has the client's own name for it.
#[derive(Clone, Copy, Debug)]
pub(super) struct KeyField {
    pub field: Optional<Batch>,
    /// Whether it is read after the mutation's other fields.
    pub is_last: bool,
}

/// One operation.
#[derive(Clone, Debug)]
pub struct Row {
    /// The event over sockets, and the operation's name everywhere.
    pub event: &'static str,
    /// Where the event is another name of an operation: its own.
    pub alias_of: Option<&'static str>,
    /// `None` where there is no REST form.
    pub method: Option<Method>,
    /// Full paths, `/api` included; all mean the same.
    pub paths: &'static [&'static str],
    /// How often a user may ask over sockets. Rows with the same name share one count.
    pub limit: NamedLimit,
    /// The fields in the order in which they are checked.
    pub fields: Vec<Field>,
    /// The entity's own fields that cannot be set.
    pub read_only: &'static [&'static str],
    /// What the domain may answer besides what is wrong with the payload, in the order it is checked.
    pub errors: &'static [Reason],
    /// The answer, in words.
    pub output: &'static str,
    /// What the caller must present, in words.
    pub credentials: &'static str,
    pub(super) make: Make,
}

/// What nearly every operation takes.
pub(super) const CREDENTIALS: &str = "API token or web session";
const DIFF_OUTPUT: &str = "{ok, diff, rev, trace_id}";

/// An operation of that name and limit; what it does is to be said next.
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
        output: DIFF_OUTPUT,
        credentials: CREDENTIALS,
        make: Make::Ping,
    }
}

/// The declaration of a row.
impl Row {
    /// It changes the graph. The client's own name for the mutation is read first.
    pub(super) fn mutates(self, input: Reading<Operation>) -> Row {
        self.mutation(input, super::fields::BATCH_ID, false)
    }

    /// It changes the graph, and the client's own name for the mutation is in another field than `batchId`, read last.
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
        self.make = Make::Mutation { key: KeyField { field, is_last }, read };
        self
    }

    /// It reads.
    pub(super) fn reads(self, input: Reading<Read>) -> Row {
        Row { fields: input.fields, make: Make::Read(input.read), ..self }
    }

    /// Over REST it is called by this method at any of these paths.
    pub(super) fn rest(self, method: Method, paths: &'static [&'static str]) -> Row {
        Row { method: Some(method), paths, ..self }
    }

    /// The operation has another name.
    pub(super) fn alias_of(self, event: &'static str) -> Row {
        Row { alias_of: Some(event), ..self }
    }

    /// Fields of the entity that nobody sets.
    pub(super) fn read_only(self, read_only: &'static [&'static str]) -> Row {
        Row { read_only, ..self }
    }

    /// What the domain refuses it for, in the order it is checked.
    pub(super) fn refuses(self, errors: &'static [Reason]) -> Row {
        Row { errors, ..self }
    }

    /// What the answer is, in words.
    pub(super) fn gives(self, output: &'static str) -> Row {
        Row { output, ..self }
    }

    /// What the caller must present, in words.
    pub(super) fn with(self, credentials: &'static str) -> Row {
        Row { credentials, ..self }
    }
}

impl Row {
    /// Whether the operation asks the engine for something that is there.
    pub fn is_read(&self) -> bool {
        matches!(self.make, Make::Read(_))
    }

    /// Whether the operation changes anything.
    pub fn is_mutation(&self) -> bool {
        matches!(self.make, Make::Mutation { .. })
    }

    /// Whether a field holds an integer; in a query string there is no other way to know.
    pub fn takes_integer(&self, name: &str) -> bool {
        self.fields.iter().any(|field| field.name == name && field.schema.json_type == "integer")
    }

    /// Everything that may be wrong with the payload, in the order it is checked; no reason twice.
    pub fn payload_errors(&self) -> Vec<Reason> {
        let mut reasons = vec![Reason::FieldsMustBeDict, Reason::UnknownField];
        if !self.read_only.is_empty() {
            reasons.push(Reason::ImmutableField);
        }
        for field in &self.fields {
            reasons.extend(field.missing);
            reasons.push(field.invalid);
            reasons.extend(&field.schema.reasons);
        }
        if self.fields.iter().any(|field| field.changes) {
            reasons.push(Reason::NoFieldsToUpdate);
        }
        let mut seen = std::collections::HashSet::new();
        reasons.retain(|reason| seen.insert(*reason));
        reasons
    }
}

/// Reads a mutation and the client's own name for it, in the row's order.
pub(super) fn read_mutation(
    key: KeyField,
    read: fn(&Json) -> Result<Operation, Refusal>,
    payload: &Json,
) -> Result<(Operation, Option<BatchId>), Refusal> {
    if key.is_last {
        let operation = read(payload)?;
        Ok((operation, key.field.read(payload)?))
    } else {
        let batch = key.field.read(payload)?;
        Ok((read(payload)?, batch))
    }
}
