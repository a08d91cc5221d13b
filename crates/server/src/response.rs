//! Answers over HTTP, the same for REST and for what Socket.IO is asked over HTTP.

use crate::wire::{self, Problem, trace_id};
use axum::body::Body;
use axum::response::Response;
use http::header::{ACCEPT_ENCODING, ALLOW, CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderName, HeaderValue, StatusCode};

/// The header that carries an answer's trace id.
pub const TRACE_ID: HeaderName = HeaderName::from_static("x-trace-id");

/// An answer with JSON in it. The body is the JSON's text.
pub fn json(status: StatusCode, body: Body) -> Response {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// A refusal: the error object, and the headers that belong to its class. `trace_id` stands in the body and in a header.
pub fn refusal(problem: &Problem, trace_id: &str) -> Response {
    let status = StatusCode::from_u16(problem.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = json(status, Body::from(wire::into_string(wire::refused(problem, trace_id).1)));
    let headers = response.headers_mut();
    if let Some(seconds) = problem.retry_after_s() {
        headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    match status {
        StatusCode::UNAUTHORIZED => {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        StatusCode::UNSUPPORTED_MEDIA_TYPE => {
            headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        }
        _ => {}
    }
    traced(response, trace_id)
}

/// The whole answer to a request that the HTTP library could not read, by the status that the library gives; `None` for
/// any other status. `headers` are further header lines, each with its line end.
pub fn unread(status: u16, headers: &str) -> Option<String> {
    let problem = match status {
        400 => Problem::Request,
        414 => Problem::UriTooLong,
        431 => Problem::HeadersTooLarge,
        _ => return None,
    };
    let trace_id = trace_id();
    let body = wire::into_string(wire::refused(&problem, &trace_id).1);
    let reason = StatusCode::from_u16(status).ok()?.canonical_reason()?;
    let length = body.len();
    Some(format!(
        "HTTP/1.1 {status} {reason}\r\nconnection: close\r\ncontent-type: application/json\r\ncache-control: no-store\r\n\
         x-trace-id: {trace_id}\r\n{headers}content-length: {length}\r\n\r\n{body}"
    ))
}

/// The answer to OPTIONS: the methods that a path takes, and no body.
pub fn options(methods: &[&str], trace_id: &str) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    traced(allowing(response, methods), trace_id)
}

/// Adds the methods that a path takes.
pub fn allowing(mut response: Response, methods: &[&str]) -> Response {
    if let Ok(allowed) = HeaderValue::from_str(&methods.join(", ")) {
        response.headers_mut().insert(ALLOW, allowed);
    }
    response
}

/// Adds the trace id as a header.
pub fn traced(mut response: Response, trace_id: &str) -> Response {
    if let Ok(value) = HeaderValue::from_str(trace_id) {
        response.headers_mut().insert(TRACE_ID, value);
    }
    response
}
