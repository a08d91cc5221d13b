// History: every change can be undone and redone by users with permission, and all affected users see it.
import assert from 'node:assert/strict';
import { inParallel } from '../bulk.mjs';
import { OP, STATUS, isDiff, isKeys, isRefusal, isTime, isUuid, ops } from '../shapes.mjs';
import { stage, storyOnOwnServer } from '../story.mjs';

const { server, story, newUser } = await stage();
const range = (count) => Array.from({ length: count }, (_, i) => i);

/** An undo brings back what was, up to versions and times; who is named where is in the pages of history. */
function timeless({ version, lastEditedTime, lastBatchID, shareRoots, ...rest }) {
  return rest;
}
const byId = (entities) => Object.fromEntries(entities.map((entity) => [entity.id, timeless(entity)]));

/** All a user sees: the graph, the trash, and what they gave and were given. */
async function seenBy(client, { trash = true } = {}) {
  const [graph, bin, { account }] = [
    await client.does('graph:get', { limit: 5000 }),
    await client.does('trash:page', { limit: 1000 }),
    await client.does('account:get'),
  ];
  const seen = { nodes: byId(graph.nodes), links: byId(graph.links), account };
  return trash ? { ...seen, trash: [byId(bin.nodes), byId(bin.links)] } : seen;
}

/** What a client holds that loaded `page` and applied every diff it heard since (live.md). */
function held(page, diffs) {
  const [nodes, links] = [page.nodes, page.links].map((list) => new Map(list.map((one) => [one.id, { ...one }])));
  const gone = new Set([3, 5, 8, 12, 14, 18]);
  const whole = new Set([0, 4, 7, 10, 13, 17]);
  for (const diff of diffs) {
    for (const [kept, entries] of [[nodes, diff.nodes], [links, diff.links]]) {
      for (const { op, after } of entries) {
        if (gone.has(op)) kept.delete(after.id);
        else if (whole.has(op)) kept.set(after.id, after);
        else if (op === 9 && after.phantom) kept.set(after.id, after);
        else if (kept.has(after.id)) kept.set(after.id, { ...kept.get(after.id), ...after, ...(op === 9 && { phantom: undefined }) });
      }
    }
  }
  // What returns says that it has left the trash; a load does not (P14).
  const plain = (map) => Object.fromEntries([...map].map(([id, { shareRoots, inTrash, lastBatchID, ...one }]) => [id, JSON.parse(JSON.stringify(one))]));
  return { nodes: plain(nodes), links: plain(links) };
}

/** The same operation over either transport; resolves with the answer. */
const WAYS = {
  'over a socket': (client, _user, event, payload) => client.call(event, payload),
  'over REST': async (_client, user, event, payload) =>
    (await server.rest(user, 'POST', `/api/${event.replace(/^batch/, 'history').replace(':', '/')}`, payload)).body,
};

/** Olha's project root ← step ← last, and a task on its own; Petro edits the project with her. */
async function project() {
  const [olha, petro] = [await newUser('olha'), await newUser('petro')];
  const [hers, his] = [await server.connect(olha), await server.connect(petro)];
  const root = await hers.addNode({ title: 'Project' });
  const under = async (target, title) => {
    const { diff } = await hers.does('node:add', { target, title });
    return [diff.nodes[0].after.id, diff.links[0].after.id];
  };
  const [step, stepLink] = await under(root, 'Step');
  const [last, lastLink] = await under(step, 'Last');
  const alone = await hers.addNode({ title: 'Alone' });
  await hers.does('node:access', { id: root, email: petro.email, level: 2 });
  return { olha, petro, hers, his, root, step, stepLink, last, lastLink, alone };
}

const OPERATIONS = {
  'a task of its own': () => ['node:add', { title: 'New' }],
  'a task under another': ({ root }) => ['node:add', { title: 'New', target: root }],
  'fields of a task': ({ step }) => [
    'node:update',
    { id: step, title: 'Later', tags: ['x'], dueDate: '2031-01-01T00:00:00Z', priority: 3, assignee: ['petro'], x: 1.5, pinned: true },
  ],
  'a status that frees others': ({ last }) => ['node:update', { id: last, status: STATUS.COMPLETED }],
  'fields and a status at once': ({ last }) => ['node:update', { id: last, title: 'Done', status: STATUS.IN_PROGRESS }],
  'independence': ({ step }) => ['node:update', { id: step, independent: true }],
  'trashing a task with its links': ({ step }) => ['node:trash', { id: step }],
  'restoring a task with its links': async ({ hers, step }) => {
    await hers.does('node:trash', { id: step });
    return ['node:restore', { id: step }];
  },
  'a link': ({ alone, last }) => ['link:add', { source: alone, target: last }],
  'a link that returned from the trash, turned and of another type': async ({ hers, alone, last }) => {
    await hers.does('link:trash', { id: await hers.addLink(alone, last) });
    return ['link:add', { source: last, target: alone, type: 1 }];
  },
  'a link turned round': async ({ hers, alone, last }) => ['link:swap', { id: await hers.addLink(alone, last) }],
  'a link no longer blocking': ({ lastLink }) => ['link:update', { id: lastLink, type: 1 }],
  'a link made private': ({ lastLink }) => ['link:update', { id: lastLink, private: true }],
  'trashing a link': ({ lastLink }) => ['link:trash', { id: lastLink }],
  'restoring a link': async ({ hers, lastLink }) => {
    await hers.does('link:trash', { id: lastLink });
    return ['link:restore', { id: lastLink }];
  },
  'publishing': ({ root }) => ['node:publish', { id: root }],
  'a publication made narrower': async ({ hers, root }) => {
    await hers.does('node:publish', { id: root });
    return ['node:publish:update', { id: root, branch: false, due: '2031-01-01T00:00:00Z' }];
  },
  'unpublishing': async ({ hers, root }) => {
    await hers.does('node:publish', { id: root });
    return ['node:unpublish', { id: root }];
  },
  'giving access': ({ alone, petro }) => ['node:access', { id: alone, email: petro.email, level: 3, branch: false }],
  'changing what was given': ({ root, petro }) => ['node:access:update', { id: root, email: petro.email, level: 3 }],
  'taking access away': ({ root, petro }) => ['node:access:delete', { id: root, email: petro.email }],
  'hiding what one was given': ({ root }) => ['access:visibilityupdate', { id: root, showing: false }, 'his'],
  'embedding a public branch': async ({ hers, alone }) => {
    await hers.does('node:publish', { id: alone });
    return ['node:embed', { id: alone }, 'his'];
  },
  'taking an embedded branch out': async ({ hers, his, alone }) => {
    await hers.does('node:publish', { id: alone });
    await his.does('node:embed', { id: alone });
    return ['node:unembed', { id: alone }, 'his'];
  },
  'another username': ({ olha }) => ['settings:username', { username: `${olha.username}.x` }],
};

