// Loads the graph, then prints every change of it until it is stopped.
import { connect, isPhantom } from '@synaptask/client';

const client = await connect({ url: process.env.SYNAPTASK_URL ?? '', token: process.env.SYNAPTASK_TOKEN });
const graph = await client.follow();
console.log(`${graph.nodes.size} tasks, ${graph.links.size} links`);

graph.onChange(({ nodes }) => {
  for (const id of [...nodes.added, ...nodes.changed]) {
    const node = graph.nodes.get(id);
    if (!node || isPhantom(node)) continue;
    console.log(`${node.title}: status ${node.status}`);
  }
  for (const id of nodes.removed) console.log(`${id} is gone`);
});

// A lost connection comes back by itself, and the graph catches up with what it missed.
client.onState((state) => console.log(state));
process.once('SIGINT', () => client.close());
