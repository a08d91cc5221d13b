//! Checks that everything in the file follows from its batches.
//!
//! Each table is read once, in its own order. Meanwhile a few dozen bytes are remembered for each batch and each
//! entity: hashes of what they touch and contain.

use super::{remembered, unwritten};
use crate::Remembered;
use crate::codec::{self, EntityKey};
use crate::error::LogError;
use crate::history_page::Shows;
use crate::sqlite::index;
use graph::batch::Lineage;
use graph::model::{Link, Node};
use graph::{BatchId, Entry, LinkId, NodeId, TokenId, UserId};
use rusqlite::{Connection, OptionalExtension, Result as SqlResult, Row};
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use uuid::Uuid;

/// The greatest number of problems reported.
const SENTENCES_MAX: usize = 100;

/// The problems of a file. The connection must be in a transaction; otherwise the tables may not match each other.
pub(super) fn problems(conn: &Connection) -> Result<Vec<String>, LogError> {
    let mut check = Check { conn, held: Vec::new(), last_gap: 0, problems: Vec::new(), untold: 0 };
    match check.run() {
        Ok(()) => {}
        Err(error @ LogError::Corrupt { .. }) => check.say(error.to_string()),
        Err(other) => return Err(other),
    }
    if check.untold > 0 {
        check.problems.push(format!("… and {} more", check.untold));
    }
    Ok(check.problems)
}

struct Check<'a> {
    conn: &'a Connection,
    /// Every batch, in order.
    held: Vec<Held>,
    /// The last rev at which no batch is kept, or none that can be read. After it no batch is missing.
    last_gap: i64,
    problems: Vec<String>,
    /// The number of problems beyond `SENTENCES_MAX`.
    untold: usize,
}

/// What is remembered of a kept batch.
struct Held {
    rev: i64,
    id: Uuid,
    /// The sum of the ids that it touches; `None` when it cannot be read.
    touches: Option<u64>,
    /// The same sum, by the index.
    found: u64,
    is_named: bool,
}

/// What all batches together determine about the other tables.
#[derive(Default)]
struct Said {
    /// The number of batches and bytes of each user.
    kept: HashMap<Vec<u8>, (i64, i64)>,
    entities: HashMap<EntityKey, Last>,
    /// The batch that deleted a node or link.
    gone: HashMap<Uuid, i64>,
    turns: HashMap<i64, Lineage>,
}

/// What the last batch about an entity says of it.
struct Last {
    rev: i64,
    /// The hash of its row's text; `None` when it was deleted.
    row: Option<u64>,
}

fn hash(it: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    it.hash(&mut hasher);
    hasher.finish()
}

