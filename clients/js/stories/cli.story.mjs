// The command line: the demo, plans and their tokens, and what `check` says of damaged data.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, openSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { binary, ENV, freePort, runOn } from '../harness.mjs';
import { stage, storyOnOwnServer } from '../story.mjs';

const { server, story, newUser } = await stage();
const PRINT_MS_MAX = 20_000;

/** Starts `synaptask demo` and waits for the whole of what it prints. */
async function startDemo() {
  const listen = `127.0.0.1:${await freePort()}`;
  const child = spawn(binary(), ['demo', '--listen', listen], { env: ENV, stdio: ['ignore', 'pipe', 'ignore'] });
  const ended = new Promise((resolve) => child.on('exit', (code) => resolve(code)));
  let printed = '';
  await new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`the demo printed only:\n${printed}`)), PRINT_MS_MAX);
    child.stdout.on('data', (chunk) => {
      printed += chunk;
      if (!printed.includes('Ctrl-C')) return;
      clearTimeout(timer);
      resolve();
    });
  });
  return { child, ended, printed, url: `http://${listen}` };
}

// Rules: C2.
test('The demo prints its URL, three people\'s tokens, a line to try and a page for a browser, serves about 60 tasks, and leaves nothing behind', async () => {
  const { child, ended, printed, url } = await startDemo();
  try {
    assert.ok(printed.includes(url), printed);
    const tokens = [...printed.matchAll(/^(\S+@example\.com) +(st_\w+)$/gm)].map((match) => match[2]);
    assert.equal(new Set(tokens).size, 3, printed);
    const [, line] = printed.match(/Try:\n +(curl .+)\n/);
    assert.ok(line.includes(tokens[0]) && line.includes(url));
    const [, open] = printed.match(/browser.*\n +(\S+)\n/);
    assert.ok(open.startsWith(`${url}/api/branch?root=`), open);
    const branch = await (await fetch(open)).json();
    assert.equal(branch.nodes.filter((node) => node.title === 'Opening day').length, 1);
    assert.ok(branch.nodes.length > 1 && branch.nodes.every((node) => node.access === 3), JSON.stringify(branch));
    const titles = new Set();
    for (const token of tokens) {
      const answer = await fetch(`${url}/api/graph?limit=5000`, { headers: { authorization: `Bearer ${token}` } });
      for (const node of (await answer.json()).nodes) if (!node.phantom) titles.add(node.id);
    }
    assert.ok(titles.size >= 50 && titles.size <= 70, `${titles.size} tasks`);
  } finally {
    child.kill('SIGTERM');
  }
  assert.equal(await ended, 0);
  const [, folder] = printed.match(/The data is in (\S+) and/);
  assert.equal(existsSync(folder), false);
});

// Rules: S22, S25, C3.
story('A user is pro unless told otherwise; on the basic plan there are no API tokens', async () => {
  const olha = await newUser('olha');
  const ivan = await newUser('ivan', '--plan', 'plus');
  const petro = await newUser('petro', '--plan', 'basic');
  assert.deepEqual([olha.plan, ivan.plan, petro.plan], ['pro', 'plus', 'basic']);
  assert.ok(olha.token && ivan.token);
  assert.equal(petro.token, null);
  const create = server.cli('token', 'create', '--email', petro.email, '--json');
  await assert.rejects(create, (error) => error.code !== 0 && /api_not_allowed/.test(error.stderr));
});

// Rules: S23.
story('On the plus plan nothing is shared', async () => {
  const client = await server.connect(await newUser('ivan', '--plan', 'plus'));
  const id = await client.addNode();
  for (const [event, payload] of [
    ['node:publish', { id }],
    ['node:access', { id, email: (await newUser('petro')).email }],
  ]) {
    assert.equal((await client.call(event, payload)).error, 'forbidden.plan_limit');
  }
});

