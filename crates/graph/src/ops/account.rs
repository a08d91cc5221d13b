//! One's own account, and API tokens.

use super::{guest, refuse_guest, refuse_if};
use crate::draft::{Cause, Draft};
use crate::id::{TokenId, UserId};
use crate::model::{Plan, Token, TokenHash, TokenScope, User};
use crate::refusal::{Reason, Refusal};
use crate::time::Timestamp;
use crate::world::World;
use std::sync::Arc;

/// The greatest length of a token's name, in characters.
pub const TOKEN_NAME_CHARS_MAX: usize = 80;

/// The greatest number of API tokens of a user.
pub const TOKENS_MAX: usize = 100;

pub(super) fn rename(draft: &mut Draft<'_>, caller: UserId, username: &str) -> Result<(), Refusal> {
    refuse_guest(draft, caller)?;
    check_username(username)?;
    let world = draft.world();
    let user = &world.user(caller).ok_or(Reason::UserNotFound)?.user;
    if user.username != username {
        refuse_taken(world, username, Some(caller))?;
        draft.set_user(user, User { username: username.to_owned(), ..User::clone(user) });
    }
    Ok(())
}

/// A new API token. Its id is made together with its secret, which the domain never sees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenCreate {
    /// Names the token where its secret must not appear.
    pub id: TokenId,
    /// Whose it will be.
    pub user: UserId,
    /// At most 80 Unicode scalar values, none of them a control character.
    pub name: String,
    /// The hash of its secret.
    pub hash: TokenHash,
    /// When it ends: in the future; `None` for never.
    pub expires: Option<Timestamp>,
    /// What it lets its holder see and do.
    pub scope: TokenScope,
}

impl TokenCreate {
    /// A token that never ends and lets its holder do what its user may.
    pub fn new(id: TokenId, user: UserId, name: String, hash: TokenHash) -> Self {
        TokenCreate { id, user, name, hash, expires: None, scope: TokenScope::All }
    }
}

pub(super) fn token_create(draft: &mut Draft<'_>, new: &TokenCreate) -> Result<(), Refusal> {
    let TokenCreate { id, user, ref name, hash, expires, scope } = *new;
    refuse_if(draft.actor().is_some_and(|actor| actor != user), Reason::NoPermission)?;
    refuse_if(!is_token_name(name), Reason::InvalidTokenName)?;
    refuse_if(expires.is_some_and(|expires| expires <= draft.now()), Reason::InvalidExpires)?;
    let slot = draft.world().user(user).filter(|slot| slot.user.has_email()).ok_or(Reason::UserNotFound)?;
    refuse_if(slot.user.plan == Plan::Basic, Reason::ApiNotAllowed)?;
    let world = draft.world();
    let own = slot.tokens.iter().filter_map(|hash| world.token(hash));
    let there = own.filter(|token| !token.is_session() && !token.is_over(draft.now())).count();
    refuse_if(there >= TOKENS_MAX, Reason::TooManyTokens)?;
    if let TokenScope::Branch { node, level, guest } = scope {
        guest::make(draft, user, (node, level), guest, expires)?;
    }
    let token = Token { expires, scope, ..Token::api(id, user, name.clone(), hash, draft.now()) };
    draft.set_token(Cause::Meant, None, Some(token));
    Ok(())
}

/// Changes of an API token; `None` leaves a field as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenSet {
    /// Which token.
    pub id: TokenId,
    /// At most 80 Unicode scalar values, none of them a control character.
    pub name: Option<String>,
    /// When it ends: in the future, or never.
    pub expires: Option<Option<Timestamp>>,
}

pub(super) fn token_set(draft: &mut Draft<'_>, asked: &TokenSet) -> Result<(), Refusal> {
    let TokenSet { id, ref name, expires } = *asked;
    refuse_if(name.is_none() && expires.is_none(), Reason::NoFieldsToUpdate)?;
    refuse_if(name.as_deref().is_some_and(|name| !is_token_name(name)), Reason::InvalidTokenName)?;
    refuse_if(expires.flatten().is_some_and(|expires| expires <= draft.now()), Reason::InvalidExpires)?;
    let before = own_token(draft, id)?;
    let mut after = Token::clone(before);
    after.name = name.clone().unwrap_or(after.name);
    after.expires = expires.unwrap_or(after.expires);
    if after != **before {
        if let TokenScope::Branch { node, guest, .. } = after.scope {
            guest::set_expiry(draft, guest, node, after.expires);
        }
        draft.set_token(Cause::Meant, Some(before), Some(after));
    }
    Ok(())
}

pub(super) fn token_revoke(draft: &mut Draft<'_>, ids: &[TokenId]) -> Result<(), Refusal> {
    for id in ids {
        let token = own_token(draft, *id)?;
        draft.set_token(Cause::Meant, Some(token), None);
        if let Some(guest) = token.scope.guest() {
            guest::end(draft, guest);
        }
    }
    Ok(())
}

/// Replaces the secret. The token keeps its id, its name and its creation time.
pub(super) fn token_rotate(draft: &mut Draft<'_>, id: TokenId, hash: TokenHash) -> Result<(), Refusal> {
    let before = own_token(draft, id)?;
    let after = Token { hash, ..Token::clone(before) };
    draft.set_token(Cause::Meant, Some(before), Some(after));
    Ok(())
}

/// An API token, if the actor is its owner or the operator.
fn own_token<'w>(draft: &Draft<'w>, id: TokenId) -> Result<&'w Arc<Token>, Refusal> {
    let token = draft.world().token_by_id(id).filter(|token| !token.is_session());
    let own = |token: &&Arc<Token>| draft.actor().is_none_or(|actor| actor == token.user);
    token.filter(own).ok_or_else(|| Reason::TokenNotFound.into())
}

/// Refuses a username that somebody other than `user` has, in whatever case. `user` is the one who wants it.
pub(super) fn refuse_taken(world: &World, username: &str, user: Option<UserId>) -> Result<(), Refusal> {
    let taken = world.users_named(username).any(|slot| Some(slot.user.id) != user);
    refuse_if(taken, Reason::UsernameTaken)
}

pub(super) fn check_username(username: &str) -> Result<(), Refusal> {
    refuse_if(!is_username(username), Reason::InvalidUsername)
}

/// The length of a username, in bytes, which equal its characters.
pub const USERNAME_CHARS: std::ops::RangeInclusive<usize> = 3..=32;

/// Whether a text is a valid username.
pub fn is_username(text: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
    USERNAME_CHARS.contains(&text.len()) && text.chars().all(allowed)
}

/// Whether a text is a valid token name: one that fits on a line of a list, on any terminal.
pub fn is_token_name(text: &str) -> bool {
    text.chars().count() <= TOKEN_NAME_CHARS_MAX && !text.chars().any(char::is_control)
}
