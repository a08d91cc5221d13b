use super::*;
use crate::limits::NamedLimit;
use crate::wire::Problem;
use graph::model::{Level, LinkType, Node, Status};
use graph::ops::{AccessAdd, LinkAdd, NodeAdd, NodePublish, NodePublishUpdate, NodeUpdate};
use graph::{BatchId, NodeFields, NodeId, Root, Timestamp, UserId};
use proptest::prelude::*;
use std::collections::{HashMap, HashSet};
use uuid::Uuid;

const A: &str = "3f2504e0-4f89-41d3-9a0c-0305e82c3301";
const B: &str = "9b2d3c1e-7a55-4c0b-8f6d-2e1a0c9b8d7e";

fn ask(event: &str, payload: &str) -> Asked {
    let row = by_event(event).unwrap_or_else(|| panic!("no row {event}"));
    let json = Json::parse(payload.replace("$A", A).replace("$B", B)).expect("well-formed");
    decode(row, &json).unwrap_or_else(|failure| panic!("{event} {payload}: {failure:?}"))
}

fn operation(event: &str, payload: &str) -> Operation {
    match ask(event, payload) {
        Asked::Mutation { operation, .. } => operation,
        other => panic!("{event} {payload}: {other:?}"),
    }
}

fn request(event: &str, payload: &str) -> Option<IdempotencyKey> {
    match ask(event, payload) {
        Asked::Mutation { key, .. } => key,
        other => panic!("{event} {payload}: {other:?}"),
    }
}

fn read(event: &str, payload: &Json) -> Result<Read, PayloadRefusal> {
    match decode(by_event(event).expect("a row"), payload)? {
        Asked::Read(read) => Ok(read),
        other => panic!("{event}: {other:?}"),
    }
}

fn id(text: &str) -> NodeId {
    NodeId(Uuid::try_parse(text).expect("a UUID"))
}

