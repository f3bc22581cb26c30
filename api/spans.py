"""The span of each request that was admitted: what it was, for whom, and how it ended."""

from collections.abc import Callable

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.guard import GUARDED
from collector.domain.access import Operation, Traffic
from collector.domain.event_texts import target_of
from collector.ports.tracing import ROOT, Attribute, SpanKind, Tracing
from collector.usecases.admit import Admission
from collector.usecases.identify import ASSERTION
from edge.tracing import gateway_traces

TRACEPARENT, REQUEST_ID = "traceparent", "x-request-id"
CHAMBER = "chamber/"
FAILED_FROM = 500


class RequestSpans:
    """ASGI middleware behind the gate, so that nobody who was refused leaves a span.

    A stream has none: it would last for hours. Nor have probes, pages and `/metrics`, which nobody is admitted to.
    """

    def __init__(self, app: ASGIApp, tracing: Tracing) -> None:
        self._app, self._tracing = app, tracing

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Open the span of the operation that was admitted."""
        admission = scope.get("state", {}).get("admission")
        operation = admission.operation if isinstance(admission, Admission) else None
        if operation is None or not _is_shown(operation):
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        theirs = headers.get(TRACEPARENT, "")
        parent = parent_of(admission, headers.get)
        with self._tracing.span(
            _name_of(operation), kind=SpanKind.SERVER, parent=parent, links=_links(parent, theirs)
        ) as span:
            if not span.kept:
                await self._app(scope, receive, send)
                return
            span.note(_asked(operation, admission, scope["path"]))

            async def noted(message: Message) -> None:
                if message["type"] == "http.response.start":
                    span.note({"http.response.status_code": message["status"]})
                    if message["status"] >= FAILED_FROM:
                        span.fail(str(message["status"]))
                await send(message)

            await self._app(scope, receive, noted)


def parent_of(admission: Admission, header: Callable[[str], str | None]) -> str:
    """The context that a request's span continues; `ROOT` = it begins a trace of its own, kept or not by chance.

    Whoever is known may have a trace kept: their requests are counted. Of anybody else only the gateway's decision
    is believed.

    Args:
        admission: of the request.
        header: the value of a header; None = it was not sent. A signature that is not the gateway's would not have been
            admitted.
    """
    theirs = header(TRACEPARENT) or ROOT
    if admission.principal is not None or (header(ASSERTION) and gateway_traces(header(REQUEST_ID))):
        return theirs
    return ROOT


def _links(parent: str, theirs: str) -> tuple[str, ...]:
    return () if parent == theirs else (theirs,)


def _is_shown(operation: Operation) -> bool:
    is_ours = operation.http is not None and operation.http[1].startswith(GUARDED)
    return is_ours and operation.traffic is not Traffic.STREAM


def _name_of(operation: Operation) -> str:
    """`POST /v1/chambers/{chamber_id}/collect`."""
    return " ".join(operation.http or ())


def _asked(operation: Operation, admission: Admission, path: str) -> dict[str, Attribute]:
    method, route = operation.http or ("", "")
    return {"http.request.method": method, "http.route": route} | told(operation, admission, target_of(operation, path))


def told(operation: Operation, admission: Admission, target: str = "") -> dict[str, Attribute]:
    """What a span says of an operation, however it was asked for.

    Args:
        operation: its row of the access table.
        admission: who asks.
        target: `chamber/incubator-3`; empty = it is about nothing in particular.
    """
    found: dict[str, Attribute] = {"chamberlog.operation": operation.name}
    if admission.principal is not None:
        found["chamberlog.organization"] = admission.principal.organization
        found["chamberlog.subject"] = admission.principal.subject
    if target.startswith(CHAMBER):
        found["chamberlog.chamber"] = target.removeprefix(CHAMBER)
    return found
