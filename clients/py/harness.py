"""A server of one's own on a fresh data directory, and the hands to use it:
the official socket client, plain HTTP and the command line."""

import json
import os
import shutil
import socket
import subprocess
import tempfile
import threading
import time
import unittest

import requests
import socketio

START_SECONDS_MAX = 20
WAIT_SECONDS_MAX = 10
LOG_LINES_SHOWN = 60


def binary():
    path = os.environ.get("SYNAPTASK_BIN")
    if not path:
        raise RuntimeError("set SYNAPTASK_BIN to the synaptask binary these stories are to be told with")
    return path


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    def __init__(self, limits="off", env=None, settings=None):
        """`settings` makes variables of the server's address."""
        self.data_dir = tempfile.mkdtemp(prefix="synaptask-story-")
        # The server refuses variables that it does not know: those that are for the stories do not reach it.
        own = {name: value for name, value in os.environ.items() if not name.startswith("SYNAPTASK_")}
        self.env = {**own, "SYNAPTASK_LIMITS": limits, **(env or {})}
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        if settings:
            self.env.update(settings(self.url))
        self.log_path = f"{self.data_dir}.log"
        self.log_file = open(self.log_path, "w+b")
        self.clients = []
        self.tokens = []
        self.user_count = 0
        self.process = None
        self.up()

    def up(self):
        """Starts the process (again, after `kill`: same data, same port) and waits for its health."""
        command = [binary(), "serve", "--data", self.data_dir, "--listen", f"127.0.0.1:{self.port}"]
        self.process = subprocess.Popen(command, env=self.env, stdout=self.log_file, stderr=self.log_file)
        deadline = time.monotonic() + START_SECONDS_MAX
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                if requests.get(f"{self.url}/api/health", timeout=2).status_code == 200:
                    return
            except requests.ConnectionError:
                time.sleep(0.02)
        raise RuntimeError(f"the server did not come up:\n{self.log()}")

    def log(self, start=0):
        with open(self.log_path, "rb") as log:
            log.seek(start)
            return log.read().decode(errors="replace")

    def kill(self):
        """What a power cut would do."""
        self.process.kill()
        self.process.wait()

    def stop(self):
        """Ends everything; what must be true of every log is looked at here."""
        self.close_clients()
        self.kill()
        log = self.log()
        self.log_file.close()
        os.unlink(self.log_path)
        shutil.rmtree(self.data_dir, ignore_errors=True)
        if "panicked at" in log:
            raise AssertionError(f"the server panicked:\n{log}")
        if any(token in log for token in self.tokens):
            raise AssertionError("a token stands in the server log")

    def close_clients(self):
        for client in self.clients:
            client.close()
        self.clients.clear()

    def cli(self, *args):
        """One command of the binary on this server's data; with --json the parsed answer."""
        command = [binary(), "--data", self.data_dir, *args]
        done = subprocess.run(command, env=self.env, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise AssertionError(f"{' '.join(args)} ended with {done.returncode}: {done.stderr}")
        answer = json.loads(done.stdout) if "--json" in args else done.stdout
        if isinstance(answer, dict) and "token" in answer:
            self.tokens.append(answer["token"])
        return answer

    def add_user(self, name):
        """A user of one story alone, so that stories do not see each other's graphs."""
        self.user_count += 1
        username = f"{name}-{self.user_count}"
        return self.cli("user", "add", "--email", f"{username}@example.com", "--username", username, "--json")

    def connect(self, user, **options):
        client = Client(self, user["token"], **options)
        client.welcome()
        return client

    def rest(self, user, method, path, body=None, **more):
        """One HTTP call, whatever its status; `body` may be raw text."""
        headers = {"Authorization": f"Bearer {user['token']}"} if user else {}
        if isinstance(body, str):
            more["data"] = body.encode()
            headers["Content-Type"] = "application/json"
        elif body is not None:
            more["json"] = body
        answer = requests.request(method, self.url + path, headers=headers, timeout=WAIT_SECONDS_MAX, **more)
        return answer


class Client:
    """One connection of the official client that remembers, in order, everything it was sent."""

    def __init__(self, server, token, how="auth", transports=("websocket",), path="socket.io"):
        more = {"websocket_extra_options": {"subprotocols": ["Bearer", token]}} if how == "subprotocol" else {}
        self.heard = []
        self.news = threading.Condition()
        self.sio = socketio.Client(reconnection=False, **more)
        self.sio.on("*", self._hear)
        self.sio.on("disconnect", lambda reason=None: self._hear("(disconnect)", reason))
        server.clients.append(self)
        self.sio.connect(
            server.url,
            headers={"Authorization": f"Bearer {token}"} if how == "header" else {},
            auth={"api_token": token} if how == "auth" else None,
            transports=list(transports) if transports else None,
            socketio_path=path,
            wait_timeout=WAIT_SECONDS_MAX,
        )

    def _hear(self, event, payload=None):
        with self.news:
            self.heard.append((event, payload))
            self.news.notify_all()

    def close(self):
        self.sio.disconnect()

    def all(self, event):
        with self.news:
            return [payload for name, payload in self.heard if name == event]

    def forget(self):
        with self.news:
            self.heard.clear()

    def hears(self, event, fits=lambda _payload: True, seconds=WAIT_SECONDS_MAX):
        """The first payload of `event` heard so far or from now on that `fits`."""

        def find():
            return [payload for name, payload in self.heard if name == event and fits(payload)]

        with self.news:
            if not self.news.wait_for(find, seconds):
                names = ", ".join(name for name, _ in self.heard) or "nothing"
                raise AssertionError(f"waited {seconds} s for {event}; heard: {names}")
            return find()[0]

    def welcome(self):
        connected = self.hears("connected")
        assert connected["ok"], f"the server refused: {connected}"
        return connected

    def ends(self, seconds=WAIT_SECONDS_MAX):
        """The reason the connection ended for."""
        return self.hears("(disconnect)", seconds=seconds)

    def emit(self, event, payload):
        self.sio.emit(event, payload)

    def call(self, event, payload=None):
        return self.sio.call(event, {} if payload is None else payload, timeout=WAIT_SECONDS_MAX)

    def does(self, event, payload=None):
        """Sends with an ack that must be a yes."""
        ack = self.call(event, payload)
        assert ack["ok"], f"{event} {payload} was refused: {ack}"
        return ack

    def does_all(self, event, payloads, in_flight=64):
        """The same for many payloads with some in flight; the acks in the payloads' order."""
        slots = threading.Semaphore(in_flight)
        acks = [None] * len(payloads)

        def keep(index):
            def on_ack(ack):
                acks[index] = ack
                slots.release()

            return on_ack

        for index, payload in enumerate(payloads):
            assert slots.acquire(timeout=WAIT_SECONDS_MAX), f"{event}: no ack came"
            self.sio.emit(event, payload, callback=keep(index))
        for _ in range(in_flight):
            assert slots.acquire(timeout=WAIT_SECONDS_MAX), f"{event}: no ack came"
        refused = [ack for ack in acks if not ack["ok"]]
        assert not refused, f"{event} was refused: {refused[0]}"
        return acks

    def add_node(self, **fields):
        return self.does("node:add", fields)["diff"]["nodes"][0]["after"]["id"]

    def add_link(self, source, target, **more):
        ack = self.does("link:add", {"source": source, "target": target, **more})
        return ack["diff"]["links"][0]["after"]["id"]

    def settled(self):
        """A connection has one line: once this read is answered, whatever was ordered before it has arrived."""
        self.does("graph:get", {"limit": 1})


class Story(unittest.TestCase):
    """Stories that share one server; the log of the server is shown when one fails."""

    limits = "off"
    # Further variables of the server.
    env = {}

    @classmethod
    def settings(cls, _url):
        """Variables of the server, by its address."""
        return {}

    @classmethod
    def setUpClass(cls):
        cls.server = Server(cls.limits, cls.env, cls.settings)
        cls.addClassCleanup(cls.server.stop)

    def setUp(self):
        self.log_start = len(self.server.log().encode())

    def tearDown(self):
        self.server.close_clients()

    def run(self, result=None):
        before = len(result.failures) + len(result.errors) if result else 0
        super().run(result)
        if result and len(result.failures) + len(result.errors) > before and hasattr(self, "log_start"):
            lines = self.server.log(self.log_start).strip().split("\n")[-LOG_LINES_SHOWN:]
            print(f"\nthe server's log during {self.id()}:\n" + "\n".join(lines))
        return result

    def assert_refusal(self, answer, error):
        self.assertFalse(answer["ok"], answer)
        self.assertEqual(answer["error"], error, answer)
        self.assertTrue(answer["message"])
        self.assertRegex(answer["trace_id"], r"^[0-9a-f]{12}$")
        if "." in error:
            self.assertEqual(answer["code"], error.split(".")[1])
