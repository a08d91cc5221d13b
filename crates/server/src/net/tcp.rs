//! A client's TCP connection, with a handle that shows how much was sent on it, pauses its input, and ends it at
//! any time.
//!
//! The Socket.IO library does not report when a message has left, and does not return from a write that is stuck.
//! Both are handled here, below it.

use super::unread::{Explain, Unread};
use futures_util::task::AtomicWaker;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::{Notify, OwnedSemaphorePermit};

/// What can be observed about a connection and done to it.
#[derive(Debug)]
pub struct Handle {
    /// The other end's address, which may be a proxy's.
    pub peer: SocketAddr,
    written_bytes: AtomicU64,
    /// Notified whenever bytes were written.
    pub progress: Notify,
    held: AtomicBool,
    cut: AtomicBool,
    upgraded: AtomicBool,
    ended: AtomicBool,
    reader: AtomicWaker,
    writer: AtomicWaker,
}

impl Handle {
    fn new(peer: SocketAddr) -> Self {
        Handle {
            peer,
            written_bytes: AtomicU64::new(0),
            progress: Notify::new(),
            held: AtomicBool::new(false),
            cut: AtomicBool::new(false),
            upgraded: AtomicBool::new(false),
            ended: AtomicBool::new(false),
            reader: AtomicWaker::new(),
            writer: AtomicWaker::new(),
        }
    }

    /// How many bytes the system has accepted for sending.
    pub fn written_bytes(&self) -> u64 {
        self.written_bytes.load(Ordering::Acquire)
    }

    /// Notes that the connection is no longer HTTP: what is written from now on is sent as it is.
    pub fn upgrade(&self) {
        self.upgraded.store(true, Ordering::Release);
    }

    /// Whether the connection has ended.
    pub fn is_ended(&self) -> bool {
        self.ended.load(Ordering::Acquire)
    }

    /// Stops reading from the client, which makes it wait.
    pub fn hold(&self) {
        self.held.store(true, Ordering::Release);
    }

    /// Resumes reading.
    pub fn release(&self) {
        if self.held.swap(false, Ordering::AcqRel) {
            self.reader.wake();
        }
    }

    /// Ends the connection at once. A task that reads or writes on it gets an error, even if it is stuck.
    pub fn cut(&self) {
        self.cut.store(true, Ordering::Release);
        self.reader.wake();
        self.writer.wake();
        self.progress.notify_waiters();
    }

    fn check(&self) -> io::Result<()> {
        if self.cut.load(Ordering::Acquire) { Err(io::ErrorKind::ConnectionAborted.into()) } else { Ok(()) }
    }

    fn wrote(&self, result: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if let Poll::Ready(Ok(bytes)) = &result {
            self.written_bytes.fetch_add(*bytes as u64, Ordering::AcqRel);
            self.progress.notify_one();
        }
        result
    }
}

/// A connection as seen by the HTTP and WebSocket layers.
#[derive(Debug)]
pub struct Tcp {
    stream: TcpStream,
    handle: Arc<Handle>,
    unread: Unread,
    /// Released when the connection ends, upgraded or not.
    _place: OwnedSemaphorePermit,
}

impl Tcp {
    /// Wraps an accepted connection. `explain` answers the requests that the HTTP library cannot read.
    pub fn new(stream: TcpStream, peer: SocketAddr, place: OwnedSemaphorePermit, explain: Explain) -> Self {
        Tcp { stream, handle: Arc::new(Handle::new(peer)), unread: Unread::new(explain), _place: place }
    }

    /// Its handle.
    pub fn handle(&self) -> Arc<Handle> {
        Arc::clone(&self.handle)
    }

    fn write(&mut self, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let stream = Pin::new(&mut self.stream);
        if self.handle.upgraded.load(Ordering::Acquire) {
            stream.poll_write(cx, buf)
        } else {
            self.unread.poll_write(stream, cx, buf)
        }
    }
}

impl Drop for Tcp {
    fn drop(&mut self) {
        self.handle.ended.store(true, Ordering::Release);
        self.handle.progress.notify_waiters();
    }
}

impl AsyncRead for Tcp {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        // Registered before looking, so that no wake is lost in between.
        this.handle.reader.register(cx.waker());
        this.handle.check()?;
        if this.handle.held.load(Ordering::Acquire) {
            return Poll::Pending;
        }
        Pin::new(&mut this.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Tcp {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        this.handle.writer.register(cx.waker());
        this.handle.check()?;
        let result = this.write(cx, buf);
        this.handle.wrote(result)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        this.handle.writer.register(cx.waker());
        this.handle.check()?;
        let mut filled = bufs.iter().filter(|buf| !buf.is_empty());
        let result = match (filled.next(), filled.next()) {
            (Some(only), None) => this.write(cx, only),
            _ => Pin::new(&mut this.stream).poll_write_vectored(cx, bufs),
        };
        this.handle.wrote(result)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        this.handle.check()?;
        Pin::new(&mut this.stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
impl Tcp {
    /// An accepted connection and its client.
    pub async fn pair(explain: Explain) -> (Tcp, TcpStream) {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (stream, peer) = listener.accept().await.unwrap();
        let place = Arc::new(tokio::sync::Semaphore::new(1)).acquire_owned().await.unwrap();
        (Tcp::new(stream, peer, place, explain), client)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    /// The client chooses the bytes of a websocket's pong, so they can look like an answer of the HTTP library.
    #[tokio::test]
    async fn t29_the_bytes_of_an_upgraded_connection_are_sent_as_they_are() {
        let bytes = b"HTTP/1.1 414 URI Too Long\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
        let explain = Explain { answer: |_, _| Some("instead".to_owned()), headers: "" };
        for (upgraded, want) in [(false, b"instead".as_slice()), (true, bytes)] {
            let (mut tcp, mut client) = Tcp::pair(explain).await;
            if upgraded {
                tcp.handle().upgrade();
            }
            tcp.write_all(bytes).await.unwrap();
            drop(tcp);
            let mut got = Vec::new();
            client.read_to_end(&mut got).await.unwrap();
            assert_eq!(String::from_utf8_lossy(&got), String::from_utf8_lossy(want));
        }
    }
}
