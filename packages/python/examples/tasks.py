"""Makes two tasks and a link, and learns why a second link is refused."""

import os

import synaptask
from synaptask import Refusal

with synaptask.connect(os.environ["SYNAPTASK_URL"], token=os.environ["SYNAPTASK_TOKEN"]) as client:
    sand = client.node_add(title="Sand the fence", priority=9)
    paint = client.node_add(title="Paint the fence", tags=["garden"])
    source, target = (str(answer["diff"]["nodes"][0]["after"]["id"]) for answer in (sand, paint))

    # Painting waits for sanding: its status becomes Blocked, in the same diff.
    diff = client.link_add(source=source, target=target)["diff"]
    print(f"link added, {len(diff['nodes'])} task blocked")

    try:
        client.link_add(source=target, target=source)
    except Refusal as no:
        # The errors there are, are known to the type checker.
        if no.error != "conflict.duplicate_reversed_link":
            raise
        print(f"refused: {no.message}")
