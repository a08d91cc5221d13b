//! What the operator does with accounts (rules N34, N35, N36 and S26).

use super::undo::Deed;
use super::{Turn, refuse_if};
use graph::model::{AccountState, Level, Plan, Token, TokenScope, User};
use graph::ops::{TokenCreate, TokenSet, UserSet};
use graph::{Operation, Reason, TokenId, UserId};

impl Turn {
    pub fn perform_for_operator(&mut self, operation: &Operation) -> Result<(), Reason> {
        match operation {
            Operation::UserSet(asked) => self.user_set(asked),
            Operation::UserDisable { user } => self.user_state(*user, AccountState::Disabled),
            Operation::UserEnable { user } => self.user_state(*user, AccountState::Active),
            Operation::UserRemove { user } => self.user_remove(*user),
            Operation::TokenCreate(new) => self.token_create(new),
            Operation::TokenSet(asked) => self.token_update(asked),
            Operation::TokenRevoke { ids } => self.token_revoke(ids),
            _ => Err(Reason::NoPermission),
        }
    }

    fn there(&self, user: UserId) -> Result<User, Reason> {
        self.m.users.get(&user).filter(|user| !user.is_removed()).cloned().ok_or(Reason::UserNotFound)
    }

    fn user_state(&mut self, user: UserId, state: AccountState) -> Result<(), Reason> {
        if self.there(user)?.state != state {
            self.m.users.get_mut(&user).unwrap().state = state;
            self.note(Deed::Account { user });
        }
        Ok(())
    }

    fn user_set(&mut self, asked: &UserSet) -> Result<(), Reason> {
        let UserSet { user, email, username, plan, admin: _ } = asked;
        refuse_if(email.is_none() && username.is_none() && plan.is_none(), Reason::NoFieldsToUpdate)?;
        // Of the few that are tried, only these cannot be one.
        refuse_if(email.as_ref().is_some_and(|email| email.starts_with('<')), Reason::InvalidEmail)?;
        refuse_if(username.as_ref().is_some_and(|name| name.len() < 3), Reason::InvalidUsername)?;
        let before = self.there(*user)?;
        let others = || self.m.users.values().filter(|other| other.id != *user);
        let taken =
            email.as_ref().is_some_and(|email| self.m.user_by_email(email).is_some_and(|id| id != *user));
        refuse_if(taken, Reason::EmailTaken)?;
        let taken = username
            .as_ref()
            .is_some_and(|name| others().any(|other| other.username.eq_ignore_ascii_case(name)));
        refuse_if(taken, Reason::UsernameTaken)?;
        let after = User {
            email: email.clone().unwrap_or(before.email.clone()),
            username: username.clone().unwrap_or(before.username.clone()),
            plan: plan.unwrap_or(before.plan),
            ..before.clone()
        };
        if (&after.email, after.plan) == (&before.email, before.plan) {
            self.set_username(*user, &after.username);
        } else {
            self.m.users.insert(*user, after.clone());
            self.note(Deed::Account { user: *user });
        }
        if after.plan == Plan::Basic && before.plan != Plan::Basic {
            self.unmeant(|turn| turn.hide_beyond_three(*user));
        }
        Ok(())
    }

    /// Again and again the one that least deserves to stay, until three are left.
    // Rules: S26.
    fn hide_beyond_three(&mut self, user: UserId) {
        loop {
            let showing = self.m.grants.values().filter(|grant| grant.user == user && grant.showing);
            let mut showing: Vec<_> = showing.cloned().collect();
            if showing.len() <= 3 {
                return;
            }
            let in_force = |grant: &graph::model::Grant| {
                self.m.is_active(grant.node) && grant.due.is_none_or(|due| due > self.m.now)
            };
            showing.sort_by_key(|grant| {
                (in_force(grant), std::cmp::Reverse((grant.level, self.m.nodes[&grant.node].seq)))
            });
            let mut hidden = showing.remove(0);
            hidden.showing = false;
            hidden.version += 1;
            self.set_grant(hidden.node, user, Some(hidden));
        }
    }

