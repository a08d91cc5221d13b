//! Loads a World as fast as the machine can: this thread reads rows, others decode them, and one builds the World.
//!
//! Chunks of rows are dealt to the decoders in turn and collected from them in turn, so the entities arrive in the
//! order in which they were read. What the tail of the line says of an entity takes the place of its row.

use super::view::View;
use super::{entities, expired, line, natural, unwritten};
use crate::LoadScope;
use crate::codec::{self, EntityKey, Stored};
use crate::error::LogError;
use graph::model::{Embed, Grant, Key, Link, Node, Rev, Token, User};
use graph::world::{Counts, Entity};
use graph::{Entry, NodeId, Subject, UserId, World};
use rusqlite::Connection;
use std::collections::HashSet;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

/// How many rows are handed to another thread at once: enough to make the handover cheap, and few enough to reuse
/// their memory.
const CHUNK_ROWS: usize = 256;

/// How many chunks may wait at each place. With `CHUNK_ROWS` it bounds the additional memory of loading.
const CHUNKS_WAITING: usize = 8;

/// The tables whose entities are encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Table {
    Users,
    Nodes,
    Links,
    Grants,
    Tokens,
    Keys,
}

/// Rows to be turned into entities.
enum Chunk {
    /// Bodies one after the other, with the end of each.
    Bodies { table: Table, bodies: Vec<u8>, ends: Vec<usize> },
    /// Entities that need no decoding.
    Ready(Vec<Entity>),
}

type Decoded = Result<Vec<Entity>, LogError>;

/// What the tail leaves.
#[derive(Default)]
struct Tail {
    /// The entities that it says something of: their rows do not count.
    overruled: HashSet<EntityKey>,
    /// Those of them that are there, in an order that does not depend on chance.
    entities: Vec<(EntityKey, Entity)>,
    gone: Vec<Entity>,
}

impl Tail {
    fn read(conn: &Connection, view: &View, scope: LoadScope) -> Result<Tail, LogError> {
        let left = entities::left(conn, view.mark(), view.head(), |entry| {
            let is_account = matches!(entry.subject, Subject::User(_) | Subject::Token(_) | Subject::Key(_));
            Ok((is_account || scope == LoadScope::Everything).then(|| after(entry)))
        })?;
        let overruled = left.entities.keys().copied().collect();
        let present = |(key, after): (EntityKey, Option<Entity>)| Some((key, after?));
        let mut entities: Vec<_> = left.entities.into_iter().filter_map(present).collect();
        entities.sort_unstable_by_key(|(key, _)| *key);
        let gone = left.gone.into_iter().map(|(rev, id)| Entity::Gone(id, rev.unsigned_abs())).collect();
        Ok(Tail { overruled, entities, gone })
    }

    /// The entities of one table.
    fn of(&self, table: Table) -> Vec<Entity> {
        let is_of = |key: &EntityKey| match key {
            EntityKey::User(_) => table == Table::Users,
            EntityKey::Node(_) => table == Table::Nodes,
            EntityKey::Link(_) => table == Table::Links,
            EntityKey::Grant(..) => table == Table::Grants,
            EntityKey::Token(_) => table == Table::Tokens,
            EntityKey::Key(_) => table == Table::Keys,
            EntityKey::Embed(..) => false,
        };
        self.entities.iter().filter(|(key, _)| is_of(key)).map(|(_, entity)| entity.clone()).collect()
    }

    fn overrules(&self, key: impl FnOnce() -> EntityKey) -> bool {
        !self.overruled.is_empty() && self.overruled.contains(&key())
    }
}

/// The entity after an entry; `None` if it was deleted.
fn after(entry: &Entry) -> Option<Entity> {
    match &entry.subject {
        Subject::Node(change) => change.after.clone().map(Entity::Node),
        Subject::Link(change) => change.after.clone().map(Entity::Link),
        Subject::Grant(change) => change.after.clone().map(Entity::Grant),
        Subject::Embed(change) => change.after.map(Entity::Embed),
        Subject::User(change) => change.after.clone().map(Entity::User),
        Subject::Token(change) => change.after.clone().map(Entity::Token),
        Subject::Key(change) => change.after.clone().map(Entity::Key),
    }
}

