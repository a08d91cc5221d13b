//! Cross-origin requests: a layer that adds the CORS headers by which browsers decide.

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE,
    ACCESS_CONTROL_REQUEST_METHOD, ORIGIN, VARY,
};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use std::sync::Arc;

/// Which origins' pages may call the server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CorsMode {
    /// Pages of any origin, with a token; pages of an allowed origin also with cookies.
    #[default]
    Any,
    /// Only pages of an allowed origin.
    Listed,
    /// No pages.
    Off,
}

/// The settings of the layer.
#[derive(Clone, Debug)]
pub struct Cors {
    /// Which origins' pages may call the server.
    pub mode: CorsMode,
    /// The origins whose pages may send cookies, as browsers write them.
    pub allowed_origins: Vec<String>,
}

/// What the calling page may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Grant {
    /// Call and read, with cookies too.
    WithCookies,
    /// Call and read without cookies.
    WithoutCookies,
    /// Nothing.
    None,
}

impl Cors {
    fn grant(&self, origin: Option<&HeaderValue>) -> Grant {
        let listed = origin.and_then(|origin| origin.to_str().ok()).is_some_and(|origin| {
            self.allowed_origins.iter().any(|allowed| allowed.eq_ignore_ascii_case(origin))
        });
        match self.mode {
            CorsMode::Off => Grant::None,
            CorsMode::Any | CorsMode::Listed if listed => Grant::WithCookies,
            CorsMode::Any => Grant::WithoutCookies,
            CorsMode::Listed => Grant::None,
        }
    }

    /// The header lines of an answer to a request whose origin could not be read. An allowed origin's page reads such
    /// an answer only if it sent no cookies.
    pub fn without_origin(&self) -> &'static str {
        match self.mode {
            CorsMode::Any => {
                "access-control-allow-origin: *\r\naccess-control-expose-headers: X-Trace-Id, Retry-After, ETag\r\n"
            }
            CorsMode::Listed | CorsMode::Off => "",
        }
    }

    /// Whether answers differ by origin, so that a cache must keep them apart.
    fn varies(&self) -> bool {
        self.mode != CorsMode::Off && (self.mode == CorsMode::Listed || !self.allowed_origins.is_empty())
    }
}

/// Adds to every answer the headers that say what the calling page may do.
pub async fn cors(State(cors): State<Arc<Cors>>, request: Request, next: Next) -> Response {
    let origin = request.headers().get(ORIGIN).cloned();
    let is_preflight = request.method() == Method::OPTIONS
        && origin.is_some()
        && request.headers().contains_key(ACCESS_CONTROL_REQUEST_METHOD);
    let mut response = next.run(request).await;
    if cors.mode == CorsMode::Off {
        return response;
    }
    if is_preflight && !response.status().is_success() {
        // A page can read the reason of a refusal only if its preflight passes.
        response = Response::default();
        *response.status_mut() = StatusCode::NO_CONTENT;
    }
    let headers = response.headers_mut();
    if cors.varies() {
        headers.append(VARY, HeaderValue::from_static("origin"));
    }
    let grant = cors.grant(origin.as_ref());
    match (grant, origin) {
        (Grant::None, _) => return response,
        (Grant::WithCookies, Some(origin)) => {
            headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
            headers.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
        }
        (Grant::WithCookies | Grant::WithoutCookies, _) => {
            headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
        }
    }
    headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("X-Trace-Id, Retry-After, ETag"));
    if is_preflight {
        permit_request(headers);
    }
    response
}

/// Grants what a preflight asks for. It is the same for every path, so that a page can also read that a path or
/// method is wrong.
fn permit_request(headers: &mut HeaderMap) {
    headers.insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, HEAD, POST, PUT, DELETE"));
    headers.insert(
        ACCESS_CONTROL_ALLOW_HEADERS,
        HeaderValue::from_static("Authorization, Content-Type, If-None-Match"),
    );
    headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("3600"));
}
