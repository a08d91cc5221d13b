//! Checks that everything in the file follows from its batches: the tables from those up to the mark.
//!
//! Each table is read once, in its own order. Meanwhile a few dozen bytes are remembered for each batch and each
//! entity: hashes of what they touch and contain.

use super::entities::{EntityRow, deleted, left};
use super::find::{INSTALLATION, Way, ids};
use super::view::View;
use super::{line, unwritten};
use crate::Remembered;
use crate::codec::{self, EntityKey};
use crate::error::LogError;
use crate::history_page::Shows;
use graph::batch::Lineage;
use graph::model::{Link, Node};
use graph::{BatchId, Entry, KeyId, LinkId, NodeId, TokenId, UserId};
use rusqlite::{Connection, Result as SqlResult, Row};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};
use uuid::Uuid;

/// The greatest number of problems reported.
const SENTENCES_MAX: usize = 100;

/// The problems of a file. The connection must be in a transaction; otherwise the tables may not match each other.
pub(super) fn problems(conn: &Connection, view: &View) -> Result<Vec<String>, LogError> {
    let mut check = Check { conn, view, held: Vec::new(), last_gap: 0, problems: Vec::new(), untold: 0 };
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
    view: &'a View,
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
    /// The same sum, by the finds.
    found: u64,
    /// `None` when it cannot be read.
    actor: Option<Uuid>,
    shows: i64,
    is_named: bool,
    is_found_by_actor: bool,
}

