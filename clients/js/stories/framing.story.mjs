// Below the payloads: broken packets, broken frames, broken HTTP. Their sender harms no other client.
import assert from 'node:assert/strict';
import { OPCODE, RawSocket, RawTcp, frame } from '../raw.mjs';
import { HTTP_STATUS } from '../shapes.mjs';
import { stage } from '../story.mjs';

const MIB = 1024 * 1024;
const PROMPT_MS = 5_000;
const { server, story, newUser } = await stage({ settings: 'header_timeout_s = 1\nbody_timeout_s = 1\n' });
const olha = await newUser('olha');
const id = (await server.rest(olha, 'POST', '/api/node', { title: 'Roof' })).body.diff.nodes[0].after.id;

/** The server is up, quick, and nothing was done. */
async function isUnharmed() {
  const startMs = Date.now();
  const { status, body } = await server.rest(olha, 'GET', '/api/graph');
  assert.equal(status, 200);
  assert.deepEqual(body.nodes.map((node) => [node.id, node.title]), [[id, 'Roof']]);
  assert.ok(Date.now() - startMs < PROMPT_MS, 'and quick about it');
}

const inTime = (promise, what) => {
  let timer;
  const late = new Promise((_, reject) => (timer = setTimeout(() => reject(new Error(`${what}: no answer and no end`)), PROMPT_MS)));
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
};

const nested = (open, close, depth) => open.repeat(depth) + close.repeat(depth);
const update = (field) => `427["node:update",{"id":"${id}",${field}}]`;
const MALFORMED = 'bad_request.malformed_json';

// An event that asks for an ack gets one (T5), and what is wrong with it has its name (T8, T20, T21, N21).
const ANSWERED = [
  ['1e400', update('"x":1e400'), MALFORMED],
  ['an integer of 400 digits', update(`"x":${'9'.repeat(400)}`), MALFORMED],
  ['a key given twice', update('"title":"a","title":"b"'), MALFORMED],
  ['a key given twice, once escaped', update('"title":"a","titl\\u0065":"b"'), MALFORMED],
  ['a key given twice, deep inside', update('"x":[{"a":1,"a":1}]'), MALFORMED],
  ['a lone high surrogate', update('"title":"\\ud800"'), MALFORMED],
  ['a lone low surrogate', update('"title":"\\udc00x"'), MALFORMED],
  ['a lone surrogate as a key', update('"\\ud800":1'), MALFORMED],
  ['an escaped NUL', update('"title":"a\\u0000b"'), 'bad_request.invalid_text'],
  ['129 arrays in each other', `427["node:update",${nested('[', ']', 129)}]`, MALFORMED],
  ['100,000 arrays in each other', `427["node:update",${nested('[', ']', 100_000)}]`, MALFORMED],
  ['100,000 objects in each other', `427["node:update",${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}]`, MALFORMED],
  ['100,000 arrays in a field', update(`"tags":${nested('[', ']', 100_000)}`), MALFORMED],
  ['an array of 200,000', update(`"tags":[${'1,'.repeat(200_000)}1]`), 'bad_request.too_many_tags'],
  ['100,000 fields', update(Array.from({ length: 60_000 }, (_, i) => `"${i}":0`).join(',')), 'bad_request.unknown_field'],
  ['two payloads', '427["node:add",{},{}]', MALFORMED],
  ['an array for a payload', '427["node:add",[]]', 'bad_request.fields_must_be_dict'],
  ['null for a payload', '427["node:add",null]', 'bad_request.fields_must_be_dict'],
  ['an event there is not', '427["node:steal",{}]', 'not_found.event'],
  ['an event of half a million letters', `427["${'x'.repeat(500_000)}",{}]`, 'not_found.event'],
  ['an event without a name', '427["",{}]', 'not_found.event'],
  ['an event named in capitals', '427["NODE:ADD",{}]', 'not_found.event'],
  ...['connected', 'graph:diff', 'error', '__proto__', 'constructor', 'toString', 'message', 'ping'].map((event) => [
    `the event ${event}`, `427["${event}",{}]`, 'not_found.event',
  ]),
];

