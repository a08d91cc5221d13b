"""Shares a branch with a colleague, publishes it, and reads it as anybody with its token can."""

import os

import synaptask

url = os.environ["SYNAPTASK_URL"]
with synaptask.connect(url, token=os.environ["SYNAPTASK_TOKEN"]) as client:
    garden = client.node_add(title="Garden")
    root = str(garden["diff"]["nodes"][0]["after"]["id"])
    client.node_add(title="Water the roses", target=root)

    # An editor (2), with everything below it.
    client.node_access(id=root, email=os.environ["COLLEAGUE"], level=2)

    published = client.node_publish(id=root, branch=True)
    after = published["diff"]["nodes"][0]["after"]
    assert "publicToken" in after
    public_token = str(after["publicToken"])

# Without a token: reading what is public needs none, and no connection.
with synaptask.Rest(url) as anyone:
    page = anyone.branch_get(root=public_token)
    print(f"public: {len(page['nodes'])} tasks, {len(page['links'])} link")
