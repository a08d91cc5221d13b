//! What is asked of accounts: signing in and out, passwords, invitations, tokens. It carries out an
//! [`AccountRequest`] of a known caller or of a stranger. The decisions are the domain's; what takes a password, a
//! mail or another server is here.

mod admin;
mod answer;
mod cookie;
mod door;
mod invitations;
mod keys;
pub mod mail;
pub mod oidc;
mod password_change;
mod passwords;
mod people;
mod public_url;
mod sessions;
mod settings;
#[cfg(test)]
mod tests;
mod throttle;
mod tokens;

use crate::app::App;
use crate::auth::Secret;
use crate::engine::{Actor, Caller};
use crate::net::forwarded::Client;
use crate::operations::AccountRequest;
use crate::wire::Problem;
pub use answer::{Answer, Answered};
use graph::model::User;
use graph::ops::AccountOperation;
use graph::{Batch, Operation, Reason};
use http::{HeaderMap, HeaderValue};
pub use keys::{INVITE_MS, RESET_MS, new_key};
use mail::{MailError, Mailer};
use oidc::Providers;
use passwords::Passwords;
pub use passwords::new_password;
pub use public_url::{Page, PublicUrl};
pub use settings::{AccountSettings, InviteBy, Registration};
use std::io;
use std::sync::Arc;
use thiserror::Error;
use throttle::Throttle;

/// Everything that accounts need besides the engine. There is one of it in a server.
pub struct Accounts {
    app: Arc<App>,
    settings: AccountSettings,
    passwords: Passwords,
    throttle: Throttle,
    /// Sends mail; `None` when the settings name no mail server.
    mailer: Option<Mailer>,
    /// Identity providers; `None` when the settings name none.
    providers: Option<Providers>,
}

impl Accounts {
    /// For a server that is about to run.
    pub fn new(app: &Arc<App>, settings: AccountSettings, outside: Outside) -> Arc<Accounts> {
        let (passwords, throttle) = (Passwords::default(), Throttle::default());
        let Outside { mailer, providers } = outside;
        let app = Arc::clone(app);
        Arc::new(Accounts { app, settings, passwords, throttle, mailer, providers })
    }
}

/// What of accounts speaks to other servers.
#[derive(Debug)]
pub struct Outside {
    mailer: Option<Mailer>,
    providers: Option<Providers>,
}

/// Other servers cannot be spoken to.
#[derive(Debug, Error)]
pub enum OutsideError {
    #[error(transparent)]
    Mail(#[from] MailError),
    #[error("cannot ask identity providers: {0}")]
    Certificates(#[from] io::Error),
}

impl Outside {
    /// As the settings say. Nothing is sent yet.
    ///
    /// # Errors
    /// [`OutsideError`], when the certificates that the system trusts cannot be read.
    pub fn start(settings: &AccountSettings) -> Result<Self, OutsideError> {
        let mailer = Mailer::start(&settings.mail, settings.public_url.as_ref())?;
        Ok(Outside { mailer, providers: Providers::new(&settings.oidc)? })
    }
}

/// Who asks, and how.
#[derive(Clone, Copy, Debug)]
pub struct Asker<'a> {
    /// The caller; `None` for an operation that anyone may call.
    pub caller: Option<Caller>,
    /// Where the request comes from.
    pub client: &'a Client,
    /// The request's headers.
    pub headers: &'a HeaderMap,
    /// Names the request in the logs and in its answer.
    pub trace_id: &'a str,
}

impl Asker<'_> {
    fn caller(&self) -> Result<Caller, Problem> {
        self.caller.ok_or(Problem::Unauthorized)
    }
}

impl Accounts {
    /// Carries out a request. It is answered when what it changes is on disk.
    ///
    /// # Errors
    /// Why it is refused. Nothing was changed then.
    pub async fn carry_out(
        self: &Arc<Self>,
        asker: Asker<'_>,
        request: AccountRequest,
    ) -> Result<Answer, Problem> {
        use AccountRequest as R;
        match request {
            R::Register(asked) => self.register(asker, asked).await,
            R::Login { email, password } => self.login(asker, &email, password).await,
            R::Logout => self.logout(asker).await,
            R::Invite { email } => self.invite(asker, email).await,
            R::Invites => self.invites(asker),
            R::InviteRevoke { id } => self.invite_revoke(asker, id).await,
            R::Oidc => Ok(self.oidc(asker)),
            R::OidcStart { name, next, invite } => {
                self.oidc_start(&name, next.as_deref(), invite.as_ref()).await
            }
            R::OidcCallback(answer) => self.oidc_callback(asker, answer).await,
            R::GoogleAuth { code, redirect_uri } => {
                self.google_auth(asker, &code, redirect_uri.as_deref()).await
            }
            R::IdentityRemove { provider } => self.identity_remove(asker, provider).await,
            R::PasswordForgot { email } => Ok(self.password_forgot(asker, &email)),
            R::PasswordReset { key, password } => self.password_reset(asker, &key, password).await,
            R::Sessions => self.sessions(asker),
            R::SessionsEnd { id } => self.sessions_end(asker, id).await,
            R::EmailChange { email, password } => self.email_change(asker, email, password).await,
            R::EmailConfirm { key } => self.email_confirm(asker, &key).await,
            R::Close { password } => self.close(asker, password).await,
            R::Users => self.users(asker),
            R::UserSet { id, plan, admin } => self.user_set(asker, id, plan, admin).await,
            R::UserDisable { id } => self.user_change(asker, id, Operation::UserDisable { user: id }).await,
            R::UserEnable { id } => self.user_change(asker, id, Operation::UserEnable { user: id }).await,
            R::UserReopen { id } => {
                let reopen = AccountOperation::Reopen { user: id };
                self.user_change(asker, id, Operation::Account(Box::new(reopen))).await
            }
            R::UserRemove { id } => self.user_remove(asker, id).await,
            R::PasswordChange { old, new } => self.password_change(asker, old, new).await,
            R::Tokens => self.tokens(asker),
            R::TokenCreate(asked) => self.token_create(asker, asked).await,
            R::TokenUpdate(change) => self.token_update(asker, change).await,
            R::TokenRevoke(named) => self.token_revoke(asker, named).await,
            R::TokenRotate(named) => self.token_rotate(asker, named.id).await,
        }
    }

    /// The cookie of a session, with its full age: a browser that uses it keeps it as long as the server does.
    pub fn session_cookie(&self, client: &Client, secret: &Secret) -> Option<HeaderValue> {
        cookie::session(secret, self.settings.session_days, self.is_secure(client))
    }

    /// Whether the client uses TLS: it does if people reach the server through it, or if a trusted proxy says so.
    fn is_secure(&self, client: &Client) -> bool {
        self.settings.public_url.as_ref().is_some_and(PublicUrl::is_secure) || client.scheme == Some("https")
    }

    /// Changes accounts.
    async fn ask(&self, actor: Actor, operation: AccountOperation) -> Result<Arc<Batch>, Problem> {
        let operation = Operation::Account(Box::new(operation));
        self.app.engine.administer(actor, operation).await.map_err(Problem::from)
    }

    /// The caller's account.
    fn account_of(&self, asker: Asker<'_>) -> Result<Arc<User>, Problem> {
        self.app.engine.user(asker.caller()?.account).ok_or(Problem::Unauthorized)
    }

    /// The caller's account, if it is an administrator's.
    fn admin(&self, asker: Asker<'_>) -> Result<Arc<User>, Problem> {
        let user = self.account_of(asker)?;
        if user.admin { Ok(user) } else { Err(Reason::NoPermission.into()) }
    }
}
