"""What `chamberlog top` shows: the fleet at a glance, the proof of the last minutes, and who is away."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cli.client import ApiClient
from cli.exits import CommandError, ExitCode
from collector.domain.instants import iso, parse_iso

FLEET, AUDIT, READY = "/v1/fleet", "/v1/audit", "/readyz"
RECENT_MS = 300_000
"""The minutes of which the header tells what was expected and stored."""
AUDIT_EACH_S, AUDIT_SHARE = 10.0, 20.0
"""The proof reads each reading of its range: it is asked for seldom, and with a large fleet more seldom still."""
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be seen: chambers of a section and a status, in an order."""

    section: str | None = None
    status: str | None = None
    sort: str = "trouble"


@dataclass(frozen=True, slots=True)
class Picture:
    """One look.

    Attributes:
        fleet: as `GET /v1/fleet` answers.
        audit: as `GET /v1/audit` answers for the last minutes; None = this key may not ask.
        away: servers that the API does not reach.
    """

    fleet: Json
    audit: Json | None
    away: list[str]

    @property
    def document(self) -> Json:
        """As `--json` prints it."""
        return {"fleet": self.fleet, "audit": self.audit, "away": self.away}


class Watcher:
    """Looks at the fleet.

    Args:
        api: is asked.
        wish: what for.
        clock: seconds, monotonic.
    """

    def __init__(self, api: ApiClient, wish: Wish, clock: Callable[[], float] = time.monotonic) -> None:
        self._api, self._wish, self._clock = api, wish, clock
        self._audit: Json | None = None
        self._audit_due_s = 0.0

    def look(self, limit: int) -> Picture:
        """Ask for a new picture with so many chambers at most.

        Raises:
            CommandError: as of the client.
        """
        wish = self._wish
        query = {"section": wish.section, "status": wish.status, "sort": wish.sort, "limit": limit}
        fleet = self._api.get(FLEET, query).document
        if self._clock() >= self._audit_due_s:
            began_s = self._clock()
            self._audit = self._proof(parse_iso(fleet["at"]))
            took_s = self._clock() - began_s
            self._audit_due_s = self._clock() + max(AUDIT_EACH_S, AUDIT_SHARE * took_s)
        return Picture(fleet, self._audit, self._away())

    def _proof(self, now_ms: int) -> Json | None:
        try:
            answer: Json = self._api.get(AUDIT, {"from": iso(now_ms - RECENT_MS), "to": iso(now_ms)}).document
        except CommandError as error:
            if error.code is not ExitCode.UNAUTHORIZED:
                raise
            return None  # a key of one section may see its chambers, and no audit
        return answer

    def _away(self) -> list[str]:
        try:
            self._api.get(READY)
        except CommandError as error:
            if not error.passes:
                raise
            return [complaint.field for complaint in error.complaints]
        return []
