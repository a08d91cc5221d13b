"""History, as a Python program meets it: undo, redo and pages, over sockets and REST."""

import unittest
import uuid

from harness import Story

NODE_UPDATE, NODE_STATUS, NODE_TRASH, NODE_RESTORE, LINK_TRASH, LINK_RESTORE = 1, 2, 3, 4, 12, 13
AVAILABLE, BLOCKED, COMPLETED = 0, 2, 3


def timeless(entity):
    return {key: entity[key] for key in entity.keys() - {"version", "lastEditedTime", "shareRoots", "lastBatchID"}}


class History(Story):
    def setUp(self):
        super().setUp()
        self.olha, self.petro = self.server.add_user("olha"), self.server.add_user("petro")
        self.hers, self.his = self.server.connect(self.olha), self.server.connect(self.petro)
        self.root = self.hers.add_node(title="Project")
        self.step = self.hers.add_node(title="Step", target=self.root)
        self.last = self.hers.add_node(title="Last", target=self.step)
        self.hers.does("node:access", {"id": self.root, "email": self.petro["email"], "level": 2})

    def view(self, client):
        page = client.does("graph:get")
        return [{one["id"]: timeless(one) for one in page[kind]} for kind in ("nodes", "links")]

    def post(self, user, way, **payload):
        return self.server.rest(user, "POST", f"/api/history/{way}", payload)

    def test_what_olha_trashed_comes_back_with_its_links_and_goes_again_for_both(self):
        before = self.view(self.hers), self.view(self.his)
        batch = self.hers.does("node:trash", {"id": self.step})["diff"]["batchId"]
        after = self.view(self.hers), self.view(self.his)
        undone = self.hers.does("batch:undo", {"batchId": batch})
        self.assertEqual((undone["batchId"], undone["undoOf"]), (undone["diff"]["batchId"], batch))
        self.assertEqual([entry["op"] for entry in undone["diff"]["links"]], [LINK_RESTORE, LINK_RESTORE])
        self.assertEqual((self.view(self.hers), self.view(self.his)), before)
        self.assert_refusal(self.hers.call("history:undo", {"batchId": batch}), "conflict.already_undone")
        redone = self.post(self.olha, "redo", batchId=batch).json()
        self.assertEqual((redone["batchId"], redone["redoOf"]), (redone["diff"]["batchId"], batch))
        self.assertEqual((self.view(self.hers), self.view(self.his)), after)
        self.assert_refusal(self.post(self.olha, "redo", batchId=batch).json(), "conflict.not_undone")
        heard = {diff["batchId"] for diff in self.his.all("graph:diff")}
        self.assertLessEqual({batch, undone["batchId"], redone["batchId"]}, heard)

    def test_a_status_undone_holds_again_what_it_freed(self):
        batch = self.hers.does("node:update", {"id": self.last, "status": COMPLETED})["diff"]["batchId"]
        undone = self.his.does("history:undo", {"batchId": batch})
        self.assertEqual([entry["op"] for entry in undone["diff"]["nodes"]], [NODE_STATUS, NODE_STATUS])
        statuses = {node["title"]: node["status"] for node in self.hers.does("graph:get")["nodes"]}
        self.assertEqual(statuses, {"Project": BLOCKED, "Step": BLOCKED, "Last": AVAILABLE})

    def test_an_undo_sent_again_under_its_new_batch_id_is_done_once(self):
        batch = self.hers.does("node:update", {"id": self.step, "title": "Later"})["diff"]["batchId"]
        payload = {"batchId": batch, "newBatchId": str(uuid.uuid4())}
        first = self.hers.does("history:undo", payload)
        for again in (self.hers.does("batch:undo", payload), self.post(self.olha, "undo", **payload).json()):
            self.assertTrue(again["replayed"])
            self.assertEqual((again["batchId"], again["undoOf"], again["diff"]), (payload["newBatchId"], batch, first["diff"]))

    def test_each_refusal_has_its_name(self):
        batch = self.hers.does("node:update", {"id": self.step, "title": "Later"})["diff"]["batchId"]
        self.his.does("node:update", {"id": self.step, "title": "Latest"})
        refused = self.hers.call("history:undo", {"batchId": batch})
        self.assert_refusal(refused, "conflict.version_conflict")
        self.assertIn(self.step, refused["message"])
        answer = self.post(self.olha, "undo", batchId=batch)
        self.assertEqual(answer.status_code, 409)
        diary = self.hers.does("node:add", {"title": "Diary"})["diff"]
        self.assert_refusal(self.his.call("history:undo", {"batchId": diary["batchId"]}), "not_found.batch_not_found")
        self.assert_refusal(self.hers.call("history:undo", {}), "bad_request.missing_batchId")
        node = diary["nodes"][0]["after"]["id"]
        self.hers.does("node:trash", {"id": node})
        self.hers.does("node:delete", {"id": node})
        gone = self.hers.call("history:undo", {"batchId": diary["batchId"]})
        self.assert_refusal(gone, "bad_request.cannot_restore_purged")
        self.assertIn(node, gone["message"])

    def test_pages_tell_each_what_they_may_see_and_end_exactly(self):
        for i in range(7):
            self.hers.does("node:update", {"id": self.step, "title": f"Step {i}"})
        self.hers.does("node:add", {"title": "Diary"})

        def pages(user, **query):
            found, more = [], True
            while more:
                answer = self.server.rest(user, "GET", "/api/history", params={**query, "limit": 3, "offset": len(found)})
                page = answer.json()
                self.assertTrue(page["ok"], page)
                self.assertEqual(len(page["batches"]) == 3 or not page["hasMore"], True)
                found += page["batches"]
                more = page["hasMore"]
            return found

        hers, his = pages(self.olha), pages(self.petro)
        self.assertEqual([batch["rev"] for batch in hers], sorted((batch["rev"] for batch in hers), reverse=True))
        self.assertEqual(len(hers), 12)
        self.assertNotIn("Diary", str(his))
        titles = [op["forwardPatch"].get("title") for batch in his for op in batch["ops"] if op["type"] == NODE_UPDATE]
        self.assertEqual(titles, [f"Step {i}" for i in reversed(range(7))])
        self.assertEqual(pages(self.petro, scopeType="USER"), [])
        branch = pages(self.olha, scopeType="GRAPH", scopeId=self.last)
        self.assertEqual(len(branch), 1, "its own beginning alone")


class Limits(Story):
    limits = "on"

    def test_the_eleventh_undo_in_ten_seconds_is_rate_limited_whatever_it_is_called(self):
        client = self.server.connect(self.server.add_user("olha"))
        events = ("history:undo", "batch:undo") * 5 + ("history:undo",)
        acks = [client.call(event, {"batchId": str(uuid.uuid4())}) for event in events]
        for ack in acks[:10]:
            self.assert_refusal(ack, "not_found.batch_not_found")
        self.assert_refusal(acks[10], "rate_limited")
        self.assert_refusal(client.call("history:redo", {"batchId": str(uuid.uuid4())}), "not_found.batch_not_found")


if __name__ == "__main__":
    unittest.main()
