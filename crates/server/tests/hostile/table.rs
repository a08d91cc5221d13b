//! The payloads and their answers.

pub const A: &str = "\"3f2504e0-4f89-41d3-9a0c-0305e82c3301\"";
pub const B: &str = "\"9b2d3c1e-7a55-4c0b-8f6d-2e1a0c9b8d7e\"";

/// A well-formed payload of each operation, as fields with their JSON.
pub const GOOD: &[(&str, &[(&str, &str)])] = &[
    ("graph:get", &[]),
    ("trash:page", &[]),
    ("trash:list", &[]),
    ("branch:get", &[("root", A)]),
    ("graph:snapshot", &[]),
    ("graph:why", &[("id", A)]),
    ("graph:ready", &[]),
    ("graph:critical", &[]),
    ("node:grants", &[("id", A)]),
    ("graph:sync", &[("since", "1")]),
    ("account:get", &[]),
    ("graph:apply", &[("operations", "[{\"event\":\"node:add\",\"title\":\"t\"}]")]),
    ("ws:ping", &[]),
    ("node:add", &[]),
    ("node:update", &[("id", A), ("title", "\"t\"")]),
    ("node:delete", &[("id", A)]),
    ("node:trash", &[("id", A)]),
    ("node:duplicate", &[("id", A)]),
    ("node:restore", &[("id", A)]),
    ("link:add", &[("source", A), ("target", B)]),
    ("link:update", &[("id", A), ("type", "1")]),
    ("link:delete", &[("id", A)]),
    ("link:trash", &[("id", A)]),
    ("link:restore", &[("id", A)]),
    ("link:swap", &[("id", A)]),
    ("trash:restore", &[("batchId", A)]),
    ("trash:purge", &[]),
    ("trash:empty", &[]),
    ("node:publish", &[("id", A)]),
    ("node:publish:update", &[("id", A), ("branch", "true")]),
    ("node:unpublish", &[("id", A)]),
    ("node:embed", &[("id", A)]),
    ("node:unembed", &[("id", A)]),
    ("node:access", &[("id", A), ("email", "\"a@b\"")]),
    ("node:access:update", &[("id", A), ("email", "\"a@b\""), ("level", "1")]),
    ("node:access:delete", &[("id", A), ("email", "\"a@b\"")]),
    ("access:visibilityupdate", &[("id", A), ("showing", "true")]),
    ("settings:username", &[("username", "\"abc\"")]),
    ("account:register", &[("email", "\"a@b\""), ("username", "\"abc\""), ("password", "\"correct horse\"")]),
    ("account:login", &[("email", "\"a@b\""), ("password", "\"correct horse\"")]),
    ("account:logout", &[]),
    ("account:invite", &[]),
    ("account:invites", &[]),
    ("account:invite:revoke", &[("id", A)]),
    ("account:password:forgot", &[("email", "\"a@b\"")]),
    ("account:password:reset", &[("key", "\"k\""), ("password", "\"correct horse\"")]),
    ("settings:view", &[("showAllCards", "true")]),
    ("account:sessions", &[]),
    ("account:sessions:end", &[]),
    ("account:email", &[("email", "\"a@b\"")]),
    ("account:email:confirm", &[("key", "\"k\"")]),
    ("account:close", &[]),
    ("account:tokens", &[]),
    ("account:tokens:create", &[]),
    ("account:tokens:update", &[("id", A), ("name", "\"phone\"")]),
    ("account:tokens:revoke", &[("id", A)]),
    ("account:tokens:rotate", &[("id", A)]),
    ("account:oidc", &[]),
    ("account:oidc:start", &[("name", "\"google\"")]),
    ("account:oidc:callback", &[("name", "\"google\"")]),
    ("account:google", &[("code", "\"c\"")]),
    ("account:identity:remove", &[("provider", "\"google\"")]),
    ("admin:users", &[]),
    ("admin:user", &[("id", A), ("admin", "true")]),
    ("admin:user:disable", &[("id", A)]),
    ("admin:user:enable", &[("id", A)]),
    ("admin:user:reopen", &[("id", A)]),
    ("admin:user:remove", &[("id", A)]),
    ("account:password", &[("old", "\"correct horse\""), ("new", "\"correct horse\"")]),
    ("history:page", &[]),
    ("history:undo", &[("batchId", A)]),
    ("history:redo", &[("batchId", A)]),
    ("batch:undo", &[("batchId", A)]),
    ("batch:redo", &[("batchId", A)]),
];

/// What names a batch by `batchId`, and its own by `newBatchId`.
pub const TURNS: &[&str] = &["history:undo", "history:redo", "batch:undo", "batch:redo", "trash:restore"];