// Rules: D14.
story('A token made on the command line works at once', async () => {
  const olha = await newUser('olha');
  for (let i = 0; i < 5; i++) {
    const { token } = await server.cli('token', 'create', '--email', olha.email, '--json');
    assert.equal((await server.rest(token, 'GET', '/api/account')).status, 200);
  }
});

// Rules: C11, C10.
story('The history on the command line tells who did what, in words, the latest last, while the server runs', async () => {
  const [olha, petro] = [await newUser('olha'), await newUser('petro')];
  const [hers, his] = [await server.connect(olha), await server.connect(petro)];
  const id = await hers.addNode({ title: 'Paint the fence' });
  await his.addNode({ title: 'Diary' });
  const { diff } = await hers.does('node:trash', { id });
  await hers.does('history:undo', { batchId: diff.batchId });
  const lines = (await server.cli('history', '--user', olha.email)).trim().split('\n');
  assert.equal(lines.length, 3, lines.join('\n'));
  for (const line of lines) assert.ok(line.includes(olha.username) && line.includes('Paint the fence') && !line.includes('Diary'), line);
  const told = await server.cli('history', '--node', id, '--json');
  assert.deepEqual(told.map((one) => one.batchId).slice(1, 2), [diff.batchId]);
  assert.deepEqual([told[1].undone, told[2].undoOf, told[2].actor.email], [true, diff.batchId, olha.email]);
  assert.equal((await server.cli('history', '--limit', '2', '--json')).length, 2);
  assert.deepEqual(await server.cli('history', '--since', '2999-01-01', '--json'), []);
});

