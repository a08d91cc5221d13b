//! What is asked of accounts: signing in and out, passwords, invitations, tokens. It carries out an
//! [`AccountRequest`] of a known caller or of a stranger. The decisions are the domain's; what takes a password, a
//! mail or another server is here.

mod answer;
mod cookie;
#[allow(dead_code)] // until letters are sent
pub mod mail;
#[allow(dead_code)] // as above
mod public_url;
mod settings;

use crate::app::App;
use crate::engine::Caller;
use crate::net::forwarded::Client;
use crate::operations::AccountRequest;
use crate::wire::Problem;
pub use answer::{Answer, Answered};
use http::HeaderMap;
use mail::{MailError, Mailer};
pub use public_url::PublicUrl;
pub use settings::AccountSettings;
use std::sync::Arc;

/// Everything that accounts need besides the engine. There is one of it in a server.
#[derive(Debug)]
pub struct Accounts {
    /// Sends mail; `None` when the settings name no mail server.
    #[allow(dead_code)] // as above
    mailer: Option<Mailer>,
}

impl Accounts {
    /// For a server that is about to run.
    ///
    /// # Errors
    /// [`MailError`], when mail is configured and cannot be sent.
    pub fn new(_app: &Arc<App>, settings: &AccountSettings) -> Result<Arc<Accounts>, MailError> {
        let mailer = Mailer::start(&settings.mail, settings.public_url.as_ref())?;
        Ok(Arc::new(Accounts { mailer }))
    }
}

/// Who asks, and how.
#[derive(Clone, Copy, Debug)]
pub struct Asker<'a> {
    /// The caller; `None` for an operation that anyone may call.
    #[allow(dead_code)] // until sessions are stored
    pub caller: Option<Caller>,
    /// Where the request comes from.
    pub client: &'a Client,
    /// The request's headers.
    #[allow(dead_code)] // until sessions are stored
    pub headers: &'a HeaderMap,
    /// Names the request in the logs and in its answer.
    pub trace_id: &'a str,
}

impl Accounts {
    /// Carries out a request. It is answered when what it changes is on disk.
    ///
    /// # Errors
    /// Why it is refused. Nothing was changed then.
    pub async fn carry_out(&self, asker: Asker<'_>, request: AccountRequest) -> Result<Answer, Problem> {
        match request {
            AccountRequest::Tokens
            | AccountRequest::TokenCreate(_)
            | AccountRequest::TokenUpdate(_)
            | AccountRequest::TokenRevoke(_)
            | AccountRequest::TokenRotate(_) => Err(Problem::exception()),
            AccountRequest::Logout => {
                Ok(Answer::empty(asker.trace_id).with_cookie(cookie::none(asker.is_secure())))
            }
        }
    }
}

impl Asker<'_> {
    /// Whether the client uses TLS, as a trusted proxy says.
    fn is_secure(&self) -> bool {
        self.client.scheme == Some("https")
    }
}
