//! Everything that can go wrong, with its class, code, status and message: one mapping for both transports.

use super::payload_fault::{PayloadFault, PayloadRefusal};
use super::shape::{about, nullable, object, only, string, trace, whole};
use super::sign_in_fault::SignInFault;
use crate::engine::protocol::Failure;
use crate::wire::payload::Malformed;
use graph::{Class, Reason, Refusal};
use serde::{Serialize, Serializer, ser::SerializeMap};

/// Why a request failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Problem {
    /// The engine, or the decoding of the payload, refuses it.
    Failed(Failure),
    /// The payload is well-formed, but not what the operation takes.
    Payload(PayloadRefusal),
    /// The body, the event's payload or the query string is not well-formed.
    Malformed(Malformed),
    PayloadTooLarge,
    /// The HTTP request cannot be read.
    Request,
    /// The path and query of an HTTP request are too long.
    UriTooLong,
    /// The headers of an HTTP request are too many or too long.
    HeadersTooLarge,
    /// The body is encoded, with gzip for example.
    Encoding,
    /// REST without valid credentials.
    Unauthorized,
    /// An API token, where it takes a web session.
    Session,
    /// The caller's old password is wrong.
    WrongPassword,
    /// The session began too long ago, and the account has no password to prove who is there.
    SignInAgain,
    /// A socket without credentials.
    AuthMissing,
    /// A socket with credentials that are not valid.
    AuthInvalid,
    /// The request comes from a web page of a foreign origin.
    Origin,
    /// There is no such path.
    Route,
    /// The path exists but does not support the method.
    Method,
    /// There is no such event.
    Event,
    /// The server is not ready, for the reason in this sentence.
    NotReady(&'static str),
    /// The user has reached the limit of open connections.
    TooManyConnections,
    /// Signing in with an identity provider fails.
    SignIn(SignInFault),
}

/// How long a client should wait when the server is overloaded or when it must close a connection first, in
/// seconds.
const PATIENCE_S: u64 = 5;

/// The codes of problems that are neither the payload's nor the domain's, and the classes without a code.
const OWN_CODES: &[&str] = &[
    "storage",
    "exception",
    "malformed_json",
    "unsupported_encoding",
    "malformed_request",
    "uri_too_long",
    "headers_too_large",
    "session_required",
    "wrong_password",
    "auth_missing",
    "auth_invalid",
    "origin",
    "route",
    "method",
    "event",
    "unauthorized",
    "rate_limited",
    "payload_too_large",
    "unavailable",
];

impl Problem {
    /// A payload that cannot be read.
    pub fn malformed(what: &str) -> Self {
        Problem::Malformed(Malformed(what.to_owned()))
    }

    /// A limit is exceeded.
    pub fn limited(retry_after_s: u64) -> Self {
        Problem::Failed(Failure::RateLimited { retry_after_s })
    }

    /// The server is overloaded or shutting down.
    pub fn unavailable() -> Self {
        Problem::Failed(Failure::Unavailable)
    }

    /// The plan of the token's user has no API tokens.
    pub fn api_not_allowed() -> Self {
        Problem::Failed(Failure::Refused(Reason::ApiNotAllowed.into()))
    }

    /// The token may only read.
    pub fn read_only() -> Self {
        Problem::Failed(Failure::Refused(Reason::ReadOnly.into()))
    }

    /// The log could not write the change.
    pub fn storage() -> Self {
        Problem::Failed(Failure::Storage)
    }

    /// An internal error.
    pub fn exception() -> Self {
        Problem::Failed(Failure::Exception)
    }

    /// Over one of the limits.
    pub fn is_rate_limited(&self) -> bool {
        matches!(self, Problem::Failed(Failure::RateLimited { .. }) | Problem::TooManyConnections)
    }

