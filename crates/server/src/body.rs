//! The body of a request, read whole within bounds, the same for REST and for the polling transport.

use crate::wire::Problem;
use axum::body::Body;
use http::HeaderMap;
use http::header::CONTENT_ENCODING;
use http_body_util::BodyExt as _;
use std::time::Duration;

/// How much of an oversized body is still read. A client reads the answer only after sending nearly all of its
/// body.
const EXCESS_FACTOR: usize = 16;

/// Reads the whole body of a request.
///
/// # Errors
/// The refusal of a body that is encoded, has more than `bytes_max` bytes, ends early or does not arrive in time.
pub async fn read_body(
    headers: &HeaderMap,
    body: Body,
    bytes_max: usize,
    within: Duration,
) -> Result<Vec<u8>, Problem> {
    plain_body(headers)?;
    match tokio::time::timeout(within, collect(body, bytes_max)).await {
        Ok(result) => result,
        Err(_) => Err(Problem::malformed("the body did not arrive in time")),
    }
}

async fn collect(mut body: Body, bytes_max: usize) -> Result<Vec<u8>, Problem> {
    let (mut bytes, mut total) = (Vec::new(), 0_usize);
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| Problem::malformed("the body ended early"))?;
        let Some(data) = frame.data_ref() else { continue };
        total = total.saturating_add(data.len());
        if total <= bytes_max {
            bytes.extend_from_slice(data);
        } else {
            bytes = Vec::new();
            if total > bytes_max.saturating_mul(EXCESS_FACTOR) {
                break;
            }
        }
    }
    if total > bytes_max { Err(Problem::PayloadTooLarge) } else { Ok(bytes) }
}

/// Refuses a body that is encoded: bodies are read as they are.
///
/// # Errors
/// [`Problem::Encoding`] when `Content-Encoding` names anything but `identity`.
fn plain_body(headers: &HeaderMap) -> Result<(), Problem> {
    let mut named = headers.get_all(CONTENT_ENCODING).into_iter().flat_map(|value| {
        let entries = value.as_bytes().split(|byte| *byte == b',');
        entries.map(<[u8]>::trim_ascii)
    });
    let plain = named.all(|entry| entry.is_empty() || entry.eq_ignore_ascii_case(b"identity"));
    if plain { Ok(()) } else { Err(Problem::Encoding) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn r9_a_body_that_is_too_large_is_refused() {
        for (bytes, fits) in [(0, true), (99, true), (100, true), (101, false), (5_000, false)] {
            let got = collect(Body::from(vec![b' '; bytes]), 100).await;
            assert_eq!(got.is_ok(), fits, "{bytes}");
        }
    }

    #[tokio::test]
    async fn t20_a_body_that_never_ends_is_given_up() {
        let (_tx, pending) = (0, std::future::pending::<Option<Result<axum::body::Bytes, std::io::Error>>>());
        let body = Body::from_stream(futures_util::stream::once(async {
            pending.await.unwrap_or(Ok(axum::body::Bytes::new()))
        }));
        let got = read_body(&HeaderMap::new(), body, 100, Duration::from_millis(10)).await;
        assert!(matches!(got, Err(Problem::Malformed(_))));
    }
}
