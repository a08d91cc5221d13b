//! The path of a payload to the engine and back, for both transports: decode it by its row, count it, ask the engine.

use crate::app::App;
use crate::engine::{Caller, ConnectionId, Mutation, Outcome, Read, Relay};
use crate::limits::{LoadQuota, RequestLimit, Who};
use crate::operations::{self, Asked, Row};
use crate::wire::Problem;
use crate::wire::payload::{Json, Malformed};
use std::sync::Arc;

/// A request of an authenticated caller.
pub struct Request<'a> {
    pub caller: Caller,
    pub row: &'static Row,
    pub payload: Result<Json, Malformed>,
    /// The connection it came on, if it came over a socket.
    pub connection: Option<ConnectionId>,
    /// Whether the connection gets a direct answer and is therefore left out of the broadcast.
    pub answered: bool,
    pub limit: RequestLimit,
    /// The event to relay when the mutation succeeds.
    pub passed_on: Option<Relay>,
    /// The connection's load quota: later pages of a load do not count.
    pub load_quota: Option<&'a LoadQuota>,
}

/// The result of a request.
#[derive(Clone, Debug)]
pub enum Reply {
    Outcome(Outcome),
    Pong,
    Problem(Problem),
}

/// Where a reply comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AnsweredBy {
    /// From the engine, in its order.
    Engine,
    /// Given here, without the engine.
    Here,
}

impl From<Problem> for Reply {
    fn from(problem: Problem) -> Self {
        Reply::Problem(problem)
    }
}

/// Handles a request and calls `reply` with the result, exactly once. The engine gets its requests before this
/// returns, so requests keep their order.
pub fn dispatch(
    app: &Arc<App>,
    request: Request<'_>,
    reply: impl FnOnce(Reply, AnsweredBy) + Send + 'static,
) {
    let Request { caller, row, payload, connection, answered, limit, passed_on, load_quota } = request;
    if let Some(refusal) = refuse_reader(caller, row) {
        let counted = app.count(Who::User(caller.account), limit);
        let problem = counted.map_or_else(|over| Problem::limited(over.retry_after_s), |_| refusal);
        return reply(problem.into(), AnsweredBy::Here);
    }
    let asked =
        payload.map_err(Problem::from).and_then(|json| operations::decode(row, &json).map_err(Problem::from));
    let page = match &asked {
        Ok(Asked::Read(Read::Graph { page } | Read::Branch { page, .. })) => {
            load_quota.map(|load_quota| (load_quota, page.offset, page.limit))
        }
        _ => None,
    };
    let goes_on =
        page.is_some_and(|(load_quota, offset, limit)| load_quota.goes_on(row.event, offset, limit));
    let who = Who::User(caller.account);
    let counted = if goes_on { Ok(None) } else { app.count(who, limit) };
    if let (Some((load_quota, 0, limit)), Ok(_)) = (page, &counted) {
        load_quota.begin(row.event, limit);
    }
    // Over the limit a request with a batchId may still be a replay. Only the engine knows.
    let limited = match (&asked, counted) {
        (_, Ok(_)) => None,
        (Ok(Asked::Mutation { key: Some(_), .. }), Err(over)) => Some(over.retry_after_s),
        (_, Err(over)) => return reply(Problem::limited(over.retry_after_s).into(), AnsweredBy::Here),
    };
    match asked {
        Err(problem) => reply(problem.into(), AnsweredBy::Here),
        // The transports route it to the room `accounts`, or have no such event.
        Ok(Asked::Account(_)) => reply(Problem::Event.into(), AnsweredBy::Here),
        Ok(Asked::Ping) => reply(Reply::Pong, AnsweredBy::Here),
        Ok(Asked::Read(read)) => {
            let answer = Box::new(|outcome| reply(settled(outcome), AnsweredBy::Engine));
            app.engine.read(caller, read, connection, answer);
        }
        Ok(Asked::Mutation { operation, key }) => {
            let origin = connection.filter(|_| answered);
            let passed_on = passed_on.zip(connection);
            let mutation =
                Mutation { caller, operation, idempotency_key: key, connection, origin, limited, passed_on };
            let app_then = Arc::clone(app);
            let answer = Box::new(move |outcome| {
                if let (Outcome::Changed { replayed: true, .. }, Ok(Some(counted))) = (&outcome, counted) {
                    app_then.limiter.give_back(who, limit.what(), counted);
                }
                reply(settled(outcome), AnsweredBy::Engine);
            });
            app.engine.mutate(mutation, answer);
        }
    }
}

/// The refusal of what changes anything to a token that may only read, whatever the payload.
fn refuse_reader(caller: Caller, row: &Row) -> Option<Problem> {
    (caller.reads_only && row.is_change()).then(Problem::read_only)
}

/// Turns a failure into a problem, whatever its source.
pub fn settled(outcome: Outcome) -> Reply {
    match outcome {
        Outcome::Failed(failure) => Problem::from(failure).into(),
        outcome => Reply::Outcome(outcome),
    }
}
