//! From a payload to the engine and back, the same for both transports: reading it by its row, counting it, asking.

use crate::app::App;
use crate::engine::{Caller, ConnectionId, Mutation, Outcome, Read, Relay};
use crate::limits::{Rule, What, Who};
use crate::loads::Loads;
use crate::operations::{self, Asked, Row};
use crate::payload::{Json, Malformed};
use crate::wire::Problem;
use std::sync::Arc;

/// One request of a caller who is known.
pub struct Asking<'a> {
    pub caller: Caller,
    pub row: &'static Row,
    pub payload: Result<Json, Malformed>,
    /// The connection it came on, if it was one.
    pub connection: Option<ConnectionId>,
    /// Whether the connection is answered directly, and so left out of the broadcast.
    pub answered: bool,
    pub limit: (What, Rule),
    /// What is to be passed on besides, when a mutation is done.
    pub passed_on: Option<Relay>,
    /// The connection's loads, whose later pages do not count.
    pub loads: Option<&'a Loads>,
}

/// What comes of it.
#[derive(Clone, Debug)]
pub enum Said {
    Outcome(Outcome),
    Pong,
    Problem(Problem),
}

/// Who said it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// The engine, in its order.
    Engine,
    /// Nobody had to be asked.
    Here,
}

impl From<Problem> for Said {
    fn from(problem: Problem) -> Self {
        Said::Problem(problem)
    }
}

/// The limit of a row over sockets.
pub fn row_limit(row: &'static Row) -> (What, Rule) {
    let count = usize::try_from(row.limit.count).unwrap_or(usize::MAX);
    (row.limit.name.into(), Rule::per_s(count, row.limit.window_s))
}

/// Asks, and passes on what comes of it, exactly once. What the engine is asked, it is asked before this returns, so
/// that requests that follow each other here do so there.
pub fn ask(app: &Arc<App>, asking: Asking<'_>, said: impl FnOnce(Said, By) + Send + 'static) {
    let Asking { caller, row, payload, connection, answered, limit, passed_on, loads } = asking;
    let asked =
        payload.map_err(Problem::from).and_then(|json| operations::decode(row, &json).map_err(Problem::from));
    let page = match &asked {
        Ok(Asked::Read(Read::Graph { limit, offset } | Read::Branch { limit, offset, .. })) => {
            loads.map(|loads| (loads, *offset, *limit))
        }
        _ => None,
    };
    let goes_on = page.is_some_and(|(loads, offset, limit)| loads.goes_on(row.event, offset, limit));
    let (who, (what, rule)) = (Who::User(caller.user), limit);
    let counted = if goes_on { Ok(None) } else { app.count(who, what, rule) };
    if let (Some((loads, 0, limit)), Ok(_)) = (page, &counted) {
        loads.begin(row.event, limit);
    }
    // Over the limit a request with a name may still be a replay, which only the engine knows.
    let limited = match (&asked, counted) {
        (_, Ok(_)) => None,
        (Ok(Asked::Mutation { request: Some(_), .. }), Err(over)) => Some(over.retry_after_s),
        (_, Err(over)) => return said(Problem::limited(over.retry_after_s).into(), By::Here),
    };
    match asked {
        Err(problem) => said(problem.into(), By::Here),
        Ok(Asked::Ping) => said(Said::Pong, By::Here),
        Ok(Asked::Read(read)) => {
            let answer = Box::new(|outcome| said(settled(outcome), By::Engine));
            app.engine.read(caller, read, connection, answer);
        }
        Ok(Asked::Mutation { operation, request }) => {
            let origin = connection.filter(|_| answered);
            let passed_on = passed_on.zip(connection);
            let mutation = Mutation { caller, operation, request, origin, limited, passed_on };
            let app_then = Arc::clone(app);
            let answer = Box::new(move |outcome| {
                if let (Outcome::Changed { replayed: true, .. }, Ok(Some(counted))) = (&outcome, counted) {
                    app_then.limiter.give_back(who, what, counted);
                }
                said(settled(outcome), By::Engine);
            });
            app.engine.mutate(mutation, answer);
        }
    }
}

/// A failure is a problem, whoever had it.
pub fn settled(outcome: Outcome) -> Said {
    match outcome {
        Outcome::Failed(failure) => Problem::from(failure).into(),
        outcome => Said::Outcome(outcome),
    }
}
