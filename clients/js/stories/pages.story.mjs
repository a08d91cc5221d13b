// The pages that links lead to, in a real browser: somebody opens a link, reads what there is, and does it.
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { test } from 'node:test';
import { BROWSER, openBrowser } from '../browser.mjs';
import { storyOnOwnServer } from '../story.mjs';
import { passwordOf, setupLink } from '../visitor.mjs';

const told = BROWSER ? storyOnOwnServer : (name) => test(name, { skip: 'there is no Chromium here' });
const browser = BROWSER && (await openBrowser());
const SHOWN_MS_MAX = 10_000;

/** A tab of a new browser. What the page logs as an error, and what its policy refuses, fails the story. */
async function tab(own, colorScheme = 'light') {
  const context = await browser.newContext({ colorScheme, viewport: { width: 420, height: 800 } });
  const page = await context.newPage();
  page.setDefaultTimeout(SHOWN_MS_MAX);
  const wrong = [];
  page.on('pageerror', (error) => wrong.push(String(error)));
  // A refused request is logged as an error, too; those are part of the story.
  page.on('console', (message) => message.type() === 'error' && !/Failed to load resource/.test(message.text()) && wrong.push(message.text()));
  page.on('request', (request) => request.url().startsWith(own.url) || wrong.push(`asks ${request.url()}`));
  const shows = async (title) => page.getByRole('heading', { level: 1, name: title }).waitFor();
  /** Keeps a picture where one is asked for. */
  const picture = async (name) => {
    if (!process.env.PICTURES) return;
    mkdirSync(process.env.PICTURES, { recursive: true });
    await page.screenshot({ path: `${process.env.PICTURES}/${name}.png`, fullPage: true });
  };
  return { page, shows, picture, isFine: () => assert.deepEqual(wrong, []) };
}

/** The link as it is here: the command line does not know the port of this server. */
const here = (own, url) => own.url + url.slice(new URL(url).origin.length);
const fill = async (page, fields) => {
  for (const [label, text] of Object.entries(fields)) await page.getByLabel(label, { exact: true }).and(page.locator(':visible')).fill(text);
};
const MINE = { Email: 'olha@example.com', Username: 'olha', Password: passwordOf('olha') };

// Rules: K14, K18.
told('Whoever opens the link of a new installation makes their account, and is signed in', {}, async (own) => {
  const { page, shows, picture, isFine } = await tab(own);
  await page.goto(await setupLink(own));
  await shows('Create your account');
  assert.equal(await page.evaluate(() => document.activeElement.name), 'email', 'the first field has the focus');
  await picture('setup');
  await fill(page, { ...MINE, Password: 'olha12345' });
  await page.getByRole('button', { name: 'Create account' }).click();
  const alert = page.locator('#register [role=alert]');
  await alert.waitFor();
  assert.match(await alert.textContent(), /contains the username/);
  assert.equal(await page.locator('#register-password').getAttribute('aria-invalid'), 'true');
  await picture('setup-refused');
  await page.getByRole('button', { name: 'Show' }).click();
  assert.equal(await page.locator('#register-password').getAttribute('type'), 'text');
  await fill(page, { Password: MINE.Password });
  await page.getByRole('button', { name: 'Create account' }).click();
  await shows('Welcome, olha');
  assert.equal(new URL(page.url()).search, '', 'the key is gone from the address');
  await picture('signed-in');
  await page.getByRole('button', { name: 'Make a token' }).click();
  await page.locator('#token').waitFor();
  const token = await page.getByLabel('Your token').inputValue();
  own.tokens.add(token);
  assert.equal((await own.rest(token, 'GET', '/api/account')).body.account.username, 'olha');
  assert.ok((await page.locator('#token-try').textContent()).includes(token));
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth), 'the page fits a phone');
  await picture('token');
  await page.reload();
  await shows('You are signed in');
  assert.equal(await page.evaluate(() => document.cookie), '', 'no script reads the cookie');
  await page.getByRole('button', { name: 'Sign out' }).click();
  await shows('Sign in');
  await page.reload();
  await shows('Sign in');
  isFine();
});

// Rules: K8, K15, K17, K18.
told('An invitation and a link for a new password lead to what they are for', {}, async (own) => {
  const invited = await own.cli('invite', '--json');
  const { page, shows, picture, isFine } = await tab(own, 'dark');
  await page.goto(here(own, invited.url));
  await shows('Create your account');
  await picture('invited-dark');
  await fill(page, MINE);
  await page.getByRole('button', { name: 'Create account' }).click();
  await shows('Welcome, olha');

  const other = await tab(own, 'dark');
  await other.page.goto(own.url);
  await other.shows('Sign in');
  await fill(other.page, { Email: MINE.Email, Password: 'forgotten, sadly' });
  await other.page.getByRole('button', { name: 'Sign in' }).click();
  const alert = other.page.locator('#login [role=alert]');
  await alert.waitFor();
  assert.equal(await alert.textContent(), 'The email or the password is wrong.');
  await other.page.getByRole('button', { name: 'Forgot your password?' }).click();
  await other.page.getByText('If there is such an account').waitFor();
  await other.picture('forgotten-dark');

  const url = here(own, (await own.cli('user', 'reset', '--email', MINE.Email, '--json')).url);
  await other.page.goto(url);
  await other.shows('Choose a new password');
  await other.picture('reset-dark');
  await fill(other.page, { 'New password': 'six blue tractors' });
  await other.page.getByRole('button', { name: 'Change password' }).click();
  await other.page.getByText('Your password is changed').waitFor();
  await fill(other.page, { Email: MINE.Email, Password: 'six blue tractors' });
  await other.page.getByRole('button', { name: 'Sign in' }).click();
  await other.shows('You are signed in');
  await other.picture('signed-in-dark');

  await page.goto(url);
  await fill(page, { 'New password': 'seven red tractors' });
  await page.getByRole('button', { name: 'Change password' }).click();
  await page.getByText('This link has been used').waitFor();
  await page.goto(`${own.url}/invite`);
  await shows('This link is not complete');
  isFine();
  other.isFine();
});
