//! Mail: letters are put into a line, and one task sends them. Nobody waits for a mail server.

mod letter;
mod line;
mod settings;

use super::public_url::PublicUrl;
pub use letter::Letter;
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Mailbox, Message};
use lettre::transport::smtp::client::{Tls, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use lettre::{Address, AsyncSmtpTransport, AsyncTransport as _, Tokio1Executor};
use line::Failed;
use settings::SmtpTls;
pub use settings::{MailSettings, Smtp, parse_sender};
use std::fmt;
use std::time::Duration;
use tokio::sync::mpsc;

/// How many letters may wait. Further ones are dropped, with a warning in the logs.
const WAITING_MAX: usize = 1_000;
/// How long a mail server may take for each command.
const COMMAND_TIMEOUT: Duration = Duration::from_secs(15);
/// How long sending one letter may take.
const SEND_TIMEOUT: Duration = Duration::from_secs(60);

/// Sends letters, if the settings name a mail server.
#[derive(Clone)]
pub struct Mailer {
    line: mpsc::Sender<Mail>,
    from: Mailbox,
    server: PublicUrl,
}

/// A letter on its way.
pub(super) struct Mail {
    message: Message,
    /// What the logs call it: its kind, and a part of the receiver's address.
    name: String,
}

/// Mail cannot be sent.
#[derive(Debug, thiserror::Error)]
#[error("cannot prepare to send mail: {0}")]
pub struct MailError(#[from] lettre::transport::smtp::Error);

impl Mailer {
    /// Starts the task that sends; `None` when the settings name no mail server.
    ///
    /// # Errors
    /// [`MailError`], when the system's certificates cannot be read.
    pub fn start(settings: &MailSettings, server: Option<&PublicUrl>) -> Result<Option<Self>, MailError> {
        let (Some(smtp), Some(from), Some(server)) = (&settings.smtp, &settings.from, server) else {
            return Ok(None);
        };
        let transport = transport(smtp, server.host())?;
        let (line, waiting) = mpsc::channel(WAITING_MAX);
        tokio::spawn(line::run(waiting, WAITING_MAX, move |message: Message| {
            let transport = transport.clone();
            async move {
                match tokio::time::timeout(SEND_TIMEOUT, transport.send(message)).await {
                    Ok(Ok(_)) => Ok(()),
                    Ok(Err(error)) => Err(Failed { why: reason(&error), for_good: error.is_permanent() }),
                    Err(_) => Err(Failed { why: "the mail server took too long".into(), for_good: false }),
                }
            }
        }));
        Ok(Some(Mailer { line, from: from.clone(), server: server.clone() }))
    }

    /// Sends a letter in the background. Failures stand in the logs alone, so that an answer does not depend on them.
    pub fn send(&self, to: &str, letter: &Letter) {
        let name = format!("{} to {}", letter.kind(), masked(to));
        match self.message(to, letter) {
            None => tracing::warn!(mail = name, "the address cannot receive mail"),
            Some(message) => {
                if self.line.try_send(Mail { message, name: name.clone() }).is_err() {
                    tracing::warn!(mail = name, "too many mails wait; this one is dropped");
                }
            }
        }
    }

    /// The letter as a message; `None` if the address is none that mail can be sent to.
    fn message(&self, to: &str, letter: &Letter) -> Option<Message> {
        let to: Address = to.parse().ok()?;
        let written = letter.write(&self.server);
        // No answers from programs that answer mail, and no loops between them.
        let automatic =
            HeaderValue::new(HeaderName::new_from_ascii_str("Auto-Submitted"), "auto-generated".into());
        Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, to))
            .subject(written.subject)
            .message_id(Some(format!("<{}@{}>", uuid::Uuid::new_v4().simple(), self.server.host())))
            .raw_header(automatic)
            .header(ContentType::TEXT_PLAIN)
            .body(written.body)
            .ok()
    }
}

impl fmt::Debug for Mailer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mailer").field("from", &self.from).finish_non_exhaustive()
    }
}

fn transport(smtp: &Smtp, own_name: &str) -> Result<AsyncSmtpTransport<Tokio1Executor>, MailError> {
    let tls = match smtp.tls {
        SmtpTls::Wrapped => Tls::Wrapper(TlsParameters::new(smtp.host.clone())?),
        SmtpTls::Required => Tls::Required(TlsParameters::new(smtp.host.clone())?),
        SmtpTls::Off => Tls::None,
    };
    let builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(smtp.host.clone())
        .port(smtp.port)
        .tls(tls)
        .timeout(Some(COMMAND_TIMEOUT))
        .hello_name(ClientId::Domain(own_name.to_owned()));
    Ok(match &smtp.credentials {
        Some(credentials) => builder.credentials(credentials.clone()).build(),
        None => builder.build(),
    })
}

/// Why a mail was not sent. What the mail server says may repeat an address, so its code alone is told.
fn reason(error: &lettre::transport::smtp::Error) -> String {
    match error.status() {
        Some(code) => format!("the mail server answered {code}"),
        None if error.is_timeout() => "the mail server took too long".to_owned(),
        None if error.is_tls() => "the connection to the mail server could not be encrypted".to_owned(),
        None => "the mail server could not be reached, or did not answer as one".to_owned(),
    }
}

/// A part of an address: whoever reads the logs can recognize it, but not use it.
fn masked(address: &str) -> String {
    let (local, domain) = address.rsplit_once('@').unwrap_or((address, "?"));
    format!("{}…@{domain}", local.chars().next().unwrap_or('?'))
}

#[cfg(test)]
mod tests;
