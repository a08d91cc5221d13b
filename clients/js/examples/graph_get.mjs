// The documented example of graph:get, as it stands in the API's pages; only address and token are taken from outside.
import { io } from 'socket.io-client';

const socket = io(process.env.SYNAPTASK_URL, { auth: { api_token: process.env.SYNAPTASK_TOKEN } });

// --- the documented example ---
// Request first page of graph (1000 items by default)
socket.emit('graph:get', { limit: 1000, offset: 0 });

let allNodes = [];
let allLinks = [];

socket.on('graph:init', (data) => {
  console.log('Received graph chunk:', data);

  // Append received chunk
  allNodes.push(...(data.graph.nodes || []));
  allLinks.push(...(data.graph.links || []));

  // If there are more pages – request next
  if (data.graph.hasMore) {
    const nextOffset = allNodes.length;
    socket.emit('graph:get', { limit: 1000, offset: nextOffset });
  } else {
    console.log('Graph fully loaded');
    console.log('Total nodes:', allNodes.length);
    console.log('Total links:', allLinks.length);
  }
});

socket.on('graph:error', (err) => {
  console.error('Graph request failed:', err);
});
