/**
 * The replica: the graph of one user, kept from what the server sends. It has no network, clock, randomness or DOM, and can be
 * fed by any transport.
 * @packageDocumentation
 */
export type { Change, ChangedIds } from './change.js';
export * as codes from './codes.js';
export { Follower, type FollowerOptions, type FollowerState } from './follower.js';
export { Replica, type ReplicaOptions } from './replica.js';
export { isPhantom, type Entity, type Entry, type GraphLink, type GraphNode, type Page } from './types.js';
