// The documented example of node:publish, as it stands in the API's pages; only address and token are taken from outside.
import { io } from 'socket.io-client';

const socket = io(process.env.SYNAPTASK_URL, { auth: { api_token: process.env.SYNAPTASK_TOKEN } });

// --- the documented example ---
socket.emit("node:publish", { id: "<uuid>", branch: true }, (resp) => {
  if (resp.ok) {
    console.log("Published:", resp.diff);
  } else {
    console.error("Publish failed:", resp.error);
  }
});
