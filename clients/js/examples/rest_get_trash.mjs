// The documented example of GET /api/trash, as it stands in the API's pages, called at the end
// with address and token taken from outside.

// --- the documented example ---
async function fetchTrash(apiBaseUrl, apiToken) {
  let nodes = [];
  let links = [];
  let offset = 0;
  const limit = 100;

  while (true) {
    const resp = await fetch(`${apiBaseUrl}/trash?limit=${limit}&offset=${offset}`, {
      method: 'GET',
      headers: {
        'Authorization': `Bearer ${apiToken}`,
        'Accept': 'application/json'
      }
    });

    if (!resp.ok) {
      const err = await resp.json().catch(() => ({}));
      throw new Error(`Trash request failed: ${resp.status} ${err.error || ''}`);
    }

    const data = await resp.json();
    nodes.push(...(data.nodes || []));
    links.push(...(data.links || []));

    console.log(`Received ${data.nodes?.length || 0} nodes, ${data.links?.length || 0} links`);

    if (data.hasMore) offset += limit;
    else break;
  }

  console.log('Trash fully loaded:', nodes.length, 'nodes', links.length, 'links');
  return { nodes, links };
}
// --- end of the documented example ---

await fetchTrash(`${process.env.SYNAPTASK_URL}/api`, process.env.SYNAPTASK_TOKEN);
