// A real browser, Debian's Chromium, and pages of other origins for it to open.
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { after } from 'node:test';
import { chromium } from 'playwright-core';

const PLACES = [process.env.CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
const SOCKET_IO = new URL('node_modules/socket.io-client/dist/socket.io.min.js', import.meta.url);

/** Where the browser is; null where there is none. */
export const BROWSER = PLACES.find((place) => place && existsSync(place)) ?? null;

/** Starts the browser for one file of stories. */
export async function openBrowser() {
  const browser = await chromium.launch({ executablePath: BROWSER, args: FLAGS });
  after(() => browser.close());
  return browser;
}

/** A site with one empty page, which has the official socket client. Resolves with its origin. */
export async function site() {
  const script = readFileSync(SOCKET_IO);
  const server = createServer((request, response) => {
    if (request.url === '/socket.io.js') return response.setHeader('content-type', 'text/javascript').end(script);
    if (request.url !== '/') return response.writeHead(404).end();
    response.setHeader('content-type', 'text/html').end('<!doctype html><title>A site</title><script src="/socket.io.js"></script>');
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  after(() => server.close());
  return `http://127.0.0.1:${server.address().port}`;
}
