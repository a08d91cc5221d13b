// Who may come in, by which door, and what they hear first.
import assert from 'node:assert/strict';
import { RawSocket } from '../raw.mjs';
import { stage } from '../story.mjs';

const { server, story, newUser } = await stage();

const TRANSPORTS = { websocket: ['websocket'], polling: ['polling'], 'polling, then upgrade': undefined };

for (const path of ['/socket.io/', '/ext-socket.io/']) {
  for (const [way, transports] of Object.entries(TRANSPORTS)) {
    for (const how of ['header', 'auth']) {
      // Rules: T3, T10, T14.
      story(`Olha connects over ${way} on ${path} with her token as ${how} and is welcomed by name`, async () => {
        const olha = await newUser('olha');
        const client = server.socket(olha.token, { how, transports, path });
        const connected = await client.hears('connected');
        assert.equal(connected.ok, true, JSON.stringify(connected));
        assert.equal(connected.uid, olha.id);
        assert.equal(connected.client, 'api');
        assert.ok(connected.serverTime, 'serverTime is told');
        if (!transports) await client.upgraded();
        const title = 'Buy paint – фарба 🎨';
        const id = await client.addNode({ title });
        const page = await client.does('graph:get');
        assert.deepEqual(page.nodes.map((node) => [node.id, node.title]), [[id, title]]);
      });
    }
  }

  // Rules: T10.
  story(`Olha connects over websocket on ${path} with her token as subprotocol, and the server answers Bearer`, async () => {
    const olha = await newUser('olha');
    const client = server.socket(olha.token, { how: 'subprotocol', path });
    assert.equal((await client.welcome()).uid, olha.id);
    assert.equal(client.socket.io.engine.transport.ws.protocol, 'Bearer');
    await client.does('graph:get');
  });
}

for (const [way, transports] of Object.entries(TRANSPORTS)) {
  // Rules: T13.
  story(`A visitor without a token over ${way} is told auth_missing and is disconnected by the server`, async () => {
    const visitor = server.socket(null, { how: 'none', transports });
    const connected = await visitor.hears('connected');
    assert.equal(connected.ok, false);
    assert.equal(connected.error, 'forbidden.auth_missing');
    assert.equal(connected.message, 'Authentication required');
    assert.equal(await visitor.ends(), 'io server disconnect');
  });
}

for (const how of ['header', 'auth', 'subprotocol']) {
  // Rules: T13.
  story(`A visitor with a made-up token as ${how} is told auth_invalid and is disconnected by the server`, async () => {
    const visitor = server.socket(`st_${'x'.repeat(27)}`, { how });
    const connected = await visitor.hears('connected');
    assert.equal(connected.ok, false);
    assert.equal(connected.error, 'forbidden.auth_invalid');
    assert.equal(await visitor.ends(), 'io server disconnect');
  });
}

// Rules: T13, T15.
story('A visitor who speaks at once, before being turned away, gets nothing done and sees nothing', async () => {
  const visitor = server.socket(null, { how: 'none' });
  visitor.emit('graph:get', {});
  visitor.emit('node:add', { title: 'graffiti' });
  await visitor.ends();
  assert.deepEqual(visitor.all('graph:init'), []);
  assert.deepEqual(visitor.all('graph:diff'), []);
});

// Rules: T13. The library reads the transport of a query only up to a second `=`.
for (const transport of ['websocket', 'websocket=', 'websocket=x', 'websocket&transport=polling']) {
  story(`A visitor with transport=${transport} who stays on after being turned away is cut off`, async () => {
    const raw = await RawSocket.to(server, `/socket.io/?EIO=4&transport=${transport}`, ['authorization: Bearer st_nobody']);
    raw.text('40');
    assert.match(await raw.hears('42["connected"'), /"forbidden.auth_invalid"/);
    assert.ok(await raw.endsWithin(5_000), 'still open');
  });
}

// Rules: T13. The library refuses the second, but only after the upgrade.
story('A second upgrade of a session does not keep the first from being cut off', async () => {
  const headers = { authorization: 'Bearer st_nobody' };
  const query = '/socket.io/?EIO=4&transport=';
  const shake = await (await fetch(`${server.url}${query}polling`, { headers })).text();
  const { sid } = JSON.parse(shake.slice(1));
  const raw = await RawSocket.to(server, `${query}websocket&sid=${sid}`, []);
  raw.text('2probe');
  await raw.hears('3probe');
  raw.text('5');
  const second = await RawSocket.to(server, `${query}websocket&sid=${sid}`, []);
  assert.ok(await second.endsWithin(5_000), 'the second is still open');
  raw.text('40');
  assert.match(await raw.hears('42["connected"'), /"forbidden.auth_invalid"/);
  assert.ok(await raw.endsWithin(5_000), 'still open');
});

// Rules: T14.
story('Olha hears only `connected` until she asks for something', async () => {
  const olha = await newUser('olha');
  await server.rest(olha, 'POST', '/api/node', { title: 'from before' });
  const client = await server.connect(olha);
  await client.settled();
  assert.deepEqual(client.heard.map((one) => one.event), ['connected']);
});

story('What Olha sends in the same breath as connecting is not lost, and is done in the order sent', async () => {
  const olha = await newUser('olha');
  const client = server.socket(olha.token);
  const titles = Array.from({ length: 50 }, (_, i) => `Step ${i}`);
  await Promise.all(titles.map((title) => client.does('node:add', { title })));
  const page = await client.does('graph:get');
  assert.deepEqual(page.nodes.map((node) => node.title), titles, 'oldest first is the order sent');
});