// Rules: H4, H5, H10, H11, H12.
for (const [what, prepare] of Object.entries(OPERATIONS)) {
  for (const [how, turn] of Object.entries(WAYS)) {
    // Rules: H4, H5, H10, H11, H12, W6, P1.
    story(`Undone and redone ${how}: ${what}; everyone sees what was, then what became`, async () => {
      const cast = await project();
      const [event, payload, who = 'hers'] = await prepare(cast);
      const [actor, client] = who === 'his' ? [cast.petro, cast.his] : [cast.olha, cast.hers];
      const trash = !event.endsWith(':add'); // the undone add lies there now
      const view = async () => [await seenBy(cast.hers, { trash }), await seenBy(cast.his, { trash })];
      const watchers = [await server.connect(cast.olha), await server.connect(cast.petro)];
      const loads = await Promise.all(watchers.map((watcher) => watcher.does('graph:get')));

      const before = await view();
      const batchId = (await client.does(event, payload)).diff.batchId;
      const after = await view();
      assert.notDeepEqual(after, before);

      const me = event === 'settings:username' ? actor : null;
      const undone = await turn(client, actor, 'history:undo', { batchId });
      assert.equal(undone.ok, true, JSON.stringify(undone));
      isUuid(undone.batchId);
      assert.deepEqual([undone.batchId, undone.undoOf, undone.redoOf], [undone.diff.batchId, batchId, undefined]);
      isDiff(undone.diff, me ?? actor);
      assert.deepEqual(await view(), before);
      isRefusal(await turn(client, actor, 'history:undo', { batchId }), 'conflict.already_undone');

      // A client holds the id of the undo after it: to redo that brings the chain back.
      const redone = await turn(client, actor, 'history:redo', { batchId: undone.batchId });
      assert.equal(redone.ok, true, JSON.stringify(redone));
      assert.deepEqual([redone.batchId, redone.undoOf, redone.redoOf], [redone.diff.batchId, undefined, batchId]);
      assert.deepEqual(await view(), after);
      isRefusal(await turn(client, actor, 'history:redo', { batchId }), 'conflict.not_undone');

      // Any batch of the chain may be named; to undo an undo brings the chain back, too.
      isRefusal(await turn(client, actor, 'batch:undo', { batchId: undone.batchId }), 'conflict.not_undone');
      const again = await turn(client, actor, 'batch:undo', { batchId: redone.batchId });
      assert.deepEqual([again.ok, again.undoOf], [true, batchId], JSON.stringify(again));
      assert.deepEqual(await view(), before);
      const undoUndone = await turn(client, actor, 'batch:undo', { batchId: again.batchId });
      assert.deepEqual([undoUndone.ok, undoUndone.redoOf], [true, batchId], JSON.stringify(undoUndone));
      assert.deepEqual(await view(), after);
      isRefusal(await turn(client, actor, 'batch:redo', { batchId: again.batchId }), 'conflict.not_undone');
      const last = await turn(client, actor, 'batch:undo', { batchId });
      assert.deepEqual([last.ok, last.undoOf], [true, batchId], JSON.stringify(last));
      assert.deepEqual(await view(), before);

      for (const [i, watcher] of watchers.entries()) {
        await watcher.settled();
        const heard = watcher.all('graph:diff');
        const fresh = held(await watcher.does('graph:get'), []);
        const own = held(loads[i], heard);
        // A rename travels as USER_UPDATE and is applied by the owner's email.
        if (me === null) assert.deepEqual(own, fresh, 'the diffs lead to what a fresh load shows');
        else assert.equal(heard.flatMap((diff) => diff.user).length, 6);
      }
    });
  }
}

// Rules: H12.
story('An undone unpublish has the old token back, and who had it reads the branch again', async () => {
  const { hers, root } = await project();
  const token = (await hers.does('node:publish', { id: root })).diff.nodes[0].after.publicToken;
  const { diff } = await hers.does('node:unpublish', { id: root });
  assert.equal((await server.rest(null, 'GET', `/api/branch?root=${token}`)).status, 404);
  const undone = await hers.does('history:undo', { batchId: diff.batchId });
  assert.equal(undone.diff.nodes[0].after.publicToken, token);
  assert.equal((await server.rest(null, 'GET', `/api/branch?root=${token}`)).body.nodes.length, 3);
});

