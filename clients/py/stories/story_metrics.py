"""The figures, read by the parser that Prometheus gives to everybody."""

import unittest

import requests
from harness import Story, free_port
from prometheus_client.openmetrics.parser import text_string_to_metric_families

ADMIN = free_port()


class Metrics(Story):
    env = {"SYNAPTASK_ADMIN_LISTEN": f"127.0.0.1:{ADMIN}"}

    def families(self):
        answer = requests.get(f"http://127.0.0.1:{ADMIN}/metrics", timeout=5)
        self.assertEqual(answer.status_code, 200)
        return {family.name: family for family in text_string_to_metric_families(answer.text)}

    # Rules: M5, M6.
    def test_a_parser_of_prometheus_reads_every_figure_and_sees_it_move(self):
        olha = self.server.add_user("olha")
        # Once she is let in, the server has taken up that she was added.
        client = self.server.connect(olha)
        client.welcome()
        before = self.families()
        for title in ("Paint", "Sand", "Oil"):
            client.add_node(title=title)
        client.call("node:update", {"id": "not an id"})
        after = self.families()

        def value(families, family, name=None, **labels):
            wanted = name or f"synaptask_{family}"
            found = [s.value for s in families[f"synaptask_{family}"].samples if s.name == wanted and labels.items() <= s.labels.items()]
            return sum(found)

        self.assertEqual(value(after, "nodes") - value(before, "nodes"), 3)
        self.assertEqual(value(after, "batches", "synaptask_batches_total") - value(before, "batches", "synaptask_batches_total"), 3)
        counted = value(after, "requests", "synaptask_requests_total", operation="node:add", transport="socket", outcome="ok")
        self.assertEqual(counted, 3)
        self.assertEqual(value(after, "refusals", "synaptask_refusals_total", code="invalid_node_id"), 1)
        self.assertEqual(value(after, "connections"), 1)
        commits = "synaptask_engine_commit_duration_seconds"
        self.assertGreater(value(after, "engine_commit_duration_seconds", f"{commits}_count"), 0)
        self.assertEqual(after[commits].unit, "seconds")
        for family in after.values():
            self.assertTrue(family.name.startswith("synaptask_"), family.name)
            self.assertTrue(family.documentation, family.name)
            for sample in family.samples:
                self.assertLessEqual(set(sample.labels), {"operation", "transport", "outcome", "code", "le", "version"})


if __name__ == "__main__":
    unittest.main()
