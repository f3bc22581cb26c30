"""The three signals of OTLP, and their messages as JSON."""

import base64
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from google.protobuf.json_format import MessageToDict, ParseDict, ParseError
from google.protobuf.message import Message
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2 as logs
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2 as metrics
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as traces

IDS = {"traceId", "spanId", "parentSpanId", "trace_id", "span_id", "parent_span_id"}
"""OTLP writes these in hexadecimal, where the JSON of Protobuf has base64."""


@dataclass(frozen=True, slots=True)
class Signal:
    """One signal.

    Attributes:
        name: `traces`, `metrics` or `logs`; by HTTP it comes to `/v1/<name>`.
        service: full name of its gRPC service, whose only method is `Export`.
        request: the message that is sent.
        response: the message that answers.
    """

    name: str
    service: str
    request: type[Message]
    response: type[Message]


_PACKAGE = "opentelemetry.proto.collector"
TRACES = Signal(
    "traces", f"{_PACKAGE}.trace.v1.TraceService", traces.ExportTraceServiceRequest, traces.ExportTraceServiceResponse
)
METRICS = Signal(
    "metrics",
    f"{_PACKAGE}.metrics.v1.MetricsService",
    metrics.ExportMetricsServiceRequest,
    metrics.ExportMetricsServiceResponse,
)
LOGS = Signal("logs", f"{_PACKAGE}.logs.v1.LogsService", logs.ExportLogsServiceRequest, logs.ExportLogsServiceResponse)
SIGNALS = (TRACES, METRICS, LOGS)


def to_json(message: Message) -> dict[str, Any]:
    """A message as OTLP's JSON: ids in hexadecimal, enumerations as numbers, 64-bit numbers as text."""
    document = MessageToDict(message, use_integers_for_enums=True)
    _rewrite(document, lambda text: base64.b64decode(text).hex())
    return document


def from_json(document: Any, kind: type[Message]) -> Message:
    """A message from OTLP's JSON; fields that are not known are passed over, as OTLP asks.

    Raises:
        ValueError: it is none.
    """
    try:
        _rewrite(document, lambda text: base64.b64encode(bytes.fromhex(text)).decode())
        return ParseDict(document, kind(), ignore_unknown_fields=True)
    except (ParseError, ValueError, TypeError, AttributeError) as error:
        raise ValueError(f"it is no {kind.__name__}: {str(error)[:300]}") from None


def _rewrite(node: Any, change: Callable[[str], str]) -> None:
    """Change the ids of a tree in its place; without recursion, which a deep tree would end."""
    left = [node]
    while left:
        node = left.pop()
        if isinstance(node, list):
            left.extend(node)
        elif isinstance(node, dict):
            for key, value in node.items():
                if key in IDS and isinstance(value, str):
                    node[key] = change(value)
                else:
                    left.append(value)
