//! From a person, as a provider knows them, to their account.

use super::provider::{Person, Provider};
use crate::accounts::door::{by_session, new_session};
use crate::accounts::keys::presented;
use crate::accounts::mail::Letter;
use crate::accounts::{Accounts, Asker};
use crate::auth::Secret;
use crate::engine::{Actor, Caller, Failure, clock};
use crate::wire::{Problem, SignInFault};
use graph::Reason;
use graph::model::{Identity, Plan, User};
use graph::ops::{self, AccountOperation, SessionStart, USERNAME_CHARS, UserAdd, is_username};
use std::sync::Arc;
use uuid::Uuid;

/// How often a name is tried that somebody has, and an account that somebody changes meanwhile.
const ATTEMPTS: usize = 5;
/// How much of a name is kept where something is added to it.
const STEM_CHARS: usize = 24;

impl Accounts {
    /// Begins a session of a person: of the account that knows their identity, otherwise of the account with their
    /// verified email, otherwise of a new one.
    pub(super) async fn enter(
        &self,
        asker: Asker<'_>,
        provider: &Provider,
        person: &Person,
        invite: Option<&str>,
    ) -> Result<(Caller, Secret), Problem> {
        let (session, secret) = new_session(asker)?;
        let user = self.account(provider, person, invite).await?;
        let caller = by_session(user.id, session.id, session.hash);
        let start = SessionStart { user: user.id, session, verified: None };
        match self.ask(Actor::Server, AccountOperation::SessionStart(start)).await {
            Err(Problem::Failed(Failure::Refused(_))) => Err(SignInFault::AccountDisabled.into()),
            done => done.map(|_| (caller, secret)),
        }
    }

    async fn account(
        &self,
        provider: &Provider,
        person: &Person,
        invite: Option<&str>,
    ) -> Result<Arc<User>, Problem> {
        let engine = &self.app.engine;
        let known = || {
            let by_email = || engine.user_by_email(person.verified_email.as_deref()?);
            engine.user_by_identity(&person.issuer, &person.subject).or_else(by_email)
        };
        if known().is_none() {
            // Another process may have made the account a moment ago.
            engine.look().await;
        }
        let mut refused = Problem::exception();
        for attempt in 0..ATTEMPTS {
            if let Some(user) = engine.user_by_identity(&person.issuer, &person.subject) {
                return usable(user);
            }
            let email = person.verified_email.as_deref().ok_or(SignInFault::EmailNotVerified)?;
            let made = match engine.user_by_email(email) {
                Some(user) => self.add_identity(provider, person, usable(user)?).await,
                None => self.make_account(provider, person, (email, invite), attempt).await,
            };
            match made {
                Ok(()) => {}
                // Somebody has the name, or came first.
                Err(problem) if is_race(&problem) => refused = problem,
                Err(problem) => return Err(problem),
            }
        }
        Err(refused)
    }

    /// Lets somebody in by a further way, and tells them.
    async fn add_identity(
        &self,
        provider: &Provider,
        person: &Person,
        user: Arc<User>,
    ) -> Result<(), Problem> {
        let identity = identity(provider, person);
        let add = AccountOperation::IdentityAdd { user: user.id, identity };
        match self.ask(Actor::Server, add).await {
            // Disabled or removed meanwhile.
            Err(problem) if problem.code() == Some(Reason::UserNotFound.code()) => {
                return Err(SignInFault::AccountDisabled.into());
            }
            done => drop(done?),
        }
        tracing::info!(user = %user.id.0, provider = provider.name, "a user has signed in this way for the first time");
        if let Some(mailer) = &self.mailer {
            let (username, provider) = (user.username.clone(), provider.title().to_owned());
            mailer.send(&user.email, &Letter::NewLoginMethod { username, provider });
        }
        Ok(())
    }

    async fn make_account(
        &self,
        provider: &Provider,
        person: &Person,
        (email, invite): (&str, Option<&str>),
        attempt: usize,
    ) -> Result<(), Problem> {
        let key = invite.map(presented);
        self.may_register(email, key.as_ref())?;
        let username = username(&person.names, attempt, &Uuid::new_v4().simple().to_string());
        let account = UserAdd::new(email.to_owned(), username, Plan::Pro);
        let identity = Some(identity(provider, person));
        let register = ops::Register { key, account, identity, session: None };
        match self.ask(Actor::Server, AccountOperation::Register(register)).await {
            Err(problem) if problem.code() == Some(Reason::InvalidKey.code()) => {
                Err(Reason::InvalidInvite.into())
            }
            // The provider calls something an email that is none.
            Err(problem) if problem.code() == Some(Reason::InvalidEmail.code()) => {
                Err(SignInFault::EmailNotVerified.into())
            }
            done => done.map(drop),
        }
    }
}

fn identity(provider: &Provider, person: &Person) -> Identity {
    Identity {
        provider: provider.name.clone(),
        issuer: person.issuer.clone(),
        subject: person.subject.clone(),
        since: clock::now(),
    }
}

fn usable(user: Arc<User>) -> Result<Arc<User>, Problem> {
    if user.is_active() { Ok(user) } else { Err(SignInFault::AccountDisabled.into()) }
}

fn is_race(problem: &Problem) -> bool {
    let races = [Reason::UsernameTaken, Reason::EmailTaken, Reason::IdentityTaken];
    races.iter().any(|reason| problem.code() == Some(reason.code()))
}

/// A username like the names of a person, the best first: the first of them that can be one, and from the second
/// attempt on with something random added.
fn username(names: &[String], attempt: usize, random: &str) -> String {
    let stem = names.iter().filter_map(|name| stem(name)).next().unwrap_or_else(|| "user".to_owned());
    if attempt == 0 {
        return stem.chars().take(*USERNAME_CHARS.end()).collect();
    }
    let stem: String = stem.chars().take(STEM_CHARS).collect();
    let random: String = random.chars().take(4 + attempt.min(3)).collect();
    format!("{stem}-{random}")
}

/// What of a name can stand in a username. Of an email that is what stands before the `@`.
fn stem(name: &str) -> Option<String> {
    let name = name.split('@').next().unwrap_or_default();
    let kept = name.trim().chars().filter_map(|c| match c {
        c if c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-') => Some(c),
        ' ' => Some('.'),
        _ => None,
    });
    let kept: String = kept.collect();
    let whole: String = kept.chars().take(*USERNAME_CHARS.end()).collect();
    is_username(&whole).then_some(kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    // Rules: I9.
    #[test]
    fn i9_a_username_is_made_of_a_persons_names() {
        let of = |names: &[&str], attempt| {
            let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
            username(&names, attempt, "0123456789abcdef")
        };
        for (names, want) in [
            (&["ada"][..], "ada"),
            (&["ada@example.com"], "ada"),
            (&["Ada Lovelace"], "Ada.Lovelace"),
            (&["Zoë Müller"], "Zo.Mller"),
            (&["x", "", "李", "ada"], "ada"),
            (&["x"], "user"),
            (&[], "user"),
            (&["a b"], "a.b"),
            (&["ada\r\nBcc"], "adaBcc"),
        ] {
            assert_eq!(of(names, 0), want, "{names:?}");
            assert!(is_username(&of(names, 0)));
        }
        let long = "a".repeat(100);
        assert_eq!(of(&[&long], 0), "a".repeat(32));
        assert_eq!(of(&[&long], 1), format!("{}-01234", "a".repeat(24)));
        assert_eq!(of(&["ada"], 4), "ada-0123456");
        for attempt in 0..ATTEMPTS {
            assert!(is_username(&of(&[&long], attempt)), "{attempt}");
        }
    }
}
