// Identity providers on loopback, and a browser: for the stories of signing in.
// `RealProvider` is the certified `oidc-provider`. `ForgedProvider` says whatever a story makes it say.
import { createHash, createHmac, generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import { createServer } from 'node:http';
import { freePort } from './harness.mjs';

export const CLIENT = { id: 'synaptask', secret: 'client-secret-that-no-log-shows' };

const b64 = (data) => Buffer.from(typeof data === 'string' ? data : JSON.stringify(data)).toString('base64url');
const listen = (server, port) => new Promise((resolve) => server.listen(port, '127.0.0.1', resolve));
const close = (server) => {
  server.closeAllConnections();
  return new Promise((resolve) => server.close(resolve));
};

/** A browser: it keeps cookies, and goes where it is sent. */
export class Browser {
  constructor() {
    this.cookies = new Map();
  }

  /** One request; resolves with {status, headers, location, text, body}. Redirects are not followed. */
  async go(url, { method = 'GET', accept = 'application/json', body, headers = {} } = {}) {
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const sent = { accept, ...(cookie && { cookie }), ...(body && { 'content-type': 'application/json' }), ...headers };
    const payload = body && JSON.stringify(body);
    const answer = await fetch(url, { method, redirect: 'manual', headers: sent, body: payload });
    for (const line of answer.headers.getSetCookie()) this.keep(line);
    const text = await answer.text();
    let parsed = null;
    try {
      parsed = JSON.parse(text);
    } catch {
      // A page.
    }
    const to = answer.headers.get('location');
    return {
      status: answer.status, headers: answer.headers, text, body: parsed,
      location: to && new URL(to, url).href,
    };
  }

  keep(line) {
    const [, name, value] = line.match(/^([^=]+)=([^;]*)/);
    const gone = value === '' || /max-age=0\b/i.test(line) || /expires=Thu, 01 Jan 1970/i.test(line);
    if (gone) this.cookies.delete(name);
    else this.cookies.set(name, value);
  }

  /** Follows redirects until one leads to a path that `stops` names; resolves with that address. */
  async follow(url, stops) {
    for (let hops = 0; hops < 12; hops += 1) {
      const answer = await this.go(url);
      if (!answer.location) throw new Error(`${url} answered ${answer.status}: ${answer.text.slice(0, 300)}`);
      url = answer.location;
      if (new URL(url).pathname.endsWith(stops)) return url;
    }
    throw new Error('too many redirects');
  }

  /** Signs in at a provider as far as the way back: resolves with the address of the callback. */
  async comesBack(server, name, query = '') {
    return this.follow(`${server.url}/api/oidc/${name}/start${query}`, `/api/oidc/${name}/callback`);
  }

  /** Signs in; resolves with the answer of the callback. */
  async signIn(server, name, query = '') {
    return this.go(await this.comesBack(server, name, query));
  }

  /** Begins a sign-in; resolves with what the provider is asked. */
  async begin(server, name, query = '') {
    const { status, location } = await this.go(`${server.url}/api/oidc/${name}/start${query}`);
    if (status !== 302) throw new Error(`start answered ${status}`);
    return Object.fromEntries(new URL(location).searchParams);
  }

  /** Brings an answer back. */
  async bring(server, name, answer, more) {
    return this.go(`${server.url}/api/oidc/${name}/callback?${new URLSearchParams(answer)}`, more);
  }

  /** Whose session the browser has; null without one. */
  async account(server) {
    const { status, body } = await this.go(`${server.url}/api/account`);
    return status === 200 ? body.account : null;
  }
}

/** The certified provider. `person` is who signs in next. */
export class RealProvider {
  static async start(serverUrl, name) {
    const { default: Provider } = await import('oidc-provider');
    const self = new RealProvider();
    const port = await freePort();
    self.issuer = `http://127.0.0.1:${port}`;
    self.people = new Map();
    const provider = new Provider(self.issuer, {
      clients: [{
        client_id: CLIENT.id, client_secret: CLIENT.secret,
        redirect_uris: [`${serverUrl}/api/oidc/${name}/callback`],
      }],
      claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['preferred_username'] },
      cookies: { keys: [randomBytes(16).toString('hex')] },
      features: { devInteractions: { enabled: false } },
      interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
      pkce: { required: () => true },
      findAccount: (_, sub) => ({ accountId: sub, claims: () => ({ sub, ...self.people.get(sub) }) }),
      // Whoever signs in agrees.
      async loadExistingGrant(context) {
        const { client, session, provider: own } = context.oidc;
        const grant = new own.Grant({ clientId: client.clientId, accountId: session.accountId });
        grant.addOIDCScope('openid email profile');
        await grant.save();
        return grant;
      },
    });
    const answer = provider.callback();
    self.server = createServer(async (request, response) => {
      if (!request.url.startsWith('/interaction/')) return answer(request, response);
      const { sub, ...claims } = self.person;
      self.people.set(sub, claims);
      const result = self.refuses ? { error: 'access_denied' } : { login: { accountId: sub } };
      return provider.interactionFinished(request, response, result, { mergeWithLastSubmission: false });
    });
    await listen(self.server, port);
    return self;
  }

  async stop() {
    await close(this.server);
  }
}

