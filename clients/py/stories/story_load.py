"""Loading a large graph: every way to page ends with everything exactly once."""

import unittest

from bulk import grow_graph, random_from_env
from harness import Story

NODES, LINKS = 2_500, 1_000

LOOPS = {
    "offset += limit": lambda offset, limit, received: offset + limit,
    "offset = nodes received": lambda offset, limit, received: received,
}


class Load(Story):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.olha = cls.server.add_user("olha")
        client = cls.server.connect(cls.olha)
        cls.node_ids, cls.link_ids = grow_graph(client, NODES, LINKS, random_from_env("LOAD_SEED"))
        cls.server.close_clients()

    def by_event(self, client, limit, offset):
        client.forget()
        client.emit("graph:get", {"limit": limit, "offset": offset})
        page = client.hears("graph:init")
        self.assertEqual(page["hasMore"], page["graph"]["hasMore"])
        return page["graph"]

    def by_ack(self, client, limit, offset):
        return client.does("graph:get", {"limit": limit, "offset": offset})

    def by_rest(self, _client, limit, offset):
        answer = self.server.rest(self.olha, "GET", "/api/graph", params={"limit": limit, "offset": offset})
        self.assertEqual(answer.status_code, 200)
        return answer.json()

    def load(self, get_page, next_offset, limit):
        client = self.server.connect(self.olha)
        nodes, links, seen = [], [], set()
        offset, more = 0, True
        while more:
            page = get_page(client, limit, offset)
            nodes += page["nodes"]
            links += page["links"]
            seen |= {node["id"] for node in page["nodes"]}
            for link in page["links"]:
                self.assertTrue({link["source"], link["target"]} <= seen, "a link came before both its nodes")
            self.assertLessEqual(len(nodes), NODES, "the loop ends")
            more = page["hasMore"]
            offset = next_offset(offset, limit, len(nodes))
        return nodes, links

    def test_olha_loads_every_node_and_link_exactly_once_by_every_form_and_loop(self):
        for form in (self.by_event, self.by_ack, self.by_rest):
            for loop, next_offset in LOOPS.items():
                for limit in (1_000, 444):
                    with self.subTest(form=form.__name__, loop=loop, limit=limit):
                        nodes, links = self.load(form, next_offset, limit)
                        self.assertEqual(sorted(node["id"] for node in nodes), sorted(self.node_ids))
                        self.assertEqual(sorted(link["id"] for link in links), sorted(self.link_ids))

    def test_a_load_out_of_range_is_told_so_by_event_and_by_ack(self):
        client = self.server.connect(self.olha)
        client.emit("graph:get", {"limit": 5_001})
        self.assertEqual(client.hears("graph:error")["error"], "bad_request.out_of_range")
        self.assert_refusal(client.call("graph:get", {"offset": -1}), "bad_request.out_of_range")


if __name__ == "__main__":
    unittest.main()
