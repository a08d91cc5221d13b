//! Loads a World as fast as the machine can: this thread reads rows, others decode them, and one builds the World.
//!
//! Chunks of rows are dealt to the decoders in turn and collected from them in turn, so the entities arrive in the
//! order in which they were read.

use super::{expired, last_rev, unwritten};
use crate::LoadScope;
use crate::error::LogError;
use graph::model::{Embed, Rev};
use graph::world::{Counts, Entity};
use graph::{NodeId, UserId, World};
use rusqlite::Connection;
use serde::de::DeserializeOwned;
use std::ops::ControlFlow;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

/// How many rows are handed to another thread at once: enough to make the handover cheap, and few enough to reuse
/// their memory.
const CHUNK_ROWS: usize = 256;

/// How many chunks may wait at each place. With `CHUNK_ROWS` it bounds the additional memory of loading.
const CHUNKS_WAITING: usize = 8;

/// The tables whose entities are written as JSON.
#[derive(Clone, Copy, Debug)]
enum Table {
    Users,
    Nodes,
    Links,
    Grants,
    Tokens,
}

/// Rows to be turned into entities.
enum Chunk {
    /// Bodies one after the other, with the end of each.
    Bodies { table: Table, text: Vec<u8>, ends: Vec<usize> },
    /// Entities that need no decoding.
    Ready(Vec<Entity>),
}

type Decoded = Result<Vec<Entity>, LogError>;

/// Loads the World from the file. The connection must be in a transaction; otherwise the tables may not match each
/// other.
pub(super) fn load(conn: &Connection, scope: LoadScope) -> Result<World, LogError> {
    let rev = last_rev(conn)?;
    let last_at = expired::last_at(conn).map_err(unwritten)?;
    let expected = match scope {
        LoadScope::Everything => counts(conn).map_err(unwritten)?,
        LoadScope::Accounts => Counts::default(),
    };
    let decoders = thread::available_parallelism().map_or(1, |cores| cores.get()).clamp(1, 4);
    thread::scope(|threads| {
        let mut to_decoders = Vec::new();
        let mut from_decoders = Vec::new();
        for _ in 0..decoders {
            let (chunks, waiting) = sync_channel(CHUNKS_WAITING);
            let (decoded, ready) = sync_channel(CHUNKS_WAITING);
            threads.spawn(move || decode_all(&waiting, &decoded));
            to_decoders.push(chunks);
            from_decoders.push(ready);
        }
        let builder = threads.spawn(move || build(&from_decoders, rev, expected));
        let read = RowReader { conn, to_decoders, dealt: 0 }.read(scope);
        let built = builder
            .join()
            .unwrap_or_else(|_| Err(LogError::corrupt("the log's entities", "they do not form a World")));
        let mut world = read.and(built)?;
        // What had expired by then stays expired when the clock is set back.
        world.advance(last_at);
        if scope == LoadScope::Everything {
            expired::load(conn, &mut world)?;
        }
        Ok(world)
    })
}

fn counts(conn: &Connection) -> rusqlite::Result<Counts> {
    let count = |sql| conn.query_row(sql, [], |row| row.get::<_, i64>(0)).map(|n| n.unsigned_abs() as usize);
    Ok(Counts { nodes: count("SELECT count(*) FROM nodes")?, links: count("SELECT count(*) FROM links")? })
}

/// Builds the World from the decoders' output, taking from each in turn until the next in turn has no more.
fn build(from_decoders: &[Receiver<Decoded>], rev: Rev, expected: Counts) -> Result<World, LogError> {
    let mut failure = None;
    let chunks = from_decoders.iter().cycle().map_while(|decoder| match decoder.recv() {
        Ok(Ok(entities)) => Some(entities),
        Ok(Err(error)) => {
            failure = Some(error);
            None
        }
        Err(_) => None,
    });
    let world = World::load(chunks.flatten(), rev, expected);
    failure.map_or(Ok(world), Err)
}

fn decode_all(waiting: &Receiver<Chunk>, decoded: &SyncSender<Decoded>) {
    for chunk in waiting {
        let entities = decode(chunk);
        // The builder may have stopped at an error; then the rest is not needed.
        if decoded.send(entities).is_err() {
            return;
        }
    }
}

