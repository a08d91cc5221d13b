// Loses the connection while a task is being added. The task is added once.
import { connect } from '@synaptask/client';

const client = await connect({ url: process.env.SYNAPTASK_URL ?? '', token: process.env.SYNAPTASK_TOKEN });
const graph = await client.follow();

// Whoever names the batch can write the name down first, and ask again even after a restart of the program.
const batchId = crypto.randomUUID();
const adding = client.node.add({ title: 'Buy paint', batchId });

// The request is on its way when the connection breaks. The client connects, catches up and asks again.
setImmediate(() => client.socket.io.engine.close());
await adding;
await graph.whenLive();

const again = await client.node.add({ title: 'Buy paint', batchId });
console.log(`replayed: ${again.replayed === true}, tasks: ${graph.nodes.size}`);
client.close();
