"""How operations travel, as the generated table says."""

from __future__ import annotations

import uuid
from collections.abc import Mapping

from ._generated import OPERATIONS, Way
from .errors import Refusal


def way_of(event: str) -> Way:
    try:
        return OPERATIONS[event]
    except KeyError:
        raise ValueError(f"there is no operation {event}") from None


def named(event: str, payload: Mapping[str, object]) -> dict[str, object]:
    """The input with a name for its batch, the caller's or a new one, so that it can be sent again and is done once."""
    batch = way_of(event).batch
    if batch is None or payload.get(batch) is not None:
        return dict(payload)
    return {**payload, batch: str(uuid.uuid4())}


def opened(event: str, answer: object) -> dict[str, object]:
    """An answer that is a yes; a no is raised."""
    if isinstance(answer, dict) and answer.get("ok") is True:
        return answer
    raise Refusal(event, answer if isinstance(answer, dict) else {"message": f"an answer that is none: {answer!r}"})