const keyPair = () => {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return { kid: randomBytes(6).toString('hex'), privateKey, jwk: publicKey.export({ format: 'jwk' }) };
};

/** A provider that says whatever a story makes it say. Without that, it is an honest one. */
export class ForgedProvider {
  static async start({ issNamed = false } = {}) {
    const self = new ForgedProvider();
    const port = await freePort();
    self.issuer = `http://127.0.0.1:${port}`;
    self.issNamed = issNamed;
    self.key = keyPair();
    self.asked = [];
    self.behaves();
    self.server = createServer(async (request, response) => {
      let body = '';
      for await (const chunk of request) body += chunk;
      const path = request.url.split('?')[0];
      self.asked.push({ path, form: Object.fromEntries(new URLSearchParams(body)), headers: request.headers });
      const json = (value, status = 200) => {
        response.writeHead(status, { 'content-type': 'application/json' });
        response.end(typeof value === 'string' ? value : JSON.stringify(value));
      };
      if (path === '/.well-known/openid-configuration') return json({ ...self.metadata(), ...self.says });
      if (path === '/jwks') return json({ keys: [{ ...self.key.jwk, kid: self.key.kid, use: 'sig', alg: 'RS256' }] });
      if (path === '/token') return self.onToken(json, response, self.asked.at(-1));
      return json({}, 404);
    });
    await listen(self.server, port);
    return self;
  }

  metadata() {
    return {
      issuer: this.issuer,
      authorization_endpoint: `${this.issuer}/auth`,
      token_endpoint: `${this.issuer}/token`,
      jwks_uri: `${this.issuer}/jwks`,
      response_types_supported: ['code'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: ['RS256'],
      ...(this.issNamed && { authorization_response_iss_parameter_supported: true }),
    };
  }

  /** From now on it is honest again. */
  behaves() {
    this.says = {};
    this.claims = {};
    this.header = {};
    this.signs = null;
    this.accessToken = 'access-token-that-no-log-shows';
    this.onToken = (json) => json(this.tokens());
  }

  rotateKey() {
    this.key = keyPair();
  }

  tokens() {
    return { access_token: this.accessToken, token_type: 'Bearer', expires_in: 60, id_token: this.idToken() };
  }

  /** An id token for `person` and `nonce`, but for what the story changes. `undefined` leaves a claim out. */
  idToken() {
    const now = Math.floor(Date.now() / 1000);
    const claims = {
      iss: this.issuer, aud: CLIENT.id, iat: now, exp: now + 60, nonce: this.nonce, ...this.person, ...this.claims,
    };
    const head = { alg: 'RS256', kid: this.key.kid, ...this.header };
    const text = `${b64(head)}.${b64(claims)}`;
    const signature = this.signs ? this.signs(text) : sign('sha256', Buffer.from(text), this.key.privateKey);
    return `${text}.${Buffer.from(signature).toString('base64url')}`;
  }

  /** A whole sign-in of a person by a browser; resolves with the answer of the callback. */
  async signsIn(browser, server, name, person, query = '') {
    const asked = await browser.begin(server, name, query);
    Object.assign(this, { person, nonce: asked.nonce });
    const code = `code-${randomBytes(8).toString('hex')}`;
    return browser.bring(server, name, { code, state: asked.state, ...(this.issNamed && { iss: this.issuer }) });
  }

  countOf(path) {
    return this.asked.filter((request) => request.path === path).length;
  }

  async stop() {
    await close(this.server);
  }
}

export const hmac = (key) => (text) => createHmac('sha256', key).update(text).digest();
export const s256 = (text) => createHash('sha256').update(text).digest('base64url');
export const otherKey = () => {
  const { privateKey } = keyPair();
  return (text) => sign('sha256', Buffer.from(text), privateKey);
};

/** The tables of a synaptask.toml for providers by their names. */
export const tables = (providers) => Object.entries(providers).map(([name, { issuer }]) => `
[oidc.${name}]
issuer = "${issuer}"
client_id = "${CLIENT.id}"
client_secret = "${CLIENT.secret}"
`).join('');
