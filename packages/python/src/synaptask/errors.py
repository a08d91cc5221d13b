"""What goes wrong: the server's no, and no answer at all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from ._generated import ErrorName

# Refusals of these classes may be another answer a moment later.
_PASSING = ("rate_limited", "unavailable", "internal")


class SynapTaskError(Exception):
    """Everything this package raises about a server derives from this."""


class Refusal(SynapTaskError):
    """The server's no. Nothing has been changed, and the same batchId may be tried again."""

    event: str
    """The operation that was refused; `connected` where the connection was."""
    error: ErrorName
    """Class and code, such as `not_found.node_not_found`; of a class without codes the class alone. A server newer than
    this package may answer others."""
    cls: str
    """The class alone, such as `not_found`."""
    code: str | None
    """The code alone, such as `node_not_found`; None if the class has none."""
    message: str
    """A sentence a person can act on."""
    retry_after: float | None
    """Seconds after which to try again; None if the server did not say."""
    index: int | None
    """Of graph:apply: the position of the refused operation in the list, counted from 0."""
    trace_id: str | None
    """Finds the request in the server's log."""

    def __init__(self, event: str, answer: Mapping[str, object]) -> None:
        error = str(answer.get("error", "internal"))
        self.event = event
        self.error = cast(ErrorName, error)
        self.cls, _, code = error.partition(".")
        self.code = code or None
        self.message = str(answer.get("message", ""))
        retry_after, index, trace_id = (answer.get(name) for name in ("retryAfter", "index", "trace_id"))
        self.retry_after = float(retry_after) if isinstance(retry_after, (int, float)) else None
        self.index = index if isinstance(index, int) else None
        self.trace_id = trace_id if isinstance(trace_id, str) else None
        super().__init__(f"{event}: {error}: {self.message}")

    def __reduce__(self) -> tuple[object, ...]:
        answer = {"error": self.error, "message": self.message, "retryAfter": self.retry_after}
        return Refusal, (self.event, {**answer, "index": self.index, "trace_id": self.trace_id})

    @property
    def is_passing(self) -> bool:
        """Whether it may be another answer a moment later."""
        return self.retry_after is not None or self.cls in _PASSING


class ConnectionLost(SynapTaskError):
    """There was no answer: the server could not be reached, did not answer in time, or the connection was lost or closed
    meanwhile. What was asked may have been done; asked again with the same batchId, it is not done twice."""
