"""Limits on connecting, as the official Python client meets them."""

import threading
import time
import unittest

import requests
import socketio

from harness import Client, Server, Story

COLLEAGUES = 14
IN_SECONDS_MAX = 20


class Limits(Story):
    limits = "on"

    # Rules: R5, R14.
    def test_fourteen_colleagues_behind_one_address_all_get_in(self):
        for how in ("auth", "header"):
            for transports in (["websocket"], None):
                with self.subTest(how=how, transports=transports):
                    users = [self.server.add_user("colleague") for _ in range(COLLEAGUES)]
                    welcomed = {}
                    clients = [socketio.Client(reconnection_delay=0.2, reconnection_delay_max=1) for _ in users]

                    def come_in(client, user):
                        client.on("connected", lambda hello: welcomed.update({user["id"]: hello}))
                        client.connect(
                            self.server.url,
                            headers={"Authorization": f"Bearer {user['token']}"} if how == "header" else {},
                            auth={"api_token": user["token"]} if how == "auth" else None,
                            transports=transports,
                            retry=True,
                        )

                    threads = [threading.Thread(target=come_in, args=pair) for pair in zip(clients, users)]
                    for thread in threads:
                        thread.start()
                    for thread in threads:
                        thread.join()
                    deadline = time.monotonic() + IN_SECONDS_MAX
                    while time.monotonic() < deadline and len(welcomed) < COLLEAGUES:
                        time.sleep(0.05)
                    self.assertEqual({user["id"] for user in users}, set(welcomed))
                    self.assertTrue(all(hello["ok"] for hello in welcomed.values()), welcomed)
                    self.assertTrue(all(client.call("ws:ping", {})["ok"] for client in clients))
                    for client in clients:
                        client.disconnect()

    # Rules: R5, R14.
    def test_the_eleventh_socket_of_a_user_tries_on_and_is_let_in_when_one_is_closed(self):
        user = self.server.add_user("olha")
        for how in ("auth", "header"):
            with self.subTest(how=how):
                open_ones = [self.server.connect(user, how="header") for _ in range(10)]
                told = []
                late = socketio.Client(reconnection_delay=0.2, reconnection_delay_max=1)
                late.on("connected", told.append)
                connecting = threading.Thread(
                    target=late.connect,
                    args=(self.server.url,),
                    kwargs={
                        "headers": {"Authorization": f"Bearer {user['token']}"} if how == "header" else {},
                        "auth": {"api_token": user["token"]} if how == "auth" else None,
                        "transports": ["websocket"],
                        "retry": True,
                    },
                )
                connecting.start()
                time.sleep(1)
                self.assertFalse(any(hello["ok"] for hello in told), told)
                open_ones[0].close()
                deadline = time.monotonic() + IN_SECONDS_MAX
                while time.monotonic() < deadline and not any(hello["ok"] for hello in told):
                    time.sleep(0.05)
                self.assertTrue(told and told[-1]["ok"], told)
                connecting.join()
                late.disconnect()
                self.server.close_clients()
                user = self.server.add_user("olha")

    # Rules: R5, R14, T13.
    def test_who_has_no_valid_token_is_refused_at_the_handshake_after_ten_attempts(self):
        server = Server(limits="on")
        try:
            for _ in range(10):
                stranger = Client(server, "st_nobody")
                self.assertEqual(stranger.hears("connected")["error"], "forbidden.auth_invalid")
            with self.assertRaises(socketio.exceptions.ConnectionError):
                Client(server, "st_nobody")
            answer = requests.get(f"{server.url}/socket.io/?EIO=4&transport=polling", timeout=5)
            self.assertEqual((answer.status_code, answer.json()["error"]), (429, "rate_limited"))
            self.assertEqual(int(answer.headers["Retry-After"]), answer.json()["retryAfter"])
            known = server.add_user("olha")
            self.assertTrue(Client(server, known["token"], how="header").hears("connected")["ok"])
        finally:
            server.stop()


if __name__ == "__main__":
    unittest.main()
