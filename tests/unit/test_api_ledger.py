"""Readings, curves, latest values, gaps, detectors and audits, as JSON and as CSV."""

import csv
import io
from dataclasses import replace

from adapters.memory import InMemoryOutcomes
from collector.domain.instants import iso
from collector.domain.outcome import Gap, GapReason, Measurement, Quality
from collector.ports import SaveBatch
from tests.unit.api_world import ENROLMENT, NOON_MS, World, a_reading

ID = "incubator-3"
MINE = f"/v1/chambers/{ID}"
FIRST_MS = NOON_MS + 34_480
RANGE = "from=2026-03-01T12:00:00Z&to=2026-03-01T12:10:00Z"


async def filled() -> World:
    """Ten slots: five readings, a time-out of two, a bad channel in the fifth, three that are pending."""
    world = World()
    async with world.client() as client:
        assert (await client.post("/v1/chambers", json=ENROLMENT)).status_code == 201
    spec = world.ledger.chambers[ID].spec
    readings = [a_reading(spec, FIRST_MS + n * 60_000, 20.0 + n) for n in (0, 1, 2, 5, 6)]
    bad = Measurement("relative_humidity", None, "%", Quality.BAD)
    readings[4] = replace(readings[4], measurements=(*readings[4].measurements, bad), observed_ms=FIRST_MS + 360_000)
    gap = Gap(FIRST_MS + 180_000, FIRST_MS + 240_000, GapReason.TIMEOUT, "no whole answer in 10 s")
    world.clock.wall_ms = FIRST_MS + 7 * 60_000
    await InMemoryOutcomes(world.ledger).save(SaveBatch(ID, [*readings[:3], gap, *readings[3:]], FIRST_MS + 360_000))
    return world


async def test_readings_stand_in_the_order_of_their_slots_with_all_their_instants() -> None:
    world = await filled()
    async with world.client() as client:
        document = (await client.get(f"{MINE}/readings?{RANGE}")).json()
    assert document["next_cursor"] is None
    assert [r["slot"] for r in document["items"]] == [iso(FIRST_MS + n * 60_000) for n in (0, 1, 2, 5, 6)]
    slot_ms = FIRST_MS + 360_000
    assert document["items"][-1] == {
        "slot": iso(slot_ms),
        "requested_at": iso(slot_ms + 2),
        "received_at": iso(slot_ms + 90),
        "observed_at": iso(slot_ms),
        "stored_at": iso(FIRST_MS + 420_000),
        "measurements": {
            "temperature": {"value": 26.0, "unit": "Cel", "quality": "good"},
            "relative_humidity": {"value": None, "unit": "%", "quality": "bad"},
        },
    }


async def test_from_is_inclusive_and_to_is_exclusive() -> None:
    world = await filled()
    async with world.client() as client:
        span = {"from": iso(FIRST_MS), "to": iso(FIRST_MS + 60_000)}
        items = (await client.get(f"{MINE}/readings", params=span)).json()["items"]
    assert [r["slot"] for r in items] == [iso(FIRST_MS)]


async def test_without_a_range_the_last_24_hours_are_shown() -> None:
    world = await filled()
    async with world.client() as client:
        assert len((await client.get(f"{MINE}/readings")).json()["items"]) == 5
        world.clock.wall_ms = FIRST_MS + 86_400_000 + 60_000
        assert len((await client.get(f"{MINE}/readings")).json()["items"]) == 4


async def test_readings_are_paged() -> None:
    world = await filled()
    async with world.client() as client:
        first = (await client.get(f"{MINE}/readings?limit=3&{RANGE}")).json()
        second = (await client.get(f"{MINE}/readings?limit=3&{RANGE}&cursor={first['next_cursor']}")).json()
    assert [len(first["items"]), len(second["items"]), second["next_cursor"]] == [3, 2, None]


async def test_readings_of_one_detector_carry_that_one_only() -> None:
    world = await filled()
    async with world.client() as client:
        items = (await client.get(f"{MINE}/readings?detector=temperature&{RANGE}")).json()["items"]
    assert all(list(reading["measurements"]) == ["temperature"] for reading in items)


async def test_a_curve_has_every_bin_and_says_why_one_is_empty() -> None:
    world = await filled()
    async with world.client() as client:
        query = f"detector=temperature&points=5&{RANGE}"
        items = (await client.get(f"{MINE}/readings?{query}")).json()["items"]
    assert [bin_["start"] for bin_ in items] == [iso(NOON_MS + n * 120_000) for n in range(5)]
    filled_bin = {"min": 20.0, "mean": 20.5, "max": 21.0, "count": 2, "worst_quality": "good", "gap_reason": None}
    assert items[0] == {"start": iso(NOON_MS), **filled_bin}
    assert (items[1]["count"], items[1]["gap_reason"]) == (1, "timeout")
    assert items[4] == {
        "start": iso(NOON_MS + 480_000),
        "min": None,
        "mean": None,
        "max": None,
        "count": 0,
        "worst_quality": None,
        "gap_reason": None,
    }


