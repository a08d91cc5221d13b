/** What the replica needs to know of the wire; the names are those of the generated types. */
import type { Diff, Link, Node, Phantom } from '../generated.js';

/** A node of the graph as its user sees it: whole, or a phantom. */
export type GraphNode = Node | Phantom;
export type GraphLink = Link;
export type Entity = GraphNode | GraphLink;

export type { Diff };

/** One entry of a diff: an operation code, and the fields it concerns before and after. */
export interface Entry {
  readonly op: number;
  readonly before: object;
  readonly after: object;
}

/** A page of graph:get, or a snapshot, which is the whole graph in one page. */
export interface Page {
  readonly nodes: readonly GraphNode[];
  readonly links: readonly GraphLink[];
  readonly rev: number;
  readonly hasMore?: boolean;
}

/** Whether a node is a phantom: one that holds a task up, and of which only `id` and `status` may be seen. */
export function isPhantom(entity: object): entity is Phantom {
  return 'phantom' in entity && entity.phantom === true;
}
