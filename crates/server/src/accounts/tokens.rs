//! The caller's API tokens.

use super::{Accounts, Answer, Asker};
use crate::auth::Secret;
use crate::engine::{Actor, KnownToken, RandomIds, clock};
use crate::operations::{AskedScope, TokenAsked, TokenChange, TokensNamed};
use crate::wire::{PayloadFault, PayloadRefusal, Problem, token_json};
use graph::ops::{TokenCreate, TokenSet};
use graph::{Operation, Reason, TokenId};
use serde::Serialize;
use uuid::Uuid;

/// One token, with its secret if it is new.
#[derive(Serialize)]
struct One<T: Serialize> {
    token: T,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<String>,
}

impl Accounts {
    pub(super) fn tokens(&self, asker: Asker<'_>) -> Result<Answer, Problem> {
        #[derive(Serialize)]
        struct Tokens<T: Serialize> {
            tokens: Vec<T>,
        }
        let known = self.api_tokens(asker)?;
        let tokens = known.iter().map(|known| token_json(&known.token, known.last_used)).collect();
        Ok(Answer::of(&Tokens { tokens }, asker.trace_id))
    }

    pub(super) async fn token_create(&self, asker: Asker<'_>, asked: TokenAsked) -> Result<Answer, Problem> {
        let TokenAsked { name, expires, scope } = asked;
        let secret = Secret::random().map_err(|_| Problem::exception())?;
        let (id, hash) = (TokenId(Uuid::new_v4()), secret.hash());
        let (user, name) = (asker.caller()?.account, name.unwrap_or_default());
        let scope = scope.unwrap_or(AskedScope::All).with_guest(&mut RandomIds);
        let create = TokenCreate { id, user, name, hash, expires, scope };
        self.administer(asker, Operation::TokenCreate(create)).await?;
        self.one(asker, id, Some(&secret))
    }

    pub(super) async fn token_update(
        &self,
        asker: Asker<'_>,
        change: TokenChange,
    ) -> Result<Answer, Problem> {
        let TokenChange { id, name, expires } = change;
        self.api_token(asker, id)?;
        self.administer(asker, Operation::TokenSet(TokenSet { id, name, expires })).await?;
        self.one(asker, id, None)
    }

    pub(super) async fn token_revoke(&self, asker: Asker<'_>, named: TokensNamed) -> Result<Answer, Problem> {
        #[derive(Serialize)]
        struct Revoked {
            revoked: Vec<TokenId>,
        }
        let ids = match named {
            TokensNamed { id: Some(id), all: false } => vec![self.api_token(asker, id)?.token.id],
            TokensNamed { id: None, all: true } => {
                self.api_tokens(asker)?.iter().map(|known| known.token.id).collect()
            }
            TokensNamed { id: None, all: false } => return Err(refusal(PayloadFault::MissingId)),
            TokensNamed { id: Some(_), all: true } => return Err(refusal(PayloadFault::InvalidAll)),
        };
        if !ids.is_empty() {
            self.administer(asker, Operation::TokenRevoke { ids: ids.clone() }).await?;
        }
        Ok(Answer::of(&Revoked { revoked: ids }, asker.trace_id))
    }

    pub(super) async fn token_rotate(&self, asker: Asker<'_>, id: TokenId) -> Result<Answer, Problem> {
        self.api_token(asker, id)?;
        let secret = Secret::random().map_err(|_| Problem::exception())?;
        self.administer(asker, Operation::TokenRotate { id, hash: secret.hash() }).await?;
        self.one(asker, id, Some(&secret))
    }

    async fn administer(&self, asker: Asker<'_>, operation: Operation) -> Result<(), Problem> {
        let actor = Actor::Caller(asker.caller()?);
        self.app.engine.administer(actor, operation).await.map(drop).map_err(Problem::from)
    }

    fn one(&self, asker: Asker<'_>, id: TokenId, secret: Option<&Secret>) -> Result<Answer, Problem> {
        let known = self.api_token(asker, id)?;
        let secret = secret.map(|secret| secret.reveal().to_owned());
        let one = One { token: token_json(&known.token, known.last_used), secret };
        Ok(Answer::of(&one, asker.trace_id))
    }

    /// The caller's API tokens that have not expired, the oldest first.
    fn api_tokens(&self, asker: Asker<'_>) -> Result<Vec<KnownToken>, Problem> {
        let now = clock::now();
        let mut tokens = self.app.engine.tokens_of(asker.caller()?.account);
        tokens.retain(|known| !known.token.is_session() && !known.token.is_over(now));
        Ok(tokens)
    }

    fn api_token(&self, asker: Asker<'_>, id: TokenId) -> Result<KnownToken, Problem> {
        let found = self.api_tokens(asker)?.into_iter().find(|known| known.token.id == id);
        found.ok_or_else(|| Reason::TokenNotFound.into())
    }
}

fn refusal(fault: PayloadFault) -> Problem {
    Problem::from(PayloadRefusal::from(fault))
}
