// The worked examples of the published client, run as its readers run them. Its README shows these very files.
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { ENV } from '../harness.mjs';
import { stage } from '../story.mjs';

const EXAMPLES = new URL('../../../packages/client/examples/', import.meta.url);
const { server, story, newUser } = await stage();

const path = (name) => new URL(`${name}.mjs`, EXAMPLES).pathname;
const envOf = (user, more = {}) => ({ ...ENV, SYNAPTASK_URL: server.url, SYNAPTASK_TOKEN: user.token, ...more });

/** Runs an example to its end; resolves with the lines it printed. */
async function printed(name, user, more) {
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [path(name)], { env: envOf(user, more), timeout: 30_000 });
  assert.equal(stderr, '');
  return stdout.trim().split('\n');
}

// Rules: P1, P21.
story('follow.mjs prints the graph and every change of it, also after the connection was lost', async () => {
  const olha = await newUser('olha');
  const other = await server.connect(olha);
  const id = await other.addNode({ title: 'Roof' });
  const child = spawn(process.execPath, [path('follow')], { env: envOf(olha), stdio: ['ignore', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async () => (await lines.next()).value;
  try {
    assert.equal(await next(), '1 tasks, 0 links');
    await other.does('node:update', { id, status: 1 });
    assert.equal(await next(), 'Roof: status 1');
    await server.kill();
    await server.up();
    assert.equal(await next(), 'connecting');
    assert.equal(await next(), 'connected');
    const back = await server.connect(olha);
    await back.does('node:update', { id, title: 'New roof' });
    assert.equal(await next(), 'New roof: status 1');
    await back.does('node:trash', { id });
    assert.equal(await next(), `${id} is gone`);
    child.kill('SIGINT');
    assert.equal(await next(), 'closed');
    assert.equal(await next(), undefined, 'the program ends by itself');
  } finally {
    child.kill('SIGKILL');
  }
});

// Rules: L9, L6.
story('tasks.mjs makes tasks and a link, and says why another is refused', async () => {
  assert.deepEqual(await printed('tasks', await newUser('olha')), [
    'link added, 1 task blocked',
    'refused: These nodes are already linked in the other direction.',
  ]);
});

// Rules: D7, P25.
story('connection.mjs adds a task once, though its connection breaks meanwhile', async () => {
  const olha = await newUser('olha');
  assert.deepEqual(await printed('connection', olha), ['replayed: true, tasks: 1']);
  const { body } = await server.rest(olha, 'GET', '/api/graph');
  assert.deepEqual(body.nodes.map(({ title }) => title), ['Buy paint']);
});

// Rules: S7, G8.
story('publish.mjs shares and publishes a branch, and reads it without a token', async () => {
  const [olha, petro] = [await newUser('olha'), await newUser('petro')];
  assert.deepEqual(await printed('publish', olha, { COLLEAGUE: petro.email }), ['public: 2 tasks, 1 link']);
  const { body } = await server.rest(petro, 'GET', '/api/graph');
  assert.deepEqual(body.nodes.map(({ title, access }) => [title, access]), [['Garden', 2], ['Water the roses', 2]]);
});

// Rules: H4, H10.
story('undo.mjs undoes three operations together, and does them again', async () => {
  assert.deepEqual(await printed('undo', await newUser('olha')), ['done: 2 tasks, 1 link', 'undone: 0 tasks, 0 links', 'done again: 2 tasks, 1 link']);
});
