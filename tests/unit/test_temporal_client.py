"""How the connection to Temporal is made."""

from pathlib import Path

import pytest
from temporalio.service import GrpcCompression

from adapters.temporal_client import _compression, connect_lazily, shown_target
from collector.domain.errors import InvalidFieldError


@pytest.mark.parametrize("target", ["127.0.0.1:7233", "localhost:7233", "[::1]:7233", "127.8.9.10:1"])
def test_nothing_is_compressed_on_this_machine(target: str) -> None:
    assert _compression(target) is GrpcCompression.NONE


@pytest.mark.parametrize(
    "target", ["10.0.0.7:7233", "temporal.example:443", "[fd00::7]:7233", "localhost.example:1", ""]
)
def test_everything_is_compressed_on_the_network(target: str) -> None:
    assert _compression(target) is GrpcCompression.GZIP


async def test_a_wrong_file_is_named_without_its_content(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "temporal.toml"
    file.write_text('[profile.default]\napi_key = "hunter2\n')
    monkeypatch.setenv("TEMPORAL_CONFIG_FILE", str(file))
    with pytest.raises(InvalidFieldError, match="line 2") as wrong:
        await connect_lazily()
    assert "hunter2" not in str(wrong.value)


async def test_a_key_does_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEMPORAL_ADDRESS", "temporal.example:7233")
    monkeypatch.setenv("TEMPORAL_NAMESPACE", "lab")
    monkeypatch.setenv("TEMPORAL_API_KEY", "hunter2")
    assert shown_target(await connect_lazily()) == "temporal.example:7233 (lab)"
