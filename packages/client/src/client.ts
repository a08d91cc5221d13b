import { type Address, targetOf } from './address.js';
import { Connection, type LibraryOptions, type Socket, type Welcome } from './connection.js';
import { ConnectionLost, Refusal } from './errors.js';
import type { Diff, ServerEvents } from './generated.js';
import { Listeners } from './listeners.js';
import { type FollowOptions, LiveGraph } from './live.js';
import type { AnyCall, CallOptions, Methods, RelayName, Tell } from './operations.js';
import { methods, wayOf } from './operations.js';
import { type Answer, Requests } from './requests.js';
import { named, RestCalls } from './rest.js';
import { closed } from './waiting.js';

const TIMEOUT_MS = 20_000;

/** `connecting`: for the first time or again · `suspended`: until {@link ClientCalls.resume} · `closed`: for good. */
export type ConnectionState = 'connecting' | 'connected' | 'suspended' | 'closed';

/** A message as it went over the connection, for logs and tests. */
export interface Message {
  /** `answer`: to a request; `event`: from the server. */
  readonly kind: 'answer' | 'event';
  /** The operation that was answered, or the event. */
  readonly event: string;
  readonly payload: unknown;
}

export interface ConnectOptions extends Address {
  /** Gives up connecting. */
  readonly signal?: AbortSignal | undefined;
  /** How long, in milliseconds, the first connection may take. Default: 20,000. Later ones are tried until closed. */
  readonly timeoutMs?: number | undefined;
  /** Whether calls wait and ask again when the server says after how many seconds to. Default: false. */
  readonly wait?: boolean | undefined;
  /** Default: polling, then websocket if that works. */
  readonly transports?: readonly ('websocket' | 'polling')[] | undefined;
  /** Further options of `socket.io-client`. */
  readonly socketOptions?: LibraryOptions | undefined;
  /** Used in place of the global `fetch`. */
  readonly fetch?: typeof globalThis.fetch | undefined;
  /** Told of every message at once, after it was taken in. */
  readonly onMessage?: ((message: Message) => void) | undefined;
}

/**
 * A connection to a SynapTask server: every operation as a method, and the live graph.
 *
 * Mutations are named by a `batchId`, the caller's or a new one, are sent again after a lost connection until they are
 * answered, and are carried out once.
 */
export type Client = ClientCalls & Methods;

/**
 * Connects to a server.
 *
 * @returns a client, once the server has accepted the connection
 * @throws {@link Refusal} if the server refuses the caller, {@link ConnectionLost} if it cannot be reached in time
 * @example
 * ```ts
 * const client = await connect({ url: 'http://127.0.0.1:8000', token });
 * const { diff } = await client.node.add({ title: 'Sand the fence' });
 * ```
 */
export async function connect(options: ConnectOptions): Promise<Client> {
  const calls = new ClientCalls(options);
  await calls.opened(options);
  return Object.assign(calls, methods((event, input, more) => calls.send(event, input, more)));
}

/** What a client has besides the methods of the operations. */
export class ClientCalls {
  readonly #rest: RestCalls;
  readonly #connection: Connection;
  readonly #requests: Requests;
  readonly #wait: boolean;
  readonly #onMessage: ((message: Message) => void) | undefined;
  readonly #states = new Listeners<[state: ConnectionState, why: Error | undefined]>();
  readonly #events = new Map<string, Listeners<[payload: never]>>();
  #graph: LiveGraph | null = null;
  #state: ConnectionState = 'connecting';
  #why: Error | undefined;
  #welcome: Welcome | undefined;

