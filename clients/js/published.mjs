// The published client, as built from packages/client: `make client` builds it.
export * from '../../packages/client/dist/index.js';