// Rules: H7.
story('Only what the batch changed is set back: what others changed since stays', async () => {
  const { hers, his, step } = await project();
  const { diff } = await hers.does('node:update', { id: step, title: 'Later', priority: 4 });
  await his.does('node:update', { id: step, description: 'by Petro', volume: 9 });
  await hers.does('history:undo', { batchId: diff.batchId });
  const node = (await his.does('graph:get')).nodes.find(({ id }) => id === step);
  assert.deepEqual([node.title, node.priority, node.description, node.volume], ['Step', 0, 'by Petro', 9]);
});

// Rules: H8, P7.
story('Petro, who may edit, undoes what Olha did; both windows of both hear it once', async () => {
  const { olha, petro, hers, his, step } = await project();
  const { diff } = await hers.does('node:update', { id: step, title: 'Later' });
  const windows = [await server.connect(olha), await server.connect(petro)];
  const answer = await his.does('history:undo', { batchId: diff.batchId });
  isDiff(answer.diff, petro);
  for (const window of windows) {
    assert.deepEqual((await window.hears('graph:diff')).nodes.map((entry) => entry.after.title), ['Step']);
    await window.settled();
    assert.equal(window.all('graph:diff').length, 1);
  }
  await his.settled();
  assert.ok(!his.all('graph:diff').some((one) => one.batchId === answer.batchId), 'its origin has the ack');
  await hers.hears('graph:diff', (one) => one.batchId === answer.batchId);
});

for (const way of ['undo', 'redo']) {
  // Rules: H5, D7, D9.
  story(`A ${way} sent again under its newBatchId is done once, over either transport`, async () => {
    const { olha, hers, step } = await project();
    const { batchId } = (await hers.does('node:update', { id: step, title: 'Later' })).diff;
    if (way === 'redo') await hers.does('history:undo', { batchId });
    const payload = { batchId, newBatchId: crypto.randomUUID() };
    const first = await hers.does(`history:${way}`, payload);
    assert.equal(first.batchId, payload.newBatchId);
    assert.equal(first.replayed, undefined);
    const acks = [
      await hers.does(`history:${way}`, payload),
      await hers.does(`batch:${way}`, payload),
      (await server.rest(olha, 'POST', `/api/history/${way}`, payload)).body,
    ];
    for (const ack of acks) {
      assert.equal(ack.replayed, true);
      assert.deepEqual([ack.batchId, ack.undoOf, ack.redoOf, ack.diff], [first.batchId, first.undoOf, first.redoOf, first.diff]);
    }
    const other = { batchId: crypto.randomUUID(), newBatchId: payload.newBatchId };
    isRefusal(await hers.call(`history:${way}`, other), 'conflict.batch_id_conflict');
    const { batches } = await hers.does('history:page');
    assert.equal(batches.filter((batch) => batch[`${way}Of`] === batchId).length, 1);
  });
}

// Rules: H7.
story('What has been changed since is a version_conflict that names it, and nothing is undone', async () => {
  const { hers, his, step, last } = await project();
  const { batchId } = (await hers.does('node:update', { id: step, title: 'Later', priority: 4 })).diff;
  await his.does('node:update', { id: step, title: 'Latest' });
  const refused = await hers.call('history:undo', { batchId });
  isRefusal(refused, 'conflict.version_conflict');
  assert.ok(refused.message.includes(step) && !refused.message.includes(last), refused.message);
  const node = (await hers.does('graph:get')).nodes.find(({ id }) => id === step);
  assert.deepEqual([node.title, node.priority], ['Latest', 4]);
  await his.does('node:update', { id: step, title: 'Later' });
  await hers.does('history:undo', { batchId }); // by value: it is as the batch left it
});

// Rules: A9, H3, H6, H8.
story('Whoever lost the right since may not undo what they did: no_permission; and what they no longer see is batch_not_found', async () => {
  const { petro, hers, his, root, step } = await project();
  const { batchId } = (await his.does('node:update', { id: step, title: 'Later' })).diff;
  await hers.does('node:access:update', { id: root, email: petro.email, level: 3 });
  isRefusal(await his.call('history:undo', { batchId }), 'forbidden.no_permission');
  await hers.does('node:access:delete', { id: root, email: petro.email });
  isRefusal(await his.call('history:undo', { batchId }), 'forbidden.no_permission'); // his own, and so no secret
  const unseen = (await hers.does('node:update', { id: step, priority: 7 })).diff.batchId;
  const answers = [await his.call('history:undo', { batchId: unseen }), await his.call('history:undo', { batchId: crypto.randomUUID() })];
  for (const answer of answers) {
    isRefusal(answer, 'not_found.batch_not_found');
    delete answer.trace_id;
  }
  assert.deepEqual(answers[0], answers[1], 'what is not seen is answered like what never was');
});

// Rules: H15.
story('An undo gives nobody an access that the caller could not give now', async () => {
  const [olha, petro, ivan] = [await newUser('olha'), await newUser('petro'), await newUser('ivan')];
  const [hers, his] = [await server.connect(olha), await server.connect(petro)];
  const id = await hers.addNode();
  await hers.does('node:access', { id, email: petro.email, level: 1 });
  await hers.does('node:access', { id, email: ivan.email, level: 1 });
  const { batchId } = (await his.does('node:access:delete', { id, email: ivan.email })).diff;
  await hers.does('node:access:update', { id, email: petro.email, level: 2 });
  isRefusal(await his.call('history:undo', { batchId }), 'forbidden.no_permission');
  await hers.does('history:undo', { batchId });
});