// Rules: C16, C11.
story('What users wrote cannot act on the terminal of the operator, in words or in JSON', async () => {
  const acting = '\u0085\u009b2J\u007f\u2028\u2029\u202e\u2066\u200f\u061c';
  const olha = await newUser('olha');
  const client = await server.connect(olha);
  const title = `Fence${acting}end`;
  await client.addNode({ title, description: acting, tags: [`tag${acting}s`] });
  const name = 'phone\u202e\u2067s';
  await server.cli('token', 'create', '--email', olha.email, '--name', name, '--json');
  const raw = /[^\n\P{Cc}]|[\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/u;
  const commands = [['history', '--user', olha.email], ['token', 'list', '--email', olha.email], ['user', 'list']];
  for (const words of commands) {
    for (const form of [[], ['--json']]) {
      const printed = await runOn(server.dataDir, [...words, ...form]);
      assert.ok(printed.length > 20 && !raw.test(printed), JSON.stringify(printed));
    }
  }
  const [added] = (await server.cli('history', '--user', olha.email, '--json')).slice(-1);
  assert.deepEqual(added.ops[0].forwardPatch.title, title);
  const tokens = await server.cli('token', 'list', '--email', olha.email, '--json');
  assert.equal(tokens.at(-1).name, name);
  const refused = runOn(server.dataDir, ['token', 'create', '--email', 'no\u202ebody\u009b@example.com']);
  await assert.rejects(refused, (error) => error.stderr.includes('user_not_found') && !raw.test(error.stderr));
  for (const words of [['token', 'revoke', '--email', olha.email, '--id', 'a\u202eb\u2028'], ['user', '\u061clist'], ['user', 'add', '--\u2066']]) {
    const unread = runOn(server.dataDir, words);
    await assert.rejects(unread, (error) => error.code === 2 && error.stderr.startsWith('error: ') && !raw.test(error.stderr), words.join(' '));
  }
});

/** Every command that only reads. */
const LOOKS = [
  ['check'],
  ['history'],
  ['user', 'list'],
  ['token', 'list', '--email', 'olha@example.com'],
  ['token', 'create', '--email', 'olha@example.com'],
  ['user', 'disable', '--email', 'olha@example.com'],
  ['user', 'enable', '--email', 'olha@example.com'],
  ['user', 'set', '--email', 'olha@example.com', '--plan', 'pro'],
  ['token', 'revoke', '--email', 'olha@example.com', '--all'],
];

// Rules: C12, D18.
test('Only what keeps data makes any: on a mistyped directory the other commands fail and leave nothing behind', async () => {
  const place = mkdtempSync(join(tmpdir(), 'synaptask-story-'));
  try {
    const data = join(place, 'above', 'data');
    const file = join(place, 'users.json');
    writeFileSync(file, '[]');
    for (const words of LOOKS) {
      await assert.rejects(runOn(data, words), (error) => error.code === 1 && error.stderr.includes(`there is no data in ${data}`), words.join(' '));
      await assert.rejects(runOn(file, words), (error) => error.code === 1 && error.stderr.includes(`${file} is not a directory`), words.join(' '));
    }
    assert.deepEqual(readdirSync(place), ['users.json']);
    const add = ['user', 'add', '--email', 'olha@example.com', '--username', 'olha'];
    await assert.rejects(runOn(join(file, 'data'), add), (error) => error.stderr.includes(`${file} is not a directory`));
    await runOn(data, add);
    for (const words of LOOKS) {
      await runOn(data, words);
      assert.deepEqual(readdirSync(data), ['synaptask.db'], words.join(' '));
    }
    const mode = (path) => (statSync(path).mode & 0o777).toString(8);
    assert.equal(mode(data), '700');
    for (const name of readdirSync(data)) assert.equal(mode(join(data, name)), '600', name);
  } finally {
    rmSync(place, { recursive: true });
  }
});

// Rules: C14.
storyOnOwnServer('Logs that go to no terminal are plain text', { env: { SYNAPTASK_LOG: 'debug' } }, async (own) => {
  await own.connect(await own.addUser('olha'));
  assert.match(own.log, /INFO synaptask::program::serve: serving address=/);
  assert.ok(!/[\u0000-\u0008\u000b-\u001f]/.test(own.log), own.log);
});

// Rules: C17, C13.
story('A variable that the server does not know, or a value it could not work with, is refused by name', async () => {
  const refusal = async (env) => {
    const asked = runOn(server.dataDir, ['user', 'list'], { ...server.env, ...env });
    return asked.then(() => 'accepted', (error) => `${error.code} ${error.stderr}`);
  };
  const refused = {
    SYNAPTASK_LISTN: /^1 error: SYNAPTASK_LISTN.* unknown.*SYNAPTASK_LISTEN.*SYNAPTASK_HISTORY_PRO_DAYS/s,
    SYNAPTASK_BODY_BYTES_MAX: /^1 error: SYNAPTASK_BODY_BYTES_MAX: must be/,
    SYNAPTASK_TRUSTED_PROXIES: /^1 error: SYNAPTASK_TRUSTED_PROXIES: /,
    SYNAPTASK_ALLOWED_ORIGINS: /^1 error: SYNAPTASK_ALLOWED_ORIGINS: "x" /,
    SYNAPTASK_HISTORY_PRO_DAYS: /^1 error: SYNAPTASK_HISTORY_PRO_DAYS: must be/,
    SYNAPTASK_LIMITS_GRAPH_GET: /^1 error: SYNAPTASK_LIMITS_GRAPH_GET: /,
  };
  for (const [name, message] of Object.entries(refused)) assert.match(await refusal({ [name]: 'x' }), message, name);
  // What Kubernetes gives every container beside a service named synaptask.
  const beside = { SYNAPTASK_SERVICE_HOST: '10.0.0.1', SYNAPTASK_SERVICE_PORT: '80', SYNAPTASK_PORT: 'tcp://10.0.0.1:80', SYNAPTASK_PORT_80_TCP_ADDR: '10.0.0.1' };
  assert.equal(await refusal(beside), 'accepted');
  assert.match(await refusal({ SYNAPTASK_PORT: '8000' }), /SYNAPTASK_PORT.* unknown/);
  assert.equal(await refusal({ SYNAPTASK_LISTN: '' }), 'accepted');
});

// Rules: C6.
storyOnOwnServer('`check` on damaged data says so and ends with another status than 0', {}, async (own) => {
  const client = await own.connect(await own.addUser('olha'));
  for (let i = 0; i < 50; i++) await client.addNode({ title: `Step ${i}`, description: 'x'.repeat(400) });
  await own.signal('SIGTERM');
  assert.match(await own.cli('check'), /^ok: .*\n$/);
  const file = readdirSync(own.dataDir).map((name) => join(own.dataDir, name)).find((path) => statSync(path).size > 50_000);
  const handle = openSync(file, 'r+');
  const { size } = statSync(file);
  for (let at = 8_192; at < size; at += 4_096) writeSync(handle, 'damage'.repeat(20), at + 1_500);
  await assert.rejects(own.cli('check'), (error) => error.code === 1 && error.stderr.length > 10);
  await own.up().catch(() => {});
});

/** SPEC.md's table of operations: event → {method, paths, limit, codes}, with the codes it says that it does not repeat. */
function readSpec() {
  const spec = readFileSync(new URL('../../../SPEC.md', import.meta.url), 'utf8');
  const [table] = spec.slice(spec.indexOf('### The table of operations')).split('\n## ');
  const names = (text) => text.match(/[a-z]\w+/g) ?? [];
  const cells = (line) => line.slice(2, -2).split(' | ');
  const lines = table.split('\n').filter((line) => line.startsWith('| '));
  // A word in capitals stands for a list of codes.
  const lists = new Map(lines.map(cells).filter(([name]) => /^[A-Z]+$/.test(name)).map(([name, codes]) => [name, names(codes)]));
  const expand = (text) => (text.match(/\b[A-Z]{3,}\b/g) ?? []).flatMap((name) => {
    assert.ok(lists.has(name), `SPEC.md has a list ${name}`);
    return lists.get(name);
  });
  const common = new Set(lists.get('ANY'));
  const fields = spec.slice(spec.indexOf('## N'), spec.indexOf('## A')).match(/`[a-z_]+`(?=[,)])/g);
  for (const code of [...fields.map((quoted) => quoted.slice(1, -1)), 'status_blocked', 'invalid_version']) common.add(code);
  const rows = new Map();
  for (const line of lines.filter((one) => /^\| [a-z]+:/.test(one))) {
    const [input, rest, limit, , codes] = cells(line);
    const [method, ...paths] = rest.replaceAll(',', '').split(' ');
    const row = {
      method: rest === '–' ? null : method,
      paths: paths.map((path) => `/api${path}`),
      limit: limit.split(' (')[0],
      codes: new Set([...names(codes), ...expand(codes)]),
    };
    rows.set(input.split(' ')[0], row);
    // Another name has no path of its own.
    for (const [, also] of input.matchAll(/\(also ([a-z:]+)/g)) rows.set(also, { ...row, method: null, paths: [], isAlias: true });
  }
  return { common, rows };
}

// Rules: C7, R1, T19.
test('SPEC.md\'s table of operations has the paths, limits and codes that `synaptask operations` lists', async () => {
  const { common, rows } = readSpec();
  const wrong = [];
  for (const { event, relay, method, paths, limit, errors } of await server.cli('operations', '--json')) {
    // Another name for history:undo and history:redo; and what is passed on is no operation.
    if (event.startsWith('batch:') || relay) continue;
    const spec = rows.get(event);
    assert.ok(spec, `SPEC.md has a row for ${event}`);
    assert.deepEqual([spec.method, spec.paths, spec.limit], [method, paths, `${limit.count} / ${limit.windowSeconds} s`], event);
    const codes = new Set(errors.map((error) => error.split('.').at(-1)));
    // The two share one list.
    const other = { 'history:redo': 'already_undone' }[event];
    for (const code of codes) if (!spec.codes.has(code) && !common.has(code) && code !== other) wrong.push(`${event}: SPEC.md lacks ${code}`);
    // A name with less input has fewer errors.
    for (const code of spec.isAlias ? [] : spec.codes) if (/_/.test(code) && !codes.has(code)) wrong.push(`${event}: SPEC.md has ${code}`);
  }
  assert.deepEqual(wrong, []);
});
