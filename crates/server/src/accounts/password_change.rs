//! New passwords: by the old one, or by a key that whoever forgot it is sent.

use super::keys::presented;
use super::passwords::judge;
use super::{Accounts, Answer, Asker};
use crate::operations::Confidential;
use crate::wire::Problem;
use graph::Reason;
use graph::model::{KeyPurpose, PasswordHash};
use graph::ops::{AccountOperation, PasswordSet};

impl Accounts {
    /// The answer does not depend on whether there is such an account, and does not wait for what is done if there is.
    pub(super) fn password_forgot(&self, asker: Asker<'_>, _email: &str) -> Answer {
        Answer::empty(asker.trace_id)
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
        judge(password.reveal(), &account.email, &account.username)?;
        let password = PasswordHash::from_phc(self.passwords.hash(password).await?);
        let set = PasswordSet { user, password, key: Some(hash), verified: None, kept: None };
        match self.ask(None, AccountOperation::PasswordSet(set)).await {
            Err(problem) if problem.code() == Some(Reason::UserNotFound.code()) => {
                Err(Reason::InvalidKey.into())
            }
            done => done.map(|()| Answer::empty(asker.trace_id)),
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
        judge(new.reveal(), &user.email, &user.username)?;
        let verified = self.prove(&user.email, Some(&user), old, &Problem::WrongPassword).await?;
        let password = PasswordHash::from_phc(self.passwords.hash(new).await?);
        let set = PasswordSet {
            user: user.id,
            password,
            key: None,
            verified: Some(verified),
            kept: Some(caller.token),
        };
        match self.ask(Some(user.id), AccountOperation::PasswordSet(set)).await {
            // Somebody else was faster.
            Err(problem) if problem.code() == Some(Reason::UserNotFound.code()) => Err(Problem::WrongPassword),
            done => done.map(|()| Answer::empty(asker.trace_id)),
        }
    }
}
