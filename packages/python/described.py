"""What the server says of itself, in the terms of the generator: its table of operations, and its OpenAPI and AsyncAPI
documents."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Ask = Callable[..., Any]

# What a connection is refused with (SPEC.md T13), which is no answer to an operation.
CONNECTION_ERRORS = ("forbidden.auth_missing", "forbidden.auth_invalid")


@dataclass(frozen=True)
class Operation:
    event: str
    about: str
    method: str | None
    """Over REST; None if it goes over sockets alone."""
    path: str | None
    over_sockets: bool
    batch: str | None
    """The field by which a client names the batch."""
    is_relay: bool
    """Whether it is passed on, and never answered."""
    input: dict[str, Any]
    output: dict[str, Any] | None
    errors: tuple[str, ...]


@dataclass(frozen=True)
class Described:
    operations: list[Operation]
    events: dict[str, Any]
    """The events of the server, and the schemas of their payloads."""
    defs: dict[str, Any]
    connection_errors: tuple[str, ...] = CONNECTION_ERRORS


def described(ask: Ask) -> Described:
    """`ask` gives what a command of the server prints as JSON."""
    openapi, asyncapi = ask("openapi"), ask("asyncapi")
    over_rest = _over_rest(openapi)
    events, over_sockets = _over_sockets(asyncapi)
    operations = []
    for row in ask("operations", "--json"):
        event, fields = row["event"], row["input"]
        # A required batchId is that of another batch.
        batches = [one["name"] for one in fields if one["name"] in ("batchId", "newBatchId") and not one["required"]]
        is_relay = row.get("relay") is True and not batches
        operations.append(
            Operation(
                event=event,
                about=row.get("about") or f"Is passed on as {row['passedOnAs']}: to {row['to']}.",
                method=row.get("method"),
                path=next(iter(row.get("paths", ())), None),
                over_sockets=row.get("overSockets", True),
                batch=next(iter(batches), None),
                is_relay=is_relay,
                input=over_sockets[event][0] if event in over_sockets else _rest_input(over_rest[event]),
                output=None if is_relay else _output(event, over_rest, over_sockets),
                errors=tuple(row.get("errors", ())),
            )
        )
    defs = {**openapi["components"]["schemas"], **asyncapi["components"]["schemas"]}
    return Described(operations, events, defs)


def _over_rest(openapi: Any) -> dict[str, Any]:
    """The first route of each operation."""
    routes: dict[str, Any] = {}
    for methods in openapi["paths"].values():
        for route in methods.values():
            if isinstance(route, dict) and "x-event" in route:
                routes.setdefault(route["x-event"], route)
    return routes


def _over_sockets(asyncapi: Any) -> tuple[dict[str, Any], dict[str, tuple[Any, Any]]]:
    """The events of the server; and the input and the ack of each operation."""
    messages = asyncapi["channels"]["namespace"]["messages"]

    def payload(reference: Any) -> Any:
        return messages[reference["$ref"].rsplit("/", 1)[-1]]["payload"]

    events, calls = {}, {}
    for one in asyncapi["operations"].values():
        if one["action"] == "send":
            events[one["title"]] = payload(one["messages"][0])
        else:
            calls[one["title"]] = (payload(one["messages"][0]), payload(one["reply"]["messages"][0]))
    return events, calls


def _rest_input(route: Any) -> dict[str, Any]:
    """The fields in the path, in the query and in the body, as one object."""
    fields = [one for one in route.get("parameters", ()) if one["in"] != "header"]
    body = route.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
    own = {one["name"]: {**one["schema"], "description": one.get("description", "")} for one in fields}
    required = [one["name"] for one in fields if one.get("required")]
    return {
        "type": "object",
        **body,
        "properties": {**own, **body.get("properties", {})},
        "required": [*required, *body.get("required", ())],
    }


def _output(event: str, over_rest: Any, over_sockets: Any) -> Any:
    """The answer that is a yes."""
    if event in over_rest:
        content = over_rest[event]["responses"].get("200", {}).get("content", {})
        if "application/json" in content:
            return content["application/json"]["schema"]
        return {"type": "object"}
    # The ack is the answer, or the failure, which comes last.
    *answers, _ = over_sockets[event][1]["anyOf"]
    return answers[0] if len(answers) == 1 else {"anyOf": answers}
