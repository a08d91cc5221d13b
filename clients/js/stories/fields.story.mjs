// Whatever field of a node users may set: it is set and read over REST, told in diffs, kept in history and undone. The
// fields are those of the table of operations, so one that is added is told of here by itself.
import assert from 'node:assert/strict';
import { OP } from '../shapes.mjs';
import { stage } from '../story.mjs';
import { NODE_FIELDS, TABLE } from '../table.mjs';

const { server, story, newUser } = await stage();
const { input } = TABLE.find((row) => row.event === 'node:add');

/** A value that is not the default, by what the table says of the field. */
function otherValue({ type, default: usual, limits }) {
  switch (type) {
    case 'boolean': return !usual;
    case 'number': return usual + 1.5;
    case 'list of strings': return ['x'];
    case 'string': return 'x';
    case 'string or null': return '2031-01-01T00:00:00Z';
    case 'integer': return limits === '0, 1 or 3' ? 1 : Number(limits.split(' to ')[1]);
    default: return assert.fail(`a value of type ${type}`);
  }
}

// Rules: O13, O18, O19, W3, W7, H1, H4.
for (const name of NODE_FIELDS) {
  story(`A ${name} is set over REST, told to a colleague, kept in history and undone`, async () => {
    const field = input.find((one) => one.name === name);
    const value = otherValue(field);
    const [olha, petro] = [await newUser('olha'), await newUser('petro')];
    const his = await server.connect(petro);
    const ask = async (method, path, body) => {
      const answer = await server.rest(olha, method, path, body);
      assert.equal(answer.status, 200, JSON.stringify(answer.body));
      return answer.body;
    };
    const [{ after: made }] = (await ask('POST', '/api/node', {})).diff.nodes;
    const { id } = made;
    assert.deepEqual(made[name], field.default, 'the default');
    await ask('POST', '/api/node/access', { id, email: petro.email });
    await his.does('graph:get');

    const { diff } = await ask('PUT', '/api/node', { id, [name]: value });
    const [change] = diff.nodes;
    assert.equal(change.op, name === 'status' ? OP.NODE_STATUS : OP.NODE_UPDATE);
    assert.deepEqual([change.before[name], change.after[name]], [field.default, value]);
    const others = NODE_FIELDS.filter((other) => other !== name && (other in change.before || other in change.after));
    assert.deepEqual(others, [], 'nothing else changed');
    const heard = await his.hears('graph:diff', (event) => event.batchId === diff.batchId);
    assert.deepEqual(heard.nodes[0].after[name], value);
    assert.deepEqual((await ask('GET', '/api/graph')).nodes[0][name], value);

    const [op] = (await ask('GET', '/api/history?limit=1')).batches[0].ops;
    assert.deepEqual([op.inversePatch[name], op.forwardPatch[name]], [field.default, value]);
    await ask('POST', '/api/history/undo', { batchId: diff.batchId });
    assert.deepEqual((await ask('GET', '/api/graph')).nodes[0][name], field.default);
    await ask('POST', '/api/history/redo', { batchId: diff.batchId });
    assert.deepEqual((await ask('GET', '/api/graph')).nodes[0][name], value);

    const [{ after: whole }] = (await ask('POST', '/api/node', { [name]: value })).diff.nodes;
    assert.deepEqual(whole[name], value, 'set from the start');
  });
}