    /// The broad kind, as written before the dot.
    pub fn class(&self) -> &'static str {
        match self {
            Problem::Failed(Failure::Refused(refusal)) => refusal.reason.class().name(),
            Problem::Payload(refusal) => refusal.fault.class().name(),
            Problem::SignIn(fault) => fault.class(),
            Problem::Failed(Failure::RateLimited { .. }) | Problem::TooManyConnections => "rate_limited",
            Problem::Failed(Failure::Unavailable) | Problem::NotReady(_) => "unavailable",
            Problem::Failed(Failure::Storage | Failure::Exception) => "internal",
            Problem::Malformed(_)
            | Problem::Encoding
            | Problem::Request
            | Problem::UriTooLong
            | Problem::HeadersTooLarge => "bad_request",
            Problem::PayloadTooLarge => "payload_too_large",
            Problem::Failed(Failure::Revoked) | Problem::Unauthorized => "unauthorized",
            Problem::AuthMissing
            | Problem::AuthInvalid
            | Problem::Origin
            | Problem::Session
            | Problem::WrongPassword
            | Problem::SignInAgain => "forbidden",
            Problem::Route | Problem::Method | Problem::Event => "not_found",
        }
    }

    /// The code, as written after the dot. Some classes have none.
    pub fn code(&self) -> Option<&'static str> {
        match self {
            Problem::Failed(Failure::Refused(refusal)) => Some(refusal.reason.code()),
            Problem::Payload(refusal) => Some(refusal.fault.code()),
            Problem::SignIn(fault) => Some(fault.code()),
            Problem::Failed(Failure::RateLimited { .. } | Failure::Unavailable | Failure::Revoked) => None,
            Problem::Failed(Failure::Storage) => Some("storage"),
            Problem::Failed(Failure::Exception) => Some("exception"),
            Problem::Malformed(_) => Some("malformed_json"),
            Problem::Encoding => Some("unsupported_encoding"),
            Problem::Request => Some("malformed_request"),
            Problem::UriTooLong => Some("uri_too_long"),
            Problem::HeadersTooLarge => Some("headers_too_large"),
            Problem::PayloadTooLarge
            | Problem::Unauthorized
            | Problem::TooManyConnections
            | Problem::NotReady(_) => None,
            Problem::Session => Some("session_required"),
            Problem::WrongPassword => Some("wrong_password"),
            Problem::SignInAgain => Some("sign_in_again"),
            Problem::AuthMissing => Some("auth_missing"),
            Problem::AuthInvalid => Some("auth_invalid"),
            Problem::Origin => Some("origin"),
            Problem::Route => Some("route"),
            Problem::Method => Some("method"),
            Problem::Event => Some("event"),
        }
    }

    /// Its code, or its class if it has none.
    pub fn code_or_class(&self) -> &'static str {
        self.code().unwrap_or(self.class())
    }

    /// Every code, and every class without one.
    pub fn codes() -> impl Iterator<Item = &'static str> {
        let of_form = PayloadFault::OF_FORM.iter().map(|fault| fault.code());
        let of_domain = Reason::ALL.iter().map(|reason| reason.code());
        of_form.chain(of_domain).chain(OWN_CODES.iter().copied())
    }

    /// Of several operations in one request, the place of the refused one, counted from 0.
    pub fn index(&self) -> Option<usize> {
        match self {
            Problem::Failed(Failure::Refused(refusal)) => refusal.index,
            Problem::Payload(refusal) => refusal.index,
            _ => None,
        }
    }

    /// The value of `error`: `class.code`, or only the class.
    pub fn name(&self) -> String {
        match self.code() {
            Some(code) => format!("{}.{code}", self.class()),
            None => self.class().to_owned(),
        }
    }

    /// A sentence that a person can act on, without internal details.
    pub fn message(&self) -> String {
        let sentence = match self {
            Problem::Failed(Failure::Refused(refusal)) => return refusal.message(),
            Problem::Payload(refusal) => return refusal.message(),
            Problem::SignIn(fault) => fault.message(),
            Problem::Malformed(Malformed(what)) => return format!("The payload cannot be read: {what}."),
            Problem::Failed(Failure::RateLimited { retry_after_s }) => {
                return format!("Too many requests; try again in {retry_after_s} s.");
            }
            Problem::Failed(Failure::Unavailable) => "The server is busy or restarting; try again soon.",
            Problem::Failed(Failure::Storage) => "The change could not be saved; nothing was changed.",
            Problem::Failed(Failure::Exception) => {
                "An internal error occurred; nothing was changed. Please report it with the trace_id."
            }
            Problem::NotReady(why) => why,
            Problem::Encoding => "The body has a Content-Encoding; send it unencoded.",
            Problem::Request => "This is not a valid HTTP request.",
            Problem::UriTooLong => "The path and query string are too long.",
            Problem::HeadersTooLarge => "The request has too many headers, or too long ones.",
            Problem::PayloadTooLarge => "The payload is too large; send less per request.",
            Problem::Failed(Failure::Revoked) => "The API token has been revoked.",
            Problem::Unauthorized => "Send a valid API token in the header: Authorization: Bearer <token>.",
            Problem::Session => "This takes a web session; an API token is not enough. Sign in first.",
            Problem::WrongPassword => "The password is wrong; nothing was changed.",
            Problem::SignInAgain => "Sign in again, and then repeat this within ten minutes.",
            Problem::AuthMissing => "Authentication required",
            Problem::AuthInvalid => "The API token is not valid; it may have been revoked.",
            Problem::Origin => "Requests from this web origin are not allowed.",
            Problem::Route => "There is no such path.",
            Problem::Method => "This path does not support this method.",
            Problem::Event => "There is no such event.",
            Problem::TooManyConnections => "Too many open connections; close one and try again.",
        };
        sentence.to_owned()
    }

    /// The HTTP status.
    pub fn status(&self) -> u16 {
        match self {
            Problem::Failed(Failure::Refused(refusal)) => status_of(refusal.reason.class()),
            Problem::Payload(refusal) => status_of(refusal.fault.class()),
            Problem::SignIn(fault) => fault.status(),
            Problem::Failed(Failure::RateLimited { .. }) | Problem::TooManyConnections => 429,
            Problem::Failed(Failure::Unavailable) | Problem::NotReady(_) => 503,
            Problem::Failed(Failure::Storage | Failure::Exception) => 500,
            Problem::Malformed(_) | Problem::Request => 400,
            Problem::PayloadTooLarge => 413,
            Problem::UriTooLong => 414,
            Problem::Encoding => 415,
            Problem::HeadersTooLarge => 431,
            Problem::Failed(Failure::Revoked) | Problem::Unauthorized => 401,
            Problem::AuthMissing
            | Problem::AuthInvalid
            | Problem::Origin
            | Problem::Session
            | Problem::WrongPassword
            | Problem::SignInAgain => 403,
            Problem::Route | Problem::Event => 404,
            Problem::Method => 405,
        }
    }

    /// The seconds to wait, for the header `Retry-After`.
    pub fn retry_after_s(&self) -> Option<u64> {
        match self {
            Problem::Failed(Failure::RateLimited { retry_after_s }) => Some(*retry_after_s),
            Problem::Failed(Failure::Unavailable)
            | Problem::TooManyConnections
            | Problem::NotReady(_)
            | Problem::SignIn(SignInFault::Unavailable) => Some(PATIENCE_S),
            _ => None,
        }
    }
}

