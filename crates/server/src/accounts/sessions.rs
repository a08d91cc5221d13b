//! The caller's own sessions.

use super::{Accounts, Answer, Asker};
use crate::engine::{Actor, KnownToken};
use crate::wire::Problem;
use graph::TokenId;
use graph::ops::{AccountOperation, SessionsEnded};
use serde::Serialize;

/// A session, as it is answered.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Session {
    id: TokenId,
    /// How the browser calls itself.
    agent: Option<String>,
    created_time: String,
    last_used_time: String,
    /// Whether it is the caller's.
    current: bool,
}

impl Accounts {
    pub(super) fn sessions(&self, asker: Asker<'_>) -> Result<Answer, Problem> {
        #[derive(Serialize)]
        struct Sessions {
            sessions: Vec<Session>,
        }
        let caller = asker.caller()?;
        let known = self.app.engine.sessions_of(caller.account);
        let session = |KnownToken { token, last_used }: &KnownToken| Session {
            id: token.id,
            agent: token.agent.clone(),
            created_time: token.created.whole_seconds().rfc3339(),
            last_used_time: last_used.unwrap_or(token.created).whole_seconds().rfc3339(),
            current: token.id == caller.token,
        };
        Ok(Answer::of(&Sessions { sessions: known.iter().map(session).collect() }, asker.trace_id))
    }

    /// Ends one session, or all but the caller's.
    pub(super) async fn sessions_end(
        &self,
        asker: Asker<'_>,
        id: Option<TokenId>,
    ) -> Result<Answer, Problem> {
        let caller = asker.caller()?;
        let which = id.map_or(SessionsEnded::AllBut(caller.token), SessionsEnded::One);
        let end = AccountOperation::SessionEnd { user: caller.account, which };
        self.ask(Actor::Caller(caller), end).await?;
        Ok(Answer::empty(asker.trace_id))
    }
}
