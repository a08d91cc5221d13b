// The pages that links lead to: making an account, choosing a new password, signing in. They call the operations of
// the server that serves them, and nothing else.
'use strict';

const find = (id) => document.getElementById(id);
const key = new URLSearchParams(location.search).get('key');
const NETWORK = { message: 'The server does not answer. Check your connection and try again.' };

/** Calls an operation; resolves with its answer, whatever it is. */
async function call(method, path, payload) {
  const body = payload && JSON.stringify(payload);
  try {
    const answer = await fetch(path, { method, body, headers: body ? { 'Content-Type': 'application/json' } : {} });
    return await answer.json();
  } catch {
    return { ok: false, ...NETWORK };
  }
}

/** Shows one section, and moves the focus there. */
function show(id) {
  find('wait').hidden = true;
  for (const section of document.querySelectorAll('section')) section.hidden = section.id !== id;
  const title = find(`${id}-title`);
  document.title = `${title.textContent} – SynapTask`;
  (find(id).querySelector('input:not([readonly])') ?? title).focus();
}

/** The key has been used, or is no longer needed: it does not stay in the address or in the history. */
const forgetKey = () => history.replaceState(null, '', '/');

function tell(section, text) {
  const alert = section.querySelector('[role=alert]');
  alert.textContent = text ?? '';
  alert.hidden = !text;
}

const FIELD_OF = {
  invalid_email: 'email', missing_email: 'email', email_taken: 'email',
  invalid_username: 'username', username_taken: 'username', invalid_password: 'password',
};

/** Sends a form when it is submitted; `done` gets the answer and the fields. */
function send(id, path, more, done) {
  const section = find(id);
  const form = section.querySelector('form');
  const button = form.querySelector('[type=submit]');
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    for (const field of form.elements) field.removeAttribute('aria-invalid');
    tell(section);
    const fields = Object.fromEntries(new FormData(form));
    button.disabled = true;
    const answer = await call('POST', path, { ...fields, ...more });
    button.disabled = false;
    if (answer.ok) return done(answer, fields);
    const field = form.elements[FIELD_OF[answer.code]];
    field?.setAttribute('aria-invalid', 'true');
    tell(section, answer.error === 'unauthorized' ? 'The email or the password is wrong.' : answer.message);
    (field ?? button).focus();
  });
}

function showAccount({ account }, isNew) {
  forgetKey();
  for (const input of document.querySelectorAll('input')) input.value = '';
  find('account-title').textContent = isNew ? `Welcome, ${account.username}` : 'You are signed in';
  const role = account.admin ? ', an administrator of this installation' : '';
  find('account-lead').textContent = `${isNew ? 'Your account is made. You are signed in' : 'Signed in'} as ${account.email}${role}.`;
  show('account');
}

function showLogin(notice) {
  find('login-lead').textContent = notice ?? '';
  find('login-lead').hidden = !notice;
  show('login');
  offerProviders('login', { next: '/' });
}

for (const button of document.querySelectorAll('.reveal[aria-controls]')) {
  button.addEventListener('click', () => {
    const input = find(button.getAttribute('aria-controls'));
    const shown = input.type === 'password';
    input.type = shown ? 'text' : 'password';
    button.setAttribute('aria-pressed', String(shown));
    button.textContent = shown ? 'Hide' : 'Show';
  });
}

send('register', '/api/register', key ? { invite: key } : {}, (answer) => showAccount(answer, true));
send('login', '/api/login', {}, (answer) => showAccount(answer, false));
send('reset', '/api/password/reset', { key }, () => {
  forgetKey();
  showLogin('Your password is changed. Sign in with it.');
});

send('email', '/api/account/email/confirm', { key }, ({ email }) => {
  forgetKey();
  showLogin(`${email} is confirmed. Sign in with it from now on.`);
});

/** Offers to sign in with other providers of identities, where there are any. */
async function offerProviders(section, more) {
  const answer = await call('GET', '/api/oidc');
  if (!answer.ok || !answer.providers.length) return;
  const links = answer.providers.map(({ title, startUrl }) => {
    const link = document.createElement('a');
    const url = new URL(startUrl, location.origin);
    for (const [name, value] of Object.entries(more)) url.searchParams.set(name, value);
    link.href = url.pathname + url.search;
    link.textContent = `Continue with ${title}`;
    return link;
  });
  const place = find(section).querySelector('.providers');
  place.replaceChildren(...links);
  place.hidden = false;
}

find('forgot').addEventListener('click', async () => {
  const email = find('login-email');
  if (!email.value) {
    tell(find('login'), 'Write your email first.');
    email.focus();
    return;
  }
  tell(find('login'));
  const answer = await call('POST', '/api/password/forgot', { email: email.value });
  if (!answer.ok) return tell(find('login'), answer.message);
  showLogin('If there is such an account, a link is on its way by mail. Where the server sends no mail, ask its operator for one.');
});

find('make-token').addEventListener('click', async () => {
  const section = find('account');
  tell(section);
  find('make-token').disabled = true;
  const answer = await call('POST', '/api/account/tokens', { name: 'made in the browser' });
  find('make-token').disabled = false;
  if (!answer.ok) return tell(section, answer.message);
  find('token-text').value = answer.secret;
  find('token-try').textContent = `curl -H "Authorization: Bearer ${answer.secret}" ${location.origin}/api/graph`;
  find('token').hidden = false;
  find('make-token').textContent = 'Make another token';
  find('token-text').select();
});

find('copy-token').addEventListener('click', async () => {
  find('token-text').select();
  try {
    await navigator.clipboard.writeText(find('token-text').value);
    find('copy-token').textContent = 'Copied';
  } catch {
    find('copy-token').textContent = 'Ctrl+C';
  }
});

find('logout').addEventListener('click', async () => {
  const answer = await call('POST', '/api/logout', {});
  if (!answer.ok && answer.error !== 'unauthorized') return tell(find('account'), answer.message);
  find('token-text').value = '';
  find('token-try').textContent = '';
  find('token').hidden = true;
  showLogin('You are signed out.');
});

const LEADS = {
  '/setup': 'This is a new installation. The first account administers it.',
  '/invite': 'You are invited to this installation.',
};

async function start() {
  const { pathname } = location;
  if (pathname === '/') {
    const account = await call('GET', '/api/account');
    return account.ok ? showAccount(account, false) : showLogin();
  }
  if (!key) return show('broken');
  if (pathname === '/reset' || pathname === '/email') return show(pathname.slice(1));
  find('register-lead').textContent = LEADS[pathname];
  show('register');
  if (pathname === '/invite') offerProviders('register', { next: '/', invite: key });
}

start();
