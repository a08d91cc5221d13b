//! Publications, embeds and grants (SPEC.md, S).

use super::{Turn, refuse_if};
use graph::IdSupply;
use graph::model::{Grant, Level, Plan, Publication};
use graph::{NodeId, Reason, Root, Timestamp, UserId};

/// How many showing grants a basic user may have.
const BASIC_SHOWING_MAX: usize = 3;

impl Turn {
    // Rules: S23.
    pub fn is_pro(&self) -> bool {
        self.m.users[&self.m.person(self.caller)].plan == Plan::Pro
    }

    // Rules: S2, S18.
    fn due_in_future(&self, due: Option<Timestamp>) -> Result<(), Reason> {
        refuse_if(due.is_some_and(|due| due <= self.m.now), Reason::InvalidDue)
    }

    // Rules: S1, S2, S8.
    pub fn publish(&mut self, id: NodeId, branch: bool, due: Option<Timestamp>) -> Result<(), Reason> {
        self.due_in_future(due)?;
        self.seen_with(id, Level::Admin)?;
        refuse_if(!self.is_pro(), Reason::PlanLimit)?;
        refuse_if(!self.m.is_active(id), Reason::NodeInTrash)?;
        refuse_if(self.m.nodes[&id].publication.is_some(), Reason::AlreadyPublic)?;
        let publication = Publication { token: self.ids.next_public_token(), branch, due };
        self.node_entry(id, |node| node.publication = Some(Box::new(publication)));
        Ok(())
    }

    // Rules: S3, S5, S8.
    pub fn publish_update(
        &mut self,
        id: NodeId,
        branch: Option<bool>,
        due: Option<Option<Timestamp>>,
    ) -> Result<(), Reason> {
        refuse_if(branch.is_none() && due.is_none(), Reason::NoFieldsToUpdate)?;
        self.due_in_future(due.flatten())?;
        self.seen_with(id, Level::Admin)?;
        refuse_if(!self.is_pro(), Reason::PlanLimit)?;
        refuse_if(!self.m.is_active(id), Reason::NodeInTrash)?;
        let old = self.m.nodes[&id].publication.clone().ok_or(Reason::NotPublic)?;
        let new = Box::new(Publication {
            token: old.token.clone(),
            branch: branch.unwrap_or(old.branch),
            due: due.unwrap_or(old.due),
        });
        if new != old {
            self.node_entry(id, |node| node.publication = Some(new));
        }
        Ok(())
    }

    // Rules: S4, S5, S8.
    pub fn unpublish(&mut self, id: NodeId) -> Result<(), Reason> {
        self.seen_with(id, Level::Admin)?;
        refuse_if(self.m.nodes[&id].publication.is_none(), Reason::NotPublic)?;
        self.node_entry(id, |node| node.publication = None);
        self.m.embeds.retain(|(_, node)| *node != id);
        Ok(())
    }

    fn root(&self, root: &Root) -> Result<NodeId, Reason> {
        let found = match root {
            Root::Node(id) => self.m.nodes.get(id),
            Root::Token(token) => self.m.nodes.values().find(|node| {
                node.publication.as_ref().is_some_and(|publication| publication.token == *token)
            }),
        };
        found.map(|node| node.id).ok_or(Reason::BranchNotFound)
    }

    // Rules: S9, S11, S12.
    pub fn embed(&mut self, root: &Root) -> Result<(), Reason> {
        self.refuse_guest()?;
        let id = self.root(root)?;
        if self.m.publication_in_force(id).is_none() {
            refuse_if(self.m.placement(self.caller, id).is_none(), Reason::BranchNotFound)?;
            refuse_if(!self.m.is_active(id), Reason::NodeInTrash)?;
            refuse_if(self.m.nodes[&id].publication.is_none(), Reason::NotPublic)?;
            return Err(Reason::PublicExpired);
        }
        refuse_if(self.m.embeds.contains(&(self.caller, id)), Reason::AlreadyEmbedded)?;
        refuse_if(self.m.has_access_without_embed(self.caller, id), Reason::HasAccess)?;
        self.set_embed(self.caller, id, true);
        Ok(())
    }

