"""Seeds that are printed, and one server for the tests that need one."""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import count

import pytest
from hypothesis import HealthCheck, settings
from server import Server, User

settings.register_profile("own", deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("own")

_NUMBERS = count(1)


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Draws a seed, so that a run can be repeated: `pytest --hypothesis-seed=N`."""
    if config.option.hypothesis_seed is None:
        config.option.hypothesis_seed = random.randrange(2**32)


def pytest_report_header(config: pytest.Config) -> str:
    return f"hypothesis seed: {config.option.hypothesis_seed}"


@pytest.fixture(scope="session")
def shared_server() -> Iterator[Server]:
    server = Server()
    yield server
    server.stop()


@pytest.fixture
def server(shared_server: Server) -> Server:
    return shared_server


@pytest.fixture
def user(server: Server) -> User:
    """Of one test alone."""
    return server.user(f"user-{next(_NUMBERS)}")


@pytest.fixture
def other(server: Server) -> User:
    return server.user(f"other-{next(_NUMBERS)}")
