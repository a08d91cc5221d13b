import type { Change } from './change.js';
import { ChangeLog, noteDifference } from './change.js';
import { Replica } from './replica.js';
import type { Diff, Page } from './types.js';

/** `empty`: nothing is loaded · `loading` · `live`: what comes is applied · `resuming`: what was missed is awaited. */
export type FollowerState = 'empty' | 'loading' | 'live' | 'resuming';

export interface FollowerOptions {
  /** Makes each replica; a load fills a new one. By default {@link Replica} without options. */
  readonly newReplica?: (() => Replica) | undefined;
  /** Told of every change of the graph that is shown. A diff in parts is one change, told after its last part. */
  readonly onChange?: ((change: Change) => void) | undefined;
}

/**
 * Decides what happens to all that one connection brings: what is applied at once, what is put aside until a snapshot
 * or the answer to graph:sync has come, and when a newly loaded graph takes the place of the one shown.
 *
 * Everything must be given to it in the order received. Like the replica it knows no network, clock or randomness.
 */
export class Follower {
  readonly #newReplica: () => Replica;
  readonly #onChange: ((change: Change) => void) | undefined;
  #shown: Replica;
  /** The replica that a load fills. */
  #next: Replica | null = null;
  /** What has come and must wait. */
  #aside: Diff[] | null = null;
  /** What has changed and was not told yet: a diff of which parts are missing. */
  #untold: Change[] = [];
  #state: FollowerState = 'empty';
  #isForgotten = false;

  constructor({ newReplica = () => new Replica(), onChange }: FollowerOptions = {}) {
    this.#newReplica = newReplica;
    this.#onChange = onChange;
    this.#shown = newReplica();
  }

  get state(): FollowerState {
    return this.#state;
  }

  /** The replica that is shown. A load that replaces a graph puts a new one here when it is whole. */
  get replica(): Replica {
    return this.#shown;
  }

  /** The rev to give to graph:sync, or null if only a load helps. */
  get since(): number | null {
    return this.#shown.whole && this.#next === null && !this.#isForgotten ? this.#shown.rev : null;
  }

  /** Has the next connection load, whatever it could catch up with. */
  forget(): void {
    this.#isForgotten = true;
  }

  /** A snapshot is about to be asked for: from now on diffs are put aside. */
  beginSnapshot(): void {
    this.#begin('loading', this.#newReplica(), []);
  }

  /** The page at offset 0 is about to be asked for: from now on diffs go into what the pages bring. */
  beginPages(): void {
    this.#begin('loading', this.#newReplica(), null);
  }

  /** graph:sync is about to be asked for: from now on diffs are put aside. */
  beginResume(): void {
    this.#begin('resuming', null, []);
  }

  #begin(state: FollowerState, next: Replica | null, aside: Diff[] | null): void {
    this.#state = state;
    this.#next = next;
    this.#aside = aside;
  }

  /**
   * Takes a `graph:diff`, or the diff of an answer to one of the connection's own requests. The diff of an answer that
   * is marked `replayed` is not to be given (SPEC.md P25), nor is one without entries (`batchId` null in an answer).
   */
  take(diff: Diff): void {
    if (this.#aside) this.#aside.push(diff);
    else if (this.#next) this.#next.diff(diff);
    else if (this.#state === 'live') this.#apply(diff);
  }

  /** Takes a page of graph:get, each in its turn. */
  page(page: Page): void {
    this.#next?.page(page);
    if (this.#next?.whole) this.#show(this.#next);
  }

  /** Takes the snapshot, and then what was put aside and is later (SPEC.md G12). */
  snapshot(snapshot: Page): void {
    const [next, aside] = [this.#next, this.#aside];
    if (!next || !aside) return;
    const { rev } = snapshot;
    next.page({ ...snapshot, hasMore: false });
    for (const diff of inOrder(aside)) {
      if (diff.rev > rev) next.diff(diff);
      // A due time that passed has no rev of its own: the snapshot may be from before it or after it.
      else if (diff.rev === rev && diff.batchId === null) next.diff(diff, { perhapsApplied: true });
    }
    this.#show(next);
  }

  /**
   * Takes the answer to graph:sync: what was missed has come, and what was put aside is applied in the order of
   * commits, each diff and part once (SPEC.md P21).
   * @returns false if what was missed is no longer kept, and the graph must be loaded
   */
  synced({ recovered }: { readonly recovered: boolean }): boolean {
    const aside = this.#aside ?? [];
    if (!recovered) {
      this.#begin('empty', null, null);
      return false;
    }
    this.#begin('live', null, null);
    const missed = inOrder(aside);
    for (const diff of missed) this.#note(this.#shown.diff(diff));
    if (missed.at(-1) === undefined || isWhole(missed.at(-1) as Diff)) this.#tell();
    return true;
  }

  #apply(diff: Diff): void {
    this.#note(this.#shown.diff(diff));
    if (isWhole(diff)) this.#tell();
  }

  #show(next: Replica): void {
    const log = new ChangeLog();
    noteDifference(log.nodes, this.#shown.nodes, next.nodes);
    noteDifference(log.links, this.#shown.links, next.links);
    this.#shown = next;
    this.#isForgotten = false;
    this.#begin('live', null, null);
    this.#note(log.take(next.rev));
    this.#tell();
  }

  #note(change: Change | null): void {
    if (change) this.#untold.push(change);
  }

  #tell(): void {
    const [first, ...more] = this.#untold.splice(0);
    const change = first && more.length > 0 ? merged([first, ...more]) : first;
    if (change) this.#onChange?.(change);
  }
}

/** Diffs by rev, and the parts of one in turn; each once. What expired after a batch follows it, as it was told. */
function inOrder(diffs: readonly Diff[]): Diff[] {
  const once = new Map<string, Diff>();
  for (const diff of diffs) {
    const name = diff.batchId === null ? JSON.stringify(diff) : `${diff.rev} ${diff.batchId} ${partOf(diff)}`;
    // The last telling counts: what was missed is told again in order.
    once.delete(name);
    once.set(name, diff);
  }
  return [...once.values()].sort((one, other) => {
    if (one.rev !== other.rev) return one.rev - other.rev;
    if (one.batchId === null || other.batchId === null) return Number(one.batchId === null) - Number(other.batchId === null);
    return partOf(one) - partOf(other);
  });
}

function partOf(diff: Diff): number {
  return diff.part ?? 1;
}

/** Whether a diff ends with this part. */
function isWhole(diff: Diff): boolean {
  return partOf(diff) === (diff.parts ?? 1);
}

/** Several changes, one after the other, as one; null if they cancel out. */
function merged(changes: readonly Change[]): Change | null {
  const log = new ChangeLog();
  for (const change of changes) log.follow(change);
  return log.take(Math.max(...changes.map(({ rev }) => rev)));
}
