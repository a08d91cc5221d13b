//! Counting of connects: a handshake reserves its place under the limits before there is a session.

use crate::app::{App, Open};
use crate::auth::{self, Credentials, Means, Origin};
use crate::limits::{CONNECT_ADDRESS, CONNECT_USER, Counted, OPEN_USER, Who};
use crate::net::forwarded::Client;
use crate::wire::Problem;
use graph::UserId;
use http::HeaderMap;
use std::sync::Arc;

/// What was counted of a connect before it is admitted.
#[derive(Debug)]
pub enum Reservation {
    /// The caller is unknown, so it counts for the address. `None` where that limit is off.
    Address(Option<Counted>),
    /// The handshake carries a valid token, so it counts for the user.
    User(UserId, Option<Open>),
}

/// Counts a connect: for the user if its handshake carries a valid token, otherwise for the address until a valid
/// token comes.
///
/// # Errors
/// The refusal of the handshake, over a limit.
pub async fn reserve(app: &Arc<App>, client: &Client, headers: &HeaderMap) -> Result<Reservation, Problem> {
    let credentials = auth::credentials(headers).filter(|found| may_be_used(app, client, headers, found));
    let identity = match credentials {
        Some(found) => app.authenticate(&found).await.ok(),
        None => None,
    };
    match identity {
        Some(identity) => {
            let user = identity.caller.account;
            Ok(Reservation::User(user, open_for(app, user)?))
        }
        None => reserve_unknown(app, client),
    }
}

pub(super) fn reserve_unknown(app: &App, client: &Client) -> Result<Reservation, Problem> {
    let counted = app.count_named(Who::address(client.address), CONNECT_ADDRESS);
    counted.map(Reservation::Address).map_err(|over| Problem::limited(over.retry_after_s))
}

/// Counts a connect for a user, and the socket that is about to be open.
pub(super) fn open_for(app: &Arc<App>, user: UserId) -> Result<Option<Open>, Problem> {
    let open = match app.settings.limits.rule(OPEN_USER) {
        Some(rule) => Some(app.open(user, rule.count).ok_or(Problem::TooManyConnections)?),
        None => None,
    };
    app.count_named(Who::User(user), CONNECT_USER).map_err(|over| Problem::limited(over.retry_after_s))?;
    Ok(open)
}

/// Whether the credentials count. A cookie from a foreign origin does not, because a browser adds it whatever page
/// opens the connection.
pub(super) fn may_be_used(
    app: &App,
    client: &Client,
    headers: &HeaderMap,
    credentials: &Credentials,
) -> bool {
    credentials.means == Means::Api || app.origin(client, headers) != Origin::Foreign
}
