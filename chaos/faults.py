"""Every fault: what is done, what it may cost, and how long it takes."""

from collections.abc import Sequence
from dataclasses import dataclass

from chaos import allowance, deeds
from chaos.verdict import Rule

WATCH_S, SHORT_WATCH_S = 62.0, 12.0
"""After recovery: long enough for a slot of every chamber; the short form looks at the fast ones."""
SHORT_FROM_MS = 5_000
"""A second question or a gap at 1 or 2 s says how busy the machine is: five times that is left."""
ANYTHING = Rule(None)
NOTHING = Rule(allowance.nothing)
CLOCK_MS = 3_000


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault.

    Attributes:
        name: for `--only`, and of its row.
        about: a line for people.
        deed: makes it and takes it back.
        rule: what it may cost.
        lasts_s: how long the deed takes, about.
        watch_s: how long is watched after it.
    """

    name: str
    about: str
    deed: deeds.Deed
    rule: Rule
    lasts_s: float
    watch_s: float = WATCH_S

    @property
    def all_s(self) -> float:
        """How long everything takes, about."""
        return self.lasts_s + self.watch_s + 8.0


def long_faults() -> list[Fault]:
    """All faults in their order."""
    temporal, worker = Rule(allowance.outage_of_temporal), Rule(allowance.takeover)
    return [
        Fault("worker-kill", "kill -9 of one of two workers, away for 3 s", deeds.worker_killed(), worker, 5),
        Fault("postgres-kill", "kill -9 of PostgreSQL, started at once", deeds.killed("postgres"), NOTHING, 2),
        Fault(
            "postgres-60s",
            "PostgreSQL is down for 60 s",
            deeds.stopped(60, "postgres"),
            Rule(allowance.nothing, asked_once=True),
            62,
        ),
        Fault("valkey-kill", "kill -9 of Valkey, started at once", deeds.killed("valkey"), NOTHING, 1),
        Fault("temporal-kill", "kill -9 of Temporal, started at once", deeds.killed("temporal"), temporal, 3),
        Fault("temporal-90s", "Temporal is down for 90 s", deeds.stopped(90, "temporal"), temporal, 95),
        Fault("api-kill", "kill -9 of the API, started at once", deeds.killed("api"), NOTHING, 3),
        Fault("deploy", "one worker after the other is replaced", deeds.deployed, NOTHING, 10),
        Fault("disk-full", "PostgreSQL refuses readings for 30 s: 53100", deeds.disk_full(30), NOTHING, 30),
        Fault("freeze", "one worker stands still for 90 s", deeds.frozen(90), Rule(allowance.standstill), 90),
        Fault(
            "two-workers-one-round",
            "every running round is given again while its worker carries it",
            deeds.given_twice,
            NOTHING,
            22,
        ),
        Fault(
            "clock-3s",
            "the clock of the worker that has the rounds is 3 s ahead for 60 s",
            deeds.clock_wrong(60, CLOCK_MS),
            Rule(None, apart_ms=CLOCK_MS + 500),
            85,
        ),
        *pairs(),
    ]


def pairs() -> list[Fault]:
    """Two parts at a time: what they cost is reported, not judged, but nothing may be doubled or unaccounted."""
    return [
        Fault(
            "postgres+worker",
            "kill -9 of PostgreSQL and of a worker at once",
            deeds.worker_killed("postgres"),
            ANYTHING,
            6,
        ),
        Fault("valkey+api", "kill -9 of Valkey and of the API at once", deeds.killed("valkey", "api"), NOTHING, 3),
        Fault(
            "temporal+postgres",
            "Temporal and PostgreSQL are down for 20 s",
            deeds.stopped(20, "temporal", "postgres"),
            ANYTHING,
            24,
        ),
        Fault(
            "postgres+deploy",
            "a rolling deploy while PostgreSQL is down for 30 s",
            deeds.deployed_without(30, "postgres"),
            ANYTHING,
            32,
        ),
    ]


def short_faults() -> list[Fault]:
    """A form that fits into the tests, which share their machine: five faults in two minutes."""
    worker = Rule(allowance.takeover, judged_from_ms=SHORT_FROM_MS)
    none = Rule(allowance.nothing, judged_from_ms=SHORT_FROM_MS)
    once = Rule(allowance.nothing, asked_once=True, judged_from_ms=SHORT_FROM_MS)
    return [
        Fault("worker-kill", "kill -9 of one of two workers", deeds.worker_killed(), worker, 5, SHORT_WATCH_S),
        Fault("postgres-8s", "PostgreSQL is down for 8 s", deeds.stopped(8, "postgres"), once, 9, SHORT_WATCH_S),
        Fault("valkey-kill", "kill -9 of Valkey", deeds.killed("valkey"), none, 1, SHORT_WATCH_S),
        Fault("deploy", "one worker after the other is replaced", deeds.deployed, none, 10, SHORT_WATCH_S),
        Fault(
            "postgres+worker",
            "kill -9 of PostgreSQL and of a worker at once",
            deeds.worker_killed("postgres"),
            ANYTHING,
            6,
            SHORT_WATCH_S,
        ),
    ]


def chosen(faults: Sequence[Fault], only: Sequence[str]) -> list[Fault]:
    """Those that were asked for, in their own order; all when none was."""
    return [fault for fault in faults if not only or fault.name in only]
