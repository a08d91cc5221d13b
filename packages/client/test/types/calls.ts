// What TypeScript accepts and refuses. Every line marked as an expected error must be one.
import { connect, isPhantom, isRefusal, rest, type Client, type ErrorOf, type LiveGraph } from '@synaptask/client';
import { Replica } from '@synaptask/client/replica';

export async function calls(client: Client, graph: LiveGraph): Promise<void> {
  const added = await client.node.add({ title: 'Roof', priority: 9, tags: ['a'], dueDate: null });
  const rev: number = added.rev;
  const title: unknown = added.diff.nodes[0]?.after;
  await client.node.add();
  await client.call('node:add', { title: 'Roof' }, { signal: AbortSignal.timeout(5), wait: true });
  await client.node.publish({ id: 'x' });
  await client.node.publish.update({ id: 'x', due: null });
  await client.node.access({ id: 'x', email: 'a@example.com' });
  await client.node.access.delete({ id: 'x', email: 'a@example.com' });
  await client.history.undo({ batchId: 'x' });
  client.presence.update({ nodeId: null, anything: [1] });
  client.tell('node:drag', { id: 'x', x: 1, y: 2, z: 3 });
  client.on('graph:diff', (diff) => diff.rev + 1);
  await rest({ url: 'x' }).branch.get({ root: 'x' });
  await connect({ url: new URL('http://localhost'), session: true });

  // @ts-expect-error a title is a text
  await client.node.add({ title: 5 });
  // @ts-expect-error there is no such field
  await client.node.add({ titel: 'Roof' });
  // @ts-expect-error an id is required
  await client.node.update({ title: 'x' });
  // @ts-expect-error an input is required
  await client.node.update();
  // @ts-expect-error there is no such operation
  await client.call('node:explode', {});
  // @ts-expect-error nor such a method
  await client.node.explode({});
  // @ts-expect-error the input of another operation
  await client.call('node:add', { source: 'a', target: 'b' });
  // @ts-expect-error there is no such answer
  added.nodes;
  // @ts-expect-error what is passed on is not an operation that is answered
  await client.call('node:drag', { id: 'x', x: 1, y: 2, z: 3 });
  // @ts-expect-error there is no such event
  client.on('graph:dif', () => {});
  // @ts-expect-error the graph is not changed by hand
  graph.nodes.set('x', { id: 'x' });
  // @ts-expect-error a session is a cookie or the browser's
  await connect({ url: 'x', session: false });

  const node = graph.nodes.get('x');
  // @ts-expect-error it may not be there
  node.id;
  if (node) {
    // @ts-expect-error it may be a phantom
    node.title;
    if (!isPhantom(node)) node.title.toUpperCase();
  }
  new Replica({ onViolation: (violation) => violation.toUpperCase() });
}

export function refusals(error: unknown): string {
  // @ts-expect-error not known to be a refusal yet
  error.code;
  if (isRefusal(error, 'link:add')) {
    switch (error.error) {
      case 'conflict.dependency_cycle':
        return error.message;
      // @ts-expect-error link:add never answers this
      case 'conflict.already_undone':
        return '';
      default:
        return error.error satisfies ErrorOf<'link:add'>;
    }
  }
  return isRefusal(error) ? error.error : '';
}