  /** @internal */
  constructor({ wait = false, transports, socketOptions, fetch, onMessage, url, token, session }: ConnectOptions) {
    const address = { url, token, session };
    this.#wait = wait;
    this.#onMessage = onMessage;
    this.#rest = new RestCalls({ ...address, fetch, wait, patienceMs: Infinity });
    this.#connection = new Connection(targetOf(address), { transports, socketOptions }, {
      welcomed: (welcome) => this.#welcomed(welcome),
      heard: (event, payload) => this.#heard(event, payload),
      lost: (why) => this.#lost(why),
      refused: (refusal) => this.#end(refusal),
    });
    this.#requests = new Requests(this.#connection, (event, answer) => this.#answered(event, answer));
  }

  /** @internal Opens the connection; resolves once the server has accepted it. */
  async opened({ signal, timeoutMs = TIMEOUT_MS }: ConnectOptions): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const done = (settle: () => void) => {
        clearTimeout(timer);
        off();
        signal?.removeEventListener('abort', abort);
        settle();
      };
      const abort = () => this.#end(signal?.reason);
      const late = () => this.#end(new ConnectionLost(`not connected in ${timeoutMs} ms: ${this.#why?.message ?? 'no answer'}`));
      const timer = setTimeout(late, timeoutMs);
      const off = this.#states.add((state, why) => {
        if (state === 'connected') done(resolve);
        else if (state === 'closed') done(() => reject(why));
      });
      signal?.addEventListener('abort', abort, { once: true });
      this.#connection.open();
    });
  }

  get state(): ConnectionState {
    return this.#state;
  }

  /** Why the client is not connected: the server's {@link Refusal}, or how the connection was lost. */
  get why(): Error | undefined {
    return this.#why;
  }

  /** The id of the user who is connected. */
  get uid(): string {
    return this.#welcome?.uid ?? '';
  }

  /** The connection of `socket.io-client` underneath, for what this package does not cover. */
  get socket(): Socket {
    return this.#connection.socket;
  }

  /** Carries out an operation by its name; resolves with its answer. */
  readonly call: AnyCall = (event, ...[input, options]) => this.send(event, input, options) as never;

  /** Passes something on to others, such as where one is. It is not answered, and lost while there is no connection. */
  readonly tell = <E extends RelayName>(event: E, ...[input]: Parameters<Tell<E>>): void => void this.send(event, input);

  /** @internal An operation, over the connection where it goes over one. Returns nothing for what is passed on. */
  send(event: string, input: object = {}, options: CallOptions = {}): Promise<unknown> | undefined {
    const { socket, batch, relay } = wayOf(event);
    if (relay) {
      if (this.#connection.isWelcome) this.#connection.socket.emit(event, input);
      return undefined;
    }
    if (this.#state === 'closed') return Promise.reject(this.#why);
    if (!socket) return this.#rest.send(event, input, options);
    return this.#requests.ask(event, batch ? named(input, batch) : input, { wait: this.#wait, ...options });
  }

  /**
   * Follows the graph: loads it, and keeps it up to date until it or the client is closed. There is one live graph at a time.
   * @returns the live graph, once it is whole
   */
  async follow(options: FollowOptions = {}): Promise<LiveGraph> {
    if (this.#state === 'closed') throw this.#why;
    if (this.#graph) throw new Error('this client follows the graph already');
    const graph = new LiveGraph(
      {
        ask: (event, payload, signal, take) => this.#requests.ask(event, payload, { lasts: false, signal, take }),
        snapshot: (signal) => this.#rest.send('graph:snapshot', {}, { signal, wait: true }),
        isConnected: () => this.#connection.isWelcome,
        closed: () => (this.#graph = null),
      },
      options,
    );
    this.#graph = graph;
    const live = graph.whenLive(options.signal, true);
    if (this.#connection.isWelcome) graph.welcomed();
    try {
      await live;
    } catch (error) {
      graph.close();
      throw error;
    }
    return graph;
  }

  /**
   * Listens to an event of the server.
   * @returns what lets go of the listener
   */
  on<E extends keyof ServerEvents>(event: E, listener: (payload: ServerEvents[E]) => void): () => void {
    const listeners = this.#events.get(event) ?? new Listeners();
    this.#events.set(event, listeners);
    return listeners.add(listener as (payload: never) => void);
  }

  /**
   * Tells of every change of {@link state}, and why the connection was lost.
   * @returns what lets go of the listener
   */
  onState(listener: (state: ConnectionState, why: Error | undefined) => void): () => void {
    return this.#states.add(listener);
  }

  /** Lets go of the connection until {@link resume}. What is asked meanwhile waits; the live graph catches up afterwards. */
  suspend(): void {
    if (this.#state === 'closed') return;
    this.#become('suspended');
    this.#connection.close();
  }

  /** Connects again after {@link suspend}. */
  resume(): void {
    if (this.#state !== 'suspended') return;
    this.#become('connecting');
    this.#connection.open();
  }

  /** Closes the connection for good. What is not answered yet is rejected with {@link ConnectionLost}. */
  close(): void {
    this.#end(closed());
  }

  #welcomed(welcome: Welcome): void {
    this.#welcome = welcome;
    // What was missed is asked for first, so that it arrives before the answers to what is sent again.
    this.#graph?.welcomed();
    this.#requests.sendAgain();
    this.#why = undefined;
    this.#become('connected');
  }

  #lost(why: string): void {
    this.#graph?.lost();
    this.#requests.lost();
    this.#why = this.#state === 'closed' ? this.#why : new ConnectionLost(why);
    if (this.#state === 'connected') this.#become('connecting');
  }

  #end(error: Error): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#why = error;
    this.#connection.close();
    this.#rest.close();
    this.#requests.end(error);
    this.#graph?.end(error);
    this.#states.tell('closed', error);
  }

  #become(state: ConnectionState): void {
    if (this.#state === state || this.#state === 'closed') return;
    this.#state = state;
    this.#states.tell(state, this.#why);
  }

  #heard(event: string, payload: unknown): void {
    if (event === 'graph:diff') this.#graph?.take(payload as Diff);
    this.#onMessage?.({ kind: 'event', event, payload });
    this.#events.get(event)?.tell(payload as never);
  }

  /** The diff of an answer is applied like any other, unless it is yesterday's (SPEC.md P25) or changes nothing. */
  #answered(event: string, answer: Answer): void {
    const { ok, diff, replayed } = answer;
    if (ok && diff && !replayed && diff.batchId !== null) this.#graph?.take(diff as Diff);
    this.#onMessage?.({ kind: 'answer', event, payload: answer });
  }
}

