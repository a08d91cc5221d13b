//! New passwords: by the old one, or by a key that whoever forgot it is sent.

use super::keys::{RESET_MS, new_key, presented};
use super::mail::Letter;
use super::{Accounts, Answer, Asker};
use crate::engine::Actor;
use crate::limits::{RESET_ACCOUNT, Who};
use crate::operations::Confidential;
use crate::wire::Problem;
use graph::Reason;
use graph::model::{KeyPurpose, User};
use graph::ops::{AccountOperation, PasswordSet};
use std::sync::Arc;

impl Accounts {
    /// Sends a link, where mail is configured. The answer is the same whether there is such an account or not, and does
    /// not wait for what is done if there is.
    pub(super) fn password_forgot(self: &Arc<Self>, asker: Asker<'_>, email: &str) -> Answer {
        let user = self.app.engine.user_by_email(email).filter(|user| user.is_active());
        let limit = |user: &Arc<User>| self.app.count_named(Who::User(user.id), RESET_ACCOUNT).is_ok();
        if let Some(user) = user.filter(limit) {
            let accounts = Arc::clone(self);
            tokio::spawn(async move { accounts.send_reset(&user).await });
        }
        Answer::empty(asker.trace_id)
    }

    async fn send_reset(&self, user: &User) {
        let Some(mailer) = &self.mailer else {
            tracing::info!(user = %user.id.0, "a user forgot their password; `synaptask user reset` prints a link");
            return;
        };
        let Ok((key, secret)) = new_key(KeyPurpose::Reset { user: user.id }, RESET_MS) else { return };
        // Without the key on disk the link would not work.
        if self.ask(Actor::Server, AccountOperation::KeyIssue(key)).await.is_ok() {
            let (username, key) = (user.username.clone(), secret.reveal().to_owned());
            mailer.send(&user.email, &Letter::PasswordReset { username, key });
        }
    }

    pub(super) async fn password_reset(
        &self,
        asker: Asker<'_>,
        key: &Confidential,
        password: Confidential,
    ) -> Result<Answer, Problem> {
        let hash = presented(key.reveal());
        let known = self.app.engine.key(&hash).ok_or(Reason::InvalidKey)?;
        let KeyPurpose::Reset { user } = known.purpose else { return Err(Reason::InvalidKey.into()) };
        let account = self.app.engine.user(user).ok_or(Reason::InvalidKey)?;
        let password = self.passwords.accept(password, &account.email, &account.username).await?;
        let set = PasswordSet { user, password, key: Some(hash), verified: None, kept: None };
        match self.ask(Actor::Server, AccountOperation::PasswordSet(set)).await {
            Err(problem) if problem.code() == Some(Reason::UserNotFound.code()) => {
                Err(Reason::InvalidKey.into())
            }
            done => done.map(|_| Answer::empty(asker.trace_id)),
        }
    }

    pub(super) async fn password_change(
        &self,
        asker: Asker<'_>,
        old: Confidential,
        new: Confidential,
    ) -> Result<Answer, Problem> {
        let caller = asker.caller()?;
        let user = self.account_of(asker)?;
        let verified = self.prove(&user.email, Some(&user), old, &Problem::WrongPassword).await?;
        let password = self.passwords.accept(new, &user.email, &user.username).await?;
        let set = PasswordSet {
            user: user.id,
            password,
            key: None,
            verified: Some(verified),
            kept: Some(caller.token),
        };
        match self.ask(Actor::Caller(caller), AccountOperation::PasswordSet(set)).await {
            // Somebody else was faster.
            Err(problem) if problem.code() == Some(Reason::UserNotFound.code()) => {
                Err(Problem::WrongPassword)
            }
            done => done.map(|_| Answer::empty(asker.trace_id)),
        }
    }
}
