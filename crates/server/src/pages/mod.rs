//! The few pages that links lead to, for browsers: making an account, choosing a new password, signing in. They are
//! part of the binary and call the operations as any client does.

use axum::body::Body;
use axum::response::Response;
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
    X_FRAME_OPTIONS,
};
use http::{HeaderValue, StatusCode};

/// A page runs its own script and calls its own server. Nothing else is loaded, and no other page may contain it.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The file at a path, if there is one: its type and its text.
fn file(path: &str) -> Option<(&'static str, &'static str)> {
    Some(match path {
        "/" | "/setup" | "/invite" | "/reset" | "/email" => {
            ("text/html; charset=utf-8", include_str!("door.html"))
        }
        "/door.js" => ("text/javascript; charset=utf-8", include_str!("door.js")),
        "/door.css" => ("text/css; charset=utf-8", include_str!("door.css")),
        "/door.svg" => ("image/svg+xml", include_str!("door.svg")),
        _ => return None,
    })
}

/// Whether there is a page or a part of one at a path.
pub fn is_at(path: &str) -> bool {
    file(path).is_some()
}

/// What is at a path. A page may have a key in its address: nothing keeps it, and no other place is told of it.
pub fn at(path: &str) -> Option<Response> {
    let (kind, text) = file(path)?;
    Some(page(kind, text.to_owned()))
}

/// The page for somebody whose sign-in failed: what to do, and the way back. `message` is one of the server's own.
pub fn failure(status: u16, message: &str) -> Response {
    let message = message.replace('&', "&amp;").replace('<', "&lt;");
    let text = include_str!("failure.html").replace("{message}", &message);
    let mut response = page("text/html; charset=utf-8", text);
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response
}

fn page(kind: &'static str, text: String) -> Response {
    let mut response = Response::new(Body::from(text));
    for (name, value) in [
        (CONTENT_TYPE, kind),
        (CACHE_CONTROL, "no-store"),
        (CONTENT_SECURITY_POLICY, POLICY),
        (REFERRER_POLICY, "no-referrer"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (X_FRAME_OPTIONS, "DENY"),
    ] {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}
