"""The real API over in-memory twins on a real socket, and the command line that speaks to it."""

import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Thread

import pytest
import uvicorn

from cli.__main__ import main
from tests.unit.api_world import KEYS, World

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[World]:
    made = World()
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(made.app, log_level="error", lifespan="off", ws="none"))
    thread = Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    while not server.started:
        time.sleep(0.005)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CHAMBERLOG_API", f"http://127.0.0.1:{listener.getsockname()[1]}")
    monkeypatch.setenv("CHAMBERLOG_API_KEY", KEYS["default"])
    yield made
    server.should_exit = True
    thread.join()
    listener.close()


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def run_command(*argv: str) -> tuple[int, str, str]:
        code = main(argv)
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run_command
