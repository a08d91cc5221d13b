import type { ErrorName } from './generated.js';
import type { ErrorOf, OperationName } from './operations.js';

/** The error object, as the server answers it (SPEC.md T17). */
export interface ErrorAnswer {
  readonly ok: false;
  /** Class and code, such as `not_found.node_not_found`; of a class without codes the class alone. */
  readonly error: string;
  readonly code?: string;
  /** A sentence a person can act on. */
  readonly message: string;
  /** Seconds after which to try again. */
  readonly retryAfter?: number;
  /** Of graph:apply: the position of the refused operation in the list, counted from 0. */
  readonly index?: number;
  readonly trace_id?: string;
}

/**
 * The server's no. Nothing has been changed, and the same batchId may be tried again.
 *
 * `Name` are the errors that it can be: all there are, or after {@link isRefusal} those of one operation. A server that is
 * newer than this client may answer others.
 */
export class Refusal<Name extends string = ErrorName> extends Error {
  override readonly name = 'Refusal';
  /** The operation that was refused; `connected` where the connection was. */
  readonly event: string;
  /** Class and code, such as `not_found.node_not_found`. */
  readonly error: Name;
  /** The class alone, such as `not_found`. */
  readonly class: string;
  /** The code alone, such as `node_not_found`; undefined if the class has none. */
  readonly code: string | undefined;
  /** Seconds after which to try again; undefined if the server did not say. */
  readonly retryAfter: number | undefined;
  /** Of graph:apply: the position of the refused operation in the list, counted from 0. */
  readonly index: number | undefined;
  /** Finds the request in the server's log. */
  readonly trace_id: string | undefined;

  constructor(event: string, answer: ErrorAnswer) {
    super(answer.message);
    const [name, code] = answer.error.split('.', 2);
    this.event = event;
    this.error = answer.error as Name;
    this.class = name ?? answer.error;
    this.code = code;
    this.retryAfter = answer.retryAfter;
    this.index = answer.index;
    this.trace_id = answer.trace_id;
  }
}

/**
 * Whether an error is the server's no; with `event`, to that operation, whose errors TypeScript then knows.
 *
 * @example
 * ```ts
 * try {
 *   await client.link.add({ source, target });
 * } catch (error) {
 *   if (isRefusal(error, 'link:add') && error.error === 'conflict.dependency_cycle') …
 *   else throw error;
 * }
 * ```
 */
export function isRefusal(error: unknown): error is Refusal;
export function isRefusal<E extends OperationName>(error: unknown, event: E): error is Refusal<ErrorOf<E>>;
export function isRefusal(error: unknown, event?: string): boolean {
  return error instanceof Refusal && (event === undefined || error.event === event);
}

/**
 * There was no answer: the server could not be reached, or the connection was lost or closed meanwhile. What was asked may
 * have been done; asked again with the same batchId, it is not done twice.
 */
export class ConnectionLost extends Error {
  override readonly name = 'ConnectionLost';
}