/// Loads the World from the file. The connection must be in the transaction of the view; otherwise the tables may
/// not match each other.
pub(super) fn load(conn: &Connection, view: &View, scope: LoadScope) -> Result<World, LogError> {
    let rev = natural(view.head())?;
    let last_at = line::last_at(conn)?;
    let expected = match scope {
        LoadScope::Everything => counts(conn).map_err(unwritten)?,
        LoadScope::Accounts => Counts::default(),
    };
    let tail = Tail::read(conn, view, scope)?;
    let decoders = thread::available_parallelism().map_or(1, |cores| cores.get()).clamp(1, 4);
    thread::scope(|threads| {
        let mut to_decoders = Vec::new();
        let mut from_decoders = Vec::new();
        for _ in 0..decoders {
            let (chunks, waiting) = sync_channel(CHUNKS_WAITING);
            let (decoded, ready) = sync_channel(CHUNKS_WAITING);
            let tail = &tail;
            threads.spawn(move || decode_all(&waiting, &decoded, tail));
            to_decoders.push(chunks);
            from_decoders.push(ready);
        }
        let builder = threads.spawn(move || build(&from_decoders, rev, expected));
        let read = RowReader { conn, tail: &tail, to_decoders, dealt: 0 }.read(scope);
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

fn decode_all(waiting: &Receiver<Chunk>, decoded: &SyncSender<Decoded>, tail: &Tail) {
    for chunk in waiting {
        let entities = decode(chunk, tail);
        // The builder may have stopped at an error; then the rest is not needed.
        if decoded.send(entities).is_err() {
            return;
        }
    }
}

fn decode(chunk: Chunk, tail: &Tail) -> Decoded {
    match chunk {
        Chunk::Ready(entities) => Ok(entities),
        Chunk::Bodies { table, bodies, ends } => {
            let starts = std::iter::once(0).chain(ends.iter().copied());
            let bodies = starts.zip(&ends).map(|(start, end)| bodies.get(start..*end).unwrap_or_default());
            bodies.filter_map(|body| entity(table, body, tail).transpose()).collect()
        }
    }
}

/// The entity in a row; `None` if the tail overrules it.
fn entity(table: Table, body: &[u8], tail: &Tail) -> Result<Option<Entity>, LogError> {
    fn read<T: Stored>(table: Table, body: &[u8]) -> Result<Arc<T>, LogError> {
        codec::decode_entity(body).map(Arc::new).map_err(|error| {
            let start: String = body.iter().take(40).map(|byte| format!("{byte:02x}")).collect();
            LogError::corrupt(format!("{table:?} with {start}…"), error)
        })
    }
    let (entity, is_overruled) = match table {
        Table::Users => {
            let user = read::<User>(table, body)?;
            let is_overruled = tail.overrules(|| EntityKey::User(user.id));
            (Entity::User(user), is_overruled)
        }
        Table::Nodes => {
            let node = read::<Node>(table, body)?;
            let is_overruled = tail.overrules(|| EntityKey::Node(node.id));
            (Entity::Node(node), is_overruled)
        }
        Table::Links => {
            let link = read::<Link>(table, body)?;
            let is_overruled = tail.overrules(|| EntityKey::Link(link.id));
            (Entity::Link(link), is_overruled)
        }
        Table::Grants => {
            let grant = read::<Grant>(table, body)?;
            let is_overruled = tail.overrules(|| EntityKey::Grant(grant.node, grant.user));
            (Entity::Grant(grant), is_overruled)
        }
        Table::Tokens => {
            let token = read::<Token>(table, body)?;
            let is_overruled = tail.overrules(|| EntityKey::Token(token.id));
            (Entity::Token(token), is_overruled)
        }
        Table::Keys => {
            let key = read::<Key>(table, body)?;
            let is_overruled = tail.overrules(|| EntityKey::Key(key.id));
            (Entity::Key(key), is_overruled)
        }
    };
    Ok((!is_overruled).then_some(entity))
}

struct RowReader<'a> {
    conn: &'a Connection,
    tail: &'a Tail,
    to_decoders: Vec<SyncSender<Chunk>>,
    dealt: usize,
}

impl RowReader<'_> {
    /// Reads the tables in the order that [`World::load`] needs them.
    fn read(mut self, scope: LoadScope) -> Result<(), LogError> {
        use Table::{Grants, Keys, Links, Nodes, Tokens, Users};
        let tables: &[Table] = match scope {
            LoadScope::Everything => &[Users, Nodes, Links, Grants, Tokens, Keys],
            LoadScope::Accounts => &[Users, Tokens, Keys],
        };
        for table in tables {
            if self.read_bodies(*table).map_err(unwritten)?.is_break()
                || self.deal(Chunk::Ready(self.tail.of(*table))).is_break()
            {
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
            Table::Keys => "SELECT body FROM keys",
        };
        let mut statement = self.conn.prepare(sql)?;
        let mut rows = statement.query([])?;
        let (mut bodies, mut ends) = (Vec::new(), Vec::with_capacity(CHUNK_ROWS));
        while let Some(row) = rows.next()? {
            bodies.extend_from_slice(row.get_ref(0)?.as_blob()?);
            ends.push(bodies.len());
            if ends.len() == CHUNK_ROWS {
                // The next chunk will be about as large.
                let next = (Vec::with_capacity(bodies.len()), Vec::with_capacity(CHUNK_ROWS));
                let full = Chunk::Bodies { table, bodies, ends };
                (bodies, ends) = next;
                if self.deal(full).is_break() {
                    return Ok(ControlFlow::Break(()));
                }
            }
        }
        Ok(self.deal(Chunk::Bodies { table, bodies, ends }))
    }

    /// Embeds and the ids that were deleted for good have no body to decode.
    fn read_ready(&mut self) -> rusqlite::Result<()> {
        let tail = self.tail;
        let mut statement = self.conn.prepare("SELECT user, node FROM embeds")?;
        let embeds = statement.query_map([], |row| Ok((UserId(row.get(0)?), NodeId(row.get(1)?))))?;
        let mut ready = embeds
            .filter(|row| {
                !row.as_ref().is_ok_and(|(user, node)| tail.overrules(|| EntityKey::Embed(*user, *node)))
            })
            .map(|row| row.map(|(user, node)| Entity::Embed(Embed { user, node })))
            .collect::<Result<Vec<_>, _>>()?;
        let is_embed = |(key, _): &&(EntityKey, Entity)| matches!(key, EntityKey::Embed(..));
        ready.extend(tail.entities.iter().filter(is_embed).map(|(_, entity)| entity.clone()));
        // An id may have been deleted more than once; the last time counts.
        let mut statement = self.conn.prepare("SELECT id, rev FROM gone ORDER BY rev")?;
        let gone = statement
            .query_map([], |row| Ok(Entity::Gone(row.get(0)?, row.get::<_, i64>(1)?.unsigned_abs())))?;
        ready.extend(gone.collect::<Result<Vec<_>, _>>()?);
        ready.extend(tail.gone.iter().cloned());
        let _ = self.deal(Chunk::Ready(ready));
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
