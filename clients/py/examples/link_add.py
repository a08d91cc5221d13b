"""The documented example of link:add, as it stands in the API's pages; only address and token are taken from outside."""

import os

import socketio


API_URL = os.environ["SYNAPTASK_URL"]
API_TOKEN = os.environ["SYNAPTASK_TOKEN"]


sio = socketio.Client()


@sio.event
def connect():
    print("connected:", sio.sid)
    sio.emit("link:add", {"source": "123", "target": "456", "type": 0}, callback=on_link_ack)


def on_link_ack(ack):
    if ack.get("ok"):
        print("Link created:", ack["diff"]["links"])
    else:
        print("Link creation failed:", ack["error"], ack.get("message"))
    sio.disconnect()


sio.connect(API_URL, auth={"api_token": API_TOKEN}, transports=["websocket"])
sio.wait()