for (const [what, packet, error] of ANSWERED) {
  // Rules: T5, T8, T20, T21, N21.
  story(`A packet with ${what} is answered ${error}, and the connection goes on`, async () => {
    const socket = await RawSocket.open(server, olha);
    const answer = socket.acked(7);
    socket.text(packet);
    const ack = JSON.parse(await inTime(answer, what));
    assert.equal(ack.error, error);
    assert.ok(ack.message.length < 500, 'the answer does not echo what was sent');
    assert.ok(JSON.parse(await inTime(socket.ask('ws:ping', '{}'), 'a ping')).ok);
    socket.close();
    await isUnharmed();
  });
}

// What is no packet, or none a client sends: it may end the connection, or be answered or passed over; it never does
// anything, and what follows on the connection is still answered, if it is still there.
const PASSED_OVER = [
  ['nothing', ''],
  ['an Engine.IO packet that is none', 'x'],
  ['an Engine.IO packet 9', '9'],
  ['an Engine.IO open', '0{"sid":"x"}'],
  ['an Engine.IO pong that nobody asked for', '3'],
  ['an Engine.IO probe', '2probe'],
  ['an Engine.IO upgrade', '5'],
  ['an Engine.IO noop', '6'],
  ['a Socket.IO packet without a type', '4'],
  ['a Socket.IO packet 9', '49'],
  ['an event without anything', '42'],
  ['an event with an ack and nothing else', '427'],
  ['an empty event', '427[]'],
  ['a number for an event', '427[5]'],
  ['null for an event', '427[null,{}]'],
  ['an object for an event', '427{}'],
  ['an event cut short', '427["node:add",{"title":"x"'],
  ['an event with NaN in it', update('"x":NaN')],
  ['an event whose name is written with escapes', '427["node\\u003aadd",5]'],
  ['an event with something after it', '427["node:add",{}] '.concat('garbage')],
  ['an event with a raw NUL in a string', '427["node:add",{"title":"a\u0000b"}]'],
  ['an ack number beyond all', '4299999999999999999999["node:add",5]'],
  ['an ack number below zero', '42-1["node:add",5]'],
  ['an ack that nobody asked for', '4312345[{"ok":true}]'],
  ['an error', '44{"message":"x"}'],
  ['a second connect', '40{"api_token":"st_nobody"}'],
  ['a connect to another namespace', '40/admin,'],
  ['a connect to a namespace of 100,000 letters', `40/${'x'.repeat(100_000)},`],
  ['an event to another namespace', '42/admin,7["node:add",{}]'],
  ['a disconnect from another namespace', '41/admin,'],
  ['a binary event without its attachment count', '45-7["node:add",{}]'],
  ['a binary event with an attachment count of 0', '450-7["node:add",5]'],
  ['a binary event with a billion attachments', '451000000000-7["node:add",{"_placeholder":true,"num":0}]'],
  ['a binary event whose attachment never comes', '451-7["node:add",{"title":{"_placeholder":true,"num":0}}]'],
  ['a binary ack', '461-7[{"_placeholder":true,"num":0}]'],
  ['a placeholder without a binary event', '427["node:add",{"title":{"_placeholder":true,"num":0}}]'],
];

for (const [what, packet] of PASSED_OVER) {
  story(`A packet that is ${what} does nothing to anybody`, async () => {
    const socket = await RawSocket.open(server, olha);
    socket.text(packet);
    const pong = await inTime(socket.ask('ws:ping', '{}'), what);
    if (pong !== null && !/^451/.test(packet)) assert.equal(JSON.parse(pong).ok, true, pong);
    socket.close();
    await isUnharmed();
  });
}

// Rules: T5, T20.
story('A binary event with its attachments is malformed_json; with many or large ones it may end the connection', async () => {
  for (const [bytes, count] of [[0, 1], [1, 1], [10_000, 1], [10, 8], [100_000, 1], [1, 9]]) {
    const socket = await RawSocket.open(server, olha);
    const answer = socket.acked(7);
    socket.text(`45${count}-7["node:add",{"title":{"_placeholder":true,"num":0}}]`);
    for (let nth = 0; nth < count; nth++) socket.write(frame(OPCODE.BINARY, Buffer.alloc(bytes)));
    const ack = await inTime(answer, `${count} × ${bytes} bytes attached`);
    if (ack === null) assert.ok(bytes > 10_000 || count > 8, `${count} × ${bytes} bytes ended the connection`);
    else assert.equal(JSON.parse(ack).error, MALFORMED);
    socket.close();
    await isUnharmed();
  }
});

