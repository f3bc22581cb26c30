"""The span of each call that was admitted, by OpenTelemetry's conventions for remote procedure calls."""

from contextlib import AbstractContextManager
from typing import Final

import grpc

from api.grpc.call import Call
from api.spans import parent_of, told
from collector.domain.access_table import PACKAGE
from collector.domain.event_texts import TARGET_LIMIT
from collector.ports.tracing import NO_TRACING, OpenSpan, SpanKind, Tracing
from collector.usecases.identify import Headers, value_of

OURS: Final = f"/{PACKAGE}."
FAULTS = frozenset(
    {
        grpc.StatusCode.DATA_LOSS,
        grpc.StatusCode.DEADLINE_EXCEEDED,
        grpc.StatusCode.INTERNAL,
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.UNIMPLEMENTED,
        grpc.StatusCode.UNKNOWN,
    }
)
"""Codes by which a server fails; by the others it says what is wrong with the call."""


def call_span(tracing: Tracing, name: str, call: Call, metadata: Headers) -> AbstractContextManager[OpenSpan]:
    """The span of a call; one that nobody keeps for health and reflection.

    Args:
        tracing: opens it.
        name: `/chamberlog.v1.Chambers/GetChamber`.
        call: as it was admitted.
        metadata: all that came with it.
    """
    operation = call.admission.operation
    if operation is None or not name.startswith(OURS):
        return NO_TRACING
    parent = parent_of(call.admission, lambda header: value_of(metadata, header))
    return tracing.span(name.removeprefix("/"), kind=SpanKind.SERVER, parent=parent)


def note_call(span: OpenSpan, name: str, call: Call, request: object, code: grpc.StatusCode) -> None:
    """Say in a span what was called, for whom, and how it ended."""
    operation = call.admission.operation
    if not span.kept or operation is None:
        return
    chamber = str(getattr(request, "chamber_id", "") or "")[:TARGET_LIMIT]  # of a message it may be megabytes
    span.note({"rpc.system.name": "grpc", "rpc.method": name.removeprefix("/"), "rpc.response.status_code": code.name})
    span.note(told(operation, call.admission, f"chamber/{chamber}" if chamber else ""))
    if code in FAULTS:
        span.fail(code.name)
