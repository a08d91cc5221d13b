//! What the operator does with accounts: opens, changes, disables and removes them.

use super::account::{self, check_username};
use super::email::is_email;
use super::{key, refuse_if, session, share, trash};
use crate::batch::{Batch, Change, Op, Subject};
use crate::blocking::{settle, targets};
use crate::draft::{Cause, Draft};
use crate::id::{IdSupply, LinkId, NodeId, UserId};
use crate::model::{AccountState, Embed, Identity, KeyPurpose, Link, PasswordHash, Plan, Token, User};
use crate::refusal::{Reason, Refusal};
use crate::world::{Graph, UserSlot, World};
use std::sync::Arc;
use uuid::Uuid;

/// A new account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserAdd {
    /// At most 254 characters, unique without regard to case.
    pub email: String,
    /// 3 to 32 of `A-Za-z0-9_.-`, unique without regard to case.
    pub username: String,
    /// What the account may use.
    pub plan: Plan,
    /// Whether the user administers the installation.
    pub admin: bool,
    /// `None` for an account that signs in otherwise, or not at all.
    pub password: Option<PasswordHash>,
}

impl UserAdd {
    /// An account of a user who is no administrator and has no password.
    pub fn new(email: String, username: String, plan: Plan) -> Self {
        UserAdd { email, username, plan, admin: false, password: None }
    }
}

pub(super) fn add(draft: &mut Draft<'_>, new: &UserAdd, ids: &mut dyn IdSupply) -> Result<(), Refusal> {
    add_with(draft, new, None, ids).map(drop)
}

/// Adds an account of a user who may be known to an identity provider.
pub(super) fn add_with(
    draft: &mut Draft<'_>,
    new: &UserAdd,
    identity: Option<Identity>,
    ids: &mut dyn IdSupply,
) -> Result<Arc<User>, Refusal> {
    check_names(Some(&new.email), Some(&new.username))?;
    refuse_taken(draft.world(), None, Some(&new.email), Some(&new.username))?;
    let blank = User::new(ids.next_user(), new.username.clone(), new.email.clone(), new.plan, draft.now());
    let identities = identity.into_iter().collect();
    let user = Arc::new(User { admin: new.admin, password: new.password.clone(), identities, ..blank });
    let change = Change { before: None, after: Some(Arc::clone(&user)) };
    draft.write(Op::UserAdd, Cause::Meant, Subject::User(change));
    Ok(user)
}

/// Changes of an account; `None` leaves a field as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserSet {
    /// Whose account.
    pub user: UserId,
    /// At most 254 characters, unique without regard to case.
    pub email: Option<String>,
    /// 3 to 32 of `A-Za-z0-9_.-`, unique without regard to case.
    pub username: Option<String>,
    /// What the account may use.
    pub plan: Option<Plan>,
    /// Whether the user administers the installation.
    pub admin: Option<bool>,
}

impl UserSet {
    /// No change as yet.
    pub fn of(user: UserId) -> Self {
        UserSet { user, email: None, username: None, plan: None, admin: None }
    }
}

pub(super) fn set(draft: &mut Draft<'_>, asked: &UserSet) -> Result<(), Refusal> {
    let UserSet { user, email, username, plan, admin } = asked;
    let is_empty = email.is_none() && username.is_none() && plan.is_none() && admin.is_none();
    refuse_if(is_empty, Reason::NoFieldsToUpdate)?;
    check_names(email.as_deref(), username.as_deref())?;
    let before = &there(draft.world(), *user)?.user;
    // An unchanged username is not checked: from before usernames had to be unique without regard to case, somebody
    // else may have it in another case.
    let new_username = username.as_deref().filter(|username| *username != before.username);
    refuse_taken(draft.world(), Some(*user), email.as_deref(), new_username)?;
    if *admin == Some(false) {
        refuse_last_admin(draft, before)?;
    }
    let mut after = User::clone(before);
    after.email = email.clone().unwrap_or(after.email);
    after.username = username.clone().unwrap_or(after.username);
    after.plan = plan.unwrap_or(after.plan);
    let concerns_user = after != **before;
    after.admin = admin.unwrap_or(after.admin);
    if after != **before {
        let became_basic = after.plan == Plan::Basic && before.plan != Plan::Basic;
        let has_new_email = after.email != before.email;
        draft.set_account(if concerns_user { Op::UserUpdate } else { Op::AccountUpdate }, before, after);
        if became_basic {
            share::hide_beyond_basic(draft, *user);
        }
        if has_new_email {
            key::end_where(draft, Some(*user), |purpose| matches!(purpose, KeyPurpose::Reset { .. }));
        }
    }
    Ok(())
}

