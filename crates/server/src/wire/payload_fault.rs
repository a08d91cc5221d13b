//! What can be wrong with a payload: its form, which only reading it can tell, or a value that a rule of the domain
//! refuses.

use graph::{Class, Reason, Refusal};
use std::fmt;

macro_rules! faults {
    ($($name:ident $code:literal $message:literal,)*) => {
        /// Why a payload is refused before anything is asked of the engine.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[allow(missing_docs)] // each has its sentence in `message`
        pub enum PayloadFault {
            $($name,)*
            /// A value breaks a rule that the domain holds it to as well.
            Domain(Reason),
        }

        impl PayloadFault {
            /// Those of form, in the order of the list.
            pub const OF_FORM: &'static [PayloadFault] = &[$(PayloadFault::$name,)*];

            /// The code as written after the dot.
            pub fn code(self) -> &'static str {
                match self {
                    $(PayloadFault::$name => $code,)*
                    PayloadFault::Domain(reason) => reason.code(),
                }
            }

            /// A sentence a person can act on.
            pub fn message(self) -> &'static str {
                match self {
                    $(PayloadFault::$name => $message,)*
                    PayloadFault::Domain(reason) => reason.message(),
                }
            }
        }
    };
}

faults! {
    FieldsMustBeDict "fields_must_be_dict" "The payload must be a JSON object.",
    UnknownField "unknown_field" "The payload has a field that this operation does not accept.",
    ImmutableField "immutable_field" "The payload has a read-only field; leave it out.",
    MissingId "missing_id" "id is required.",
    MissingBatchId "missing_batchId" "batchId is required.",
    InvalidBatchId "invalid_batch_id" "A batch id must be a UUID v4.",
    InvalidId "invalid_id" "The id must be a UUID v4.",
    InvalidNodeId "invalid_node_id" "The id of a node must be a UUID.",
    InvalidLinkId "invalid_link_id" "The id of a link must be a UUID.",
    InvalidSourceTargetId "invalid_source_target_id" "source and target must be the UUIDs of nodes.",
    InvalidTargetId "invalid_target_id" "target must be the UUID of a node.",
    InvalidIds "invalid_ids" "ids must be a list of at most 1000 UUIDs.",
    InvalidCopyIds "invalid_copy_ids" "ids must be an object that maps UUIDs to UUIDs v4.",
    InvalidOperations "invalid_operations" "operations must be a list of at most 1000 operations.",
    InvalidVersion "invalid_version" "version must be an integer.",
    InvalidLinkType "invalid_link_type" "A link's type must be 0 (primary) or 1 (secondary).",
    InvalidLinkPrivate "invalid_link_private" "private must be true or false.",
    InvalidBranchValue "invalid_branch_value" "branch must be true or false.",
    InvalidProvider "invalid_provider" "A provider's name has 1-32 lower-case letters, digits and hyphens.",
    MissingProvider "missing_provider" "provider is required.",
    MissingCode "missing_code" "code is required.",
    InvalidAnswer "invalid_answer" "The identity provider's answer is not one of text; begin again.",
    InvalidNext "invalid_next" "next must be a path on this server, such as \"/board\".",
    InvalidRedirectUri "invalid_redirect_uri" "redirectUri must be \"postmessage\" or an address on this server or an allowed origin.",
    InvalidPlan "invalid_plan" "plan must be basic, plus or pro.",
    InvalidAdmin "invalid_admin" "admin must be true or false.",
    InvalidShowing "invalid_showing" "showing must be true or false.",
    InvalidLevel "invalid_level" "level must be 1 (admin), 2 (editor) or 3 (viewer).",
    InvalidTokenId "invalid_token_id" "The id of a token must be a UUID.",
    InvalidTokenScope "invalid_token_scope" "scope must be \"all\", \"read\", or {branch, level}: the UUID of a node, and 1, 2 or 3.",
    InvalidAll "invalid_all" "Give either id, or all: true.",
    MissingEmail "missing_email" "email is required.",
    InvalidMine "invalid_mine" "mine must be true or false.",
    InvalidPassword "invalid_password" "A password has 8 to 1024 characters and is hard to guess.",
    MissingKey "missing_key" "key is required: it is in the link, after ?key=.",
    MalformedKey "malformed_key" "A key must be a string of at most 100 characters.",
    InvalidLimit "invalid_limit" "limit must be an integer.",
    InvalidOffset "invalid_offset" "offset must be an integer.",
    InvalidSince "invalid_since" "`since` must be an integer: the rev of a diff, page or ack that was received.",
    OutOfRange "out_of_range" "limit/offset out of range",
}

impl PayloadFault {
    /// The broad kind: form is the request's own fault.
    pub fn class(self) -> Class {
        match self {
            PayloadFault::Domain(reason) => reason.class(),
            _ => Class::BadRequest,
        }
    }

    /// What stands under `error`.
    pub fn name(self) -> String {
        format!("{}.{}", self.class().name(), self.code())
    }
}

impl From<Reason> for PayloadFault {
    fn from(reason: Reason) -> Self {
        PayloadFault::Domain(reason)
    }
}

/// A refused payload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PayloadRefusal {
    pub fault: PayloadFault,
    /// What in particular, for the message.
    pub detail: Option<String>,
    /// In a list of operations, the place of the refused one, counted from 0.
    pub index: Option<usize>,
}

impl PayloadRefusal {
    /// A refusal that names particulars.
    pub fn with(fault: PayloadFault, detail: impl Into<String>) -> Self {
        PayloadRefusal { fault, detail: Some(detail.into()), index: None }
    }

    /// The sentence for the caller.
    pub fn message(&self) -> String {
        match &self.detail {
            Some(detail) => format!("{} {detail}", self.fault.message()),
            None => self.fault.message().to_owned(),
        }
    }
}

impl From<PayloadFault> for PayloadRefusal {
    fn from(fault: PayloadFault) -> Self {
        PayloadRefusal { fault, detail: None, index: None }
    }
}

impl From<Reason> for PayloadRefusal {
    fn from(reason: Reason) -> Self {
        PayloadFault::from(reason).into()
    }
}

impl From<Refusal> for PayloadRefusal {
    fn from(refusal: Refusal) -> Self {
        PayloadRefusal { fault: refusal.reason.into(), detail: refusal.detail, index: refusal.index }
    }
}

impl fmt::Display for PayloadRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.fault.name(), self.message())
    }
}
