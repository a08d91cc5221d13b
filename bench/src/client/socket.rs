//! A Socket.IO client: Engine.IO 4 over a raw websocket, one namespace, text only.

use anyhow::{Context as _, bail, ensure};
use futures_util::{SinkExt as _, StreamExt as _};
use memchr::memmem;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

/// The read buffer of a connection. Thousands of them are open at the same time.
const READ_BUFFER_BYTES: usize = 8 << 10;
/// A whole graph may come as one message.
const MESSAGE_BYTES_MAX: usize = 1 << 30;
/// How long the server may take to let a client in.
const WELCOME: Duration = Duration::from_secs(60);

/// A connected client.
#[derive(Debug)]
pub struct Socket {
    stream: WebSocketStream<TcpStream>,
    next_ack: u64,
}

/// What a client is sent.
#[derive(Debug)]
pub enum Packet {
    /// The answer to the request with this number. The text is that of the whole packet.
    Ack(u64, Utf8Bytes),
    /// An event, `42["name",…]`.
    Event(Utf8Bytes),
}

impl Socket {
    /// Connects with a token, up to the event `connected`.
    ///
    /// # Errors
    /// If the connection fails, or the server does not let the client in.
    pub async fn connect(address: SocketAddr, token: &str) -> anyhow::Result<Socket> {
        let welcomed = tokio::time::timeout(WELCOME, Socket::welcomed(address, token)).await;
        welcomed.with_context(|| format!("not let in within {WELCOME:?}"))?
    }

    async fn welcomed(address: SocketAddr, token: &str) -> anyhow::Result<Socket> {
        let tcp = TcpStream::connect(address).await?;
        tcp.set_nodelay(true)?;
        let url = format!("ws://{address}/socket.io/?EIO=4&transport=websocket");
        let mut request = url.into_client_request()?;
        request.headers_mut().insert("authorization", format!("Bearer {token}").parse()?);
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BUFFER_BYTES)
            .write_buffer_size(0)
            .max_message_size(Some(MESSAGE_BYTES_MAX))
            .max_frame_size(Some(MESSAGE_BYTES_MAX));
        let (stream, _) = client_async_with_config(request, tcp, Some(config)).await?;
        let mut socket = Socket { stream, next_ack: 0 };
        socket.send("40").await?;
        loop {
            if let Packet::Event(text) = socket.next().await? {
                ensure!(text.starts_with(r#"42["connected",{"ok":true"#), "not let in: {text}");
                return Ok(socket);
            }
        }
    }

    /// Sends a request and returns its number. `payload` is JSON.
    pub async fn send_request(&mut self, event: &str, payload: &str) -> anyhow::Result<u64> {
        let number = self.next_ack;
        self.next_ack += 1;
        self.send(format!("42{number}[\"{event}\",{payload}]")).await?;
        Ok(number)
    }

    /// Sends a request and waits for its answer. Events that arrive before it are dropped.
    ///
    /// # Errors
    /// If the answer is not `ok: true`.
    pub async fn request(&mut self, event: &str, payload: &str) -> anyhow::Result<Utf8Bytes> {
        let number = self.send_request(event, payload).await?;
        loop {
            if let Packet::Ack(answered, text) = self.next().await? {
                ensure!(answered == number, "request {number} was to be answered, not {answered}");
                ensure!(is_ok(&text), "{event} was refused: {}", start_of(&text));
                return Ok(text);
            }
        }
    }

    /// The same, with the answer as JSON.
    pub async fn request_json(&mut self, event: &str, payload: &str) -> anyhow::Result<serde_json::Value> {
        let text = self.request(event, payload).await?;
        let start = text.find('[').context("an ack without arguments")?;
        let answers: [serde_json::Value; 1] = serde_json::from_str(&text[start..])?;
        let [answer] = answers;
        Ok(answer)
    }

    /// The next answer or event. Pings are answered on the way.
    ///
    /// # Errors
    /// If the connection ends.
    pub async fn next(&mut self) -> anyhow::Result<Packet> {
        loop {
            let message = self.stream.next().await.context("the server closed the connection")??;
            let text = match message {
                Message::Text(text) => text,
                Message::Close(frame) => bail!("the server closed the connection: {frame:?}"),
                _ => continue,
            };
            if text.starts_with("42") {
                return Ok(Packet::Event(text));
            }
            if let Some(rest) = text.strip_prefix("43") {
                let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
                return Ok(Packet::Ack(rest[..digits].parse()?, text));
            }
            match text.as_bytes().first() {
                Some(b'2') => self.send("3").await?,
                // The Engine.IO handshake, and the answer to CONNECT.
                Some(b'0') => {}
                _ if text.starts_with("40") => {}
                _ => bail!("the server ended the session: {}", start_of(&text)),
            }
        }
    }

    async fn send(&mut self, text: impl Into<Utf8Bytes>) -> anyhow::Result<()> {
        Ok(self.stream.send(Message::Text(text.into())).await?)
    }
}

/// Whether an ack's text begins with a yes: `43N[{"ok":true`.
pub fn is_ok(ack: &str) -> bool {
    let head = ack.as_bytes().get(..48.min(ack.len())).unwrap_or_default();
    memmem::find(head, br#"[{"ok":true"#).is_some()
}

/// Enough of a text to recognize it in an error.
pub fn start_of(text: &str) -> String {
    text.chars().take(300).collect()
}
