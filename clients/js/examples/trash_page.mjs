// The documented example of trash:page, as it stands in the API's pages; only address and token are taken from outside.
import { io } from 'socket.io-client';

// --- the documented example ---
const socket = io(process.env.SYNAPTASK_URL, {
  transports: ["websocket"],
  extraHeaders: { Authorization: `Bearer ${process.env.SYNAPTASK_TOKEN}` }
});

let nodes = [];
let links = [];
let limit = 100;
let offset = 0;

function requestTrash() {
  socket.emit("trash:page", { limit, offset }, (ack) => {
    if (!ack.ok) return console.error("trash:page failed:", ack);

    nodes.push(...(ack.nodes || []));
    links.push(...(ack.links || []));

    console.log(
      `chunk: +${ack.nodes?.length || 0} nodes, +${ack.links?.length || 0} links (offset=${offset}) trace_id=${ack.trace_id}`
    );

    if (ack.hasMore) {
      offset += limit;
      requestTrash();
    } else {
      console.log("Trash fully loaded:", nodes.length, "nodes,", links.length, "links");
    }
  });
}

socket.on("connect", () => {
  console.log("connected:", socket.id);
  requestTrash();
});
