"""The API's settings: one line that names the variable, and never its value."""

import pytest

from api.bootstrap import load_settings
from collector.domain.errors import InvalidFieldError

DSN = "postgresql://me:swordfish@127.0.0.1/readings"


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("POSTGRES", "REDIS", "PROFILES", "API_HOST", "API_PORT", "GRPC_HOST", "GRPC_PORT"):
        monkeypatch.delenv(f"CHAMBERLOG_{name}", raising=False)


def test_only_the_database_has_no_default(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InvalidFieldError, match=r"CHAMBERLOG_POSTGRES: it is not set; write postgresql://"):
        load_settings()
    monkeypatch.setenv("CHAMBERLOG_POSTGRES", DSN)
    settings = load_settings()
    assert (settings.api_host, settings.api_port, settings.redis, settings.profiles) == ("127.0.0.1", 8080, None, None)
    assert (settings.grpc_host, settings.grpc_port) == (None, None)
    assert settings.postgres.get_secret_value() == DSN
    assert "swordfish" not in repr(settings)


@pytest.mark.parametrize("name", ["CHAMBERLOG_API_PORT", "CHAMBERLOG_GRPC_PORT"])
@pytest.mark.parametrize("port", ["http", "-1", "65536", "80.5"])
def test_a_wrong_port_is_named(monkeypatch: pytest.MonkeyPatch, name: str, port: str) -> None:
    monkeypatch.setenv("CHAMBERLOG_POSTGRES", DSN)
    monkeypatch.setenv(name, port)
    with pytest.raises(InvalidFieldError) as wrong:
        load_settings()
    assert wrong.value.field == name
    assert wrong.value.remedy
    assert "swordfish" not in str(wrong.value)


def test_an_empty_variable_is_one_that_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHAMBERLOG_POSTGRES", DSN)
    monkeypatch.setenv("CHAMBERLOG_REDIS", "")
    monkeypatch.setenv("CHAMBERLOG_API_PORT", "")
    settings = load_settings()
    assert (settings.redis, settings.api_port) == (None, 8080)
