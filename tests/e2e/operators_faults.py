"""What is wrong while a section of docs/operations.md is run: made on a running stack, and taken back."""

import json
import os
import signal
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from tests.e2e.running_stack import Json, RunningStack, eventually

SLOWLY_S = 120
"""On a machine that does other things, too, a command alone takes seconds."""
CHAMBER = "incubator-3"
"""The chamber of the page, at 2 s, on the device of the last simulated one."""
KEYED = '-H "Authorization: Bearer $CHAMBERLOG_API_KEY"'


@dataclass(frozen=True)
class Fault:
    """Something that is wrong, and what must be so afterwards.

    Attributes:
        stack: on which it is.
    """

    stack: RunningStack

    def pids(self, part: str) -> list[int]:
        """Of a part and of all that it has started."""
        held = json.loads((self.stack.home / "stack.json").read_text())["pids"][part]
        first = held if isinstance(held, list) else [held]
        return [*first, *(child for pid in first for child in _children(pid))]

    def told(self, command: str) -> str:
        """What a command line prints; it must succeed."""
        done = self.stack.shell(command)
        assert done.returncode == 0, f"{command}: {done.stderr}"
        return done.stdout

    def asked(self, path: str) -> Json:
        """What the API says at the gateway: a command takes a second of a processor for the same, and many wait."""
        where, key = (self.stack.environment[name] for name in ("CHAMBERLOG_API", "CHAMBERLOG_API_KEY"))
        request = urllib.request.Request(where + path, headers={"Authorization": f"Bearer {key}"})
        with urllib.request.urlopen(request, timeout=10) as answer:
            found = json.load(answer)
        assert isinstance(found, dict)
        return found

    def status(self) -> str:
        """The chamber's, as the ledger has it."""
        return str(self.asked(f"/v1/chambers/{CHAMBER}")["status"])

    def collects(self, since: datetime) -> bool:
        """Whether the chamber has a reading of a slot since then; not while nobody can say."""
        with suppress(OSError):  # a part that was frozen a moment ago
            return bool(self.asked(f"/v1/chambers/{CHAMBER}/readings?from={since:%Y-%m-%dT%H:%M:%S.%fZ}")["items"])
        return False

    def unaccounted(self) -> int:
        """Slots of the chamber without an outcome, of the last day."""
        return int(self.asked(f"/v1/chambers/{CHAMBER}/audit")["unaccounted"])


def _children(pid: int) -> list[int]:
    with suppress(FileNotFoundError):
        listed = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return [found for child in map(int, listed) for found in (child, *_children(child))]
    return []


@contextmanager
def frozen(fault: Fault, part: str, for_s: float = 0.0) -> Iterator[None]:
    """It stands still for as long, and then while the section is run."""
    pids = fault.pids(part)
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        time.sleep(for_s)
        yield
    finally:
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)


@contextmanager
def device_says(fault: Fault, said: Json, status: str) -> Iterator[None]:
    """The chamber's device has a fault, and the chamber is seen to."""
    devices = json.loads((fault.stack.home / "simulator/devices.json").read_text())
    address = f"{devices['control']}/devices/{devices['devices'][-1]['id']}/fault"
    _send("PUT", address, said)
    try:
        eventually(lambda: fault.status() == status, SLOWLY_S)
        yield
    finally:
        _send("DELETE", address, None)


def _send(method: str, address: str, body: Json | None) -> None:
    data = None if body is None else json.dumps(body).encode()
    headers = {"Content-Type": "application/json"}
    with urllib.request.urlopen(urllib.request.Request(address, data, headers, method=method), timeout=10) as answer:
        assert answer.status < 300


@contextmanager
def settled(fault: Fault) -> Iterator[None]:
    """Nothing is wrong, and nothing overdue of what was."""
    eventually(lambda: fault.stack.shell("chamberlog audit --from=-1h").returncode == 0, 120)
    yield


@contextmanager
def terminated(fault: Fault) -> Iterator[None]:
    """Somebody ended the chamber's workflow."""
    fault.told(f"temporal workflow terminate -w chamber/{CHAMBER} --reason 'a try'")
    yield


