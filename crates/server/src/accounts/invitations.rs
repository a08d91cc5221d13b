//! Invitations: links with which somebody makes an account.

use super::keys::{INVITE_MS, new_key};
use super::mail::Letter;
use super::settings::InviteBy;
use super::{Accounts, Answer, Asker, Page};
use crate::engine::Actor;
use crate::wire::Problem;
use graph::model::{Key, KeyPurpose};
use graph::ops::AccountOperation;
use graph::{KeyId, Reason, UserId};
use serde::Serialize;

/// An invitation, as it is answered.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Invitation {
    id: KeyId,
    /// The only email that it is for.
    email: Option<String>,
    /// Who invites: a username; `None` for the command line.
    by: Option<String>,
    created_time: String,
    expires: String,
    /// The link, sent this once.
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
}

impl Accounts {
    pub(super) async fn invite(&self, asker: Asker<'_>, email: Option<String>) -> Result<Answer, Problem> {
        #[derive(Serialize)]
        struct Invited {
            invite: Invitation,
        }
        let user = self.account_of(asker)?;
        if self.settings.invite_by == InviteBy::Admins && !user.admin {
            return Err(Reason::NoPermission.into());
        }
        let purpose = KeyPurpose::Invite { email: email.clone(), by: Some(user.id) };
        let (key, secret) = new_key(purpose, INVITE_MS).map_err(|_| Problem::exception())?;
        let url = self.server_of(asker)?.link(Page::Invite, secret.reveal());
        let invitation = self.invitation(&key, Some(url));
        self.ask(Actor::Caller(asker.caller()?), AccountOperation::KeyIssue(key)).await?;
        if let (Some(mailer), Some(email)) = (&self.mailer, email) {
            let (by, key) = (user.username.clone(), secret.reveal().to_owned());
            mailer.send(&email, &Letter::Invite { by, key });
        }
        Ok(Answer::of(&Invited { invite: invitation }, asker.trace_id))
    }

    pub(super) fn invites(&self, asker: Asker<'_>) -> Result<Answer, Problem> {
        #[derive(Serialize)]
        struct Invites {
            invites: Vec<Invitation>,
        }
        self.admin(asker)?;
        let keys = self.app.engine.invitations();
        let invites = keys.iter().map(|key| self.invitation(key, None)).collect();
        Ok(Answer::of(&Invites { invites }, asker.trace_id))
    }

    pub(super) async fn invite_revoke(&self, asker: Asker<'_>, id: KeyId) -> Result<Answer, Problem> {
        self.admin(asker)?;
        if !self.app.engine.invitations().iter().any(|key| key.id == id) {
            return Err(Reason::KeyNotFound.into());
        }
        // An administrator's own authority does not reach others' invitations.
        self.ask(Actor::Server, AccountOperation::KeyRevoke(id)).await?;
        Ok(Answer::empty(asker.trace_id))
    }

    fn invitation(&self, key: &Key, url: Option<String>) -> Invitation {
        let (email, by) = match &key.purpose {
            KeyPurpose::Invite { email, by } => (email.clone(), *by),
            _ => (None, None),
        };
        let name = |id: UserId| self.app.engine.user(id).map(|user| user.username.clone());
        Invitation {
            id: key.id,
            email,
            by: by.and_then(name),
            created_time: key.created.whole_seconds().rfc3339(),
            expires: key.expires.whole_seconds().rfc3339(),
            url,
        }
    }
}
