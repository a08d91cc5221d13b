// Shapes that many stories hold answers against.
import assert from 'node:assert/strict';

const UUID_V4 = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/;
const TRACE_ID = /^[0-9a-f]{12}$/;

export const OP = {
  NODE_ADD: 0,
  NODE_UPDATE: 1,
  NODE_STATUS: 2,
  NODE_TRASH: 3,
  NODE_RESTORE: 4,
  NODE_DELETE: 5,
  NODE_PUBLISH: 6,
  NODE_SHOW: 7,
  NODE_HIDE: 8,
  LINK_ADD: 10,
  LINK_UPDATE: 11,
  LINK_TRASH: 12,
  LINK_RESTORE: 13,
  LINK_DELETE: 14,
  LINK_SWAP: 15,
  GRANT_UPSERT: 20,
  GRANT_UPDATE: 21,
  GRANT_DELETE: 22,
  USER_UPDATE: 30,
};

export const STATUS = { AVAILABLE: 0, IN_PROGRESS: 1, BLOCKED: 2, COMPLETED: 3 };

export const HTTP_STATUS = {
  bad_request: 400,
  unauthorized: 401,
  forbidden: 403,
  not_found: 404,
  conflict: 409,
  payload_too_large: 413,
  rate_limited: 429,
};

export const isUuid = (value) => assert.match(String(value), UUID_V4);
export const isTime = (value) => assert.match(String(value), TIME);
export const isTraceId = (value) => assert.match(String(value), TRACE_ID);
export const isKeys = (object, keys) => assert.deepEqual(Object.keys(object).sort(), [...keys].sort());

/** The diff every mutation answers with: who, when, in which batch, and four lists. */
export function isDiff(diff, user) {
  isUuid(diff.batchId);
  isTime(diff.ts);
  assert.equal(typeof diff.rev, 'number');
  assert.deepEqual(diff.actor, { username: user.username, email: user.email });
  for (const list of ['nodes', 'links', 'user', 'access']) assert.ok(Array.isArray(diff[list]), `diff.${list} is a list`);
}

/** A refusal names its class and code, says what to do and can be traced. */
export function isRefusal(answer, error) {
  assert.equal(answer.ok, false, `expected ${error}, was done: ${JSON.stringify(answer)}`);
  assert.equal(answer.error, error, JSON.stringify(answer));
  const [, code] = error.split('.');
  if (code) assert.equal(answer.code, code);
  assert.ok(answer.message.length > 0, 'a refusal has a message');
  isTraceId(answer.trace_id);
}

export const ops = (entries) => entries.map((entry) => entry.op);
