"""Who may come in, by which door, and what they hear first."""

import unittest

from harness import Client, Story

WAYS = {"websocket": ("websocket",), "polling": ("polling",), "polling, then upgrade": None}


class Connect(Story):
    def test_olha_connects_over_every_transport_and_path_with_her_token_as_header_or_auth(self):
        for path in ("socket.io", "ext-socket.io"):
            for way, transports in WAYS.items():
                for how in ("header", "auth"):
                    with self.subTest(path=path, way=way, how=how):
                        olha = self.server.add_user("olha")
                        client = self.server.connect(olha, how=how, transports=transports, path=path)
                        connected = client.welcome()
                        self.assertEqual((connected["uid"], connected["client"]), (olha["id"], "api"))
                        self.assertTrue(connected["serverTime"])
                        expected = "polling" if way == "polling" else "websocket"
                        self.assertEqual(client.sio.transport(), expected)
                        node = client.add_node(title="Фарба 🎨")
                        nodes = client.does("graph:get")["nodes"]
                        self.assertEqual([(one["id"], one["title"]) for one in nodes], [(node, "Фарба 🎨")])

    def test_olha_connects_with_her_token_as_subprotocol(self):
        for path in ("socket.io", "ext-socket.io"):
            with self.subTest(path=path):
                olha = self.server.add_user("olha")
                client = self.server.connect(olha, how="subprotocol", path=path)
                self.assertEqual(client.welcome()["uid"], olha["id"])

    def test_a_visitor_without_a_token_is_told_auth_missing_and_disconnected(self):
        for way, transports in WAYS.items():
            with self.subTest(way=way):
                visitor = Client(self.server, None, how="none", transports=transports)
                connected = visitor.hears("connected")
                self.assertEqual((connected["ok"], connected["error"]), (False, "forbidden.auth_missing"))
                self.assertEqual(connected["message"], "Authentication required")
                self.assertEqual(visitor.ends(), "server disconnect")

    def test_a_visitor_with_a_made_up_token_is_told_auth_invalid_and_disconnected(self):
        for how in ("header", "auth", "subprotocol"):
            with self.subTest(how=how):
                visitor = Client(self.server, "st_" + "x" * 27, how=how)
                connected = visitor.hears("connected")
                self.assertEqual((connected["ok"], connected["error"]), (False, "forbidden.auth_invalid"))
                self.assertEqual(visitor.ends(), "server disconnect")


if __name__ == "__main__":
    unittest.main()
