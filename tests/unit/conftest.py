"""Unit tests have nothing real: a test that opens a socket fails, unless it is marked `enable_socket`."""

from collections.abc import Iterator

import pytest
import uvloop  # noqa: F401 - it keeps the socket class that it finds: first imported in a test without sockets, it has none
from pytest_socket import disable_socket, enable_socket

from tests.unit.served_api import run, world

__all__ = ["run", "world"]


@pytest.fixture(autouse=True)
def no_network(request: pytest.FixtureRequest) -> Iterator[None]:
    """Unix sockets stay: event loops wake themselves through one."""
    if request.node.get_closest_marker("enable_socket") is None:
        disable_socket(allow_unix_socket=True)
    yield
    enable_socket()