    // Rules: S10, S12.
    pub fn unembed(&mut self, root: &Root) -> Result<(), Reason> {
        self.refuse_guest()?;
        let id = self.root(root)?;
        if self.m.embeds.contains(&(self.caller, id)) {
            self.set_embed(self.caller, id, false);
            return Ok(());
        }
        let seen = self.m.placement(self.caller, id).is_some();
        refuse_if(!seen && self.m.publication_in_force(id).is_none(), Reason::BranchNotFound)?;
        Err(Reason::NotEmbedded)
    }

    fn showing_grants(&self, user: UserId) -> usize {
        self.m.grants.values().filter(|grant| grant.user == user && grant.showing).count()
    }

    // Rules: S24.
    pub fn may_show_one_more(&self, user: UserId) -> bool {
        self.m.users[&user].plan != Plan::Basic || self.showing_grants(user) < BASIC_SHOWING_MAX
    }

    // Rules: O3, S13, S16, S17.
    pub fn access_add(
        &mut self,
        id: NodeId,
        email: &str,
        level: Level,
        branch: bool,
        due: Option<Timestamp>,
    ) -> Result<(), Reason> {
        self.due_in_future(due)?;
        self.seen_with(id, Level::Admin)?;
        refuse_if(!self.is_pro(), Reason::PlanLimit)?;
        let user = self.m.user_by_email(email).ok_or(Reason::UserNotFound)?;
        refuse_if(!self.m.is_active(id), Reason::NodeInTrash)?;
        refuse_if(user == self.caller, Reason::CannotShareWithSelf)?;
        let there = self.m.grants.contains_key(&(id, user)) || self.m.nodes[&id].owner == user;
        refuse_if(there, Reason::AlreadyGranted)?;
        let showing = self.may_show_one_more(user);
        let granted_by = self.m.person(self.caller);
        let grant = Grant { node: id, user, level, branch, due, showing, granted_by, version: 1 };
        self.set_grant(id, user, Some(grant));
        Ok(())
    }

    // Rules: O3, S14, S17, S19.
    pub fn access_update(
        &mut self,
        id: NodeId,
        email: &str,
        level: Option<Level>,
        branch: Option<bool>,
        due: Option<Option<Timestamp>>,
    ) -> Result<(), Reason> {
        refuse_if(level.is_none() && branch.is_none() && due.is_none(), Reason::NoFieldsToUpdate)?;
        self.due_in_future(due.flatten())?;
        self.seen_with(id, Level::Admin)?;
        let user = self.m.user_by_email(email);
        let own = user == Some(self.caller) && self.m.grants.contains_key(&(id, self.caller));
        refuse_if(own, Reason::NoPermission)?;
        refuse_if(!self.is_pro(), Reason::PlanLimit)?;
        let user = user.ok_or(Reason::UserNotFound)?;
        refuse_if(!self.m.is_active(id), Reason::NodeInTrash)?;
        let old = self.m.grants.get(&(id, user)).ok_or(Reason::NotShared)?.clone();
        let mut new = old.clone();
        new.level = level.unwrap_or(old.level);
        new.branch = branch.unwrap_or(old.branch);
        new.due = due.unwrap_or(old.due);
        if new != old {
            new.version += 1;
            self.set_grant(id, user, Some(new));
        }
        Ok(())
    }

    // Rules: S15, S17, S19.
    pub fn access_delete(&mut self, id: NodeId, email: &str) -> Result<(), Reason> {
        let user = self.m.user_by_email(email);
        let own = user == Some(self.caller) && self.m.grants.contains_key(&(id, self.caller));
        if !own {
            self.seen_with(id, Level::Admin)?;
        }
        let user = user.ok_or(Reason::UserNotFound)?;
        refuse_if(!self.m.grants.contains_key(&(id, user)), Reason::NotShared)?;
        self.set_grant(id, user, None);
        Ok(())
    }

    // Rules: S20.
    pub fn access_visibility(&mut self, id: NodeId, showing: bool) -> Result<(), Reason> {
        self.refuse_guest()?;
        let Some(grant) = self.m.grants.get(&(id, self.caller)) else {
            self.seen(id)?;
            return Err(Reason::NotShared);
        };
        if grant.showing == showing {
            return Ok(());
        }
        refuse_if(showing && !self.may_show_one_more(self.caller), Reason::PlanLimit)?;
        let version = grant.version + 1;
        let grant = Grant { showing, version, ..grant.clone() };
        self.set_grant(id, self.caller, Some(grant));
        Ok(())
    }
}