// Rules: H9.
story('What was deleted for good does not come back: cannot_restore_purged names it', async () => {
  const { olha, hers } = await project();
  const id = await hers.addNode({ title: 'Draft' });
  const { batchId } = (await hers.does('node:update', { id, title: 'Draft 2' })).diff;
  await hers.does('node:trash', { id });
  const purge = (await hers.does('node:delete', { id })).diff.batchId;
  for (const way of [batchId, purge]) {
    const refused = await hers.call('history:undo', { batchId: way });
    isRefusal(refused, 'bad_request.cannot_restore_purged');
    assert.ok(refused.message.includes(id), refused.message);
    const { status, body } = await server.rest(olha, 'POST', '/api/history/undo', { batchId: way });
    assert.equal(status, 400);
    isRefusal(body, 'bad_request.cannot_restore_purged');
  }
});

// Rules: H14.
story('An undo of an update is refused with node_in_trash while its task is in the trash', async () => {
  const { hers, step } = await project();
  const { batchId } = (await hers.does('node:update', { id: step, title: 'Later' })).diff;
  await hers.does('node:trash', { id: step });
  isRefusal(await hers.call('history:undo', { batchId }), 'bad_request.node_in_trash');
});

// H6
story('Refusals of an undo come in their order: undone already, deleted for good, no permission, changed since', async () => {
  const [olha, petro] = [await newUser('olha'), await newUser('petro')];
  const [hers, his] = [await server.connect(olha), await server.connect(petro)];
  const id = await hers.addNode({ title: 'Draft' });
  await hers.does('node:access', { id, email: petro.email, level: 2 });
  const first = (await his.does('node:update', { id, priority: 1 })).diff.batchId;
  await his.does('history:undo', { batchId: first });
  const second = (await his.does('node:update', { id, title: 'Draft 2' })).diff.batchId;
  await hers.does('node:update', { id, title: 'Draft 3' });
  isRefusal(await his.call('history:undo', { batchId: second }), 'conflict.version_conflict');
  await hers.does('node:access:update', { id, email: petro.email, level: 3 });
  isRefusal(await his.call('history:undo', { batchId: second }), 'forbidden.no_permission');
  await hers.does('node:trash', { id });
  await hers.does('node:delete', { id });
  isRefusal(await his.call('history:undo', { batchId: second }), 'bad_request.cannot_restore_purged');
  isRefusal(await his.call('history:undo', { batchId: first }), 'conflict.already_undone');
});

// H13
story('A status set before others came to hold the task is undone without a conflict: it resumes as it was', async () => {
  const hers = await server.connect(await newUser('olha'));
  const id = await hers.addNode({ title: 'Wait' });
  const { batchId } = (await hers.does('node:update', { id, status: STATUS.IN_PROGRESS })).diff;
  const blocker = await hers.addNode({ target: id });
  const status = async () => (await hers.does('graph:get')).nodes.find((node) => node.id === id).status;
  await hers.does('history:undo', { batchId });
  assert.equal(await status(), STATUS.BLOCKED);
  await hers.does('node:update', { id: blocker, status: STATUS.COMPLETED });
  assert.equal(await status(), STATUS.AVAILABLE);
  await hers.does('history:redo', { batchId });
  assert.equal(await status(), STATUS.IN_PROGRESS);
});

// H14
story('Taking an embedded branch out is not undone once it is no longer public', async () => {
  const { hers, his, alone } = await project();
  await hers.does('node:publish', { id: alone });
  await his.does('node:embed', { id: alone });
  const { batchId } = (await his.does('node:unembed', { id: alone })).diff;
  await hers.does('node:unpublish', { id: alone });
  isRefusal(await his.call('history:undo', { batchId }), 'bad_request.not_public');
});

// H16
story('An undo that would make tasks wait for each other is a dependency_cycle', async () => {
  const { hers, step, last, lastLink, alone } = await project();
  const { batchId } = (await hers.does('link:trash', { id: lastLink })).diff; // last → step
  await hers.addLink(step, alone);
  const closing = await hers.addLink(alone, last);
  isRefusal(await hers.call('history:undo', { batchId }), 'conflict.dependency_cycle');
  await hers.does('link:trash', { id: closing });
  await hers.does('history:undo', { batchId });
});

// H21
story('Five finished tasks, the first reopened and that undone, are finished again; so is a task that a link reopened', async () => {
  const { hers } = await project();
  const chain = [];
  for (const _ of range(5)) {
    chain.push(await hers.addNode({ title: 'Layer' }));
    if (chain.length > 1) await hers.addLink(chain.at(-2), chain.at(-1));
  }
  const statuses = async () => {
    const { nodes } = await hers.does('graph:get');
    return chain.map((id) => nodes.find((node) => node.id === id).status);
  };
  for (const id of chain) await hers.does('node:update', { id, status: STATUS.COMPLETED });
  const { batchId } = (await hers.does('node:update', { id: chain[0], status: STATUS.IN_PROGRESS })).diff;
  const reopened = [STATUS.IN_PROGRESS, ...range(4).map(() => STATUS.BLOCKED)];
  assert.deepEqual(await statuses(), reopened);
  const undone = await hers.does('history:undo', { batchId });
  assert.deepEqual(await statuses(), range(5).map(() => STATUS.COMPLETED));
  await hers.does('history:redo', { batchId: undone.batchId });
  assert.deepEqual(await statuses(), reopened);
  await hers.does('history:undo', { batchId });
  const link = (await hers.does('link:add', { source: await hers.addNode({ title: 'New' }), target: chain[4] })).diff;
  assert.equal((await statuses())[4], STATUS.BLOCKED);
  await hers.does('history:undo', { batchId: link.batchId });
  assert.deepEqual(await statuses(), range(5).map(() => STATUS.COMPLETED));
});

