//! Compression of answers, as `Accept-Encoding` asks for it: zstd, br or gzip, at their fastest levels. Small answers
//! are not worth it, and answers that carry a secret are left as they are.
//!
//! A large answer is compressed, and a snapshot written, piece by piece on threads that may block, a few at a time. A
//! piece is made when the one before it has gone to the connection, so a client that does not read costs nothing.

use super::response_permits::{ResponsePermit, holding};
use crate::aside;
use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use futures_util::StreamExt as _;
use http::header::CONTENT_ENCODING;
use http::{Extensions, HeaderMap, StatusCode, Version};
use http_body_util::{BodyExt as _, StreamBody};
use hyper::body::{Bytes, Frame};
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tower::{Service, ServiceExt as _};
use tower_http::CompressionLevel;
use tower_http::compression::{CompressionBody, CompressionLayer};

/// Smaller answers are not compressed: they fit into one packet anyway.
const BYTES_MIN: usize = 1 << 10;
/// Larger answers are compressed on threads of their own.
const BYTES_INLINE_MAX: usize = 64 << 10;
/// How much is made at once.
pub(super) const PIECE_BYTES: usize = 128 << 10;
/// How many pieces may wait to be sent.
const PIECES_AHEAD: usize = 1;

/// What is to know of an answer once it is whole. It stands among the response's extensions.
#[derive(Clone, Debug)]
pub(super) struct Answered {
    /// How long the body is; `None` if it is written as it is sent.
    pub(super) bytes: Option<usize>,
    /// Whether it may be compressed.
    pub(super) compressible: bool,
    /// Held until the last byte has been handed on.
    pub(super) permit: Option<Arc<ResponsePermit>>,
}

impl Answered {
    /// The answer with this said about it.
    pub(super) fn with(self, mut response: Response) -> Response {
        response.extensions_mut().insert(self);
        response
    }
}

/// Compresses what a service answers, by what it says about each answer.
pub(super) fn compressing<S, F>(
    respond: S,
) -> impl Service<Request, Response = Response, Error = Infallible, Future: Send> + Clone
where
    S: FnOnce(Request) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Response> + Send,
{
    let worth_it = |_: StatusCode, _: Version, _: &HeaderMap, extensions: &Extensions| {
        let large_enough = |answered: &Answered| answered.bytes.is_none_or(|bytes| bytes >= BYTES_MIN);
        extensions.get::<Answered>().is_some_and(|it| it.compressible && large_enough(it))
    };
    let layer = CompressionLayer::new().quality(CompressionLevel::Fastest).compress_when(worth_it);
    let answer = tower::service_fn(move |request| {
        let respond = respond.clone();
        async move {
            let mut response = respond(request).await;
            let status = Status(response.status());
            response.extensions_mut().insert(status);
            Ok::<_, Infallible>(response)
        }
    });
    tower::Layer::layer(&layer, answer).map_response(settled)
}

/// The status of an answer. The compression layer writes its own over it when a request takes no encoding at all,
/// which is no reason to hide what was answered.
#[derive(Clone, Copy)]
struct Status(StatusCode);

fn settled(mut response: Response<CompressionBody<Body>>) -> Response {
    if let Some(Status(status)) = response.extensions_mut().remove() {
        *response.status_mut() = status;
    }
    let Some(Answered { bytes, permit, .. }) = response.extensions_mut().remove() else {
        return response.map(Body::new);
    };
    let is_compressed = response.headers().contains_key(CONTENT_ENCODING);
    let response = match bytes {
        None => response.map(in_pieces),
        Some(bytes) if is_compressed && bytes > BYTES_INLINE_MAX => response.map(in_pieces),
        Some(_) => response.map(Body::new),
    };
    match permit {
        Some(permit) => response.map(|body| holding(permit, body)),
        None => response,
    }
}

