"""Nobody reaches a route under /v1 without a valid key: asked before bodies are read and paths are matched."""

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from api.field_errors import FieldError
from api.problems import ProblemError, of_core, problem_response
from collector.domain.errors import ChamberlogError
from collector.ports import Principal
from collector.usecases.authenticate import Authenticate

GUARDED = "/v1"
CHALLENGE = 'Bearer realm="chamberlog"'
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