// H17
story('Undoing an unpublish brings back no embed', async () => {
  const { hers, his, alone } = await project();
  await hers.does('node:publish', { id: alone });
  await his.does('node:embed', { id: alone });
  await hers.does('history:undo', { batchId: (await hers.does('node:unpublish', { id: alone })).diff.batchId });
  assert.deepEqual((await his.does('account:get')).account.publicEmbeds, []);
});

// H20
story('Of the phantom that holds her task, Maria reads no history', async () => {
  const [olha, maria] = [await newUser('olha'), await newUser('maria')];
  const [hers, others] = [await server.connect(olha), await server.connect(maria)];
  const waiting = await hers.addNode({ title: 'Waiting' });
  const hub = await hers.addNode({ title: 'Canary' });
  await hers.addLink(hub, waiting);
  await hers.does('node:access', { id: waiting, email: maria.email, level: 2, branch: false });
  const { batchId } = (await hers.does('node:update', { id: hub, title: 'Canary 2' })).diff;
  await hers.does('node:update', { id: hub, status: STATUS.IN_PROGRESS });
  assert.ok((await others.does('graph:get')).nodes.some((node) => node.id === hub && node.phantom));
  const { batches } = await others.does('history:page');
  assert.ok(!JSON.stringify(batches).includes('Canary'));
  assert.ok(batches.flatMap((batch) => batch.ops).every((op) => op.entityId !== hub));
  isRefusal(await others.call('history:undo', { batchId }), 'not_found.batch_not_found');
});

for (const [what, payload, error] of [
  ['no batchId', {}, 'bad_request.missing_batchId'],
  ['a batchId that is none', { batchId: 'yesterday' }, 'bad_request.invalid_batch_id'],
  ['a newBatchId that is none', { batchId: crypto.randomUUID(), newBatchId: 'once' }, 'bad_request.invalid_batch_id'],
  ['a field it does not take', { batchId: crypto.randomUUID(), force: true }, 'bad_request.unknown_field'],
]) {
  // Rules: H5.
  story(`An undo with ${what} is ${error}, by ack and over REST, and so is a redo`, async () => {
    const olha = await newUser('olha');
    const client = await server.connect(olha);
    for (const way of ['undo', 'redo']) {
      isRefusal(await client.call(`history:${way}`, payload), error);
      isRefusal(await client.call(`batch:${way}`, payload), error);
      isRefusal((await server.rest(olha, 'POST', `/api/history/${way}`, payload)).body, error);
    }
  });
}

// Rules: H4, P17, P18.
story('A batch that trashed a task with 1,000 links, blocking 1,000 tasks, is undone: every viewer has everything back', async () => {
  const COUNT = 1_000;
  const [olha, petro, ivan, maria] = await Promise.all(['olha', 'petro', 'ivan', 'maria'].map((name) => newUser(name)));
  const hers = await server.connect(olha);
  const root = await hers.addNode({ title: 'Root' });
  const waiting = await inParallel([hers], range(COUNT).map((i) => (c) => c.addNode({ title: `Waiting ${i}`, target: root })));
  const hub = await hers.addNode({ title: 'Hub' });
  await inParallel([hers], waiting.map((target) => (c) => c.addLink(hub, target)));
  await hers.does('node:access', { id: root, email: petro.email, level: 2 }); // the whole branch
  await hers.does('node:access', { id: hub, email: ivan.email, level: 3, branch: false }); // the hub alone
  await hers.does('node:access', { id: waiting[7], email: maria.email, level: 3, branch: false }); // the hub is a phantom
  const viewers = await Promise.all([olha, petro, ivan, maria].map((user) => server.connect(user)));
  const load = (client) => client.does('graph:get', { limit: 5000 });
  const loads = await Promise.all(viewers.map(load));
  assert.deepEqual(loads.map((page) => [page.nodes.length, page.links.length]), [[1002, 2000], [1002, 2000], [1, 0], [2, 1]]);
  const state = (page) => [byId(page.nodes), byId(page.links)];

  const { batchId } = (await hers.does('node:trash', { id: hub })).diff;
  const without = await Promise.all(viewers.map(load));
  assert.ok(without[0].nodes.every((node) => node.status === (node.id === root ? STATUS.BLOCKED : STATUS.AVAILABLE)));
  const answer = await hers.does('history:undo', { batchId });
  assert.equal(answer.undoOf, batchId);
  assert.deepEqual([answer.diff.part, answer.diff.parts > 1], [1, true]);

  for (const [i, viewer] of viewers.entries()) {
    await viewer.settled();
    const fresh = await load(viewer);
    assert.deepEqual(state(fresh), state(loads[i]), 'all of it is back');
    const diffs = viewer.all('graph:diff');
    assert.deepEqual(held(loads[i], diffs), held(fresh, []), 'and came by diff');
    const parts = diffs.filter((diff) => diff.batchId === answer.batchId);
    for (const part of parts) assert.ok(part.nodes.length + part.links.length <= 1_000, 'a part has at most 1,000 entries');
    if (parts.length > 1) assert.deepEqual(parts.map(({ part, parts: all }) => [part, all]), parts.map((_, nth) => [nth + 1, parts.length]));
  }
  await hers.settled();
  const rest = hers.all('graph:diff').filter((diff) => diff.batchId === answer.batchId);
  assert.equal(rest.length, answer.diff.parts - 1, 'the first part is the ack, the rest follows');
  const [trashed] = (await hers.does('history:page', { limit: 2 })).batches.slice(1);
  assert.deepEqual([trashed.batchId, trashed.undone, trashed.undoneBy], [batchId, true, answer.batchId]);
});

