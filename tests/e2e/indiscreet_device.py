"""A device that tells everybody what it was asked with: in readings, in pages of errors, in redirects, in garbage."""

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

NONCE = 'Digest qop="auth", realm="lab", nonce="0123456789abcdef", algorithm=SHA-256'


class IndiscreetHandler(BaseHTTPRequestHandler):
    """The first segment of the path says how it answers."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Answer one request."""
        way = self.path.lstrip("/").split("/")[0].split("?")[0]
        if way.startswith("digest-") and "Authorization" not in self.headers:
            self._say(401, b"who are you?", {"WWW-Authenticate": NONCE})
            return
        WAYS[way.removeprefix("digest-")](self)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (the name is the base class's)
        """Say nothing on the test's standard error."""

    def heard(self) -> str:
        """All that came, as one text."""
        return f"{self.path} {dict(self.headers)}"

    def reading(self) -> None:
        """A good answer, with all that came beside it."""
        self._say(200, json.dumps({"temperature": 21.5, "heard": self.heard(), "url": self.path}).encode())

    def doubted(self) -> None:
        """What came stands where the value belongs."""
        self._say(200, json.dumps({"temperature": self.heard()}).encode())

    def broken(self) -> None:
        """No JSON."""
        self._say(200, f"<html>cannot read {self.heard()}".encode())

    def failing(self) -> None:
        """A page of an error that quotes the request."""
        self._say(500, f"<h1>500</h1><p>while serving {self.heard()}</p>".encode())

    def refusing(self) -> None:
        """A refusal that quotes the request."""
        self._say(403, f"not with {self.heard()}".encode(), {"X-Heard": self.heard().replace("\n", " ")})

    def redirecting(self) -> None:
        """To an address with all that came in it."""
        self._say(302, b"", {"Location": f"http://192.0.2.1{self.path}"})

    def _say(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


WAYS: dict[str, Callable[[IndiscreetHandler], None]] = {
    "reading": IndiscreetHandler.reading,
    "doubted": IndiscreetHandler.doubted,
    "broken": IndiscreetHandler.broken,
    "failing": IndiscreetHandler.failing,
    "refusing": IndiscreetHandler.refusing,
    "redirecting": IndiscreetHandler.redirecting,
}


class IndiscreetDevice:
    """The device on a port of loopback, while the `with` block runs."""

    def __enter__(self) -> "IndiscreetDevice":
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), IndiscreetHandler)
        self._server.daemon_threads = True
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(10)
