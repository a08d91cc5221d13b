//! How people come to have an account, and what they do with it.

use super::session::{self, NewSession, SessionStart, SessionsEnded};
use super::user::{self, UserAdd};
use super::{guest, key, refuse_if};
use crate::batch::{Batch, Op};
use crate::draft::{Cause, Draft};
use crate::id::{IdSupply, KeyId, TokenId, UserId};
use crate::model::{Identity, Key, KeyHash, KeyPurpose, PasswordHash, User, ViewSettings};
use crate::refusal::{Reason, Refusal};
use crate::time::Timestamp;
use std::sync::Arc;

/// For how long a closed account can be opened again, in milliseconds: 7 days.
pub const CLOSING_GRACE_MS: i64 = 7 * 86_400_000;

/// How many identities an account may have.
pub const IDENTITIES_MAX: usize = 16;

/// The greatest size of a camera position, in bytes of JSON.
pub const CAMERA_BYTES_MAX: usize = 2_048;

/// What concerns signing in, and one's own account. Without an actor, the server asks: it has checked who is there.
#[derive(Clone, Debug, PartialEq)]
pub enum AccountOperation {
    /// Makes an account.
    Register(Register),
    /// Signs a user in.
    SessionStart(SessionStart),
    /// Ends a user's sessions.
    SessionEnd {
        /// Whose.
        user: UserId,
        /// Which.
        which: SessionsEnded,
    },
    /// Gives an account another password.
    PasswordSet(PasswordSet),
    /// Without an actor: stores the same password in another form.
    PasswordRehash {
        /// Whose.
        user: UserId,
        /// The same password.
        password: PasswordHash,
        /// The password against which the user's was checked: it must still be the account's.
        verified: PasswordHash,
    },
    /// Gives an account another email.
    EmailSet {
        /// Whose account.
        user: UserId,
        /// At most 254 characters, unique without regard to case.
        email: String,
        /// The key that was sent to that email, where it must be confirmed.
        key: Option<KeyHash>,
    },
    /// Makes a user known by an identity.
    IdentityAdd {
        /// Whose account.
        user: UserId,
        /// The identity.
        identity: Identity,
    },
    /// Makes a user unknown by their identities at a provider. They must have another way to sign in.
    IdentityRemove {
        /// Whose account.
        user: UserId,
        /// The provider's name in the settings when the identities were added.
        provider: String,
        /// The session that stays. All others end, since they may have begun that way.
        kept: Option<TokenId>,
    },
    /// Issues a key.
    KeyIssue(Key),
    /// Ends a key before it is used.
    KeyRevoke(KeyId),
    /// Changes the actor's view settings.
    ViewSet(ViewSet),
    /// Closes an account: it can no longer be used, and goes for good after a grace.
    Close {
        /// Whose account.
        user: UserId,
        /// The password against which the user's was checked, if it was: it must still be the account's.
        verified: Option<PasswordHash>,
    },
    /// By the operator or an administrator: opens a closed account again.
    Reopen {
        /// Whose account.
        user: UserId,
    },
    /// Without an actor: removes an account whose grace is over. If it is not, nothing changes.
    ClosedRemove {
        /// Whose account.
        user: UserId,
    },
    /// Without an actor: removes the keys and the API tokens that have ended, and these sessions.
    Tidy {
        /// Sessions that were not used for too long.
        sessions: Vec<TokenId>,
    },
}

/// An account that somebody makes for themselves.
#[derive(Clone, Debug, PartialEq)]
pub struct Register {
    /// What permits it: a key to set up the installation or an invitation. `None` where anyone may register.
    pub key: Option<KeyHash>,
    /// The account. A key to set up the installation makes it an administrator's.
    pub account: UserAdd,
    /// Who they are at an identity provider, if they come from there.
    pub identity: Option<Identity>,
    /// Their first session.
    pub session: Option<NewSession>,
}

