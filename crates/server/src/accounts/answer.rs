//! The answer to a request concerning accounts: JSON or a redirect, with cookies if there are any to set.

use crate::wire;
use http::HeaderValue;
use serde::Serialize;

/// An answer, for the transport to send.
#[derive(Debug)]
pub struct Answer {
    /// What is answered.
    pub answered: Answered,
    /// The values of `Set-Cookie`.
    pub cookies: Vec<HeaderValue>,
}

/// What is answered.
#[derive(Debug)]
pub enum Answered {
    /// The text of a JSON object.
    Json(String),
    /// Another place to go to: the value of `Location`.
    Redirect(HeaderValue),
}

impl Answer {
    /// `{ok: true, …, trace_id}` with the fields of a value between them.
    pub fn of(fields: &impl Serialize, trace_id: &str) -> Self {
        Answer::json(wire::into_string(wire::success(fields, trace_id)))
    }

    /// `{ok: true, trace_id}`.
    pub fn empty(trace_id: &str) -> Self {
        #[derive(Serialize)]
        struct Nothing {}
        Answer::of(&Nothing {}, trace_id)
    }

    /// An answer whose text is written already.
    pub fn json(text: String) -> Self {
        Answer { answered: Answered::Json(text), cookies: Vec::new() }
    }

    /// A redirect.
    pub fn redirect(to: HeaderValue) -> Self {
        Answer { answered: Answered::Redirect(to), cookies: Vec::new() }
    }

    /// The answer, with a cookie to set.
    pub fn with_cookie(mut self, cookie: Option<HeaderValue>) -> Self {
        self.cookies.extend(cookie);
        self
    }
}
