"""A client of an endless answer that needs no socket: httpx's own would wait for its end."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from fastapi import FastAPI
from starlette.types import Message

from tests.unit.api_world import KEYS


@dataclass(frozen=True, slots=True)
class Told:
    """One server-sent event."""

    name: str
    data: Any
    id: str | None


@dataclass
class Stream:
    """What came of a request. `reads` cleared: the client does not read, and the server's buffers are full.

    Attributes:
        status: None before the answer began.
        text: of the body so far.
        ended: the server has ended it.
    """

    status: int | None = None
    headers: dict[str, str] = field(default_factory=dict)
    text: str = ""
    ended: bool = False
    reads: asyncio.Event = field(default_factory=asyncio.Event)
    news: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def events(self) -> list[Told]:
        """Those that came whole; comments are none."""
        found = []
        for block in self.text.split("\n\n")[:-1]:
            fields = dict(line.split(": ", 1) for line in block.split("\n") if not line.startswith(":"))
            if "event" in fields:
                found.append(Told(fields["event"], json.loads(fields["data"]), fields.get("id")))
        return found

    @property
    def names(self) -> list[str]:
        return [told.name for told in self.events]

    async def until(self, events: int, within_s: float = 5.0) -> list[Told]:
        """Wait for so many events in all."""
        await self.until_true(lambda stream: len(stream.events) >= events, within_s)
        return self.events

    async def until_text(self, part: str, within_s: float = 5.0) -> None:
        await self.until_true(lambda stream: part in stream.text, within_s)

    async def until_ended(self, within_s: float = 5.0) -> None:
        await self.until_true(lambda stream: stream.ended, within_s)

    async def until_true(self, true: Callable[["Stream"], bool], within_s: float = 5.0) -> None:
        """Wait until it is true of what has come."""
        async with asyncio.timeout(within_s):
            while True:
                self.news.clear()
                if true(self):
                    return
                await self.news.wait()


@asynccontextmanager
async def streaming(app: FastAPI, query: str = "", *, whose: str = "default", **headers: str) -> AsyncIterator[Stream]:
    """`GET /v1/live`; the client leaves at the end of the block. Names of headers are written with `_`."""
    stream, leaves = Stream(), asyncio.Event()
    stream.reads.set()
    given = {"authorization": f"Bearer {KEYS[whose]}"} | {k.replace("_", "-"): v for k, v in headers.items()}

    async def receive() -> Message:
        if not received:
            received.append(True)
            return {"type": "http.request", "body": b"", "more_body": False}
        await leaves.wait()
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        await stream.reads.wait()
        if message["type"] == "http.response.start":
            stream.status = message["status"]
            stream.headers = {name.decode(): value.decode() for name, value in message["headers"]}
        else:
            stream.text += message.get("body", b"").decode()
            stream.ended = not message.get("more_body", False)
        stream.news.set()

    received: list[bool] = []
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": "/v1/live",
        "raw_path": b"/v1/live",
        "query_string": quote(query, safe="=&").encode(),
        "root_path": "",
        "headers": [(name.encode(), value.encode()) for name, value in given.items()],
        "client": ("127.0.0.1", 1),
        "server": ("api", 80),
    }
    serving = asyncio.create_task(app(scope, receive, send))
    try:
        await stream.until_true(lambda s: s.status is not None)
        yield stream
    finally:
        stream.reads.set()
        leaves.set()
        async with asyncio.timeout(5):
            await serving