/// A new password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PasswordSet {
    /// Whose.
    pub user: UserId,
    /// The new password.
    pub password: PasswordHash,
    /// The key that permits it, if the old password does not.
    pub key: Option<KeyHash>,
    /// The old password against which the user's was checked, if it was: it must still be the account's.
    pub verified: Option<PasswordHash>,
    /// The session that stays. All others end.
    pub kept: Option<TokenId>,
}

/// Changes of one's own view settings; `None` leaves one as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ViewSet {
    /// A JSON object as text, or none.
    pub camera_position: Option<Option<String>>,
    /// Whether all cards are shown.
    pub show_all_cards: Option<bool>,
}

pub(super) fn decide(
    draft: &mut Draft<'_>,
    operation: &AccountOperation,
    ids: &mut dyn IdSupply,
) -> Result<(), Refusal> {
    use AccountOperation as O;
    match operation {
        O::Register(new) => register(draft, new, ids),
        O::SessionStart(asked) => session::start(draft, asked),
        O::SessionEnd { user, which } => session::end(draft, *user, *which),
        O::PasswordSet(asked) => set_password(draft, asked),
        O::PasswordRehash { user, password, verified } => rehash_password(draft, *user, password, verified),
        O::EmailSet { user, email, key } => set_email(draft, *user, email, key.as_ref()),
        O::IdentityAdd { user, identity } => add_identity(draft, *user, identity),
        O::IdentityRemove { user, provider, kept } => remove_identity(draft, *user, provider, *kept),
        O::KeyIssue(key) => key::issue(draft, key),
        O::KeyRevoke(id) => key::revoke(draft, *id),
        O::ViewSet(asked) => set_view(draft, asked),
        O::Close { user, verified } => close(draft, *user, verified.as_ref()),
        O::Reopen { user } => reopen(draft, *user),
        O::ClosedRemove { user } => remove_closed(draft, *user, ids),
        O::Tidy { sessions } => tidy(draft, sessions),
    }
}

/// The actor that a batch is kept with. How people sign in is not among what they did with their graph, and does not
/// displace it from their history.
pub(super) fn kept_actor(operation: &AccountOperation, batch: &Batch) -> Option<UserId> {
    match operation {
        AccountOperation::ViewSet(_) if !batch.entries.is_empty() => Some(UserId::VIEWS),
        AccountOperation::ViewSet(_)
        | AccountOperation::EmailSet { .. }
        | AccountOperation::Reopen { .. } => batch.actor,
        _ => None,
    }
}

fn register(draft: &mut Draft<'_>, new: &Register, ids: &mut dyn IdSupply) -> Result<(), Refusal> {
    refuse_if(draft.actor().is_some(), Reason::NoPermission)?;
    let mut account = new.account.clone();
    if let Some(hash) = &new.key {
        let world = draft.world();
        let is_setup = world.key(hash).is_some_and(|key| key.purpose == KeyPurpose::Setup);
        // Somebody may have made the first account in another way meanwhile.
        let is_first = world.users().all(|slot| slot.user.is_removed());
        account.admin |= is_setup;
        let permits = |purpose: &KeyPurpose| match purpose {
            KeyPurpose::Setup => is_first,
            KeyPurpose::Invite { email, .. } => {
                email.as_ref().is_none_or(|email| email.to_lowercase() == new.account.email.to_lowercase())
            }
            KeyPurpose::Reset { .. } | KeyPurpose::Email { .. } => false,
        };
        key::use_up(draft, hash, permits, if is_setup { Reason::InvalidKey } else { Reason::InvalidInvite })?;
    }
    if let Some(identity) = &new.identity {
        refuse_known(draft, identity)?;
    }
    let user = user::add_with(draft, &account, new.identity.clone(), ids)?;
    if let Some(session) = &new.session {
        session::begin(draft, &user, session);
    }
    Ok(())
}

