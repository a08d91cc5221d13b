// Makes two tasks and a link, and learns why a second link is refused.
import { connect, isRefusal } from '@synaptask/client';

const client = await connect({ url: process.env.SYNAPTASK_URL ?? '', token: process.env.SYNAPTASK_TOKEN });

// The server makes ids, or takes those of one's own making.
const [sand, paint] = [crypto.randomUUID(), crypto.randomUUID()];
await client.node.add({ id: sand, title: 'Sand the fence', priority: 9 });
await client.node.add({ id: paint, title: 'Paint the fence', tags: ['garden'] });

// Painting waits for sanding: its status becomes Blocked, in the same diff.
const { diff } = await client.link.add({ source: sand, target: paint });
console.log(`link added, ${diff.nodes.length} task blocked`);

try {
  await client.link.add({ source: paint, target: sand });
} catch (error) {
  // TypeScript knows the errors of link:add.
  if (isRefusal(error, 'link:add') && error.error === 'conflict.duplicate_reversed_link') console.log(`refused: ${error.message}`);
  else throw error;
}
client.close();
