//! Which tokens are in force: those of programs and those of sessions.

use crate::model::{Plan, Token, TokenHash, TokenKind, User};
use crate::world::World;
use std::sync::Arc;

/// Why a token is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenRefusal {
    /// No token has that secret, it has ended, or its account cannot be used. The caller does not learn which.
    Unknown,
    /// Its user's plan has no API tokens.
    ApiNotAllowed,
}

/// The token with that hash, and the user for whom its holder acts, while it is in force: until it ends, while its
/// account can be used, and, for a program's token, while the account's plan has API tokens. That a session ends when
/// it was not used for some time is not known here.
///
/// # Errors
/// Why it is not.
pub fn in_force<'w>(
    world: &'w World,
    hash: &TokenHash,
) -> Result<(&'w Arc<User>, &'w Arc<Token>), TokenRefusal> {
    let token = world.token(hash).filter(|token| !token.is_over(world.clock()));
    let token = token.ok_or(TokenRefusal::Unknown)?;
    let user = |id| world.user(id).map(|slot| &slot.user).filter(|user| user.is_active());
    let account = user(token.user).ok_or(TokenRefusal::Unknown)?;
    if token.kind == TokenKind::Api && account.plan == Plan::Basic {
        return Err(TokenRefusal::ApiNotAllowed);
    }
    let acts_for = token.acts_for();
    let acting = if acts_for == account.id { Some(account) } else { user(acts_for) };
    Ok((acting.ok_or(TokenRefusal::Unknown)?, token))
}
