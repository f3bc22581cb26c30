"""What the receiver keeps, in memory and no more than so much; the oldest goes first."""

from collections import OrderedDict, deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from google.protobuf.message import Message
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.logs.v1.logs_pb2 import ResourceLogs
from opentelemetry.proto.metrics.v1.metrics_pb2 import ResourceMetrics
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, Span

TRACE_BYTES, METRIC_BYTES, LOG_BYTES = 64_000_000, 16_000_000, 16_000_000
"""Of the messages as they are sent, and `PART_BYTES` for each; in memory they take two to four times as much."""
PART_BYTES = 1_000
"""What a message of its own costs, however little is in it: a span of 80 bytes takes 2 KB."""
ONE_TRACE_BYTES = 4_000_000
"""A trace that never ends must not push all others out."""


@dataclass(slots=True)
class _Trace:
    parts: list[ResourceSpans] = field(default_factory=list)
    size: int = 0


class KeptTraces:
    """Spans by trace. Spans that come twice are kept twice, as a store of traces does.

    Args:
        limit: bytes of all; the trace that began first goes first.
        one: bytes of one trace; what comes beyond is counted in `dropped`.
    """

    def __init__(self, limit: int = TRACE_BYTES, one: int = ONE_TRACE_BYTES) -> None:
        self._limit, self._one, self._size = limit, one, 0
        self._traces: OrderedDict[bytes, _Trace] = OrderedDict()
        self.spans = self.dropped = 0

    def take(self, request: ExportTraceServiceRequest) -> None:
        """Keep the spans of a request."""
        for sent in request.resource_spans:
            for trace_id, part in _by_trace(sent).items():
                self._add(trace_id, part)

    def find(self, trace_id: bytes) -> list[ResourceSpans]:
        """What has come of a trace so far; nothing when it is not known."""
        trace = self._traces.get(trace_id)
        return [] if trace is None else list(trace.parts)

    def newest(self) -> Iterator[list[ResourceSpans]]:
        """The traces, the one that began last first, by what came here."""
        for trace in reversed(list(self._traces.values())):
            yield list(trace.parts)

    def _add(self, trace_id: bytes, part: ResourceSpans) -> None:
        size, spans = _size(part), sum(len(scope.spans) for scope in part.scope_spans)
        trace = self._traces.get(trace_id) or _Trace()
        if trace.size + size > self._one:
            self.dropped += spans
            return
        self._traces.setdefault(trace_id, trace)
        trace.parts.append(part)
        trace.size += size
        self._size += size
        self.spans += spans
        while self._size > self._limit:
            self._size -= self._traces.popitem(last=False)[1].size


class KeptMetrics:
    """The newest report of each metric of each process; what `/metrics` would say, by the other way.

    Args:
        limit: bytes of all; the metric that was not heard of for longest goes first.
    """

    def __init__(self, limit: int = METRIC_BYTES) -> None:
        self._limit, self._size = limit, 0
        self._metrics: OrderedDict[tuple[bytes, str, str], ResourceMetrics] = OrderedDict()
        self.reports = 0

    def take(self, request: ExportMetricsServiceRequest) -> None:
        """Keep what a request reports, in place of the report before."""
        self.reports += 1
        for sent in request.resource_metrics:
            process = sent.resource.SerializeToString(deterministic=True)
            for scope in sent.scope_metrics:
                for metric in scope.metrics:
                    one = ResourceMetrics(resource=sent.resource)
                    one.scope_metrics.add(scope=scope.scope).metrics.append(metric)
                    self._put((process, scope.scope.name, metric.name), one)

    def newest(self, service: str | None = None, name: str | None = None) -> list[ResourceMetrics]:
        """The reports of one service, or of all; of one metric, or of all."""
        return [
            one
            for (_, _, metric), one in self._metrics.items()
            if name in (None, metric) and service in (None, service_of(one.resource.attributes))
        ]

    def _put(self, key: tuple[bytes, str, str], one: ResourceMetrics) -> None:
        before = self._metrics.pop(key, None)
        self._size += _size(one) - (_size(before) if before is not None else 0)
        self._metrics[key] = one
        while self._size > self._limit:
            self._size -= _size(self._metrics.popitem(last=False)[1])


class KeptLogs:
    """Log records in the order in which they came.

    Args:
        limit: bytes of all; the oldest goes first.
    """

    def __init__(self, limit: int = LOG_BYTES) -> None:
        self._limit, self._size = limit, 0
        self._records: deque[ResourceLogs] = deque()
        self.records = 0

    def take(self, request: ExportLogsServiceRequest) -> None:
        """Keep the records of a request."""
        for sent in request.resource_logs:
            for scope in sent.scope_logs:
                for record in scope.log_records:
                    one = ResourceLogs(resource=sent.resource)
                    one.scope_logs.add(scope=scope.scope).log_records.append(record)
                    self._records.append(one)
                    self._size += _size(one)
                    self.records += 1
        while self._size > self._limit:
            self._size -= _size(self._records.popleft())

    def newest(self, limit: int, service: str | None = None, trace_id: bytes | None = None) -> list[ResourceLogs]:
        """The newest records that fit, the oldest of them first."""
        found: list[ResourceLogs] = []
        for one in reversed(self._records):
            if len(found) >= limit:
                break
            of_trace = one.scope_logs[0].log_records[0].trace_id
            if service in (None, service_of(one.resource.attributes)) and trace_id in (None, of_trace):
                found.append(one)
        return found[::-1]


@dataclass(frozen=True, slots=True)
class Kept:
    """All that is kept."""

    traces: KeptTraces = field(default_factory=KeptTraces)
    metrics: KeptMetrics = field(default_factory=KeptMetrics)
    logs: KeptLogs = field(default_factory=KeptLogs)

    def take(self, request: Any) -> None:
        """Keep what a request of any signal brings."""
        match request:
            case ExportTraceServiceRequest():
                self.traces.take(request)
            case ExportMetricsServiceRequest():
                self.metrics.take(request)
            case ExportLogsServiceRequest():
                self.logs.take(request)


def service_of(attributes: Iterable[KeyValue]) -> str:
    """`service.name` of a resource, empty when it has none."""
    return next((pair.value.string_value for pair in attributes if pair.key == "service.name"), "")


def spans_of(parts: Iterable[ResourceSpans]) -> Iterator[tuple[ResourceSpans, Span]]:
    """Each span with what it came in."""
    for part in parts:
        for scope in part.scope_spans:
            for span in scope.spans:
                yield part, span


def _size(part: Message) -> int:
    return PART_BYTES + part.ByteSize()


def _by_trace(sent: ResourceSpans) -> dict[bytes, ResourceSpans]:
    found: dict[bytes, ResourceSpans] = {}
    for scope in sent.scope_spans:
        for span in scope.spans:
            part = found.get(span.trace_id)
            if part is None:
                part = found[span.trace_id] = ResourceSpans(resource=sent.resource, schema_url=sent.schema_url)
            if not part.scope_spans or part.scope_spans[-1].scope != scope.scope:
                part.scope_spans.add(scope=scope.scope, schema_url=scope.schema_url)
            part.scope_spans[-1].spans.append(span)
    return found