fn decode(chunk: Chunk) -> Decoded {
    match chunk {
        Chunk::Ready(entities) => Ok(entities),
        Chunk::Bodies { table, text, ends } => {
            // UTF-8 is validated once for the whole chunk rather than field by field.
            let sound =
                str::from_utf8(&text).map_err(|error| LogError::corrupt(format!("{table:?}"), error))?;
            let starts = std::iter::once(0).chain(ends.iter().copied());
            let bodies = starts.zip(&ends).map(|(start, end)| sound.get(start..*end).unwrap_or_default());
            bodies.map(|body| entity(table, body)).collect()
        }
    }
}

fn entity(table: Table, body: &str) -> Result<Entity, LogError> {
    fn read<T: DeserializeOwned>(body: &str) -> serde_json::Result<T> {
        serde_json::from_str(body)
    }
    let entity = match table {
        Table::Users => read(body).map(Entity::User),
        Table::Nodes => read(body).map(Entity::Node),
        Table::Links => read(body).map(Entity::Link),
        Table::Grants => read(body).map(Entity::Grant),
        Table::Tokens => read(body).map(Entity::Token),
    };
    entity.map_err(|error| {
        let start: String = body.chars().take(60).collect();
        LogError::corrupt(format!("{table:?} with {start}…"), error)
    })
}

struct RowReader<'a> {
    conn: &'a Connection,
    to_decoders: Vec<SyncSender<Chunk>>,
    dealt: usize,
}

impl RowReader<'_> {
    /// Reads the tables in the order that [`World::load`] needs them.
    fn read(mut self, scope: LoadScope) -> Result<(), LogError> {
        use Table::{Grants, Links, Nodes, Tokens, Users};
        let tables: &[Table] = match scope {
            LoadScope::Everything => &[Users, Nodes, Links, Grants, Tokens],
            LoadScope::Accounts => &[Users, Tokens],
        };
        for table in tables {
            if self.read_bodies(*table).map_err(unwritten)?.is_break() {
                return Ok(());
            }
        }
        if scope == LoadScope::Everything {
            self.read_ready().map_err(unwritten)?;
        }
        Ok(())
    }

    fn read_bodies(&mut self, table: Table) -> rusqlite::Result<ControlFlow<()>> {
        let sql = match table {
            Table::Users => "SELECT body FROM users",
            Table::Nodes => "SELECT body FROM nodes",
            Table::Links => "SELECT body FROM links",
            Table::Grants => "SELECT body FROM grants",
            Table::Tokens => "SELECT body FROM tokens",
        };
        let mut statement = self.conn.prepare(sql)?;
        let mut rows = statement.query([])?;
        let (mut text, mut ends) = (Vec::new(), Vec::with_capacity(CHUNK_ROWS));
        while let Some(row) = rows.next()? {
            text.extend_from_slice(row.get_ref(0)?.as_bytes()?);
            ends.push(text.len());
            if ends.len() == CHUNK_ROWS {
                // The next chunk will be about as large.
                let next = (Vec::with_capacity(text.len()), Vec::with_capacity(CHUNK_ROWS));
                let full = Chunk::Bodies { table, text, ends };
                (text, ends) = next;
                if self.deal(full).is_break() {
                    return Ok(ControlFlow::Break(()));
                }
            }
        }
        Ok(self.deal(Chunk::Bodies { table, text, ends }))
    }

    /// Embeds and the ids that were deleted for good have no body to decode.
    fn read_ready(&mut self) -> rusqlite::Result<()> {
        let mut statement = self.conn.prepare("SELECT user, node FROM embeds")?;
        let embeds = statement
            .query_map([], |row| {
                Ok(Entity::Embed(Embed { user: UserId(row.get(0)?), node: NodeId(row.get(1)?) }))
            })?
            .collect::<Result<_, _>>()?;
        let mut statement = self.conn.prepare("SELECT id, rev FROM gone")?;
        let gone = statement
            .query_map([], |row| Ok(Entity::Gone(row.get(0)?, row.get::<_, i64>(1)?.unsigned_abs())))?
            .collect::<Result<_, _>>()?;
        let _ = self.deal(Chunk::Ready(embeds));
        let _ = self.deal(Chunk::Ready(gone));
        Ok(())
    }

    /// Hands a chunk to the next decoder in turn. Breaks when that decoder has ended, as it does after an error.
    fn deal(&mut self, chunk: Chunk) -> ControlFlow<()> {
        let decoder = self.to_decoders.get(self.dealt % self.to_decoders.len().max(1));
        self.dealt += 1;
        match decoder.map(|decoder| decoder.send(chunk)) {
            Some(Ok(())) => ControlFlow::Continue(()),
            _ => ControlFlow::Break(()),
        }
    }
}
