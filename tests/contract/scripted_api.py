"""A real HTTP server that answers what a test writes down, and the command line that speaks to it."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from cli.__main__ import main

KEY = "chl_0123456789ab_secret"
Run = Callable[..., tuple[int, str, str]]


@dataclass(frozen=True, slots=True)
class Seen:
    """A request as it arrived."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Any


@dataclass(slots=True)
class Api:
    """A server whose answers the test writes down: (method, path) to (status, document or text, headers)."""

    url: str
    answers: dict[tuple[str, str], Any] = field(default_factory=dict)
    seen: list[Seen] = field(default_factory=list)

    def answer(self, method: str, path: str, status: int, document: Any = None, **headers: str) -> None:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.answers[method, path] = lambda _: (status, document, named)

    def answer_pages(self, path: str, pages: list[list[Any]]) -> None:
        def page(seen: Seen) -> tuple[int, Any, dict[str, str]]:
            number = int(seen.query.get("cursor", "0"))
            following = str(number + 1) if number + 1 < len(pages) else None
            return 200, {"items": pages[number], "next_cursor": following}, {}

        self.answers["GET", path] = page

    def refuse(
        self, method: str, path: str, status: int, *errors: dict[str, str], detail: str = "it cannot be"
    ) -> None:
        problem = {"type": "about:blank", "title": "Problem", "status": status, "detail": detail, "errors": [*errors]}
        self.answer(method, path, status, problem, Content_Type="application/problem+json", Retry_After="5")


def handler_of(api: Api) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            parts = urlsplit(self.path)
            raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            query = {name: values[0] for name, values in parse_qs(parts.query).items()}
            body = json.loads(raw) if raw else None
            seen = Seen(self.command, parts.path, query, dict(self.headers.items()), body)
            api.seen.append(seen)
            missing: Callable[[Seen], Any] = lambda _: (404, {"detail": f"no {parts.path}", "errors": []}, {})  # noqa: E731
            status, document, headers = api.answers.get((self.command, parts.path), missing)(seen)
            content = document.encode() if isinstance(document, str) else json.dumps(document).encode()
            self.send_response(status)
            for name, value in {"Content-Type": "application/json", **headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PATCH = do_DELETE = answer  # noqa: N815 - names of http.server

        def log_message(self, *_: Any) -> None:
            """Say nothing on standard error, which the tests read."""

    return Handler


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Api]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    made = Api(f"http://127.0.0.1:{server.server_port}")
    server.RequestHandlerClass = handler_of(made)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CHAMBERLOG_API", made.url)
    monkeypatch.setenv("CHAMBERLOG_API_KEY", KEY)
    yield made
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    def run_command(*argv: str) -> tuple[int, str, str]:
        code = main(argv)
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run_command
