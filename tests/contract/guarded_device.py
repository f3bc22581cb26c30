"""A device behind Digest authentication, which checks every field by itself."""

import hashlib
import itertools
import re
import threading
from dataclasses import dataclass, field

from tests.contract.device_server import Visit, ok

FIELD = re.compile(r'(\w+)=(?:"([^"]*)"|([^\s,]+))')
TOLERATED = {"SHA-256": hashlib.sha256, "MD5": hashlib.md5}


@dataclass
class GuardedDevice:
    """Answers whoever knows the password; a nonce lives for `uses` requests.

    Attributes:
        password: of the user `admin`.
        algorithm: as it stands in the challenge.
        uses: how often one nonce is taken.
        says_stale: whether it tells an old nonce from a wrong password.
        answer: what it says to whom it knows.
        log: `401` or `ok` for each request, in order.
    """

    password: str
    algorithm: str = "SHA-256"
    uses: int = 1_000
    says_stale: bool = True
    answer: bytes = ok(b"23.5")
    log: list[str] = field(default_factory=list)
    _numbers: "itertools.count[int]" = field(default_factory=itertools.count)
    _counts: dict[str, int] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, visit: Visit) -> None:
        """Hear one request, answer it."""
        visit.hear()
        with self._lock:
            verdict = self._verdict(visit.request.decode())
            self.log.append("ok" if verdict == "ok" else "401")
        visit.say(self.answer if verdict == "ok" else self._challenge(stale=verdict == "stale"))

    def _challenge(self, *, stale: bool) -> bytes:
        nonce = f"nonce-{next(self._numbers)}"
        self._counts[nonce] = 0
        told = ", stale=true" if stale and self.says_stale else ""
        asks = f'Digest qop="auth", realm="lab", nonce="{nonce}", algorithm={self.algorithm}{told}'
        return f"HTTP/1.1 401 No\r\nWWW-Authenticate: {asks}\r\nContent-Length: 0\r\n\r\n".encode()

    def _verdict(self, request: str) -> str:
        line = re.search(r"^Authorization: Digest (.*)\r$", request, re.MULTILINE)
        if line is None:
            return "unknown"
        given = {name: quoted or plain for name, quoted, plain in FIELD.findall(line[1])}
        nonce, count = given["nonce"], int(given["nc"], 16)
        assert given["uri"] == request.split()[1]
        if nonce not in self._counts or given["response"] != self._expected(given):
            return "wrong"
        assert count == self._counts[nonce] + 1, "a count that was used, or one that was left out"
        self._counts[nonce] = count
        return "ok" if count <= self.uses else "stale"

    def _expected(self, given: dict[str, str]) -> str:
        def digest(text: str) -> str:
            return TOLERATED[self.algorithm.removesuffix("-sess")](text.encode()).hexdigest()

        whose = digest(f"admin:lab:{self.password}")
        if self.algorithm.endswith("-sess"):
            whose = digest(f"{whose}:{given['nonce']}:{given['cnonce']}")
        what = digest(f"GET:{given['uri']}")
        return digest(f"{whose}:{given['nonce']}:{given['nc']}:{given['cnonce']}:auth:{what}")