const BATCH_KEYS = ['batchId', 'rev', 'actor', 'ts', 'undone', 'undoOf', 'undoneBy', 'redoOf', 'redoneBy', 'ops'];
const OP_KEYS = ['id', 'type', 'entityType', 'entityId', 'forwardPatch', 'inversePatch', 'guard', 'createdTime'];

/** Every page, each full but the last and hasMore exact. */
async function allPages(getPage, limit) {
  const batches = [];
  for (let more = true; more; ) {
    const page = await getPage({ limit, offset: batches.length });
    assert.equal(typeof page.rev, 'number');
    if (page.hasMore) assert.equal(page.batches.length, limit);
    else assert.ok(page.batches.length > 0 || batches.length === 0, 'no page was promised that is empty');
    batches.push(...page.batches);
    more = page.hasMore;
  }
  return batches;
}

// Rules: G10, H10, H19.
story('A page of history tells who did what and when, latest first, in one shape by socket and REST', async () => {
  const { olha, petro, hers, his, root, step, lastLink } = await project();
  const update = (await hers.does('node:update', { id: step, title: 'Later', dueDate: '2031-01-01T00:00:00Z' })).diff;
  const link = (await hers.does('link:update', { id: lastLink, type: 1 })).diff;
  const undo = await his.does('history:undo', { batchId: update.batchId });
  const redo = await hers.does('history:redo', { batchId: update.batchId });
  const name = (await hers.does('settings:username', { username: `${olha.username}.y` })).diff;
  const page = await hers.does('history:page', {});
  const { body } = await server.rest(olha, 'GET', '/api/history');
  assert.deepEqual(body.batches, page.batches);
  isKeys(page, ['ok', 'hasMore', 'batches', 'rev', 'trace_id']);
  const revs = page.batches.map((batch) => batch.rev);
  assert.deepEqual(revs, [...revs].sort((a, b) => b - a));
  for (const batch of page.batches) {
    isKeys(batch, BATCH_KEYS);
    isTime(batch.ts);
    for (const op of batch.ops) {
      isKeys(op, OP_KEYS);
      isTime(op.createdTime);
      isUuid(op.entityId);
      isKeys(op.guard, ['version']);
      assert.ok(['node', 'link', 'grant', 'user'].includes(op.entityType));
    }
  }
  const ids = page.batches.flatMap((batch) => batch.ops.map((op) => op.id));
  assert.equal(new Set(ids).size, ids.length, 'an op has an id of its own');
  const find = (batchId) => page.batches.find((batch) => batch.batchId === batchId);

  const updated = find(update.batchId);
  assert.deepEqual([updated.undone, updated.undoneBy, updated.redoneBy, updated.undoOf], [false, undo.batchId, redo.batchId, null]);
  assert.equal(updated.actor.email, olha.email);
  const [op] = updated.ops;
  assert.deepEqual([op.type, op.entityType, op.entityId], [OP.NODE_UPDATE, 'node', step]);
  assert.deepEqual([op.forwardPatch.title, op.inversePatch.title], ['Later', 'Step']);
  assert.deepEqual([op.forwardPatch.dueDate, op.inversePatch.dueDate], ['2031-01-01T00:00:00Z', null]);
  assert.equal(op.guard.version, update.nodes[0].before.version);
  assert.ok(!('description' in op.forwardPatch), 'the changed fields alone');

  assert.deepEqual([find(undo.batchId).undoOf, find(undo.batchId).actor.email], [update.batchId, petro.email]);
  assert.equal(find(redo.batchId).redoOf, update.batchId);
  const linked = find(link.batchId).ops;
  assert.deepEqual(linked.map((one) => one.type), [11, OP.NODE_STATUS]);
  assert.deepEqual([linked[0].entityType, linked[0].forwardPatch.type, linked[0].inversePatch.type], ['link', 1, 0]);
  const [renamed] = find(name.batchId).ops;
  assert.deepEqual([renamed.entityType, renamed.type, renamed.inversePatch.username], ['user', 30, olha.username]);
  const given = page.batches.flatMap((batch) => batch.ops).find((one) => one.entityType === 'grant');
  assert.deepEqual([given.type, given.entityId, given.forwardPatch.email, given.forwardPatch.level], [20, root, petro.email, 2]);
  assert.deepEqual([given.inversePatch, given.guard.version], [{}, null]);
  await hers.does('history:undo', { batchId: update.batchId });
  const now = (await hers.does('history:page')).batches.find((batch) => batch.batchId === update.batchId);
  assert.equal(now.undone, true);
});

