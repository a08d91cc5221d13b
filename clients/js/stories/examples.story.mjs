// The documented examples do what their pages say: each is run as a program of its own and read by what it prints.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { growGraph, inParallel, randomFrom, seedFromEnv } from '../bulk.mjs';
import { stage } from '../story.mjs';

const { server, story, newUser } = await stage();
const HERE = fileURLToPath(new URL('..', import.meta.url));
const random = randomFrom(seedFromEnv('EXAMPLES_SEED'));
const PRINT_MS_MAX = 20_000;

/** Starts an example, with ids of its text replaced by real ones, and returns hands to read what it prints. */
async function run(name, user, replacements = {}) {
  let text = await readFile(`${HERE}/examples/${name}.mjs`, 'utf8');
  for (const [from, to] of Object.entries(replacements)) {
    assert.ok(text.includes(`"${from}"`), `${name} names ${from}`);
    text = text.replaceAll(`"${from}"`, `"${to}"`);
  }
  const env = { ...process.env, SYNAPTASK_URL: server.url, SYNAPTASK_TOKEN: user.token };
  const child = spawn(process.execPath, ['--input-type=module', '-'], { cwd: HERE, env });
  child.stdin.end(text);
  let printed = '';
  const prints = (pattern) =>
    new Promise((resolve, reject) => {
      const look = () => {
        const found = printed.match(pattern);
        if (found) done(() => resolve(found));
      };
      const done = (settle) => {
        clearTimeout(timer);
        child.stdout.off('data', look);
        child.stderr.off('data', look);
        settle();
      };
      const timer = setTimeout(() => done(() => reject(new Error(`${name} never printed ${pattern}:\n${printed}`))), PRINT_MS_MAX);
      child.stdout.on('data', look);
      child.stderr.on('data', look);
      look();
    });
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (printed += chunk));
  return { prints, printed: () => printed, stop: () => child.kill('SIGKILL') };
}

async function withExample(name, user, replacements, tell) {
  const example = await run(name, user, replacements);
  try {
    await tell(example);
  } finally {
    example.stop();
  }
}

story('graph_get loads 2,500 nodes and 600 links, and says so', async () => {
  const olha = await newUser('olha');
  const clients = await Promise.all(Array.from({ length: 6 }, () => server.connect(olha)));
  await growGraph(clients, 2_500, 600, random);
  await withExample('graph_get', olha, {}, async (example) => {
    await example.prints(/Graph fully loaded\nTotal nodes: 2500\nTotal links: 600\n/);
    assert.equal(example.printed().match(/Received graph chunk:/g).length, 3);
  });
});

story('link_add with the ids on the page is told that they are no ids', async () => {
  await withExample('link_add', await newUser('olha'), {}, async (example) => {
    await example.prints(/Link creation failed: bad_request\.invalid_source_target_id \S+/);
  });
});

story('link_add with real ids creates the link, and then hears what others do', async () => {
  const olha = await newUser('olha');
  const client = await server.connect(olha);
  const [source, target] = [await client.addNode(), await client.addNode()];
  await withExample('link_add', olha, { 123: source, 456: target }, async (example) => {
    await example.prints(/Link created: \[/);
    await client.does('node:update', { id: source, title: 'News' });
    await example.prints(/Graph updated: \{/);
    assert.match(example.printed(), /op: 10/);
  });
});

story('node_publish with the id on the page fails; with a real one it publishes', async () => {
  const olha = await newUser('olha');
  const id = await (await server.connect(olha)).addNode();
  await withExample('node_publish', olha, {}, async (example) => {
    await example.prints(/Publish failed: bad_request\.invalid_node_id/);
  });
  await withExample('node_publish', olha, { '<uuid>': id }, async (example) => {
    await example.prints(/Published: \{/);
    await example.prints(/nodes: \[/);
  });
});

for (const [name, summary] of [
  ['rest_get_trash', /Trash fully loaded: 130 nodes 60 links/],
  ['trash_page', /Trash fully loaded: 130 nodes, 60 links/],
]) {
  story(`${name} pages through a trash of 130 nodes and 60 links, and says so`, async () => {
    const olha = await newUser('olha');
    const client = await server.connect(olha);
    const { nodeIds } = await growGraph([client], 130, 60, random);
    await inParallel([client], nodeIds.map((id) => (c) => c.does('node:trash', { id })));
    await withExample(name, olha, {}, async (example) => {
      await example.prints(summary);
      assert.equal(example.printed().match(/chunk: \+|Received \d/g).length, 2, 'two pages');
    });
  });
}
