"""The documented examples do what their pages say: each is run as a program of its own and read by what it prints."""

import os
import subprocess
import sys
import unittest

from bulk import grow_graph, random_from_env
from harness import Story

EXAMPLES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "examples")
RUN_SECONDS_MAX = 30


class Examples(Story):
    def setUp(self):
        super().setUp()
        self.olha = self.server.add_user("olha")

    def run_example(self, name, replacements=None):
        """Runs the example, with ids of its text replaced by real ones, to its end; what it printed."""
        with open(os.path.join(EXAMPLES, f"{name}.py"), encoding="utf-8") as file:
            text = file.read()
        for old, new in (replacements or {}).items():
            self.assertIn(f'"{old}"', text)
            text = text.replace(f'"{old}"', f'"{new}"')
        env = {
            **os.environ,
            "SYNAPTASK_URL": self.server.url,
            "SYNAPTASK_TOKEN": self.olha["token"],
            "PYTHONUNBUFFERED": "1",
            "PYTHONIOENCODING": "utf-8",
        }
        done = subprocess.run(
            [sys.executable, "-c", text], env=env, capture_output=True, text=True, timeout=RUN_SECONDS_MAX, check=False
        )
        self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout)
        return done.stdout

    def trash(self, node_count, link_count):
        client = self.server.connect(self.olha)
        nodes, _ = grow_graph(client, node_count, link_count, random_from_env("EXAMPLES_SEED"))
        client.does_all("node:trash", [{"id": node} for node in nodes])

    def test_graph_get_loads_2500_nodes_and_600_links_and_says_so(self):
        grow_graph(self.server.connect(self.olha), 2_500, 600, random_from_env("EXAMPLES_SEED"))
        printed = self.run_example("graph_get")
        self.assertIn("connected, sid:", printed)
        self.assertEqual(printed.count("chunk: +"), 3)
        self.assertIn("chunk: +500 nodes", printed)
        self.assertIn("done: 2500 nodes, 600 links\ndisconnected", printed)

    def test_link_add_with_the_ids_on_the_page_is_told_that_they_are_no_ids(self):
        printed = self.run_example("link_add")
        self.assertRegex(printed, r"Link creation failed: bad_request\.invalid_source_target_id \S+")

    def test_link_add_with_real_ids_creates_the_link(self):
        client = self.server.connect(self.olha)
        source, target = client.add_node(), client.add_node()
        printed = self.run_example("link_add", {"123": source, "456": target})
        self.assertIn("Link created: [{", printed)
        self.assertIn(source, printed)

    def test_node_publish_with_the_id_on_the_page_fails_and_with_a_real_one_publishes(self):
        self.assertIn("Failed: bad_request.invalid_node_id", self.run_example("node_publish"))
        node = self.server.connect(self.olha).add_node()
        printed = self.run_example("node_publish", {"<uuid>": node})
        self.assertIn("Node published: {", printed)
        self.assertIn("publicToken", printed)

    def test_rest_get_trash_pages_through_130_nodes_and_60_links_and_says_so(self):
        self.trash(130, 60)
        printed = self.run_example("rest_get_trash")
        self.assertEqual(printed.count("chunk: +"), 2)
        self.assertIn("Trash fully loaded: 130 nodes, 60 links", printed)

    def test_trash_page_pages_through_130_nodes_and_60_links_and_says_so(self):
        self.trash(130, 60)
        printed = self.run_example("trash_page")
        self.assertEqual(printed.count("chunk: +"), 2)
        self.assertIn("done: 130 nodes, 60 links", printed)


if __name__ == "__main__":
    unittest.main()
