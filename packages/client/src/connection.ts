import { io, type ManagerOptions, type Socket, type SocketOptions } from 'socket.io-client';
import type { Target } from './address.js';
import { type ErrorAnswer, Refusal } from './errors.js';
import { backoffMs } from './waiting.js';

export type { Socket };
/** Further options of the library. */
export type LibraryOptions = Partial<ManagerOptions & SocketOptions>;

/** What the server says to a connection that it accepts. */
export interface Welcome {
  readonly ok: true;
  /** The id of the user who is connected. */
  readonly uid: string;
  /** `api` with a token, `web` with a session. */
  readonly client: 'api' | 'web';
  readonly serverTime: string;
}

/** What a connection tells of itself. */
export interface ConnectionEvents {
  /** Connected and accepted, for the first time or again. */
  welcomed(welcome: Welcome): void;
  /** An event of the server. */
  heard(event: string, payload: unknown): void;
  /** The connection broke, or could not be made; it is made again. */
  lost(why: string): void;
  /** The server refuses the caller. It is not asked again. */
  refused(refusal: Refusal): void;
}

export interface SocketSettings {
  readonly transports: readonly ('websocket' | 'polling')[] | undefined;
  readonly socketOptions: LibraryOptions | undefined;
}

/** A connection over Socket.IO that comes back by itself, until it is closed or the server refuses the caller. */
export class Connection {
  /** The connection of the library that is underneath. */
  readonly socket: Socket;
  readonly #events: ConnectionEvents;
  #isWelcome = false;
  #isWanted = true;
  #again: ReturnType<typeof setTimeout> | undefined;
  /** How often in a row the server has closed the connection before it was accepted. */
  #turnedAway = 0;

  constructor({ origin, base, token, cookies, headers }: Target, settings: SocketSettings, events: ConnectionEvents) {
    this.#events = events;
    this.socket = io(origin, {
      path: `${base}/socket.io/`,
      forceNew: true,
      autoConnect: false,
      reconnectionDelay: 250,
      reconnectionDelayMax: 5000,
      withCredentials: cookies,
      extraHeaders: headers,
      ...(token !== undefined && { auth: { api_token: token } }),
      ...(settings.transports && { transports: [...settings.transports] }),
      ...settings.socketOptions,
    });
    this.socket.on('connected', (answer: Welcome | ErrorAnswer) => (answer.ok ? this.#welcomed(answer) : this.#turnedDown(answer)));
    this.socket.on('disconnect', (reason) => this.#lost(reason));
    this.socket.on('connect_error', (error) => this.#lost(error.message));
    this.socket.onAny((event: string, payload: unknown) => this.#events.heard(event, payload));
  }

  /** Whether the server has accepted the connection, and it holds. */
  get isWelcome(): boolean {
    return this.#isWelcome && this.socket.connected;
  }

  open(): void {
    this.#isWanted = true;
    this.socket.connect();
  }

  close(): void {
    this.#isWanted = false;
    clearTimeout(this.#again);
    this.socket.disconnect();
  }

  #welcomed(welcome: Welcome): void {
    this.#isWelcome = true;
    this.#turnedAway = 0;
    this.#events.welcomed(welcome);
  }

  #turnedDown(answer: ErrorAnswer): void {
    const refusal = new Refusal('connected', answer);
    if (refusal.retryAfter !== undefined || refusal.class === 'rate_limited' || refusal.class === 'unavailable') {
      this.socket.disconnect();
      this.#comeBack((refusal.retryAfter ?? 1) * 1000);
      return;
    }
    this.close();
    this.#events.refused(refusal);
  }

  #lost(why: string): void {
    this.#isWelcome = false;
    // The library comes back by itself, except after this.
    if (why === 'io server disconnect') this.#comeBack(backoffMs(this.#turnedAway++));
    this.#events.lost(why);
  }

  #comeBack(afterMs: number): void {
    clearTimeout(this.#again);
    if (!this.#isWanted) return;
    this.#again = setTimeout(() => {
      if (this.#isWanted) this.socket.connect();
    }, afterMs);
  }
}
