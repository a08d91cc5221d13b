"""Does several things as one batch, and undoes them together."""

import os
import uuid

import synaptask

with synaptask.connect(os.environ["SYNAPTASK_URL"], token=os.environ["SYNAPTASK_TOKEN"]) as client:
    graph = client.follow()

    # Ids of one's own making let later operations name what earlier ones made.
    plan, build = str(uuid.uuid4()), str(uuid.uuid4())
    done = client.graph_apply(
        operations=[
            {"event": "node:add", "id": plan, "title": "Plan the shed"},
            {"event": "node:add", "id": build, "title": "Build the shed"},
            {"event": "link:add", "source": plan, "target": build},
        ]
    )
    print(f"done: {len(graph.nodes)} tasks, {len(graph.links)} link")

    undone = client.history_undo(batchId=str(done["diff"]["batchId"]))
    print(f"undone: {len(graph.nodes)} tasks, {len(graph.links)} links")

    client.history_redo(batchId=undone["batchId"])
    print(f"done again: {len(graph.nodes)} tasks, {len(graph.links)} link")