/// Disables an account, which ends its sessions, or enables it again.
pub(super) fn set_disabled(draft: &mut Draft<'_>, user: UserId, disabled: bool) -> Result<(), Refusal> {
    let before = &there(draft.world(), user)?.user;
    let state = if disabled { AccountState::Disabled } else { AccountState::Active };
    if before.state != state {
        if disabled {
            refuse_last_admin(draft, before)?;
        }
        draft.set_user(before, User { state, ..User::clone(before) });
    }
    if disabled {
        session::end_with(draft, user, None);
    }
    Ok(())
}

/// Refuses, unless to the operator, to leave the installation without an administrator who can do anything.
pub(super) fn refuse_last_admin(draft: &Draft<'_>, user: &User) -> Result<(), Refusal> {
    if draft.actor().is_none() || !(user.admin && user.is_active()) {
        return Ok(());
    }
    let mut others = draft.world().users().map(|slot| &slot.user).filter(|other| other.id != user.id);
    refuse_if(!others.any(|other| other.admin && other.is_active()), Reason::LastAdmin)
}

/// The numbers of what is deleted with an account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Belongings {
    /// The user's own nodes, in the trash or not.
    pub nodes: usize,
    /// Links at these nodes, and private links of the user between nodes of others.
    pub links: usize,
    /// Grants to the user, grants that the user gave, and those on their nodes.
    pub grants: usize,
    /// What the user has embedded, and embeds of their nodes.
    pub embeds: usize,
    /// API tokens. Sessions do not count.
    pub tokens: usize,
}

impl Belongings {
    /// Counts what the removal of a user would delete.
    pub fn of(world: &World, user: UserId) -> Self {
        let Some(slot) = world.user(user) else { return Belongings::default() };
        let owned = || world.owned(user).map(|node| node.id);
        let is_own = |id| world.node(id).is_some_and(|node| node.owner == user);
        let is_private = |id: &&LinkId| world.link(**id).is_some_and(|link| link.private);
        // Between two nodes of theirs a link counts at its source.
        let down = |id| world.links_down(id).filter(|link| !is_own(link.source)).count();
        let persons = |id| world.grants_on(id).filter(|grant| !world.is_guest(grant.user)).count();
        let on_own: usize = owned().map(persons).sum();
        let given = slot.given.iter().filter(|(node, _)| !is_own(*node)).count();
        Belongings {
            nodes: slot.owned(),
            links: owned().map(|id| world.links_up(id).count() + down(id)).sum::<usize>()
                + slot.links_elsewhere.iter().filter(is_private).count(),
            grants: slot.granted.len() + given + on_own,
            embeds: slot.embedded.len() + owned().map(|id| world.embedders(id).count()).sum::<usize>(),
            tokens: slot
                .tokens
                .iter()
                .filter_map(|hash| world.token(hash))
                .filter(|it| !it.is_session())
                .count(),
        }
    }

    /// Counts what a batch deletes.
    pub fn deleted_by(batch: &Batch) -> Self {
        let mut deleted = Belongings::default();
        for entry in &batch.entries {
            match &entry.subject {
                Subject::Node(Change { after: None, .. }) => deleted.nodes += 1,
                Subject::Link(Change { after: None, .. }) => deleted.links += 1,
                Subject::Grant(Change { after: None, .. }) if entry.op != Op::TokenUpdate => {
                    deleted.grants += 1;
                }
                Subject::Embed(Change { after: None, .. }) => deleted.embeds += 1,
                Subject::Token(Change { before: Some(token), after: None }) if !token.is_session() => {
                    deleted.tokens += 1;
                }
                _ => {}
            }
        }
        deleted
    }
}