impl Check<'_> {
    fn say(&mut self, problem: String) {
        if self.problems.len() < SENTENCES_MAX {
            self.problems.push(problem);
        } else {
            self.untold += 1;
        }
    }

    fn run(&mut self) -> Result<(), LogError> {
        self.file()?;
        let said = self.batches()?;
        self.names()?;
        self.touches()?;
        self.kept(said.kept)?;
        self.chains(said.turns)?;
        self.gone(said.gone)?;
        self.entities(said.entities)
    }

    /// The file as a file: every page, and every SQLite index against its table.
    fn file(&mut self) -> Result<(), LogError> {
        self.each("PRAGMA integrity_check", |check, row| {
            let line: String = row.get(0).map_err(unwritten)?;
            if line != "ok" {
                check.say(format!("the file: {line}"));
            }
            Ok(())
        })
    }

    fn each(
        &mut self,
        sql: &str,
        mut with: impl FnMut(&mut Self, &Row<'_>) -> Result<(), LogError>,
    ) -> Result<(), LogError> {
        let conn = self.conn;
        let mut statement = conn.prepare(sql).map_err(unwritten)?;
        let mut found = statement.query([]).map_err(unwritten)?;
        while let Some(row) = found.next().map_err(unwritten)? {
            with(self, row)?;
        }
        Ok(())
    }

    fn at(&self, rev: i64) -> Option<&Held> {
        let nth = self.held.binary_search_by_key(&rev, |held| held.rev).ok()?;
        self.held.get(nth)
    }

    fn at_mut(&mut self, rev: i64) -> Option<&mut Held> {
        let nth = self.held.binary_search_by_key(&rev, |held| held.rev).ok()?;
        self.held.get_mut(nth)
    }

    fn batches(&mut self) -> Result<Said, LogError> {
        let mut said = Said::default();
        let sql = "SELECT rev, id, actor, at, fingerprint, body, bytes, shows FROM batches ORDER BY rev";
        self.each(sql, |check, row| check.batch(row, &mut said))?;
        Ok(said)
    }

    fn batch(&mut self, row: &Row<'_>, said: &mut Said) -> Result<(), LogError> {
        let rev: i64 = row.get("rev").map_err(unwritten)?;
        if rev != self.held.last().map_or(0, |held| held.rev) + 1 {
            self.last_gap = rev - 1;
        }
        let id = row.get("id").unwrap_or_default();
        self.held.push(Held { rev, id, touches: None, found: 0, is_named: false });
        let (actor, bytes): (Option<Vec<u8>>, i64) =
            row.get("actor").and_then(|actor| Ok((actor, row.get("bytes")?))).map_err(unwritten)?;
        let kept = said.kept.entry(actor.unwrap_or_default()).or_default();
        *kept = (kept.0 + 1, kept.1.saturating_add(bytes));
        match remembered(row) {
            Ok(batch) => self.readable(row, batch, bytes, said),
            Err(error @ LogError::Corrupt { .. }) => {
                // What it did is unknown, as if it had been pruned.
                self.last_gap = rev;
                self.say(error.to_string());
                Ok(())
            }
            Err(other) => Err(other),
        }
    }

    fn readable(
        &mut self,
        row: &Row<'_>,
        read: Remembered,
        bytes: i64,
        said: &mut Said,
    ) -> Result<(), LogError> {
        let (rev, entries) = (read.rev as i64, &read.batch.entries);
        let shows: i64 = row.get("shows").map_err(unwritten)?;
        let body = row.get_ref("body").and_then(|body| Ok(body.as_str()?)).map_err(unwritten)?;
        if bytes != body.len() as i64 {
            self.say(format!("batch {rev} has {} bytes and says {bytes}", body.len()));
        }
        if shows != Shows::of(entries).code() {
            self.say(format!("batch {rev} says that it shows {shows}, which is not so"));
        }
        let touches = index::ids(entries).into_iter().map(hash).fold(0, u64::wrapping_add);
        if let Some(held) = self.held.last_mut() {
            held.touches = Some(touches);
        }
        if read.batch.lineage != Lineage::Fresh {
            said.turns.insert(rev, read.batch.lineage);
        }
        let afters = codec::afters(body).map_err(|error| LogError::corrupt(format!("batch {rev}"), error))?;
        for (entry, after) in entries.iter().zip(afters) {
            said.note(rev, entry, after);
        }
        Ok(())
    }

    fn names(&mut self) -> Result<(), LogError> {
        self.each("SELECT id, rev FROM names", |check, row| {
            let (id, rev): (Uuid, i64) = pair(row)?;
            match check.at_mut(rev) {
                // It belongs to a pruned batch and has not been swept.
                None => {}
                Some(held) if held.id == id => held.is_named = true,
                Some(_) => check.say(format!("the name {id} stands for batch {rev}, which has another")),
            }
            Ok(())
        })?;
        let unnamed: Vec<i64> = self.held.iter().filter(|held| !held.is_named).map(|held| held.rev).collect();
        unnamed.into_iter().for_each(|rev| self.say(format!("batch {rev} is not found by its name")));
        Ok(())
    }

    fn touches(&mut self) -> Result<(), LogError> {
        self.each("SELECT id, rev FROM touches", |check, row| {
            let (id, rev): (Uuid, i64) = pair(row)?;
            if let Some(held) = check.at_mut(rev) {
                held.found = held.found.wrapping_add(hash(id));
            }
            Ok(())
        })?;
        let differs = |held: &&Held| held.touches.is_some_and(|touches| touches != held.found);
        let differing: Vec<i64> = self.held.iter().filter(differs).map(|held| held.rev).collect();
        for rev in differing {
            self.say(format!("batch {rev} is not found by exactly the ids that it touches"));
        }
        Ok(())
    }

    fn kept(&mut self, mut said: HashMap<Vec<u8>, (i64, i64)>) -> Result<(), LogError> {
        let name = |actor: &[u8]| match Uuid::from_slice(actor) {
            Ok(id) => format!("user {id}"),
            Err(_) => "the installation".to_owned(),
        };
        self.each("SELECT actor, batches, bytes FROM kept", |check, row| {
            let read = || Ok((row.get::<_, Vec<u8>>(0)?, (row.get(1)?, row.get(2)?)));
            let (actor, kept) = read().map_err(unwritten)?;
            let want = said.remove(&actor).unwrap_or_default();
            if kept != want {
                let (name, batches, bytes) = (name(&actor), kept.0, kept.1);
                let (are, of) = want;
                check.say(format!(
                    "of {name} {batches} batches of {bytes} bytes are counted, and {are} of {of} are held"
                ));
            }
            Ok(())
        })?;
        for actor in said.into_keys() {
            self.say(format!("the batches of {} are not counted", name(&actor)));
        }
        Ok(())
    }

    fn chains(&mut self, mut said: HashMap<i64, Lineage>) -> Result<(), LogError> {
        let mut held: HashMap<i64, i64> = HashMap::new();
        self.each("SELECT rev, root, undo, id FROM turns", |check, row| {
            let read = || Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?));
            let (rev, root, undo, id): (i64, i64, bool, Uuid) = read().map_err(unwritten)?;
            let of_chain = held.entry(root).or_insert_with(|| i64::from(check.at(root).is_some()));
            let Some(turn) = check.at(rev) else { return Ok(()) };
            *of_chain += 1;
            let is_root = |of: BatchId| check.at(root).is_none_or(|root| root.id == of.0);
            let is_so = match said.remove(&rev) {
                Some(Lineage::UndoOf(of)) => undo && is_root(of),
                Some(Lineage::RedoOf(of)) => !undo && is_root(of),
                // The lineage of an unreadable batch is unknown.
                Some(Lineage::Fresh) | None => turn.touches.is_none(),
            };
            if !is_so || turn.id != id {
                check.say(format!("batch {rev} has a place in a chain that it does not speak of"));
            }
            Ok(())
        })?;
        self.each("SELECT root, held FROM chains", |check, row| {
            let (root, counted): (i64, i64) = pair(row)?;
            let are = held.remove(&root).unwrap_or(0);
            if counted != are {
                check.say(format!(
                    "of the chain that batch {root} began {counted} are counted, and {are} are held"
                ));
            }
            Ok(())
        })?;
        for root in held.into_keys() {
            self.say(format!("of the chain that batch {root} began nothing is counted"));
        }
        // An undo of a batch that was not kept has no place in a chain.
        let mut find = self.conn.prepare("SELECT rev FROM names WHERE id = ?1").map_err(unwritten)?;
        for (rev, lineage) in said {
            let (Lineage::UndoOf(root) | Lineage::RedoOf(root)) = lineage else { continue };
            let root: Option<i64> =
                find.query_row([root.0], |row| row.get(0)).optional().map_err(unwritten)?;
            if root.is_some_and(|root| root < rev && self.at(root).is_some()) {
                self.say(format!("batch {rev} has no place in the chain that it speaks of"));
            }
        }
        Ok(())
    }

    fn gone(&mut self, mut said: HashMap<Uuid, i64>) -> Result<(), LogError> {
        self.each("SELECT id, rev FROM gone", |check, row| {
            let (id, rev): (Uuid, i64) = pair(row)?;
            match said.remove(&id) {
                Some(deleted) if rev == deleted => {}
                // A later batch, pruned since, deleted it again.
                Some(deleted) if rev > deleted && check.at(rev).is_none() => {}
                None if check.at(rev).is_none_or(|held| held.touches.is_none()) => {}
                _ => check.say(format!("{id} is not what batch {rev} deleted for good")),
            }
            Ok(())
        })?;
        for (id, rev) in said {
            self.say(format!("{id}, which batch {rev} deleted for good, is not remembered"));
        }
        Ok(())
    }

    /// Compares the rows of entities with the last batch about each. What a pruned batch said later is unknown, so
    /// a difference is reported only where no batch was pruned, or where the row names the batch.
    fn entities(&mut self, mut said: HashMap<EntityKey, Last>) -> Result<(), LogError> {
        type KeyOf = fn(&Row<'_>) -> SqlResult<EntityKey>;
        let tables: [(&str, KeyOf); 6] = [
            ("SELECT body, id FROM users", |row| Ok(EntityKey::User(UserId(row.get(1)?)))),
            ("SELECT body, id FROM nodes", |row| Ok(EntityKey::Node(NodeId(row.get(1)?)))),
            ("SELECT body, id FROM links", |row| Ok(EntityKey::Link(LinkId(row.get(1)?)))),
            ("SELECT body, id FROM tokens", |row| Ok(EntityKey::Token(TokenId(row.get(1)?)))),
            ("SELECT body, node, user FROM grants", |row| {
                Ok(EntityKey::Grant(NodeId(row.get(1)?), UserId(row.get(2)?)))
            }),
            ("SELECT NULL, user, node FROM embeds", |row| {
                Ok(EntityKey::Embed(UserId(row.get(1)?), NodeId(row.get(2)?)))
            }),
        ];
        for (sql, key) in tables {
            self.each(sql, |check, row| {
                let key = key(row).map_err(unwritten)?;
                let last = said.remove(&key);
                let body = row.get_ref(0).and_then(|body| Ok(body.as_str_or_null()?)).map_err(unwritten)?;
                check.entity(key, body, last)
            })?;
        }
        for (key, last) in said {
            if last.row.is_some() && self.must_stand(key, &last)? {
                self.say(format!("{} is missing, which batch {} left", name(key), last.rev));
            }
        }
        Ok(())
    }

    fn entity(&mut self, key: EntityKey, body: Option<&str>, last: Option<Last>) -> Result<(), LogError> {
        let Some(last) = last else {
            if self.last_gap == 0 {
                self.say(format!("{} is of no batch", name(key)));
            }
            return Ok(());
        };
        let rev = last.rev;
        match last.row {
            None if self.comes_back(key) && rev < self.last_gap => {}
            None => self.say(format!("{} is there, which batch {rev} deleted", name(key))),
            Some(want) if is_row(key, body, want) => {}
            Some(_) if rev > self.last_gap || self.is_of(key, body, rev)? => {
                self.say(format!("{} is not as batch {rev} left it", name(key)));
            }
            Some(_) => {}
        }
        Ok(())
    }

    /// A grant or an embed may be made again after it was removed. The id of any other entity is not reused.
    fn comes_back(&self, key: EntityKey) -> bool {
        matches!(key, EntityKey::Grant(..) | EntityKey::Embed(..))
    }

    /// Whether the batch that the row names as its last change is kept and is the one at `rev` or an earlier one.
    /// Then no later batch has changed the row. If the name leads to a later kept batch, which does not mention the
    /// row, that batch has reused the id of a pruned one.
    fn is_of(&self, key: EntityKey, body: Option<&str>, rev: i64) -> Result<bool, LogError> {
        let body = body.unwrap_or_default();
        let last = match key {
            EntityKey::Node(_) => serde_json::from_str::<Node>(body).ok().map(|node| node.last_batch),
            EntityKey::Link(_) => serde_json::from_str::<Link>(body).ok().map(|link| link.last_batch),
            EntityKey::Grant(..) | EntityKey::Embed(..) | EntityKey::User(_) | EntityKey::Token(_) => {
                return Ok(false);
            }
        };
        let Some(last) = last else { return Ok(true) };
        let named: Option<i64> = self
            .conn
            .prepare_cached("SELECT rev FROM names WHERE id = ?1")
            .and_then(|mut find| find.query_row([last.0], |row| row.get(0)).optional())
            .map_err(unwritten)?;
        Ok(named.is_some_and(|named| named <= rev && self.at(named).is_some()))
    }

    /// Whether an entity left by a batch must exist: not if a pruned batch may have deleted it.
    fn must_stand(&self, key: EntityKey, last: &Last) -> Result<bool, LogError> {
        let id = match key {
            EntityKey::User(_) => return Ok(true),
            EntityKey::Node(NodeId(id)) | EntityKey::Link(LinkId(id)) => id,
            EntityKey::Grant(..) | EntityKey::Embed(..) | EntityKey::Token(_) => {
                return Ok(last.rev > self.last_gap);
            }
        };
        let gone = self
            .conn
            .prepare_cached("SELECT 1 FROM gone WHERE id = ?1")
            .and_then(|mut find| find.exists([id]))
            .map_err(unwritten)?;
        Ok(last.rev > self.last_gap || !gone)
    }
}

