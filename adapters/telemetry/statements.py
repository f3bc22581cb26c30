"""Spans of statements, made when they have ended: what a pool of connections tells of each."""

import re
import time
from collections.abc import Callable
from functools import lru_cache

from opentelemetry.semconv.attributes.error_attributes import ERROR_TYPE
from opentelemetry.trace import (
    NoOpTracerProvider,
    SpanKind,
    Status,
    StatusCode,
    TracerProvider,
    get_current_span,
)

from adapters.sql_attributes import sql_attributes

StatementTold = Callable[[str, float, str], None]
"""Text, how long its caller waited in seconds, and what went wrong: `error.type`, empty for nothing."""
QUIET = frozenset({"BEGIN"})
"""What takes no time of its own; a COMMIT waits for the disk."""
REMEMBERED = 512
MOST_TABLES = 3
STATEMENTS = frozenset({"SELECT", "INSERT", "UPDATE", "DELETE", "WITH"})
_FAILED = Status(StatusCode.ERROR)
_NOISE = re.compile(r"--[^\n]*|/\*.*?\*/|'(?:[^']|'')*'|\bFOR (?:NO KEY )?UPDATE\b|\bDISTINCT FROM\b", re.DOTALL)
_FIRST = re.compile(r"\s*\(*\s*([A-Za-z]+)")
_DEED = re.compile(r"\b(INSERT|DELETE|UPDATE)\s+(?:INTO\s+|FROM\s+)?(?:ONLY\s+)?([a-z_][a-z0-9_]*)", re.IGNORECASE)
_TABLE = re.compile(
    r"\b(?:INTO\s+([a-z_][a-z0-9_]*)|(?:FROM|JOIN|UPDATE)\s+(?:ONLY\s+)?([a-z_][a-z0-9_]*)\b(?!\s*[.(]))", re.IGNORECASE
)
"""Behind INTO columns stand in brackets; elsewhere what has brackets is a function."""
_NAMED = re.compile(r"(?:\bWITH(?:\s+RECURSIVE)?|,)\s*([a-z_][a-z0-9_]*)(?:\s*\([^)]*\))?\s+AS\b", re.IGNORECASE)
_NO_TABLES = frozenset({"lateral", "unnest", "set", "skip", "of", "nowait"})


def tell_statements(provider: TracerProvider) -> StatementTold | None:
    """Makes a span of each statement within a span that is kept; None where nothing is traced."""
    return None if isinstance(provider, NoOpTracerProvider) else OtelStatements(provider)


class OtelStatements:
    """Spans of kind client, named by operation and tables, without a statement's text and values.

    A statement outside of any span makes none: what a process does by itself fills no store of traces.

    Args:
        provider: makes the spans.
        now_ns: nanoseconds since the Unix epoch.
    """

    def __init__(self, provider: TracerProvider, now_ns: Callable[[], int] = time.time_ns) -> None:
        self._tracer, self._now_ns = provider.get_tracer("chamberlog"), now_ns

    def __call__(self, statement: str, elapsed_s: float, error: str) -> None:
        """A statement has ended just now; the current span is that of its caller, who may have gone on already."""
        around = get_current_span().get_span_context()
        if not around.is_valid or around.is_remote or not around.trace_flags.sampled:
            return
        summary = summary_of(statement)
        if summary in QUIET:
            return
        ended_ns = self._now_ns()
        span = self._tracer.start_span(
            summary,
            kind=SpanKind.CLIENT,
            attributes=sql_attributes(summary),
            start_time=ended_ns - int(elapsed_s * 1e9),
        )
        if error:
            span.set_attribute(ERROR_TYPE, error)
            span.set_status(_FAILED)
        span.end(ended_ns)


@lru_cache(REMEMBERED)
def summary_of(statement: str) -> str:
    """Operation and tables, `SELECT chamber section`: what is written comes first; what a WITH names is no table."""
    text = _NOISE.sub(" ", statement)
    first = _FIRST.match(text)
    word = first[1].upper() if first else "_OTHER"
    if word not in STATEMENTS:
        return word
    deeds = [(deed.upper(), table) for deed, table in _DEED.findall(text) if table.lower() != "set"]
    if word == "WITH":
        word = deeds[0][0] if deeds else "SELECT"
    named = {name.lower() for name in _NAMED.findall(text)} | _NO_TABLES
    written = [table for deed, table in deeds if deed == word]
    tables = dict.fromkeys([*written[:1], *(one or other for one, other in _TABLE.findall(text))])
    return " ".join([word, *[name for name in tables if name.lower() not in named][:MOST_TABLES]])
