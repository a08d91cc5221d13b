//! The answer of graph:snapshot: written piece by piece while it is sent, unless the caller has it already.

use super::compression::{Answered, PIECE_BYTES};
use super::response_permits::ResponsePermit;
use crate::aside;
use crate::response;
use crate::wire::{Problem, Snapshot};
use axum::body::{Body, HttpBody};
use axum::response::Response;
use http::header::{ACCEPT_ENCODING, ETAG, IF_NONE_MATCH, VARY};
use http::{HeaderMap, HeaderValue, StatusCode};
use hyper::body::{Bytes, Frame};
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

/// Answers with a snapshot, or with 304 if the request names its tag.
pub(super) async fn answer(
    snapshot: Snapshot,
    headers: &HeaderMap,
    permit: Option<Arc<ResponsePermit>>,
) -> Result<Response, Problem> {
    let known: Vec<HeaderValue> = headers.get_all(IF_NONE_MATCH).iter().cloned().collect();
    let made = aside::make(move |_| {
        // The text also has a rev and a trace id: two texts with the same tag are not the same, byte for byte.
        let tag = format!("W/\"{}\"", snapshot.tag());
        let is_known = known.iter().any(|named| names(named, &tag));
        // What is not sent may be large, and is dropped here.
        (tag, (!is_known).then_some(snapshot))
    });
    let (tag, snapshot) = made.await.ok_or_else(Problem::exception)?;
    let (status, body) = match snapshot {
        Some(snapshot) => (StatusCode::OK, Body::new(SnapshotBody(snapshot))),
        None => (StatusCode::NOT_MODIFIED, Body::empty()),
    };
    let bytes = (status == StatusCode::NOT_MODIFIED).then_some(0);
    let mut response = Answered { bytes, compressible: true, permit }.with(response::json(status, body));
    let headers = response.headers_mut();
    headers.insert(ETAG, HeaderValue::from_str(&tag).map_err(|_| Problem::exception())?);
    headers.insert(VARY, HeaderValue::from(ACCEPT_ENCODING));
    Ok(response)
}

/// Whether a value of `If-None-Match` names a tag, by weak comparison.
pub(super) fn names(value: &HeaderValue, tag: &str) -> bool {
    let opaque = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    let tags = value.to_str().unwrap_or_default().split(',');
    tags.map(opaque).any(|named| named == "*" || named == opaque(tag))
}

/// A snapshot as a body. A frame is written when it is asked for.
struct SnapshotBody(Snapshot);

impl HttpBody for SnapshotBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let text = self.0.write(PIECE_BYTES);
        Poll::Ready((!text.is_empty()).then(|| Ok(Frame::data(text.into()))))
    }
}
