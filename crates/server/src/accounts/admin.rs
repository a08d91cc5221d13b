//! The accounts of others, for administrators. Whether somebody is one, the domain decides when it changes anything.

use super::{Accounts, Answer, Asker};
use crate::engine::{Actor, Caller};
use crate::wire::Problem;
use graph::model::{AccountState, Plan, User};
use graph::ops::UserSet;
use graph::{Operation, Reason, UserId};
use serde::Serialize;

/// An account, as an administrator sees it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Account {
    id: UserId,
    username: String,
    email: String,
    plan: &'static str,
    admin: bool,
    disabled: bool,
    /// When the account goes for good, if its owner has closed it.
    closing: Option<String>,
    has_password: bool,
    /// The names of the identity providers that know the user.
    identities: Vec<String>,
    created_time: String,
}

#[derive(Serialize)]
struct Changed {
    user: Option<Account>,
}

impl Account {
    fn of(user: &User) -> Self {
        Account {
            id: user.id,
            username: user.username.clone(),
            email: user.email.clone(),
            plan: user.plan.name(),
            admin: user.admin,
            disabled: user.state == AccountState::Disabled,
            closing: user.closing.map(|at| at.whole_seconds().rfc3339()),
            has_password: user.password.is_some(),
            identities: user.identities.iter().map(|identity| identity.provider.clone()).collect(),
            created_time: user.created.whole_seconds().rfc3339(),
        }
    }
}

impl Accounts {
    pub(super) fn users(&self, asker: Asker<'_>) -> Result<Answer, Problem> {
        #[derive(Serialize)]
        struct Users {
            users: Vec<Account>,
        }
        self.administrator(asker)?;
        let users = self.app.engine.users().iter().map(|user| Account::of(user)).collect();
        Ok(Answer::of(&Users { users }, asker.trace_id))
    }

    pub(super) async fn user_set(
        &self,
        asker: Asker<'_>,
        id: UserId,
        plan: Option<Plan>,
        admin: Option<bool>,
    ) -> Result<Answer, Problem> {
        let set = UserSet { plan, admin, ..UserSet::of(id) };
        self.user_change(asker, id, Operation::UserSet(set)).await
    }

    /// Changes an account, and answers as it is then.
    pub(super) async fn user_change(
        &self,
        asker: Asker<'_>,
        id: UserId,
        operation: Operation,
    ) -> Result<Answer, Problem> {
        self.administrate(asker, operation).await?;
        let user = self.app.engine.user(id).map(|user| Account::of(&user));
        Ok(Answer::of(&Changed { user }, asker.trace_id))
    }

    pub(super) async fn user_remove(&self, asker: Asker<'_>, id: UserId) -> Result<Answer, Problem> {
        #[derive(Serialize)]
        struct Removed {
            name: Option<String>,
        }
        self.administrate(asker, Operation::UserRemove { user: id }).await?;
        let name = self.app.engine.user(id).map(|user| user.username.clone());
        Ok(Answer::of(&Removed { name }, asker.trace_id))
    }

    async fn administrate(&self, asker: Asker<'_>, operation: Operation) -> Result<(), Problem> {
        let caller = self.administrator(asker)?;
        self.app.engine.administer(Actor::Caller(caller), operation).await.map_err(Problem::from)?;
        Ok(())
    }

    /// The caller, if they are an administrator with a session or a token that may do whatever they may.
    fn administrator(&self, asker: Asker<'_>) -> Result<Caller, Problem> {
        let caller = asker.caller()?;
        if caller.reads_only || caller.user != caller.account {
            return Err(Reason::NoPermission.into());
        }
        self.admin(asker)?;
        Ok(caller)
    }
}