fn set_password(draft: &mut Draft<'_>, asked: &PasswordSet) -> Result<(), Refusal> {
    let PasswordSet { user, password, key, verified, kept } = asked;
    refuse_other(draft, *user)?;
    let before = active(draft, *user)?;
    refuse_other_password(before, verified.as_ref())?;
    if let Some(hash) = key {
        let is_for = |purpose: &KeyPurpose| *purpose == KeyPurpose::Reset { user: *user };
        key::use_up(draft, hash, is_for, Reason::InvalidKey)?;
    } else {
        // A link that was sent before no longer gives somebody else the account.
        key::end_where(draft, Some(*user), |purpose| matches!(purpose, KeyPurpose::Reset { .. }));
    }
    let after = User { password: Some(password.clone()), ..User::clone(before) };
    draft.set_account(Op::SignInUpdate, before, after);
    session::end_with(draft, *user, *kept);
    Ok(())
}

/// Nothing else changes: the user has the same password as before, and all their sessions.
fn rehash_password(
    draft: &mut Draft<'_>,
    user: UserId,
    password: &PasswordHash,
    verified: &PasswordHash,
) -> Result<(), Refusal> {
    refuse_if(draft.actor().is_some(), Reason::NoPermission)?;
    let before = active(draft, user)?;
    refuse_other_password(before, Some(verified))?;
    let after = User { password: Some(password.clone()), ..User::clone(before) };
    draft.set_account(Op::SignInUpdate, before, after);
    Ok(())
}

fn set_email(draft: &mut Draft<'_>, user: UserId, email: &str, key: Option<&KeyHash>) -> Result<(), Refusal> {
    refuse_other(draft, user)?;
    let before = active(draft, user)?;
    user::check_names(Some(email), None)?;
    if let Some(hash) = key {
        let is_for = |purpose: &KeyPurpose| match purpose {
            KeyPurpose::Email { user: whose, email: to } => *whose == user && to == email,
            _ => false,
        };
        key::use_up(draft, hash, is_for, Reason::InvalidKey)?;
    }
    user::refuse_taken(draft.world(), Some(user), Some(email), None)?;
    if before.email != email {
        draft.set_user(before, User { email: email.to_owned(), ..User::clone(before) });
        // It may have been sent to the former email.
        key::end_where(draft, Some(user), |purpose| matches!(purpose, KeyPurpose::Reset { .. }));
    }
    Ok(())
}

fn add_identity(draft: &mut Draft<'_>, user: UserId, identity: &Identity) -> Result<(), Refusal> {
    refuse_other(draft, user)?;
    let before = active(draft, user)?;
    let same = |known: &Identity| known.issuer == identity.issuer && known.subject == identity.subject;
    if before.identities.iter().any(same) {
        return Ok(());
    }
    refuse_known(draft, identity)?;
    refuse_if(before.identities.len() >= IDENTITIES_MAX, Reason::TooManyIdentities)?;
    let mut after = User::clone(before);
    after.identities.push(identity.clone());
    draft.set_account(Op::SignInUpdate, before, after);
    Ok(())
}

fn remove_identity(
    draft: &mut Draft<'_>,
    user: UserId,
    provider: &str,
    kept: Option<TokenId>,
) -> Result<(), Refusal> {
    refuse_other(draft, user)?;
    let before = active(draft, user)?;
    let mut after = User::clone(before);
    after.identities.retain(|identity| identity.provider != provider);
    refuse_if(after.identities.len() == before.identities.len(), Reason::IdentityNotFound)?;
    refuse_if(after.identities.is_empty() && after.password.is_none(), Reason::LastIdentity)?;
    draft.set_account(Op::SignInUpdate, before, after);
    session::end_with(draft, user, kept);
    Ok(())
}

fn refuse_known(draft: &Draft<'_>, identity: &Identity) -> Result<(), Refusal> {
    let known = draft.world().user_by_identity(&identity.issuer, &identity.subject);
    refuse_if(known.is_some(), Reason::IdentityTaken)
}

