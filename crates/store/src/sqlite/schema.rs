//! The tables of a SQLite log, and the migration of older files.

use super::{migrate, unwritten};
use crate::error::LogError;
use rusqlite::{Connection, ErrorCode, Transaction, TransactionBehavior};
use std::time::{Duration, Instant};

/// One step per version of the schema, in order. A released step never changes: existing files were made by it.
pub(super) const MIGRATIONS: [Step; 6] = [
    Step { sql: FIRST, fill: nothing },
    Step { sql: SECOND, fill: migrate::fill_second },
    Step { sql: THIRD, fill: nothing },
    Step { sql: FOURTH, fill: nothing },
    Step { sql: FIFTH, fill: migrate::fill_fifth },
    Step { sql: SIXTH, fill: nothing },
];

/// The size of the WAL after it is reset. The first page of SQLite's index of it, the file `-shm`, covers 4,062
/// frames of 4,120 bytes each. A WAL within that can be recovered after an unclean end even if the disk has no room
/// for a second page.
pub(super) const WAL_BYTES_MAX: u64 = 16_000_000;

/// The number of WAL pages at which a committing writer checkpoints them. The pruner's thread does so much earlier.
/// This is the fallback when it is late, never sees the WAL at rest, or does not run. It is less than
/// `WAL_BYTES_MAX`.
pub(super) const WAL_PAGES_MAX: u64 = 3_000;

/// A migration: tables, and their content derived from existing data.
pub(super) struct Step {
    pub(super) sql: &'static str,
    pub(super) fill: fn(&Connection) -> Result<(), LogError>,
}

fn nothing(_: &Connection) -> Result<(), LogError> {
    Ok(())
}

