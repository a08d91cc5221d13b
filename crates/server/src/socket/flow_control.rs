//! Flow control: a connection is fed only as fast as earlier data leaves for the client.
//!
//! The Socket.IO library has a buffer that is bounded in messages, whatever their size, and drops what does not
//! fit. It is therefore fed little at a time. The rest waits in the connection's outbox, which is bounded in bytes.

use super::eio_session::EioSession;
use super::outbox::{End, Outbox};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// How many bytes may be in flight before the next message is fed.
const WINDOW_BYTES: u64 = 128 * 1024;
/// How many messages may be in flight: well below the library's buffer, which also takes heartbeats.
const WINDOW_MESSAGES: usize = 64;
/// How many bytes must leave within the stall timeout while the window is full. A client that takes less is given up:
/// what waits for it would wait for hours.
const PACE_BYTES: u64 = 32 * 1024;
/// How often a waiting connection checks whether it has ended.
const LOOK: Duration = Duration::from_millis(500);

/// The flow control of one session.
#[derive(Debug)]
pub struct FlowControl {
    session: Arc<EioSession>,
    in_flight: Mutex<InFlight>,
    stall_timeout: Duration,
}

/// What was given to the library and has not been sent yet.
#[derive(Debug)]
struct InFlight {
    /// Bytes given so far, on the scale of [`EioSession::sent_bytes`].
    fed_bytes: u64,
    /// The position where each message in flight ends.
    ends: VecDeque<u64>,
}

/// No more room will come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stopped;

impl FlowControl {
    /// The state of a session that has been given nothing yet.
    pub fn new(session: Arc<EioSession>, stall_timeout: Duration) -> Self {
        let fed_bytes = session.sent_bytes();
        let in_flight = Mutex::new(InFlight { fed_bytes, ends: VecDeque::new() });
        FlowControl { session, in_flight, stall_timeout }
    }

    /// Notes a message given to the library, with the fewest bytes it takes on the wire. A slight undercount does
    /// no harm: the count starts afresh whenever everything has been sent.
    pub fn fed(&self, payload_bytes: usize) {
        let frame_bytes = match payload_bytes {
            _ if !self.session.is_websocket() => 0,
            ..126 => 2,
            126..65_536 => 4,
            _ => 10,
        };
        let mut in_flight = self.lock();
        in_flight.fed_bytes += (payload_bytes + frame_bytes) as u64;
        let end = in_flight.fed_bytes;
        in_flight.ends.push_back(end);
    }

    /// Whether another message may be given.
    pub fn has_room(&self) -> bool {
        self.lock().is_within(self.session.sent_bytes(), WINDOW_BYTES, WINDOW_MESSAGES)
    }

    /// Waits until another message may be given.
    ///
    /// # Errors
    /// [`Stopped`] when the outbox ends, or when so little is sent for so long that the client is given up.
    pub async fn room<T>(&self, outbox: &Outbox<T>) -> Result<(), Stopped> {
        self.wait(outbox, WINDOW_BYTES, WINDOW_MESSAGES).await
    }

    /// Waits until everything has been sent.
    ///
    /// # Errors
    /// As for [`FlowControl::room`].
    pub async fn flushed<T>(&self, outbox: &Outbox<T>) -> Result<(), Stopped> {
        self.wait(outbox, 1, 1).await
    }

    async fn wait<T>(&self, outbox: &Outbox<T>, bytes: u64, messages: usize) -> Result<(), Stopped> {
        let mut moved = (self.session.sent_bytes(), Instant::now());
        loop {
            let sent_bytes = self.session.sent_bytes();
            if self.lock().is_within(sent_bytes, bytes, messages) {
                return Ok(());
            }
            if matches!(outbox.ended(), Some(End::Overflow | End::Revoked | End::Gone))
                || self.session.is_dead()
            {
                return Err(Stopped);
            }
            if sent_bytes - moved.0 >= PACE_BYTES {
                moved = (sent_bytes, Instant::now());
            } else if moved.1.elapsed() >= self.stall_timeout {
                self.session.cut();
                return Err(Stopped);
            }
            // Progress between the check and the wait is missed; the short timeout covers it.
            let _ = tokio::time::timeout(LOOK, self.session.progress()).await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, InFlight> {
        self.in_flight.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl InFlight {
    /// Forgets what has been sent. Whether less is in flight now than so many bytes and messages.
    fn is_within(&mut self, sent_bytes: u64, bytes: u64, messages: usize) -> bool {
        self.fed_bytes = self.fed_bytes.max(sent_bytes);
        while self.ends.front().is_some_and(|end| *end <= sent_bytes) {
            self.ends.pop_front();
        }
        self.fed_bytes - sent_bytes < bytes && self.ends.len() < messages
    }
}

#[cfg(test)]
mod tests {
    use super::super::outbox::Bounds;
    use super::*;
    use crate::net::forwarded::Client;
    use std::net::IpAddr;

    /// How a wait for room ends, within a minute, for a client that takes so many bytes of an endless message each
    /// second.
    async fn waits_for(bytes_a_second: u64) -> Option<Result<(), Stopped>> {
        let client = Client { address: IpAddr::from([127, 0, 0, 1]), host: None, scheme: None };
        let session = EioSession::polling(client);
        let flow = FlowControl::new(Arc::clone(&session), Duration::from_secs(20));
        let outbox = Outbox::<()>::new(Bounds { entries_max: 1, bytes_max: 1 });
        flow.fed(1 << 30);
        let takes = async {
            loop {
                tokio::time::sleep(Duration::from_secs(1)).await;
                session.polled(bytes_a_second);
            }
        };
        tokio::select! {
            ended = tokio::time::timeout(Duration::from_secs(60), flow.room(&outbox)) => ended.ok(),
            () = takes => None,
        }
    }

    #[tokio::test(start_paused = true)]
    async fn p19_a_client_that_reads_at_a_trickle_is_given_up_and_one_that_reads_is_not() {
        assert_eq!(waits_for(0).await, Some(Err(Stopped)));
        assert_eq!(waits_for(1_000).await, Some(Err(Stopped)), "it takes something, but would take days");
        assert_eq!(waits_for(2_000).await, None, "slow, and still at it after a minute");
    }
}
