//! Files of earlier versions, written here as those versions wrote them.

use super::File;
use crate::codec::{self, EntityKey, json};
use crate::contract::pasts::{Dice, Naive};
use crate::contract::story::{add_node, picture, story};
use crate::contract::{Storage, append};
use crate::history_page::Shows;
use crate::sqlite::{find, schema};
use crate::{Fingerprint, LoadScope, Log, LogError, SqliteLog};
use graph::batch::Lineage;
use graph::{Batch, Subject, World};
use rusqlite::{Connection, params};
use std::collections::HashMap;

/// A file as version 1 wrote it.
fn write_version_1<'a>(conn: &Connection, batches: impl Iterator<Item = &'a Batch>) {
    conn.execute_batch("PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF; BEGIN").unwrap();
    schema::prepare_version(conn, 1).unwrap();
    for (rev, batch) in (1_i64..).zip(batches) {
        let body = json::tests::encode(batch).unwrap().body;
        let actor = batch.actor.map(|user| user.0);
        conn.execute(
            "INSERT INTO batches (rev, id, actor, at, bytes, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            params![rev, batch.id.0, actor, batch.at.ms(), body.len() as i64, body],
        )
        .unwrap();
    }
    conn.execute_batch("COMMIT").unwrap();
}

/// A file as version 4 wrote it: batches and entities as JSON, everything in the transaction of the batch.
fn write_version_4<'a>(conn: &Connection, batches: impl Iterator<Item = &'a Batch>) {
    conn.execute_batch("PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF; BEGIN").unwrap();
    schema::prepare_version(conn, 4).unwrap();
    let mut named = HashMap::new();
    for (rev, batch) in (1_i64..).zip(batches) {
        let encoded = json::tests::encode(batch).unwrap();
        let (body, shows) = (&encoded.body, Shows::of(&batch.entries).code());
        let actor = batch.actor.map(|user| user.0);
        let fingerprint: Option<Fingerprint> = (rev % 2 == 0).then_some([rev as u8; 32]);
        conn.execute(
            "INSERT INTO batches VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            params![rev, batch.id.0, actor, batch.at.ms(), fingerprint, body.len() as i64, shows, body],
        )
        .unwrap();
        conn.execute("INSERT INTO names VALUES (?1, ?2)", params![batch.id.0, rev]).unwrap();
        let bytes = body.len() as i64;
        conn.execute(
            "INSERT INTO kept VALUES (coalesce(?1, x''), 1, ?2)
             ON CONFLICT DO UPDATE SET batches = batches + 1, bytes = bytes + excluded.bytes",
            params![actor, bytes],
        )
        .unwrap();
        for id in find::ids(&batch.entries) {
            conn.execute("INSERT INTO touches VALUES (?1, ?2)", params![id, rev]).unwrap();
        }
        named.insert(batch.id, rev);
        if let Lineage::UndoOf(root) | Lineage::RedoOf(root) = batch.lineage
            && let Some(root) = named.get(&root)
        {
            let undo = matches!(batch.lineage, Lineage::UndoOf(_));
            conn.execute("INSERT INTO turns VALUES (?1, ?2, ?3, ?4)", params![rev, root, undo, batch.id.0])
                .unwrap();
            let sql = "INSERT INTO chains VALUES (?1, 2) ON CONFLICT DO UPDATE SET held = held + 1";
            conn.execute(sql, [root]).unwrap();
        }
        for (entry, after) in batch.entries.iter().zip(&encoded.afters) {
            let body = after.as_ref().map(|after| after.get());
            let (table, keys) = match codec::key(entry).unwrap() {
                EntityKey::Node(id) => ("nodes", vec![("id", id.0)]),
                EntityKey::Link(id) => ("links", vec![("id", id.0)]),
                EntityKey::Grant(node, user) => ("grants", vec![("node", node.0), ("user", user.0)]),
                EntityKey::Embed(user, node) => ("embeds", vec![("user", user.0), ("node", node.0)]),
                EntityKey::User(id) => ("users", vec![("id", id.0)]),
                EntityKey::Token(id) => ("tokens", vec![("id", id.0)]),
                EntityKey::Key(id) => panic!("version 4 had no key {id}"),
            };
            let is: Vec<_> = keys.iter().map(|(key, id)| format!("{key} = x'{}'", id.simple())).collect();
            conn.execute(&format!("DELETE FROM {table} WHERE {}", is.join(" AND ")), []).unwrap();
            if let Some(body) = body {
                let (names, ids): (Vec<_>, Vec<_>) =
                    keys.iter().map(|(key, id)| (*key, format!("x'{}'", id.simple()))).unzip();
                let (names, ids) = (names.join(", "), ids.join(", "));
                match table {
                    "embeds" => conn.execute(&format!("INSERT INTO embeds ({names}) VALUES ({ids})"), []),
                    _ => conn
                        .execute(&format!("INSERT INTO {table} ({names}, body) VALUES ({ids}, ?1)"), [body]),
                }
                .unwrap();
            } else if let ("nodes" | "links", [(_, id)]) = (table, keys.as_slice()) {
                let sql = "INSERT INTO gone VALUES (?1, ?2) ON CONFLICT DO UPDATE SET rev = excluded.rev";
                conn.execute(sql, params![id, rev]).unwrap();
            }
        }
    }
    conn.execute_batch("COMMIT").unwrap();
}

