// Does several things as one batch, and undoes them together.
import { connect } from '@synaptask/client';

const client = await connect({ url: process.env.SYNAPTASK_URL ?? '', token: process.env.SYNAPTASK_TOKEN });
const graph = await client.follow();

// Ids of one's own making let later operations name what earlier ones made.
const [plan, build] = [crypto.randomUUID(), crypto.randomUUID()];
const { diff } = await client.graph.apply({
  operations: [
    { event: 'node:add', id: plan, title: 'Plan the shed' },
    { event: 'node:add', id: build, title: 'Build the shed' },
    { event: 'link:add', source: plan, target: build },
  ],
});
console.log(`done: ${graph.nodes.size} tasks, ${graph.links.size} link`);

const undone = await client.history.undo({ batchId: String(diff.batchId) });
console.log(`undone: ${graph.nodes.size} tasks, ${graph.links.size} links`);

await client.history.redo({ batchId: undone.batchId });
console.log(`done again: ${graph.nodes.size} tasks, ${graph.links.size} link`);
client.close();
