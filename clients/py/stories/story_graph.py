"""Links, publications and the trash, as a Python program meets them."""

import unittest
import uuid

from harness import Story

NODE_STATUS, LINK_ADD, LINK_RESTORE, LINK_SWAP, NODE_PUBLISH = 2, 10, 13, 15, 6
AVAILABLE, BLOCKED, COMPLETED = 0, 2, 3


def ops(entries):
    return [entry["op"] for entry in entries]


class Graph(Story):
    def setUp(self):
        super().setUp()
        self.olha = self.server.add_user("olha")
        self.client = self.server.connect(self.olha)

    def status_of(self, node_id):
        nodes = self.client.does("graph:get")["nodes"]
        return next(node["status"] for node in nodes if node["id"] == node_id)

    def test_olha_makes_a_finished_task_wait_and_what_waits_for_that_is_blocked_too(self):
        source, target, above = (self.client.add_node() for _ in range(3))
        self.client.add_link(target, above)
        self.client.does("node:update", {"id": target, "status": COMPLETED})
        ack = self.client.does("link:add", {"source": source, "target": target, "type": 0})
        diff = ack["diff"]
        self.assertEqual(diff["actor"], {"username": self.olha["username"], "email": self.olha["email"]})
        self.assertEqual(ops(diff["links"]), [LINK_ADD])
        self.assertEqual(diff["links"][0]["before"], {})
        self.assertEqual(ops(diff["nodes"]), [NODE_STATUS, NODE_STATUS])
        self.assertEqual([entry["after"]["id"] for entry in diff["nodes"]], [target, above])
        self.assertEqual(self.status_of(above), BLOCKED)

    def test_a_link_in_the_trash_added_the_other_way_is_restored_then_swapped(self):
        source, target = self.client.add_node(), self.client.add_node()
        link = self.client.add_link(source, target)
        self.client.does("link:trash", {"id": link})
        diff = self.client.does("link:add", {"source": target, "target": source})["diff"]
        self.assertEqual(ops(diff["links"]), [LINK_RESTORE, LINK_SWAP])
        self.assertEqual(diff["links"][1]["after"]["id"], link)
        self.assertEqual((self.status_of(source), self.status_of(target)), (BLOCKED, AVAILABLE))

    def test_olha_publishes_a_branch_and_gets_its_token(self):
        node = self.client.add_node()
        diff = self.client.does("node:publish", {"id": node, "branch": True})["diff"]
        self.assertEqual(ops(diff["nodes"]), [NODE_PUBLISH])
        self.assertIsNone(diff["nodes"][0]["before"]["publicToken"])
        self.assertRegex(diff["nodes"][0]["after"]["publicToken"], r"^[A-Za-z0-9_-]{22,}$")
        self.assert_refusal(self.client.call("node:publish", {"id": node}), "bad_request.already_public")

    def test_olha_pages_through_her_trash_by_socket_and_rest(self):
        nodes = [self.client.add_node(title=f"Draft {i}") for i in range(12)]
        links = [self.client.add_link(a, b) for a, b in zip(nodes, nodes[1:])]
        for node in nodes:
            self.client.does("node:trash", {"id": node})

        def by_rest(query):
            return self.server.rest(self.olha, "GET", "/api/trash", params=query).json()

        for get_page in (lambda query: self.client.does("trash:page", query), by_rest):
            found, offset, more = [], 0, True
            while more:
                page = get_page({"limit": 5, "offset": offset})
                self.assertTrue(all(one["inTrash"] and one["lastBatchID"] for one in page["nodes"] + page["links"]))
                found += [one["id"] for one in page["nodes"] + page["links"]]
                offset, more = offset + 5, page["hasMore"]
            self.assertEqual((sorted(found[:12]), sorted(found[12:])), (sorted(nodes), sorted(links)))
        self.assert_refusal(self.client.call("trash:page", {"limit": 1_001}), "bad_request.out_of_range")

    def test_each_mistake_has_its_name(self):
        node = self.client.add_node()
        for payload, error in (
            ({"source": "123", "target": "456"}, "bad_request.invalid_source_target_id"),
            ({"source": str(uuid.uuid4()), "target": node}, "not_found.source_not_found"),
            ({"source": node, "target": str(uuid.uuid4())}, "not_found.target_not_found"),
            ({"source": node, "target": node}, "bad_request.self_link_not_allowed"),
        ):
            with self.subTest(error=error):
                self.assert_refusal(self.client.call("link:add", payload), error)
                self.assert_refusal(self.server.rest(self.olha, "POST", "/api/link", payload).json(), error)

    def test_a_change_here_is_acked_here_and_heard_there_and_not_both(self):
        for transports in (("websocket",), ("polling",), None):
            with self.subTest(transports=transports):
                there = self.server.connect(self.olha, transports=transports)
                self.client.forget()
                diff = self.client.does("node:add", {"title": "Roof"})["diff"]
                self.assertEqual(there.hears("graph:diff"), diff)
                self.client.settled()
                self.assertEqual(self.client.all("graph:diff"), [])

    def test_a_failure_without_an_ack_is_told_by_error_with_its_event(self):
        self.client.emit("link:add", {"source": "123", "target": "456"})
        error = self.client.hears("error")
        self.assert_refusal(error, "bad_request.invalid_source_target_id")
        self.assertEqual(error["event"], "link:add")

    def test_a_change_sent_again_under_its_batch_id_is_done_once(self):
        payload = {"title": "Roof", "batchId": str(uuid.uuid4())}
        first = self.client.does("node:add", payload)
        again = self.server.rest(self.olha, "POST", "/api/node", payload).json()
        self.assertTrue(again["replayed"])
        self.assertEqual(again["diff"], first["diff"])
        self.assertEqual(len(self.client.does("graph:get")["nodes"]), 1)
        other = self.client.call("node:add", {**payload, "title": "Wall"})
        self.assert_refusal(other, "conflict.batch_id_conflict")


class Limits(Story):
    limits = "on"

    def test_the_sixth_trash_page_in_ten_seconds_is_rate_limited_with_retry_after(self):
        client = self.server.connect(self.server.add_user("olha"))
        acks = [client.call("trash:page") for _ in range(8)]
        self.assertTrue(all(ack["ok"] for ack in acks[:5]))
        limited = [ack for ack in acks if not ack["ok"]]
        self.assert_refusal(limited[0], "rate_limited")
        self.assertGreater(limited[0]["retryAfter"], 0)


class Tokens(Story):
    def test_a_revoked_token_ends_live_sockets_and_rest(self):
        olha = self.server.add_user("olha")
        client = self.server.connect(olha)
        self.server.cli("token", "revoke", "--email", olha["email"], "--all", "--json")
        client.ends(seconds=3)
        answer = self.server.rest(olha, "GET", "/api/graph")
        self.assertEqual(answer.status_code, 401)
        self.assert_refusal(answer.json(), "unauthorized")
        self.assertEqual(answer.headers["X-Trace-Id"], answer.json()["trace_id"])


if __name__ == "__main__":
    unittest.main()