fn status_of(class: Class) -> u16 {
    match class {
        Class::BadRequest => 400,
        Class::Forbidden => 403,
        Class::NotFound => 404,
        Class::Conflict => 409,
    }
}

impl From<Failure> for Problem {
    fn from(failure: Failure) -> Self {
        Problem::Failed(failure)
    }
}

impl From<SignInFault> for Problem {
    fn from(fault: SignInFault) -> Self {
        Problem::SignIn(fault)
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        Problem::Failed(Failure::Refused(refusal))
    }
}

impl From<Reason> for Problem {
    fn from(reason: Reason) -> Self {
        Refusal::from(reason).into()
    }
}

impl From<PayloadRefusal> for Problem {
    fn from(refusal: PayloadRefusal) -> Self {
        Problem::Payload(refusal)
    }
}

impl From<PayloadFault> for Problem {
    fn from(fault: PayloadFault) -> Self {
        PayloadRefusal::from(fault).into()
    }
}

impl From<Malformed> for Problem {
    fn from(malformed: Malformed) -> Self {
        Problem::Malformed(malformed)
    }
}

/// The shape of a failed answer.
pub(super) struct Failed<'a> {
    pub problem: &'a Problem,
    /// Over a socket without an ack, the event that failed.
    pub event: Option<&'a str>,
    pub trace_id: &'a str,
}

impl Serialize for Failed<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("ok", &false)?;
        map.serialize_entry("error", &self.problem.name())?;
        map.serialize_entry("code", &self.problem.code())?;
        map.serialize_entry("message", &self.problem.message())?;
        if let Some(index) = self.problem.index() {
            map.serialize_entry("index", &index)?;
        }
        if let Some(seconds) = self.problem.retry_after_s() {
            map.serialize_entry("retryAfter", &seconds)?;
        }
        if let Some(event) = self.event {
            map.serialize_entry("event", event)?;
        }
        map.serialize_entry("trace_id", self.trace_id)?;
        map.end()
    }
}

/// The shape of a failed answer; over REST without `event`.
pub(crate) struct FailedAnswer;
super::shape::shaped!(FailedAnswer, "Error", |_| failed([]));

/// The event `error`.
pub(crate) struct ErrorEvent;
super::shape::shaped!(ErrorEvent, "ErrorEvent", |_| failed([("event", about(string(), "What failed."))]));

fn failed<const N: usize>(event: [(&str, schemars::Schema); N]) -> schemars::Schema {
    let first = [
        ("ok", only(false)),
        ("error", about(string(), "The class, and the code if there is one: `class.code`.")),
        ("code", about(nullable(string()), "The code alone; null if there is none.")),
        ("message", about(string(), "A sentence that a person can act on.")),
        (
            "index?",
            about(whole(), "Of several operations in one request, the place of the refused one, from 0."),
        ),
        ("retryAfter?", about(whole(), "After how many seconds to try again.")),
    ];
    object("A failure.", first.into_iter().chain(event).chain([("trace_id", trace())]))
}
