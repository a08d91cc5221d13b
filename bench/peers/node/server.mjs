// A peer of SynapTask as one would write it on npm's packages: Socket.IO, better-sqlite3, and the same rules.
//
//   node server.mjs add-users DIR COUNT    adds users and prints them as JSON
//   node server.mjs serve DIR PORT         serves
//   node server.mjs bare DIR PORT          serves an echo (node:add) and a room (node:update), without rules
import { createServer } from 'node:http';
import { join } from 'node:path';
import { Server } from 'socket.io';
import { Refusal, Rules } from './rules.mjs';

const MUTATIONS = ['node:add', 'node:update', 'link:add', 'node:access', 'graph:apply'];
const [mode, directory, number] = process.argv.slice(2);

function serve(connected) {
  const http = createServer();
  const io = new Server(http, { maxHttpBufferSize: 1 << 20, serveClient: false });
  io.on('connection', (socket) => connected(io, socket, socket.handshake.headers.authorization?.replace('Bearer ', '')));
  http.listen(Number(number), '127.0.0.1');
}

/** The diffs of a batch: for each distinct view one object, and the rooms of those who have it. */
function diffsOf(rules, actor, batch) {
  const views = new Map();
  const audiences = new Map();
  const audience = (id) => {
    if (!audiences.has(id)) audiences.set(id, rules.audience(id));
    return audiences.get(id);
  };
  const give = (user, list, entry) => {
    if (!views.has(user)) views.set(user, { nodes: [], links: [], access: [] });
    views.get(user)[list].push(entry);
  };
  for (const { op, node, link, grant, before, after } of batch.entries) {
    if (node) {
      for (const [user, view] of audience(node)) give(user, 'nodes', { op, before, after: { ...after, ...view } });
    } else if (link) {
      const sources = audience(link.source);
      for (const user of audience(link.target).keys()) {
        const sees = sources.has(user) && (!link.private || link.owner === user);
        if (sees) give(user, 'links', { op, before, after });
      }
    } else {
      give(grant.user, 'access', { op, before, after });
      for (const [user, { access }] of audience(grant.node)) if (access <= 1) give(user, 'access', { op, before, after });
    }
  }
  const { rev, batchId, ts } = batch;
  const groups = new Map();
  for (const [user, lists] of views) {
    const key = JSON.stringify(lists);
    if (!groups.has(key)) groups.set(key, { users: [], diff: { batchId, rev, actor, ts, ...lists, user: [] } });
    groups.get(key).users.push(user);
  }
  return groups.values();
}

if (mode === 'add-users') {
  const rules = new Rules(join(directory, 'peer.db'));
  process.stdout.write(JSON.stringify(rules.addUsers(Number(number))));
  rules.close();
} else if (mode === 'serve') {
  const rules = new Rules(join(directory, 'peer.db'));
  serve((io, socket, token) => {
    const user = token && rules.userOf(token);
    if (!user) {
      socket.emit('connected', { ok: false, error: 'forbidden.auth_invalid' });
      return socket.disconnect(true);
    }
    const room = (id) => `user ${id}`;
    socket.join(room(user.id));
    const answered = (does) => (input, ack) => {
      try {
        ack({ ok: true, ...does(input) });
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        ack({ ok: false, error: error.error, message: error.message });
      }
    };
    for (const event of MUTATIONS) {
      const mutate = answered((input) => {
        const batch = rules.mutate(user, event, input);
        let own = null;
        for (const { users, diff } of diffsOf(rules, { email: user.email }, batch)) {
          if (users.includes(user.id)) own = diff;
          socket.to(users.map(room)).emit('graph:diff', diff);
        }
        return { diff: own, rev: batch.rev };
      });
      socket.on(event, mutate);
    }
    socket.on('graph:get', answered((input) => rules.page(user, input)));
    return socket.emit('connected', { ok: true, uid: user.id });
  });
} else if (mode === 'bare') {
  let rev = 0;
  const padding = 'x'.repeat(480);
  serve((io, socket, token) => {
    if (token !== 'user-0') socket.join('viewers');
    socket.on('node:add', (input, ack) => ack({ ok: true, echo: input }));
    socket.on('node:update', (input, ack) => {
      rev += 1;
      socket.to('viewers').emit('graph:diff', { rev, edit: input, padding });
      ack({ ok: true, rev });
    });
    socket.emit('connected', { ok: true });
  });
} else {
  throw new Error('usage: node server.mjs add-users|serve|bare DIRECTORY NUMBER');
}
