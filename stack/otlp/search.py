"""Which traces somebody asks for, by the parameters of Jaeger's query API in its third version."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, Span

from collector.domain.errors import InvalidFieldError
from stack.otlp.kept import KeptTraces, service_of, spans_of

DEPTH, DEEPEST = 20, 1_000
TRACE_ID = re.compile(r"[0-9a-fA-F]{1,32}")
DURATION = re.compile(r"(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)")
UNITS_NS = {"ns": 1, "us": 1_000, "µs": 1_000, "ms": 1_000_000, "s": 10**9, "m": 60 * 10**9, "h": 3_600 * 10**9}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a trace must have, all by one of its spans but for the time.

    Attributes:
        service: `service.name`; empty = any.
        operation: name of the span; empty = any.
        from_ns: no span begins earlier; nanoseconds since the epoch.
        to_ns: no span begins later.
        shortest_ns: how long the span lasted at least.
        depth: traces at most.
    """

    service: str
    operation: str
    from_ns: int
    to_ns: int
    shortest_ns: int = 0
    depth: int = DEPTH


def read_wanted(query: Mapping[str, str]) -> Wanted:
    """Read the parameters; those that only say how a store works (`query.raw_traces`) are passed over.

    Raises:
        InvalidFieldError: names the parameter.
    """
    return Wanted(
        service=query.get("query.service_name", ""),
        operation=query.get("query.operation_name", ""),
        from_ns=_instant_ns(query, "query.start_time_min"),
        to_ns=_instant_ns(query, "query.start_time_max"),
        shortest_ns=_duration_ns(query, "query.duration_min"),
        depth=_depth(query, "query.search_depth"),
    )


def read_trace_id(text: str) -> bytes:
    """The id of a trace; leading zeros may be left out, as Jaeger allows.

    Raises:
        InvalidFieldError: it is none.
    """
    if not TRACE_ID.fullmatch(text):
        raise InvalidFieldError("trace_id", f"{text[:80]!r} is not hexadecimal", "give up to 32 digits")
    return bytes.fromhex(text.zfill(32))


def find(traces: KeptTraces, wanted: Wanted) -> Iterator[list[ResourceSpans]]:
    """The traces that fit, in the order of `KeptTraces.newest`."""
    left = wanted.depth
    for parts in traces.newest():
        if left <= 0:
            return
        if any(_fits(part, span, wanted) for part, span in spans_of(parts)):
            left -= 1
            yield parts


def _fits(part: ResourceSpans, span: Span, wanted: Wanted) -> bool:
    return (
        wanted.service in ("", service_of(part.resource.attributes))
        and wanted.operation in ("", span.name)
        and wanted.from_ns <= span.start_time_unix_nano <= wanted.to_ns
        and span.end_time_unix_nano - span.start_time_unix_nano >= wanted.shortest_ns
    )


def _instant_ns(query: Mapping[str, str], name: str) -> int:
    text = query.get(name, "")
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        instant = None
    if instant is None or instant.tzinfo is None:
        raise InvalidFieldError(name, f"{text[:80]!r} is no instant", "write it like 2026-11-28T12:00:00Z")
    return int(instant.timestamp() * 1_000_000) * 1_000


def _duration_ns(query: Mapping[str, str], name: str) -> int:
    text = query.get(name, "")
    match = DURATION.fullmatch(text)
    if text and match is None:
        raise InvalidFieldError(name, f"{text[:80]!r} is no duration", "write it like 250ms")
    return 0 if match is None else int(float(match[1]) * UNITS_NS[match[2]])


def _depth(query: Mapping[str, str], name: str) -> int:
    text = query.get(name, "") or str(DEPTH)
    if not text.isdecimal() or not 1 <= int(text[:6]) <= DEEPEST:
        raise InvalidFieldError(name, f"{text[:80]!r} is out of range", f"give 1 to {DEEPEST}")
    return int(text)
