"""What stands before every route: a limit of the body, and the gate, asked before paths are matched."""

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.field_errors import FieldError
from api.problems import REMEDIES, ProblemError, of_core, problem_response
from collector.domain.access_table import of_http
from collector.domain.errors import ChamberlogError
from collector.domain.event_texts import target_of
from collector.usecases.admit import Admission, traffic_of
from collector.usecases.events import Told
from collector.usecases.identify import Identify
from edge.problem_documents import ORGANIZATIONS
from edge.rate_headers import rate_headers

GUARDED = "/v1"
ORGANIZATION = "Chamberlog-Organization"
"""Header by which a super-administrator says in which organization it acts."""
MAX_BODY_BYTES = 65_536
"""The longest body that makes sense, a chamber with all its labels, is a tenth of this."""


class KeyGuard:
    """ASGI middleware that puts who asks, and for what, into the request's state, or answers why they may not.

    Outside `GUARDED` nobody has to say who they are; but whoever plays the gateway is refused there too.
    """

    def __init__(self, app: ASGIApp, identify: Identify) -> None:
        self._app, self._identify = app, identify

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let through what needs no key, and whoever may."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            admission = await self._admission(scope)
        except ChamberlogError as error:
            await problem_response(of_core(error, ORGANIZATIONS))(scope, receive, send)
            return
        if scope["path"].endswith("\n"):  # routes are matched up to it, rows with it: nobody has judged that
            await problem_response(_nowhere(scope["path"]))(scope, receive, send)
            return
        if admission is not None:
            state = scope.setdefault("state", {})
            state["admission"], state["principal"] = admission, admission.principal
        await self._app(scope, receive, _telling(admission, send))

    async def _admission(self, scope: Scope) -> Admission | None:
        path: str = scope["path"]
        operation, headers = of_http(scope["method"], path), Headers(scope=scope).items()
        if not (path == GUARDED or path.startswith(GUARDED + "/")):
            return self._identify.vouched(operation, headers)
        client = scope.get("client")
        told = Told(target=target_of(operation, path) if operation is not None else "")
        return await self._identify(operation, headers, client[0] if client else "", told)


def _nowhere(path: str) -> ProblemError:
    problem = f"there is no {path!r}"
    return ProblemError(404, problem, [FieldError(field="path", problem=problem, remedy=REMEDIES[404])])


def _telling(admission: Admission | None, send: Send) -> Send:
    """Say what is left of the limit with the answer; behind the gateway that says it."""
    if admission is None or admission.rate is None:
        return send
    rate = admission.rate
    name = traffic_of(admission.operation).value
    told = rate_headers(name, rate.limit, rate.window_s, remaining=rate.remaining, reset_s=rate.reset_s)

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(scope=message).update(told)
        await send(message)

    return sending


class BodyLimit:
    """ASGI middleware that stops reading a body at `MAX_BODY_BYTES`; the app's handlers then answer 413."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Count what arrives; a declared length over the limit is refused before the first byte."""
        read = 0
        declared = Headers(scope=scope).get("content-length", "") if scope["type"] == "http" else ""

        async def counted() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > MAX_BODY_BYTES or (declared.isdigit() and int(declared[:12]) > MAX_BODY_BYTES):
                raise HTTPException(413, f"the body is longer than {MAX_BODY_BYTES} bytes")
            return message

        await self._app(scope, counted if scope["type"] == "http" else receive, send)
