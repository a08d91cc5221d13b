#!/usr/bin/env python3
"""Hold the server against its own descriptions: validators, and schemathesis over every operation with all checks on."""

import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import requests

HERE = Path(__file__).resolve().parent
BIN = os.environ["SYNAPTASK_BIN"]
SEED = int(os.environ.get("SYNAPTASK_SEED", "20251128"))
EXAMPLES = int(os.environ.get("SYNAPTASK_EXAMPLES", "150"))
CASES_MIN = 20_000
PROCESSES = 2
PLACE = Path(sys.executable).parent
SETTINGS = 'registration = "open"\n'


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


# The server refuses variables that it does not know: those that are for this do not reach it.
ENV = {name: value for name, value in os.environ.items() if not name.startswith("SYNAPTASK_")}


def cli(data, *words):
    done = subprocess.run([BIN, "--data", data, *words], check=True, capture_output=True, text=True, env=ENV)
    return json.loads(done.stdout)


def serve(data, port):
    env = {**ENV, "SYNAPTASK_LIMITS": "off"}
    (Path(data) / "synaptask.toml").write_text(SETTINGS)
    log = open(f"{data}.log", "w", encoding="utf-8")
    words = [BIN, "serve", "--data", data, "--listen", f"127.0.0.1:{port}"]
    server = subprocess.Popen(words, env=env, stdout=log, stderr=log)
    until = time.monotonic() + 30
    while time.monotonic() < until:
        try:
            if requests.get(f"http://127.0.0.1:{port}/api/health", timeout=5).ok:
                return server
        except requests.ConnectionError:
            time.sleep(0.05)
    raise SystemExit("the server did not come up")


def main():
    with tempfile.TemporaryDirectory(prefix="synaptask-described-") as place:
        data = str(Path(place) / "data")
        os.mkdir(data)
        document = Path(place) / "openapi.json"
        document.write_text(subprocess.run([BIN, "openapi"], check=True, capture_output=True, text=True, env=ENV).stdout)
        subprocess.run([PLACE / "openapi-spec-validator", document], check=True)
        port = free_port()
        url = f"http://127.0.0.1:{port}"
        server = serve(data, port)
        try:
            users = [
                cli(data, "user", "add", "--email", f"user{n}@example.com", "--username", f"user{n}", "--json")
                for n in range(PROCESSES)
            ]
            env = {
                **ENV,
                "DESCRIBED_URL": url,
                "SCHEMATHESIS_HOOKS": "callers",
                "PYTHONPATH": str(HERE),
            }
            # Each process has one worker: Python runs one thread at a time.
            words = [PLACE / "st", "--config-file", HERE / "schemathesis.toml", "run", f"{url}/api/openapi.json", "--checks", "all", "--workers", "1"]
            words += ["--max-examples", str(EXAMPLES), "--continue-on-failure"]
            words += ["--generation-database", "none", *sys.argv[1:]]
            runs = []
            for nth in range(PROCESSES):
                print(f"described: schemathesis with seed {SEED + nth}", flush=True)
                own = {**env, "DESCRIBED_TOKENS": users[nth]["token"]}
                out = open(Path(place) / f"{nth}.txt", "w+", encoding="utf-8")
                run = subprocess.Popen([*words, "--seed", str(SEED + nth)], env=own, cwd=place, stdout=out, stderr=out)
                runs.append((run, out))
            cases, failed = 0, False
            for run, out in runs:
                failed |= run.wait() != 0
                out.seek(0)
                text = out.read()
                print(text if run.returncode else text[text.rfind("= SUMMARY =") :], flush=True)
                cases += sum(int(n.replace(",", "")) for n in re.findall(r"([\d,]+) generated", text)[-1:])
            print(f"described: {cases} cases, seeds from {SEED}")
            log = Path(f"{data}.log").read_text(encoding="utf-8")
            if re.search("panicked at|internal error", log):
                raise SystemExit(f"the server panicked:\n{log[-4000:]}")
            if failed:
                raise SystemExit("described: the server and its description differ")
            if cases < CASES_MIN:
                raise SystemExit(f"described: fewer than {CASES_MIN} cases")
        finally:
            server.kill()
            server.wait()


if __name__ == "__main__":
    main()
