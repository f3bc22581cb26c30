"""The authz service as an ASGI application: Envoy's question, and what probes and scrapers ask.

| path | what |
|---|---|
| `/authz<path>` | 200 with identity headers: Envoy lets the client's request pass; any other status: Envoy answers so |
| `/healthz`, `/readyz`, `/metrics` | as of the API |

Of the answer, Envoy passes on `x-chamberlog-*` to the API (`allowed_upstream_headers`); to the client `ratelimit` and
`ratelimit-policy` (`allowed_client_headers_on_success`), and of a refusal `www-authenticate`, `content-type`,
`retry-after`, `ratelimit` and `ratelimit-policy` besides its body (`allowed_client_headers`). Envoy takes a 5xx for a
fault of this service and answers `status_on_error` in its own words.
"""

import json
import logging
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from collector.domain.access import Operation
from collector.domain.errors import ChamberlogError
from collector.domain.event_texts import target_of
from collector.ports import NO_TRACING, OpenSpan, SpanKind, Tracing
from collector.ports.assertions import Assertion, AssertionSigner
from collector.ports.events import Source
from collector.ports.limits import GateMetrics
from collector.ports.tracing import ROOT
from collector.usecases.admit import Admission, Admit, traffic_of
from collector.usecases.events import Told
from collector.usecases.readiness import CheckReadiness
from edge.problem_documents import MEDIA_TYPE, RETRY_AFTER_S, Refusal, problem_document, refusal_of
from edge.rate_headers import rate_headers
from edge.tracing import gateway_traces
from gateway.asked import PREFIX, ask_of, operation_of, takes_basic

FAILED_FROM = 500
NOBODY = "-"
"""In place of a name: a header without a value would let a client's own pass."""
BASIC = 'Basic realm="chamberlog: any name, and the key of a super-administrator as password", charset="UTF-8"'

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthzServices:
    """What the application needs."""

    admit: Admit
    signer: AssertionSigner
    readiness: CheckReadiness
    metrics: GateMetrics
    exposed: Callable[[str], tuple[bytes, str]]
    tracing: Tracing = NO_TRACING


class AuthzApp:
    """ASGI application without a lifespan."""

    def __init__(self, services: AuthzServices) -> None:
        self._services = services

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; what is asked of a client's body was never sent."""
        assert scope["type"] == "http"
        response = await self._answer(scope)
        await response(scope, receive, send)

    async def _answer(self, scope: Scope) -> Response:
        path: str = scope["path"]
        if path == PREFIX or path.startswith(PREFIX + "/"):
            return await self._timed(scope)
        match path:
            case "/healthz":
                return _document(200, {"status": "alive"})
            case "/readyz":
                return await self._ready()
            case "/metrics":
                body, content_type = self._services.exposed(Headers(scope=scope).get("accept", ""))
                return Response(body, headers={"Content-Type": content_type})
        remedy = f"ask for {PREFIX}<path>, /healthz, /readyz or /metrics"
        return _problem(Refusal(404, f"there is no {path}", ("path", f"there is no {path}", remedy)))

    async def _timed(self, scope: Scope) -> Response:
        begun_s = time.perf_counter()
        with self._span(scope) as span:
            response = await self._judged(scope)
            note_judgement(span, operation_of(scope["method"], scope["path"]), response)
        self._services.metrics.answered(response.status_code, (time.perf_counter() - begun_s) * 1000)
        return response

    def _span(self, scope: Scope) -> AbstractContextManager[OpenSpan]:
        """Of what the gateway traces, and of nothing else: what a client writes into `traceparent` decides nothing."""
        headers = Headers(scope=scope)
        if not gateway_traces(headers.get("x-request-id")):
            return NO_TRACING
        return self._services.tracing.span("authorize", kind=SpanKind.SERVER, parent=headers.get("traceparent", ROOT))

    async def _judged(self, scope: Scope) -> Response:
        operation = operation_of(scope["method"], scope["path"])
        client = scope.get("client")
        ask = replace(
            ask_of(operation, Headers(scope=scope).items(), client[0] if client else ""),
            told=_told(operation, scope["path"]),
        )
        try:
            admission = await self._services.admit(ask)
        except ChamberlogError as error:
            response = _refused(error, operation)
            return _of_grpc(response) if _is_grpc(scope) else response
        return Response(status_code=200, headers=self._identity(admission) | _limit(admission))

    def _identity(self, admission: Admission) -> dict[str, str]:
        who, operation = admission.principal, admission.operation
        assertion = Assertion(
            operation="" if operation is None else operation.name, principal=who, address=admission.address
        )
        return {
            "x-chamberlog-subject": who.subject if who else NOBODY,
            "x-chamberlog-organization": who.organization if who else NOBODY,
            "x-chamberlog-role": who.role.value if who else NOBODY,
            "x-chamberlog-assertion": self._services.signer.sign(assertion),
        }

    async def _ready(self) -> Response:
        away = await self._services.readiness()
        if not away:
            return _document(200, {"status": "ready"})
        detail, headers = f"away: {', '.join(away)}", {"Retry-After": str(RETRY_AFTER_S)}
        return _problem(Refusal(503, detail, (away[0], "it is away", "see that it runs"), headers))


