"""Graphs too large to make one call at a time, and a seed that is always printed."""

import os
import random


def random_from_env(name):
    seed = int(os.environ.get(name, random.randrange(2**31)))
    print(f"{name}={seed}", flush=True)
    return random.Random(seed)


def grow_graph(client, node_count, link_count, rng):
    """Links run both from newer to older nodes (primary) and back (secondary), near and far, so that
    on a paged load many have to wait for an end that comes pages later."""
    added = client.does_all("node:add", [{"title": f"Task {i}"} for i in range(node_count)])
    node_ids = [ack["diff"]["nodes"][0]["after"]["id"] for ack in added]
    places = set()
    while len(places) < link_count:
        a, b = rng.sample(range(node_count), 2)
        if (b, a) not in places:
            places.add((a, b))
    linked = client.does_all(
        "link:add",
        [
            {"source": node_ids[a], "target": node_ids[b], "type": 0 if a > b else 1}
            for a, b in sorted(places)
        ],
    )
    link_ids = [ack["diff"]["links"][0]["after"]["id"] for ack in linked]
    return node_ids, link_ids
