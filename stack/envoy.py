"""Envoy as a part of the stack: started with a rendered configuration, drained before it is stopped."""

import http.client
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from edge.envoy import DRAIN_TIME_S, REMEDY, arguments, find_envoy
from stack.errors import MissingServerError
from stack.home import write_private
from stack.process import Child, Command, spawn
from stack.server import HOST

DRAIN_S = 10.0
"""So long a stop waits for requests in hand; live streams are not waited for: their readers come back."""
ASK_S = 2.0
POLL_S = 0.05
COUNTED = "active$"


@dataclass(slots=True)
class Envoy:
    """A running Envoy.

    Attributes:
        child: its process.
        admin: port of its admin interface on loopback.
        drain_s: so long its stop waits for requests in hand.
    """

    child: Child
    admin: int
    drain_s: float = DRAIN_S
    _stopped: bool = field(default=False, repr=False)

    @property
    def pid(self) -> int:
        """Of Envoy itself."""
        return self.child.pid

    def alive(self) -> bool:
        """Whether it runs."""
        return self.child.alive()

    def stop(self) -> int:
        """Take no new connections, let the requests in hand end, then end it. Again: the same answer."""
        if not self._stopped and self.alive():
            drain(self.admin, self.drain_s)
        self._stopped = True
        return self.child.stop()

    def log_tail(self) -> str:
        """The end of its log."""
        return self.child.log_tail()


def start_envoy(configuration: Path, text: str, admin: int, *, log: Path, linger_s: float = 0.0) -> Envoy:
    """Start Envoy with a configuration; it may not be ready yet.

    Args:
        configuration: the file that is written for it, for its owner only.
        text: of the configuration.
        admin: port of the admin interface that it names.
        log: appended to.
        linger_s: how long it goes on when this process is killed.

    Raises:
        MissingServerError: there is no Envoy.
        StartFailedError: it could not be executed.
    """
    binary = find_envoy()
    if binary is None:
        raise MissingServerError(f"Envoy is not installed; {REMEDY}")
    write_private(configuration, text)
    return Envoy(spawn(Command(arguments(binary, configuration), log, linger_s=linger_s)), admin)


def drain(admin: int, within_s: float) -> bool:
    """Let an Envoy take no new connections, and wait until nothing but streams runs.

    Args:
        admin: port of its admin interface.
        within_s: not longer than this.

    Returns:
        Whether all has ended; False too when it does not answer.
    """
    deadline = time.monotonic() + within_s
    closed = time.monotonic() + DRAIN_TIME_S
    if _ask(admin, "POST", "/drain_listeners?graceful") is None:
        return False
    while time.monotonic() < deadline:
        time.sleep(POLL_S)
        answer = _ask(admin, "GET", f"/stats?format=json&filter={COUNTED}")
        if answer is None:
            return False
        if time.monotonic() > closed and in_hand(json.loads(answer)) <= 0:
            return True
    return False


def in_hand(stats: Mapping[str, list[dict[str, object]]]) -> int:
    """Requests that run, without those of live streams.

    Args:
        stats: what Envoy's admin interface answers.
    """
    counts = {str(stat.get("name")): stat.get("value") for stat in stats.get("stats", [])}

    def total(fits: Callable[[str], bool]) -> int:
        return sum(value for name, value in counts.items() if fits(name) and isinstance(value, int))

    requests = total(lambda name: name.endswith(".downstream_rq_active") and not name.startswith("http.admin."))
    streams = total(lambda name: name.endswith("_streams.upstream_rq_active"))
    return requests - streams


def _ask(admin: int, method: str, path: str) -> bytes | None:
    connection = http.client.HTTPConnection(HOST, admin, timeout=ASK_S)
    try:
        connection.request(method, path)
        return connection.getresponse().read()
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()
