/**
 * The client for SynapTask.
 * @packageDocumentation
 */
export type { Address } from './address.js';
export { connect, type Client, type ClientCalls, type ConnectionState, type ConnectOptions, type Message } from './client.js';
export { ConnectionLost, isRefusal, Refusal, type ErrorAnswer } from './errors.js';
export * from './generated.js';
export type { FollowOptions, LiveGraph, LoadOptions } from './live.js';
export type { AnyCall, Call, CallOptions, ErrorOf, Input, Methods, OperationName, Output, RelayName, Tell } from './operations.js';
export * from './replica/index.js';
export { rest, type RestCalls, type RestClient, type RestOptions } from './rest.js';
