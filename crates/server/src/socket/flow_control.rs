//! Flow control: a connection is fed only as fast as earlier data leaves for the client.
//!
//! The Socket.IO library has a buffer that is bounded in messages, whatever their size, and drops what does not
//! fit. It is therefore fed little at a time. The rest waits in the connection's outbox, which is bounded in bytes.

use super::eio_session::EioSession;
use super::outbox::{End, Outbox};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// How many bytes may be in flight before the next message is fed.
const WINDOW_BYTES: u64 = 128 * 1024;
/// How many messages may be in flight: well below the library's buffer, which also takes heartbeats.
const WINDOW_MESSAGES: usize = 64;
/// How often a waiting connection checks whether it has ended.
const LOOK: Duration = Duration::from_millis(500);

/// What was given to the library and has not been sent yet.
#[derive(Debug)]
pub struct FlowControl {
    session: Arc<EioSession>,
    /// Bytes given so far, on the scale of [`EioSession::sent_bytes`].
    fed_bytes: u64,
    /// The position where each message in flight ends.
    ends: VecDeque<u64>,
    stall_timeout: Duration,
}

/// No more room will come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stopped;

impl FlowControl {
    /// The state of a session that has been given nothing yet.
    pub fn new(session: Arc<EioSession>, stall_timeout: Duration) -> Self {
        let fed_bytes = session.sent_bytes();
        FlowControl { session, fed_bytes, ends: VecDeque::new(), stall_timeout }
    }

    /// Notes a message given to the library, with the fewest bytes it takes on the wire. A slight undercount does
    /// no harm: the count starts afresh whenever everything has been sent.
    pub fn fed(&mut self, payload_bytes: usize) {
        let frame_bytes = match payload_bytes {
            _ if !self.session.is_websocket() => 0,
            ..126 => 2,
            126..65_536 => 4,
            _ => 10,
        };
        self.fed_bytes += (payload_bytes + frame_bytes) as u64;
        self.ends.push_back(self.fed_bytes);
    }

    /// Waits until another message may be given.
    ///
    /// # Errors
    /// [`Stopped`] when the outbox ends, or when nothing is sent for so long that the client is given up.
    pub async fn room<T>(&mut self, outbox: &Outbox<T>) -> Result<(), Stopped> {
        self.wait(outbox, WINDOW_BYTES, WINDOW_MESSAGES).await
    }

    /// Waits until everything has been sent.
    ///
    /// # Errors
    /// As for [`FlowControl::room`].
    pub async fn flushed<T>(&mut self, outbox: &Outbox<T>) -> Result<(), Stopped> {
        self.wait(outbox, 1, 1).await
    }

    async fn wait<T>(&mut self, outbox: &Outbox<T>, bytes: u64, messages: usize) -> Result<(), Stopped> {
        let mut moved = (self.session.sent_bytes(), Instant::now());
        loop {
            let sent_bytes = self.settle();
            if self.fed_bytes - sent_bytes < bytes && self.ends.len() < messages {
                return Ok(());
            }
            if matches!(outbox.ended(), Some(End::Overflow | End::Revoked | End::Gone))
                || self.session.is_dead()
            {
                return Err(Stopped);
            }
            if sent_bytes != moved.0 {
                moved = (sent_bytes, Instant::now());
            } else if moved.1.elapsed() >= self.stall_timeout {
                self.session.cut();
                return Err(Stopped);
            }
            // Progress between the check and the wait is missed; the short timeout covers it.
            let _ = tokio::time::timeout(LOOK, self.session.progress()).await;
        }
    }

    /// Forgets what has been sent, and returns how many bytes were.
    fn settle(&mut self) -> u64 {
        let sent_bytes = self.session.sent_bytes();
        self.fed_bytes = self.fed_bytes.max(sent_bytes);
        while self.ends.front().is_some_and(|end| *end <= sent_bytes) {
            self.ends.pop_front();
        }
        sent_bytes
    }
}
