"""What is generated is what the server says; an operation that it gains is there without a line of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import synaptask
from synaptask import _generated

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from described import described  # noqa: E402
from generate import written  # noqa: E402


def ask(*words: str) -> Any:
    return json.loads(subprocess.check_output([os.environ["SYNAPTASK_BIN"], *words], text=True))


def test_what_is_generated_is_what_the_server_says() -> None:
    new = written(described(ask))
    assert (ROOT / "src/synaptask/_generated.py").read_text() == new, "run `make generate`"


def test_every_operation_of_the_table_is_a_method_of_every_client() -> None:
    rows = ask("operations", "--json")
    assert {row["event"] for row in rows} == set(_generated.OPERATIONS)
    clients = (synaptask.Client, synaptask.AsyncClient, synaptask.Rest, synaptask.AsyncRest)
    for row in rows:
        for client in clients:
            assert callable(getattr(client, row["event"].replace(":", "_")))
        way = _generated.OPERATIONS[row["event"]]
        assert (way.method, way.path) == (row.get("method"), (row.get("paths") or [None])[0])
        assert way.socket == row.get("overSockets", True)


def test_an_operation_that_the_table_gains_is_generated_and_typed(tmp_path: Path) -> None:
    def with_one_more(*words: str) -> Any:
        answer = json.loads(
            json.dumps(ask(*words)).replace("node:duplicate", "node:clone").replace("NodeDuplicate", "NodeClone")
        )
        return answer

    package = tmp_path / "synaptask"
    package.mkdir()
    for path in (ROOT / "src/synaptask").iterdir():
        if path.is_file():
            (package / path.name).write_text(path.read_text())
    (package / "_generated.py").write_text(written(described(with_one_more)))
    program = tmp_path / "program.py"
    program.write_text(
        "from synaptask import AsyncClient, Client\n\n\n"
        "def copied(client: Client) -> dict[str, str]:\n"
        '    return client.node_clone(id="x", branch=False)["ids"]\n\n\n'
        "async def also(client: AsyncClient) -> dict[str, str]:\n"
        '    return (await client.call("node:clone", {"id": "x"}))["ids"]\n'
    )
    wrong = tmp_path / "wrong.py"
    wrong.write_text(
        "from synaptask import Client\n\n\ndef f(client: Client) -> None:\n    client.node_clone(id=1)\n    client.node_duplicate()\n"
    )
    command = [
        sys.executable,
        "-m",
        "mypy",
        "--config-file",
        str(ROOT / "pyproject.toml"),
        "--cache-dir",
        str(tmp_path / "cache"),
    ]
    environment = {**os.environ, "MYPYPATH": str(tmp_path)}
    good = subprocess.run(
        [*command, str(program)], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert good.returncode == 0, good.stdout
    bad = subprocess.run(
        [*command, str(wrong)], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert bad.stdout.count("error:") >= 2 and 'has no attribute "node_duplicate"' in bad.stdout, bad.stdout