def note_judgement(span: OpenSpan, operation: Operation | None, response: Response) -> None:
    """Say in a span what was asked for, for whom, and how it was answered; a refusal is no fault."""
    if not span.kept:
        return
    span.note({"http.response.status_code": response.status_code})
    if operation is not None:
        span.note({"chamberlog.operation": operation.name})
    for name in ("subject", "organization"):
        said = response.headers.get(f"x-chamberlog-{name}", NOBODY)
        if said != NOBODY:
            span.note({f"chamberlog.{name}": said})
    if response.status_code >= FAILED_FROM:
        span.fail(str(response.status_code))


def _refused(error: ChamberlogError, operation: Operation | None) -> Response:
    refusal = refusal_of(error)
    if refusal is None:
        log.error("an error of the core that the gate does not know", exc_info=error)
        return _problem(Refusal(500, "this is a bug of chamberlog; the log of the authz service has the details"))
    basic = refusal.status == 401 and takes_basic(operation)
    return _problem(refusal, {"WWW-Authenticate": BASIC} if basic else {})


def _told(operation: Operation | None, path: str) -> Told:
    """By the path: a content type is the caller's to choose, and would leave what was asked about out of the event."""
    asked = path.removeprefix(PREFIX)
    if operation is None:
        return Told()
    return Told(source=Source.GRPC) if asked == operation.grpc else Told(target=target_of(operation, asked))


def _is_grpc(scope: Scope) -> bool:
    return Headers(scope=scope).get("content-type", "").startswith("application/grpc")


def _of_grpc(refused: Response) -> Response:
    """The detail alone: Envoy makes it the message of a status, beside which a document has no room."""
    headers = {name: value for name, value in refused.headers.items() if not name.startswith("content-")}
    return Response(json.loads(bytes(refused.body))["detail"], refused.status_code, headers, "text/plain")


def _limit(admission: Admission) -> dict[str, str]:
    rate = admission.rate
    if rate is None:
        return {}
    name = traffic_of(admission.operation).value
    return rate_headers(name, rate.limit, rate.window_s, remaining=rate.remaining, reset_s=rate.reset_s)


def _problem(refusal: Refusal, instead: dict[str, str] | None = None) -> Response:
    faults = [] if refusal.fault is None else [refusal.fault]
    document = problem_document(refusal.status, refusal.detail, faults)
    headers = {**refusal.headers, **(instead or {})}
    return _document(refusal.status, document, headers, MEDIA_TYPE)


def _document(
    status: int, content: object, headers: dict[str, str] | None = None, media_type: str = "application/json"
) -> Response:
    body = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    return Response(body, status, headers, media_type)