// Rules: T5, T6, P31.
story('What follows an event\'s list makes it malformed, and the failure is told as the event\'s own is', async () => {
  const socket = await RawSocket.open(server, olha);
  for (const event of ['node:drag', 'camera:update', 'graph:get', 'node:add']) socket.text(`42["${event}",{}]x`);
  socket.text('450-["node:drag",{}]');
  assert.equal(JSON.parse(await inTime(socket.ask('ws:ping', '{}'), 'a ping')).ok, true);
  const told = socket.texts.filter((text) => /^42\["(graph:)?error"/.test(text)).map((text) => JSON.parse(text.slice(2)));
  assert.deepEqual(told.map(([name, { error, event }]) => [name, error, event]), [
    ['graph:error', MALFORMED, undefined],
    ['error', MALFORMED, 'node:add'],
  ]);
  socket.close();
});

story('Binary frames out of the blue do nothing to anybody', async () => {
  const socket = await RawSocket.open(server, olha);
  for (const bytes of [0, 1, 2, 1000, 100_000]) socket.write(frame(OPCODE.BINARY, Buffer.alloc(bytes, 4)));
  await inTime(socket.ask('ws:ping', '{}'), 'a ping');
  socket.close();
  await isUnharmed();
});

// Rules: R9.
story('A message just under 1 MiB is read; one over it ends its connection, and no other', async () => {
  const [one, other] = [await RawSocket.open(server, olha), await RawSocket.open(server, olha)];
  const fits = await inTime(one.ask('node:add', `{"title":"${'x'.repeat(MIB - 100)}"}`), 'a large message');
  assert.equal(JSON.parse(fits).error, 'bad_request.title_too_long');
  const answer = one.ask('node:add', `{"title":"${'x'.repeat(MIB)}"}`);
  assert.equal(await inTime(answer, 'an oversized message'), null);
  assert.ok(await one.endsWithin(PROMPT_MS));
  assert.ok(JSON.parse(await other.ask('ws:ping', '{}')).ok);
  other.close();
  await isUnharmed();
});

// What breaks the websocket protocol ends the connection (RFC 6455, 7.1.7).
const { TEXT, BINARY, CLOSE, PING, CONTINUATION } = OPCODE;
const BROKEN_FRAMES = [
  ['a frame without a mask', frame(TEXT, '3', { masked: false })],
  ['a reserved bit', frame(TEXT, '3', { reserved: 4 })],
  ['an opcode there is not', frame(3, '3')],
  ['a control opcode there is not', frame(11, '')],
  ['a continuation of nothing', frame(CONTINUATION, '3')],
  ['a ping in fragments', frame(PING, 'x', { fin: false })],
  ['a ping that is too long', frame(PING, Buffer.alloc(126))],
  ['a message begun within a message', Buffer.concat([frame(TEXT, '42', { fin: false }), frame(TEXT, '42')])],
  ['text that is no UTF-8', frame(TEXT, Buffer.from([0x34, 0x32, 0xff, 0xfe]))],
  ['text of a lone surrogate', frame(TEXT, Buffer.from([0x34, 0x32, 0xed, 0xa0, 0x80]))],
  ['a length of 2⁶² bytes', frame(TEXT, '42', { length: 2n ** 62n })],
  ['a length of 2⁶³ bytes', frame(BINARY, '', { length: 2n ** 63n })],
  ['a length of 1 GiB', frame(TEXT, '42', { length: 2n ** 30n })],
  ['a close with half a code', frame(CLOSE, Buffer.from([3]))],
  ['a close with a code there is not', frame(CLOSE, Buffer.from([0xff, 0xff]))],
  ['fragments without end', Buffer.concat([frame(TEXT, '42', { fin: false }), ...Array.from({ length: 40 }, () => frame(CONTINUATION, 'x'.repeat(32_768), { fin: false }))])],
  ['plain text', Buffer.from('hello, is this a socket?\r\n\r\n'.repeat(10))],
];

for (const [what, bytes] of BROKEN_FRAMES) {
  story(`A websocket that sends ${what} is ended, and no other`, async () => {
    const [one, other] = [await RawSocket.open(server, olha), await RawSocket.open(server, olha)];
    one.write(bytes);
    assert.ok(await one.endsWithin(PROMPT_MS), 'still open');
    assert.ok(JSON.parse(await other.ask('ws:ping', '{}')).ok);
    other.close();
    await isUnharmed();
  });
}

// What is no HTTP, or not quite: a refusal or the end of the connection, and soon.
const head = (line, ...more) => `${line}\r\nhost: 127.0.0.1\r\nauthorization: Bearer ${olha.token}\r\n${more.map((one) => `${one}\r\n`).join('')}\r\n`;
const post = (...more) => head('POST /api/node HTTP/1.1', 'content-type: application/json', ...more);
const BROKEN_HTTP = [
  ['no HTTP at all', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'.repeat(20)],
  ['a request line of nothing', '\r\n\r\n\r\n \r\n\r\n'],
  ['a version there is not', head('GET /api/graph HTTP/9.9')],
  ['the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
  ['a method of 100,000 letters', head(`${'X'.repeat(100_000)} /api/graph HTTP/1.1`)],
  ['a path of 500,000 letters', head(`GET /${'x'.repeat(500_000)} HTTP/1.1`)],
  ['a path with a NUL', head('GET /api/gr\u0000aph HTTP/1.1')],
  ['a path that is no UTF-8', Buffer.from(head('GET /api/\xff\xfe HTTP/1.1'), 'latin1')],
  ['a path that climbs', head('GET /api/../../../etc/passwd HTTP/1.1')],
  ['a header of a megabyte', head('GET /api/graph HTTP/1.1', `x: ${'x'.repeat(MIB)}`)],
  ['10,000 headers', head('GET /api/graph HTTP/1.1', ...Array.from({ length: 10_000 }, (_, i) => `x-${i}: 1`))],
  ['a header with a NUL', head('GET /api/graph HTTP/1.1', 'x: a\u0000b')],
  ['a header without a name', head('GET /api/graph HTTP/1.1', ': x')],
  ['a length below zero', post('content-length: -1')],
  ['a length that is none', post('content-length: many')],
  ['two lengths', `${post('content-length: 2', 'content-length: 20')}{}`],
  ['a length beyond all', post('content-length: 99999999999999999999')],
  ['a chunk size that is none', `${post('transfer-encoding: chunked')}zz\r\n{}\r\n0\r\n\r\n`],
  ['a chunk size beyond all', `${post('transfer-encoding: chunked')}ffffffffffffffffff\r\n{}\r\n0\r\n\r\n`],
  ['an encoding there is not', `${post('transfer-encoding: gzip, x')}{"title":`],
  ['a body that says it is compressed', `${post('content-encoding: gzip', 'content-length: 4')}\x1f\x8b\x08\x00`],
  ['an upgrade to nothing', head('GET /socket.io/?EIO=4&transport=websocket HTTP/1.1', 'connection: upgrade', 'upgrade: nothing')],
  ['a websocket without a key', head('GET /socket.io/?EIO=4&transport=websocket HTTP/1.1', 'connection: upgrade', 'upgrade: websocket')],
  ['an Engine.IO version there is not', head('GET /socket.io/?EIO=99&transport=polling HTTP/1.1')],
  ['an Engine.IO transport there is not', head('GET /socket.io/?EIO=4&transport=pigeon HTTP/1.1')],
  ['a session there is not', head('GET /socket.io/?EIO=4&transport=polling&sid=AAAAAAAAAAAAAAAA HTTP/1.1')],
  ['a session that is none', head('GET /socket.io/?EIO=4&transport=polling&sid=%00%ff HTTP/1.1')],
  ['polling with what is no packet', `${head('POST /socket.io/?EIO=4&transport=polling&sid=AAAAAAAAAAAAAAAA HTTP/1.1', 'content-length: 3')}xyz`],
];

for (const [what, bytes] of BROKEN_HTTP) {
  story(`A request with ${what} is refused, or its connection ended`, async () => {
    const tcp = new RawTcp(server);
    await tcp.connected;
    tcp.write(bytes);
    const started = Date.now();
    while (!tcp.isOver && !/^HTTP\/1\.[01] \d/.test(tcp.received.toString('latin1')) && Date.now() - started < PROMPT_MS) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    const answer = tcp.received.toString('latin1');
    if (tcp.isOver && answer === '') return isUnharmed();
    assert.match(answer, /^HTTP\/1\.[01] 4\d\d /, answer.slice(0, 300));
    tcp.close();
    return isUnharmed();
  });
}

story('A request of both a length and chunks smuggles nothing in: its chunks count, and the connection ends', async () => {
  const tcp = new RawTcp(server);
  const smuggled = head('GET /api/account HTTP/1.1');
  tcp.write(`${post('content-length: 3', 'transfer-encoding: chunked')}2\r\n[]\r\n0\r\n\r\n${smuggled}`);
  assert.ok(await tcp.endsWithin(PROMPT_MS), 'still open');
  const answers = tcp.received.toString().split(/^(?=HTTP\/1\.1 )/m);
  assert.equal(answers.length, 1);
  assert.match(answers[0], /^HTTP\/1\.1 400 [^]*fields_must_be_dict/);
});

// Rules: T20.
story('A body of 100,000 arrays in each other is malformed_json over REST, and so is each that no JSON is', async () => {
  for (const body of [
    nested('[', ']', 100_000), '['.repeat(1_000_000), `{"x":${nested('[', ']', 100_000)}}`, '{"a":'.repeat(200_000), '{"title":"\\ud800"}',
    '{"x":1e400}', '{"title":"a","title":"b"}', '{"title":"a\u0000b"}', '\ufeff{}', '{}{}', ' ', '{"title":"a', "{'title':1}",
  ]) {
    const answer = await server.rest(olha, 'POST', '/api/node', body);
    assert.equal(answer.status, HTTP_STATUS.bad_request, body.slice(0, 40));
    assert.equal(answer.body.error, MALFORMED, body.slice(0, 40));
  }
  for (const bytes of [[0x22, 0xff, 0x22], [0xff, 0xfe, 0x7b, 0, 0x7d, 0], [0x7b, 0x22, 0xed, 0xa0, 0x80, 0x22, 0x3a, 0x31, 0x7d]]) {
    const headers = { authorization: `Bearer ${olha.token}` };
    const answer = await fetch(`${server.url}/api/node`, { method: 'POST', headers, body: Buffer.from(bytes) });
    assert.equal((await answer.json()).error, MALFORMED);
  }
  await isUnharmed();
});

const ended = (all, ms) => Promise.all(all.map((one) => one.endsWithin(ms)));

story('Three hundred half-open requests keep nobody waiting, and are given up', async () => {
  const halves = ['', 'G', 'GET /api/graph HTTP/1.1\r\n', post('content-length: 100'), `${post('content-length: 100')}{"title":`];
  const open = Array.from({ length: 300 }, (_, i) => {
    const tcp = new RawTcp(server);
    tcp.write(halves[i % halves.length]);
    return tcp;
  });
  await Promise.all(open.map((one) => one.connected));
  await isUnharmed();
  assert.ok((await ended(open, PROMPT_MS * 2)).every(Boolean), 'some are still open');
  await isUnharmed();
});

story('Headers and bodies that come a byte at a time are given up, with a refusal where there is somebody to refuse', async () => {
  const [slowHead, slowBody, slowChunks] = [new RawTcp(server), new RawTcp(server), new RawTcp(server)];
  slowHead.write('GET /api/graph HTTP/1.1\r\nhost: 127.0.0.1\r\nx: ');
  slowBody.write(`${post('content-length: 1000')}{"title":"`);
  slowChunks.write(`${post('transfer-encoding: chunked')}2\r\n{"\r\n`);
  const dripping = setInterval(() => {
    slowHead.write('x');
    slowBody.write('x');
    slowChunks.write('1\r\nx\r\n');
  }, 100);
  assert.ok((await ended([slowHead, slowBody, slowChunks], PROMPT_MS)).every(Boolean), 'still listened to');
  clearInterval(dripping);
  for (const one of [slowBody, slowChunks]) {
    assert.match(one.received.toString(), /^HTTP\/1\.1 400 [^]*"error":"bad_request\.malformed_json"/);
  }
  await isUnharmed();
});