fn version(conn: &Connection) -> i64 {
    conn.query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap()
}

fn no_problems(file: &File) {
    assert_eq!(file.log().check().unwrap(), Vec::<String>::new());
}

#[test]
fn h1_a_file_of_version_1_is_brought_up_to_date() {
    let mut dice = Dice::thrown();
    let mut naive = Naive::begun();
    naive.has_views = false;
    naive.go_on(&mut dice, 200);
    let file = File::fresh();
    let conn = Connection::open(file.path()).unwrap();
    write_version_1(&conn, naive.batches());
    naive.compare_past(&file.log(), &mut dice);
    assert_eq!(version(&conn), 6);
}

#[test]
fn h1_a_file_of_version_1_that_is_damaged_stays_as_it_is() {
    let file = File::fresh();
    let conn = Connection::open(file.path()).unwrap();
    write_version_1(&conn, [add_node(1), add_node(2)].iter());
    conn.execute_batch("UPDATE batches SET body = 'x' WHERE rev = 2").unwrap();
    let refused = SqliteLog::open(file.path()).map(drop);
    assert!(matches!(refused, Err(LogError::Corrupt { place, .. }) if place == "batch 2"));
    let tables: i64 = conn
        .query_row("SELECT count(*) FROM sqlite_schema WHERE name = 'kept'", [], |row| row.get(0))
        .unwrap();
    assert_eq!((version(&conn), tables), (1, 0));
}

/// The story as it was before there were keys.
fn story_without_keys() -> Vec<Batch> {
    let mut batches = story();
    for batch in &mut batches {
        batch.entries.retain(|entry| !matches!(entry.subject, Subject::Key(_)));
    }
    batches
}

#[test]
fn d19_a_file_of_version_5_is_brought_up_to_date() {
    let file = File::fresh();
    append(&mut file.log(), 0, &story_without_keys()).unwrap();
    let conn = Connection::open(file.path()).unwrap();
    conn.execute_batch("DROP TABLE keys; PRAGMA user_version = 5").unwrap();
    let mut log = file.log();
    assert_eq!(version(&conn), 6);
    let mut world = World::default();
    story_without_keys().iter().for_each(|batch| world.apply(batch));
    world.advance(story()[story().len() - 1].at);
    assert_eq!(picture(&log.load(LoadScope::Everything).unwrap()), picture(&world));
    no_problems(&file);
    // It goes on from there, with keys.
    let story = story();
    let keys = story[0].entries.iter().filter(|entry| matches!(entry.subject, Subject::Key(_))).cloned();
    append(&mut log, 10, &[Batch { entries: keys.collect(), ..add_node(1) }]).unwrap();
    super::fold(&log);
    assert_eq!(log.load(LoadScope::Accounts).unwrap().keys().count(), 2);
    no_problems(&file);
}

