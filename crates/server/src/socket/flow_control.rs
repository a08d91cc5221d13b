//! How fast a connection is fed: only as fast as what was fed before leaves for the client.
//!
//! The Socket.IO library keeps what it is given in a buffer of its own, counted in messages however large, and drops
//! what does not fit. So it is given little at a time, and the rest waits in the connection's outbox, which is bounded in
//! bytes.

use super::eio_session::EioSession;
use super::outbox::{End, Outbox};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// How many bytes may be on their way before the next message.
const WINDOW_BYTES: u64 = 128 * 1024;
/// How many messages may be: well below the library's buffer, which takes heartbeats too.
const WINDOW_MESSAGES: usize = 64;
/// How often a connection that waits looks whether it has ended.
const LOOK: Duration = Duration::from_millis(500);

/// What was given to the library and has not left yet.
#[derive(Debug)]
pub struct FlowControl {
    session: Arc<EioSession>,
    /// Bytes given so far, on the scale of [`EioSession::sent_bytes`].
    fed_bytes: u64,
    /// Where each message on its way ends.
    ends: VecDeque<u64>,
    stall_timeout: Duration,
}

/// There will be no more room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stopped;

impl FlowControl {
    /// The pace of a session that has been given nothing yet.
    pub fn new(session: Arc<EioSession>, stall_timeout: Duration) -> Self {
        let fed_bytes = session.sent_bytes();
        FlowControl { session, fed_bytes, ends: VecDeque::new(), stall_timeout }
    }

    /// Notes a message given to the library, with the least number of bytes it takes on the way. A little too few does
    /// not matter: whenever all has left the count starts afresh.
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
    /// [`Stopped`] when the outbox ends meanwhile, or nothing leaves for so long that the client is given up.
    pub async fn room<T>(&mut self, outbox: &Outbox<T>) -> Result<(), Stopped> {
        self.wait(outbox, WINDOW_BYTES, WINDOW_MESSAGES).await
    }

    /// Waits until all has left.
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
            // Progress may be made between looking and waiting; then the time runs out, shortly.
            let _ = tokio::time::timeout(LOOK, self.session.progress()).await;
        }
    }

    /// Forgets what has left; returns how many bytes have.
    fn settle(&mut self) -> u64 {
        let sent_bytes = self.session.sent_bytes();
        self.fed_bytes = self.fed_bytes.max(sent_bytes);
        while self.ends.front().is_some_and(|end| *end <= sent_bytes) {
            self.ends.pop_front();
        }
        sent_bytes
    }
}
