"""Digest authentication (RFC 7616): who we are, without sending the password.

httpx has it as well, but takes the first challenge only, stumbles over an algorithm that it does not know, and begins
a new session of `-sess` with each request.
"""

import hashlib
import re
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import quote

from collector.domain.errors import DeviceUnauthorizedError
from collector.mapping.credentials import Credentials

PART = re.compile(
    r"(?P<name>[!#$%&'*+\-.^_`|~\w]+)[ \t]*=[ \t]*(?:\"(?P<quoted>(?:[^\"\\]|\\.)*)\"|(?P<plain>[^\s,\"]*))"
    r"|(?P<scheme>[!#$%&'*+\-.^_`|~\w]+)",
    re.ASCII,
)
MOST_ANSWERS = 2
REMEMBERED = 20_000
"""Sessions, one per chamber that has one, some 500 bytes each."""


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode(errors="surrogateescape")).hexdigest()


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(errors="surrogateescape"), usedforsecurity=False).hexdigest()


ALGORITHMS: Mapping[str, Callable[[str], str]] = {"SHA-256": _sha256, "MD5": _md5}
"""Strongest first."""


@dataclass(frozen=True, slots=True)
class Challenge:
    """What a device asks for.

    Attributes:
        realm: as sent.
        nonce: as sent.
        algorithm: `SHA-256`, `MD5`, or one of them with `-SESS`; as sent, and empty when nothing was.
        qop: whether it asks for quality of protection `auth`; devices of before RFC 2617 ask for none.
        opaque: to be sent back; None when there is none.
        stale: the answer before was right, and its nonce too old.
        userhash: the user's name is to be sent hashed.
    """

    realm: str
    nonce: str
    algorithm: str = ""
    qop: bool = True
    opaque: str | None = None
    stale: bool = False
    userhash: bool = False

    @property
    def digest(self) -> Callable[[str], str]:
        """The algorithm's function, to hexadecimal digits."""
        return ALGORITHMS[_base(self.algorithm)]


class DigestSession:
    """Answers to one challenge, for as many requests as the device accepts its nonce."""

    def __init__(self, challenge: Challenge, client_nonce: str) -> None:
        self.challenge, self._client_nonce, self._count = challenge, client_nonce, 0

    def authorization(self, who: Credentials, target: str) -> str:
        """The header's value for the next GET of this target."""
        asked, digest = self.challenge, self.challenge.digest
        self._count += 1
        whose = digest(f"{who.user}:{asked.realm}:{who.password}")
        in_session = asked.algorithm.upper().endswith("-SESS")
        if in_session:
            whose = digest(f"{whose}:{asked.nonce}:{self._client_nonce}")
        counted = f"{self._count:08x}:{self._client_nonce}:auth:" if asked.qop else ""
        response = digest(f"{whose}:{asked.nonce}:{counted}{digest(f'GET:{target}')}")
        fields = [*_user(who.user, asked), f'realm="{asked.realm}"', f'nonce="{asked.nonce}"', f'uri="{target}"']
        if asked.algorithm:
            fields.append(f"algorithm={asked.algorithm}")
        if asked.qop:
            fields += ["qop=auth", f"nc={self._count:08x}"]
        if asked.qop or in_session:
            fields.append(f'cnonce="{self._client_nonce}"')
        if asked.opaque is not None:
            fields.append(f'opaque="{asked.opaque}"')
        return "Digest " + ", ".join([*fields, f'response="{response}"'])


class DigestSessions:
    """Sessions that devices accepted, so that the next slot needs one request only; the oldest are forgotten."""

    def __init__(self) -> None:
        self._sessions: OrderedDict[Hashable, DigestSession] = OrderedDict()

    def __len__(self) -> int:
        """How many there are."""
        return len(self._sessions)

    def find(self, key: Hashable) -> DigestSession | None:
        """The session with a device, if there is one."""
        if key in self._sessions:
            self._sessions.move_to_end(key)
        return self._sessions.get(key)

    def keep(self, key: Hashable, session: DigestSession) -> None:
        """From now on this one."""
        self._sessions[key] = session
        self._sessions.move_to_end(key)
        if len(self._sessions) > REMEMBERED:
            self._sessions.popitem(last=False)

    def forget(self, key: Hashable) -> None:
        """It is refused; again: nothing."""
        self._sessions.pop(key, None)


def worth_answering(headers: Iterable[str], answered: int, refused: DeviceUnauthorizedError) -> Challenge:
    """The challenge to answer next.

    Args:
        headers: WWW-Authenticate of the answer.
        answered: challenges of this attempt that were answered; a second one only when the first had grown stale.
        refused: what the answer is otherwise.

    Raises:
        DeviceUnauthorizedError: another answer cannot help, or none of the challenges can be answered.
    """
    headers = tuple(headers)
    challenge = strongest(headers)
    if challenge is None and headers:
        schemes = schemes_of(headers) or "nothing that is known"
        raise DeviceUnauthorizedError(
            f"http_401: no challenge of the device can be answered; it asks for {schemes}"
        ) from None
    if challenge is None or answered == MOST_ANSWERS or (answered and not challenge.stale):
        raise refused
    return challenge


def schemes_of(headers: Iterable[str]) -> str:
    """How the device would be asked, for people."""
    return ", ".join(dict.fromkeys(scheme[:20] for scheme, _ in challenges(headers)))[:80]


def strongest(headers: Iterable[str]) -> Challenge | None:
    """The Digest challenge to answer, of all that these WWW-Authenticate headers make; None when none can be."""
    known = [found for scheme, given in challenges(headers) if scheme == "digest" and (found := _challenge(given))]
    order = list(ALGORITHMS)
    return min(known, key=lambda challenge: order.index(_base(challenge.algorithm)), default=None)


def challenges(headers: Iterable[str]) -> Iterator[tuple[str, dict[str, str]]]:
    """Scheme in lower case and parameters of each challenge; one header may make several."""
    for header in headers:
        scheme, given = "", dict[str, str]()
        for part in PART.finditer(header):
            if part["scheme"]:
                if scheme:
                    yield scheme, given
                scheme, given = part["scheme"].lower(), {}
            else:
                value = part["plain"] if part["quoted"] is None else part["quoted"]
                given.setdefault(part["name"].lower(), value)
        if scheme:
            yield scheme, given


def _challenge(given: Mapping[str, str]) -> Challenge | None:
    algorithm = given.get("algorithm", "")
    qops = [word.strip().lower() for word in given.get("qop", "").split(",") if word.strip()]
    if "nonce" not in given or _base(algorithm) not in ALGORITHMS or (qops and "auth" not in qops):
        return None
    return Challenge(
        _as_sent(given.get("realm", "")),
        _as_sent(given["nonce"]),
        algorithm,
        bool(qops),
        _as_sent(given["opaque"]) if "opaque" in given else None,
        given.get("stale", "").lower() == "true",
        given.get("userhash", "").lower() == "true",
    )


def _as_sent(value: str) -> str:
    """Heads are read as Latin-1; encoded again, with `surrogateescape`, this is the device's bytes in any encoding."""
    return value.encode("latin-1").decode(errors="surrogateescape")


def _base(algorithm: str) -> str:
    return algorithm.upper().removesuffix("-SESS") or "MD5"


def _user(user: str, asked: Challenge) -> list[str]:
    if asked.userhash:
        return [f'username="{asked.digest(f"{user}:{asked.realm}")}"', "userhash=true"]
    if not user.isascii():
        return [f"username*=UTF-8''{quote(user, safe='')}"]
    escaped = user.replace("\\", "\\\\").replace('"', '\\"')
    return [f'username="{escaped}"']
