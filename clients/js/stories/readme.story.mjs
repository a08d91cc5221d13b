// README.md's way from nothing to a task graph, exactly as it stands there.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { binary } from '../harness.mjs';
import { storyOnOwnServer } from '../story.mjs';
import { keyOf, setupLink } from '../visitor.mjs';

const README = readFileSync(new URL('../../../README.md', import.meta.url), 'utf8');

/** The commands of a section, in order. */
function commandsOf(title) {
  const section = README.slice(README.indexOf(`### ${title}\n`)).split(/\n#{2,3} (?!From nothing)/)[0];
  const blocks = [...section.matchAll(/```sh\n(.*?)```/gs)].map(([, commands]) => commands);
  assert.ok(blocks.length >= 3, `README.md has commands under "${title}"`);
  return blocks.join('\n');
}

// Rules: K10, K14, K15, K17.
storyOnOwnServer('By curl alone: the link of a new installation, the first account, a token, tasks, their trash, and an invitation', { limits: 'on' }, async (own) => {
  assert.ok(README.includes('\nsynaptask serve --data /srv/synaptask --listen 127.0.0.1:8000\n'));
  const commands = commandsOf('From nothing to a task graph, with curl')
    .replaceAll('/srv/synaptask', own.dataDir)
    .replaceAll('http://127.0.0.1:8000', own.url)
    .replace('KEY=…', `KEY=${keyOf(await setupLink(own))}`);
  const cwd = mkdtempSync(join(tmpdir(), 'synaptask-readme-'));
  try {
    const env = { PATH: `${dirname(binary())}:${process.env.PATH}`, HOME: cwd };
    // Aliases are for people, not for scripts, unless a script asks for them.
    const script = `shopt -s expand_aliases\nset -e\n${commands}`;
    const { stdout, stderr } = await promisify(execFile)('bash', ['-c', script], { cwd, env });
    assert.equal(stderr, '');
    const token = readFileSync(join(cwd, 'token.json'), 'utf8').match(/st_\w+/)[0];
    own.tokens.add(token);
    assert.doesNotMatch(stdout, /"ok":false/);
    const answers = stdout.split(/(?<="trace_id":"[0-9a-f]{12}"\})/).filter((text) => text.startsWith('{')).map((text) => JSON.parse(text));
    const [registered, fence, paint, link, graph, published, trashed, trash, page, invited] = answers;
    assert.equal(answers.length, 10, stdout);
    assert.equal(registered.account.username, 'ada');
    assert.equal(fence.diff.nodes[0].after.title, 'Paint the fence');
    assert.equal(paint.diff.nodes[0].after.title, 'Buy paint');
    assert.equal(link.diff.links[0].after.source, paint.diff.nodes[0].after.id);
    assert.equal(graph.nodes.find(({ title }) => title === 'Paint the fence').status, 2, 'the fence waits for the paint');
    assert.match(published.diff.nodes[0].after.publicToken, /^[\w-]{20,}$/);
    assert.equal(trashed.diff.nodes.length > 0, true);
    for (const { nodes } of [trash, page]) assert.deepEqual(nodes.map(({ title }) => title), ['Buy paint']);
    assert.match(invited.invite.url, /\/invite\?key=\w{43}$/);
    assert.equal(invited.invite.email, 'ben@example.com');
    assert.match(stdout, /\/invite\?key=\w{43}\n(.*\n)*.*\/reset\?key=\w{43}\n$/);
  } finally {
    rmSync(cwd, { recursive: true, force: true });
  }
});
