// A server of one's own on a fresh data directory, and the hands to use it:
// the official socket client, plain HTTP and the command line.
import { execFile, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Client } from './client.mjs';
import { judged } from './described.mjs';

const run = promisify(execFile);
const START_MS_MAX = 20_000;
const OUTPUT_BYTES_MAX = 1 << 29;

// The server refuses variables that it does not know: those that are for the stories do not reach it.
export const ENV = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('SYNAPTASK_')));

// No server outlives the stories, however these end.
const running = new Set();
process.on('exit', () => running.forEach((child) => child.kill('SIGKILL')));
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1));

export function binary() {
  const path = process.env.SYNAPTASK_BIN;
  if (!path) throw new Error('set SYNAPTASK_BIN to the synaptask binary these stories are to be told with');
  return path;
}

export async function freePort() {
  const probe = createServer();
  await new Promise((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const { port } = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  return port;
}

/** One command of the binary on a data directory; resolves with what it printed. */
export async function runOn(dataDir, words, env = ENV) {
  const { stdout } = await run(binary(), ['--data', dataDir, ...words], { env, maxBuffer: OUTPUT_BYTES_MAX });
  return stdout;
}

export class Server {
  /** `settings` is the text of a synaptask.toml. */
  static async start({ limits = 'off', env = {}, settings } = {}) {
    const server = new Server(limits, env);
    if (settings) writeFileSync(join(server.dataDir, 'synaptask.toml'), settings);
    await server.up();
    return server;
  }

  constructor(limits = 'off', env = {}) {
    this.dataDir = mkdtempSync(join(tmpdir(), 'synaptask-story-'));
    this.env = { ...ENV, SYNAPTASK_LIMITS: limits, ...env };
    this.log = '';
    // What it prints on standard output, and what it logs on standard error.
    this.printed = '';
    this.logged = '';
    this.clients = new Set();
    this.tokens = new Set();
  }

  get url() {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Starts the process (again, after `kill`: same data, same port) and waits for its health. */
  async up() {
    this.port ??= await freePort();
    const args = ['serve', '--data', this.dataDir, '--listen', `127.0.0.1:${this.port}`];
    const child = spawn(binary(), args, { env: this.env, stdio: ['ignore', 'pipe', 'pipe'] });
    this.child = child;
    running.add(child);
    this.ended = new Promise((resolve) => {
      child.on('error', (error) => resolve(`could not start: ${error.message}`));
      child.on('exit', (code, signal) => resolve(signal ?? `exit code ${code}`));
    });
    let ended = null;
    this.ended.then((how) => {
      ended = how;
      running.delete(child);
    });
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (this.log += chunk));
    child.stdout.on('data', (chunk) => (this.printed += chunk));
    child.stderr.on('data', (chunk) => (this.logged += chunk));
    const deadline = Date.now() + START_MS_MAX;
    while (Date.now() < deadline && ended === null) {
      const answer = await fetch(`${this.url}/api/health`).catch(() => null);
      if (answer?.status === 200) return;
      await sleep(20);
    }
    throw new Error(`the server did not come up (${ended ?? `no health after ${START_MS_MAX} ms`}):\n${this.log}`);
  }

  /** Resolves with how the process ended: the signal's name or `exit code N`. */
  async signal(name) {
    this.child.kill(name);
    return this.ended;
  }

  /** What a power cut would do. */
  async kill() {
    await this.signal('SIGKILL');
  }

  /** Ends everything; what must be true of every log is looked at here. */
  async stop() {
    for (const client of this.clients) client.close();
    await this.signal('SIGKILL');
    rmSync(this.dataDir, { recursive: true, force: true });
    if (/panicked at|internal error/.test(this.log)) throw new Error(`the server panicked:\n${this.log}`);
    for (const token of this.tokens) {
      if (this.log.includes(token)) throw new Error('a token stands in the server log');
    }
  }

  /** The memory the process has resident, in MB. */
  residentMb() {
    const [, kb] = readFileSync(`/proc/${this.child.pid}/status`, 'utf8').match(/^VmRSS:\s+(\d+) kB$/m);
    return Number(kb) / 1024;
  }

  /** One command of the binary on this server's data; with --json the parsed answer. */
  async cli(...args) {
    const stdout = await runOn(this.dataDir, args, this.env);
    const answer = args.includes('--json') ? JSON.parse(stdout) : stdout;
    if (answer?.token) this.tokens.add(answer.token);
    return answer;
  }

  async addUser(username, ...more) {
    return this.cli('user', 'add', '--email', `${username}@example.com`, '--username', username, ...more, '--json');
  }

  /** `how` is header | auth | subprotocol | none; `transports` undefined is the client's own default. */
  socket(token, options = {}) {
    const client = new Client(this.url, token, options);
    this.clients.add(client);
    return client;
  }

  async connect(user, options = {}) {
    const client = this.socket(user.token, options);
    await client.welcome();
    return client;
  }

  /** One HTTP call; resolves with {status, headers, body}, whatever the status. */
  async rest(user, method, path, body) {
    const headers = {};
    if (user) headers.authorization = `Bearer ${user.token ?? user}`;
    if (body !== undefined) headers['content-type'] = 'application/json';
    const payload = body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
    const ask = () => fetch(this.url + path, { method, headers, body: payload });
    // A connection kept from before may be given up by the server, idle, just as it is used again. A read is safe to
    // repeat, and every HTTP client does; a change is not repeated behind a story's back.
    const answer = await ask().catch((error) => (method === 'GET' ? ask() : Promise.reject(error)));
    const text = await answer.text();
    let parsed;
    try {
      parsed = JSON.parse(text);
    } catch {
      throw new Error(`${method} ${path} answered ${answer.status} with what is not JSON: ${text.slice(0, 200)}`);
    }
    judged('answer', method, path, answer.status, parsed);
    return { status: answer.status, headers: answer.headers, body: parsed };
  }
}
