import type { Operations, Relays } from './generated.js';
import { OPERATIONS } from './generated.js';

/** The name of an operation, such as `node:add`. */
export type OperationName = keyof Operations;
/** The name of an event that is passed on to others and not stored, such as `presence:update`. */
export type RelayName = keyof Relays;
export type Input<E extends OperationName> = Operations[E]['input'];
export type Output<E extends OperationName> = Operations[E]['output'];
/** The errors that an operation may answer. */
export type ErrorOf<E extends OperationName> = Operations[E]['errors'];

export interface CallOptions {
  /** Gives up waiting: the promise is rejected with the signal's reason. What was sent already may still be done. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Waits and asks again, as often as it takes, when the server says after how many seconds to
   * (`rate_limited`, `unavailable`). Otherwise that is a {@link Refusal} with `retryAfter`. Default: as the client's.
   */
  readonly wait?: boolean | undefined;
}

type Arguments<In> = {} extends In ? [input?: In, options?: CallOptions] : [input: In, options?: CallOptions];

/** One operation: what it takes, and a promise of its answer. */
export type Call<E extends OperationName> = (...args: Arguments<Input<E>>) => Promise<Output<E>>;
export type Tell<E extends RelayName> = (...args: {} extends Relays[E] ? [input?: Relays[E]] : [input: Relays[E]]) => void;

/** The one generic form of every operation: `call('node:add', { title: 'Roof' })`. */
export type AnyCall = <E extends OperationName>(event: E, ...args: Arguments<Input<E>>) => Promise<Output<E>>;

type Name = OperationName | RelayName;
type Heads<E extends string, Prefix extends string> = E extends `${Prefix}${infer Rest}`
  ? Rest extends `${infer Head}:${string}` ? Head : Rest
  : never;
type Method<E extends string> = (E extends OperationName ? Call<E> : unknown) & (E extends RelayName ? Tell<E> : unknown);

/** Every operation as a method at its place: `node:publish:update` is `node.publish.update`. */
export type Methods<Prefix extends string = ''> = {
  readonly [Head in Heads<Name, Prefix>]: Method<`${Prefix}${Head}`> & Methods<`${Prefix}${Head}:`>;
};

/** How an operation travels. */
export interface Way {
  /** Method and path over REST; absent if it goes over sockets alone. */
  readonly rest?: readonly [method: string, path: string] | undefined;
  /** Whether it goes over sockets. */
  readonly socket: boolean;
  /** The field that names the batch, so that the operation can be sent again and is done once. */
  readonly batch?: 'batchId' | 'newBatchId' | undefined;
  /** Whether it is passed on and forgotten. */
  readonly relay?: boolean | undefined;
}

export function wayOf(event: string): Way {
  const way = Object.hasOwn(OPERATIONS, event) ? (OPERATIONS as Record<string, Way>)[event] : undefined;
  if (!way) throw new TypeError(`there is no operation ${event}`);
  return way;
}

/** The methods of all operations, made from the generated table. */
export function methods(call: (event: string, input?: object, options?: CallOptions) => unknown): Methods {
  const root: Record<string, unknown> = {};
  for (const event of Object.keys(OPERATIONS)) {
    let place = root;
    const names = event.split(':');
    const last = names.pop() as string;
    for (const name of names) place = (place[name] ??= {}) as Record<string, unknown>;
    const method = (input?: object, options?: CallOptions) => call(event, input, options);
    // What stands below it may have come first.
    put(place, last, Object.assign(method, place[last]));
  }
  return root as Methods;
}

/** Defines rather than assigns: a function has a `name` and a `length` already. */
function put(place: object, name: string, value: unknown): void {
  Object.defineProperty(place, name, { value, enumerable: true, configurable: true, writable: true });
}
