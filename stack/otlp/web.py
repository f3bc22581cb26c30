"""OTLP by HTTP, and the questions that are asked of what was kept.

| request | what |
|---|---|
| `POST /v1/traces`, `/v1/metrics`, `/v1/logs` | OTLP, `application/x-protobuf` or `application/json`, also in gzip |
| `GET /api/v3/traces/{trace_id}` | one trace, in the shape of Jaeger's query API: `{"result": {"resourceSpans": [...]}}` |
| `GET /api/v3/traces?query.service_name=&query.start_time_min=&query.start_time_max=` | the newest that fit; also `query.operation_name`, `query.duration_min`, `query.search_depth` |
| `GET /api/v3/services` | `{"services": [...]}` |
| `GET /metrics.json?service=&name=` | the newest report of each metric: `{"resourceMetrics": [...]}` |
| `GET /logs.json?service=&trace_id=&limit=` | the newest records: `{"resourceLogs": [...]}` |
| `GET /readyz` | 200, with counts |
"""  # noqa: E501  # a table

import json
import zlib
from collections.abc import Awaitable, Callable
from typing import Any

from google.protobuf.message import DecodeError, Message
from google.rpc.status_pb2 import Status
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from collector.domain.errors import InvalidFieldError
from stack.otlp import search
from stack.otlp.kept import Kept, service_of
from stack.otlp.signals import SIGNALS, Signal, from_json, to_json
from stack.otlp.taking import MOST_BYTES

PROTOBUF, JSON = "application/x-protobuf", "application/json"
GZIP_WINDOW = 31
"""zlib's for gzip alone."""
LOGS, MOST_LOGS = 100, 10_000
INVALID_ARGUMENT = 3
Endpoint = Callable[[Request], Awaitable[Response]]


class _RefusedError(Exception):
    """What was sent cannot be taken.

    Attributes:
        status: of the answer.
    """

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


def web_app(kept: Kept) -> Starlette:
    """The application over what is kept."""
    takers = [Route(f"/v1/{signal.name}", _taking(kept, signal), methods=["POST"]) for signal in SIGNALS]
    questions: dict[str, Callable[[Kept, Request], Response]] = {
        "/api/v3/traces/{trace_id}": _trace,
        "/api/v3/traces": _traces,
        "/api/v3/services": _services,
        "/metrics.json": _metrics,
        "/logs.json": _logs,
        "/readyz": _ready,
    }
    return Starlette(routes=[*takers, *(Route(path, _asking(kept, answer)) for path, answer in questions.items())])


def _taking(kept: Kept, signal: Signal) -> Endpoint:
    async def take(request: Request) -> Response:
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        try:
            _check_kind(kind)
            body = _unpacked(await _body(request), request.headers.get("content-encoding", "identity").lower())
            kept.take(_read(body, kind, signal.request))
        except _RefusedError as refused:
            return _told(Status(code=INVALID_ARGUMENT, message=str(refused)), kind, refused.status)
        return _told(signal.response(), kind)

    return take


def _check_kind(kind: str) -> None:
    if kind not in (PROTOBUF, JSON):
        raise _RefusedError(415, f"{kind[:80]!r} is not {PROTOBUF} or {JSON}")


async def _body(request: Request) -> bytes:
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > MOST_BYTES:
            raise _RefusedError(413, f"it is longer than {MOST_BYTES} bytes")
    return bytes(body)


def _unpacked(body: bytes, encoding: str) -> bytes:
    if encoding == "identity":
        return body
    if encoding != "gzip":
        raise _RefusedError(415, f"{encoding[:80]!r} is not gzip or identity")
    unpacking = zlib.decompressobj(GZIP_WINDOW)
    try:
        text = unpacking.decompress(body, MOST_BYTES)
    except zlib.error as error:
        raise _RefusedError(400, f"it is no gzip: {error}") from None
    if unpacking.unconsumed_tail:
        raise _RefusedError(413, f"unpacked it is longer than {MOST_BYTES} bytes")
    if not unpacking.eof:
        raise _RefusedError(400, "its gzip has no end")
    return text


def _read(body: bytes, kind: str, message: type[Message]) -> Message:
    try:
        if kind == JSON:
            return from_json(json.loads(body), message)
        return message.FromString(body)
    except (ValueError, RecursionError, DecodeError) as error:
        raise _RefusedError(400, str(error)) from None


def _told(message: Message, kind: str, status: int = 200) -> Response:
    """In the form in which it was asked."""
    if kind == JSON:
        return JSONResponse(to_json(message), status)
    return Response(message.SerializeToString(), status, media_type=PROTOBUF)


def _asking(kept: Kept, answer: Callable[[Kept, Request], Response]) -> Endpoint:
    async def ask(request: Request) -> Response:
        try:
            return answer(kept, request)
        except InvalidFieldError as error:
            return _failed(400, str(error))

    return ask


def _failed(status: int, message: str) -> Response:
    """In Jaeger's words."""
    return JSONResponse({"error": {"httpCode": status, "message": message}}, status)


def _trace(kept: Kept, request: Request) -> Response:
    parts = kept.traces.find(search.read_trace_id(request.path_params["trace_id"]))
    return _result(parts) if parts else _failed(404, "No traces found")


def _traces(kept: Kept, request: Request) -> Response:
    found = list(search.find(kept.traces, search.read_wanted(request.query_params)))
    return _result([part for parts in found for part in parts]) if found else _failed(404, "No traces found")


def _result(parts: list[Any]) -> Response:
    return JSONResponse({"result": {"resourceSpans": [to_json(part) for part in parts]}})


def _services(kept: Kept, _: Request) -> Response:
    named = {service_of(part.resource.attributes) for parts in kept.traces.newest() for part in parts}
    return JSONResponse({"services": sorted(named)})


def _metrics(kept: Kept, request: Request) -> Response:
    query = request.query_params
    found = kept.metrics.newest(query.get("service"), query.get("name"))
    return JSONResponse({"resourceMetrics": [to_json(one) for one in found]})


def _logs(kept: Kept, request: Request) -> Response:
    query = request.query_params
    limit = query.get("limit") or str(LOGS)
    if not limit.isdecimal() or not 1 <= int(limit[:6]) <= MOST_LOGS:
        raise InvalidFieldError("limit", f"{limit[:80]!r} is out of range", f"give 1 to {MOST_LOGS}")
    trace_id = search.read_trace_id(query["trace_id"]) if "trace_id" in query else None
    found = kept.logs.newest(int(limit), query.get("service"), trace_id)
    return JSONResponse({"resourceLogs": [to_json(one) for one in found]})


def _ready(kept: Kept, _: Request) -> Response:
    counts = {"spans": kept.traces.spans, "dropped_spans": kept.traces.dropped}
    return JSONResponse({**counts, "metric_reports": kept.metrics.reports, "log_records": kept.logs.records})
