//! An HTTP client: one kept-alive connection, one request at a time, bodies counted as they arrive.

use anyhow::{Context as _, ensure};
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use std::net::SocketAddr;
use tokio::net::TcpStream;

/// A connection.
#[derive(Debug)]
pub struct Http {
    sender: SendRequest<Full<Bytes>>,
    address: SocketAddr,
}

impl Http {
    /// Connects.
    pub async fn connect(address: SocketAddr) -> anyhow::Result<Http> {
        let tcp = TcpStream::connect(address).await?;
        tcp.set_nodelay(true)?;
        let (sender, connection) = handshake(TokioIo::new(tcp)).await?;
        // A failure of the connection is also one of the request, which reports it.
        tokio::spawn(connection);
        Ok(Http { sender, address })
    }

    /// Sends a request and returns the answer, whatever its status. `authorization` may be empty.
    pub async fn send(
        &mut self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> anyhow::Result<http::Response<Incoming>> {
        let mut request =
            Request::builder().method(method).uri(path).header("host", self.address.to_string());
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.sender.ready().await?;
        Ok(self.sender.send_request(request.body(Full::new(body.into()))?).await?)
    }

    /// Sends a request with JSON and returns the body of the answer.
    ///
    /// # Errors
    /// If the status is not a success.
    pub async fn json(
        &mut self,
        method: Method,
        path: &str,
        authorization: &str,
        body: &str,
    ) -> anyhow::Result<Bytes> {
        let headers = [("authorization", authorization), ("content-type", "application/json")];
        let used = if authorization.is_empty() { &headers[1..] } else { &headers[..] };
        let answer = self.send(method, path, used, body.to_owned()).await?;
        let status = answer.status();
        let bytes = answer.into_body().collect().await?.to_bytes();
        ensure!(status.is_success(), "{path} was answered {status}: {}", String::from_utf8_lossy(&bytes));
        Ok(bytes)
    }

    /// GETs a path, reads the answer to its last byte, and returns how many bytes the body had and the last of them.
    ///
    /// # Errors
    /// If the status is not 200.
    pub async fn drain(&mut self, path: &str, headers: &[(&str, &str)]) -> anyhow::Result<Drained> {
        let answer = self.send(Method::GET, path, headers, Bytes::new()).await?;
        let status = answer.status();
        let mut body = answer.into_body();
        let mut drained = Drained::default();
        while let Some(frame) = body.frame().await {
            if let Ok(data) = frame?.into_data() {
                if drained.bytes == 0 {
                    drained.first = data.clone();
                }
                drained.bytes += data.len() as u64;
                drained.last = data;
            }
        }
        ensure!(status == StatusCode::OK, "{path} was answered {status}");
        ensure!(drained.bytes > 0, "{path} was answered with nothing");
        Ok(drained)
    }
}

/// A body that was read to its end.
#[derive(Debug, Default)]
pub struct Drained {
    /// How many bytes it had.
    pub bytes: u64,
    /// The first piece of it that arrived.
    pub first: Bytes,
    /// The last piece.
    pub last: Bytes,
}

/// The body of an answer as JSON.
pub fn parse(bytes: &Bytes) -> anyhow::Result<serde_json::Value> {
    serde_json::from_slice(bytes).context("the answer is not JSON")
}