pub(super) const FIRST: &str = "
    -- The line of batches: all there is to know. The tables below are what it leads to.
    CREATE TABLE batches (
        rev         INTEGER PRIMARY KEY,
        id          BLOB NOT NULL UNIQUE,
        actor       BLOB,
        at          INTEGER NOT NULL,   -- milliseconds since 1970
        fingerprint BLOB,
        bytes       INTEGER NOT NULL,   -- of the body
        body        TEXT NOT NULL
    ) STRICT;
    CREATE TABLE users (id BLOB NOT NULL PRIMARY KEY, body TEXT NOT NULL) STRICT;
    CREATE TABLE nodes (id BLOB NOT NULL PRIMARY KEY, body TEXT NOT NULL) STRICT;
    CREATE TABLE links (id BLOB NOT NULL PRIMARY KEY, body TEXT NOT NULL) STRICT;
    CREATE TABLE grants (
        node BLOB NOT NULL,
        user BLOB NOT NULL,
        body TEXT NOT NULL,
        PRIMARY KEY (node, user)
    ) STRICT;
    CREATE TABLE embeds (
        user BLOB NOT NULL,
        node BLOB NOT NULL,
        PRIMARY KEY (user, node)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE tokens (
        id        BLOB NOT NULL PRIMARY KEY,
        body      TEXT NOT NULL,
        last_used INTEGER               -- milliseconds since 1970
    ) STRICT;
    -- Ids of nodes and links deleted for good, and the batch that did it.
    CREATE TABLE gone (id BLOB NOT NULL PRIMARY KEY, rev INTEGER NOT NULL) STRICT, WITHOUT ROWID;
";

/// What history is searched and pruned by. All of it follows from the batches.
pub(super) const SECOND: &str = "
    CREATE INDEX batches_by_actor ON batches (actor);
    CREATE INDEX gone_by_rev ON gone (rev);
    -- By what ids an entry of the batch is found: see store::history::touched.
    CREATE TABLE touches (
        id  BLOB NOT NULL,
        rev INTEGER NOT NULL,
        PRIMARY KEY (id, rev)
    ) STRICT, WITHOUT ROWID;
    -- The undos and redos: each with the batch that began its chain. They stay as long as anything of the chain does,
    -- for they are its state.
    CREATE TABLE turns (
        rev  INTEGER PRIMARY KEY,
        root INTEGER NOT NULL,
        undo INTEGER NOT NULL,          -- 1 for an undo, 0 for a redo
        id   BLOB NOT NULL
    ) STRICT;
    CREATE INDEX turns_by_root ON turns (root, undo);
    -- How many batches of a chain are held, the root included; chains without a turn are not here.
    CREATE TABLE chains (root INTEGER PRIMARY KEY, held INTEGER NOT NULL) STRICT;
    -- What each user's batches come to; the empty id stands for the installation.
    CREATE TABLE kept (
        actor   BLOB NOT NULL PRIMARY KEY,
        batches INTEGER NOT NULL,
        bytes   INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    INSERT INTO kept SELECT coalesce(actor, x''), count(*), sum(bytes) FROM batches GROUP BY 1;
";

/// Makes pruning cheap: a batch is removed without looking up its id and the ids it touches, each of which is on a
/// page of its own. What is indexed by id is swept later, many rows of a page at once. Until then a row whose rev
/// is not kept means nothing. A column says, without reading the batch, whether history shows it.
const THIRD: &str = r#"
    -- By what id a batch is found.
    CREATE TABLE names (id BLOB NOT NULL PRIMARY KEY, rev INTEGER NOT NULL) STRICT, WITHOUT ROWID;
    INSERT INTO names SELECT id, rev FROM batches ORDER BY id;
    CREATE TABLE line (
        rev         INTEGER PRIMARY KEY,
        id          BLOB NOT NULL,
        actor       BLOB,
        at          INTEGER NOT NULL,   -- milliseconds since 1970
        fingerprint BLOB,
        bytes       INTEGER NOT NULL,   -- of the body
        shows       INTEGER NOT NULL,   -- 0: nothing, 1: accounts and tokens alone, 2: what users may see
        body        TEXT NOT NULL
    ) STRICT;
    INSERT INTO line
        SELECT rev, id, actor, at, fingerprint, bytes,
               CASE WHEN rev IN (SELECT rev FROM touches) THEN 2
                    WHEN substr(body, -13) = '"entries":[]}' THEN 0 ELSE 1 END,
               body
        FROM batches ORDER BY rev;
    DROP TABLE batches;
    ALTER TABLE line RENAME TO batches;
    CREATE INDEX batches_by_actor ON batches (actor, rev, shows);
"#;

/// Grants and publications that had expired when the clock was set back to before their due time.
const FOURTH: &str = "
    CREATE TABLE expired (
        node BLOB NOT NULL,
        user BLOB NOT NULL,             -- empty for the node's publication
        due  INTEGER NOT NULL,          -- milliseconds since 1970
        PRIMARY KEY (node, user, due)
    ) STRICT, WITHOUT ROWID;
";

/// The tables of now. A commit writes to `line` alone; what follows from the line is folded into the other tables in
/// the background, in large groups and in the order of their keys. The former tables are dropped once what they hold
/// has been brought over.
const FIFTH: &str = "
    ALTER TABLE users RENAME TO users_4;
    ALTER TABLE nodes RENAME TO nodes_4;
    ALTER TABLE links RENAME TO links_4;
    ALTER TABLE grants RENAME TO grants_4;
    ALTER TABLE tokens RENAME TO tokens_4;
    ALTER TABLE gone RENAME TO gone_4;
    ALTER TABLE kept RENAME TO kept_4;
    -- The line of batches: all there is to know. What is after the mark is here only.
    CREATE TABLE line (
        rev         INTEGER PRIMARY KEY,
        id          BLOB NOT NULL,
        actor       BLOB,
        at          INTEGER NOT NULL,   -- milliseconds since 1970
        fingerprint BLOB,
        shows       INTEGER NOT NULL,   -- 0: nothing, 1: accounts and tokens alone, 2: what users may see
        root        INTEGER,            -- of an undo or redo: the batch that began its chain
        body        BLOB NOT NULL       -- see store::codec
    ) STRICT;
    -- How far the line has been folded, and who is folding.
    CREATE TABLE folded (
        one    INTEGER PRIMARY KEY CHECK (one = 1),
        mark   INTEGER NOT NULL,        -- the last batch that the other tables include
        epoch  INTEGER NOT NULL,        -- changes whenever the mark or the runs do
        run    INTEGER NOT NULL,        -- the last number given to a run
        since  INTEGER NOT NULL         -- when work at that run was last reported, in ms since 1970; 0: it has ended
    ) STRICT;
    INSERT INTO folded VALUES (1, 0, 0, 0, 0);
    -- Entities. Nodes and links are stored by their number in the order of creation: new ones lie side by side.
    CREATE TABLE users (id BLOB NOT NULL PRIMARY KEY, body BLOB NOT NULL) STRICT, WITHOUT ROWID;
    CREATE TABLE nodes (
        seq  INTEGER NOT NULL,
        id   BLOB NOT NULL,
        due  INTEGER,                   -- of its publication; milliseconds since 1970
        body BLOB NOT NULL,
        PRIMARY KEY (seq, id)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX nodes_by_due ON nodes (due) WHERE due IS NOT NULL;
    CREATE TABLE links (seq INTEGER NOT NULL, id BLOB NOT NULL, body BLOB NOT NULL, PRIMARY KEY (seq, id))
        STRICT, WITHOUT ROWID;
    CREATE TABLE grants (
        node BLOB NOT NULL,
        user BLOB NOT NULL,
        due  INTEGER,                   -- milliseconds since 1970
        body BLOB NOT NULL,
        PRIMARY KEY (node, user)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX grants_by_due ON grants (due) WHERE due IS NOT NULL;
    CREATE TABLE tokens (id BLOB NOT NULL PRIMARY KEY, body BLOB NOT NULL) STRICT, WITHOUT ROWID;
    -- When tokens were last used, in milliseconds since 1970.
    CREATE TABLE used (token BLOB NOT NULL PRIMARY KEY, at INTEGER NOT NULL) STRICT, WITHOUT ROWID;
    -- Ids of nodes and links deleted for good, and the batch that did it.
    CREATE TABLE gone (rev INTEGER NOT NULL, id BLOB NOT NULL, PRIMARY KEY (rev, id)) STRICT, WITHOUT ROWID;
    -- By what ids batches are found, in runs: see store::sqlite::find. A run that is not in `runs` means nothing.
    CREATE TABLE finds (
        run   INTEGER NOT NULL,
        way   INTEGER NOT NULL,         -- 0: its own id, 1: an id that it touches, 2: its actor, or the nil id
        id    BLOB NOT NULL,
        rev   INTEGER NOT NULL,         -- by its own or a touched id, this may be a batch that was pruned
        shows INTEGER NOT NULL,         -- of a find by actor, as in the line
        PRIMARY KEY (run, way, id, rev)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE runs (
        run     INTEGER PRIMARY KEY,
        first   INTEGER NOT NULL,       -- the stretch of the line
        last    INTEGER NOT NULL,
        batches INTEGER NOT NULL,       -- how many there were when the run was made
        pruned  INTEGER NOT NULL,       -- how many of them have been pruned since
        filter  BLOB NOT NULL           -- of the ids of the first two ways
    ) STRICT;
    -- What each actor's batches in a run come to.
    CREATE TABLE kept (
        run     INTEGER NOT NULL,
        actor   BLOB NOT NULL,
        batches INTEGER NOT NULL,
        bytes   INTEGER NOT NULL,
        PRIMARY KEY (run, actor)
    ) STRICT, WITHOUT ROWID;
    DROP TABLE chains;
";

/// One-time keys, an entity of their own.
const SIXTH: &str = "
    CREATE TABLE keys (id BLOB NOT NULL PRIMARY KEY, body BLOB NOT NULL) STRICT, WITHOUT ROWID;
";

/// Configures the connection and migrates the file to the newest schema. Other processes may be doing the same at
/// this moment.
pub(super) fn prepare(conn: &Connection, limit: Duration) -> Result<(), LogError> {
    // Checked before anything is changed: a file of another program is left as it is.
    if version_of(conn)? == MIGRATIONS.len() {
        return set_up(conn, limit);
    }
    set_up(conn, limit)?;
    migrate(conn)
}

fn set_up(conn: &Connection, limit: Duration) -> Result<(), LogError> {
    enter_wal(conn, limit)?;
    conn.execute_batch(&format!(
        "PRAGMA synchronous=FULL;
         PRAGMA cache_size=-16384;
         PRAGMA journal_size_limit={WAL_BYTES_MAX};
         PRAGMA wal_autocheckpoint={WAL_PAGES_MAX};",
    ))
    .map_err(unwritten)
}

/// Switching a file to WAL takes a lock that SQLite does not wait for, so this waits for it.
fn enter_wal(conn: &Connection, limit: Duration) -> Result<(), LogError> {
    let since = Instant::now();
    loop {
        match conn.query_row("PRAGMA journal_mode=WAL", [], |row| row.get::<_, String>(0)) {
            Ok(mode) if mode == "wal" => return Ok(()),
            Ok(mode) => {
                return Err(LogError::refused(format!("the file cannot be put in WAL mode, only {mode}")));
            }
            Err(error)
                if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) && since.elapsed() < limit =>
            {
                std::thread::sleep(Duration::from_millis(2));
            }
            Err(error) => return Err(unwritten(error)),
        }
    }
}

/// Each step runs in its own transaction and reads the version in it: another process may have been faster.
fn migrate(conn: &Connection) -> Result<(), LogError> {
    loop {
        let writing = Transaction::new_unchecked(conn, TransactionBehavior::Immediate).map_err(unwritten)?;
        let version = version_of(conn)?;
        let Some(step) = MIGRATIONS.get(version) else { return Ok(()) };
        apply(&writing, step, version + 1)?;
        writing.commit().map_err(unwritten)?;
    }
}

/// Brings the file to a version.
fn apply(conn: &Connection, step: &Step, version: usize) -> Result<(), LogError> {
    conn.execute_batch(step.sql).map_err(unwritten)?;
    (step.fill)(conn)?;
    conn.pragma_update(None, "user_version", version as i64).map_err(unwritten)
}

/// Makes a fresh file one of an earlier version.
#[cfg(test)]
pub(super) fn prepare_version(conn: &Connection, version: usize) -> Result<(), LogError> {
    let mut steps = (1..).zip(MIGRATIONS.iter().take(version));
    steps.try_for_each(|(version, step)| apply(conn, step, version))
}

/// The file's version: the number of steps applied to it; 0 for a fresh file.
fn version_of(conn: &Connection) -> Result<usize, LogError> {
    // In one statement, and so in one snapshot: another process may be creating the tables at this moment.
    let sql = "SELECT user_version, (SELECT count(*) FROM sqlite_schema) FROM pragma_user_version";
    let (found, tables) = conn
        .query_row(sql, [], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?)))
        .map_err(unwritten)?;
    if found == 0 && tables > 0 {
        return Err(LogError::Foreign);
    }
    match usize::try_from(found) {
        Ok(version) if version <= MIGRATIONS.len() => Ok(version),
        _ => Err(LogError::NewerSchema { found, known: MIGRATIONS.len() as i64 }),
    }
}
