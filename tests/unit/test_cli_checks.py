"""`--check` of each process: what would run, without any server; and whether one that runs is ready."""

import os
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from cli.__main__ import main
from cli.exits import ExitCode
from cli.readiness import main as readiness

DSN = "postgresql://lab:hunter2@db:5432/readings"
PROCESSES = ["worker", "api", "migrate"]


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    """Nothing is set but the database; nothing runs here."""
    for name in [name for name in os.environ if name.startswith(("CHAMBERLOG_", "TEMPORAL_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("CHAMBERLOG_POSTGRES", DSN)
    monkeypatch.chdir(tmp_path)
    return monkeypatch


def said(capsys: pytest.CaptureFixture[str], *command: str) -> str:
    assert main(list(command)) == ExitCode.FINE
    captured = capsys.readouterr()
    assert captured.err == ""
    assert captured.out.count("\n") == 1
    return captured.out.rstrip("\n")


def test_a_check_says_what_would_run(capsys: pytest.CaptureFixture[str], environment: pytest.MonkeyPatch) -> None:
    environment.setenv("TEMPORAL_ADDRESS", "temporal:7233")
    environment.setenv("TEMPORAL_NAMESPACE", "lab")
    environment.setenv("TEMPORAL_API_KEY", "hunter2")
    environment.setenv("CHAMBERLOG_REDIS", "redis://:hunter2@cache:6379/1")
    servers = "Temporal temporal:7233 (lab), PostgreSQL db:5432/readings, Valkey cache:6379/1"
    worker = said(capsys, "worker", "--check")
    assert worker == f"worker: settings are fine: {servers}, no egress proxy, /metrics on 127.0.0.1:any free port"
    environment.setenv("CHAMBERLOG_EGRESS_PROXY", "http://egress:10001")
    assert ", egress proxy egress:10001, " in said(capsys, "worker", "--check")
    api = said(capsys, "api", "--check")
    assert api == f"api: settings are fine: {servers}, listening on 127.0.0.1:8080"
    environment.setenv("CHAMBERLOG_GRPC_PORT", "9090")
    assert said(capsys, "api", "--check") == f"{api}, gRPC on 127.0.0.1:9090"
    migrate = said(capsys, "migrate", "--check")
    assert re.fullmatch(r"migrate: settings are fine: \d+ migrations for PostgreSQL db:5432/readings", migrate)


def test_a_check_of_the_simulator_reads_its_curves(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    arguments = ["--host", "0.0.0.0", "--devices", "3", "--port-base", "18101", "--control-port", "18100"]
    found = said(capsys, "simulate", "--check", *arguments)
    assert found == (
        "simulate: settings are fine: 3 devices on 0.0.0.0, ports 18101 to 18103, control port 18100, 2 curves, "
        "2 dialects"
    )
    assert main(["simulate", "--check", "--series", str(tmp_path / "gone.csv")]) == ExitCode.REFUSED
    assert main(["simulate", "--check", "--host", "here"]) == ExitCode.REFUSED
    assert "'here' is not an IPv4 address" in capsys.readouterr().err


@pytest.mark.parametrize("process", PROCESSES)
def test_a_check_without_valkey_says_so_and_one_without_a_database_is_refused(
    capsys: pytest.CaptureFixture[str], environment: pytest.MonkeyPatch, process: str
) -> None:
    assert ("Valkey none" in said(capsys, process, "--check")) == (process != "migrate")
    environment.setenv("CHAMBERLOG_POSTGRES", "db:5432")
    assert main([process, "--check"]) == ExitCode.REFUSED
    assert "CHAMBERLOG_POSTGRES: it does not begin with postgresql://" in capsys.readouterr().err.replace("error: ", "")


@pytest.mark.parametrize(
    ("process", "setting", "problem"),
    [
        ("worker", "CHAMBERLOG_METRICS_PORT=none", "CHAMBERLOG_METRICS_PORT: "),
        ("worker", "CHAMBERLOG_PROFILES=/gone", "/gone: there is no such folder of profiles"),
        ("worker", "CHAMBERLOG_EGRESS=/gone.json", "egress: /gone.json cannot be read"),
        ("worker", "CHAMBERLOG_REDIS=cache:6379", "CHAMBERLOG_REDIS: it does not begin with redis://"),
        ("worker", "CHAMBERLOG_BUILD_ID=2", "CHAMBERLOG_BUILD_ID: it is set, but CHAMBERLOG_DEPLOYMENT is not"),
        ("worker", "TEMPORAL_ADDRESS=temporal", "TEMPORAL_ADDRESS: 'temporal' is no address; write host:port"),
        ("worker", "TEMPORAL_CONFIG_FILE=/gone.toml", "TEMPORAL_CONFIG_FILE: /gone.toml cannot be read"),
        ("api", "CHAMBERLOG_API_PORT=none", "CHAMBERLOG_API_PORT: "),
        ("api", "CHAMBERLOG_PROFILES=/gone", "/gone: there is no such folder of profiles"),
        ("api", "TEMPORAL_TLS_CLIENT_KEY_PATH=/gone.key", "TEMPORAL_TLS_CLIENT_KEY_PATH: /gone.key cannot be read"),
    ],
)
def test_a_check_finds_what_would_stop_the_start(
    capfd: pytest.CaptureFixture[str], environment: pytest.MonkeyPatch, process: str, setting: str, problem: str
) -> None:
    environment.setenv(*setting.split("=", 1))
    assert main([process, "--check"]) == ExitCode.REFUSED
    captured = capfd.readouterr()
    assert captured.out == ""
    assert captured.err.startswith(problem)


@contextmanager
def answering(status: int, body: bytes) -> Iterator[str]:
    """A server that answers every request so; its base URL."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if self.path == "/readyz" else 404)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.enable_socket
def test_ready_is_silent_when_it_is_so(capsys: pytest.CaptureFixture[str], environment: pytest.MonkeyPatch) -> None:
    environment.setenv("http_proxy", "http://127.0.0.1:9")  # whoever asks stands beside the process
    with answering(200, b"ready") as url:
        assert readiness([url]) == 0
        assert readiness([f"{url}/readyz"]) == 0
        assert main(["ready", f"{url}/"]) == ExitCode.FINE
        environment.setenv("CHAMBERLOG_API", url)
        assert main(["ready"]) == ExitCode.FINE
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "")


@pytest.mark.enable_socket
def test_what_is_not_ready_is_said_with_its_own_words(capsys: pytest.CaptureFixture[str]) -> None:
    with answering(503, b"not ready: it does not\n poll Temporal yet\n" + b"x" * 1000) as url:
        assert readiness([url]) == ExitCode.AWAY
        line = capsys.readouterr().err
        assert line.startswith(f"{url}/readyz: 503 not ready: it does not poll Temporal yet xxx")
        assert len(line) < 400
        assert main(["ready", url]) == ExitCode.AWAY
        assert f"error: ready: {url}/readyz: 503 not ready" in capsys.readouterr().err


@pytest.mark.enable_socket
def test_nobody_and_nonsense_are_not_ready(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"

        def nonsense() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(1000)
                connection.sendall(b"SSH-2.0-OpenSSH\r\n")

        thread = threading.Thread(target=nonsense)
        thread.start()
        assert readiness([address]) == ExitCode.AWAY
        thread.join()
    assert readiness([address]) == ExitCode.AWAY
    assert readiness(["no url"]) == ExitCode.AWAY
    assert readiness([]) == ExitCode.AWAY
    said = capsys.readouterr().err.splitlines()
    assert [line.partition(": ")[0] for line in said] == [f"{address}/readyz"] * 2 + ["no url/readyz", "usage"]


def test_a_health_check_loads_next_to_nothing() -> None:
    heavy = ["asyncio", "httpx", "pydantic", "rich", "temporalio", "typer"]
    code = f"import cli.readiness, sys; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=True)
    assert done.stdout == "[]\n"