fn fields(event: &str, payload: &str) -> NodeFields {
    match operation(event, payload) {
        Operation::NodeAdd(NodeAdd { fields, .. }) | Operation::NodeUpdate(NodeUpdate { fields, .. }) => {
            *fields
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn t4_no_two_rows_share_an_event_or_a_path_and_method() {
    let mut events = HashSet::new();
    let mut routes = HashSet::new();
    for row in ROWS.iter() {
        assert!(events.insert(row.event), "{}", row.event);
        assert_eq!(row.method.is_some(), !row.paths.is_empty(), "{}", row.event);
        for path in row.paths {
            assert!(path.starts_with("/api/"), "{path}");
            assert!(routes.insert((row.method, *path)), "{} {path}", row.event);
            // A path with a parameter matches itself.
            let same = |other: &&Row| other.method == row.method && other.at(path).is_some();
            assert_eq!(ROWS.iter().filter(same).count(), 1, "{} {path}", row.event);
            for (name, _) in row.at(path).into_iter().flatten() {
                assert!(row.fields.iter().any(|field| field.name == name), "{} {path}", row.event);
            }
        }
        if row.is_mutation() {
            assert_eq!(row.fields.first().map(|field| field.name), Some("batchId"), "{}", row.event);
        }
    }
}

#[test]
fn r1_rows_that_share_a_count_share_the_limit() {
    let mut limits: HashMap<&str, NamedLimit> = HashMap::new();
    for row in ROWS.iter() {
        assert_eq!(*limits.entry(row.limit.name).or_insert(row.limit), row.limit, "{}", row.event);
    }
    let of = |event: &str| {
        by_event(event).map(|row| {
            let NamedLimit { name, default } = row.limit;
            (name, default.count, default.window_ms / 1000)
        })
    };
    assert_eq!(of("node:update"), Some(("node", 30, 10)));
    assert_eq!(of("node:restore"), Some(("node trash", 30, 10)));
    assert_eq!(of("link:swap"), Some(("link trash", 30, 10)));
    assert_eq!(of("graph:get"), Some(("graph:get", 10, 10)));
    assert_eq!(of("trash:purge"), Some(("trash:purge", 5, 10)));
    assert_eq!(of("history:undo"), Some(("history:undo", 10, 10)));
    assert_eq!(of("history:redo"), Some(("history:redo", 10, 10)));
    // An alias does not raise the limit.
    for row in ROWS.iter() {
        if let Some(original) = row.alias_of {
            assert_eq!(by_event(original).map(|row| row.limit), Some(row.limit), "{}", row.event);
        }
    }
    assert_eq!(of("settings:username"), Some(("settings:username", 3, 10)));
}

#[test]
fn t19_an_operation_lists_no_error_twice() {
    for row in ROWS.iter() {
        let errors = row.all_errors();
        let distinct: HashSet<&String> = errors.iter().collect();
        assert_eq!(distinct.len(), errors.len(), "{}", row.event);
        for reason in row.errors {
            assert!(
                ["invalid_due", "invalid_expires"].contains(&reason.code())
                    || !row.payload_errors().contains(&PayloadFault::Domain(*reason)),
                "{}",
                row.event
            );
        }
    }
}

/// What only a REST request can be answered with: a socket is authenticated, and its origin checked, when it
/// connects.
#[test]
fn c7_what_has_no_rest_form_lists_no_error_of_rest_alone() {
    for row in ROWS.iter() {
        let errors = row.all_errors();
        let lists = |error: &str| errors.iter().any(|listed| listed == error);
        let rest = row.method.is_some();
        let known = rest && row.callers != Callers::Anyone;
        assert_eq!(lists("forbidden.api_not_allowed"), known, "{}", row.event);
        assert_eq!(
            lists("unauthorized"),
            known || row.failures.contains(&Problem::Unauthorized),
            "{}",
            row.event
        );
        assert_eq!(lists("forbidden.session_required"), row.callers == Callers::Session, "{}", row.event);
        assert_eq!(lists("payload_too_large"), rest, "{}", row.event);
        assert_eq!(lists("forbidden.origin"), rest && row.is_change(), "{}", row.event);
        assert_eq!(
            lists("bad_request.unsupported_encoding"),
            rest && row.method != Some(Method::Get),
            "{}",
            row.event
        );
    }
}

// Rules: C7, T15, O28.
#[test]
fn c7_the_table_says_what_is_open_to_all_and_what_a_ping_answers() {
    let table = table_json();
    let of = |event: &str, what: &str| {
        let row = table.as_array().and_then(|rows| rows.iter().find(|row| row["event"] == event));
        row.and_then(|row| row[what].as_str()).unwrap_or_default().to_owned()
    };
    assert!(of("branch:get", "credentials").contains("none if root is a public token"));
    assert_eq!(of("graph:get", "credentials"), "API token or web session");
    assert!(of("ws:ping", "output").contains("{ok, serverTime, trace_id}"));
}

#[test]
fn c7_the_table_is_printed_for_programs_and_for_people() {
    let json = serde_json::to_string_pretty(&table_json()).expect("a JSON text");
    insta::assert_snapshot!("table_json", json);
    insta::assert_snapshot!("table_text", table_text());
}

// Rules: O13, N3, N4, N5, N7, N9, N10, N11, N12, N13, N14, N15.
#[test]
fn o13_a_node_is_added_with_the_defaults_of_the_table() {
    let mut inputs = Vec::new();
    node_fields::NodeInput.describe(&mut inputs);
    let explicit: Vec<String> = inputs
        .iter()
        .map(|field| format!("\"{}\":{}", field.name, field.default.as_ref().expect("a default")))
        .collect();
    let given = fields("node:add", &format!("{{{}}}", explicit.join(",")));
    let node = Node::new(id(A), UserId(Uuid::nil()), BatchId(Uuid::nil()), Timestamp::from_ms(0), 1);
    macro_rules! of_node {
        ($($field:ident)*) => { NodeFields { $($field: Some(node.$field)),* } };
    }
    assert_eq!(given, graph::each_node_field!(of_node));
    assert_eq!(fields("node:add", "{}"), NodeFields::default());
}

/// A payload of each operation that takes a field with a default, as fields with their JSON.
const PLAIN: &[(&str, &[(&str, &str)])] = &[
    ("node:add", &[]),
    ("node:update", &[("id", "\"$A\""), ("title", "\"t\"")]),
    ("node:trash", &[("id", "\"$A\"")]),
    ("link:add", &[("source", "\"$A\""), ("target", "\"$B\"")]),
    ("link:update", &[("id", "\"$A\""), ("private", "true")]),
    ("trash:purge", &[]),
    ("node:publish", &[("id", "\"$A\"")]),
    ("node:access", &[("id", "\"$A\""), ("email", "\"a@b\"")]),
    ("history:undo", &[("batchId", "\"$A\"")]),
    ("history:page", &[]),
    ("graph:get", &[]),
    ("trash:page", &[]),
    ("branch:get", &[("root", "\"$A\"")]),
];

fn object(fields: &[(&str, &str)], more: Option<(&str, &str)>) -> String {
    let fields = fields.iter().copied().chain(more);
    let fields: Vec<String> = fields.map(|(name, value)| format!("\"{name}\":{value}")).collect();
    format!("{{{}}}", fields.join(","))
}

#[test]
fn t4_a_default_means_the_same_as_its_absence() {
    for (event, fields) in PLAIN {
        for field in &by_event(event).expect("a row").fields {
            // The domain has the defaults of a node's own fields; see O13.
            let is_of_node = *event == "node:add" && field.null != Null::LeftOut;
            let Some(default) = field.default.as_ref().filter(|_| !is_of_node) else { continue };
            let (given, bare) = (object(fields, Some((field.name, default))), object(fields, None));
            assert_eq!(
                format!("{:?}", ask(event, &given)),
                format!("{:?}", ask(event, &bare)),
                "{event} {given}"
            );
        }
    }
}

/// Every optional id, batch id, version, due time and scope.
// Rules: O5, D7.
#[test]
fn o5_null_is_as_if_it_were_left_out() {
    let nullable: HashSet<(&str, &str)> = ROWS
        .iter()
        .flat_map(|row| row.fields.iter().map(move |field| (row.event, field)))
        .filter(|(_, field)| field.null == Null::LeftOut)
        .map(|(event, field)| (event, field.name))
        .collect();
    for row in ROWS.iter().filter(|row| row.is_mutation()) {
        let names_another = ["undo", "redo", "trash:restore"].iter().any(|name| row.event.ends_with(name));
        let key = if names_another { "newBatchId" } else { "batchId" };
        assert!(nullable.contains(&(row.event, key)), "{}", row.event);
    }
    let others: HashSet<(&str, &str)> =
        nullable.into_iter().filter(|(_, field)| !field.ends_with("atchId")).collect();
    let want = [
        ("node:add", "id"),
        ("node:add", "target"),
        ("node:update", "version"),
        ("node:duplicate", "target"),
        ("node:duplicate", "ids"),
        ("link:add", "id"),
        ("node:publish", "due"),
        ("node:access", "due"),
        ("graph:critical", "id"),
        ("account:register", "invite"),
        ("account:invite", "email"),
        ("account:oidc:start", "next"),
        ("account:oidc:start", "invite"),
        ("account:google", "redirectUri"),
        ("account:sessions:end", "id"),
        ("account:email", "password"),
        ("account:close", "password"),
        ("account:tokens:create", "expires"),
        ("account:tokens:revoke", "id"),
        ("history:page", "scopeType"),
        ("history:page", "scopeId"),
    ];
    assert_eq!(others, HashSet::from(want));
    let fingerprint = |payload: &str| request("node:add", payload).map(|key| key.fingerprint);
    assert_eq!(
        fingerprint(r#"{"batchId":"$A","id":null,"target":null,"title":"t"}"#),
        fingerprint(r#"{"batchId":"$A","title":"t"}"#),
        "two requests that say the same are the same"
    );
    assert_ne!(
        fingerprint(r#"{"batchId":"$A","dueDate":null}"#),
        fingerprint(r#"{"batchId":"$A"}"#),
        "a null that is a value is content"
    );
}

#[test]
fn n9_tags_are_trimmed_and_kept_once() {
    let tags = fields("node:add", r#"{"tags":[" a ","b","a","\u00a0b\n","B"]}"#).tags;
    assert_eq!(tags, Some(vec!["a".to_owned(), "b".to_owned(), "B".to_owned()]));
}

#[test]
fn n14_minus_zero_is_stored_as_zero() {
    for zero in ["-0.0", "-0", "0", "-0e9"] {
        let x = fields("node:add", &format!("{{\"x\":{zero}}}")).x.map(f64::to_bits);
        assert_eq!(x, Some(0), "{zero}");
    }
}

#[test]
fn n7_a_due_date_is_cut_to_whole_seconds_and_null_clears_it() {
    let due = |json: &str| fields("node:update", &format!("{{\"id\":\"$A\",\"dueDate\":{json}}}")).due_date;
    assert_eq!(due("\"2030-01-01T01:00:00.999+01:00\""), Some(Timestamp::parse("2030-01-01T00:00:00Z")));
    assert_eq!(due("null"), Some(None));
    assert_eq!(fields("node:update", r#"{"id":"$A","title":""}"#).due_date, None);
}

#[test]
fn n6_due_times_of_grants_and_publications_keep_their_milliseconds() {
    let Operation::NodePublish(NodePublish { due, branch, .. }) =
        operation("node:publish", r#"{"id":"$A","due":"2030-01-01T00:00:00.125Z"}"#)
    else {
        panic!("a publication")
    };
    assert_eq!((due, branch), (Timestamp::parse("2030-01-01T00:00:00.125Z"), true));
}

#[test]
fn n2_ids_are_compared_without_regard_to_case() {
    let upper = format!("{{\"id\":\"{}\"}}", A.to_uppercase());
    assert_eq!(operation("node:trash", &upper), Operation::NodeTrash { id: id(A), branch: false });
}

#[test]
fn s3_a_due_of_null_clears_in_updates_and_means_none_elsewhere() {
    let update = operation("node:publish:update", r#"{"id":"$A","due":null}"#);
    assert_eq!(
        update,
        Operation::NodePublishUpdate(NodePublishUpdate { id: id(A), branch: None, due: Some(None) })
    );
    let publish = operation("node:publish", r#"{"id":"$A","due":null}"#);
    assert_eq!(publish, Operation::NodePublish(NodePublish { id: id(A), branch: true, due: None }));
}

#[test]
fn s9_a_branch_is_named_by_id_or_by_public_token() {
    let root = |json: &str| match operation("node:embed", &format!("{{\"id\":{json}}}")) {
        Operation::NodeEmbed { root } => root,
        other => panic!("{other:?}"),
    };
    assert_eq!(root(&format!("\"{}\"", A.to_uppercase())), Root::Node(id(A)));
    assert_eq!(root("\"Zk3-_x\""), Root::Token("Zk3-_x".to_owned()));
    let simple = A.replace('-', "");
    assert_eq!(root(&format!("\"{simple}\"")), Root::Token(simple));
}

#[test]
fn s13_a_grant_is_to_view_the_branch_unless_told_otherwise() {
    let want = |level, branch| {
        Operation::AccessAdd(AccessAdd {
            id: id(A),
            email: "Ann@Example.org".to_owned(),
            level,
            branch,
            due: None,
        })
    };
    let grant = |rest: &str| {
        operation("node:access", &format!("{{\"id\":\"$A\",\"email\":\"Ann@Example.org\"{rest}}}"))
    };
    assert_eq!(grant(""), want(Level::Viewer, true));
    assert_eq!(grant(",\"level\":1,\"branch\":false"), want(Level::Admin, false));
}

#[test]
fn o18_an_update_carries_the_version_it_is_meant_for() {
    let version = |json: &str| match operation(
        "node:update",
        &format!("{{\"id\":\"$A\",\"status\":1,\"version\":{json}}}"),
    ) {
        Operation::NodeUpdate(NodeUpdate { version, fields, .. }) => (version, fields.status),
        other => panic!("{other:?}"),
    };
    assert_eq!(version("7"), (Some(7), Some(Status::InProgress)));
    // No node has such a version. That is a conflict, not a fault of form.
    for never in ["-1", "99999999999999999999"] {
        assert_eq!(version(never).0, Some(u64::MAX), "{never}");
    }
}

// Rules: L1, N23, N24.
#[test]
fn l1_a_link_is_primary_and_not_private_unless_told_otherwise() {
    let link = operation("link:add", r#"{"source":"$A","target":"$B"}"#);
    let want = Operation::LinkAdd(LinkAdd {
        id: None,
        source: id(A),
        target: id(B),
        kind: LinkType::Primary,
        private: false,
    });
    assert_eq!(link, want);
}

#[test]
fn d7_a_request_is_the_same_by_its_content() {
    let base = request("node:add", r#"{"batchId":"$A","title":"t","x":1}"#).expect("a request");
    assert_eq!(base.batch, BatchId(id(A).0));
    for same in [
        r#"{"x":1,"batchId":"$A","title":"t"}"#,
        r#"{ "title" : "\u0074", "x" : 1.0, "batchId" : "$A" }"#,
        r#"{"batchId":"$B","title":"t","x":1}"#,
    ] {
        let same = request("node:add", same).expect("a request");
        assert_eq!(same.fingerprint, base.fingerprint);
    }
    for (event, other) in [
        ("node:add", r#"{"batchId":"$A","title":"t","x":2}"#),
        ("node:add", r#"{"batchId":"$A","title":"t"}"#),
        ("node:add", r#"{"batchId":"$A","title":"t","x":1,"y":0}"#),
    ] {
        let other = request(event, other).expect("a request");
        assert_ne!(other.fingerprint, base.fingerprint);
    }
    // N2: ids are equal in either case; texts are not.
    let print = |event, payload: &str| request(event, payload).map(|request| request.fingerprint);
    let [lower, upper] = ["ab", "AB"].map(|two| format!("{two}0e8400-e29b-41d4-a716-446655440000"));
    for (event, field) in
        [("node:add", "target"), ("node:trash", "id"), ("node:embed", "id"), ("trash:purge", "ids")]
    {
        let payload = |id: &str| match field {
            "ids" => format!(r#"{{"batchId":"$A","ids":["{id}"]}}"#),
            _ => format!(r#"{{"batchId":"$A","{field}":"{id}"}}"#),
        };
        assert!(print(event, &payload(&lower)).is_some());
        assert_eq!(print(event, &payload(&lower)), print(event, &payload(&upper)), "{event}");
    }
    let titled = |title: &str| print("node:add", &format!(r#"{{"batchId":"$A","title":"{title}"}}"#));
    assert_ne!(titled(&lower), titled(&upper));
    let print = |event| request(event, r#"{"batchId":"$A","id":"$B"}"#).map(|request| request.fingerprint);
    assert_ne!(print("node:trash"), print("node:restore"));
    let print = |event| request(event, r#"{"newBatchId":"$A","batchId":"$B"}"#).map(|it| it.fingerprint);
    for (event, alias) in [("history:undo", "batch:undo"), ("history:redo", "batch:redo")] {
        assert!(print(event).is_some());
        assert_eq!(print(event), print(alias), "an alias is the same operation");
    }
    assert_ne!(print("history:undo"), print("history:redo"));
    assert_eq!(request("node:add", "{}"), None);
}

/// Rule: O29.
#[test]
fn o29_other_names_mean_the_same_operation() {
    let empty = |event: &str| format!("{:?}", ask(event, "{}"));
    assert_eq!(empty("trash:list"), empty("trash:page"));
    assert_eq!(empty("trash:empty"), empty("trash:purge"));
    assert_eq!(operation("trash:empty", "{}"), Operation::TrashPurge { ids: None });
    let name = r#"{"batchId":"$A"}"#;
    assert_eq!(request("trash:empty", name), request("trash:purge", name));
    assert_eq!(by_event("graph:get").expect("a row").paths, ["/api/graph", "/api/nodes"]);
}

#[test]
fn g7_limits_and_offsets_are_read_from_body_and_query_alike() {
    let values = [
        ("", "\"\""),
        ("0", "0"),
        ("1", "1"),
        ("-1", "-1"),
        ("-0", "-0"),
        ("1000", "1000"),
        ("1001", "1001"),
        ("5001", "5001"),
        ("5.0", "5.0"),
        ("1e2", "1e2"),
        ("abc", "\"abc\""),
        ("null", "null"),
        ("99999999999999999999999", "99999999999999999999999"),
    ];
    for event in ["graph:get", "trash:page", "account:get"] {
        for field in ["limit", "offset", "since"] {
            for (query, body) in values {
                let row = by_event(event).expect("a row");
                let by_query = Json::from_query(&format!("{field}={query}"), |key| row.takes_integer(key))
                    .expect("well-formed");
                let by_body = Json::parse(format!("{{\"{field}\":{body}}}")).expect("well-formed");
                assert_eq!(read(event, &by_query), read(event, &by_body), "{event} {field} {query}");
            }
        }
    }
}

#[test]
fn t17_a_message_names_the_field_and_never_more_than_a_line_of_it() {
    let refusal = |event: &str, payload: &str| {
        let json = Json::parse(payload.replace("$A", A)).expect("well-formed");
        match decode(by_event(event).expect("a row"), &json) {
            Err(refusal) => refusal.message(),
            other => panic!("{other:?}"),
        }
    };
    let cases = [
        (
            "node:add",
            "{\"colour\":1}",
            "The payload has a field that this operation does not accept. Its name is \"colour\".",
        ),
        ("node:add", "{\"y\":\"\"}", "x, y and z must be finite numbers. The field is \"y\"."),
        ("graph:get", "{\"limit\":0}", "limit/offset out of range"),
        ("node:add", "{\"batchId\":1}", "A batch id must be a UUID v4. The field is \"batchId\"."),
        ("history:undo", "{\"batchId\":1}", "A batch id must be a UUID v4. The field is \"batchId\"."),
        (
            "history:undo",
            "{\"batchId\":\"$A\",\"newBatchId\":\"x\"}",
            "A batch id must be a UUID v4. The field is \"newBatchId\".",
        ),
    ];
    for (event, payload, want) in cases {
        assert_eq!(refusal(event, payload), want);
    }
    let long = refusal("node:add", &format!("{{\"{}\":1}}", "\\n\\u001bx".repeat(100_000)));
    assert!(long.len() < 200 && !long.contains(char::is_control), "{long}");
}

/// JSON of the shapes that payloads have.
fn any_value() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::Bool),
        (-3i64..12).prop_map(Json::Int),
        any::<i64>().prop_map(Json::Int),
        any::<f64>().prop_map(Json::Real),
        Just(Json::Huge(1e300)),
        any::<String>().prop_map(Json::Text),
        Just(Json::Text(A.to_owned())),
        Just(Json::Text("2030-01-01T00:00:00Z".to_owned())),
        Just(Json::Text("a@b".to_owned())),
    ];
    leaf.prop_recursive(2, 16, 4, |inner| proptest::collection::vec(inner, 0..4).prop_map(Json::List))
}

proptest! {
    #[test]
    fn o4_any_payload_has_an_answer(
        row in proptest::sample::select(ROWS.iter().collect::<Vec<_>>()),
        mask in any::<u32>(),
        values in proptest::collection::vec(any_value(), 20),
        stranger in proptest::option::of((any::<String>(), any_value())),
    ) {
        let given = row.fields.iter().zip(values).enumerate();
        let given = given.filter(|(nth, _)| mask & (1 << nth) != 0);
        let mut given: Vec<(String, Json)> =
            given.map(|(_, (field, value))| (field.name.to_owned(), value)).collect();
        given.extend(stranger);
        match decode(row, &Json::Object(given)) {
            Ok(Asked::Mutation { operation: Operation::NodeAdd(NodeAdd { fields, .. }), .. }) => {
                prop_assert!(fields.x.is_none_or(f64::is_finite));
                prop_assert!(fields.title.is_none_or(|title| title.chars().count() <= graph::NODE_FIELDS.title.rule.chars_max));
            }
            Ok(_) => {}
            Err(refusal) => {
                prop_assert!(row.payload_errors().contains(&refusal.fault), "{}", refusal);
            }
        }
    }
}

// Rules: O36, D7, D9.
#[test]
fn o36_a_wrong_operation_is_named_by_its_place_and_the_same_list_is_the_same() {
    let list = |second: &str| format!(r#"{{"batchId":"$A","operations":[{{"event":"node:add"}},{second}]}}"#);
    let row = by_event("graph:apply").expect("a row");
    let failed =
        |second: &str| match decode(row, &Json::parse(list(second).replace("$A", A)).expect("well-formed")) {
            Err(refusal) => (refusal.fault, refusal.index),
            other => panic!("{other:?}"),
        };
    assert_eq!(failed(r#"{"event":"node:trash","id":5}"#), (PayloadFault::InvalidNodeId, Some(1)));
    assert_eq!(failed(r#"{"event":"node:update","id":"$A"}"#), (Reason::NoFieldsToUpdate.into(), Some(1)));
    assert_eq!(failed(r#"{"event":"node:add","owner":1}"#), (PayloadFault::ImmutableField, Some(1)));
    assert_eq!(failed(r#"{"event":"trash:purge"}"#), (Reason::UnknownOperation.into(), Some(1)));
    let fingerprint = |second: &str| request("graph:apply", &list(second)).map(|key| key.fingerprint);
    assert_eq!(
        fingerprint(r#"{"event":"node:add","id":"3F2504E0-4F89-41D3-9A0C-0305E82C3301"}"#),
        fingerprint(r#"{"target":null,"id":"3f2504e0-4f89-41d3-9a0c-0305e82c3301","event":"node:add"}"#),
    );
    assert_ne!(fingerprint(r#"{"event":"node:add"}"#), fingerprint(r#"{"event":"node:add","title":"t"}"#));
}

// Rules: O18, O36.
#[test]
fn o18_a_version_beyond_64_bits_is_a_version_alone_and_in_a_list_of_operations() {
    const ID: &str = "7d444840-9dc0-41d1-b245-5ffdce74fad2";
    for (version, is_taken) in [
        ("-1032420896710545249805533184", true),
        ("100000000000000000000", true),
        ("-1", true),
        ("-0", true),
        ("9", true),
        ("1e20", false),
        ("9.0", false),
        ("-0.0", false),
    ] {
        let update = format!(r#""id":"{ID}","title":"x","version":{version}"#);
        let list = format!(r#"{{"operations":[{{"event":"node:update",{update}}}]}}"#);
        for (event, payload) in [("node:update", format!("{{{update}}}")), ("graph:apply", list)] {
            let payload = Json::from_body(payload.as_bytes()).unwrap();
            let asked = decode(by_event(event).unwrap(), &payload);
            assert_eq!(asked.is_ok(), is_taken, "{event} {version}: {asked:?}");
        }
    }
}
