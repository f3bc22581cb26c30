"""What stands before every route: a limit of the body, and under /v1 the gate, asked before paths are matched."""

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.problems import of_core, problem_response
from collector.domain.access_table import of_http
from collector.domain.errors import ChamberlogError
from collector.usecases.admit import Admission, Admit, Ask

GUARDED = "/v1"
MAX_BODY_BYTES = 65_536
"""The longest body that makes sense, a chamber with all its labels, is a tenth of this."""
ORGANIZATION = "Chamberlog-Organization"
"""Header by which a super-administrator says in which organization it acts."""


class KeyGuard:
    """ASGI middleware that puts who asks, and for what, into the request's state, or answers why they may not."""

    def __init__(self, app: ASGIApp, admit: Admit) -> None:
        self._app, self._admit = app, admit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let through what needs no key, and whoever may."""
        path: str = scope.get("path", "")
        if scope["type"] != "http" or not (path == GUARDED or path.startswith(GUARDED + "/")):
            await self._app(scope, receive, send)
            return
        try:
            admission = await self._admission(scope)
        except ChamberlogError as error:
            await problem_response(of_core(error, path))(scope, receive, send)
            return
        state = scope.setdefault("state", {})
        state["admission"], state["principal"] = admission, admission.principal
        await self._app(scope, receive, send)

    async def _admission(self, scope: Scope) -> Admission:
        headers, client = Headers(scope=scope), scope.get("client")
        scheme, _, key = headers.get("authorization", "").partition(" ")
        ask = Ask(
            operation=of_http(scope["method"], scope["path"]),
            credential=key.strip() if scheme.lower() == "bearer" else "",
            organization=headers.get(ORGANIZATION),
            address=client[0] if client else "",
        )
        return await self._admit(ask)


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