for (const limit of [1, 4, 7, 100]) {
// Rules: G6, G10, H18.
  story(`Scopes of history, paged ${limit} at a time: all one sees, what one did, what touched a branch; hasMore is exact`, async () => {
    const { olha, petro, hers, his, root, step, alone } = await project();
    const done = [];
    for (const i of range(5)) done.push((await his.does('node:update', { id: step, title: `Step ${i}` })).diff.batchId);
    const apart = (await hers.does('node:update', { id: alone, title: 'Apart' })).diff.batchId;
    const ids = async (client, scope) =>
      (await allPages((query) => client.does('history:page', { ...scope, ...query }), limit)).map((batch) => batch.batchId);
    const all = await ids(hers, {});
    assert.equal(new Set(all).size, all.length);
    assert.deepEqual(all.slice(0, 6), [apart, ...done.toReversed()]);
    assert.deepEqual(await ids(his, { scopeType: 'USER' }), done.toReversed());
    const { uid } = await his.hears('connected');
    assert.deepEqual(await ids(his, { scopeType: 'USER', scopeId: uid }), done.toReversed());
    assert.deepEqual(await ids(hers, { scopeType: 'USER' }), all.filter((id) => !done.includes(id)));
    const branch = await ids(hers, { scopeType: 'GRAPH', scopeId: root });
    assert.ok(done.every((id) => branch.includes(id)) && !branch.includes(apart));
    assert.deepEqual(await ids(hers, { scopeType: 'GRAPH', scopeId: alone }), [apart, all.at(-4)].filter(Boolean));
    const rest = async (query) =>
      (await server.rest(petro, 'GET', `/api/history?${new URLSearchParams({ scopeType: 'GRAPH', scopeId: step, ...query })}`)).body;
    assert.deepEqual((await allPages(rest, limit)).map((batch) => batch.batchId).slice(0, 5), done.toReversed());
    assert.ok(!(await ids(his, {})).includes(apart));
    assert.equal((await hers.does('account:get')).account.email, olha.email);
  });
}

// Rules: H18, G7, G10.
story('A scope that is none, one that is another\'s and a page out of range are refused by name', async () => {
  const { olha, hers, his, alone } = await project();
  const { uid } = await hers.hears('connected');
  for (const [payload, error] of [
    [{ scopeType: 'WORLD' }, 'bad_request.invalid_scope'],
    [{ scopeType: 'USER', scopeId: uid }, 'bad_request.invalid_scope'],
    [{ scopeType: 'GRAPH' }, 'bad_request.invalid_scope'],
    [{ scopeType: 'GRAPH', scopeId: alone }, 'not_found.node_not_found'],
    [{ scopeType: 'GRAPH', scopeId: crypto.randomUUID() }, 'not_found.node_not_found'],
    [{ limit: 0 }, 'bad_request.out_of_range'],
    [{ limit: 1_001 }, 'bad_request.out_of_range'],
    [{ offset: -1 }, 'bad_request.out_of_range'],
    [{ limit: 'all' }, 'bad_request.invalid_limit'],
  ]) {
    isRefusal(await his.call('history:page', payload), error);
  }
  const { status, body } = await server.rest(olha, 'GET', '/api/history?limit=1001');
  assert.equal(status, 400);
  isRefusal(body, 'bad_request.out_of_range');
});

// Rules: H3, H20.
story('Nothing of what a reader does not see is in any page of history, not even an id', async () => {
  const { petro, hers, his, root, step, last, alone } = await project();
  const canary = `canary-${crypto.randomUUID()}`;
  const secret = await hers.addNode({ title: canary, description: canary, tags: [canary.slice(0, 50)] });
  const holding = await hers.addLink(secret, alone);
  const hidden = [canary, secret, holding];
  // One batch touches what Petro sees and what he does not: the cascade goes through both.
  await hers.does('node:update', { id: secret, title: `${canary}!` });
  await hers.does('node:publish', { id: alone });
  hidden.push((await hers.does('graph:get')).nodes.find(({ id }) => id === alone).publicToken);
  const bridge = await hers.addLink(alone, last, { private: true }); // held by what he does not see
  await hers.does('node:update', { id: secret, status: STATUS.COMPLETED });
  await hers.does('node:trash', { id: alone });
  await hers.does('node:restore', { id: alone });
  hidden.push(alone, bridge);
  const look = async (client) => {
    const scopes = [{}, { scopeType: 'USER' }, { scopeType: 'GRAPH', scopeId: root }];
    return JSON.stringify(await Promise.all(scopes.map((scope) => client.does('history:page', { limit: 1000, ...scope }))));
  };
  let pages = await look(his);
  assert.ok(pages.includes(last), 'what happened to the task he sees is told');
  for (const marker of hidden) assert.ok(!pages.includes(marker), `a page shows ${marker}`);
  const all = await look(hers);
  for (const marker of hidden) assert.ok(all.includes(marker));
  // What he lost he reads nothing of any more, not even of what he himself did there.
  await his.does('node:update', { id: step, title: 'by Petro' });
  await hers.does('node:access:delete', { id: root, email: petro.email });
  pages = JSON.stringify([await his.does('history:page', { limit: 1000 }), await his.does('history:page', { scopeType: 'USER' })]);
  for (const marker of [...hidden, root, step, last, 'by Petro', 'Project']) assert.ok(!pages.includes(marker), `a page shows ${marker}`);
  // And what was deleted for good is gone from everybody's.
  await hers.does('node:trash', { id: secret });
  await hers.does('node:delete', { id: secret });
  assert.ok(!(await look(hers)).includes(canary));
});

const limited = (name, tell) => storyOnOwnServer(name, { limits: 'on' }, tell);

for (const [event, allowed, payload] of [
  ['history:undo', 10, { batchId: crypto.randomUUID() }],
  ['history:redo', 10, { batchId: crypto.randomUUID() }],
  ['history:page', 5, {}],
]) {
  // Rules: R1, R7.
  limited(`${event} passes ${allowed} times in 10 s, then it is rate_limited`, async (own) => {
    const client = await own.connect(await own.addUser('olha'));
    const acks = await Promise.all(range(allowed + 2).map(() => client.call(event, payload)));
    assert.ok(acks.slice(0, allowed).every((ack) => ack.error !== 'rate_limited'), JSON.stringify(acks));
    for (const ack of acks.slice(allowed)) {
      isRefusal(ack, 'rate_limited');
      assert.ok(ack.retryAfter > 0 && ack.retryAfter <= 10);
    }
    if (event === 'history:page') return;
    const [here, there] = event.endsWith('undo') ? ['batch:undo', 'batch:redo'] : ['batch:redo', 'batch:undo'];
    isRefusal(await client.call(here, payload), 'rate_limited'); // an alias is the same operation
    isRefusal(await client.call(there, payload), 'not_found.batch_not_found'); // the other has its own share
  });
}

