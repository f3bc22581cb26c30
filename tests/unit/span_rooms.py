"""Both tracings behind one face: what was opened, and what of it is there to be seen."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON, ParentBased
from opentelemetry.trace import SpanContext, StatusCode

from adapters.memory import InMemoryTracing, KeptSpan
from adapters.telemetry import OtelTracing
from collector.ports import Tracing


class CountedIds(IdGenerator):
    """Ids in the order in which they are asked for."""

    def __init__(self) -> None:
        self._traces = self._spans = 0

    def generate_span_id(self) -> int:
        self._spans += 1
        return self._spans

    def generate_trace_id(self) -> int:
        self._traces += 1
        return self._traces


@dataclass(slots=True)
class Ticking:
    """A clock that is moved by hand."""

    ms: int = 1_772_366_400_000

    def now_ms(self) -> int:
        return self.ms

    def now_ns(self) -> int:
        return self.ms * 1_000_000


@dataclass(frozen=True, slots=True)
class SeenSpan:
    """A span that somebody sees."""

    name: str
    kind: str
    context: str
    parent: str
    links: tuple[str, ...]
    attributes: Mapping[str, object]
    error: str
    began_ms: int
    ended_ms: int

    @property
    def trace(self) -> str:
        return self.context[3:35]


@dataclass(slots=True)
class SpanRoom:
    """A tracing, and what it has shown so far, in the order of the ends."""

    tracing: Tracing
    seen: Callable[[], list[SeenSpan]]
    clock: Ticking

    def named(self, name: str) -> list[SeenSpan]:
        return [span for span in self.seen() if span.name == name]

    def tree(self) -> list[str]:
        """`parent > name` of each, in the order in which they were opened; a parent that nobody sees is `?`."""
        names = {span.context: span.name for span in self.seen()}
        found = sorted(self.seen(), key=lambda span: span.context[36:52])
        return [f"{names.get(s.parent, '?')} > {s.name}" if s.parent else s.name for s in found]

    def only(self, name: str) -> SeenSpan:
        (span,) = self.named(name)
        return span


def memory_spans(*, keeps: bool = True) -> SpanRoom:
    """The twin; `keeps`: traces that begin here are kept."""
    clock = Ticking()
    twin = InMemoryTracing(lambda _: keeps, clock.now_ms)
    return SpanRoom(twin, lambda: [_of_twin(span) for span in twin.spans], clock)


def otel_spans(*, keeps: bool = True, now_ms: Callable[[], int] | None = None) -> SpanRoom:
    """OpenTelemetry's SDK, with its spans in memory; in another's time, if wanted."""
    clock, exporter = Ticking(), InMemorySpanExporter()
    now_ns = clock.now_ns if now_ms is None else lambda: now_ms() * 1_000_000
    sampler = ParentBased(ALWAYS_ON if keeps else ALWAYS_OFF)
    provider = TracerProvider(sampler, id_generator=CountedIds(), shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    tracing = OtelTracing(provider, now_ns)
    return SpanRoom(tracing, lambda: [_of_otel(span) for span in exporter.get_finished_spans()], clock)


def _of_twin(span: KeptSpan) -> SeenSpan:
    return SeenSpan(
        span.name,
        span.kind.value,
        span.context,
        span.parent,
        span.links,
        span.attributes,
        span.error,
        span.began_ms,
        span.ended_ms,
    )


def _of_otel(span: ReadableSpan) -> SeenSpan:
    attributes = dict(span.attributes or {})
    error = str(attributes.pop("error.type", ""))
    assert (span.status.status_code is StatusCode.ERROR) == bool(error)
    assert (span.status.description, span.events) == (None, ())  # they would quote errors
    assert span.context is not None
    assert span.start_time is not None
    assert span.end_time is not None
    return SeenSpan(
        span.name,
        span.kind.name.lower(),
        _text(span.context),
        _text(span.parent) if span.parent else "",
        tuple(_text(link.context) for link in span.links),
        attributes,
        error,
        span.start_time // 1_000_000,
        span.end_time // 1_000_000,
    )


def _text(context: SpanContext) -> str:
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"
