// Holds what the server sends against what its documents say (E5). Every answer, ack and event that a story hears comes
// through here, and a difference fails the story.
import Ajv2020 from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';

const read = (name) =>
  JSON.parse(execFileSync(process.env.SYNAPTASK_BIN, [name], { encoding: 'utf8', maxBuffer: 1 << 26 }));

/** Judges what is sent, by the two documents. */
export class Described {
  #validators = new Map();
  #paths;

  constructor(openapi = read('openapi'), asyncapi = read('asyncapi')) {
    this.openapi = openapi;
    this.asyncapi = asyncapi;
    this.ajv = new Ajv2020({ strict: false, allErrors: false, validateFormats: true });
    addFormats(this.ajv);
    this.ajv.addSchema(openapi, 'openapi').addSchema(asyncapi, 'asyncapi');
    this.#paths = Object.entries(openapi.paths).map(([path, methods]) => ({
      pattern: new RegExp(`^${path.replace(/\{[^}]+\}/g, '[^/]+')}$`),
      path,
      methods,
    }));
    this.events = new Map();
    for (const { action, title, messages, reply } of Object.values(asyncapi.operations)) {
      const key = (message) => message.$ref.split('/').pop();
      if (action === 'send') this.events.set(title, `#/channels/namespace/messages/${key(messages[0])}/payload`);
      else this.events.set(`ack ${title}`, `#/channels/namespace/messages/${key(reply.messages[0])}/payload`);
    }
  }

  #hold(document, pointer, value, what) {
    const ref = `${document}${pointer}`;
    let validate = this.#validators.get(ref);
    if (!validate) {
      validate = this.ajv.compile({ $ref: ref });
      this.#validators.set(ref, validate);
    }
    if (validate(value)) return;
    const text = JSON.stringify(value);
    const faults = this.ajv.errorsText(validate.errors.slice(0, 6));
    throw new Error(`${what} is not as described: ${faults}\n${text.slice(0, 2_000)}`);
  }

  /** An answer over REST. A path or method that there is not is refused as any failure is. */
  answer(method, path, status, body) {
    const { pathname } = new URL(path, 'http://server');
    const found = this.#paths.find(({ pattern }) => pattern.test(pathname));
    const operation = found?.methods[method.toLowerCase()];
    const what = `the answer ${status} of ${method} ${pathname}`;
    if (!operation) return this.#hold('openapi', '#/components/schemas/Error', body, what);
    // What HTTP itself refuses is no answer of an operation.
    if (status === 414 || status === 431 || body?.code === 'malformed_request') {
      return this.#hold('openapi', '#/components/schemas/Error', body, what);
    }
    if (!operation.responses[status]) throw new Error(`${what} is not described: ${JSON.stringify(body).slice(0, 500)}`);
    const at = `#/paths/${found.path.replaceAll('~', '~0').replaceAll('/', '~1')}/${method.toLowerCase()}/responses/${status}`;
    this.#hold('openapi', encodeURI(`${at}/content/application~1json/schema`), body, what);
  }

  ack(event, body) {
    const pointer = this.events.get(`ack ${event}`);
    if (pointer) return this.#hold('asyncapi', pointer, body, `the ack of ${event}`);
    this.#hold('openapi', '#/components/schemas/Error', body, `the ack of ${event}, which there is not`);
  }

  event(name, payload) {
    const pointer = this.events.get(name);
    if (!pointer) throw new Error(`the event ${name} is not described: ${JSON.stringify(payload)?.slice(0, 500)}`);
    this.#hold('asyncapi', pointer, payload, `the event ${name}`);
  }
}

// Failures as the server answers them, for the examples in its documents (E6).
const failures = new Set();
const SOME_ID = '00000000-0000-4000-8000-000000000000';
const RECORD = process.env.SYNAPTASK_RECORD;

function record(body) {
  if (body?.ok !== false || body.event !== undefined || body.index !== undefined) return;
  // What differs from run to run is always the same in examples.
  const { message } = body;
  const same = message.replace(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, SOME_ID).replace(/in \d+ s\./, 'in 10 s.');
  const wait = body.retryAfter === undefined ? {} : { retryAfter: 10 };
  failures.add(JSON.stringify({ ...body, message: same, ...wait, trace_id: '000000000000' }));
}

if (RECORD) {
  process.on('exit', () => {
    if (failures.size > 0) writeFileSync(`${RECORD}/${process.pid}.jsonl`, [...failures].join('\n') + '\n');
  });
}

let described;
let isOn = false;
const faults = [];

/** From now on everything that comes through the harness is judged. */
export const judge = () => {
  isOn = true;
};

/** Judges something if stories are told; a difference throws. */
export function judged(how, ...what) {
  if (!isOn) return;
  described ??= new Described();
  described[how](...what);
  if (RECORD && how !== 'event') record(what.at(-1));
}

/** The same for what nobody waits for: the story fails at its end. */
export function judgedLater(how, ...what) {
  try {
    judged(how, ...what);
  } catch (fault) {
    faults.push(fault);
  }
}

/** Throws the first difference that nobody has heard of yet. */
export function throwFaults() {
  const [first] = faults.splice(0);
  if (first) throw first;
}
