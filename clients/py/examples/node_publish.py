"""The documented example of node:publish, as it stands in the API's pages; only address and token are taken from outside."""

import os

import socketio

sio = socketio.Client()
sio.connect(os.environ["SYNAPTASK_URL"], headers={"Authorization": f"Bearer {os.environ['SYNAPTASK_TOKEN']}"})
resp = sio.call("node:publish", {"id": "<uuid>", "branch": True}, timeout=5)
if resp.get("ok"):
    print("Node published:", resp["diff"])
else:
    print("Failed:", resp["error"])
