//! The descriptions of the API, and the pages that show them: open to everyone, and counted per address.

use super::compression::Answered;
use super::{RestAnswer, snapshot};
use crate::aside;
use crate::described::{File, POLICY, TAG, file};
use crate::response;
use crate::wire::Problem;
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::response::Response;
use http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, IF_NONE_MATCH,
    REFERRER_POLICY, VARY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use http::{HeaderMap, HeaderValue, StatusCode};
use http_body_util::BodyExt as _;
use std::sync::LazyLock;
use swagger_ui_dist::{ApiDefinition, OpenApiSource, generate_routes};
use tower::ServiceExt as _;

/// The viewer's files, as its package serves them.
static VIEWER: LazyLock<Router> = LazyLock::new(|| {
    let api_definition = OpenApiSource::Uri("/api/openapi.json");
    generate_routes(ApiDefinition { uri_prefix: "/viewer", api_definition, title: None })
});

/// Answers with what is at a path, or with 304 if the request names its tag; `None` if there is nothing.
pub(super) async fn at(path: &str, headers: &HeaderMap) -> Option<RestAnswer> {
    // The documents are made when they are first asked for.
    let path = path.to_owned();
    let found = aside::make(move |_| file(&path).map(|file| (file, TAG.as_str()))).await;
    match found {
        Some(Some((file, tag))) => Some(answer(file, tag, headers).await),
        Some(None) => None,
        None => Some(Err(Problem::exception())),
    }
}

async fn answer(file: File, tag: &'static str, headers: &HeaderMap) -> RestAnswer {
    let is_known = headers.get_all(IF_NONE_MATCH).iter().any(|value| snapshot::names(value, tag));
    let (kind, body) = match file {
        _ if is_known => ("", Bytes::new()),
        File::Text(kind, text) => (kind, Bytes::from_static(text.as_bytes())),
        File::OfViewer(kind, name) => (kind, of_viewer(name).await?),
    };
    let status = if is_known { StatusCode::NOT_MODIFIED } else { StatusCode::OK };
    let answered = Answered { bytes: Some(body.len()), compressible: true, permit: None };
    let mut response: Response = answered.with(response::json(status, Body::from(body)));
    let headers = response.headers_mut();
    if !is_known {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    }
    headers.insert(ETAG, HeaderValue::from_static(tag));
    headers.insert(VARY, HeaderValue::from(ACCEPT_ENCODING));
    for (name, value) in [
        (CACHE_CONTROL, "no-cache"),
        (CONTENT_SECURITY_POLICY, POLICY),
        (REFERRER_POLICY, "no-referrer"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (X_FRAME_OPTIONS, "DENY"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    Ok(response)
}

async fn of_viewer(name: &str) -> Result<Bytes, Problem> {
    let request = Request::get(format!("/viewer{name}")).body(Body::empty());
    let request = request.map_err(|_| Problem::exception())?;
    let Ok(response) = VIEWER.clone().oneshot(request).await;
    let body = response.into_body().collect().await.map_err(|_| Problem::exception())?;
    Ok(body.to_bytes())
}
