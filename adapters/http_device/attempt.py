"""How far one attempt came: what faults are told by when an exception alone does not say enough."""

from dataclasses import dataclass, field
from enum import Enum

HEAD_LIMIT = 32


class Stage(Enum):
    """Where an attempt stands."""

    WAITING = "waiting for another request to the same host"
    RESOLVING = "resolving the name"
    PROXY = "connecting to the egress proxy"
    CONNECTING = "connecting"
    SECURING = "TLS handshake"
    ASKED = "waiting for the answer"


@dataclass(slots=True)
class Attempt:
    """One attempt; it travels with the request to the transport, which fills in what it sees.

    Attributes:
        host: as the URL names it; goes into the Host header and the TLS handshake.
        port: TCP port.
        budget_ms: total time.
        deadline: end of the budget, on the event loop's clock, seconds.
        addresses: resolved and allowed; the transport calls these and no others, in this order.
        address: the one that was called last.
        stage: where it stands.
        received: bytes of the answer so far, as they came over the wire (after TLS).
        head: the first of them, at most `HEAD_LIMIT`.
        challenges: what a 401 asked for, its WWW-Authenticate headers.
        location: where a redirect leads.
        section: `organization/section` that asks.
        status: of the last answer; 0 = none came.
        resent: how often the request was sent again with an answer to a challenge.
    """

    host: str
    port: int
    budget_ms: int
    deadline: float
    addresses: tuple[str, ...] = ()
    address: str = ""
    stage: Stage = Stage.WAITING
    received: int = 0
    head: bytearray = field(default_factory=bytearray)
    challenges: tuple[str, ...] = ()
    location: str = ""
    section: str = ""
    status: int = 0
    resent: int = 0

    @property
    def target(self) -> str:
        """Host and port, for people; never the path, which may carry a password."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    def again(self) -> None:
        """Another request of the same attempt: nothing of its answer is there yet."""
        self.received, self.challenges, self.location, self.status = 0, (), "", 0
        self.resent += 1
        self.head.clear()

    def take(self, data: bytes) -> None:
        """Count bytes of the answer."""
        self.received += len(data)
        if len(self.head) < HEAD_LIMIT:
            self.head += data[: HEAD_LIMIT - len(self.head)]