/// Everything is there as before: entities, history, chains, keys with their fingerprints.
#[test]
fn d19_a_file_of_version_4_is_brought_up_to_date() {
    let (file, batches) = (File::fresh(), story_without_keys());
    let conn = Connection::open(file.path()).unwrap();
    write_version_4(&conn, batches.iter());
    conn.execute_batch("UPDATE tokens SET last_used = 5000").unwrap();
    let mut log = file.log();
    assert_eq!(version(&conn), 6);
    let mut world = World::default();
    batches.iter().for_each(|batch| world.apply(batch));
    world.advance(batches[batches.len() - 1].at);
    assert_eq!(picture(&log.load(LoadScope::Everything).unwrap()), picture(&world));
    assert_eq!(log.since(0).unwrap().into_iter().map(|it| it.batch).collect::<Vec<_>>(), batches);
    for (rev, batch) in (1..).zip(&batches) {
        let fingerprint = (rev % 2 == 0).then_some([rev as u8; 32]);
        let remembered = log.past().batch(batch.id).unwrap().unwrap();
        assert_eq!((remembered.rev, remembered.fingerprint), (rev, fingerprint));
    }
    assert_eq!(log.tokens_last_used().unwrap().len(), 2);
    no_problems(&file);
    let old: i64 = conn
        .query_row(
            "SELECT count(*) FROM sqlite_schema WHERE name LIKE '%\\_4' ESCAPE '\\' OR name = 'batches'",
            [],
            |row| row.get(0),
        )
        .unwrap();
    assert_eq!(old, 0, "nothing of the former tables is left");
    // It goes on from there.
    assert_eq!(append(&mut log, 10, &[add_node(1)]).unwrap(), 11);
    super::fold(&log);
    no_problems(&file);
}

#[test]
fn h18_a_file_of_version_4_has_its_history() {
    let mut dice = Dice::thrown();
    let mut naive = Naive::begun();
    naive.go_on(&mut dice, 200);
    let file = File::fresh();
    write_version_4(&Connection::open(file.path()).unwrap(), naive.batches());
    naive.compare(&mut file.log(), &mut dice);
    no_problems(&file);
    naive.go_on(&mut dice, 50);
    naive.write(&mut file.log(), &mut dice);
    naive.compare(&mut file.log(), &mut dice);
}

/// A batch that cannot be read does not keep the file from being brought up to date: no World needs it.
#[test]
fn d19_a_damaged_batch_of_version_4_stays_damaged() {
    let file = File::fresh();
    let conn = Connection::open(file.path()).unwrap();
    write_version_4(&conn, story_without_keys().iter());
    conn.execute_batch("UPDATE batches SET body = 'x', bytes = 1 WHERE rev = 3").unwrap();
    let mut log = file.log();
    log.load(LoadScope::Everything).unwrap();
    assert!(matches!(log.since(0), Err(LogError::Corrupt { place, .. }) if place == "batch 3"));
}

/// An entity that cannot be read does: the file stays as it is.
#[test]
fn d19_a_file_of_version_4_that_is_damaged_stays_as_it_is() {
    let file = File::fresh();
    let conn = Connection::open(file.path()).unwrap();
    write_version_4(&conn, story_without_keys().iter());
    conn.execute_batch("UPDATE nodes SET body = '{\"seq\":1}' WHERE rowid = 2").unwrap();
    let refused = SqliteLog::open(file.path()).map(drop);
    assert!(
        matches!(&refused, Err(LogError::Corrupt { place, .. }) if place.contains("nodes with {")),
        "{refused:?}"
    );
    let nodes: i64 = conn.query_row("SELECT count(*) FROM nodes", [], |row| row.get(0)).unwrap();
    assert_eq!((version(&conn), nodes), (4, 3));
}
