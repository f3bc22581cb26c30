"""The authz service's start, and the keys that it signs by."""

from pathlib import Path

import pytest

from adapters.assertions import Ed25519Signer, Ed25519Verifier
from cli.__main__ import main
from cli.exits import ExitCode
from collector.ports.assertions import Assertion
from gateway.__main__ import EXIT_SETTINGS
from gateway.__main__ import main as serve
from tests.unit.api_world import StandingClock

SETTINGS = {
    "CHAMBERLOG_POSTGRES": "postgresql://me:hidden@db:5432/readings",
    "CHAMBERLOG_REDIS": "redis://:hidden@cache:6379/0",
    "CHAMBERLOG_AUTHZ_PORT": "9000",
}


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Everything that it needs, and a key file that a command made."""
    for name, value in SETTINGS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("CHAMBERLOG_ASSERTION_KEY_FILE", str(tmp_path / "key.pem"))
    assert main(["authz", "new-key", str(tmp_path / "key.pem")]) == ExitCode.FINE


def test_a_pair_is_made_for_its_two_sides(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "other.pem"
    capsys.readouterr()
    assert main(["authz", "new-key", str(file)]) == ExitCode.FINE
    out, err = capsys.readouterr()
    assert file.stat().st_mode & 0o777 == 0o600
    clock, said = StandingClock(), Assertion(operation="", principal=None, address="")
    assert Ed25519Verifier(out, clock).verify(Ed25519Signer(file.read_text(), clock).sign(said)) == said
    assert "PRIVATE" not in out + err


def test_no_key_is_replaced(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = (tmp_path / "key.pem").read_text()
    assert main(["authz", "new-key", str(tmp_path / "key.pem")]) == ExitCode.CONFLICT
    assert (tmp_path / "key.pem").read_text() == before
    assert "no key is replaced" in capsys.readouterr().err
    assert main(["authz", "new-key", str(tmp_path / "nowhere" / "key.pem")]) == ExitCode.REFUSED


def test_a_check_says_what_would_run_without_secrets(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["authz", "--check"]) == ExitCode.FINE
    out = capsys.readouterr().out
    assert out == (
        "authz: settings are fine: PostgreSQL db:5432/readings, Valkey cache:6379/0, listening on 127.0.0.1:9000\n"
    )


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("CHAMBERLOG_POSTGRES", "", "CHAMBERLOG_POSTGRES: it is not set"),
        ("CHAMBERLOG_REDIS", "http://cache", "CHAMBERLOG_REDIS: it does not begin with redis://"),
        ("CHAMBERLOG_RATE_LIMITS", "read=many", "CHAMBERLOG_RATE_LIMITS: 'read=many' is no limit"),
        ("CHAMBERLOG_AUTHZ_PORT", "65536", "CHAMBERLOG_AUTHZ_PORT: "),
        ("CHAMBERLOG_ASSERTION_KEY_FILE", "", "CHAMBERLOG_ASSERTION_KEY: it is not set"),
        ("CHAMBERLOG_ASSERTION_KEY_FILE", "/nowhere/key.pem", "CHAMBERLOG_ASSERTION_KEY_FILE: "),
        ("CHAMBERLOG_ASSERTION_KEY_FILE", __file__, "CHAMBERLOG_ASSERTION_KEY: it is no private key"),
    ],
)
def test_a_wrong_setting_ends_the_start(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str, value: str, shown: str
) -> None:
    monkeypatch.setenv(name, value)
    assert serve(check=True) == EXIT_SETTINGS
    assert main(["authz"]) == ExitCode.REFUSED
    err = capsys.readouterr().err
    assert err.count(shown) == 2
    assert "hidden" not in err
