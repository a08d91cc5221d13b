// Why tasks wait, what comes next, and who has access: over both transports, by several people who do not see the same.
import assert from 'node:assert/strict';
import { isRefusal } from '../shapes.mjs';
import { stage } from '../story.mjs';
import { WAYS, waysOf } from '../ways.mjs';

const { server, story, newUser } = await stage();
const ways = waysOf(server);
const due = (days) => new Date(Date.now() + days * 86_400_000).toISOString().replace(/\.\d+Z/, 'Z');

/** A house that waits for much: Ada's, with a step of Ben's that Ada does not see, and a part that Cleo may look at. */
async function house() {
  const [ada, ben, cleo] = [await newUser('ada'), await newUser('ben'), await newUser('cleo')];
  const hers = await ways.clientOf(ada);
  const add = async (title, fields = {}, client = hers) => (await client.does('node:add', { title, ...fields })).diff.nodes[0].after.id;
  const move = await add('Move in', { dueDate: due(30) });
  const paint = await add('Paint', { target: move, volume: 9 });
  const floor = await add('Floor', { target: move, volume: 0 });
  const boards = await add('Boards', { target: floor, volume: 0 });
  const sand = await add('Sand', { target: paint, assignee: [ada.email.toUpperCase()], priority: 1 });
  const lamp = await add('Lamp', { priority: 9 });
  // Ben may edit Sand, and makes it wait for something of his own.
  await hers.does('node:access', { id: sand, email: ben.email, level: 2, branch: false });
  const his = await ways.clientOf(ben);
  const machine = await add('Secret machine', {}, his);
  const order = await add('Secret order', {}, his);
  await his.does('link:add', { source: machine, target: sand });
  await his.does('link:add', { source: order, target: machine });
  await hers.does('node:access', { id: paint, email: cleo.email, level: 3 });
  return { ada, ben, cleo, hers, his, move, paint, floor, boards, sand, lamp, machine, order };
}

