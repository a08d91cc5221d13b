//! Sessions: tokens of browsers, which begin when their user signs in.

use super::person::{self, refuse_other};
use super::refuse_if;
use crate::draft::{Cause, Draft};
use crate::id::{TokenId, UserId};
use crate::model::{PasswordHash, Token, TokenHash, TokenKind, User};
use crate::refusal::{Reason, Refusal};
use std::sync::Arc;

/// How many sessions a user may have. One more ends the oldest.
pub const SESSIONS_MAX: usize = 100;

/// The greatest length of what is kept of a browser's name for itself, in characters.
pub const AGENT_CHARS_MAX: usize = 200;

/// A session that is to begin. Its id is made together with its secret, which the domain never sees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewSession {
    /// Names the session where its secret must not appear.
    pub id: TokenId,
    /// The hash of its secret.
    pub hash: TokenHash,
    /// How the browser calls itself. Control characters are dropped, and what is too long is cut.
    pub agent: Option<String>,
}

/// Signs a user in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionStart {
    /// Whose session it will be.
    pub user: UserId,
    /// The session.
    pub session: NewSession,
    /// The password against which the user's was checked, if it was: it must still be the account's.
    pub verified: Option<PasswordHash>,
}

/// Which of a user's sessions end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionsEnded {
    /// This one.
    One(TokenId),
    /// All others.
    AllBut(TokenId),
    /// All.
    All,
}

pub(super) fn start(draft: &mut Draft<'_>, asked: &SessionStart) -> Result<(), Refusal> {
    let user = person::active(draft, asked.user)?;
    person::refuse_other_password(user, asked.verified.as_ref())?;
    begin(draft, user, &asked.session);
    Ok(())
}

/// Begins a session of a user, who may be made by the same batch.
pub(super) fn begin(draft: &mut Draft<'_>, user: &User, new: &NewSession) {
    let world = draft.world();
    let mut held: Vec<&Arc<Token>> =
        world.user(user.id).into_iter().flat_map(|slot| slot.sessions(world)).collect();
    held.sort_unstable_by_key(|session| (session.created, session.id));
    let over = (held.len() + 1).saturating_sub(SESSIONS_MAX);
    for oldest in held.into_iter().take(over) {
        draft.set_token(Cause::Derived, Some(oldest), None);
    }
    let agent = new.agent.as_deref().map(|agent| {
        let shown = agent.chars().filter(|char| !char.is_control());
        shown.take(AGENT_CHARS_MAX).collect()
    });
    let session = Token {
        kind: TokenKind::Session,
        agent,
        ..Token::api(new.id, user.id, String::new(), new.hash, draft.now())
    };
    draft.set_token(Cause::Meant, None, Some(session));
}

pub(super) fn end(draft: &mut Draft<'_>, user: UserId, which: SessionsEnded) -> Result<(), Refusal> {
    refuse_other(draft, user)?;
    let world = draft.world();
    let ends = |session: &&Arc<Token>| match which {
        SessionsEnded::One(id) => session.id == id,
        SessionsEnded::AllBut(id) => session.id != id,
        SessionsEnded::All => true,
    };
    let sessions = world.user(user).into_iter().flat_map(|slot| slot.sessions(world));
    let ended: Vec<&Arc<Token>> = sessions.filter(ends).collect();
    refuse_if(ended.is_empty() && matches!(which, SessionsEnded::One(_)), Reason::SessionNotFound)?;
    for session in ended {
        draft.set_token(Cause::Meant, Some(session), None);
    }
    Ok(())
}

/// Ends a user's sessions because of something else, all but `kept`.
pub(super) fn end_with(draft: &mut Draft<'_>, user: UserId, kept: Option<TokenId>) {
    let world = draft.world();
    let sessions = world.user(user).into_iter().flat_map(|slot| slot.sessions(world));
    for session in sessions.filter(|session| Some(session.id) != kept) {
        draft.set_token(Cause::Derived, Some(session), None);
    }
}
