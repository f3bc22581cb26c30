"""Writing a fleet: several requests at once, what is away is asked again, a single refusal does not stop the rest."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

from cli.client import Answer, ApiClient
from cli.crew import Crew
from cli.exits import CommandError, ExitCode
from cli.fleet.difference import Step
from cli.paths import CHAMBERS, chamber_path
from collector.domain.errors import ChamberlogError

FIRST_WAIT_S, LONGEST_WAIT_S = 0.5, 5.0
PATIENCE_S = 60.0
"""A server that is restarted is back within this; when nothing at all worked for so long, the rest is not tried."""


@dataclass(frozen=True, slots=True)
class Written:
    """What became of one chamber.

    Attributes:
        step: what was wanted.
        error: why it was refused; None = it is as wanted.
        begun: False when it was not sent, because the import was stopped.
    """

    step: Step
    error: CommandError | ChamberlogError | None = None
    begun: bool = True


@dataclass(slots=True)
class FleetWriter:
    """Writes chambers. Writing the same again changes nothing.

    Attributes:
        api: shared by all threads.
        steps: what to write.
        at_once: requests side by side.
        patience_s: how long one chamber is tried while the API is away.
    """

    api: ApiClient
    steps: Sequence[Step]
    at_once: int
    patience_s: float = PATIENCE_S
    _crew: Crew[Step, Written] = field(init=False)
    _lock: Lock = field(init=False, default_factory=Lock)
    _worked_s: float = field(init=False, default_factory=time.monotonic)

    def __post_init__(self) -> None:
        self._crew = Crew(self._write, self.steps, self.at_once)
        self.api = self.api.resting(self._crew.rest)  # a stopped import waits for no limit

    def results(self) -> Iterator[Written]:
        """What became of each chamber, as it comes; may be called again after Ctrl-C."""
        yield from self._crew.results()

    def halt(self) -> None:
        """Send no more; what is on its way is awaited by `results`."""
        self._crew.halt()

    def _write(self, step: Step) -> Written:
        try:
            self._patiently(lambda: self._enrol(step) if step.is_new else self._change(step))
        except _StoppedError:
            return Written(step, begun=False)
        except (CommandError, ChamberlogError) as error:
            if isinstance(error, CommandError) and error.code == ExitCode.UNAUTHORIZED:
                self.halt()  # nothing else would be taken either
            return Written(step, error)
        return Written(step)

    def _enrol(self, step: Step) -> Answer:
        labels = step.entry.body.get("labels", {})
        body = {**step.entry.body, "labels": {key: value for key, value in labels.items() if value is not None}}
        return self.api.send("POST", CHAMBERS, body)

    def _change(self, step: Step) -> Answer:
        path, wanted = chamber_path(step.chamber), {name: new for name, (_, new) in step.fields.items()}
        try:
            return self.api.send("PATCH", path, wanted, headers={"If-Match": f'"{step.version}"'})
        except CommandError as error:
            if error.code != ExitCode.CONFLICT:
                raise
            return self._change_again(path, wanted, error)

    def _change_again(self, path: str, wanted: dict[str, Any], error: CommandError) -> Answer:
        """It has another version: our own, if a first answer was lost. Sent again, the chamber hears of it."""
        there = self.api.get(path)
        if any(there.document[name] != value for name, value in wanted.items()):
            raise error
        return self.api.send("PATCH", path, wanted, headers={"If-Match": there.etag or "*"})

    def _patiently(self, send: Callable[[], Answer]) -> None:
        began_s, wait_s = time.monotonic(), FIRST_WAIT_S
        while True:
            try:
                send()
            except CommandError as error:
                if not error.passes or self._is_hopeless(began_s):
                    raise
            else:
                with self._lock:
                    self._worked_s = time.monotonic()
                return
            if not self._crew.rest(wait_s):
                raise _StoppedError
            wait_s = min(2 * wait_s, LONGEST_WAIT_S)

    def _is_hopeless(self, began_s: float) -> bool:
        now_s = time.monotonic()
        with self._lock:
            if now_s - self._worked_s > self.patience_s:
                self.halt()  # nothing works: the rest would wait as long
        return now_s - began_s > self.patience_s


class _StoppedError(Exception):
    """The import was stopped while a chamber waited for the API."""
