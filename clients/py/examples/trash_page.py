"""The documented example of trash:page, as it stands in the API's pages; only address and token are taken from outside."""

import os

import socketio

SERVER_URL = os.environ["SYNAPTASK_URL"]
API_TOKEN = os.environ["SYNAPTASK_TOKEN"]

sio = socketio.Client(logger=False)

nodes, links = [], []
limit, offset = 100, 0

@sio.event
def connect():
    print("connected:", sio.sid)
    request_trash()

def request_trash():
    global offset
    def on_ack(ack):
        global offset
        if not ack.get("ok"):
            print("trash:page error:", ack)
            sio.disconnect()
            return

        nodes.extend(ack.get("nodes", []))
        links.extend(ack.get("links", []))
        print(f"chunk: +{len(ack.get('nodes', []))} nodes, +{len(ack.get('links', []))} links (offset={offset})")

        if ack.get("hasMore"):
            offset += limit
            sio.emit("trash:page", {"limit": limit, "offset": offset}, callback=on_ack)
        else:
            print("done:", len(nodes), "nodes,", len(links), "links")
            sio.disconnect()

    sio.emit("trash:page", {"limit": limit, "offset": offset}, callback=on_ack)

sio.connect(
    SERVER_URL,
    headers={"Authorization": f"Bearer {API_TOKEN}"},
    transports=["websocket"],
)
sio.wait()