for (const way of WAYS) {
  const ask = (user, event, payload) => ways[way](user, event, payload).then(({ body }) => body);

  // Rules: Q1, Q2, Q3, Q10.
  story(`Ada sees why she cannot move in, as far as she can see at all, over ${way}`, async () => {
    const { ada, ben, cleo, move, paint, floor, boards, sand, machine, order } = await house();
    const why = await ask(ada, 'graph:why', { id: move });
    assert.deepEqual(why.blockers, [paint, floor, boards, sand, machine]);
    assert.deepEqual(why.frontier, [
      { id: boards, phantom: false, chain: [move, floor, boards] },
      { id: machine, phantom: true, chain: [move, paint, sand, machine] },
    ]);
    assert.doesNotMatch(JSON.stringify(why), new RegExp(order), 'what a phantom waits for is nobody else\'s business');
    assert.deepEqual((await ask(ben, 'graph:why', { id: sand })).blockers, [machine, order]);
    assert.deepEqual((await ask(cleo, 'graph:why', { id: paint })).blockers, [sand, machine]);
    isRefusal(await ask(cleo, 'graph:why', { id: move }), 'not_found.node_not_found');
    isRefusal(await ask(ada, 'graph:why', { id: machine }), 'not_found.node_not_found');
    const free = await ask(ada, 'graph:why', { id: boards });
    assert.deepEqual([free.held, free.blockers, free.frontier], [false, [], []]);
  });

  // Rules: Q1, Q5, Q6.
  story(`Ada asks what she can do now, and the most pressing comes first, over ${way}`, async () => {
    const { ada, ben, cleo, hers, move, boards, sand, lamp, machine, order } = await house();
    const tasks = async (user, payload) => (await ask(user, 'graph:ready', payload)).tasks.map((task) => task.id);
    assert.deepEqual(await tasks(ada, {}), [boards, lamp]);
    const [first, second] = (await ask(ada, 'graph:ready', {})).tasks;
    assert.deepEqual([first.reason.holds, first.reason.due?.slice(0, 10)], [2, due(30).slice(0, 10)]);
    assert.deepEqual(second.reason, { due: null, holds: 0, atLeast: false, priority: 9 });
    // Ben sees that his order holds up Sand, and not what Sand holds up.
    const [his] = (await ask(ben, 'graph:ready', {})).tasks;
    assert.deepEqual([his.id, his.reason], [order, { due: null, holds: 2, atLeast: false, priority: 0 }]);
    assert.deepEqual(await tasks(cleo, {}), [], 'a viewer can do nothing here');
    assert.deepEqual(await tasks(ada, { root: move }), [boards]);
    assert.deepEqual((await ask(ada, 'graph:ready', { limit: 1 })).more, true);
    await (await ways.clientOf(ben)).does('node:trash', { id: machine });
    assert.deepEqual(await tasks(ada, { mine: true }), [sand], 'assigned to her by her email, in capitals');
    assert.deepEqual(await tasks(ben, { mine: true }), []);
    await hers.does('node:update', { id: sand, assignee: [ben.username] });
    assert.deepEqual(await tasks(ben, { mine: true }), [sand]);
    isRefusal(await ask(ada, 'graph:ready', { mine: 'yes' }), 'bad_request.invalid_mine');
    isRefusal(await ask(ada, 'graph:ready', { limit: 0 }), 'bad_request.out_of_range');
    isRefusal(await ask(ada, 'graph:ready', { limit: 1_001 }), 'bad_request.out_of_range');
  });

  // Rules: Q8, Q9, Q14.
  story(`Ada sees what takes longest, by tasks and by their size, over ${way}`, async () => {
    const { ada, cleo, hers, move, paint, floor, boards, sand, lamp, machine } = await house();
    const { tasks, volume } = await ask(ada, 'graph:critical', {});
    assert.deepEqual([tasks.length, tasks.chain], [4, [machine, sand, paint, move]]);
    assert.deepEqual(tasks.slack, [{ id: floor, slack: 1 }, { id: boards, slack: 1 }, { id: lamp, slack: 3 }]);
    // A phantom counts 1, whatever its volume is.
    assert.deepEqual([volume.length, volume.chain], [1 + 6 + 10 + 6, [machine, sand, paint, move]]);
    const into = await ask(ada, 'graph:critical', { id: floor });
    assert.deepEqual([into.tasks, into.volume.length], [{ length: 2, chain: [boards, floor], slack: [], more: false }, 2]);
    // A branch has no phantoms, and nothing leads out of it.
    assert.deepEqual((await ask(ada, 'graph:critical', { root: paint })).tasks.chain, [sand, paint]);
    isRefusal(await ask(ada, 'graph:critical', { root: paint, id: move }), 'not_found.node_not_found');
    isRefusal(await ask(cleo, 'graph:critical', { root: move }), 'not_found.branch_not_found');
    isRefusal(await ask(cleo, 'graph:critical', { id: move }), 'not_found.node_not_found');
    isRefusal(await ask(cleo, 'graph:ready', { root: move }), 'not_found.branch_not_found');
    // What is published is seen by its token, with access 3.
    const { publicToken } = (await hers.does('node:publish', { id: move })).diff.nodes[0].after;
    assert.deepEqual((await ask(cleo, 'graph:critical', { root: publicToken })).tasks.chain, [sand, paint, move]);
    assert.deepEqual((await ask(cleo, 'graph:ready', { root: publicToken })).tasks, []);
    // What is done takes no time.
    await hers.does('node:update', { id: boards, status: 3 });
    assert.deepEqual((await ask(ada, 'graph:critical', { id: boards })).tasks, { length: 0, chain: [], slack: [], more: false });
  });

  // Rules: Q11, Q12, Q13.
  story(`whoever may share a task sees who has access to it, and by what, over ${way}`, async () => {
    const { ada, ben, cleo, hers, move, paint, sand } = await house();
    const who = async (user) => (await ask(user, 'node:grants', { id: sand })).grants.map(({ via, userName, level, inForce }) => [via, userName, level, inForce]);
    assert.deepEqual(await who(ada), [[sand, ben.username, 2, true], [paint, cleo.username, 3, true]]);
    isRefusal(await ask(ben, 'node:grants', { id: sand }), 'forbidden.no_permission');
    isRefusal(await ask(ben, 'node:grants', { id: paint }), 'not_found.node_not_found');
    // An admin of the task alone does not see the node above it by which Cleo has access, nor that there are two.
    await hers.does('node:access', { id: move, email: cleo.email, level: 3 });
    await hers.does('node:access:update', { id: sand, email: ben.email, level: 1 });
    assert.deepEqual(await who(ben), [[sand, ben.username, 1, true], [null, cleo.username, 3, true]]);
    await (await ways.clientOf(cleo)).does('access:visibilityupdate', { id: paint, showing: false });
    assert.deepEqual((await who(ada)).filter(([via]) => via === paint), [[paint, cleo.username, 3, false]]);
  });
}

// Rule: Q5. A query string does not show types: `true` is read as a boolean where one is expected.
story('a script asks by a query string', async () => {
  const { ada } = await house();
  const ask = async (query) => (await server.rest(ada, 'GET', `/api/ready?${query}`)).body;
  assert.equal((await ask('mine=false')).tasks.length, 2);
  assert.equal((await ask('mine=true&limit=1')).tasks.length, 0);
  for (const wrong of ['mine=1', 'mine=TRUE', 'mine=']) isRefusal(await ask(wrong), 'bad_request.invalid_mine');
});
