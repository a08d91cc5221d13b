// Collections and API rules for the generator. A record is seen by its owner and by those who have a grant on its root;
// only its owner edits it. The rules do not walk a graph, block, or keep history: PocketBase has no such thing.
// BENCH_USERS users are added, whose ids and tokens go to the file BENCH_USERS_FILE, and BENCH_RECORDS tasks of the first.
migrate((app) => {
  const users = app.findCollectionByNameOrId("users");
  const one = (name, collection, required) => ({
    type: "relation", name, collectionId: collection.id, maxSelect: 1, required, cascadeDelete: required,
  });
  const nodes = new Collection({
    type: "base",
    name: "nodes",
    fields: [
      one("owner", users, true),
      { type: "text", name: "title", max: 80 },
      { type: "text", name: "description", max: 400 },
      { type: "number", name: "status", min: 0, max: 3 },
      { type: "number", name: "priority", min: 0, max: 9 },
      { type: "number", name: "volume", min: 0, max: 9 },
      { type: "number", name: "x" },
      { type: "number", name: "y" },
      { type: "number", name: "z" },
      { type: "autodate", name: "created", onCreate: true },
      { type: "autodate", name: "updated", onCreate: true, onUpdate: true },
    ],
    indexes: ["CREATE INDEX nodes_of_owner ON nodes (owner)"],
  });
  app.save(nodes);
  nodes.fields.add(new RelationField({ name: "root", collectionId: nodes.id, maxSelect: 1 }));
  app.save(nodes);
  app.save(new Collection({
    type: "base",
    name: "grants",
    fields: [one("node", nodes, true), one("user", users, true), { type: "number", name: "level", min: 1, max: 3 }],
    indexes: ["CREATE UNIQUE INDEX grants_of_node ON grants (node, user)"],
  }));
  nodes.listRule =
    "@request.auth.id != '' && (owner = @request.auth.id || root.grants_via_node.user ?= @request.auth.id)";
  nodes.viewRule = nodes.listRule;
  nodes.createRule = "@request.auth.id != '' && owner = @request.auth.id";
  nodes.updateRule = "@request.auth.id != '' && owner = @request.auth.id";
  app.save(nodes);

  // Rows are written directly: the API would hash a password for each user, which takes minutes for thousands.
  const run = (sql, values) => app.db().newQuery(sql).bind(values).execute();
  const added = [];
  const monthInNanoseconds = 30 * 86400 * 1e9;
  for (let n = 0; n < Number($os.getenv("BENCH_USERS")); n += 1) {
    const values = { id: `u${String(n).padStart(14, "0")}`, email: `user-${n}@example.com`, key: $security.randomString(50) };
    run("INSERT INTO users (id, email, password, tokenKey, verified) VALUES ({:id}, {:email}, 'none', {:key}, 1)", values);
    const token = app.findRecordById("users", values.id).newStaticAuthToken(monthInNanoseconds);
    added.push({ id: values.id, email: values.email, token });
    // Everyone may see what belongs to the root of the first user.
    run("INSERT INTO grants (id, node, user, level) VALUES ({:id}, 'root00000000000', {:id}, 3)", { id: values.id });
  }
  const now = "2026-01-01 00:00:00.000Z";
  const owner = added[0].id;
  run(`INSERT INTO nodes (id, owner, title, root, created, updated)
    VALUES ('root00000000000', {:owner}, 'Root', 'root00000000000', {:now}, {:now})`, { owner, now });
  run(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {:count})
    INSERT INTO nodes (id, owner, title, description, root, volume, created, updated)
    SELECT printf('n%014d', i), {:owner}, 'Task ' || i, 'The work of task ' || i || '.', '', 5, {:now}, {:now} FROM n
    WHERE {:count} > 0`, { count: Number($os.getenv("BENCH_RECORDS")), owner, now });
  $os.writeFile($os.getenv("BENCH_USERS_FILE"), JSON.stringify(added), 0o600);
});