// Rules: R2.
limited('A replayed undo does not count against its limit', async (own) => {
  const client = await own.connect(await own.addUser('olha'));
  const { batchId } = (await client.does('node:add', { title: 'Roof' })).diff;
  const payload = { batchId, newBatchId: crypto.randomUUID() };
  await client.does('history:undo', payload);
  for (const _ of range(20)) assert.equal((await client.does('history:undo', payload)).replayed, true);
  isRefusal(await client.call('history:undo', { batchId: crypto.randomUUID() }), 'not_found.batch_not_found');
});

// Rules: H1, D8, D13.
story('History outlives a kill: chains, pages and names are as they were', async () => {
  const { hers, step, olha } = await project();
  const { batchId } = (await hers.does('node:update', { id: step, title: 'Later' })).diff;
  const payload = { batchId, newBatchId: crypto.randomUUID() };
  const undone = await hers.does('history:undo', payload);
  const before = await hers.does('history:page');
  await server.kill();
  await server.up();
  const after = await server.connect(olha);
  assert.deepEqual((await after.does('history:page')).batches, before.batches);
  isRefusal(await after.call('history:undo', { batchId }), 'conflict.already_undone');
  assert.deepEqual((await after.does('history:undo', payload)).diff, undone.diff);
  assert.equal((await after.does('history:redo', { batchId: undone.batchId })).redoOf, batchId);
  isRefusal(await after.call('history:undo', { batchId: undone.batchId }), 'conflict.not_undone');
  assert.deepEqual(ops((await after.does('history:page', { limit: 1 })).batches[0].ops.map((op) => ({ op: op.type }))), [OP.NODE_UPDATE]);
});

// C11
storyOnOwnServer('The operator reads who did what and when, in words, while the server runs; and picks by user, node and time', {}, async (own) => {
  const [olha, petro] = [await own.addUser('olha'), await own.addUser('petro')];
  const [hers, his] = [await own.connect(olha), await own.connect(petro)];
  const release = await hers.addNode({ title: 'Release' });
  const ship = await hers.addNode({ title: 'Ship it', target: release });
  const test = (await hers.does('node:add', { title: 'Test', target: ship })).diff.links[0].after.id;
  await hers.does('node:access', { id: release, email: petro.email, level: 2 });
  const { batchId } = (await his.does('node:trash', { id: ship })).diff;
  const undo = await hers.does('history:undo', { batchId });
  const text = (await own.cli('history')).trim().split('\n');
  assert.deepEqual(text.slice(-6).map((line) => line.replace(/^\S+Z {2}[0-9a-f]{8} {2}/, '')), [
    'olha added “Release”',
    'olha added “Ship it” and made “Release” wait for “Ship it”; 1 task blocked',
    'olha added “Test” and made “Ship it” wait for “Test”; 1 task blocked',
    'olha gave petro edit access to “Release” with its branch',
    `petro trashed “Ship it” and 2 links; 1 task freed (undone by ${undo.batchId.slice(0, 8)})`,
    `olha undid ${batchId.slice(0, 8)}: restored “Ship it” and 2 links; 1 task blocked`,
  ]);
  const read = (...args) => own.cli('history', '--json', ...args);
  const all = await read();
  assert.deepEqual(all.map((one) => one.rev), all.map((_, nth) => nth + 1), 'the latest stand last');
  const [last] = await read('--limit', '1');
  assert.deepEqual([last.batchId, last.undoOf, last.actor.email, last.undone], [undo.batchId, batchId, olha.email, true]);
  isTime(last.time);
  const [trashed] = await read('--user', petro.email);
  const told = trashed.ops.map(({ type, entityId, owner, derived, forwardPatch }) => [type, entityId, owner, derived, forwardPatch.inTrash ?? forwardPatch.status]);
  assert.deepEqual(told.slice(0, 1), [[OP.NODE_TRASH, ship, olha.email, false, true]]);
  assert.deepEqual(told.filter(([type]) => type === OP.NODE_STATUS), [[OP.NODE_STATUS, release, olha.email, true, STATUS.AVAILABLE]]);
  const given = all.flatMap(({ ops }) => ops).find(({ type }) => type === OP.GRANT_UPSERT);
  assert.deepEqual([given.entityType, given.entityId, given.forwardPatch.email, given.inversePatch], ['grant', release, petro.email, {}]);
  assert.deepEqual((await read('--user', petro.email)).map((one) => one.batchId), [batchId]);
  const atTest = await read('--node', (await hers.does('graph:get')).links.find(({ id }) => id === test).source);
  assert.deepEqual(atTest.map((one) => one.words.split(' ')[1]), ['added', 'trashed', 'undid']);
  assert.deepEqual((await read('--node', ship, '--user', petro.email)).map((one) => one.batchId), [batchId]);
  assert.deepEqual(await read('--since', '2100-01-01'), []);
  assert.deepEqual(await read('--until', '2020-01-01'), []);
  assert.equal((await read('--since', all[0].time, '--until', last.time)).length, all.length);
  assert.deepEqual((await read('--until', all.at(-2).time)).at(-1).rev >= all.at(-2).rev, true);
  await assert.rejects(read('--user', 'nobody@example.com'), /user_not_found/);
  await assert.rejects(read('--since', 'yesterday'), /expected a time/);
});
