"""The examples of README.md are the files in examples/, and do what they say against the real server."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from server import Server, User

import synaptask

ROOT = Path(__file__).resolve().parent.parent
EXAMPLES = ROOT / "examples"

SAYS = {
    "tasks": ["link added, 1 task blocked", "refused: These nodes are already linked in the other direction."],
    "connection": ["replayed: True, tasks: 1"],
    "publish": ["public: 2 tasks, 1 link"],
    "undo": ["done: 2 tasks, 1 link", "undone: 0 tasks, 0 links", "done again: 2 tasks, 1 link"],
}


def environment(server: Server, user: User, **more: str) -> dict[str, str]:
    return {**os.environ, "SYNAPTASK_URL": server.url, "SYNAPTASK_TOKEN": user.token, **more}


def test_the_readme_shows_every_example_as_it_is() -> None:
    shown = re.findall(r"^```python\n(.*?)^```$", (ROOT / "README.md").read_text(), re.M | re.S)
    files = {path.stem: path.read_text() for path in EXAMPLES.glob("*.py")}
    assert set(files) == {*SAYS, "follow"}
    assert sorted(shown) == sorted(files.values())


@pytest.mark.parametrize("name", sorted(SAYS))
def test_an_example_does_what_it_says(name: str, server: Server, user: User, other: User) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", EXAMPLES / f"{name}.py"],
        env=environment(server, user, COLLEAGUE=other.email),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.stderr, done.stdout.splitlines()) == ("", SAYS[name])


def test_the_example_that_follows_prints_what_another_window_does(server: Server, user: User) -> None:
    with synaptask.connect(server.url, token=user.token) as client:
        command = [sys.executable, "-W", "error", str(EXAMPLES / "follow.py")]
        env = environment(server, user, SECONDS="2", PYTHONUNBUFFERED="1")
        with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as following:
            assert following.stdout is not None
            assert following.stdout.readline() == "0 tasks, 0 links\n"
            id = str(client.node_add(title="Sand")["diff"]["nodes"][0]["after"]["id"])
            assert following.stdout.readline() == "Sand: status 0\n"
            client.node_update(id=id, status=1)
            assert following.stdout.readline() == "Sand: status 1\n"
            client.node_trash(id=id)
            assert following.stdout.readline() == f"{id} is gone\n"
            out, err = following.communicate(timeout=60)
    assert (out, err) == ("closed\n", "")
