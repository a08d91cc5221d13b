import { ConnectionLost, Refusal } from './errors.js';
import { Listeners } from './listeners.js';
import { Follower } from './replica/follower.js';
import type { Change, FollowerState, GraphLink, GraphNode, Page, Replica } from './replica/index.js';
import type { Answer } from './requests.js';
import { backoffMs, sleep } from './waiting.js';

/** How the whole graph is loaded. */
export interface LoadOptions {
  /**
   * `snapshot`: everything at one moment, compressed, over REST · `pages`: over the connection, `pageSize` nodes at a time.
   * Default: `snapshot`.
   */
  readonly load?: 'snapshot' | 'pages' | undefined;
  /** Nodes in a page, 1 to 5,000. Default: 1,000. */
  readonly pageSize?: number | undefined;
}

export interface FollowOptions extends LoadOptions {
  /** Told of every change; the same as {@link LiveGraph.onChange}, from the first load on. */
  readonly onChange?: ((change: Change, graph: LiveGraph) => void) | undefined;
  /** Gives up waiting for the first load. */
  readonly signal?: AbortSignal | undefined;
  /** Makes the replicas, for one with a strict mode or of one's own. */
  readonly newReplica?: (() => Replica) | undefined;
}

/** What the live graph needs of its client. */
export interface Feed {
  /** `take` is called with the answer at its place in what the connection brings. Rejects when the connection is lost. */
  ask(event: string, payload: object, signal: AbortSignal, take: (answer: Answer) => void): Promise<unknown>;
  snapshot(signal: AbortSignal): Promise<unknown>;
  isConnected(): boolean;
  closed(graph: LiveGraph): void;
}

/**
 * The graph as its user sees it, kept up to date. What is in it is what a load would give at {@link rev}; after a lost
 * connection it catches up by what it missed, or loads anew, by itself.
 */
export class LiveGraph {
  readonly #feed: Feed;
  readonly #options: LoadOptions;
  readonly #follower: Follower;
  readonly #changes = new Listeners<[change: Change, graph: LiveGraph]>();
  readonly #current = new Listeners<[error: unknown]>();
  /** Aborted when the connection is lost, or another load takes the place of the one under way. */
  #turn = new AbortController();
  /** How the next connection is to load, if it is to. */
  #asked: LoadOptions | null = null;
  #isClosed = false;

  /** @internal */
  constructor(feed: Feed, { newReplica, onChange, ...options }: FollowOptions) {
    this.#feed = feed;
    this.#options = options;
    if (onChange) this.#changes.add(onChange);
    this.#follower = new Follower({ newReplica, onChange: (change) => this.#changes.tell(change, this) });
  }

  /** Every visible node by its id. A load after a lost connection puts another map here: do not keep it. */
  get nodes(): ReadonlyMap<string, GraphNode> {
    return this.#follower.replica.nodes;
  }

  /** Every visible link by its id. Do not keep the map either. */
  get links(): ReadonlyMap<string, GraphLink> {
    return this.#follower.replica.links;
  }

  /** The place in the order of commits that the graph is at. */
  get rev(): number {
    return this.#follower.replica.rev;
  }