async def test_readings_as_csv_have_a_row_for_each_measurement_and_a_link_to_the_rest() -> None:
    world = await filled()
    async with world.client() as client:
        wanted = {"Accept": "text/csv, application/json;q=0.5"}
        whole = await client.get(f"{MINE}/readings?{RANGE}", headers=wanted)
        part = await client.get(f"{MINE}/readings?limit=4&{RANGE}", headers=wanted)
        following = part.headers["link"].removeprefix("<").partition(">")[0]
        rest = await client.get(following, headers=wanted)
    assert whole.headers["content-type"].startswith("text/csv")
    assert "link" not in whole.headers
    rows = list(csv.DictReader(io.StringIO(whole.text)))
    assert len(rows) == 6
    assert rows[-1] == {
        "slot": iso(FIRST_MS + 360_000),
        "requested_at": iso(FIRST_MS + 360_002),
        "received_at": iso(FIRST_MS + 360_090),
        "observed_at": iso(FIRST_MS + 360_000),
        "stored_at": iso(FIRST_MS + 420_000),
        "detector": "relative_humidity",
        "value": "",
        "unit": "%",
        "quality": "bad",
    }
    assert part.headers["link"].endswith('rel="next"')
    assert part.text + rest.text.partition("\r\n")[2] == whole.text


async def test_a_curve_as_csv() -> None:
    world = await filled()
    async with world.client() as client:
        query = f"detector=temperature&points=5&{RANGE}"
        answer = await client.get(f"{MINE}/readings?{query}", headers={"Accept": "text/csv"})
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [row["count"] for row in rows] == ["2", "1", "1", "1", "0"]
    assert rows[1]["gap_reason"] == "timeout"


async def test_json_is_answered_unless_csv_is_preferred() -> None:
    world = await filled()
    async with world.client() as client:
        for accept in ("*/*", "application/json", "text/csv;q=0.2, application/json", "text/csv;q=x", "text/html"):
            answer = await client.get(f"{MINE}/readings", headers={"Accept": accept})
            assert answer.headers["content-type"] == "application/json", accept


async def test_gaps_say_their_slots_and_their_reason() -> None:
    world = await filled()
    async with world.client() as client:
        document = (await client.get(f"{MINE}/gaps?{RANGE}")).json()
    assert document == {
        "items": [
            {
                "first_slot": iso(FIRST_MS + 180_000),
                "last_slot": iso(FIRST_MS + 240_000),
                "slots": 2,
                "reason": "timeout",
                "detail": "no whole answer in 10 s",
                "by": "",
                "until": None,
                "recorded_at": iso(FIRST_MS + 420_000),
            }
        ],
        "next_cursor": None,
    }


async def test_the_audit_accounts_for_every_slot_of_a_chamber_and_of_the_fleet() -> None:
    world = await filled()
    async with world.client() as client:
        one = (await client.get(f"{MINE}/audit?{RANGE}")).json()
        fleet = (await client.get(f"/v1/audit?{RANGE}")).json()
    assert one == fleet
    assert one == {
        "from": "2026-03-01T12:00:00.000Z",
        "to": iso(FIRST_MS + 420_000),
        "chambers": 1,
        "expected": 7,
        "stored": 5,
        "gaps": {"timeout": 2},
        "unaccounted": 0,
        "overdue": 0,
        "pending": 0,
        "retained_from": one["retained_from"],
        "offenders": [],
    }


async def test_an_audit_names_the_chambers_that_owe_slots() -> None:
    world = await filled()
    del world.ledger.chambers[ID].readings[FIRST_MS]
    world.clock.wall_ms += 180_001
    async with world.client() as client:
        audit = (await client.get("/v1/audit?from=2026-03-01T12:00:00Z")).json()
    assert (audit["expected"], audit["stored"], audit["gaps"]) == (11, 4, {"timeout": 2})
    assert (audit["unaccounted"], audit["overdue"], audit["pending"]) == (1, 3, 1)
    assert audit["offenders"] == [{"chamber": ID, "unaccounted": 1, "overdue": 3}]


async def test_the_latest_reading_comes_from_the_cache_or_else_from_the_store() -> None:
    world = await filled()
    spec = world.ledger.chambers[ID].spec
    async with world.client() as client:
        stored = (await client.get(f"{MINE}/latest")).json()
        assert stored["chamber"] == ID
        assert (stored["reading"]["slot"], stored["reading"]["stored_at"]) == (
            iso(FIRST_MS + 360_000),
            iso(FIRST_MS + 420_000),
        )
        newer = a_reading(spec, FIRST_MS + 420_000, 99.0)
        await world.cache.put("default", spec, newer)
        cached = (await client.get(f"{MINE}/latest")).json()
        assert cached["reading"]["measurements"]["temperature"]["value"] == 99.0
        assert cached["reading"]["stored_at"] is None
        world.cache.away = True
        assert (await client.get(f"{MINE}/latest")).json() == stored


async def test_the_latest_readings_of_a_fleet_show_chambers_without_one_too() -> None:
    world = await filled()
    async with world.client() as client:
        await client.post("/v1/chambers", json={**ENROLMENT, "id": "new-one"})
        first = (await client.get("/v1/latest?limit=1")).json()
        second = (await client.get(f"/v1/latest?limit=1&cursor={first['next_cursor']}")).json()
    assert [item["chamber"] for item in (*first["items"], *second["items"])] == [ID, "new-one"]
    assert first["items"][0]["reading"]["slot"] == iso(FIRST_MS + 360_000)
    assert second == {"items": [{"chamber": "new-one", "reading": None}], "next_cursor": None}


async def test_detectors_come_with_the_readings() -> None:
    world = await filled()
    async with world.client() as client:
        items = (await client.get(f"{MINE}/detectors")).json()["items"]
        assert [(d["name"], d["unit"], d["active"]) for d in items] == [
            ("relative_humidity", "%", True),
            ("temperature", "Cel", True),
        ]


async def test_the_catalog_lists_profiles() -> None:
    async with World().client() as client:
        profiles = (await client.get("/v1/profiles")).json()["items"]
    assert {"airgradient", "generic-json"} <= {profile["name"] for profile in profiles}
    assert next(p for p in profiles if p["name"] == "airgradient")["measurements"]["temperature"] == "Cel"
