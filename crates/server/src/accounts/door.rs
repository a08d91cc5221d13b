//! Registering, signing in and signing out.

use super::keys::presented;
use super::passwords::Checked;
use super::settings::Registration;
use super::{Accounts, Answer, Asker, cookie};
use crate::auth::Secret;
use crate::engine::{Actor, Caller, Failure, Outcome, Read};
use crate::limits::LOGIN_ACCOUNT;
use crate::operations::{Confidential, Register};
use crate::wire::{self, Problem};
use graph::model::{KeyHash, KeyPurpose, PasswordHash, Plan, TokenHash, TokenKind, User};
use graph::ops::{self, AccountOperation, NewSession, SessionStart, SessionsEnded, UserAdd};
use graph::{Reason, TokenId, UserId};
use http::header::USER_AGENT;
use tokio::sync::oneshot;
use uuid::Uuid;

/// A session that is to begin, and its secret. Its secret is always new: a browser that brings one does not keep it.
pub(super) fn new_session(asker: Asker<'_>) -> Result<(NewSession, Secret), Problem> {
    let secret = Secret::of_session().map_err(|_| Problem::exception())?;
    let agent = asker.headers.get(USER_AGENT).and_then(|agent| agent.to_str().ok()).map(str::to_owned);
    Ok((NewSession { id: TokenId(Uuid::new_v4()), hash: secret.hash(), agent }, secret))
}

/// A caller with a session.
pub(super) fn by_session(user: UserId, token: TokenId, hash: TokenHash) -> Caller {
    Caller { kind: TokenKind::Session, ..Caller::api(user, token, hash) }
}

impl Accounts {
    pub(super) async fn register(&self, asker: Asker<'_>, asked: Register) -> Result<Answer, Problem> {
        let Register { email, username, password, invite } = asked;
        let key = invite.map(|invite| presented(invite.reveal()));
        self.may_register(&email, key.as_ref())?;
        if self.app.engine.user_by_email(&email).is_some() {
            return Err(Reason::EmailTaken.into());
        }
        let password = self.passwords.accept(password, &email, &username).await?;
        let (session, secret) = new_session(asker)?;
        let (token, hash) = (session.id, session.hash);
        let account =
            UserAdd { password: Some(password), ..UserAdd::new(email.clone(), username, Plan::Pro) };
        let register = ops::Register { key, account, identity: None, session: Some(session) };
        match self.ask(Actor::Server, AccountOperation::Register(register)).await {
            // Somebody else made the first account meanwhile.
            Err(problem) if problem.code() == Some(Reason::InvalidKey.code()) => {
                return Err(Reason::InvalidInvite.into());
            }
            done => drop(done?),
        }
        let user = self.app.engine.user_by_email(&email).ok_or_else(Problem::exception)?;
        self.signed_in(asker, by_session(user.id, token, hash), &secret).await
    }

    /// Whether the settings and the key let somebody register. The domain looks at the key once more when it is used;
    /// here it keeps strangers from what takes work, and from what tells whose emails are known.
    pub(super) fn may_register(&self, email: &str, key: Option<&KeyHash>) -> Result<(), Problem> {
        let known = key.and_then(|key| self.app.engine.key(key));
        let registration = self.settings.registration;
        match known.as_ref().map(|key| &key.purpose) {
            // It is for the first account of an installation, whatever the settings say of the others.
            Some(KeyPurpose::Setup) => Ok(()),
            _ if registration == Registration::Closed => Err(Reason::RegistrationClosed.into()),
            Some(KeyPurpose::Invite { email: only, .. })
                if only.as_ref().is_none_or(|only| only.to_lowercase() == email.to_lowercase()) =>
            {
                Ok(())
            }
            None if key.is_none() && registration == Registration::Open => Ok(()),
            _ => Err(Reason::InvalidInvite.into()),
        }
    }

    pub(super) async fn login(
        &self,
        asker: Asker<'_>,
        email: &str,
        password: Confidential,
    ) -> Result<Answer, Problem> {
        let user = self.app.engine.user_by_email(email).filter(|user| user.is_active());
        let verified = self.prove(email, user.as_deref(), password, &Problem::Unauthorized).await?;
        let user = user.ok_or(Problem::Unauthorized)?;
        let (session, secret) = new_session(asker)?;
        let caller = by_session(user.id, session.id, session.hash);
        let start = SessionStart { user: user.id, session, verified: Some(verified) };
        match self.ask(Actor::Server, AccountOperation::SessionStart(start)).await {
            // Disabled, removed or given another password meanwhile.
            Err(Problem::Failed(Failure::Refused(_))) => Err(Problem::Unauthorized),
            Err(problem) => Err(problem),
            Ok(_) => self.signed_in(asker, caller, &secret).await,
        }
    }

    /// Checks the password of an account, `None` if there is none with that email. Whatever there is, it takes the same
    /// work: one computation of a hash, unless there were too many failures before.
    ///
    /// # Errors
    /// `rate_limited` after too many failures in a row, and `wrong`.
    pub(super) async fn prove(
        &self,
        email: &str,
        user: Option<&User>,
        password: Confidential,
        wrong: &Problem,
    ) -> Result<PasswordHash, Problem> {
        let rule = self.app.settings.limits.rule(LOGIN_ACCOUNT);
        let attempt =
            self.throttle.admit(email, rule).map_err(|over| Problem::limited(over.retry_after_s))?;
        let stored = user.and_then(|user| user.password.clone());
        let of = stored.as_ref().map(|stored| stored.phc().to_owned());
        match (self.passwords.check(password.clone(), of).await, stored, user) {
            (Ok(Checked::Right { is_outdated }), Some(stored), Some(user)) => {
                self.throttle.succeeded(attempt);
                Ok(if is_outdated { self.renew(user.id, stored, password).await } else { stored })
            }
            (Ok(_), ..) => Err(wrong.clone()),
            (Err(problem), ..) => {
                self.throttle.give_back(attempt);
                Err(problem)
            }
        }
    }

    /// Stores the same password with today's parameters. If that fails, the next time serves.
    async fn renew(&self, user: UserId, stored: PasswordHash, password: Confidential) -> PasswordHash {
        let Ok(password) = self.passwords.hash(password).await else { return stored };
        let renewal =
            AccountOperation::PasswordRehash { user, password: password.clone(), verified: stored.clone() };
        if self.ask(Actor::Server, renewal).await.is_ok() { password } else { stored }
    }

    pub(super) async fn logout(&self, asker: Asker<'_>) -> Result<Answer, Problem> {
        let caller = asker.caller()?;
        let which = SessionsEnded::One(caller.token);
        let end = AccountOperation::SessionEnd { user: caller.account, which };
        self.ask(Actor::Caller(caller), end).await?;
        Ok(Answer::empty(asker.trace_id).with_cookie(cookie::none(self.is_secure(asker.client))))
    }

    /// The answer to whoever has just signed in: their account, and the cookie.
    pub(super) async fn signed_in(
        &self,
        asker: Asker<'_>,
        caller: Caller,
        secret: &Secret,
    ) -> Result<Answer, Problem> {
        let (reply, replied) = oneshot::channel();
        let answer = Box::new(|outcome| drop(reply.send(outcome)));
        self.app.engine.read(caller, Read::Account, None, answer);
        let outcome = match replied.await.map_err(|_| Problem::exception())? {
            Outcome::Failed(failure) => return Err(failure.into()),
            outcome => outcome,
        };
        let text = wire::into_string(wire::answer(&outcome, asker.trace_id).1);
        Ok(Answer::json(text).with_cookie(self.session_cookie(asker.client, secret)))
    }
}
