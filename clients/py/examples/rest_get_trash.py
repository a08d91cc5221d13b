"""The documented example of GET /api/trash, as it stands in the API's pages; only address and token are taken from outside."""

import os

import requests

API_BASE = os.environ["SYNAPTASK_URL"] + "/api"
API_TOKEN = os.environ["SYNAPTASK_TOKEN"]

all_nodes, all_links = [], []
offset, limit = 0, 100

while True:
    resp = requests.get(
        f"{API_BASE}/trash",
        headers={"Authorization": f"Bearer {API_TOKEN}"},
        params={"limit": limit, "offset": offset},
        timeout=30,
    )

    if resp.status_code != 200:
        try:
            err = resp.json()
        except Exception:
            err = {}
        raise RuntimeError(f"Trash request failed: {resp.status_code} {err}")

    data = resp.json()
    all_nodes.extend(data.get("nodes", []))
    all_links.extend(data.get("links", []))

    print(f"chunk: +{len(data.get('nodes', []))} nodes, +{len(data.get('links', []))} links")

    if data.get("hasMore"):
        offset += limit
    else:
        break

print("Trash fully loaded:", len(all_nodes), "nodes,", len(all_links), "links")
