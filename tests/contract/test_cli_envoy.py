"""`chamberlog envoy`: what it writes Envoy takes, and what is wrong is said by its name."""

from pathlib import Path

import pytest
import yaml

from cli.__main__ import main
from cli.exits import ExitCode

INGRESS = [
    "envoy",
    "render",
    "ingress",
    "--listen",
    "127.0.0.1:8000",
    "--api",
    "127.0.0.1:8080",
    "--authz",
    "[::1]:8081",
]


def render(out: Path, *more: str) -> int:
    return main([*INGRESS, "--out", str(out), *more])


def test_what_is_rendered_is_what_envoy_takes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "gateway.yaml"
    assert render(out, "--grpc", "127.0.0.1:9090", "--per-second", "7") == ExitCode.FINE
    first = out.read_bytes()
    assert main(["envoy", "check", str(out)]) == ExitCode.FINE
    assert render(out, "--grpc", "127.0.0.1:9090", "--per-second", "7") == ExitCode.FINE
    assert out.read_bytes() == first
    assert out.stat().st_mode & 0o777 == 0o644
    assert list(tmp_path.iterdir()) == [out]
    assert b"max_tokens: 7" in first
    assert "is fine" in capsys.readouterr().err


def test_the_policy_of_the_workers_is_the_egress_proxys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHAMBERLOG_EGRESS", '{"default": ["192.0.2.0/24:80"]}')
    out = tmp_path / "egress.yaml"
    command = ["envoy", "render", "egress", "--listen", "127.0.0.1:3128", "--out", str(out)]
    assert main(command) == ExitCode.FINE
    assert "192.0.2.0" in out.read_text()
    assert main(["envoy", "check", str(out)]) == ExitCode.FINE


def test_a_check_writes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert render(tmp_path / "x.yaml", "--check") == ExitCode.FINE
    assert capsys.readouterr().out.startswith("envoy: settings are fine: ingress")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("more", "field"),
    [
        (["--admin", "0.0.0.0:9901"], "admin"),
        (["--listen", "gateway:80"], "listen"),
        (["--grpc", "nowhere"], "grpc"),
        (["--tls-key", "x.pem"], "tls-key"),
        (["--per-second", "0"], "limits.per_second"),
        (["--out", "/nowhere/x.yaml"], "out"),
    ],
)
def test_what_cannot_be_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], more: list[str], field: str
) -> None:
    assert render(tmp_path / "x.yaml", *more) == ExitCode.REFUSED
    assert f"error: {field}: " in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_kind_that_is_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["envoy", "render", "sidecar", "--listen", "127.0.0.1:1", "--out", str(tmp_path / "x")]
    assert main(command) == ExitCode.REFUSED
    assert "give one of ingress, egress" in capsys.readouterr().err


def test_a_fault_of_a_configuration_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "gateway.yaml"
    render(out)
    document = yaml.safe_load(out.read_text())
    document["static_resources"]["clusters"] = [
        cluster for cluster in document["static_resources"]["clusters"] if cluster["name"] != "authz"
    ]
    out.write_text(yaml.safe_dump(document))
    assert main(["envoy", "check", str(out)]) == ExitCode.REFUSED
    assert "there is no cluster authz" in capsys.readouterr().err
