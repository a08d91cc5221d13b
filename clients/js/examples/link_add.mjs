// The documented example of link:add, as it stands in the API's pages; only address and token are taken from outside.
import { io } from 'socket.io-client';

const socket = io(process.env.SYNAPTASK_URL, { auth: { api_token: process.env.SYNAPTASK_TOKEN } });

// --- the documented example ---
// Create a primary link between nodes
socket.emit("link:add", { source: "123", target: "456", type: 0 }, (ack) => {
  if (ack.ok) {
    console.log("Link created:", ack.diff.links);
  } else {
    console.error("Link creation failed:", ack.error, ack.message);
  }
});

// Listen for broadcasts
socket.on("graph:diff", (diff) => {
  console.log("Graph updated:", diff);
});
