// Shares a branch with a colleague, publishes it, and reads it as anybody with its token can.
import { connect, rest } from '@synaptask/client';

const url = process.env.SYNAPTASK_URL ?? '';
const client = await connect({ url, token: process.env.SYNAPTASK_TOKEN });

const garden = crypto.randomUUID();
await client.node.add({ id: garden, title: 'Garden' });
await client.node.add({ title: 'Water the roses', target: garden });

// An editor (2), with everything below it.
await client.node.access({ id: garden, email: process.env.COLLEAGUE ?? '', level: 2 });

await client.node.publish({ id: garden, branch: true });
const { nodes: own } = await client.branch.get({ root: garden, limit: 1 });
const root = own[0] && 'publicToken' in own[0] ? (own[0].publicToken ?? '') : '';
client.close();

// Without a token: reading what is public needs none, and no connection.
const { nodes, links } = await rest({ url }).branch.get({ root });
console.log(`public: ${nodes.length} tasks, ${links.length} link`);
