// A browser without a page: it keeps the cookies it is given and says where its page is from.
import assert from 'node:assert/strict';

export class Visitor {
  /** `headers` go with every request. `origin` null says nothing of a page, as a program does. */
  constructor(server, { origin = server.url, headers = {} } = {}) {
    this.server = server;
    this.origin = origin;
    this.headers = headers;
    this.cookie = null;
  }

  /** One HTTP call; resolves with {status, headers, body, cookies}, whatever the status. */
  async ask(method, path, payload, more = {}) {
    const headers = { 'content-type': 'application/json', ...this.headers, ...more };
    if (this.origin) headers.origin ??= this.origin;
    if (this.cookie) headers.cookie ??= this.cookie;
    const answer = await fetch(this.server.url + path, { method, headers, redirect: 'manual', body: payload === undefined ? undefined : JSON.stringify(payload) });
    const cookies = answer.headers.getSetCookie();
    for (const one of cookies) {
      const [pair] = one.split(';');
      this.cookie = pair.endsWith('=') ? null : pair;
      const [, secret] = pair.split('=');
      if (secret) this.server.tokens.add(secret);
    }
    const text = await answer.text();
    return { status: answer.status, headers: answer.headers, cookies, body: text.startsWith('{') ? JSON.parse(text) : text };
  }

  /** The same, and it succeeds; resolves with the body. */
  async does(method, path, payload, more) {
    const { body } = await this.ask(method, path, payload, more);
    assert.ok(body.ok, `${method} ${path}: ${JSON.stringify(body)}`);
    return body;
  }

  register(username, more = {}) {
    const password = passwordOf(username);
    return this.does('POST', '/api/register', { email: `${username}@example.com`, username, password, ...more });
  }

  login(username, password = passwordOf(username)) {
    return this.ask('POST', '/api/login', { email: `${username}@example.com`, password });
  }

  /** A socket with the cookie, as its page opens it. */
  socket() {
    return this.server.socket(null, { how: 'none', extraHeaders: { Cookie: this.cookie, Origin: this.origin } });
  }
}

/** A password that is not easily guessed, and does not contain the name. */
export const passwordOf = (username) => `seven ${Buffer.from(username).toString('hex')} llamas`;

/** The key of a link. */
export const keyOf = (url) => new URL(url).searchParams.get('key');

/** Somebody with an account and a session, by an invitation from the command line. */
export async function signedIn(server, username, options) {
  const visitor = new Visitor(server, options);
  const { url } = await server.cli('invite', '--json');
  visitor.account = (await visitor.register(username, { invite: keyOf(url) })).account;
  return visitor;
}

/** The link that a server prints when it starts on empty data. */
export async function setupLink(server) {
  for (const until = Date.now() + 10_000; Date.now() < until; await new Promise((resolve) => setTimeout(resolve, 10))) {
    const link = server.printed.match(/http:\/\/\S+\/setup\?key=\w+\n/)?.[0];
    if (link) return link.trim();
  }
  throw new Error(`no link to set up the installation: ${server.printed}`);
}
