//! Which API tokens are in force.

use crate::model::{AccountState, Plan, Token, TokenHash, User};
use crate::world::World;
use std::sync::Arc;

/// Why an API token is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenRefusal {
    /// No token has that secret, or its account is disabled. The caller does not learn which.
    Unknown,
    /// Its user's plan has no API tokens.
    ApiNotAllowed,
}

/// The token with that hash and its user, while it is in force.
///
/// # Errors
/// Why it is not.
pub fn in_force<'w>(
    world: &'w World,
    hash: &TokenHash,
) -> Result<(&'w Arc<User>, &'w Arc<Token>), TokenRefusal> {
    let token = world.token(hash).ok_or(TokenRefusal::Unknown)?;
    let user = world.user(token.user).map(|slot| &slot.user).ok_or(TokenRefusal::Unknown)?;
    match (user.state, user.plan) {
        (AccountState::Disabled | AccountState::Removed, _) => Err(TokenRefusal::Unknown),
        (AccountState::Active, Plan::Basic) => Err(TokenRefusal::ApiNotAllowed),
        (AccountState::Active, Plan::Plus | Plan::Pro) => Ok((user, token)),
    }
}
