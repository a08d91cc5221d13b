"""The documented example of graph:get, as it stands in the API's pages; only address and token are taken from outside."""

import os

import socketio

API_URL = os.environ["SYNAPTASK_URL"]
API_TOKEN = os.environ["SYNAPTASK_TOKEN"]

sio = socketio.Client(logger=False, engineio_logger=False)

all_nodes, all_links = [], []
limit, offset = 1000, 0

@sio.event
def connect():
    print("connected, sid:", sio.sid)
    # тільки після connect() — перший emit
    sio.emit("graph:get", {"limit": limit, "offset": offset})

@sio.on("graph:init")
def on_graph(data):
    global offset
    graph = data.get("graph", {})
    nodes = graph.get("nodes", [])
    links = graph.get("links", [])

    all_nodes.extend(nodes)
    all_links.extend(links)
    print(f"chunk: +{len(nodes)} nodes, +{len(links)} links (offset={offset})")

    if graph.get("hasMore"):
        offset += limit
        sio.emit("graph:get", {"limit": limit, "offset": offset})
    else:
        print("done:", len(all_nodes), "nodes,", len(all_links), "links")
        sio.disconnect()

@sio.on("graph:error")
def on_graph_error(err):
    print("graph error:", err)
    sio.disconnect()

@sio.event
def connect_error(e):
    print("connect_error:", e)

@sio.event
def disconnect():
    print("disconnected")

# важливо: transports=["websocket"], і токен в auth
sio.connect(API_URL, auth={"api_token": API_TOKEN}, transports=["websocket"], wait_timeout=10)
sio.wait()
