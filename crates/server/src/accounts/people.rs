//! The caller's own account: its email, and its end.

use super::keys::{new_key, presented};
use super::mail::Letter;
use super::{Accounts, Answer, Asker, cookie};
use crate::engine::{Actor, Caller, clock};
use crate::operations::Confidential;
use crate::wire::Problem;
use graph::model::{KeyPurpose, PasswordHash, User};
use graph::ops::AccountOperation;
use graph::{Reason, Timestamp};
use serde::Serialize;

/// For how long an email can be confirmed, in milliseconds: one day.
const CONFIRM_MS: i64 = 86_400_000;
/// How long after it began a session proves who is there, in milliseconds: 10 minutes.
const RECENT_MS: i64 = 600_000;

impl Accounts {
    /// With mail, the new email is confirmed by a link that is sent there. Without, it is the account's at once.
    pub(super) async fn email_change(
        &self,
        asker: Asker<'_>,
        email: String,
        password: Option<Confidential>,
    ) -> Result<Answer, Problem> {
        #[derive(Serialize)]
        struct Changed {
            confirmed: bool,
        }
        let caller = asker.caller()?;
        let user = self.account_of(asker)?;
        self.prove_presence(caller, &user, password).await?;
        let other = self.app.engine.user_by_email(&email).filter(|other| other.id != user.id);
        if other.is_some() {
            return Err(Reason::EmailTaken.into());
        }
        let Some(mailer) = self.mailer.as_ref().filter(|_| user.email != email) else {
            let set = AccountOperation::EmailSet { user: user.id, email, key: None };
            self.ask(Actor::Caller(caller), set).await?;
            return Ok(Answer::of(&Changed { confirmed: true }, asker.trace_id));
        };
        let purpose = KeyPurpose::Email { user: user.id, email: email.clone() };
        let (key, secret) = new_key(purpose, CONFIRM_MS).map_err(|_| Problem::exception())?;
        self.ask(Actor::Caller(caller), AccountOperation::KeyIssue(key)).await?;
        let (username, key) = (user.username.clone(), secret.reveal().to_owned());
        mailer.send(&email, &Letter::EmailConfirmation { username, key });
        Ok(Answer::of(&Changed { confirmed: false }, asker.trace_id))
    }

    pub(super) async fn email_confirm(
        &self,
        asker: Asker<'_>,
        key: &Confidential,
    ) -> Result<Answer, Problem> {
        #[derive(Serialize)]
        struct Confirmed {
            email: String,
        }
        let hash = presented(key.reveal());
        let known = self.app.engine.key(&hash).ok_or(Reason::InvalidKey)?;
        let KeyPurpose::Email { user, email } = known.purpose.clone() else {
            return Err(Reason::InvalidKey.into());
        };
        let set = AccountOperation::EmailSet { user, email: email.clone(), key: Some(hash) };
        match self.ask(Actor::Server, set).await {
            Err(problem) if problem.code() == Some(Reason::UserNotFound.code()) => {
                Err(Reason::InvalidKey.into())
            }
            done => done.map(|_| Answer::of(&Confirmed { email }, asker.trace_id)),
        }
    }

    /// Closes the account. It goes for good after a grace in which an administrator can open it again.
    pub(super) async fn close(
        &self,
        asker: Asker<'_>,
        password: Option<Confidential>,
    ) -> Result<Answer, Problem> {
        #[derive(Serialize)]
        struct Closed {
            closing: Option<String>,
        }
        let caller = asker.caller()?;
        let user = self.account_of(asker)?;
        let verified = self.prove_presence(caller, &user, password).await?;
        let close = AccountOperation::Close { user: user.id, verified };
        match self.ask(Actor::Caller(caller), close).await {
            // The password was changed meanwhile.
            Err(problem) if problem.code() == Some(Reason::UserNotFound.code()) => {
                return Err(Problem::WrongPassword);
            }
            done => done?,
        };
        let closing = self.app.engine.user(user.id).and_then(|user| user.closing);
        let closing = closing.map(|at| at.whole_seconds().rfc3339());
        let end = cookie::none(self.is_secure(asker.client));
        Ok(Answer::of(&Closed { closing }, asker.trace_id).with_cookie(end))
    }

    /// Whether it is the account's owner who asks, and not somebody at their browser: by the password, or, for an
    /// account without one, by a session that has just begun.
    async fn prove_presence(
        &self,
        caller: Caller,
        user: &User,
        password: Option<Confidential>,
    ) -> Result<Option<PasswordHash>, Problem> {
        if user.password.is_some() {
            let password = password.ok_or(Problem::WrongPassword)?;
            return self.prove(&user.email, Some(user), password, &Problem::WrongPassword).await.map(Some);
        }
        let sessions = self.app.engine.sessions_of(user.id);
        let own = sessions.iter().find(|known| known.token.id == caller.token);
        if own.is_some_and(|known| is_recent(known.token.created, clock::now())) {
            Ok(None)
        } else {
            Err(Problem::SignInAgain)
        }
    }
}

/// Whether a session that began then proves who is there.
fn is_recent(began: Timestamp, now: Timestamp) -> bool {
    now.ms().saturating_sub(began.ms()) < RECENT_MS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn u6_a_session_proves_who_is_there_for_ten_minutes() {
        let recent = |ms: i64| is_recent(Timestamp::from_ms(5_000), Timestamp::from_ms(5_000 + ms));
        assert!(recent(0) && recent(599_999) && !recent(600_000));
        assert_eq!(Problem::SignInAgain.name(), "forbidden.sign_in_again");
    }
}
