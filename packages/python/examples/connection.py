"""Loses the connection while a task is being added. The task is added once."""

import asyncio
import os
import uuid

from synaptask import AsyncClient


async def main() -> None:
    async with AsyncClient(os.environ["SYNAPTASK_URL"], token=os.environ["SYNAPTASK_TOKEN"]) as client:
        graph = await client.follow()

        # Whoever names the batch can write the name down first, and ask again even after a restart of the program.
        batch_id = str(uuid.uuid4())
        adding = asyncio.create_task(client.node_add(title="Buy paint", batchId=batch_id))

        # The request is on its way when the connection goes. The client connects, catches up and asks again.
        await asyncio.sleep(0)
        await client.suspend()
        client.resume()
        await adding
        await graph.when_live()

        again = await client.node_add(title="Buy paint", batchId=batch_id)
        print(f"replayed: {again.get('replayed', False)}, tasks: {len(graph.nodes)}")


asyncio.run(main())
