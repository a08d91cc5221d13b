import type { Connection } from './connection.js';
import { ConnectionLost, Refusal } from './errors.js';
import { opened } from './rest.js';

/** An answer, as it arrives. */
export interface Answer {
  readonly ok: boolean;
  readonly replayed?: boolean;
  readonly diff?: { readonly batchId: string | null };
}

interface Request {
  readonly event: string;
  readonly payload: object;
  /** Whether it is sent again when the connection was lost before an answer came. */
  readonly lasts: boolean;
  readonly wait: boolean;
  readonly signal: AbortSignal | undefined;
  /** Called with the answer at its place in what the connection brings, unless it was given up. */
  readonly take: ((answer: Answer) => void) | undefined;
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: unknown) => void;
  /** Whether it was sent over the connection that there is. */
  isSent: boolean;
  /** Running while the server has asked to wait. */
  timer: ReturnType<typeof setTimeout> | undefined;
}

/** The requests on one connection, in order, until they are answered. What is unanswered when it is lost is sent again. */
export class Requests {
  readonly #connection: Connection;
  readonly #answered: (event: string, answer: Answer) => void;
  readonly #open = new Set<Request>();

  /** `answered` is called with every answer at its place in what the connection brings, also when nobody waits for it any more. */
  constructor(connection: Connection, answered: (event: string, answer: Answer) => void) {
    this.#connection = connection;
    this.#answered = answered;
  }

  ask(event: string, payload: object, more: Partial<Pick<Request, 'lasts' | 'wait' | 'signal' | 'take'>> = {}): Promise<unknown> {
    const { lasts = true, wait = false, signal, take } = more;
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      if (!lasts && !this.#connection.isWelcome) return reject(new ConnectionLost(`${event}: not connected`));
      const close = () => {
        this.#open.delete(request);
        clearTimeout(request.timer);
        signal?.removeEventListener('abort', abort);
      };
      const abort = () => request.reject(signal?.reason);
      const request: Request = {
        event, payload, lasts, wait, signal, take,
        resolve: (answer) => (close(), resolve(answer)),
        reject: (error) => (close(), reject(error)),
        isSent: false,
        timer: undefined,
      };
      signal?.addEventListener('abort', abort, { once: true });
      this.#open.add(request);
      if (this.#connection.isWelcome) this.#send(request);
    });
  }

  /** The connection is there again: what is unanswered is sent once more, in order. */
  sendAgain(): void {
    for (const request of [...this.#open]) if (!request.isSent && request.timer === undefined) this.#send(request);
  }

  /** The connection is gone. */
  lost(): void {
    for (const request of [...this.#open]) {
      request.isSent = false;
      if (!request.lasts) request.reject(new ConnectionLost(`${request.event}: the connection was lost before an answer came`));
    }
  }

  /** No answer will come any more. */
  end(error: Error): void {
    for (const request of [...this.#open]) request.reject(error);
  }

  #send(request: Request): void {
    const { event, payload, take } = request;
    request.isSent = true;
    this.#connection.socket.emit(event, payload, (answer: Answer) => {
      this.#answered(event, answer);
      if (!this.#open.has(request)) return;
      take?.(answer);
      try {
        request.resolve(opened(event, answer));
      } catch (error) {
        this.#refused(request, error);
      }
    });
  }

  #refused(request: Request, error: unknown): void {
    if (!request.wait || !(error instanceof Refusal) || error.retryAfter === undefined) return request.reject(error);
    request.timer = setTimeout(() => {
      request.timer = undefined;
      if (this.#connection.isWelcome) this.#send(request);
    }, error.retryAfter * 1000);
  }
}
