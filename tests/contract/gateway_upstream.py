"""Stand-ins behind a gateway, as programs of their own: `gateway_upstream.py api|authz PORT FOLDER`.

The API says what reached it; the authz service knows three bearers. What they were asked is in a file of the folder.
"""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import uvicorn

Message = dict[str, Any]
LARGE = 32_000_000
PERSONS = {"Bearer good": "user/ada", "Bearer viewer": "user/vera", "Basic Z29vZDpnb29k": "user/ada"}
PROBLEM = (
    b'{"type":"urn:chamberlog:problem:%s","title":"%s","status":%d,"detail":"the authz service says so","errors":[]}'
)


class Answering:
    """One request, and how it is answered."""

    def __init__(self, scope: Message, receive: Any, send: Any) -> None:
        self.scope, self._receive, self._send = scope, receive, send
        self.headers = [(name.decode(), value.decode("latin-1")) for name, value in scope["headers"]]
        self.path = str(scope["raw_path"].decode())

    def header(self, name: str) -> str:
        return next((value for key, value in self.headers if key == name), "")

    async def body(self) -> bytes:
        read, more = b"", True
        while more:
            message = await self._receive()
            read, more = read + message.get("body", b""), message.get("more_body", False)
        return read

    async def start(self, status: int, *headers: tuple[str, str]) -> None:
        pairs = [(name.encode(), value.encode()) for name, value in headers]
        await self._send({"type": "http.response.start", "status": status, "headers": pairs})

    async def more(self, body: bytes, *, last: bool = False) -> None:
        await self._send({"type": "http.response.body", "body": body, "more_body": not last})

    async def answer(self, status: int, body: bytes, *headers: tuple[str, str]) -> None:
        await self.start(status, ("content-length", str(len(body))), *headers)
        await self.more(body, last=True)


async def api(asked: Answering, log: Path) -> None:
    """Say what has come; `/v1/slow` a second later, `/v1/live` in three parts, `/v1/broken` with a 502 of its own.

    `/static-offline-docs/large` is more than all buffers on the way take in.
    """
    if asked.path == "/healthz":
        await asked.answer(200, b"ok")
        return
    body = await asked.body()
    note(log, {"method": asked.scope["method"], "path": asked.path})
    if asked.path == "/v1/live":
        await asked.start(200, ("content-type", "text/event-stream"))
        for number in range(3):
            await asked.more(b"data: %d\n\n" % number)
            await asyncio.sleep(0.4)
        await asked.more(b"", last=True)
        return
    if asked.path == "/static-offline-docs/large":
        await asked.answer(200, b"x" * LARGE)
        return
    if asked.path == "/v1/slow":
        await asyncio.sleep(1.0)
    status = 502 if asked.path == "/v1/broken" else 200
    said = {"headers": asked.headers, "path": asked.path, "length": len(body), "instance": log.stem}
    await asked.answer(status, json.dumps(said).encode(), ("content-type", "application/json"))


async def authz(asked: Answering, log: Path) -> None:
    """Know three bearers; `/v1/limited` is past its limit, `/v1/foreign` nobody's, `/v1/ill` cannot be told."""
    if asked.path in {"/healthz", "/readyz"}:
        await asked.answer(200, b"ok")
        return
    note(log, {"path": asked.path, "headers": asked.headers})
    path = asked.path.removeprefix("/authz").partition("?")[0]
    subject = PERSONS.get(asked.header("authorization"))
    rate = (("ratelimit", '"read";r=7;t=3'), ("ratelimit-policy", '"read";q=10;w=60'))
    problem = ("content-type", "application/problem+json")
    if path.startswith("/v1/auth/sign-in"):
        await asked.answer(200, b"", *rate)
    elif path == "/v1/ill":
        await asked.answer(503, b"{}", problem, ("retry-after", "5"))
    elif subject is None:
        challenge = "Basic" if path.startswith("/temporal") else "Bearer"
        said = PROBLEM % (b"unauthorized", b"Unauthorized", 401)
        await asked.answer(401, said, problem, ("www-authenticate", f'{challenge} realm="chamberlog"'))
    elif path == "/v1/foreign" or path.endswith("/GetSection"):
        await asked.answer(404, PROBLEM % (b"not-found", b"Not Found", 404), problem)
    elif path == "/v1/limited" or path.endswith("/ListSections"):
        said = PROBLEM % (b"too-many-requests", b"Too Many Requests", 429)
        await asked.answer(429, said, problem, ("retry-after", "3"), *rate)
    elif path.startswith("/temporal") and subject != "user/ada":
        await asked.answer(403, PROBLEM % (b"forbidden", b"Forbidden", 403), problem)
    else:
        names = {"subject": subject, "organization": "default", "role": "operator", "assertion": "signed"}
        identity = [(f"x-chamberlog-{name}", value) for name, value in names.items()]
        await asked.answer(200, b"", *rate, *identity, ("x-internal", "secret"))


def note(log: Path, what: Message) -> None:
    """Add a line to the log, at once: this process may be killed."""
    with log.open("a") as file:
        file.write(json.dumps(what) + "\n")


def main(kind: str, port: str, folder: str) -> None:
    """Serve until a signal ends it."""
    answer = {"api": api, "authz": authz}[kind]
    log = Path(folder) / f"{kind}-{port}.jsonl"

    async def app(scope: Message, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            await answer(Answering(scope, receive, send), log)

    uvicorn.run(app, host="127.0.0.1", port=int(port), lifespan="off", log_level="warning", access_log=False)


if __name__ == "__main__":
    main(*sys.argv[1:])
