"""Spans by OpenTelemetry."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from contextvars import Token

from opentelemetry.context import Context, attach, detach
from opentelemetry.semconv.attributes.error_attributes import ERROR_TYPE
from opentelemetry.trace import (
    Link,
    NoOpTracerProvider,
    Span,
    Status,
    StatusCode,
    TracerProvider,
    get_current_span,
    set_span_in_context,
)
from opentelemetry.trace import SpanKind as OtelKind
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from collector.ports.tracing import (
    NO_TRACING,
    ROOT,
    Attribute,
    OpenSpan,
    SpanKind,
    Tracing,
    error_type_of,
)

TRACEPARENT = "traceparent"
KINDS = {SpanKind.INTERNAL: OtelKind.INTERNAL, SpanKind.CLIENT: OtelKind.CLIENT, SpanKind.SERVER: OtelKind.SERVER}
_FAILED = Status(StatusCode.ERROR)
"""Without a description: what an error says may quote what a device has answered."""
_W3C = TraceContextTextMapPropagator()
_NOWHERE = Context()


def make_tracing(provider: TracerProvider) -> Tracing:
    """Over the provider of a process; `NO_TRACING` where that makes no spans."""
    return NO_TRACING if isinstance(provider, NoOpTracerProvider) else OtelTracing(provider)


class OtelTracing:
    """`Tracing` over OpenTelemetry: its current span is that of OpenTelemetry's own context.

    Args:
        provider: makes the spans, and decides which are kept.
        now_ns: nanoseconds since the Unix epoch.
    """

    def __init__(self, provider: TracerProvider, now_ns: Callable[[], int] = time.time_ns) -> None:
        self._tracer, self._now_ns = provider.get_tracer("chamberlog"), now_ns

    def span(
        self,
        name: str,
        *,
        kind: SpanKind = SpanKind.INTERNAL,
        parent: str | None = None,
        links: Sequence[str] = (),
    ) -> AbstractContextManager[OpenSpan]:
        """See `Tracing.span`."""
        if parent is None and _is_dropped(get_current_span()):
            return NO_TRACING  # the current one stays current: what is logged in it has no trace either
        around = None if parent is None else _context_of(parent)
        span = self._tracer.start_span(
            name,
            around,
            KINDS[kind],
            links=_links(links) if links else (),
            start_time=self._now_ns(),
            record_exception=False,
            set_status_on_exception=False,
        )
        return _Opened(span, around, self._now_ns)

    def here(self) -> str:
        """See `Tracing.here`."""
        context = get_current_span().get_span_context()
        if not context.is_valid:
            return ""
        return f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"


class _Opened:
    """A span that is current while the block lasts."""

    __slots__ = ("_around", "_failed", "_now_ns", "_span", "_token", "kept")

    def __init__(self, span: Span, around: Context | None, now_ns: Callable[[], int]) -> None:
        self._span, self._around, self._now_ns = span, around, now_ns
        self.kept, self._failed = span.is_recording(), False
        self._token: Token[Context] | None = None

    def note(self, attributes: Mapping[str, Attribute]) -> None:
        self._span.set_attributes(attributes)

    def fail(self, error_type: str) -> None:
        if not self._failed:
            self._failed = True
            self._span.set_attribute(ERROR_TYPE, error_type)
            self._span.set_status(_FAILED)

    def __enter__(self) -> OpenSpan:
        self._token = attach(set_span_in_context(self._span, self._around))
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if error is not None:
            self.fail(error_type_of(error))
        if self._token is not None:
            detach(self._token)
        self._span.end(self._now_ns())


def _is_dropped(span: Span) -> bool:
    """Whether it is a span of this process that its trace does not keep."""
    context = span.get_span_context()
    return context.is_valid and not context.is_remote and not span.is_recording()


def _context_of(parent: str) -> Context:
    return _NOWHERE if parent == ROOT else _W3C.extract({TRACEPARENT: parent}, _NOWHERE)


def _links(contexts: Iterable[str]) -> Sequence[Link]:
    found = (get_current_span(_context_of(text)).get_span_context() for text in contexts)
    return [Link(context) for context in found if context.is_valid and context.trace_flags.sampled]
