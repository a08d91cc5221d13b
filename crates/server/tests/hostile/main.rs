//! Hostile payloads: for every operation everything that a client could get wrong, each with the one code that
//! answers it.
//!
//! The table combines the bad values of each field with the operations that take the field. The codes are written
//! here a second time, apart from the operations' own table, so that neither can drift alone.

mod table;

use std::collections::HashSet;
use synaptask::operations::{Asked, ROWS, by_name, decode};
use synaptask::wire::payload::Json;
use table::*;

fn code_of(event: &str, payload: &str) -> Result<Asked, String> {
    let json = Json::parse(payload).map_err(|error| error.to_string())?;
    let row = by_name(event).ok_or_else(|| format!("no row {event}"))?;
    decode(row, &json).map_err(|refusal| {
        let message = refusal.message();
        assert!(message.len() > 10 && message.len() < 400, "{event} {payload:.200}: {message:.500}");
        refusal.fault.code().to_owned()
    })
}

#[test]
fn o4_every_hostile_payload_has_its_code() {
    let table = table();
    assert!(table.len() >= 500, "{} cases", table.len());
    let wrong: Vec<String> = table
        .iter()
        .filter_map(|Case { event, payload, code }| match code_of(event, payload) {
            Err(got) if got == *code => None,
            got => Some(format!("{event} {payload:.200}: want {code}, got {got:?}")),
        })
        .collect();
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), table.len(), wrong.join("\n"));
}

#[test]
fn o4_every_code_of_a_payload_is_met_and_every_one_met_is_in_the_table() {
    for row in ROWS.iter() {
        let listed: HashSet<&str> = row.payload_errors().iter().map(|fault| fault.code()).collect();
        let cases = table();
        let met: HashSet<&str> =
            cases.iter().filter(|case| case.event == row.event).map(|case| case.code).collect();
        assert_eq!(listed, met, "{}", row.event);
    }
}

#[test]
fn o4_every_good_payload_is_taken() {
    assert_eq!(all_events().len(), ROWS.len());
    for event in all_events() {
        let got = code_of(event, &object(&good(event)));
        assert!(got.is_ok(), "{event}: {got:?}");
    }
}

// Rules: N3, N4, N5, N7, N9, N10, N11, N13, N14, N21, O5.
#[test]
fn n3_to_n15_values_at_their_bounds_are_taken() {
    let bounds: &[(&[&str], &str, Vec<String>)] = &[
        (
            NODES,
            "title",
            vec!["\"\"".into(), quoted(&"😀".repeat(80)), quoted("a\\n\\r\\tb"), quoted("\\u007f\\u0085")],
        ),
        (NODES, "description", vec!["\"\"".into(), quoted(&"x".repeat(400)), quoted("<b>&amp;")]),
        (NODES, "status", vec!["0".into(), "1".into(), "3".into(), "-0".into()]),
        (NODES, "dueDate", vec!["null".into(), "\"1970-01-01T00:00:00Z\"".into()]),
        (
            NODES,
            "dueDate",
            vec!["\"9999-12-31T23:59:59.999Z\"".into(), "\"2030-01-01T01:00:00.5+05:30\"".into()],
        ),
        (
            NODES,
            "tags",
            vec!["[]".into(), numbered(32), list("\"same\"", 1000), format!("[\" {} \"]", "x".repeat(50))],
        ),
        (NODES, "priority", vec!["0".into(), "9".into()]),
        (NODES, "volume", vec!["0".into(), "9".into()]),
        (NODES, "assignee", vec!["[]".into(), numbered(32), format!("[\"{}\"]", "x".repeat(254))]),
        (
            NODES,
            "x",
            vec!["0".into(), "-0.0".into(), "1e308".into(), "5e-324".into(), "99999999999999999999".into()],
        ),
        (
            &["node:update"],
            "version",
            vec!["null".into(), "0".into(), "-1".into(), "99999999999999999999".into()],
        ),
        (PAGES, "limit", vec!["1".into(), "1000".into()]),
        (&["graph:get", "branch:get"], "limit", vec!["5000".into()]),
        (&["branch:get"], "root", vec!["\"\"".into(), quoted(&"x".repeat(100)), quoted("q-_Z")]),
        (PAGES, "offset", vec!["0".into(), "-0".into(), "9223372036854775807".into()]),
        (NAMED_NODE, "id", vec![A.to_uppercase(), "\"00000000-0000-0000-0000-000000000000\"".into()]),
        (EMBEDS, "id", vec!["\"\"".into(), quoted(&"x".repeat(100)), quoted("q-_Z")]),
        (&["trash:purge"], "ids", vec!["[]".into(), list(A, 1000)]),
        (NEW, "id", vec!["null".into()]),
        (&["node:add"], "target", vec!["null".into()]),
        (&["node:add", "link:add", "trash:purge", "node:access"], "batchId", vec!["null".into()]),
        (TURNS, "newBatchId", vec!["null".into()]),
        (&["history:page"], "scopeType", vec!["null".into(), quoted("GRAPH")]),
        (&["history:page"], "scopeId", vec!["null".into()]),
        (SHARES, "due", vec!["null".into(), "\"2999-01-01T00:00:00.123Z\"".into()]),
        (LEVELS, "level", vec!["1".into(), "2".into(), "3".into()]),
        (GRANTS, "email", vec!["\"A.B+c@host\"".into(), longest_email("bb")]),
        (&["settings:username"], "username", vec!["\"a_B\"".into(), quoted(&"x.-9".repeat(8))]),
    ];
    for (events, field, values) in bounds {
        for event in *events {
            for value in values {
                let got = code_of(event, &object(&with(good(event), field, value)));
                assert!(got.is_ok(), "{event} {field} {value:.100}: {got:?}");
            }
        }
    }
}
