"""The fleet at a glance, as the API takes the question and answers it."""

from pydantic import BaseModel, Field

from api.inputs import Query, ShortText
from api.ledger_schemas import READING, ReadingOut, reading_out
from api.schemas import Instant, instant, seconds, shows
from collector.domain.health import Status
from collector.domain.instants import iso
from collector.usecases.standing import ChamberGlance, FleetGlance, Order

GLANCE = {
    "id": "incubator-3",
    "name": "Incubator 3",
    "section": "default",
    "profile": "airgradient",
    "interval_s": 60,
    "status": "collecting",
    "last_reading": "2026-03-01T12:00:17.000Z",
    "next_slot": "2026-03-01T12:01:17.000Z",
    "lateness_s": 0.002,
    "failures": 0,
    "backlog": 0,
    "reading": READING,
}


class FleetQuery(Query):
    """Which chambers, and which of them first."""

    section: ShortText | None = Field(None, description="where they stand")
    status: Status | None = Field(None, description="one of the statuses; retired chambers are never shown")
    q: ShortText | None = Field(None, description="part of the id or the name")
    sort: Order = Field(Order.TROUBLE, description="what comes first")
    limit: int = Field(100, ge=1, le=1000, description="chambers at most")


class ChamberGlanceOut(BaseModel):
    """A chamber at a glance.

    `failures`: slots in a row without a reading. `backlog`: slots since the oldest that is over and not stored.
    `lateness_s`: of the newest reading's request. `reading`: the newest one.
    """

    model_config = shows(**GLANCE)

    id: str
    name: str
    section: str
    profile: str
    interval_s: int | float
    status: str
    last_reading: Instant | None
    next_slot: Instant | None
    lateness_s: float | None
    failures: int
    backlog: int
    reading: ReadingOut | None


class FleetOut(BaseModel):
    """The fleet at a glance: `chambers`, `statuses` and `backlog` of all, `items` the first of those that are wanted.

    `fitting`: how many are of the wanted status.
    """

    model_config = shows(
        at="2026-03-01T12:00:40.000Z",
        chambers=1,
        statuses={"stale": 0, "failing": 0, "starting": 0, "retiring": 0, "paused": 0, "collecting": 1},
        backlog=0,
        fitting=1,
        items=[GLANCE],
    )

    at: Instant
    chambers: int
    statuses: dict[str, int]
    backlog: int
    fitting: int
    items: list[ChamberGlanceOut]


def fleet_out(fleet: FleetGlance) -> FleetOut:
    """The fleet as JSON."""
    return FleetOut(
        at=iso(fleet.at_ms),
        chambers=sum(fleet.statuses.values()),
        statuses=dict(fleet.statuses),
        backlog=fleet.backlog,
        fitting=fleet.fitting,
        items=[_glance_out(glance) for glance in fleet.chambers],
    )


def _glance_out(glance: ChamberGlance) -> ChamberGlanceOut:
    standing, reading = glance.standing, glance.reading
    return ChamberGlanceOut(
        id=standing.id,
        name=standing.name,
        section=standing.section,
        profile=standing.profile,
        interval_s=seconds(standing.interval_ms),
        status=standing.status,
        last_reading=instant(standing.last_reading_ms),
        next_slot=instant(glance.next_slot_ms),
        lateness_s=None if standing.late_ms is None else standing.late_ms / 1000,
        failures=glance.failures,
        backlog=glance.backlog,
        reading=None if reading is None else reading_out(reading, None),
    )
