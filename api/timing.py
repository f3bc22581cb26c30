"""How long requests take, for whoever measures them: by route, never by path, for a client chooses that."""

import time
from typing import Protocol

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from collector.domain.access_table import of_http

METHODS = frozenset(("GET", "POST", "PATCH", "DELETE", "PUT", "HEAD", "OPTIONS", "CONNECT", "TRACE"))
OTHER_METHOD = "_OTHER"
ENDLESS = "text/event-stream"
FAILED = 500


class EdgeMetrics(Protocol):
    """Whoever measures; called in the event loop, must be quick and not raise. All that is told is bounded."""

    def request(self, method: str, route: str, status: int, error: str, seconds: float) -> None:
        """A request of HTTP was answered.

        Args:
            method: `_OTHER` for one that HTTP does not know.
            route: template of the access table, `/v1/chambers/{chamber_id}`; empty = no operation has the path.
            status: of the answer.
            error: class of what was raised, or the status from 500 on; else empty.
            seconds: until the answer ended, of one without an end until it began.
        """
        ...

    def call(self, method: str, code: str, seconds: float) -> None:
        """A call of gRPC ended, or, of one that streams, began.

        Args:
            method: `chamberlog.v1.Chambers/GetChamber`; `_OTHER` when there is no such method.
            code: `OK`, `NOT_FOUND`, ...
            seconds: until then.
        """
        ...


class RequestTiming:
    """ASGI middleware around everything else: tells how each request ended."""

    def __init__(self, app: ASGIApp, metrics: EdgeMetrics) -> None:
        self._app, self._metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let it through, and tell of it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = _Request(scope, self._metrics)

        async def watched(message: Message) -> None:
            if message["type"] == "http.response.start":
                request.begins(message["status"], Headers(raw=message["headers"]).get("content-type", ""))
            await send(message)

        try:
            await self._app(scope, receive, watched)
        except Exception as error:
            request.ends(type(error).__name__)
            raise
        finally:
            request.ends()


class _Request:
    """One request; what is told first counts."""

    def __init__(self, scope: Scope, metrics: EdgeMetrics) -> None:
        self._scope, self._metrics = scope, metrics
        self._begun_s = time.perf_counter()
        self._status = 0
        self._told = False

    def begins(self, status: int, kind: str) -> None:
        self._status = status
        if kind.startswith(ENDLESS):
            self.ends()

    def ends(self, error: str = "") -> None:
        """Without a status it was broken off: nobody got an answer, or the framework answers for what was raised."""
        if self._told or not (self._status or error):
            return
        self._told = True
        method = self._scope["method"].upper()
        operation = of_http(method, self._scope["path"])
        route = operation.http[1] if operation is not None and operation.http is not None else ""
        status = self._status or FAILED
        wrong = error or (str(status) if status >= FAILED else "")
        seconds = time.perf_counter() - self._begun_s
        self._metrics.request(method if method in METHODS else OTHER_METHOD, route, status, wrong, seconds)