  /** `live` while all that happens arrives; otherwise the graph is as it was at {@link rev}. */
  get state(): FollowerState | 'offline' | 'closed' {
    if (this.#isClosed) return 'closed';
    return this.#feed.isConnected() ? this.#follower.state : 'offline';
  }

  /** The replica that is shown now. */
  get replica(): Replica {
    return this.#follower.replica;
  }

  /**
   * Tells of every change, with the ids of what was added, changed and removed. A load that replaces the graph is one change.
   * @returns what lets go of the listener
   */
  onChange(listener: (change: Change, graph: LiveGraph) => void): () => void {
    return this.#changes.add(listener);
  }

  /** Loads everything anew; resolves when that has taken the place of what is shown. */
  async reload(options: LoadOptions & { readonly signal?: AbortSignal } = {}): Promise<void> {
    const whole = this.whenLive(options.signal, true);
    this.#asked = { ...this.#options, ...options };
    this.#follower.forget();
    if (this.#feed.isConnected()) this.#start((signal) => this.#load(signal));
    return whole;
  }

  /** Resolves when the graph is live: at once if it is, otherwise after the load or the resuming under way. */
  whenLive(signal?: AbortSignal, next = false): Promise<void> {
    if (!next && this.state === 'live') return Promise.resolve();
    return new Promise((resolve, reject) => {
      if (this.#isClosed) return reject(new ConnectionLost('the live graph is closed'));
      if (signal?.aborted) return reject(signal.reason);
      const abort = () => (off(), reject(signal?.reason));
      const off = this.#current.add((error) => {
        off();
        signal?.removeEventListener('abort', abort);
        if (error === null) resolve();
        else reject(error);
      });
      signal?.addEventListener('abort', abort, { once: true });
    });
  }

  /** Stops following. What is in it stays as it is. */
  close(): void {
    this.end(new ConnectionLost('the live graph is closed'));
  }

  /** @internal The connection is there: nothing has come over it yet. */
  welcomed(): void {
    if (this.#isClosed) return;
    if (this.#follower.since === null) return this.#start((signal) => this.#load(signal));
    this.#follower.beginResume();
    this.#start((signal) => this.#resume(signal));
  }

  /** @internal */
  lost(): void {
    this.#turn.abort(new ConnectionLost('the connection was lost'));
  }

  /** @internal The diff of a `graph:diff` or of an answer, in the order received. */
  take(diff: Parameters<Follower['take']>[0]): void {
    if (!this.#isClosed) this.#follower.take(diff);
  }

  /** @internal */
  end(error: Error): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#turn.abort(error);
    this.#current.tell(error);
    this.#feed.closed(this);
  }

  /** Does a turn until it succeeds, the connection is lost or another turn takes its place. */
  #start(turn: (signal: AbortSignal) => Promise<void>): void {
    this.#turn.abort(new ConnectionLost('another load was begun'));
    this.#turn = new AbortController();
    const { signal } = this.#turn;
    void (async () => {
      for (let nth = 0; !signal.aborted; nth++) {
        try {
          return await turn(signal);
        } catch (error) {
          if (signal.aborted) return;
          // The first load may be one that this caller is never granted.
          if (!this.#follower.replica.whole && error instanceof Refusal && !isPassing(error)) return this.end(error);
          const afterMs = error instanceof Refusal && error.retryAfter !== undefined ? error.retryAfter * 1000 : backoffMs(nth);
          await sleep(afterMs, signal).catch(() => {});
        }
      }
    })();
  }

  async #resume(signal: AbortSignal): Promise<void> {
    let isLoading = false;
    if (this.#follower.state === 'resuming') {
      await this.#feed.ask('graph:sync', { since: this.#follower.replica.rev }, signal, (answer) => {
        if (!answer.ok || this.#follower.synced(answer as unknown as { recovered: boolean })) return;
        // What comes from here on belongs to the load.
        isLoading = true;
        this.#begin();
      });
      if (!isLoading) return this.#current.tell(null);
    }
    await this.#load(signal, isLoading);
  }

  get #how(): Required<LoadOptions> {
    return { load: 'snapshot', pageSize: 1000, ...this.#options, ...this.#asked };
  }

  #begin(): void {
    if (this.#how.load === 'snapshot') this.#follower.beginSnapshot();
    else this.#follower.beginPages();
  }

  async #load(signal: AbortSignal, hasBegun = false): Promise<void> {
    if (!hasBegun) this.#begin();
    const { load, pageSize } = this.#how;
    if (load === 'snapshot') this.#follower.snapshot((await this.#feed.snapshot(signal)) as Page);
    else await this.#pages(pageSize, signal);
    this.#asked = null;
    this.#current.tell(null);
  }

  async #pages(limit: number, signal: AbortSignal): Promise<void> {
    for (let offset = 0, hasMore = true; hasMore; ) {
      await this.#feed.ask('graph:get', { limit, offset }, signal, (answer) => {
        if (!answer.ok) return;
        const page = answer as unknown as Required<Page>;
        offset += page.nodes.length;
        hasMore = page.hasMore;
        this.#follower.page(page);
      });
    }
  }
}

/** Whether a refusal may be another answer later. */
function isPassing(refusal: Refusal): boolean {
  return refusal.retryAfter !== undefined || ['rate_limited', 'unavailable', 'internal'].includes(refusal.class);
}
