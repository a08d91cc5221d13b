"""What the server says of itself, in the terms of the generator."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Ask = Callable[..., Any]


@dataclass(frozen=True)
class Operation:
    event: str
    about: str
    method: str | None
    path: str | None
    over_sockets: bool
    batch: str | None
    is_relay: bool
    takes_own: bool
    """Whether it takes fields of the caller's own making."""
    input: dict[str, Any]
    output: Any
    errors: tuple[str, ...]


@dataclass(frozen=True)
class Described:
    operations: list[Operation]
    events: dict[str, Any]
    defs: dict[str, Any]
    shown: list[str]
    """Types that are there whether or not an operation names them."""
    connection_errors: tuple[str, ...]


_T = {
    "string": {"type": "string"},
    "integer": {"type": "integer"},
    "number": {"type": "number"},
    "boolean": {"type": "boolean"},
    "string or null": {"type": ["string", "null"]},
    "integer or null": {"type": ["integer", "null"]},
    "list of strings": {"type": "array", "items": {"type": "string"}},
    "list of objects": {"type": "array", "items": {"type": "object"}},
    "object of strings or null": {"type": ["object", "null"], "additionalProperties": {"type": "string"}},
}
_S, _I, _B, _SN = _T["string"], _T["integer"], _T["boolean"], _T["string or null"]


def _obj(**props: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {k.rstrip("_"): v for k, v in props.items()},
        "required": [k for k in props if not k.endswith("_")],
    }


def _interim() -> tuple[dict[str, Any], dict[str, Any]]:
    entry = _obj(op=_I, before={"type": "object"}, after={"type": "object"})
    entries = {"type": "array", "items": {"$ref": "#/$defs/Entry"}}
    node = {"anyOf": [{"$ref": "#/$defs/Node"}, {"$ref": "#/$defs/Phantom"}]}
    defs = {
        "Node": _obj(
            id=_S,
            title=_S,
            description=_S,
            status=_I,
            dueDate=_SN,
            type=_I,
            tags=_T["list of strings"],
            priority=_I,
            volume=_I,
            independent=_B,
            assignee=_T["list of strings"],
            x=_T["number"],
            y=_T["number"],
            z=_T["number"],
            pinned=_B,
            collapsed=_B,
            version=_I,
            createdTime=_S,
            lastEditedTime=_S,
            ownerUsername=_S,
            ownerEmail=_SN,
            publicToken=_SN,
            publicDue=_SN,
            publicBranch={"type": ["boolean", "null"]},
            access=_I,
            shareRoots=_T["list of strings"],
            inTrash_=_B,
            lastBatchID_=_S,
        ),
        "Phantom": _obj(id=_S, phantom={"const": True}, status=_I),
        "Link": _obj(
            id=_S,
            source=_S,
            target=_S,
            type=_I,
            private=_B,
            wasBlocker=_B,
            version=_I,
            createdTime=_S,
            lastEditedTime=_S,
            shareRoots=_T["list of strings"],
            inTrash_=_B,
            lastBatchID_=_S,
        ),
        "Entry": entry,
        "Diff": _obj(
            batchId=_SN,
            rev=_I,
            actor={"anyOf": [{"$ref": "#/$defs/Actor"}, {"type": "null"}]},
            ts=_S,
            nodes=entries,
            links=entries,
            user=entries,
            access=entries,
            part_=_I,
            parts_=_I,
        ),
        "Actor": _obj(username=_S, email=_S),
    }
    words = {
        "hasMore": _B,
        "nodes": {"type": "array", "items": node},
        "links": {"type": "array", "items": {"$ref": "#/$defs/Link"}},
        "rev": _I,
        "trace_id": _S,
        "recovered": _B,
        "diff": {"$ref": "#/$defs/Diff"},
        "account": {"type": "object"},
        "ids": {"type": "object", "additionalProperties": _S},
        "batches": {"type": "array", "items": {"type": "object"}},
        "batchId": _S,
        "serverTime": _S,
    }
    return defs, words


def described(ask: Ask) -> Described:
    defs, words = _interim()
    operations = []
    for row in ask("operations", "--json"):
        names = [field["name"] for field in row["input"]]
        is_relay = bool(row.get("relay")) and "batchId" not in names
        batch = (
            next((name for name in ("newBatchId", "batchId") if name in names), None)
            if row.get("method") != "GET"
            else None
        )
        out: Any = None
        if not is_relay:
            told = str(row.get("output", "")).replace("?", "")
            out = _obj(ok={"const": True}, **{w: s for w, s in words.items() if w in told}, replayed_={"const": True})
        operations.append(
            Operation(
                event=row["event"],
                about=str(row.get("about", "")),
                method=row.get("method"),
                path=(row.get("paths") or [None])[0],
                over_sockets=row.get("overSockets", True),
                batch=batch,
                is_relay=is_relay,
                takes_own=bool(row.get("ownFieldsBytes")),
                input={
                    "properties": {f["name"]: _T[f["type"]] for f in row["input"]},
                    "required": [f["name"] for f in row["input"] if f["required"]],
                },
                output=out,
                errors=tuple(row.get("errors", ())),
            )
        )
    return Described(
        operations,
        {
            "graph:diff": {"$ref": "#/$defs/Diff"},
            **{name: {"type": "object"} for name in ("error", "rate_limited", "presence:state", "branch:published")},
        },
        defs,
        list(defs),
        ("forbidden.auth_missing", "forbidden.auth_invalid"),
    )