/// Removes an account for good: its nodes with all that hangs on them, the grants to and by the user, embeds, tokens,
/// keys and guests. Its links between nodes of others stay, except private ones, which nobody else may see. The account
/// keeps a name.
pub(super) fn remove(draft: &mut Draft<'_>, user: UserId, ids: &mut dyn IdSupply) -> Result<(), Refusal> {
    let world = draft.world();
    let slot = there(world, user)?;
    refuse_last_admin(draft, &slot.user)?;
    let name = name_of_removed(world, user, ids)?;
    let blank = User::new(user, name.clone(), name, slot.user.plan, slot.user.created);
    let after = User { state: AccountState::Removed, ..blank };
    let change = Change { before: Some(Arc::clone(&slot.user)), after: Some(Arc::new(after)) };
    draft.write(Op::UserRemove, Cause::Meant, Subject::User(change));
    let tokens = || slot.tokens.iter().filter_map(|hash| world.token(hash));
    for token in tokens() {
        draft.set_token(Cause::Derived, Some(token), None::<Token>);
    }
    key::end_where(draft, Some(user), |_| true);
    delete_shares(draft, slot);
    let mut freed = delete_private_links(draft, slot);
    for node in world.owned(user) {
        freed.extend(targets(draft, node.id));
        trash::delete_node(draft, node.id);
    }
    // What their grants and links lay on is gone.
    for guest in tokens().filter_map(|token| token.scope.guest()).filter_map(|guest| world.user(guest)) {
        let change = Change { before: Some(Arc::clone(&guest.user)), after: None };
        draft.write(Op::TokenUpdate, Cause::Derived, Subject::User(change));
    }
    // Nodes that are themselves deleted are skipped.
    settle(draft, freed);
    Ok(())
}

/// Deletes the grants to the user and by them, and their embeds. The grants on their own nodes are deleted with the
/// nodes.
fn delete_shares(draft: &mut Draft<'_>, slot: &UserSlot) {
    let (world, user) = (draft.world(), slot.user.id);
    let to = slot.granted.iter().map(|node| (*node, user));
    let theirs = |node: &NodeId| world.node(*node).is_some_and(|node| node.owner == user);
    let by = slot.given.iter().copied().filter(|(node, _)| !theirs(node));
    for grant in to.chain(by).filter_map(|(node, grantee)| world.grant(node, grantee)) {
        draft.set_grant(Op::GrantDelete, Cause::Derived, Some(Arc::clone(grant)), None);
    }
    for node in &slot.embedded {
        draft.set_embed(Cause::Derived, Embed { user, node: *node }, false);
    }
}

/// Deletes the user's private links between nodes of others. Returns the nodes that may no longer be held.
pub(super) fn delete_private_links(draft: &mut Draft<'_>, slot: &UserSlot) -> Vec<NodeId> {
    let world = draft.world();
    let links = slot.links_elsewhere.iter().filter_map(|id| world.link(*id));
    let mut private: Vec<&Arc<Link>> = links.filter(|link| link.private).collect();
    private.sort_unstable_by_key(|link| link.seq);
    let ids: Vec<LinkId> = private.iter().map(|link| link.id).collect();
    let held = private.into_iter().filter(|link| link.is_primary() && !link.in_trash);
    let freed = held.map(|link| link.target).collect();
    for id in ids {
        draft.delete_link(id, Cause::Derived);
    }
    freed
}

/// A user who was not removed.
pub(super) fn there(world: &World, user: UserId) -> Result<&UserSlot, Refusal> {
    world.user(user).filter(|slot| !slot.user.is_removed()).ok_or_else(|| Reason::UserNotFound.into())
}

pub(super) fn check_names(email: Option<&str>, username: Option<&str>) -> Result<(), Refusal> {
    refuse_if(email.is_some_and(|email| !is_email(email)), Reason::InvalidEmail)?;
    username.map_or(Ok(()), check_username)
}

/// Refuses an email or a username that somebody besides `user` has.
pub(super) fn refuse_taken(
    world: &World,
    user: Option<UserId>,
    email: Option<&str>,
    username: Option<&str>,
) -> Result<(), Refusal> {
    let taken = |slot: &UserSlot| Some(slot.user.id) != user;
    let email = email.and_then(|email| world.user_by_email(email));
    refuse_if(email.is_some_and(taken), Reason::EmailTaken)?;
    username.map_or(Ok(()), |username| account::refuse_taken(world, username, user))
}

/// How many of an id's last digits tell removed users apart.
const REMOVED_DIGITS: usize = 8;

/// A username that stands for a removed user: nobody has it, and nobody can take it afterwards.
fn name_of_removed(world: &World, user: UserId, ids: &mut dyn IdSupply) -> Result<String, Refusal> {
    let name = |id: Uuid| {
        let digits = id.simple().to_string();
        format!("removed-{}", digits.get(digits.len() - REMOVED_DIGITS..).unwrap_or(&digits))
    };
    let others = std::iter::repeat_with(|| ids.next_user().0).take(usize::from(u8::MAX));
    let mut names = std::iter::once(user.0).chain(others).map(name);
    names.find(|name| world.users_named(name).next().is_none()).ok_or_else(|| Reason::UsernameTaken.into())
}
