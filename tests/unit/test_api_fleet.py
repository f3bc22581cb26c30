"""The fleet at a glance: what comes first, and what each figure means, by value."""

from dataclasses import replace

import pytest

from adapters.memory import InMemoryOutcomes
from collector.domain.cadence import Grid
from collector.domain.instants import iso
from collector.domain.outcome import Gap, GapReason, Outcome
from collector.ports import SaveBatch, Standing
from collector.usecases.standing import ORDERS, Order, glance_of
from tests.unit.api_world import ENROLMENT, NOON_MS, World, a_reading

NOW_MS = 1_000_000
WELL = Standing("well", "", "b", "p", "collecting", 10_000, Grid(10_000, 0), 0, 990_000, 990_000, 4)
FLEET = [
    WELL,
    replace(WELL, id="late", section="a", late_ms=1_900),
    replace(WELL, id="behind", settled_ms=950_000, last_reading_ms=950_000),
    replace(WELL, id="gaps", last_reading_ms=970_000),
    replace(WELL, id="down", status="failing", last_reading_ms=900_000),
    replace(WELL, id="lost", status="stale", settled_ms=500_000, last_reading_ms=500_000),
    replace(WELL, id="held", status="paused", paused=True),
    replace(WELL, id="new", status="starting", last_reading_ms=None, late_ms=None, first_slot_ms=1_000_000),
]


@pytest.mark.parametrize(
    ("order", "first"),
    [
        (Order.TROUBLE, ["lost", "down", "new", "held", "gaps", "behind", "late", "well"]),
        (Order.ID, ["behind", "down", "gaps", "held", "late", "lost", "new", "well"]),
        (Order.SECTION, ["late", "behind"]),
        (Order.AGE, ["new", "lost", "down", "behind"]),
        (Order.NEXT, ["behind", "down"]),
        (Order.LATENESS, ["late", "behind"]),
        (Order.FAILURES, ["down", "gaps", "lost"]),
        (Order.BACKLOG, ["lost", "behind", "down"]),
    ],
)
def test_what_comes_first(order: Order, first: list[str]) -> None:
    glances = [glance_of(standing, NOW_MS) for standing in FLEET]
    ordered = [glance.standing.id for glance in sorted(glances, key=ORDERS[order])]
    assert ordered[: len(first)] == first


def test_figures_of_a_glance() -> None:
    figures = {s.id: (g.failures, g.backlog, g.next_slot_ms) for s in FLEET for g in [glance_of(s, NOW_MS)]}
    assert figures == {
        "well": (0, 0, 1_010_000),
        "late": (0, 0, 1_010_000),
        "behind": (0, 4, 1_010_000),
        "gaps": (2, 0, 1_010_000),
        "down": (9, 0, 1_010_000),
        "lost": (0, 49, 1_010_000),
        "held": (0, 0, None),
        "new": (0, 0, 1_010_000),
    }


async def test_the_answer_by_value() -> None:
    world = World()
    async with world.client() as client:
        for name in ("incubator-3", "incubator-4"):
            assert (await client.post("/v1/chambers", json=ENROLMENT | {"id": name, "name": "I"})).status_code == 201
        spec = world.ledger.chambers["incubator-3"].spec
        first_ms = spec.grid.after(NOON_MS)
        outcomes: list[Outcome] = [
            a_reading(spec, first_ms),
            Gap(first_ms + 60_000, first_ms + 120_000, GapReason.TIMEOUT),
        ]
        world.clock.wall_ms = first_ms + 120_500
        await InMemoryOutcomes(world.ledger).save(SaveBatch("incubator-3", outcomes, first_ms + 120_000))
        other = world.ledger.chambers["incubator-4"].spec.grid
        over = [
            slot for n in range(4) if other.deadline(slot := other.after(NOON_MS) + n * 60_000) <= first_ms + 120_500
        ]
        document = (await client.get("/v1/fleet?sort=failures&limit=1")).json()
        assert document["items"].pop() | {"reading": None} == {
            "id": "incubator-3",
            "name": "I",
            "section": "default",
            "profile": "airgradient",
            "interval_s": 60,
            "status": "collecting",
            "last_reading": iso(first_ms),
            "next_slot": iso(first_ms + 180_000),
            "lateness_s": 0.002,
            "failures": 2,
            "backlog": 0,
            "reading": None,
        }
        assert document == {
            "at": iso(first_ms + 120_500),
            "chambers": 2,
            "statuses": {"stale": 0, "failing": 0, "starting": 1, "retiring": 0, "paused": 0, "collecting": 1},
            "backlog": len(over),
            "fitting": 2,
            "items": [],
        }
        values = (await client.get("/v1/fleet?q=-3")).json()["items"][0]["reading"]["measurements"]
        assert values == {"temperature": {"value": 21.5, "unit": "Cel", "quality": "good"}}


async def test_a_status_narrows_the_rows_and_not_the_totals() -> None:
    world = World()
    async with world.client() as client:
        await client.post("/v1/chambers", json=ENROLMENT)
        document = (await client.get("/v1/fleet?status=failing")).json()
    assert (document["items"], document["fitting"], document["chambers"]) == ([], 0, 1)
    assert document["statuses"]["starting"] == 1


@pytest.mark.parametrize("query", ["sort=color", "limit=0", "limit=1001", "status=tired", "page=2"])
async def test_a_wrong_question_is_refused(query: str) -> None:
    async with World().client() as client:
        answer = await client.get(f"/v1/fleet?{query}")
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, query.partition("=")[0])


async def test_a_key_of_one_section_sees_that_one() -> None:
    world = World()
    async with world.client() as client:
        await client.post("/v1/chambers", json=ENROLMENT)
    async with world.client("bound") as client:
        assert (await client.get("/v1/fleet")).json()["chambers"] == 0
        assert (await client.get("/v1/fleet?section=default")).status_code == 403
    async with world.client("other") as client:
        assert (await client.get("/v1/fleet")).json()["chambers"] == 0


async def test_the_ledger_away_is_said() -> None:
    world = World()
    async with world.client() as client:
        await client.get("/v1/fleet")
        world.ledger.away = True
        assert (await client.get("/v1/fleet")).status_code == 503
