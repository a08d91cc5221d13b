"""What schemathesis calls the server with: credentials for each case, and values that the domain accepts.

JSON Schema cannot say everything: that a time is in the future, that a password is hard to guess, that a scope has the id
that it needs. A value that keeps to the schema but breaks such a rule is put right, so that a refusal of a case that
keeps to the schema is a fault. Most ids become those of things that there are.
"""

import base64
import os
import re
import threading
import uuid
from collections import deque
from datetime import datetime, timezone

import requests
import schemathesis

URL = os.environ["DESCRIBED_URL"]
TOKENS = os.environ["DESCRIBED_TOKENS"].split(",")
FUTURE = "2999-01-01T00:00:00Z"
PASSWORDS = ("password", "new")
GOOD_PASSWORD = "seven correct llamas at 9 #Kq"
TAGS_MAX = 32

local = threading.local()
count = 0
counting = threading.Lock()
# What there is: ids of nodes, links and batches, the latest last.
known = {"node": deque(maxlen=50), "link": deque(maxlen=50), "batch": deque(maxlen=50)}


def register():
    """A session of a new account."""
    global count
    with counting:
        count += 1
        name = f"caller-{os.getpid()}-{count}"
    password = "seven " + base64.b64encode(name.encode()).decode() + " llamas"
    answer = requests.post(
        f"{URL}/api/register",
        json={"email": f"{name}@example.com", "username": name, "password": password},
        headers={"origin": URL},
        timeout=30,
    )
    answer.raise_for_status()
    return answer.cookies["st_access"]


def session():
    if getattr(local, "session", None) is None:
        local.session = register()
    return local.session


def takes_session_alone(operation):
    return operation.definition.raw.get("security") == [{"session": []}]


@schemathesis.auth()
class Callers:
    """A token, or a session where only a session will do."""

    def get(self, case, context):
        return ("session", session()) if takes_session_alone(case.operation) else ("token", TOKENS[0])

    def set(self, case, data, context):
        kind, secret = data
        if kind == "token":
            case.headers["Authorization"] = f"Bearer {secret}"
        else:
            case.cookies["st_access"] = secret
            case.headers["Origin"] = URL


def is_past(value):
    try:
        return datetime.fromisoformat(value.replace("Z", "+00:00").replace("z", "+00:00")) < datetime.now(timezone.utc)
    except (ValueError, TypeError):
        return False


def existing(value, path, name):
    """Of most ids, one of something that there is."""
    try:
        number = uuid.UUID(value).int
    except (ValueError, AttributeError, TypeError):
        return value
    kind = "batch" if name == "batchId" else "link" if name == "id" and "/link" in path else "node"
    there = known[kind]
    return there[number % len(there)] if there and number % 5 else value


def put_right(fields, path):
    """Puts the values of a payload right, in place."""
    for name, value in list(fields.items()):
        if name == "dueDate" and isinstance(value, str) and is_past(value):
            # Years before 1970 are refused; the generator of times does not look at the pattern that says so.
            fields[name] = FUTURE
        elif isinstance(value, float) and value.is_integer() and name not in ("x", "y", "z"):
            # To JSON Schema 5.0 is an integer. To the server it is not.
            fields[name] = int(value)
        elif name in ("due", "expires") and isinstance(value, str) and is_past(value):
            fields[name] = FUTURE
        elif name in PASSWORDS and isinstance(value, str) and len(value) <= 1024 and "login" not in path:
            fields[name] = GOOD_PASSWORD
        elif name == "next" and isinstance(value, str) and 0 < len(value) <= 1000:
            # Which paths are on this server is more than a pattern says.
            fields[name] = "/board"
        elif name == "tags" and isinstance(value, list) and TAGS_MAX < len(value) <= 1000:
            fields[name] = value[:TAGS_MAX]
        elif name in ("source", "target", "root") or (name == "id" and path not in ("/api/node", "/api/link")):
            fields[name] = existing(value, path, name)
        elif name == "batchId" and path in ("/api/history/undo", "/api/history/redo", "/api/trash/restore"):
            fields[name] = existing(value, path, name)
        elif name == "operations" and isinstance(value, list):
            for one in value:
                if isinstance(one, dict):
                    put_right(one, "/api/batch")
    if path == "/api/history" and fields.get("scopeId") and fields.get("scopeType") != "GRAPH":
        fields.pop("scopeId")
    if path == "/api/history" and fields.get("scopeType") == "GRAPH" and not fields.get("scopeId"):
        fields.pop("scopeType")


@schemathesis.hook
def before_call(context, case, kwargs):
    path = case.operation.path
    for fields in (case.body, case.query):
        if isinstance(fields, dict):
            put_right(fields, path)


@schemathesis.hook
def after_call(context, case, response):
    if takes_session_alone(case.operation) and (response.status_code == 401 or case.method.upper() != "GET"):
        # It may have ended the session.
        local.session = None if response.status_code in (200, 401) else getattr(local, "session", None)
    if response.status_code == 200 and b'"diff"' in response.content:
        diff = response.json().get("diff") or {}
        for kind in ("node", "link"):
            for entry in diff.get(f"{kind}s", []):
                if not entry["after"].get("deleted"):
                    known[kind].append(entry["after"]["id"])
        if diff.get("batchId"):
            known["batch"].append(diff["batchId"])


# Codes that say something is wrong with the payload itself, whatever there is.
OF_PAYLOAD = re.compile(
    r"^(invalid_(?!invite|key$)|missing_|malformed_|unknown_|immutable_|out_of_range|fields_must|no_fields|status_blocked"
    r"|tag_|too_many_tags|.*_too_long)"
)


@schemathesis.check
def accepts_payloads_that_keep_to_the_schema(context, response, case):
    """A payload that keeps to its schema is never refused for what is in it."""
    if not case.meta or case.meta.generation.mode != schemathesis.GenerationMode.POSITIVE or response.status_code != 400:
        return
    refused = response.json()
    assert not OF_PAYLOAD.match(refused.get("code") or ""), f"refused as {refused}"