    // Rules: N35.
    fn user_remove(&mut self, user: UserId) -> Result<(), Reason> {
        let before = self.there(user)?;
        let own: Vec<_> =
            self.m.nodes.values().filter(|node| node.owner == user).map(|node| node.id).collect();
        for id in own {
            self.remove_node(id);
        }
        let private = self.m.links.values().filter(|link| link.owner == user && link.private);
        let private: Vec<_> = private.map(|link| link.id).collect();
        self.unmeant(|turn| private.into_iter().for_each(|id| turn.remove_link(id)));
        self.m.grants.retain(|_, grant| grant.user != user && grant.granted_by != user);
        self.m.embeds.retain(|(embedder, _)| *embedder != user);
        let id = user.0.simple().to_string();
        let name = format!("removed-{}", &id[id.len() - 8..]);
        let (username, email, state) = (name.clone(), name, AccountState::Removed);
        self.m.users.insert(user, User { username, email, state, ..before });
        self.m.users.retain(|_, other| other.guest_of != Some(user));
        self.m.tokens.retain(|_, token| token.user != user);
        self.note(Deed::Removed);
        Ok(())
    }

    // Rules: Y1, Y9, Y11.
    fn token_create(&mut self, new: &TokenCreate) -> Result<(), Reason> {
        let TokenCreate { id, user, name, hash, expires, scope } = new.clone();
        refuse_if(expires.is_some_and(|expires| expires <= self.m.now), Reason::InvalidExpires)?;
        refuse_if(self.there(user)?.plan == Plan::Basic, Reason::ApiNotAllowed)?;
        if let TokenScope::Branch { node, level, guest } = scope {
            let access = self.m.placement(user, node).ok_or(Reason::NodeNotFound)?;
            refuse_if(access != Level::Owner, Reason::NoPermission)?;
            refuse_if(!self.m.is_active(node), Reason::NodeInTrash)?;
            let blank = User::new(guest, String::new(), String::new(), Plan::Pro, self.m.now);
            let guest = User { guest_of: Some(user), ..blank };
            let grant = graph::model::Grant {
                node,
                user: guest.id,
                level,
                branch: true,
                due: expires,
                showing: true,
                granted_by: user,
                version: 1,
            };
            self.m.grants.insert((node, guest.id), grant);
            self.m.guests.insert(guest.id, user);
            self.m.users.insert(guest.id, guest);
        }
        self.m.tokens.insert(id, Token { expires, scope, ..Token::api(id, user, name, hash, self.m.now) });
        self.note(Deed::Removed);
        Ok(())
    }

    // Rules: Y3, Y11.
    fn token_update(&mut self, asked: &TokenSet) -> Result<(), Reason> {
        refuse_if(asked.name.is_none() && asked.expires.is_none(), Reason::NoFieldsToUpdate)?;
        let past = asked.expires.flatten().is_some_and(|expires| expires <= self.m.now);
        refuse_if(past, Reason::InvalidExpires)?;
        let token = self.m.tokens.get_mut(&asked.id).ok_or(Reason::TokenNotFound)?;
        token.name = asked.name.clone().unwrap_or(token.name.clone());
        token.expires = asked.expires.unwrap_or(token.expires);
        let expires = token.expires;
        if let TokenScope::Branch { node, guest, .. } = token.scope
            && let Some(grant) = self.m.grants.get_mut(&(node, guest))
            && grant.due != expires
        {
            grant.due = expires;
            grant.version += 1;
        }
        self.note(Deed::Removed);
        Ok(())
    }

    /// With the guest goes what only the guest could see.
    // Rules: Y11, Y13.
    fn token_revoke(&mut self, ids: &[TokenId]) -> Result<(), Reason> {
        for id in ids {
            let token = self.m.tokens.remove(id).ok_or(Reason::TokenNotFound)?;
            let Some(guest) = token.scope.guest() else { continue };
            self.m.grants.retain(|(_, user), _| *user != guest);
            let private = self.m.links.values().filter(|link| link.owner == guest && link.private);
            let private: Vec<_> = private.map(|link| link.id).collect();
            self.unmeant(|turn| private.into_iter().for_each(|id| turn.remove_link(id)));
            self.m.users.remove(&guest);
        }
        self.note(Deed::Removed);
        Ok(())
    }
}