@contextmanager
def paused_natively(fault: Fault) -> Iterator[None]:
    """Somebody paused the workflow in Temporal itself."""
    fault.told(f"temporal workflow pause -w chamber/{CHAMBER} --reason 'a try'")
    yield


@contextmanager
def paused(fault: Fault) -> Iterator[None]:
    """Somebody paused the chamber by a signal."""
    fault.told(f'temporal workflow signal -w chamber/{CHAMBER} --name pause --input \'{{"reason":"door"}}\'')
    eventually(lambda: fault.status() == "paused", SLOWLY_S)
    yield
    assert fault.status() != "paused"


@contextmanager
def section_half_paused(fault: Fault) -> Iterator[None]:
    """A section was paused, and somebody resumed its chamber."""
    fault.told("chamberlog sections add cold-store --name 'Cold store'")
    fault.told(f"chamberlog change {CHAMBER} --section cold-store")
    pause = f'curl -sSf -X POST {KEYED} -H "Idempotency-Key: power-test" "$CHAMBERLOG_API/v1/sections/cold-store/pause"'
    fault.told(pause)
    eventually(lambda: fault.status() == "paused", SLOWLY_S)
    fault.told(f"chamberlog resume {CHAMBER}")
    try:
        yield
        eventually(lambda: fault.status() == "paused", SLOWLY_S)
    finally:
        fault.stack.shell(f"chamberlog resume {CHAMBER}")
        fault.told(f"chamberlog change {CHAMBER} --section default")


@contextmanager
def overdue(fault: Fault) -> Iterator[None]:
    """Nobody collects for some seconds."""
    with frozen(fault, "worker"):
        eventually(lambda: fault.stack.shell("chamberlog audit").returncode == 2, SLOWLY_S)
        yield


@contextmanager
def ill_signalled(fault: Fault) -> Iterator[None]:
    """Somebody sent a signal that nobody can understand."""
    fault.told(f"temporal workflow signal -w chamber/{CHAMBER} --name set_interval --input '\"soon\"'")
    eventually(lambda: "ignored" in fault.stack.details(CHAMBER), SLOWLY_S)
    yield


@contextmanager
def worker_killed(fault: Fault) -> Iterator[None]:
    """The worker was killed a moment ago; the stack starts it again."""
    os.kill(fault.pids("worker")[0], signal.SIGKILL)
    yield


@contextmanager
def store_frozen(fault: Fault) -> Iterator[None]:
    """PostgreSQL has stood still for a while: outcomes wait."""
    with frozen(fault, "postgres", 6.0):
        yield
    assert fault.told("chamberlog ready") == ""


FAULTS: Mapping[str, Callable[[Fault], AbstractContextManager[None]]] = {
    "First look": settled,
    "A chamber is failing": lambda fault: device_says(fault, {"kind": "status", "code": 500}, "failing"),
    "A chamber is stale": terminated,
    "A chamber is paused in Temporal itself": paused_natively,
    "A chamber is paused and nobody knows why": paused,
    "A section is not paused as a whole": section_half_paused,
    "Slots are overdue": overdue,
    "Many slots are gaps": lambda fault: device_says(fault, {"kind": "down"}, "failing"),
    "A signal was ignored": ill_signalled,
    "Registry and workflow differ": terminated,
    "No worker is alive": worker_killed,
    "A worker hangs": lambda fault: frozen(fault, "worker"),
    "PostgreSQL is away": store_frozen,
    "Valkey is away": lambda fault: frozen(fault, "valkey"),
    "The gateway lets nobody in": lambda fault: frozen(fault, "authz"),
    "Temporal is away": lambda fault: frozen(fault, "temporal"),
}
"""By heading. Sections that stand here not are run with nothing wrong: their commands look, and cause nothing."""


def fault_of(heading: str, stack: RunningStack) -> AbstractContextManager[None]:
    """What is wrong while the section is run."""
    make = FAULTS.get(heading)
    return make(Fault(stack)) if make else nullcontext()