pub const READS: &[&str] = &[
    "graph:get",
    "trash:page",
    "trash:list",
    "branch:get",
    "graph:snapshot",
    "graph:why",
    "graph:ready",
    "graph:critical",
    "node:grants",
    "graph:sync",
    "history:page",
    "account:get",
    "ws:ping",
];
/// What the table of operations says of accounts. It is not a mutation of the graph, and takes no batchId.
pub const ACCOUNTS: &[&str] = &[
    "account:register",
    "account:login",
    "account:logout",
    "account:invite",
    "account:invites",
    "account:invite:revoke",
    "account:password:forgot",
    "account:password:reset",
    "account:password",
    "account:sessions",
    "account:sessions:end",
    "account:email",
    "account:email:confirm",
    "account:close",
    "account:tokens",
    "account:tokens:create",
    "account:tokens:update",
    "account:tokens:revoke",
    "account:tokens:rotate",
    "account:oidc",
    "account:oidc:start",
    "account:google",
    "account:identity:remove",
    "admin:users",
    "admin:user",
    "admin:user:disable",
    "admin:user:enable",
    "admin:user:reopen",
    "admin:user:remove",
];
/// What another program adds fields to, as it likes.
pub const OPEN: &[&str] = &["account:oidc:callback"];
/// What takes a password, and in which field.
const PASSWORDS: &[(&str, &str)] = &[
    ("account:register", "password"),
    ("account:login", "password"),
    ("account:password:reset", "password"),
    ("account:password", "old"),
    ("account:password", "new"),
];
/// What takes a password that the account may lack.
const OWN_PASSWORDS: &[&str] = &["account:email", "account:close"];
pub const PAGES: &[&str] = &["graph:get", "trash:page", "trash:list", "branch:get", "history:page"];
pub const NODES: &[&str] = &["node:add", "node:update"];
pub const LINKS: &[&str] = &["link:add", "link:update"];
pub const NAMED_NODE: &[&str] = &[
    "node:update",
    "node:delete",
    "node:trash",
    "node:duplicate",
    "node:restore",
    "node:publish",
    "node:publish:update",
    "node:unpublish",
    "node:access",
    "node:access:update",
    "node:access:delete",
    "access:visibilityupdate",
    "graph:why",
    "node:grants",
];
pub const NAMED_LINK: &[&str] = &["link:update", "link:delete", "link:trash", "link:restore", "link:swap"];
pub const EMBEDS: &[&str] = &["node:embed", "node:unembed"];
pub const NEW: &[&str] = &["node:add", "link:add"];
pub const GRANTS: &[&str] = &["node:access", "node:access:update", "node:access:delete"];
pub const LEVELS: &[&str] = &["node:access", "node:access:update"];
pub const SHARES: &[&str] = &["node:publish", "node:publish:update", "node:access", "node:access:update"];

/// Wrong values wherever a UUID is expected.
pub const NO_UUID: &[&str] = &[
    "null",
    "true",
    "5",
    "[]",
    "{}",
    "\"\"",
    "\"123\"",
    "\"3f2504e04f8941d39a0c0305e82c3301\"",
    "\"{3f2504e0-4f89-41d3-9a0c-0305e82c3301}\"",
    "\"urn:uuid:3f2504e0-4f89-41d3-9a0c-0305e82c3301\"",
    "\"3f2504e0-4f89-41d3-9a0c-0305e82c330\"",
    "\"3f2504e0-4f89-41d3-9a0c-0305e82c330g\"",
    "\" 3f2504e0-4f89-41d3-9a0c-0305e82c3301\"",
    "\"3f2504e0-4f89-41d3-9a0c-0305e82c3301\\u0000\"",
    "\"3f2504e0-4f89-41d3-9a0c-0305e82c33ä\"",
    "\"' OR 1=1 --\"",
];

/// Further wrong values for the client's own ids: not version 4, or not of the usual variant.
pub const NO_V4: &[&str] = &[
    "\"00000000-0000-0000-0000-000000000000\"",
    "\"ffffffff-ffff-ffff-ffff-ffffffffffff\"",
    "\"c232ab00-9414-11ec-b3c8-9f6bdeced846\"",
    "\"018f3e5c-7b1a-7c3d-9e2f-1a2b3c4d5e6f\"",
    "\"3f2504e0-4f89-41d3-ca0c-0305e82c3301\"",
];