/// The same body, made in pieces.
fn in_pieces(body: CompressionBody<Body>) -> Body {
    let (pieces, mut made) = mpsc::channel::<Result<Bytes, axum::Error>>(PIECES_AHEAD);
    tokio::spawn(async move {
        let mut unmade = Some(Box::pin(body));
        while let Some(mut body) = unmade.take() {
            let make = move |runtime: &Handle| (runtime.block_on(next_piece(&mut body)), body);
            let (piece, rest) = match aside::make(make).await {
                Some((Some(Ok(piece)), rest)) => (Ok(piece), Some(rest)),
                Some((Some(Err(error)), _)) => (Err(error), None),
                Some((None, _)) => return,
                // Without the error the part that was sent would pass for the whole.
                None => (Err(axum::Error::new("a part of the answer cannot be made")), None),
            };
            if pieces.send(piece).await.is_ok() {
                unmade = rest;
            } else {
                // Nobody reads any more. What is left may be large.
                aside::make(move |_| drop(rest)).await;
            }
        }
    });
    let pieces = futures_util::stream::poll_fn(move |context| made.poll_recv(context));
    Body::new(StreamBody::new(pieces.map(|piece| piece.map(Frame::data))))
}

async fn next_piece(body: &mut Pin<Box<CompressionBody<Body>>>) -> Option<Result<Bytes, axum::Error>> {
    let mut piece = Vec::new();
    while piece.len() < PIECE_BYTES {
        let data = match body.frame().await {
            Some(Ok(frame)) => frame.into_data().unwrap_or_default(),
            Some(Err(error)) => return Some(Err(axum::Error::new(error))),
            None => break,
        };
        if piece.is_empty() && data.len() >= PIECE_BYTES {
            return Some(Ok(data));
        }
        piece.extend_from_slice(&data);
    }
    (!piece.is_empty()).then(|| Ok(piece.into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rest::response_permits::ResponsePermits;
    use async_compression::tokio::bufread::{BrotliDecoder, GzipDecoder, ZstdDecoder};
    use http::header::{ACCEPT_ENCODING, VARY};
    use tokio::io::AsyncReadExt as _;

    /// A text that compresses, but not too well.
    fn text(bytes: usize) -> String {
        (0_u64..).map(|n| format!("{:x} ", n.wrapping_mul(0x9E37_79B9_7F4A_7C15))).collect_to(bytes)
    }

    trait CollectTo: Iterator<Item = String> + Sized {
        fn collect_to(self, bytes: usize) -> String {
            let mut text = String::new();
            for more in self {
                text.push_str(&more);
                if text.len() >= bytes {
                    break;
                }
            }
            text.truncate(bytes);
            text
        }
    }

    impl<I: Iterator<Item = String>> CollectTo for I {}

    async fn ask(accept: Option<&str>, bytes: usize, status: StatusCode, compressible: bool) -> Response {
        let service = compressing(move |_| async move {
            let text = text(bytes);
            let answered = Answered { bytes: Some(text.len()), compressible, permit: None };
            answered.with(crate::response::json(status, Body::from(text)))
        });
        let mut request = Request::new(Body::empty());
        if let Some(accept) = accept {
            request.headers_mut().insert(ACCEPT_ENCODING, accept.parse().unwrap());
        }
        service.oneshot(request).await.unwrap()
    }

    fn encoding(response: &Response) -> &str {
        response.headers().get(CONTENT_ENCODING).map_or("identity", |value| value.to_str().unwrap())
    }

    async fn decoded(response: Response) -> String {
        let encoding = encoding(&response).to_owned();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        let mut text = String::new();
        match encoding.as_str() {
            "zstd" => ZstdDecoder::new(&*body).read_to_string(&mut text).await,
            "br" => BrotliDecoder::new(&*body).read_to_string(&mut text).await,
            "gzip" => GzipDecoder::new(&*body).read_to_string(&mut text).await,
            _ => (&*body).read_to_string(&mut text).await,
        }
        .unwrap();
        text
    }

    #[tokio::test]
    async fn t30_answers_are_encoded_as_is_asked_for() {
        for (accept, want) in [
            (None, "identity"),
            (Some(""), "identity"),
            (Some("identity"), "identity"),
            (Some("gzip, deflate"), "gzip"),
            (Some("gzip, deflate, br, zstd"), "zstd"),
            (Some("gzip, br"), "br"),
            (Some("zstd;q=0.1, br;q=0.2, gzip;q=0.3"), "gzip"),
            (Some("zstd;q=0, br;q=0.5"), "br"),
            (Some("compress"), "identity"),
            (Some("GZIP;Q=1.0"), "gzip"),
        ] {
            // Small, made inline, and made in many pieces.
            for bytes in [BYTES_MIN - 1, BYTES_MIN, BYTES_INLINE_MAX + 1, 20 * PIECE_BYTES] {
                let response = ask(accept, bytes, StatusCode::OK, true).await;
                let want = if bytes < BYTES_MIN { "identity" } else { want };
                assert_eq!(encoding(&response), want, "{accept:?} {bytes}");
                let vary = response.headers().get(VARY).map(|vary| vary.to_str().unwrap().to_owned());
                assert_eq!(vary.as_deref(), (bytes >= BYTES_MIN).then_some("accept-encoding"), "{bytes}");
                assert!(decoded(response).await == text(bytes), "{accept:?} {bytes}");
            }
        }
    }

    #[tokio::test]
    async fn t30_a_request_that_takes_no_encoding_keeps_the_status_of_its_answer() {
        for status in [StatusCode::OK, StatusCode::FORBIDDEN] {
            let response = ask(Some("identity;q=0, *;q=0"), 5_000, status, true).await;
            assert_eq!((response.status(), encoding(&response)), (status, "identity"));
            assert_eq!(decoded(response).await, text(5_000));
        }
    }

    #[tokio::test]
    async fn t30_what_carries_a_secret_is_left_as_it_is() {
        let response = ask(Some("gzip, br, zstd"), 500_000, StatusCode::OK, false).await;
        assert_eq!((encoding(&response), response.headers().get(VARY)), ("identity", None));
        assert_eq!(decoded(response).await, text(500_000));
    }

    // Rules: R11, T30.
    #[tokio::test]
    async fn r11_a_compressed_answer_is_in_progress_until_its_last_byte() {
        let permits = ResponsePermits::default();
        let who = crate::limits::Who::address([127, 0, 0, 1].into());
        let mut unread = Vec::new();
        for _ in 0..4 {
            let permit = Arc::new(permits.acquire(who).await.unwrap());
            let service = compressing(move |_| async move {
                let answered = Answered { bytes: None, compressible: true, permit: Some(permit) };
                answered.with(Response::new(Body::from(text(200_000))))
            });
            let mut request = Request::new(Body::empty());
            request.headers_mut().insert(ACCEPT_ENCODING, "gzip".parse().unwrap());
            unread.push(service.oneshot(request).await.unwrap());
        }
        let soon = std::time::Duration::from_millis(200);
        assert!(tokio::time::timeout(soon, permits.acquire(who)).await.is_err(), "one more has to wait");
        assert_eq!(decoded(unread.pop().unwrap()).await, text(200_000));
        assert!(permits.acquire(who).await.is_some());
    }

    #[tokio::test]
    async fn t30_an_answer_that_cannot_be_made_whole_ends_with_an_error() {
        let service = compressing(|_| async {
            let first = Ok::<_, std::io::Error>(Bytes::from(text(1_000_000)));
            let parts = futures_util::stream::iter([first, Err(std::io::Error::other("broken"))]);
            let answered = Answered { bytes: None, compressible: true, permit: None };
            answered.with(Response::new(Body::from_stream(parts)))
        });
        let response = service.oneshot(Request::new(Body::empty())).await.unwrap();
        assert!(response.into_body().collect().await.is_err());
    }
}
