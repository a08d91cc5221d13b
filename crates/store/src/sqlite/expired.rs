//! What has expired stays expired when the clock is set back, across restarts too.
//!
//! A batch that is older than the one before it shows that the clock was set back. Whatever expired between the two
//! is noted then, in the transaction that appends the batch. If a World's clock is set back before there is such a
//! batch, [`crate::Log::note_expired`] notes it. While the clock goes forward, nothing is noted.

use super::entities::public_due;
use super::view::View;
use super::{entities, line, unwritten};
use crate::Proposal;
use crate::codec::EntityKey;
use crate::error::LogError;
use graph::batch::{Change, Subject};
use graph::model::Node;
use graph::world::Due;
use graph::{NodeId, Timestamp, UserId, World};
use rusqlite::{Connection, Result, params};

const NOTE: &str = "INSERT OR IGNORE INTO expired VALUES (?1, ?2, ?3)";

/// Notes what expired by the time of the last batch, if that is later than the time of the batch to append.
pub(super) fn note(conn: &Connection, view: &View, at: Timestamp) -> Result<(), LogError> {
    let last = line::last_at(conn)?;
    if last <= at {
        return Ok(());
    }
    // What the tail says of a grant or a publication takes the place of its row.
    let left = entities::left(conn, view.mark(), view.head(), |entry| {
        Ok(match &entry.subject {
            Subject::Grant(change) => Some(change.after.as_ref().and_then(|grant| grant.due)),
            Subject::Node(change) => Some(change.after.as_ref().and_then(|node| public_due(node))),
            _ => None,
        })
    })?;
    let mut passed: Vec<(Due, Timestamp)> = Vec::new();
    for (key, due) in &left.entities {
        let what = match key {
            EntityKey::Grant(node, user) => Due::Grant(*node, *user),
            EntityKey::Node(node) => Due::Publication(*node),
            _ => continue,
        };
        passed.extend(due.filter(|due| *due > at && *due <= last).map(|due| (what, due)));
    }
    let mut read = |sql: &str| -> Result<()> {
        let mut statement = conn.prepare_cached(sql)?;
        let mut found = statement.query([at.ms(), last.ms()])?;
        while let Some(row) = found.next()? {
            let (due, node) = (Timestamp::from_ms(row.get(0)?), NodeId(row.get(1)?));
            let user: Option<uuid::Uuid> = row.get(2)?;
            let (key, what) = match user.map(UserId) {
                Some(user) => (EntityKey::Grant(node, user), Due::Grant(node, user)),
                None => (EntityKey::Node(node), Due::Publication(node)),
            };
            if !left.entities.contains_key(&key) {
                passed.push((what, due));
            }
        }
        Ok(())
    };
    read("SELECT due, node, user FROM grants WHERE due > ?1 AND due <= ?2")
        .and_then(|()| read("SELECT due, id, NULL FROM nodes WHERE due > ?1 AND due <= ?2"))
        .and_then(|()| note_all(conn, &passed))
        .map_err(unwritten)
}

/// Notes what a World counts as expired, unless it has been noted before. A note about something that has been
/// deleted, or has another due time by now, is ignored on loading.
pub(super) fn note_all(conn: &Connection, expired: &[(Due, Timestamp)]) -> Result<()> {
    let mut note = conn.prepare_cached(NOTE)?;
    for (due, at) in expired {
        match due {
            Due::Grant(node, user) => note.execute(params![node.0, user.0, at.ms()])?,
            Due::Publication(node) => note.execute(params![node.0, Vec::new(), at.ms()])?,
        };
    }
    Ok(())
}

/// Forgets that a grant or publication had expired, if a proposal makes it anew or gives it another due time.
pub(super) fn forget(conn: &Connection, proposals: &[Proposal]) -> Result<()> {
    let any: bool =
        conn.prepare_cached("SELECT EXISTS (SELECT 1 FROM expired)")?.query_row([], |row| row.get(0))?;
    if !any {
        return Ok(());
    }
    let mut forget = conn.prepare_cached("DELETE FROM expired WHERE node = ?1 AND user = ?2")?;
    let public_due = |node: &Node| node.publication.as_deref().map(|publication| publication.due);
    for entry in proposals.iter().flat_map(|proposal| &proposal.batch.entries) {
        match &entry.subject {
            Subject::Grant(Change { before, after: Some(after) })
                if before.as_ref().is_none_or(|before| before.due != after.due) =>
            {
                forget.execute(params![after.node.0, after.user.0])?;
            }
            Subject::Node(Change { before: Some(before), after: Some(after) })
                if after.publication.is_some() && public_due(before) != public_due(after) =>
            {
                forget.execute(params![after.id.0, Vec::new()])?;
            }
            _ => {}
        }
    }
    Ok(())
}

/// Marks in a World that was just loaded what has been noted as expired.
pub(super) fn load(conn: &Connection, world: &mut World) -> Result<(), LogError> {
    let mut statement = conn.prepare("SELECT node, user, due FROM expired").map_err(unwritten)?;
    let rows = statement.query_map([], |row| {
        let (node, user, due): (_, Vec<u8>, _) = (NodeId(row.get(0)?), row.get(1)?, row.get(2)?);
        Ok((node, user, Timestamp::from_ms(due)))
    });
    for row in rows.map_err(unwritten)? {
        let (node, user, due) = row.map_err(unwritten)?;
        let what = match user.is_empty() {
            true => Due::Publication(node),
            false => {
                let user = uuid::Uuid::from_slice(&user);
                Due::Grant(node, UserId(user.map_err(|error| LogError::corrupt("expired", error))?))
            }
        };
        world.expire(what, due);
    }
    Ok(())
}
