/** What one step did to a set of entities: their ids, each in one list. */
export interface ChangedIds {
  readonly added: readonly string[];
  readonly changed: readonly string[];
  readonly removed: readonly string[];
}

/** What one step did to the graph. */
export interface Change {
  /** The place in the order of commits that the graph is at now. */
  readonly rev: number;
  readonly nodes: ChangedIds;
  readonly links: ChangedIds;
}

type Kind = 'added' | 'changed' | 'removed';

/** Gathers what happens to each entity, so that every id ends in at most one list. */
export class ChangeLog {
  readonly nodes = new Map<string, Kind>();
  readonly links = new Map<string, Kind>();

  /** Adds a change that followed what is gathered. */
  follow({ nodes, links }: Change): void {
    for (const [log, ids] of [[this.nodes, nodes], [this.links, links]] as const) {
      for (const id of ids.added) notePut(log, id, false);
      for (const id of ids.changed) notePut(log, id, true);
      for (const id of ids.removed) noteRemoved(log, id);
    }
  }

  /** The change gathered since the last call, or null if there was none. */
  take(rev: number): Change | null {
    if (this.nodes.size === 0 && this.links.size === 0) return null;
    const change = { rev, nodes: listed(this.nodes), links: listed(this.links) };
    this.nodes.clear();
    this.links.clear();
    return change;
  }
}

/** Notes that an entity was put where there was none (`had` false) or in place of another. */
export function notePut(log: Map<string, Kind>, id: string, had: boolean): void {
  const before = log.get(id);
  if (had) log.set(id, before ?? 'changed');
  else log.set(id, before === 'removed' ? 'changed' : 'added');
}

/** Notes that an entity that was held is no longer. */
export function noteRemoved(log: Map<string, Kind>, id: string): void {
  if (log.get(id) === 'added') log.delete(id);
  else log.set(id, 'removed');
}

/** Notes what differs between two maps of entities. */
export function noteDifference<Entity>(
  log: Map<string, Kind>,
  from: ReadonlyMap<string, Entity>,
  to: ReadonlyMap<string, Entity>,
): void {
  for (const id of from.keys()) if (!to.has(id)) log.set(id, 'removed');
  for (const [id, entity] of to) {
    if (!from.has(id)) log.set(id, 'added');
    else if (!isSame(from.get(id), entity)) log.set(id, 'changed');
  }
}

function listed(log: ReadonlyMap<string, Kind>): ChangedIds {
  const lists: Record<Kind, string[]> = { added: [], changed: [], removed: [] };
  for (const [id, kind] of log) lists[kind].push(id);
  return lists;
}

/** Whether two JSON values are the same. */
export function isSame(one: unknown, other: unknown): boolean {
  if (one === other) return true;
  if (typeof one !== 'object' || typeof other !== 'object' || one === null || other === null) return false;
  if (Array.isArray(one) !== Array.isArray(other)) return false;
  const keys = Object.keys(one);
  return (
    keys.length === Object.keys(other).length &&
    keys.every((key) => key in other && isSame(one[key as keyof typeof one], other[key as keyof typeof other]))
  );
}
