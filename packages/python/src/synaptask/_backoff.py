"""How long to wait before trying again."""

from __future__ import annotations

import random

FIRST_S, MAX_S = 0.25, 5.0


def backoff_s(nth: int) -> float:
    """Seconds before the next attempt after `nth` that failed: doubled each time, and spread, so that many clients of a
    server that was restarted do not all come back at once."""
    return min(MAX_S, FIRST_S * 2.0 ** min(nth, 10)) * random.uniform(0.5, 1.0)
