// Every text of every entity is a marker nobody can guess. Whatever a user was sent is searched for markers, ids and
// public tokens, and each is held against what that user could read at that place in the order.
import { randomBytes } from 'node:crypto';

export const newMarker = () => `~${randomBytes(16).toString('hex')}`;
export const MARKER = /~[0-9a-f]{32}/g;
const ID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g;
const TOKEN = /"publicToken":"([^"]+)"/g;
const ADMIN = 1;
const [NODE_DELETE, LINK_DELETE] = [5, 14];

/** Which plan a marker or an id is of, over all plans. */
export const owners = new Map();

/** What a message holds that is another plan's; quick, for every message. */
export function foreign(text, plan) {
  for (const pattern of [MARKER, ID]) {
    for (const [found] of text.matchAll(pattern)) {
      const owner = owners.get(found);
      if (owner !== undefined && owner !== plan) return found;
    }
  }
  return null;
}

/** A message's name and payload, as the protocol wraps them. */
function unwrap(text) {
  const start = text.search(/[[{]/);
  const kind = text[0];
  if (kind === '2') return JSON.parse(text.slice(start));
  if (kind === '3') return ['(ack)', JSON.parse(text.slice(start))[0]];
  return ['(protocol)', null];
}

/** What the users of a plan were sent and should not have been. */
export function leaks(plan) {
  const faults = [];
  for (const [seat, messages] of plan.heard) {
    const sent = messages.map(({ at, text }) => ({ at, text, ...dated(...unwrap(text)) }));
    let last = 0;
    const next = new Array(sent.length);
    for (let nth = sent.length - 1, rev = Infinity; nth >= 0; nth--) {
      if (sent[nth].to !== null) rev = sent[nth].to;
      next[nth] = rev;
    }
    for (const [nth, message] of sent.entries()) {
      // What carries no rev stands between its neighbours; what was missed and sent again leads back.
      const undated = [Math.min(last + 1, next[nth]), Math.max(last, next[nth])];
      const [from, to] = message.to === null ? undated : [message.from, message.to];
      if (message.to !== null) last = message.to;
      if (message.payload === null) continue;
      if (message.payload.replayed) {
        // What is gone for good is answered again as it was.
        const [lasting, gone] = byWhatIsGone(message.payload.diff);
        const then = [...plan.timeline.readable(seat.user, gone.rev, gone.rev, message.at)];
        for (const what of unreadable(plan, seat.user.email, { diff: gone, user: [], access: [] }, then)) {
          faults.push({ from: gone.rev, what: `${seat.user.email} was sent again ${what}: ${message.text}` });
        }
        message.payload = { ...message.payload, diff: lasting };
      }
      // Why a batch cannot be undone is told by ids, to those who could once read them: they know the batch.
      const since = ['cannot_restore_purged', 'version_conflict'].includes(message.payload.code) ? 0 : from;
      const views = [...plan.timeline.readable(seat.user, since, to, message.at)];
      for (const what of unreadable(plan, seat.user.email, message.payload, views)) {
        const place = `which they could not read from rev ${from} to ${to}`;
        faults.push({ from, what: `${seat.user.email} was sent ${what}, ${place}: ${message.text}` });
      }
    }
  }
  return faults;
}

const isGone = ({ op }) => op === NODE_DELETE || op === LINK_DELETE;

/** A diff in two: what lasts, and what was deleted for good. */
function byWhatIsGone(diff) {
  const cut = (wanted) => ({ nodes: diff.nodes.filter((one) => isGone(one) === wanted), links: diff.links.filter((one) => isGone(one) === wanted) });
  return [{ ...diff, ...cut(false) }, { ...diff, ...cut(true) }];
}

/** Between which revs a message stands: a diff just before and just after its batch, a page after it. A page of history was
 * looked for earlier than it is told, so it stands where it stands. */
function dated(event, payload) {
  if (payload === null || typeof payload !== 'object') return { event, payload: null, from: null, to: null };
  const diff = event === 'graph:diff' ? payload : payload.diff;
  if (payload.replayed || payload.batches) return { event, payload, from: null, to: null };
  if (diff) return { event, payload, from: diff.rev, to: diff.rev };
  if (typeof payload.rev === 'number') return { event, payload, from: payload.rev + 1, to: payload.rev };
  return { event, payload, from: null, to: null };
}

function unreadable(plan, email, payload, views) {
  const found = [];
  const may = (can) => views.some(can);
  const diff = payload.diff ?? (Array.isArray(payload.access) ? payload : null);
  // Embeds are told to whose they are alone; grants to the grantee and those who run the node.
  const rest = diff ? { ...payload, diff: null, user: null, access: null, inner: [diff.nodes, diff.links] } : payload;
  for (const { after } of diff?.user ?? []) {
    if ('publicEmbed' in after && after.email !== email) found.push(`an embed of ${after.email}`);
  }
  for (const { after } of diff?.access ?? []) {
    const runs = may(({ levels }) => levels.get(after.nodeId) <= ADMIN);
    if (after.email !== email && !runs) found.push(`a grant on ${after.nodeId}`);
  }
  const text = JSON.stringify(rest);
  for (const [marker] of text.matchAll(MARKER)) {
    const node = plan.markers.get(marker);
    if (!may(({ levels }) => levels.has(node))) found.push(`the text ${marker} of node ${node} ${plan.sign(node)}`);
  }
  for (const [, token] of text.matchAll(TOKEN)) {
    const node = plan.tokens.get(token);
    if (!may(({ levels }) => levels.get(node) <= ADMIN)) found.push(`the public token of ${node} ${plan.sign(node)}`);
  }
  for (const [id] of text.matchAll(ID)) {
    const sign = plan.sign(id);
    const names = ({ levels, phantoms, ends, held }) =>
      levels.has(id) || phantoms.has(id) || ends.has(id) || (payload.batches && held.has(id));
    if (sign?.startsWith('@n') && !may(names)) found.push(`the id ${id} ${sign}`);
    if ((sign?.startsWith('@l') || sign?.startsWith('@k')) && !may(({ links }) => links.has(id))) found.push(`the id ${id} ${sign}`);
  }
  return [...new Set(found)];
}
