"""Loads the graph, then prints every change of it for some seconds."""

import os
import time

import synaptask
from synaptask import Change, is_phantom


def changed(change: Change) -> None:
    for id in (*change.nodes.added, *change.nodes.changed):
        node = graph.nodes.get(id)
        if node is not None and not is_phantom(node):
            print(f"{node['title']}: status {node['status']}")
    for id in change.nodes.removed:
        print(f"{id} is gone")


with synaptask.connect(os.environ["SYNAPTASK_URL"], token=os.environ["SYNAPTASK_TOKEN"]) as client:
    graph = client.follow()
    print(f"{len(graph.nodes)} tasks, {len(graph.links)} links")
    graph.on_change(changed)
    # A lost connection comes back by itself, and the graph catches up with what it missed.
    client.on_state(lambda state, why: print(state))
    time.sleep(float(os.environ.get("SECONDS", "60")))
