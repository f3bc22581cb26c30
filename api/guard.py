"""What stands before every route: a limit of the body, and under /v1 a valid key, asked before paths are matched."""

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.field_errors import FieldError
from api.problems import ProblemError, of_core, problem_response
from collector.domain.errors import ChamberlogError
from collector.ports import Principal
from collector.usecases.authenticate import Authenticate

GUARDED = "/v1"
CHALLENGE = 'Bearer realm="chamberlog"'
MAX_BODY_BYTES = 65_536
"""The longest body that makes sense, a chamber with all its labels, is a tenth of this."""
REMEDY = "send the header Authorization: Bearer chl_<id>_<secret>"


class KeyGuard:
    """ASGI middleware that turns the API key into a `Principal` in the request's state, or answers 401 or 503."""

    def __init__(self, app: ASGIApp, authenticate: Authenticate) -> None:
        self._app, self._authenticate = app, authenticate

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let through what needs no key, and whoever has one."""
        path: str = scope.get("path", "")
        if scope["type"] != "http" or not (path == GUARDED or path.startswith(GUARDED + "/")):
            await self._app(scope, receive, send)
            return
        try:
            principal = await self._principal(Headers(scope=scope).get("authorization", ""))
        except ChamberlogError as error:
            await problem_response(of_core(error))(scope, receive, send)
            return
        except ProblemError as error:
            await problem_response(error)(scope, receive, send)
            return
        scope.setdefault("state", {})["principal"] = principal
        await self._app(scope, receive, send)

    async def _principal(self, header: str) -> Principal:
        scheme, _, key = header.partition(" ")
        given = scheme.lower() == "bearer" and bool(key)
        principal = await self._authenticate(key.strip()) if given else None
        if principal is None:
            raise unauthorized("this API key is not valid" if given else "there is no API key")
        return principal


def unauthorized(problem: str) -> ProblemError:
    """The answer to whoever has no valid key."""
    field = FieldError(field="Authorization", problem=problem, remedy=REMEDY)
    return ProblemError(401, f"{problem}; {REMEDY}", [field], {"WWW-Authenticate": CHALLENGE})


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
