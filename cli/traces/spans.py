"""Spans of a trace, read from OTLP's JSON as stores of traces write it."""

import base64
import binascii
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from collector.domain.instants import iso

ERRORS = (2, "STATUS_CODE_ERROR")
KINDS = ("unspecified", "internal", "server", "client", "producer", "consumer")
CHAMBER = "chamberlog.chamber"
HEXADECIMAL = frozenset("0123456789abcdef")
ID_DIGITS = (16, 32)


@dataclass(frozen=True, slots=True)
class Span:
    """One span.

    Attributes:
        trace_id: hexadecimal, as all ids.
        id: its own.
        parent: of the span that it continues; empty = it begins the trace.
        service: `service.name` of the process.
        name: what was done.
        kind: `server`, `client`, `internal` and so on.
        began_ns: nanoseconds since the epoch.
        ended_ns: likewise.
        failed: whether its status is an error.
        attributes: by their names.
        links: ids of other traces that it names.
    """

    trace_id: str
    id: str
    parent: str
    service: str
    name: str
    kind: str
    began_ns: int
    ended_ns: int
    failed: bool
    attributes: dict[str, Any]
    links: tuple[str, ...] = ()

    @property
    def lasted_ms(self) -> float:
        """How long."""
        return (self.ended_ns - self.began_ns) / 1e6


@dataclass(frozen=True, slots=True)
class Trace:
    """What a store has of a trace so far; at least one span.

    Attributes:
        spans: in the order in which they began.
    """

    spans: Sequence[Span]

    @property
    def id(self) -> str:
        """Hexadecimal."""
        return self.spans[0].trace_id

    @property
    def began_ns(self) -> int:
        """Of its first span."""
        return self.spans[0].began_ns

    @property
    def lasted_ms(self) -> float:
        """From its first span's beginning to the last end."""
        return (max(span.ended_ns for span in self.spans) - self.began_ns) / 1e6

    @property
    def services(self) -> list[str]:
        """In the order in which they came into it."""
        return list(dict.fromkeys(span.service for span in self.spans))

    @property
    def chamber(self) -> str | None:
        """The chamber that it is about, if it is about one."""
        return next((str(span.attributes[CHAMBER]) for span in self.spans if CHAMBER in span.attributes), None)

    @property
    def failed(self) -> bool:
        """Whether any of its spans failed."""
        return any(span.failed for span in self.spans)

    @property
    def ids(self) -> frozenset[str]:
        """Of its spans."""
        return frozenset(span.id for span in self.spans)

    def whole(self, caller: str = "") -> bool:
        """Whether no span is known by its children only; `caller` is a span that is in no store."""
        known = self.ids | {"", caller}
        return all(span.parent in known for span in self.spans)

    def tree(self) -> Iterator[tuple[int, Span]]:
        """Each span behind the one that it continues, and how deep it stands; one without a parent here is a root."""
        below: dict[str, list[Span]] = {}
        for span in self.spans:
            below.setdefault(span.parent if span.parent in self.ids else "", []).append(span)
        left = [(0, span) for span in reversed(below.pop("", []))]
        while left:
            depth, span = left.pop()
            yield depth, span
            left.extend((depth + 1, child) for child in reversed(below.pop(span.id, [])))

    def document(self) -> dict[str, Any]:
        """As `--json` prints it."""
        return self.heading() | {"spans": [self._shown(span) for span in self.spans]}

    def heading(self) -> dict[str, Any]:
        """The same without its spans, as a list has it."""
        first = self.spans[0]
        return {
            "trace_id": self.id,
            "started_at": iso(self.began_ns // 1_000_000),
            "duration_ms": self.lasted_ms,
            "service": first.service,
            "name": first.name,
            "services": self.services,
            "chamber": self.chamber,
            "failed": self.failed,
        }

    def _shown(self, span: Span) -> dict[str, Any]:
        return {
            "span_id": span.id,
            "parent_span_id": span.parent or None,
            "service": span.service,
            "name": span.name,
            "kind": span.kind,
            "offset_ms": (span.began_ns - self.began_ns) / 1e6,
            "duration_ms": span.lasted_ms,
            "failed": span.failed,
            "attributes": span.attributes,
            "links": list(span.links),
        }


def traces_of(document: Any) -> list[Trace]:
    """The traces of a store's answer, `{"result": {"resourceSpans": [...]}}`, the newest first.

    Raises:
        ValueError: it is none.
    """
    found: dict[str, list[Span]] = {}
    try:
        for part in document["result"].get("resourceSpans", []):
            service = str(_attributes(part.get("resource", {})).get("service.name", ""))
            for scope in part.get("scopeSpans", []):
                for sent in scope.get("spans", []):
                    span = _span(sent, service)
                    found.setdefault(span.trace_id, []).append(span)
    except (KeyError, TypeError, AttributeError, binascii.Error, IndexError) as error:
        raise ValueError(f"no traces: {type(error).__name__} {error}") from None
    traces = [Trace(sorted(_once(spans), key=lambda span: span.began_ns)) for spans in found.values()]
    return sorted(traces, key=lambda trace: trace.began_ns, reverse=True)


def _once(spans: Sequence[Span]) -> list[Span]:
    """A process that did not hear that its spans were taken sends them again."""
    return list({span.id: span for span in spans}.values())


def _span(sent: dict[str, Any], service: str) -> Span:
    return Span(
        trace_id=_id(sent["traceId"]),
        id=_id(sent["spanId"]),
        parent=_id(sent.get("parentSpanId", "")),
        service=service,
        name=str(sent.get("name", "")),
        kind=_kind(sent.get("kind", 0)),
        began_ns=int(sent["startTimeUnixNano"]),
        ended_ns=int(sent["endTimeUnixNano"]),
        failed=sent.get("status", {}).get("code") in ERRORS,
        attributes=_attributes(sent),
        links=tuple(_id(link["traceId"]) for link in sent.get("links", [])),
    )


def _id(text: str) -> str:
    """OTLP writes ids in hexadecimal; what goes by the JSON of Protobuf has them in base64."""
    lower = text.lower()
    if not text or (len(text) in ID_DIGITS and HEXADECIMAL.issuperset(lower)):
        return "" if set(lower) == {"0"} else lower
    return base64.b64decode(text, validate=True).hex()


def _kind(kind: int | str) -> str:
    return KINDS[kind] if isinstance(kind, int) else kind.removeprefix("SPAN_KIND_").lower()


def _attributes(holder: dict[str, Any]) -> dict[str, Any]:
    return {str(pair["key"]): _value(pair.get("value", {})) for pair in holder.get("attributes", [])}


def _value(value: dict[str, Any]) -> Any:
    kind: str
    inner: Any
    kind, inner = next(iter(value.items()), ("", None))
    if kind == "intValue":
        return int(inner)
    if kind == "arrayValue":
        return [_value(item) for item in inner.get("values", [])]
    return inner
