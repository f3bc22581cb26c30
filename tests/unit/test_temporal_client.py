"""How the connection to Temporal is made."""

import pytest
from temporalio.service import GrpcCompression

from adapters.temporal_client import _compression


@pytest.mark.parametrize("target", ["127.0.0.1:7233", "localhost:7233", "[::1]:7233", "127.8.9.10:1"])
def test_nothing_is_compressed_on_this_machine(target: str) -> None:
    assert _compression(target) is GrpcCompression.NONE


@pytest.mark.parametrize(
    "target", ["10.0.0.7:7233", "temporal.example:443", "[fd00::7]:7233", "localhost.example:1", ""]
)
def test_everything_is_compressed_on_the_network(target: str) -> None:
    assert _compression(target) is GrpcCompression.GZIP