fn set_view(draft: &mut Draft<'_>, asked: &ViewSet) -> Result<(), Refusal> {
    let ViewSet { camera_position, show_all_cards } = asked;
    let before = active(draft, draft.actor().ok_or(Reason::NoPermission)?)?;
    refuse_if(camera_position.is_none() && show_all_cards.is_none(), Reason::NoFieldsToUpdate)?;
    let too_large = camera_position.iter().flatten().any(|camera| camera.len() > CAMERA_BYTES_MAX);
    refuse_if(too_large, Reason::InvalidView)?;
    let view = ViewSettings {
        camera_position: camera_position.clone().unwrap_or_else(|| before.view.camera_position.clone()),
        show_all_cards: show_all_cards.unwrap_or(before.view.show_all_cards),
    };
    if view != before.view {
        draft.set_account(Op::ViewUpdate, before, User { view, ..User::clone(before) });
    }
    Ok(())
}

fn close(draft: &mut Draft<'_>, user: UserId, verified: Option<&PasswordHash>) -> Result<(), Refusal> {
    refuse_other(draft, user)?;
    let before = active(draft, user)?;
    refuse_other_password(before, verified)?;
    user::refuse_last_admin(draft, before)?;
    let ends = Timestamp::from_ms(draft.now().ms().saturating_add(CLOSING_GRACE_MS));
    draft.set_account(Op::AccountUpdate, before, User { closing: Some(ends), ..User::clone(before) });
    session::end_with(draft, user, None);
    key::end_where(draft, Some(user), |_| true);
    Ok(())
}

fn reopen(draft: &mut Draft<'_>, user: UserId) -> Result<(), Refusal> {
    let world = draft.world();
    let admin = |id| world.user(id).is_some_and(|slot| slot.user.admin);
    refuse_if(draft.actor().is_some_and(|actor| !admin(actor)), Reason::NoPermission)?;
    let before = &user::there(world, user)?.user;
    refuse_if(before.closing.is_none(), Reason::NotClosing)?;
    draft.set_account(Op::AccountUpdate, before, User { closing: None, ..User::clone(before) });
    Ok(())
}

fn remove_closed(draft: &mut Draft<'_>, user: UserId, ids: &mut dyn IdSupply) -> Result<(), Refusal> {
    refuse_if(draft.actor().is_some(), Reason::NoPermission)?;
    let closing = draft.world().user(user).and_then(|slot| slot.user.closing);
    match closing.is_some_and(|at| at <= draft.now()) {
        true => user::remove(draft, user, ids),
        false => Ok(()),
    }
}

fn tidy(draft: &mut Draft<'_>, sessions: &[TokenId]) -> Result<(), Refusal> {
    refuse_if(draft.actor().is_some(), Reason::NoPermission)?;
    let world = draft.world();
    for session in sessions.iter().filter_map(|id| world.token_by_id(*id)).filter(|token| token.is_session())
    {
        draft.set_token(Cause::Derived, Some(session), None);
    }
    for token in world.tokens_over_by(draft.now()) {
        draft.set_token(Cause::Derived, Some(token), None);
        if let Some(guest) = token.scope.guest() {
            guest::end(draft, guest);
        }
    }
    for key in world.keys_over_by(draft.now()) {
        draft.set_key(Cause::Derived, Some(key), None);
    }
    Ok(())
}

/// A user whose account can be used and who can sign in.
pub(super) fn active<'w>(draft: &Draft<'w>, user: UserId) -> Result<&'w Arc<User>, Refusal> {
    let slot = draft.world().user(user).filter(|slot| slot.user.is_active() && slot.user.has_email());
    slot.map(|slot| &slot.user).ok_or_else(|| Reason::UserNotFound.into())
}

/// Refuses an actor who is another user.
pub(super) fn refuse_other(draft: &Draft<'_>, user: UserId) -> Result<(), Refusal> {
    refuse_if(draft.actor().is_some_and(|actor| actor != user), Reason::NoPermission)
}

/// Refuses what was permitted by a password that is no longer the account's.
pub(super) fn refuse_other_password(user: &User, verified: Option<&PasswordHash>) -> Result<(), Refusal> {
    refuse_if(verified.is_some_and(|verified| user.password.as_ref() != Some(verified)), Reason::UserNotFound)
}
