"""What a simulated device answers: its dialect, its air, its numbers, and the fault in force."""

import time
from dataclasses import replace
from typing import Protocol

from simulator.dialects import Answer, Dialect, Moment
from simulator.faults import BEHAVIOUR, CONTENT, KINDS, Course, Fault, Telling
from simulator.http1 import Request
from simulator.login import Door
from simulator.replay import Sample
from simulator.served import Served, ServedLog


class Climate(Protocol):
    """What the air is like where a device stands."""

    def at(self, now_s: float, serial: int) -> Sample:
        """The values at a wall clock instant, for answer number `serial`."""
        ...


class Answering:
    """Composes the answers of one device; each is in the log before it is sent.

    Args:
        device_id: of the device.
        dialect: how it answers.
        climate: the air around it.
        log: of what was served.
        password: that it wants; None = whoever asks is answered.
    """

    def __init__(
        self, device_id: str, dialect: Dialect, climate: Climate, log: ServedLog, password: str | None = None
    ) -> None:
        self._id, self.dialect, self._climate, self._log = device_id, dialect, climate, log
        self._door = Door(dialect, device_id, password)
        self._started_s = time.time()
        self._settings: dict[str, str] = {}
        self._first: tuple[Fault, Moment] | None = None
        self.count = 0
        """Answers with values since the fault changed."""

    @property
    def last_serial(self) -> int:
        """Serial number of the last answer; 0 before the first."""
        return self._log.last_serial(self._id)

    def begin_anew(self) -> None:
        """Another fault is in force, or none: what the one before kept is forgotten."""
        self.count, self._first = 0, None

    def answer(self, request: Request, fault: Fault | None) -> Answer:
        """The answer under the fault, if it is one of content or behaviour; otherwise the right one.

        Raises:
            FaultError: the dialect has no such fault.
        """
        if fault is not None and fault.kind in CONTENT:
            return self._wrong(request, fault)
        if request.method != "GET":
            return self._refused(fault, 405)
        if request.path != self.dialect.place:
            return self._refused(fault, 404)
        if (locked := self._door.refused(request)) is not None:
            self.record(None, fault, locked.status)
            return locked
        return self.numbered(request, fault)

    def numbered(self, request: Request, fault: Fault | None) -> Answer:
        """An answer with values, logged under the next serial number."""
        wrote = self._written(request)
        serial = self._log.next_serial(self._id)
        answer = self.dialect.answer(self._moment(request, fault, serial))
        self.count += 1
        self.record(serial, fault, 200, wrote)
        return answer

    def check(self, fault: Fault) -> None:
        """Compose once what the fault would make of an answer, and throw it away.

        Raises:
            FaultError: the dialect has no such fault.
        """
        if fault.kind in CONTENT:
            moment = self._moment(Request("GET", self.dialect.place, self.dialect.query), None, self.last_serial + 1)
            CONTENT[fault.kind].play(Telling(self.dialect, moment, fault))

    def record(self, serial: int | None, fault: Fault | None, status: int | None, wrote: str = "") -> None:
        """Log what leaves now."""
        kind = None if fault is None else fault.kind
        self._log.record(Served(self._id, serial, round(time.time() * 1000), kind, status, wrote))

    def _wrong(self, request: Request, fault: Fault) -> Answer:
        moment = self._moment(request, fault, self.last_serial + 1)
        answer = CONTENT[fault.kind].play(Telling(self.dialect, moment, fault))
        valued = KINDS[fault.kind].valued and answer.content_type != "text/html"
        serial = self._log.next_serial(self._id) if valued else None
        self.record(serial, fault, answer.status)
        return answer

    def _refused(self, fault: Fault | None, status: int) -> Answer:
        self.record(None, fault, status)
        return Answer(f"{status}\n".encode(), "text/plain", status)

    def _written(self, request: Request) -> str:
        given = {name: value for name, value in request.query.items() if value}
        if not self.dialect.writes_by_query or not given:
            return ""
        self._settings |= given
        return "&".join(f"{name}={value}" for name, value in given.items())

    def _moment(self, request: Request, fault: Fault | None, serial: int) -> Moment:
        now_s = time.time()
        usual = Moment(
            device_id=self._id,
            sample=self._climate.at(now_s, serial),
            serial=serial,
            clock_s=now_s,
            uptime_s=now_s - self._started_s + 86_400,
            zone=self.dialect.zone,
            asked=request.query,
            settings=self._settings,
        )
        if fault is None or fault.kind not in BEHAVIOUR:
            return usual
        if self._first is None or self._first[0] is not fault:
            self._first = (fault, usual)
        moment = BEHAVIOUR[fault.kind].play(Course(usual, self._first[1]), fault)
        return replace(moment, serial=serial)
