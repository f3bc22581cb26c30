"""How a device lets people in that was given a password: as its kind does, by HTTP's schemes or in the query."""

import base64
import hashlib
import hmac
import re

from simulator.dialects import Answer, Dialect, Login
from simulator.http1 import Request

USER = "admin"
_PARAMETER = re.compile(r'(\w+)=(?:"([^"]*)"|([^\s,]+))')


class Door:
    """Lets requests in or says what is wanted.

    Args:
        dialect: of the device.
        realm: what the device calls itself.
        password: None = nobody set one.
    """

    def __init__(self, dialect: Dialect, realm: str, password: str | None) -> None:
        self._login, self._realm, self._password = dialect.login, realm, password
        self._nonces = 0

    def refused(self, request: Request) -> Answer | None:
        """The answer to a request that does not know the password; None lets it in."""
        if self._password is None or self._login is Login.NONE:
            return None
        if self._login is Login.QUERY:
            given = (request.query.get("user", ""), request.query.get("password", ""))
            return None if given == (USER, self._password) else _unauthorized('{"WARNING":"Need user and password"}')
        scheme, _, credential = request.authorization.partition(" ")
        if self._login is Login.DIGEST:
            right = scheme.lower() == "digest" and self._digest_is_right(request, credential)
            return None if right else self._challenge()
        return None if (scheme.lower(), credential) == self._expected() else _unauthorized("", self._asks())

    def _expected(self) -> tuple[str, str]:
        if self._login is Login.BEARER:
            return "bearer", str(self._password)
        return "basic", base64.b64encode(f"{USER}:{self._password}".encode()).decode()

    def _asks(self) -> str:
        return f'WWW-Authenticate: {self._expected()[0].capitalize()} realm="{self._realm}"'

    def _challenge(self) -> Answer:
        self._nonces += 1
        nonce = self._nonce(self._nonces)
        header = f'WWW-Authenticate: Digest qop="auth", realm="{self._realm}", nonce="{nonce}", algorithm=SHA-256'
        return _unauthorized("", header)

    def _nonce(self, number: int) -> str:
        return f"{number:08x}{_sha256(f'{self._realm}:{number}:{self._password}')[:24]}"

    def _digest_is_right(self, request: Request, credential: str) -> bool:
        """RFC 7616 with SHA-256 and qop=auth; a nonce is taken once, the newest alone."""
        told = {name: quoted or plain for name, quoted, plain in _PARAMETER.findall(credential)}
        if told.get("nonce") != self._nonce(self._nonces) or not self._nonces:
            return False
        who = _sha256(f"{USER}:{self._realm}:{self._password}")
        what = _sha256(f"{request.method}:{request.target}")
        middle = ":".join(told.get(name, "") for name in ("nonce", "nc", "cnonce", "qop"))
        right = hmac.compare_digest(told.get("response", ""), _sha256(f"{who}:{middle}:{what}"))
        same = told.get("uri") == request.target and told.get("username") == USER and told.get("qop") == "auth"
        self._nonces += right and same
        return right and same


def _unauthorized(body: str, *headers: str) -> Answer:
    return Answer(body.encode(), "application/json", 401, headers)


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
