import type { Address, Target } from './address.js';
import { targetOf } from './address.js';
import type { ErrorAnswer } from './errors.js';
import { ConnectionLost, Refusal } from './errors.js';
import type { AnyCall, CallOptions, Methods } from './operations.js';
import { methods, wayOf } from './operations.js';
import { anySignal, backoffMs, closed, sleep, uuid } from './waiting.js';

const PATIENCE_MS = 60_000;

export interface RestOptions extends Address {
  /** Whether calls wait and ask again when the server says after how many seconds to. Default: false. */
  readonly wait?: boolean | undefined;
  /** For how long, in milliseconds, a server that cannot be reached is tried again. Default: 60,000; may be `Infinity`. */
  readonly patienceMs?: number | undefined;
  /** Used in place of the global `fetch`. */
  readonly fetch?: typeof globalThis.fetch | undefined;
}

/** All operations over REST alone: without a connection that stays, and without the live view. */
export type RestClient = RestCalls & Methods;

/**
 * Operations over REST, without a connection. Without a token or session it reads what is public.
 *
 * @example
 * ```ts
 * const { nodes, links } = await rest({ url }).branch.get({ root: publicToken });
 * ```
 */
export function rest(options: RestOptions): RestClient {
  const calls = new RestCalls(options);
  return Object.assign(calls, methods((event, input, more) => calls.send(event, input, more)));
}

/** What every REST client has besides the methods of the operations. */
export class RestCalls {
  readonly #target: Target;
  readonly #wait: boolean;
  readonly #patienceMs: number;
  readonly #fetch: typeof globalThis.fetch;
  readonly #closing = new AbortController();

  constructor({ wait = false, patienceMs = PATIENCE_MS, fetch = (...args) => globalThis.fetch(...args), ...address }: RestOptions) {
    this.#target = targetOf(address);
    this.#wait = wait;
    this.#patienceMs = patienceMs;
    this.#fetch = fetch;
  }

  /** Carries out an operation by its name; resolves with its answer. */
  readonly call: AnyCall = (event, ...[input, options]) => this.send(event, input, options) as never;

  /** Gives up all calls under way and refuses further ones. */
  close(): void {
    this.#closing.abort(closed());
  }

  /** @internal */
  async send(event: string, input: object = {}, { signal, wait = this.#wait }: CallOptions = {}): Promise<unknown> {
    const { rest: route, batch } = wayOf(event);
    if (!route) throw new TypeError(`${event} goes over a connection alone`);
    const [method, path] = route;
    const payload = batch ? named(input, batch) : input;
    const isSafe = method === 'GET' || batch !== undefined;
    const { signal: stop, release } = anySignal(this.#closing.signal, signal);
    try {
      const deadline = Date.now() + this.#patienceMs;
      for (let nth = 0; ; nth++) {
        try {
          return await this.#once(event, method, path, payload, stop);
        } catch (error) {
          stop.throwIfAborted();
          if (error instanceof Refusal) {
            if (!wait || error.retryAfter === undefined) throw error;
            await sleep(error.retryAfter * 1000, stop);
          } else {
            if (!(error instanceof ConnectionLost) || !isSafe) throw error;
            const ms = backoffMs(nth);
            if (Date.now() + ms > deadline) throw error;
            await sleep(ms, stop);
          }
        }
      }
    } finally {
      release();
    }
  }

  async #once(event: string, method: string, path: string, payload: object, signal: AbortSignal): Promise<unknown> {
    const { origin, base, token, cookies, headers } = this.#target;
    const { filled, rest: fields } = fillPath(path, payload);
    const url = new URL(origin + base + filled);
    const init: RequestInit = { method, signal, headers: { ...headers }, credentials: cookies ? 'include' : 'omit' };
    const sent = init.headers as Record<string, string>;
    if (token !== undefined) sent['Authorization'] = `Bearer ${token}`;
    if (method === 'GET') {
      for (const [name, value] of Object.entries(fields)) if (value !== undefined && value !== null) url.searchParams.set(name, String(value));
    } else {
      sent['Content-Type'] = 'application/json';
      init.body = JSON.stringify(fields);
    }
    let status: number;
    let text: string;
    try {
      const answer = await this.#fetch(url, init);
      status = answer.status;
      text = await answer.text();
    } catch (error) {
      signal.throwIfAborted();
      throw new ConnectionLost(`${event}: ${origin} cannot be reached`, { cause: error });
    }
    return opened(event, parsed(event, status, text));
  }
}

function parsed(event: string, status: number, text: string): { ok: boolean } {
  try {
    const answer: unknown = JSON.parse(text);
    if (typeof answer === 'object' && answer !== null && 'ok' in answer) return answer as { ok: boolean };
  } catch {
    // Not JSON: something in between has answered, and not the server.
  }
  const message = `${event}: status ${status} with what is not an answer of SynapTask: ${text.slice(0, 80)}`;
  // A proxy says so while the server is away.
  throw status >= 500 ? new ConnectionLost(message) : new Error(message);
}

/** An answer that is a yes; a no is thrown. */
export function opened(event: string, answer: { ok: boolean }): unknown {
  if (answer.ok) return answer;
  throw new Refusal(event, answer as ErrorAnswer);
}

/** The input with a name for its batch, the caller's or a new one. */
export function named(input: object, batch: 'batchId' | 'newBatchId'): object {
  return (input as Record<string, unknown>)[batch] == null ? { ...input, [batch]: uuid() } : input;
}

/** `/api/x/{id}`, with the fields that stand in the path taken out of the input. */
function fillPath(path: string, payload: object): { filled: string; rest: Record<string, unknown> } {
  const rest = { ...payload } as Record<string, unknown>;
  const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = rest[name];
    delete rest[name];
    return encodeURIComponent(String(value));
  });
  return { filled, rest };
}
