import type { Change } from './change.js';
import { ChangeLog, isSame, notePut, noteRemoved } from './change.js';
import * as op from './codes.js';
import type { Diff, Entity, Entry, GraphLink, GraphNode, Page } from './types.js';
import { isPhantom } from './types.js';

const INSERTS = new Set<number>([op.NODE_ADD, op.NODE_RESTORE, op.NODE_SHOW, op.LINK_ADD, op.LINK_RESTORE, op.LINK_SHOW]);
const RESTORES = new Set<number>([op.NODE_RESTORE, op.LINK_RESTORE]);
const REMOVES = new Set<number>([
  op.NODE_TRASH, op.NODE_DELETE, op.NODE_HIDE,
  op.LINK_TRASH, op.LINK_DELETE, op.LINK_HIDE,
]);
const CHANGES = new Set<number>([op.NODE_UPDATE, op.NODE_STATUS, op.NODE_PUBLISH, op.LINK_UPDATE, op.LINK_SWAP]);

/** The fields of one side of an entry. */
type Fields = Readonly<Record<string, unknown>>;

export interface ReplicaOptions {
  /**
   * Told, in a sentence, of everything received that the rules of the live view do not foresee. The replica applies
   * it all the same, as well as can be. By default violations are passed over in silence; tests throw.
   */
  readonly onViolation?: ((violation: string) => void) | undefined;
}

/**
 * The graph as its user sees it, kept by the rules of the live view (SPEC.md P5, P12, P17): pages overwrite, diffs are
 * applied in the order received, entry by entry, nodes before links. It knows no network, clock or randomness.
 *
 * Entities are never changed in place: whoever keeps one has it as it was.
 */
export class Replica {
  /** Every visible node by its id; some are phantoms, of which only `id` and `status` are known. */
  readonly nodes = new Map<string, GraphNode>();
  /** Every visible link by its id. */
  readonly links = new Map<string, GraphLink>();
  readonly #log = new ChangeLog();
  readonly #onViolation: ((violation: string) => void) | undefined;
  #rev = 0;
  #whole = false;

  constructor({ onViolation }: ReplicaOptions = {}) {
    this.#onViolation = onViolation;
  }

  /** The place in the order of commits that the replica is at. */
  get rev(): number {
    return this.#rev;
  }

  /** Whether a snapshot, or the last page of a load, has come. */
  get whole(): boolean {
    return this.#whole;
  }

  /**
   * Takes in a page of graph:get, or a snapshot (a page without `hasMore`). What it has overwrites what is held.
   * @returns what has changed, or null if nothing has
   */
  page({ nodes, links, rev, hasMore = false }: Page): Change | null {
    for (const node of nodes) this.#put(this.nodes, node);
    for (const link of links) {
      if (!this.nodes.has(link.source)) this.#violation(`a page brings link ${link.id} without its source ${link.source}`);
      if (!this.nodes.has(link.target)) this.#violation(`a page brings link ${link.id} without its target ${link.target}`);
      this.#put(this.links, link);
    }
    this.#rev = Math.max(this.#rev, rev);
    if (!hasMore) this.#whole = true;
    return this.#log.take(this.#rev);
  }

  /**
   * Applies a diff, or a part of one.
   *
   * `perhapsApplied`: the replica may have what the diff tells already (SPEC.md G12), so that what it says was before
   * need not be what is held.
   * @returns what has changed, or null if nothing has
   */
  diff(diff: Diff, { perhapsApplied = false } = {}): Change | null {
    if (diff.rev < this.#rev) this.#violation(`a diff leads back from rev ${this.#rev} to ${diff.rev}`);
    this.#rev = Math.max(this.#rev, diff.rev);
    for (const entry of diff.nodes) this.#entry(this.nodes, entry, perhapsApplied);
    for (const entry of diff.links) this.#entry(this.links, entry, perhapsApplied);
    for (const entry of diff.user) this.#user(entry);
    return this.#log.take(this.#rev);
  }

  #entry<E extends Entity>(held: Map<string, E>, { op: code, ...sides }: Entry, perhapsApplied: boolean): void {
    const [before, after] = [sides.before as Fields, sides.after as Fields];
    const id = String(after['id']);
    const has = held.get(id);
    if (INSERTS.has(code)) {
      this.#put(held, (RESTORES.has(code) ? outOfTrash(after) : after) as unknown as E);
    } else if (REMOVES.has(code)) {
      if (held.delete(id)) noteRemoved(this.#logOf(held), id);
    } else if (code === op.NODE_ACCESS || CHANGES.has(code)) {
      // What is not held yet comes with a later page.
      if (!has) return;
      if (!perhapsApplied) this.#check(code, has, before, after);
      const isWhole = after['phantom'] === true || (code === op.NODE_ACCESS && before['phantom'] === true);
      this.#put(held, (isWhole ? after : { ...has, ...after }) as unknown as E);
    } else {
      this.#violation(`operation ${code} is none that a diff has`);
    }
  }

  /** Renames the owner of nodes (SPEC.md O26). */
  #user({ op: code, before, after }: Entry): void {
    if (code !== op.USER_UPDATE) return this.#violation(`operation ${code} is none on users`);
    const { email, username } = after as { email: string; username?: string };
    if (username === undefined) return;
    const former = (before as { email: string }).email;
    for (const node of this.nodes.values()) {
      if (isPhantom(node) || node.ownerEmail !== former) continue;
      this.#put(this.nodes, { ...node, ownerEmail: email, ownerUsername: username });
    }
  }

  #put<E extends Entity>(held: Map<string, E>, entity: E): void {
    notePut(this.#logOf(held), entity.id, held.has(entity.id));
    held.set(entity.id, entity);
  }

  #logOf(held: Map<string, Entity>): ChangeLog['nodes'] {
    return (held as unknown) === this.nodes ? this.#log.nodes : this.#log.links;
  }

  /** Whether a change fits what is held. */
  #check(code: number, has: Entity, before: Fields, after: Fields): void {
    const wasPhantom = isPhantom(has);
    if (code === op.NODE_ACCESS && after['phantom'] === true) {
      if (wasPhantom) this.#violation(`${has.id} fades twice`);
      return;
    }
    if (code === op.NODE_ACCESS && before['phantom'] === true) {
      if (!wasPhantom) this.#violation(`${has.id} is full already`);
      return;
    }
    for (const [key, value] of Object.entries(before)) {
      const held = (has as unknown as Record<string, unknown>)[key];
      if (isSame(held, value)) continue;
      this.#violation(`${has.id}: ${key} was ${JSON.stringify(value)}, held is ${JSON.stringify(held)}`);
    }
    if (code === op.NODE_ACCESS) return;
    if (wasPhantom) {
      const keys = Object.keys(after).sort().join(' ');
      if (keys !== 'id status') this.#violation(`the phantom ${has.id} changes not just its status: ${keys}`);
    } else if (after['version'] !== has.version + 1) {
      this.#violation(`${has.id} goes from version ${has.version} to ${after['version']}`);
    }
  }

  #violation(violation: string): void {
    this.#onViolation?.(violation);
  }
}

/** A restored entity without what says that it has left the trash, which no entity in the graph has. */
function outOfTrash({ inTrash: _, lastBatchID: __, ...entity }: Fields): Fields {
  return entity;
}