/// Wrong values where null means absence.
fn but_null(wrong: &[&'static str]) -> Vec<&'static str> {
    wrong.iter().copied().filter(|value| *value != "null").collect()
}

/// Wrong values wherever a boolean is expected.
pub const NO_BOOLEAN: &[&str] = &["null", "0", "1", "\"true\"", "\"\"", "[]", "{}", "1.0", "[true]"];

/// Wrong values wherever an integer is expected.
pub const NO_INTEGER: &[&str] = &[
    "null",
    "true",
    "false",
    "\"1\"",
    "\"\"",
    "[]",
    "[1]",
    "{}",
    "1.0",
    "1e0",
    "0.5",
    "1.0000000000000001",
    "-1.0",
    "1e20",
    "-0.0",
];

pub fn quoted(text: &str) -> String {
    format!("\"{text}\"")
}

pub fn list(item: &str, count: usize) -> String {
    format!("[{}]", vec![item; count].join(","))
}

pub fn numbered(count: usize) -> String {
    let items: Vec<String> = (0..count).map(|nth| format!("\"t{nth}\"")).collect();
    format!("[{}]", items.join(","))
}

/// One bad payload and the code that answers it.
pub struct Case {
    pub event: &'static str,
    pub payload: String,
    pub code: &'static str,
}

#[derive(Default)]
struct Table(Vec<Case>);

impl Table {
    /// Every value in the field of every operation.
    fn field<V: AsRef<str>>(
        &mut self,
        events: &[&'static str],
        field: &str,
        values: &[V],
        code: &'static str,
    ) {
        for event in events {
            for value in values {
                let payload = object(&with(good(event), field, value.as_ref()));
                self.0.push(Case { event, payload, code });
            }
        }
    }

    fn without(&mut self, events: &[&'static str], field: &str, code: &'static str) {
        for event in events {
            let fields: Vec<_> = good(event).into_iter().filter(|(name, _)| name != field).collect();
            self.0.push(Case { event, payload: object(&fields), code });
        }
    }

    fn whole(&mut self, event: &'static str, payload: &str, code: &'static str) {
        self.0.push(Case { event, payload: payload.to_owned(), code });
    }
}

pub type Fields = Vec<(String, String)>;

pub fn good(event: &str) -> Fields {
    let (_, fields) = GOOD.iter().find(|(good, _)| *good == event).unwrap_or(&("", &[]));
    fields.iter().map(|(name, json)| ((*name).to_owned(), (*json).to_owned())).collect()
}

pub fn with(mut fields: Fields, name: &str, json: &str) -> Fields {
    fields.retain(|(has, _)| has != name);
    fields.push((name.to_owned(), json.to_owned()));
    fields
}

pub fn object(fields: &Fields) -> String {
    let fields: Vec<String> = fields.iter().map(|(name, json)| format!("\"{name}\":{json}")).collect();
    format!("{{{}}}", fields.join(","))
}

pub fn all_events() -> Vec<&'static str> {
    GOOD.iter().map(|(event, _)| *event).collect()
}

fn mutations() -> Vec<&'static str> {
    let others = [READS, ACCOUNTS, OPEN].concat();
    all_events().into_iter().filter(|event| !others.contains(event)).collect()
}

// Rules: T21, O4, O7.
fn shapes(table: &mut Table) {
    for event in all_events() {
        for payload in ["null", "true", "5", "\"{}\"", "[]", "[{}]"] {
            table.whole(event, payload, "fields_must_be_dict");
        }
    }
    let all: Vec<_> = all_events().into_iter().filter(|event| !OPEN.contains(event)).collect();
    table.field(&all, "nonsense", &["1", "null"], "unknown_field");
    table.field(&all, "__proto__", &["{}"], "unknown_field");
    table.field(&all, "constructor", &["{}"], "unknown_field");
    table.field(&all, "Id", &[A], "unknown_field");
    table.field(&all, "", &["0"], "unknown_field");
    table.field(READS, "batchId", &[A], "unknown_field");
    table.field(ACCOUNTS, "batchId", &[A], "unknown_field");
    table.field(&["trash:empty"], "ids", &["[]", A], "unknown_field");
    table.field(&["node:trash", "link:trash", "node:publish"], "version", &["1"], "unknown_field");
    table.field(&["node:update", "node:trash", "link:update"], "asignee", &["[]"], "unknown_field");
    table.field(&["node:update"], "target", &[B], "unknown_field");
    table.field(&["node:publish", "node:access"], "publicToken", &["\"x\""], "unknown_field");
}

// Rules: O6, N8.
fn read_only(table: &mut Table) {
    for field in [
        "createdTime",
        "lastEditedTime",
        "owner",
        "ownerUsername",
        "ownerEmail",
        "ownerId",
        "inTrash",
        "lastBatchID",
        "shareRoots",
    ] {
        table.field(NODES, field, &["null"], "immutable_field");
        table.field(LINKS, field, &["null"], "immutable_field");
    }
    for field in ["type", "publicToken", "publicDue", "publicBranch", "access"] {
        table.field(NODES, field, &["0"], "immutable_field");
    }
    table.field(LINKS, "wasBlocker", &["true"], "immutable_field");
    table.field(&["node:add", "link:add", "link:update"], "version", &["1"], "immutable_field");
    table.field(&["link:update"], "source", &[A], "immutable_field");
    table.field(&["link:update"], "target", &[A], "immutable_field");
}

// Rules: O8, O9, O34, R10, H5. G8.
fn ids(table: &mut Table) {
    let mutations = mutations();
    let no_uuid_or_null = &but_null(NO_UUID);
    let named: Vec<&str> = mutations.iter().copied().filter(|event| !TURNS.contains(event)).collect();
    table.field(&named, "batchId", no_uuid_or_null, "invalid_batch_id");
    table.field(&named, "batchId", NO_V4, "invalid_batch_id");
    table.field(TURNS, "newBatchId", no_uuid_or_null, "invalid_batch_id");
    table.field(TURNS, "newBatchId", NO_V4, "invalid_batch_id");
    table.field(NEW, "id", no_uuid_or_null, "invalid_id");
    table.field(NEW, "id", NO_V4, "invalid_id");
    table.field(NAMED_NODE, "id", NO_UUID, "invalid_node_id");
    table.field(NAMED_LINK, "id", NO_UUID, "invalid_link_id");
    table.without(NAMED_NODE, "id", "missing_id");
    table.without(NAMED_LINK, "id", "missing_id");
    table.without(EMBEDS, "id", "missing_id");
    table.field(EMBEDS, "id", &["null", "5", "true", "[]", "{}"], "invalid_node_id");
    table.field(EMBEDS, "id", &[quoted(&"x".repeat(101))], "invalid_node_id");
    table.without(&["branch:get"], "root", "missing_id");
    for by_root in ["branch:get", "graph:snapshot", "graph:ready", "graph:critical"] {
        table.field(&[by_root], "root", &["null", "5", "true", "[]", "{}"], "invalid_node_id");
        table.field(&[by_root], "root", &[quoted(&"x".repeat(101))], "invalid_node_id");
    }
    table.field(&["graph:critical"], "id", no_uuid_or_null, "invalid_node_id");
    table.field(&["graph:ready"], "mine", NO_BOOLEAN, "invalid_mine");
    table.without(TURNS, "batchId", "missing_batchId");
    table.field(TURNS, "batchId", NO_UUID, "invalid_batch_id");
    table.field(&["history:page"], "scopeId", no_uuid_or_null, "invalid_scope");
    table.field(&["history:page"], "scopeType", &["5", "\"\"", "\"user\"", "[]"], "invalid_scope");
    table.field(&["node:add", "node:duplicate"], "target", no_uuid_or_null, "invalid_target_id");
    let pair = |of: &str, id: &str| format!("{{{of}:{id}}}");
    let no_pairs = ["5", "true", "[]", "\"\"", A].map(str::to_owned);
    let wrong = [pair("\"x\"", B), pair(A, "null"), pair(A, "\"x\""), pair(A, "[]"), pair("\"\"", B)];
    table.field(&["node:duplicate"], "ids", &no_pairs, "invalid_copy_ids");
    table.field(&["node:duplicate"], "ids", &wrong, "invalid_copy_ids");
    for id in NO_V4 {
        table.field(&["node:duplicate"], "ids", &[pair(A, id)], "invalid_copy_ids");
    }
    for end in ["source", "target"] {
        table.field(&["link:add"], end, NO_UUID, "invalid_source_target_id");
        table.without(&["link:add"], end, "invalid_source_target_id");
    }
    table.field(&["trash:purge"], "ids", NO_UUID.split_at(3).0, "invalid_ids");
    table.field(
        &["trash:purge"],
        "ids",
        &[A, "{}", "\"\"", "[5]", "[null]", "[[]]", "[\"x\"]"],
        "invalid_ids",
    );
    table.field(&["trash:purge"], "ids", &[list(A, 1001)], "invalid_ids");
}

// Rules: O36, O37, O38.
fn operations(table: &mut Table) {
    let all = &["graph:apply"];
    table.without(all, "operations", "invalid_operations");
    table.field(all, "operations", &["null", "5", "true", "{}", "\"\"", A], "invalid_operations");
    table.field(all, "operations", &[list("{\"event\":\"node:add\"}", 1001)], "invalid_operations");
    table.field(all, "operations", &["[5]", "[null]", "[[]]", "[\"node:add\"]"], "fields_must_be_dict");
    let event = |event: &str, more: &str| format!("[{{\"event\":\"node:add\"}},{{\"event\":{event}{more}}}]");
    let undo = format!(",\"batchId\":{A}");
    table.field(all, "operations", &["[{}]", "[{\"title\":\"t\"}]"], "unknown_operation");
    for name in [
        "null",
        "5",
        "\"\"",
        "\"node:Add\"",
        "\"graph:get\"",
        "\"ws:ping\"",
        "\"trash:purge\"",
        "\"node:drag\"",
    ] {
        table.field(all, "operations", &[event(name, "")], "unknown_operation");
    }
    for name in ["history:undo", "history:redo", "batch:undo", "batch:redo"] {
        table.field(all, "operations", &[event(&quoted(name), &undo)], "unknown_operation");
    }
    table.field(
        all,
        "operations",
        &[event("\"settings:username\"", ",\"username\":\"abc\"")],
        "unknown_operation",
    );
    table.field(all, "operations", &[event("\"graph:apply\"", ",\"operations\":[]")], "unknown_operation");
    // A batch of its own none of them has.
    table.field(all, "operations", &[event("\"node:add\"", &undo)], "unknown_field");
    let new_batch = format!("{undo},\"newBatchId\":{B}");
    table.field(all, "operations", &[event("\"trash:restore\"", &new_batch)], "unknown_field");
}

// Rules: N3, N4, N9, N13, N21.
fn texts(table: &mut Table) {
    let no_text = ["null", "5", "true", "[]", "{}", "[\"a\"]"];
    // Every C0 control but \t, \n and \r.
    let controls: Vec<String> =
        (0..0x20).filter(|c| ![9, 10, 13].contains(c)).map(|c| format!("\"a\\u{c:04x}b\"")).collect();
    for field in ["title", "description"] {
        table.field(NODES, field, &no_text, "invalid_text");
        table.field(NODES, field, &controls, "invalid_text");
    }
    let too_long = |most: usize| {
        [quoted(&"x".repeat(most + 1)), quoted(&"😀".repeat(most + 1)), quoted(&" ".repeat(most + 1))]
    };
    table.field(NODES, "title", &too_long(80), "title_too_long");
    table.field(
        NODES,
        "title",
        &[quoted(&"e\\u0301".repeat(41)), quoted(&"x".repeat(100_000))],
        "title_too_long",
    );
    table.field(NODES, "description", &too_long(400), "description_too_long");

    table.field(
        NODES,
        "tags",
        &["null", "5", "true", "{}", "\"a,b\"", "[5]", "[null]", "[[]]"],
        "invalid_tags",
    );
    table.field(NODES, "tags", &["[\"a\",5]", "[\"a\",{}]"], "invalid_tags");
    table.field(NODES, "tags", &["[\"\"]", "[\" \"]", "[\"\\t\\n\"]", "[\"a\",\"\\u3000\"]"], "tag_empty");
    table.field(NODES, "tags", &[format!("[\"{}\"]", "x".repeat(51))], "tag_too_long");
    table.field(NODES, "tags", &[numbered(33), numbered(1001), list("5", 1001)], "too_many_tags");
    table.field(NODES, "tags", &["[\"a\\u0000\"]", "[\"\\u000b\"]", "[\"\\u001f\"]"], "invalid_text");

    let no_names = ["null", "5", "{}", "\"ann\"", "[5]", "[null]", "[\"\"]", "[\"ann\",\"\"]", "[[\"ann\"]]"];
    table.field(NODES, "assignee", &no_names, "invalid_assignee");
    table.field(NODES, "assignee", &[numbered(33), format!("[\"{}\"]", "x".repeat(255))], "invalid_assignee");
    table.field(NODES, "assignee", &["[\"a\\u0001\"]"], "invalid_text");
}

// Rules: N5, N10, N11, N12, N14, N15, N23, N24, B7, O5, O9, G7, G9, G10.
fn numbers_and_flags(table: &mut Table) {
    for (field, code) in [("priority", "invalid_priority"), ("volume", "invalid_volume")] {
        table.field(NODES, field, NO_INTEGER, code);
        table.field(NODES, field, &["-1", "10", "255", "256", "4294967296", "99999999999999999999"], code);
    }
    table.field(NODES, "status", NO_INTEGER, "invalid_status");
    table.field(NODES, "status", &["-1", "4", "256", "258", "99999999999999999999"], "invalid_status");
    table.field(NODES, "status", &["2"], "status_blocked");
    for (field, code) in [
        ("independent", "invalid_independent"),
        ("pinned", "invalid_pinned"),
        ("collapsed", "invalid_collapsed"),
    ] {
        table.field(NODES, field, NO_BOOLEAN, code);
    }
    for axis in ["x", "y", "z"] {
        table.field(
            NODES,
            axis,
            &["null", "true", "\"1\"", "\"NaN\"", "[]", "[1]", "{}"],
            "invalid_position",
        );
    }
    table.field(&["node:update"], "version", &but_null(NO_INTEGER), "invalid_version");
    table.field(&["graph:sync"], "since", NO_INTEGER, "invalid_since");
    table.without(&["graph:sync"], "since", "invalid_since");
    table.field(LINKS, "type", NO_INTEGER, "invalid_link_type");
    table.field(LINKS, "type", &["-1", "2", "256", "257", "99999999999999999999"], "invalid_link_type");
    table.field(LINKS, "private", NO_BOOLEAN, "invalid_link_private");
    for listed in [PAGES, &["graph:ready"]] {
        table.field(listed, "limit", NO_INTEGER, "invalid_limit");
        table.field(listed, "limit", &["0", "-0", "-1", "5001", "99999999999999999999"], "out_of_range");
    }
    table.field(PAGES, "offset", NO_INTEGER, "invalid_offset");
    table.field(
        &["trash:page", "trash:list", "history:page", "graph:ready"],
        "limit",
        &["1001", "5000"],
        "out_of_range",
    );
    table.field(PAGES, "offset", &["-1", "-9223372036854775808", "99999999999999999999"], "out_of_range");
}

// Rules: N7, S2, S18.
fn times(table: &mut Table) {
    let no_time = [
        "5",
        "1.5",
        "true",
        "[]",
        "{}",
        "\"\"",
        "\"tomorrow\"",
        "\"2030-01-01\"",
        "\"2030-01-01T00:00:00\"",
        "\"2030-13-01T00:00:00Z\"",
        "\"2030-02-30T00:00:00Z\"",
        "\"2030-01-01T25:00:00Z\"",
        "\"2030-01-01T00:00:00+25:00\"",
        "\"1969-12-31T23:59:59Z\"",
        "\"1970-01-01T00:00:00+00:01\"",
        "\"10000-01-01T00:00:00Z\"",
        "\"9999-12-31T23:59:59-00:01\"",
        "\"-2030-01-01T00:00:00Z\"",
        "\"2030-01-01T00:00:00Z \"",
        "\"٢٠٣٠-01-01T00:00:00Z\"",
    ];
    table.field(NODES, "dueDate", &no_time, "invalid_due_datetime");
    table.field(SHARES, "due", &no_time, "invalid_due");
}

/// An email as JSON: with a first part of two characters the longest possible, 254.
pub fn longest_email(local: &str) -> String {
    format!("\"{local}@{}\"", [62; 4].map(|length| "c".repeat(length)).join("."))
}

// Rules: S2, S13, S16, O9, O26, N1, N33.
fn sharing(table: &mut Table) {
    table.field(SHARES, "branch", NO_BOOLEAN, "invalid_branch_value");
    table.field(&["node:trash", "node:duplicate"], "branch", NO_BOOLEAN, "invalid_branch_value");
    table.field(LEVELS, "level", NO_INTEGER, "invalid_level");
    table.field(LEVELS, "level", &["0", "4", "-1", "257", "99999999999999999999"], "invalid_level");
    table.without(GRANTS, "email", "missing_email");
    let no_email = [
        "null",
        "5",
        "[]",
        "{}",
        "\"\"",
        "\"a\"",
        "\"@\"",
        "\"a@\"",
        "\"@b\"",
        "\"a b@c\"",
        "\"a@b@c\"",
        "\"a@b\\u0000\"",
        "\"a@b\\n\"",
        "\" a@b\"",
        "\"a\\u00a0@b\"",
        "\"<a@b>\"",
        "\"a@b\\u202e\"",
        "\"\\\"a\\\"@b\"",
    ];
    table.field(GRANTS, "email", &no_email, "invalid_email");
    // Too long by one; and of the greatest length, with a label that is too long.
    let too_long = [longest_email("bbb"), format!("\"a@{}\"", "b".repeat(64))];
    table.field(GRANTS, "email", &too_long, "invalid_email");
    table.field(&["access:visibilityupdate"], "showing", NO_BOOLEAN, "invalid_showing");
    table.without(&["access:visibilityupdate"], "showing", "invalid_showing");
    let no_name = [
        "null",
        "5",
        "[]",
        "\"\"",
        "\"ab\"",
        "\"a b\"",
        "\"a@b\"",
        "\"äöü\"",
        "\"abc\\n\"",
        "\"ab\\u0000\"",
        "\"abc/\"",
    ];
    table.field(&["settings:username"], "username", &no_name, "invalid_username");
    table.field(&["settings:username"], "username", &[quoted(&"x".repeat(33))], "invalid_username");
    table.without(&["settings:username"], "username", "invalid_username");
}

// Rules: K7, K13, K17.
fn accounts(table: &mut Table) {
    let no_password = ["null", "5", "true", "[]", "{}", &quoted(&"x".repeat(1_025))];
    for (event, field) in PASSWORDS {
        table.field(&[event], field, &no_password, "invalid_password");
        table.without(&[event], field, "invalid_password");
    }
    let not_text = ["5", "true", "[]", "{}", &quoted(&"x".repeat(1_025))];
    table.field(OWN_PASSWORDS, "password", &not_text, "invalid_password");
    let no_key = ["5", "true", "[]", "{}", &quoted(&"x".repeat(101))];
    table.field(&["account:register"], "invite", &no_key, "malformed_key");
    table.field(&["account:password:reset"], "key", &no_key, "malformed_key");
    table.field(&["account:password:reset"], "key", &["null"], "malformed_key");
    table.without(&["account:password:reset"], "key", "missing_key");
    table.field(&["account:invite:revoke"], "id", NO_UUID, "invalid_id");
    table.without(&["account:invite:revoke"], "id", "missing_id");
    let takes_email = ["account:register", "account:login", "account:password:forgot", "account:email"];
    table.field(&takes_email, "email", &["null", "5", "\"a\"", "\"a@b@c\""], "invalid_email");
    for event in takes_email {
        table.without(&[event], "email", "missing_email");
    }
    table.field(&["account:email:confirm"], "key", &no_key, "malformed_key");
    table.field(&["account:email:confirm"], "key", &["null"], "malformed_key");
    table.without(&["account:email:confirm"], "key", "missing_key");
    let no_id: Vec<&str> = NO_UUID.iter().copied().filter(|wrong| *wrong != "null").collect();
    table.field(&["account:sessions:end"], "id", &no_id, "invalid_id");
    let of_user =
        ["admin:user", "admin:user:disable", "admin:user:enable", "admin:user:reopen", "admin:user:remove"];
    table.field(&of_user, "id", NO_UUID, "invalid_id");
    table.without(&of_user, "id", "missing_id");
    table.field(&["admin:user"], "plan", &["null", "5", "\"gold\"", "\"PRO\""], "invalid_plan");
    table.field(&["admin:user"], "admin", &["null", "5", "\"true\""], "invalid_admin");
    table.without(&["admin:user"], "admin", "no_fields_to_update");
    let no_camera = ["true", "5", "\"{}\"", "[]"];
    table.field(&["settings:view"], "cameraPosition", &no_camera, "invalid_view");
    table.field(&["settings:view"], "showAllCards", &["null", "5", "\"true\""], "invalid_view");
    table.without(&["settings:view"], "showAllCards", "no_fields_to_update");
    table.field(&["account:invite"], "email", &["5", "\"\"", "\"a\""], "invalid_email");
    table.field(&["account:register"], "username", &["null", "5", "\"ab\"", "\"a b\""], "invalid_username");
    table.without(&["account:register"], "username", "invalid_username");
}

// Rules: T9, Y1, Y2, Y3.
fn tokens(table: &mut Table) {
    let named = ["account:tokens:update", "account:tokens:rotate"];
    table.field(&named, "id", NO_UUID, "invalid_token_id");
    table.without(&named, "id", "missing_id");
    table.field(&["account:tokens:revoke"], "id", &but_null(NO_UUID), "invalid_token_id");
    table.field(&["account:tokens:revoke"], "all", NO_BOOLEAN, "invalid_all");
    let no_name = ["null", "5", "[]", "\"two\\nlines\"", "\"\\u009b2J\"", &quoted(&"x".repeat(81))];
    let kept = ["account:tokens:create", "account:tokens:update"];
    table.field(&kept, "name", &no_name, "invalid_token_name");
    table.field(&kept, "expires", &["5", "\"soon\"", "[]", "{}"], "invalid_expires");
    table.without(&["account:tokens:update"], "name", "no_fields_to_update");
    let branch = |id: &str, level: &str| format!("{{\"branch\":{id},\"level\":{level}}}");
    let no_branch = ["0", "4", "\"1\"", "null"].map(|level| branch(A, level));
    let no_scope = ["null", "5", "[]", "{}", "\"write\"", "\"READ\""].map(str::to_owned);
    let half =
        [format!("{{\"branch\":{A}}}"), branch("5", "3"), format!("{{\"branch\":{A},\"level\":3,\"x\":1}}")];
    for wrong in [&no_branch[..], &no_scope, &half] {
        table.field(&["account:tokens:create"], "scope", wrong, "invalid_token_scope");
    }
}

// Rules: I5, I6, I7, I11, I13.
fn identity_providers(table: &mut Table) {
    let no_words = |most: usize| {
        ["null", "5", "true", "[]", "{}", "\"\""]
            .map(str::to_owned)
            .into_iter()
            .chain([quoted(&"x".repeat(most + 1))])
    };
    let optional = |most: usize| no_words(most).filter(|wrong| wrong != "null").collect::<Vec<_>>();
    for (event, field) in [
        ("account:oidc:start", "name"),
        ("account:oidc:callback", "name"),
        ("account:identity:remove", "provider"),
    ] {
        table.field(&[event], field, &no_words(32).collect::<Vec<_>>(), "invalid_provider");
        table.without(&[event], field, "missing_provider");
    }
    table.field(&["account:oidc:start"], "next", &optional(1_000), "invalid_next");
    table.field(&["account:oidc:start"], "invite", &["5", "[]", &quoted(&"x".repeat(101))], "malformed_key");
    for field in ["state", "code", "iss", "error"] {
        table.field(
            &["account:oidc:callback"],
            field,
            &no_words(4_000).collect::<Vec<_>>(),
            "invalid_answer",
        );
    }
    table.field(&["account:google"], "code", &no_words(4_000).collect::<Vec<_>>(), "invalid_answer");
    table.without(&["account:google"], "code", "missing_code");
    table.field(&["account:google"], "redirectUri", &optional(2_000), "invalid_redirect_uri");
}

/// Of several faults the first answers.
// Rules: O4, S3, S14.
fn order(table: &mut Table) {
    let node = |rest: &str| format!("{{\"id\":{A}{rest}}}");
    let whole = [
        ("node:update", node(""), "no_fields_to_update"),
        ("node:update", node(",\"version\":1"), "no_fields_to_update"),
        ("node:update", node(&format!(",\"batchId\":{A}")), "no_fields_to_update"),
        ("link:update", node(""), "no_fields_to_update"),
        ("node:publish:update", node(""), "no_fields_to_update"),
        ("node:access:update", node(",\"email\":\"a@b\""), "no_fields_to_update"),
        ("node:update", "{}".to_owned(), "missing_id"),
        ("node:update", "{\"title\":5}".to_owned(), "missing_id"),
        ("node:update", "{\"title\":5,\"id\":5}".to_owned(), "invalid_node_id"),
        ("node:update", "{\"title\":5,\"id\":5,\"x\":0,\"batchId\":5}".to_owned(), "invalid_batch_id"),
        ("node:update", "{\"title\":5,\"id\":5,\"type\":1,\"batchId\":5}".to_owned(), "immutable_field"),
        ("node:update", "{\"nonsense\":1,\"type\":1}".to_owned(), "unknown_field"),
        ("node:update", "{\"type\":1,\"nonsense\":1}".to_owned(), "immutable_field"),
        ("node:update", node(",\"version\":\"1\""), "invalid_version"),
        ("node:update", node(",\"version\":\"1\",\"collapsed\":1"), "invalid_collapsed"),
        ("node:add", "{\"collapsed\":1,\"pinned\":1}".to_owned(), "invalid_pinned"),
        ("node:add", "{\"pinned\":1,\"z\":\"\",\"y\":\"\"}".to_owned(), "invalid_position"),
        ("node:add", "{\"x\":\"\",\"assignee\":1}".to_owned(), "invalid_assignee"),
        ("node:add", "{\"assignee\":1,\"independent\":1}".to_owned(), "invalid_independent"),
        ("node:add", "{\"independent\":1,\"volume\":10}".to_owned(), "invalid_volume"),
        ("node:add", "{\"volume\":10,\"priority\":10}".to_owned(), "invalid_priority"),
        ("node:add", "{\"priority\":10,\"tags\":1}".to_owned(), "invalid_tags"),
        ("node:add", "{\"tags\":1,\"dueDate\":1}".to_owned(), "invalid_due_datetime"),
        ("node:add", "{\"dueDate\":1,\"status\":9}".to_owned(), "invalid_status"),
        ("node:add", "{\"status\":2,\"description\":1}".to_owned(), "invalid_text"),
        ("node:add", "{\"title\":1,\"target\":1,\"id\":1}".to_owned(), "invalid_id"),
        ("node:add", "{\"title\":1,\"target\":1}".to_owned(), "invalid_target_id"),
        ("link:add", "{\"private\":1,\"type\":2}".to_owned(), "invalid_source_target_id"),
        ("link:update", node(",\"private\":1,\"type\":2"), "invalid_link_type"),
        ("graph:get", "{\"offset\":\"x\",\"limit\":0}".to_owned(), "out_of_range"),
        ("graph:get", "{\"offset\":-1,\"limit\":\"x\"}".to_owned(), "invalid_limit"),
        ("node:access", "{\"email\":\"\",\"level\":9}".to_owned(), "missing_id"),
        ("node:access", node(",\"level\":9"), "missing_email"),
        ("node:access", node(",\"email\":\"\",\"level\":9"), "invalid_email"),
        ("node:access", node(",\"email\":\"a@b\",\"level\":9,\"branch\":1,\"due\":1"), "invalid_level"),
        ("node:access", node(",\"email\":\"a@b\",\"branch\":1,\"due\":1"), "invalid_branch_value"),
    ];
    for (event, payload, code) in whole {
        table.whole(event, &payload, code);
    }
}

/// All of it.
pub fn table() -> Vec<Case> {
    let mut table = Table::default();
    for part in [
        shapes,
        read_only,
        ids,
        operations,
        texts,
        numbers_and_flags,
        times,
        sharing,
        accounts,
        tokens,
        identity_providers,
        order,
    ] {
        part(&mut table);
    }
    table.0
}