impl Said {
    fn note(&mut self, rev: i64, entry: &Entry, after: Option<&str>) {
        let Some(key) = codec::key(entry) else { return };
        if let (EntityKey::Node(NodeId(id)) | EntityKey::Link(LinkId(id)), None) = (key, after) {
            self.gone.insert(id, rev);
        }
        // An embed is its key: its row has no text.
        let row = after.map(|after| if matches!(key, EntityKey::Embed(..)) { 0 } else { hash(after) });
        self.entities.insert(key, Last { rev, row });
    }
}

fn is_row(key: EntityKey, body: Option<&str>, want: u64) -> bool {
    matches!(key, EntityKey::Embed(..)) || body.is_some_and(|body| hash(body) == want)
}

fn pair<A: rusqlite::types::FromSql>(row: &Row<'_>) -> Result<(A, i64), LogError> {
    row.get(0).and_then(|first| Ok((first, row.get(1)?))).map_err(unwritten)
}

fn name(key: EntityKey) -> String {
    match key {
        EntityKey::Node(id) => format!("node {id}"),
        EntityKey::Link(id) => format!("link {id}"),
        EntityKey::Grant(node, user) => format!("the grant of node {node} to user {user}"),
        EntityKey::Embed(user, node) => format!("the embed of node {node} by user {user}"),
        EntityKey::User(id) => format!("user {id}"),
        EntityKey::Token(id) => format!("token {id}"),
    }
}
