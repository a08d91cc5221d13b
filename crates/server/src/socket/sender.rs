//! The sender: the way by which the messages of a connection are given to the library, one after the other.
//!
//! Usually a task takes them out of the outbox. What many connections are sent need not go through there: when nothing
//! waits, the thread that has it may send it at once, which spares the task being woken for each connection.

use super::eio_session::EioSession;
use super::flow_control::{FlowControl, Stopped};
use super::outbox::Outbox;
use super::outgoing::{Text, To, envelope_bytes};
use http::HeaderMap;
use serde_json::value::RawValue;
use socketioxide::extract::AckSender;
use socketioxide::handler::{FromMessageParts as _, Value};
use socketioxide::{SendError, SocketError};
use std::sync::Arc;
use std::time::Duration;

/// The library's end of a connection.
pub type Socket = socketioxide::socket::Socket;

/// The pause before a message that the library had no room for is given to it again.
const FULL_PAUSE: Duration = Duration::from_millis(10);

/// What sends on one connection.
pub struct Sender {
    socket: Arc<Socket>,
    flow: FlowControl,
}

impl Sender {
    /// The sender of a socket. A client that takes nothing for so long is given up.
    pub fn new(socket: Arc<Socket>, session: Arc<EioSession>, stall_timeout: Duration) -> Self {
        Sender { socket, flow: FlowControl::new(session, stall_timeout) }
    }

    /// The headers of the handshake.
    pub fn headers(&self) -> &HeaderMap {
        &self.socket.req_parts().headers
    }

    /// Sends a message, once there is room for it.
    ///
    /// # Errors
    /// [`Stopped`] when it cannot be sent any more.
    pub async fn send<T>(&self, outbox: &Outbox<T>, to: To, text: &Text) -> Result<(), Stopped> {
        self.flow.room(outbox).await?;
        loop {
            match self.hand_over(to, text) {
                Ok(()) => return Ok(()),
                Err(SendError::Socket(SocketError::InternalChannelFull)) => {
                    tokio::time::sleep(FULL_PAUSE).await;
                }
                Err(_) => return Err(Stopped),
            }
            if outbox.ended().is_some() {
                return Err(Stopped);
            }
        }
    }

    /// Sends a message, if there is room for it now. Returns whether it was sent.
    pub fn try_send(&self, to: To, text: &Text) -> bool {
        self.flow.has_room() && self.hand_over(to, text).is_ok()
    }

    /// Waits until everything has been sent.
    ///
    /// # Errors
    /// As for [`Sender::send`].
    pub async fn flushed<T>(&self, outbox: &Outbox<T>) -> Result<(), Stopped> {
        self.flow.flushed(outbox).await
    }

    /// Tells the client to disconnect.
    pub fn disconnect(&self) {
        let _ = Arc::clone(&self.socket).disconnect();
    }

    fn hand_over(&self, to: To, text: &Text) -> Result<(), SendError> {
        let raw: &RawValue = text;
        match to {
            To::Event(event) => self.socket.emit(event, raw)?,
            To::Ack(ack) => {
                // The library hands its ack sender only to extractors. An extractor that fails uses it up.
                let mut nothing = Value::Str("".into(), None);
                match AckSender::from_message_parts(&self.socket, &mut nothing, &Some(ack)) {
                    Ok(sender) => sender.send(raw)?,
                    Err(never) => match never {},
                }
            }
        }
        self.flow.fed(raw.get().len() + envelope_bytes(to));
        Ok(())
    }
}
