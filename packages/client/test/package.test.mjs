// The package as it is published: its size, its contents, its types, its README and its examples.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';

const GZIP_BYTES_MAX = 25_000;
const root = new URL('../', import.meta.url);
const read = (path) => readFileSync(new URL(path, root), 'utf8');
const run = (command, ...words) => promisify(execFile)(command, words, { cwd: root });
const tsc = createRequire(import.meta.url).resolve('typescript/lib/tsc.js');

test('With socket.io-client it has at most 25 KB, minified and gzipped', async (t) => {
  const { outputFiles } = await build({
    stdin: { contents: `export * from './dist/index.js'`, resolveDir: root.pathname },
    bundle: true, minify: true, format: 'esm', platform: 'browser', target: 'es2022', write: false, legalComments: 'none',
  });
  const { length } = gzipSync(outputFiles[0].contents, { level: 9 });
  t.diagnostic(`${length} bytes gzipped, socket.io-client included`);
  assert.ok(length <= GZIP_BYTES_MAX, `${length} bytes`);
});

test('It contains what a user needs, and nothing else', async () => {
  const { stdout } = await run('npm', 'pack', '--dry-run', '--json', '--ignore-scripts');
  // A list, or in newer versions an object by name.
  const [{ files }] = Object.values(JSON.parse(stdout));
  const sources = (folder) => readdirSync(new URL(folder, root)).filter((name) => name.endsWith('.ts')).map((name) => name.slice(0, -3));
  const built = (folder, names) => names.flatMap((name) => [`dist/${folder}${name}.d.ts`, `dist/${folder}${name}.js`]);
  const expected = [
    'LICENSE-APACHE', 'LICENSE-MIT', 'README.md', 'package.json',
    ...built('', sources('src/')), ...built('replica/', sources('src/replica/')),
  ];
  assert.deepEqual(files.map(({ path }) => path).sort(), expected.sort());
});

test('package.json is ready to be published', () => {
  const { name, type, sideEffects, exports, types, license, dependencies, engines, private: isPrivate } = JSON.parse(read('package.json'));
  assert.deepEqual({ name, type, sideEffects, license, isPrivate }, { name: '@synaptask/client', type: 'module', sideEffects: false, license: 'MIT OR Apache-2.0', isPrivate: undefined });
  assert.deepEqual(Object.keys(dependencies), ['socket.io-client']);
  assert.equal(engines.node, '>=20');
  for (const path of [types, ...Object.values(exports).flatMap((one) => (typeof one === 'string' ? [one] : Object.values(one)))]) assert.ok(read(path).length > 0, path);
});

test('It is imported by its name, and the replica without the network', async () => {
  const whole = await import('@synaptask/client');
  const replica = await import('@synaptask/client/replica');
  assert.equal(whole.Replica, replica.Replica);
  assert.deepEqual(Object.keys(replica).sort(), ['Follower', 'Replica', 'codes', 'isPhantom']);
});

test('connection.ts alone refers to the Socket.IO library', () => {
  const files = readdirSync(new URL('src/', root)).filter((name) => name.endsWith('.ts'));
  assert.deepEqual(files.filter((name) => read(`src/${name}`).includes(`'socket.io-client'`)), ['connection.ts']);
});

test('Its types accept what is right and refuse what is wrong, in Node and in a browser', async () => {
  for (const project of ['test/types/tsconfig.json', 'test/types/node.tsconfig.json', 'examples/tsconfig.json']) await run(process.execPath, tsc, '-p', project);
});

test('The README shows the examples as they are, all of them', () => {
  const readme = read('README.md');
  const files = readdirSync(new URL('examples/', root)).filter((name) => name.endsWith('.mjs'));
  assert.equal(files.length, 5);
  const shown = [...readme.matchAll(/```js\n([^]*?)```/g)].map(([, text]) => text);
  for (const file of files) assert.ok(shown.includes(read(`examples/${file}`)), `README.md does not show examples/${file} as it is`);
});

test('Every method of an operation stands at its name, and none hides a member of the client', async () => {
  const { OPERATIONS, rest, connect } = await import('@synaptask/client');
  const client = rest({ url: 'http://127.0.0.1:9' });
  for (const event of Object.keys(OPERATIONS)) {
    const method = event.split(':').reduce((place, name) => place[name], client);
    assert.equal(typeof method, 'function', event);
  }
  assert.equal(typeof connect, 'function');
  const { ClientCalls } = await import('../dist/client.js');
  const members = new Set(Object.getOwnPropertyNames(ClientCalls.prototype).concat('call', 'tell'));
  for (const event of Object.keys(OPERATIONS)) assert.ok(!members.has(event.split(':')[0]), `${event} hides a member`);
});