/// What all batches together determine about the other tables.
#[derive(Default)]
struct Said {
    /// The number of batches and bytes of each user.
    kept: HashMap<Uuid, (i64, i64)>,
    entities: HashMap<EntityKey, Last>,
    /// The batches that deleted a node or link for good. Another may have deleted it again.
    gone: HashMap<Uuid, BTreeSet<i64>>,
    turns: HashMap<i64, (Lineage, Option<i64>)>,
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
        self.runs()?;
        self.finds()?;
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
        line::each(self.conn, 0, i64::MAX, |row, read| self.batch(row, read, &mut said))?;
        Ok(said)
    }

    fn batch(
        &mut self,
        row: &Row<'_>,
        read: Result<Remembered, LogError>,
        said: &mut Said,
    ) -> Result<(), LogError> {
        let column = |name| row.get::<_, i64>(name).map_err(unwritten);
        let (rev, shows, bytes) = (column("rev")?, column("shows")?, column("bytes")?);
        if rev != self.held.last().map_or(0, |held| held.rev) + 1 {
            self.last_gap = rev - 1;
        }
        let id = row.get("id").unwrap_or_default();
        let actor: Option<Option<Uuid>> = row.get("actor").ok();
        let actor = actor.map(|actor| actor.unwrap_or(INSTALLATION));
        self.held.push(Held {
            rev,
            id,
            touches: None,
            found: 0,
            actor,
            shows,
            is_named: false,
            is_found_by_actor: false,
        });
        if let Some(actor) = actor.filter(|_| rev <= self.view.mark()) {
            let kept = said.kept.entry(actor).or_default();
            *kept = (kept.0 + 1, kept.1.saturating_add(bytes));
        }
        match read {
            Ok(read) => self.readable(rev, shows, row.get("root").map_err(unwritten)?, read, said),
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
        rev: i64,
        shows: i64,
        root: Option<i64>,
        read: Remembered,
        said: &mut Said,
    ) -> Result<(), LogError> {
        let entries = &read.batch.entries;
        if shows != Shows::of(entries).code() {
            self.say(format!("batch {rev} says that it shows {shows}, which is not so"));
        }
        let touches = ids(entries).into_iter().map(hash).fold(0, u64::wrapping_add);
        if let Some(held) = self.held.last_mut() {
            held.touches = Some(touches);
        }
        if read.batch.lineage != Lineage::Fresh || root.is_some() {
            said.turns.insert(rev, (read.batch.lineage, root));
        }
        // What is after the mark is in the line alone.
        if rev > self.view.mark() {
            return Ok(());
        }
        for entry in entries {
            said.note(rev, entry).map_err(|error| LogError::corrupt(format!("batch {rev}"), error))?;
        }
        Ok(())
    }

    /// The runs' stretches follow each other up to the mark. Where all was pruned there is none.
    fn runs(&mut self) -> Result<(), LogError> {
        let mut end = 0;
        for run in self.view.runs() {
            if run.first <= end || run.last < run.first || run.last > self.view.mark() {
                self.say(format!(
                    "run {} is of batches {} to {}, out of order",
                    run.run, run.first, run.last
                ));
            }
            end = run.last;
        }
        Ok(())
    }

    /// By the finds, each folded batch is found by its id, by what it touches, and by its actor.
    fn finds(&mut self) -> Result<(), LogError> {
        let runs: HashMap<i64, (i64, i64)> =
            self.view.runs().iter().map(|run| (run.run, (run.first, run.last))).collect();
        let view = self.view;
        let mut unfiltered: BTreeMap<i64, Uuid> = BTreeMap::new();
        self.each("SELECT run, way, id, rev, shows FROM finds", |check, row| {
            let read = || Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?));
            let (number, way, id, rev, shows): (i64, Way, Uuid, i64, i64) = read().map_err(unwritten)?;
            // It is what an unfinished fold left.
            let Some((first, last)) = runs.get(&number) else { return Ok(()) };
            if rev < *first || rev > *last {
                check.say(format!("run {number} has batch {rev}, of which it is not"));
            }
            let filter = view.runs().iter().find(|run| run.run == number).map(|run| &run.filter);
            if way != Way::By && filter.is_some_and(|filter| !filter.may_have(id)) {
                unfiltered.entry(number).or_insert(id);
            }
            // If there is none, it was pruned.
            let Some(held) = check.at_mut(rev) else { return Ok(()) };
            match way {
                Way::Name if held.id == id => held.is_named = true,
                Way::Name => check.say(format!("the name {id} stands for batch {rev}, which has another")),
                Way::Touch => held.found = held.found.wrapping_add(hash(id)),
                Way::By if held.actor.is_none_or(|actor| actor == id) && held.shows == shows => {
                    held.is_found_by_actor = true
                }
                Way::By => check.say(format!("batch {rev} is found by an actor, or as what it is not")),
            }
            Ok(())
        })?;
        let mark = self.view.mark();
        let mut missing: Vec<String> = unfiltered
            .iter()
            .map(|(run, id)| format!("the filter of run {run} does not have all its ids, such as {id}"))
            .collect();
        for held in self.held.iter().filter(|held| held.rev <= mark) {
            let rev = held.rev;
            if !held.is_named {
                missing.push(format!("batch {rev} is not found by its name"));
            }
            if held.touches.is_some_and(|touches| touches != held.found) {
                missing.push(format!("batch {rev} is not found by exactly the ids that it touches"));
            }
            if !held.is_found_by_actor {
                missing.push(format!("batch {rev} is not found by its actor"));
            }
        }
        missing.into_iter().for_each(|problem| self.say(problem));
        Ok(())
    }

    fn kept(&mut self, mut said: HashMap<Uuid, (i64, i64)>) -> Result<(), LogError> {
        let name = |actor: &Uuid| match *actor {
            INSTALLATION => "the installation".to_owned(),
            user => format!("user {user}"),
        };
        let sql = "SELECT actor, sum(batches), sum(bytes) FROM kept
                   WHERE run IN (SELECT run FROM runs) GROUP BY actor";
        self.each(sql, |check, row| {
            let read = || Ok((row.get::<_, Uuid>(0)?, (row.get(1)?, row.get(2)?)));
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

    fn chains(&mut self, mut said: HashMap<i64, (Lineage, Option<i64>)>) -> Result<(), LogError> {
        let mut roots: HashMap<i64, bool> = HashMap::new();
        let mark = self.view.mark();
        self.each("SELECT rev, root, undo, id FROM turns", |check, row| {
            let read = || Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?));
            let (rev, root, undo, id): (i64, i64, bool, Uuid) = read().map_err(unwritten)?;
            if rev > mark {
                // An unfinished fold left it.
                return Ok(());
            }
            *roots.entry(root).or_insert_with(|| check.at(root).is_some()) |= check.at(rev).is_some();
            let Some(turn) = check.at(rev) else { return Ok(()) };
            let is_root = |of: BatchId| check.at(root).is_none_or(|root| root.id == of.0);
            let is_so = match said.remove(&rev) {
                Some((Lineage::UndoOf(of), by)) => undo && is_root(of) && by == Some(root),
                Some((Lineage::RedoOf(of), by)) => !undo && is_root(of) && by == Some(root),
                // The lineage of an unreadable batch is unknown.
                Some((Lineage::Fresh, _)) | None => turn.touches.is_none(),
            };
            if !is_so || turn.id != id {
                check.say(format!("batch {rev} has a place in a chain that it does not speak of"));
            }
            Ok(())
        })?;
        for (root, _) in roots.into_iter().filter(|(_, is_held)| !is_held) {
            self.say(format!("of the chain that batch {root} began none is held"));
        }
        // An undo of a batch that was not kept has no place in a chain.
        for (rev, (lineage, root)) in said {
            let (Lineage::UndoOf(of) | Lineage::RedoOf(of)) = lineage else {
                self.say(format!("batch {rev} has a place in a chain that it does not speak of"));
                continue;
            };
            let named = self.view.rev_of(self.conn, of)?.filter(|named| *named < rev);
            let is_missing = match root {
                // It is in the line alone as yet.
                Some(root) if rev > mark => self.at(root).is_some_and(|root| root.id != of.0),
                Some(_) => true,
                None => named.is_some(),
            };
            if is_missing {
                self.say(format!("batch {rev} has no place in the chain that it speaks of"));
            }
        }
        Ok(())
    }

    fn gone(&mut self, mut said: HashMap<Uuid, BTreeSet<i64>>) -> Result<(), LogError> {
        let mark = self.view.mark();
        self.each("SELECT id, rev FROM gone", |check, row| {
            let (id, rev): (Uuid, i64) = pair(row)?;
            let is_unknown = rev > mark || check.at(rev).is_none_or(|held| held.touches.is_none());
            let is_said = said.get(&id).is_some_and(|deleted| deleted.contains(&rev));
            // The last time is what counts. A later batch, pruned since, may have deleted it again.
            let last = said.get(&id).and_then(|deleted| deleted.last());
            if is_unknown && rev <= mark && last.is_some_and(|last| rev > *last) || last == Some(&rev) {
                said.remove(&id);
            }
            if !is_said && !is_unknown {
                check.say(format!("{id} is not what batch {rev} deleted for good"));
            }
            Ok(())
        })?;
        for (id, deleted) in said {
            let rev = deleted.last().copied().unwrap_or_default();
            self.say(format!("{id}, which batch {rev} deleted for good, is not remembered"));
        }
        Ok(())
    }

    /// Compares the rows of entities with the last batch about each. What a pruned batch said later is unknown, so
    /// a difference is reported only where no batch was pruned, or where the row names the batch. What the tail says
    /// of an entity takes the place of its row, so that row is not looked at.
    fn entities(&mut self, mut said: HashMap<EntityKey, Last>) -> Result<(), LogError> {
        type KeyOf = fn(&Row<'_>) -> SqlResult<EntityKey>;
        let tables: [(&str, KeyOf); 7] = [
            ("SELECT body, 0, NULL, id FROM users", |row| Ok(EntityKey::User(UserId(row.get(3)?)))),
            ("SELECT body, seq, due, id FROM nodes", |row| Ok(EntityKey::Node(NodeId(row.get(3)?)))),
            ("SELECT body, seq, NULL, id FROM links", |row| Ok(EntityKey::Link(LinkId(row.get(3)?)))),
            ("SELECT body, 0, NULL, id FROM tokens", |row| Ok(EntityKey::Token(TokenId(row.get(3)?)))),
            ("SELECT body, 0, NULL, id FROM keys", |row| Ok(EntityKey::Key(KeyId(row.get(3)?)))),
            ("SELECT body, 0, due, node, user FROM grants", |row| {
                Ok(EntityKey::Grant(NodeId(row.get(3)?), UserId(row.get(4)?)))
            }),
            ("SELECT NULL, 0, NULL, user, node FROM embeds", |row| {
                Ok(EntityKey::Embed(UserId(row.get(3)?), NodeId(row.get(4)?)))
            }),
        ];
        let tail = left(self.conn, self.view.mark(), self.view.head(), |_| Ok(Some(())))?.entities;
        for (sql, key) in tables {
            self.each(sql, |check, row| {
                let key = key(row).map_err(unwritten)?;
                let last = said.remove(&key);
                if tail.contains_key(&key) {
                    return Ok(());
                }
                let body = row.get_ref(0).and_then(|body| Ok(body.as_blob_or_null()?)).map_err(unwritten)?;
                let at = row.get(1).and_then(|seq| Ok((seq, row.get(2)?))).map_err(unwritten)?;
                check.entity(key, body, at, last)
            })?;
        }
        for (key, last) in said {
            if last.row.is_some() && !tail.contains_key(&key) && self.must_stand(key, &last)? {
                self.say(format!("{} is missing, which batch {} left", name(key), last.rev));
            }
        }
        Ok(())
    }

    fn entity(
        &mut self,
        key: EntityKey,
        body: Option<&[u8]>,
        at: (i64, Option<i64>),
        last: Option<Last>,
    ) -> Result<(), LogError> {
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
            Some(want) if is_row(key, body, at, want) => {}
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
    fn is_of(&self, key: EntityKey, body: Option<&[u8]>, rev: i64) -> Result<bool, LogError> {
        let body = body.unwrap_or_default();
        let last = match key {
            EntityKey::Node(_) => codec::decode_entity::<Node>(body).ok().map(|node| node.last_batch),
            EntityKey::Link(_) => codec::decode_entity::<Link>(body).ok().map(|link| link.last_batch),
            EntityKey::Grant(..)
            | EntityKey::Embed(..)
            | EntityKey::User(_)
            | EntityKey::Token(_)
            | EntityKey::Key(_) => {
                return Ok(false);
            }
        };
        let Some(last) = last else { return Ok(true) };
        let named = self.view.rev_of(self.conn, last)?;
        Ok(named.is_some_and(|named| named <= rev))
    }

    /// Whether an entity left by a batch must exist: not if a pruned batch may have deleted it.
    fn must_stand(&self, key: EntityKey, last: &Last) -> Result<bool, LogError> {
        let id = match key {
            EntityKey::User(_) => return Ok(true),
            EntityKey::Node(NodeId(id)) | EntityKey::Link(LinkId(id)) => id,
            EntityKey::Grant(..) | EntityKey::Embed(..) | EntityKey::Token(_) | EntityKey::Key(_) => {
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
    fn note(&mut self, rev: i64, entry: &Entry) -> Result<(), codec::CodecError> {
        let (Some(key), Some(row)) = (codec::key(entry), EntityRow::of(entry)?) else { return Ok(()) };
        if let Some(id) = deleted(entry) {
            self.gone.entry(id).or_default().insert(rev);
        }
        let EntityRow { seq, due, body } = row;
        let row = body.map(|body| hash_row(key, Some(&body), (seq, due)));
        self.entities.insert(key, Last { rev, row });
        Ok(())
    }
}

fn is_row(key: EntityKey, body: Option<&[u8]>, at: (i64, Option<i64>), want: u64) -> bool {
    hash_row(key, body, at) == want
}

/// An embed is its key: its row has no body.
fn hash_row(key: EntityKey, body: Option<&[u8]>, at: (i64, Option<i64>)) -> u64 {
    hash((body.filter(|_| !matches!(key, EntityKey::Embed(..))), at))
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
        EntityKey::Key(id) => format!("key {id}"),
    }
}
