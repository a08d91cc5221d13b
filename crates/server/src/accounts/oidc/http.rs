//! The HTTP client with which identity providers are asked: short waits, small answers, no redirects.

use axum::body::Bytes;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use http::{Request, Response, Uri};
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use openidconnect::{AsyncHttpClient, HttpRequest, HttpResponse};
use std::io;
use std::net::IpAddr;
use std::time::Duration;
use thiserror::Error;

/// How long one request may take, with its answer.
const TIMEOUT: Duration = Duration::from_secs(10);
/// The largest answer, in bytes. The keys of large providers have about 15 KB.
const BYTES_MAX: usize = 256 << 10;

/// An HTTP client. Clones share its connections.
#[derive(Clone, Debug)]
pub(super) struct Http(Client<HttpsConnector<HttpConnector>, Full<Bytes>>);

/// Why a request to a provider has no answer.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub(super) enum HttpFault {
    #[error("its address is not https")]
    Insecure,
    #[error("it could not be reached")]
    Unreachable,
    #[error("it took too long")]
    TooSlow,
    #[error("its answer is too large")]
    TooLarge,
    #[error("its answer broke off")]
    Broken,
}

impl Http {
    /// A client that trusts the certificates that the system trusts.
    ///
    /// # Errors
    /// When there are none.
    pub(super) fn new() -> io::Result<Self> {
        // Whether `http` is allowed depends on the host.
        let connector =
            HttpsConnectorBuilder::new().with_native_roots()?.https_or_http().enable_http1().build();
        Ok(Http(Client::builder(TokioExecutor::new()).build(connector)))
    }

    /// Sends a request. A redirect is an answer like any other.
    ///
    /// # Errors
    /// [`HttpFault`].
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, HttpFault> {
        if !is_allowed(request.uri()) {
            return Err(HttpFault::Insecure);
        }
        match tokio::time::timeout(TIMEOUT, self.exchange(request)).await {
            Ok(answer) => answer,
            Err(_) => Err(HttpFault::TooSlow),
        }
    }

    async fn exchange(&self, request: HttpRequest) -> Result<HttpResponse, HttpFault> {
        let (mut parts, body) = request.into_parts();
        parts.headers.insert(http::header::USER_AGENT, http::HeaderValue::from_static("synaptask"));
        let request = Request::from_parts(parts, Full::new(Bytes::from(body)));
        let response = self.0.request(request).await.map_err(|_| HttpFault::Unreachable)?;
        let (parts, body) = response.into_parts();
        let body = Limited::new(body, BYTES_MAX).collect().await.map_err(|error| {
            if error.is::<LengthLimitError>() { HttpFault::TooLarge } else { HttpFault::Broken }
        })?;
        Ok(Response::from_parts(parts, body.to_bytes().to_vec()))
    }
}

impl<'c> AsyncHttpClient<'c> for Http {
    type Error = HttpFault;
    type Future = BoxFuture<'static, Result<HttpResponse, HttpFault>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        let http = self.clone();
        async move { http.send(request).await }.boxed()
    }
}

/// Whether an address may be asked: by https, or on this machine.
fn is_allowed(uri: &Uri) -> bool {
    match uri.scheme_str() {
        Some("https") => true,
        Some("http") => uri.host().is_some_and(is_loopback),
        _ => false,
    }
}

/// Whether a host is this machine. `[…]` around IPv6 is allowed.
pub(super) fn is_loopback(host: &str) -> bool {
    let bare = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
    host.eq_ignore_ascii_case("localhost")
        || bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    /// A server that answers one request with these bytes and then keeps silent.
    async fn server(answer: Vec<u8>) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let _ = stream.read(&mut [0; 4096]).await;
            // The client may have hung up.
            let _ = stream.write_all(&answer).await;
            std::future::pending::<()>().await;
        });
        format!("http://{address}/")
    }

    async fn ask(uri: &str) -> Result<HttpResponse, HttpFault> {
        Http::new().unwrap().send(Request::get(uri).body(Vec::new()).unwrap()).await
    }

    // Rules: I10.
    #[tokio::test]
    async fn i10_answers_are_bounded_and_redirects_are_not_followed() {
        let redirect = b"HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n";
        assert_eq!(ask(&server(redirect.to_vec()).await).await.unwrap().status(), 302);
        let of = |bytes: usize| {
            let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {bytes}\r\n\r\n");
            [head.into_bytes(), vec![b' '; bytes]].concat()
        };
        assert_eq!(ask(&server(of(BYTES_MAX)).await).await.unwrap().body().len(), BYTES_MAX);
        assert_eq!(ask(&server(of(BYTES_MAX + 1)).await).await.unwrap_err(), HttpFault::TooLarge);
        assert_eq!(ask("http://127.0.0.1:1/").await.unwrap_err(), HttpFault::Unreachable);
        for insecure in ["http://id.example/", "http://127.0.0.1.id.example/", "ftp://127.0.0.1/"] {
            assert_eq!(ask(insecure).await.unwrap_err(), HttpFault::Insecure, "{insecure}");
        }
    }

    // Rules: I10.
    #[tokio::test(start_paused = true)]
    async fn i10_an_answer_that_does_not_come_is_given_up() {
        for part in [&b""[..], b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{"] {
            assert_eq!(ask(&server(part.to_vec()).await).await.unwrap_err(), HttpFault::TooSlow);
        }
    }
}
