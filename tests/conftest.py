"""What holds for every test."""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from adapters.logs import stop_logging

settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")


@pytest.fixture(autouse=True)
def former_logging() -> Iterator[None]:
    """A process that a test has begun in this one logs no longer than that test."""
    yield
    stop_logging()
