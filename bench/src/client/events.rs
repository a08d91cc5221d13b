//! PocketBase's realtime API: server-sent events over HTTP.

use super::http::{Http, parse};
use anyhow::{Context as _, ensure};
use http::{Method, StatusCode};
use http_body_util::BodyExt as _;
use hyper::body::{Bytes, Incoming};
use memchr::memmem;
use std::net::SocketAddr;

/// A subscription.
#[derive(Debug)]
pub struct Events {
    body: Incoming,
    received: Vec<u8>,
    /// The connection ends with it.
    _http: Http,
}

impl Events {
    /// Connects and subscribes to a topic.
    pub async fn subscribe(address: SocketAddr, token: &str, topic: &str) -> anyhow::Result<Events> {
        let mut http = Http::connect(address).await?;
        let answer = http.send(Method::GET, "/api/realtime", &[], Bytes::new()).await?;
        ensure!(answer.status() == StatusCode::OK, "no events: {}", answer.status());
        let mut events = Events { body: answer.into_body(), received: Vec::new(), _http: http };
        let hello = events.next().await?;
        let (_, data) = hello.split_once("data:").context("an event without data")?;
        let hello = parse(&Bytes::copy_from_slice(data.trim().as_bytes()))?;
        let client = hello["clientId"].as_str().context("an event without a client id")?;
        let wish = serde_json::json!({"clientId": client, "subscriptions": [topic]}).to_string();
        Http::connect(address).await?.json(Method::POST, "/api/realtime", token, &wish).await?;
        Ok(events)
    }

    /// The next event, as it was sent.
    pub async fn next(&mut self) -> anyhow::Result<String> {
        loop {
            if let Some(end) = memmem::find(&self.received, b"\n\n") {
                let event: Vec<u8> = self.received.drain(..end + 2).collect();
                return Ok(String::from_utf8(event)?);
            }
            let frame = self.body.frame().await.context("the events have ended")??;
            if let Ok(data) = frame.into_data() {
                self.received.extend_from_slice(&data);
            }
        }
    }
}
