// Graphs too large to make one call at a time, and random numbers that can be had again.

/** mulberry32: small, seeded, good enough to draw a graph with. */
export function randomFrom(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export function seedFromEnv(name) {
  const seed = Number(process.env[name] ?? Math.floor(Math.random() * 2 ** 31));
  console.log(`${name}=${seed}`);
  return seed;
}

/** Does `jobs` (functions of a client) with every client busy, a few calls in flight on each. */
export async function inParallel(clients, jobs, inFlight = 16) {
  const queue = [...jobs.entries()];
  const results = new Array(jobs.length);
  const worker = async (client) => {
    for (let next = queue.shift(); next; next = queue.shift()) {
      const [index, job] = next;
      results[index] = await job(client);
    }
  };
  await Promise.all(clients.flatMap((client) => Array.from({ length: inFlight }, () => worker(client))));
  return results;
}

/**
 * Grows a graph of `nodeCount` nodes. Links run both from newer to older nodes and back, near and far,
 * so that on a paged load many have to wait for an end that comes pages later.
 * Newer → older are primary (no cycle that way), older → newer secondary.
 */
export async function growGraph(clients, nodeCount, linkCount, random) {
  const nodeIds = await inParallel(
    clients,
    Array.from({ length: nodeCount }, (_, i) => (client) => client.addNode({ title: `Task ${i}` })),
  );
  const places = new Set();
  while (places.size < linkCount) {
    const [a, b] = [Math.floor(random() * nodeCount), Math.floor(random() * nodeCount)];
    if (a !== b && !places.has(`${b} ${a}`)) places.add(`${a} ${b}`);
  }
  const linkIds = await inParallel(
    clients,
    [...places].map((place) => (client) => {
      const [source, target] = place.split(' ').map(Number);
      return client.addLink(nodeIds[source], nodeIds[target], { type: source > target ? 0 : 1 });
    }),
  );
  return { nodeIds, linkIds };
}
