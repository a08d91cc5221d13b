"""A server of one's own on a fresh data directory."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

START_S_MAX = 20.0


@dataclass(frozen=True)
class User:
    email: str
    token: str


class Server:
    """The binary named by SYNAPTASK_BIN; killed and removed by `stop`."""

    def __init__(self, *, limits: bool = False) -> None:
        self._binary = os.environ["SYNAPTASK_BIN"]
        self.data = tempfile.mkdtemp(prefix="synaptask-python-")
        # The server refuses variables that it does not know.
        own = {name: value for name, value in os.environ.items() if not name.startswith("SYNAPTASK_")}
        self._env = {**own, "SYNAPTASK_LIMITS": "on" if limits else "off"}
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self.url = f"http://127.0.0.1:{self.port}"
        self.log_path = Path(self.data + ".log")
        self.tokens: list[str] = []
        self.up()

    def up(self) -> None:
        """Starts the process (again, after `kill`: same data, same port) and waits for its health."""
        command = [self._binary, "serve", "--data", self.data, "--listen", f"127.0.0.1:{self.port}"]
        with self.log_path.open("ab") as log:
            self._process = subprocess.Popen(command, env=self._env, stdout=log, stderr=log)
        deadline = time.monotonic() + START_S_MAX
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                with urllib.request.urlopen(f"{self.url}/api/health", timeout=2):
                    return
            except (urllib.error.URLError, ConnectionError):
                time.sleep(0.02)
        raise RuntimeError(f"the server did not come up:\n{self.log_path.read_text()}")

    def kill(self) -> None:
        """What a power cut would do."""
        self._process.kill()
        self._process.wait()

    def pause(self) -> None:
        """The server answers nothing until `goes_on`."""
        self._process.send_signal(signal.SIGSTOP)

    def goes_on(self) -> None:
        self._process.send_signal(signal.SIGCONT)

    def stop(self) -> None:
        self.kill()
        log = self.log_path.read_text()
        self.log_path.unlink()
        shutil.rmtree(self.data, ignore_errors=True)
        if "panicked at" in log or any(token in log for token in self.tokens):
            raise AssertionError(f"the server panicked, or wrote a token into its log:\n{log}")

    def cli(self, *words: str) -> dict[str, str]:
        done = subprocess.run(
            [self._binary, "--data", self.data, *words, "--json"],
            env=self._env,
            capture_output=True,
            text=True,
            check=True,
        )
        answer: dict[str, str] = json.loads(done.stdout)
        return answer

    def user(self, name: str) -> User:
        answer = self.cli("user", "add", "--email", f"{name}@example.com", "--username", name)
        self.tokens.append(answer["token"])
        return User(answer["email"], answer["token"])
