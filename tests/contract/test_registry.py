"""`Registry`: the row is the truth, inside one organization; its status comes from the ledger."""

from dataclasses import replace

import pytest

from collector.domain.chamber import Pause
from collector.domain.errors import ConflictError, InvalidFieldError, NotFoundError, StaleVersionError
from collector.domain.outcome import Epoch, EpochEnd, Gap, GapReason, PauseEnd
from collector.domain.timerange import TimeRange
from collector.ports import ChamberFilter, DetectorRecord, SaveBatch
from tests.contract.ledger_rooms import HOUR, MINUTE, Rooms, enrolled, gap, now, reading, spec


async def test_a_row_comes_back_as_it_was_enrolled(rooms: Rooms) -> None:
    wanted = replace(
        spec("whole", 7_000),
        url="http://192.0.2.7/?" + "x" * 1900,
        name="Klimaschrank \u00fc \x27\x22\\",
        round_span_ms=600_000,
        aligned=True,
        labels={"room": "3\u00b2", "": "{}"},
        secret_ref="env:LAB3_TOKEN",
        verify_tls=False,
    )
    epoch = Epoch(wanted.grid.after(now()), 7_000, 0, 1)
    created_ms = now() - 5

    record = await rooms.registry.enrol(wanted, epoch, created_ms)

    assert record.spec == wanted
    assert record == await rooms.registry.find("default", "whole")
    assert (record.pause, record.status, record.last_reading_ms, record.retired_ms) == (None, "starting", None, None)
    assert (record.first_slot_ms, record.settled_through_ms) == (epoch.first_slot_ms, epoch.first_slot_ms - 1)
    assert record.created_ms == created_ms


async def test_enrolling_again_changes_nothing(rooms: Rooms) -> None:
    chamber = await enrolled(rooms, spec("again"))
    before = await chamber.record()
    again = await enrolled(rooms, replace(chamber.spec, url="http://192.0.2.8/"), ago_ms=MINUTE)
    assert await again.record() == before


async def test_a_retired_id_is_enrolled_anew_and_keeps_its_history(rooms: Rooms) -> None:
    chamber = await enrolled(rooms, spec("reborn"))
    await rooms.registry.change_pause("default", "reborn", Pause(chamber.slot(2), "door"))
    await rooms.registry.retire("default", "reborn")
    await chamber.save(reading(chamber.slot(0)), EpochEnd(chamber.slot(59)), settled=chamber.slot(59))
    await rooms.add_section("default", "cold")

    again = await enrolled(rooms, replace(chamber.spec, section="cold", interval_ms=30_000), ago_ms=HOUR)

    record = await again.record()
    assert (record.spec.version, record.spec.section, record.pause) == (3, "cold", None)
    assert record.retired_ms is None
    assert record.first_slot_ms > chamber.slot(59)
    assert record.created_ms < now() - HOUR // 2
    audit = await rooms.history.audit("default", "reborn", TimeRange(0, record.first_slot_ms + 1), now())
    assert (audit.expected, audit.stored) == (61, 1)


async def test_another_organization_sees_nothing(rooms: Rooms) -> None:
    await rooms.add_section("elsewhere", "default")
    chamber = await enrolled(rooms, spec("mine"))
    theirs = replace(chamber.spec, organization="elsewhere")

    for call in (
        rooms.registry.find("elsewhere", "mine"),
        rooms.registry.change_spec(theirs, 1),
        rooms.registry.change_pause("elsewhere", "mine", None),
        rooms.registry.retire("elsewhere", "mine"),
        rooms.registry.find("default", "nobody"),
        rooms.registry.find("default", "nul\x00"),
    ):
        with pytest.raises(NotFoundError, match="no chamber"):
            await call
    with pytest.raises(ConflictError) as caught:
        await rooms.registry.enrol(theirs, Epoch(chamber.first_ms, MINUTE, 0, 1), now())
    assert caught.value.field == "id"
    assert "default" not in str(caught.value)
    assert (await rooms.registry.page("elsewhere", ChamberFilter(), 10, None)).items == []
    assert (await chamber.record()).status != "retiring"


async def test_sections(rooms: Rooms) -> None:
    await rooms.add_section("default", "cold")
    assert await rooms.registry.sections("default") == ["cold", "default"]
    assert await rooms.registry.sections("nobody") == []
    assert await rooms.registry.has_section("default", "cold")
    assert not await rooms.registry.has_section("default", "hot")
    with pytest.raises(InvalidFieldError) as caught:
        await rooms.registry.enrol(spec("lost", section="hot"), Epoch(now(), MINUTE, 0, 1), now())
    assert caught.value.field == "section"


async def test_changing_the_spec_needs_the_version_that_stands(rooms: Rooms) -> None:
    chamber = await enrolled(rooms, spec("patched"))
    wanted = replace(chamber.spec, name="new", interval_ms=30_000, labels={"a": "b"})

    record = await rooms.registry.change_spec(wanted, 1)
    assert record.spec == replace(wanted, version=2)
    with pytest.raises(StaleVersionError) as caught:
        await rooms.registry.change_spec(wanted, 1)
    assert caught.value.current == 2

    await rooms.registry.retire("default", "patched")
    with pytest.raises(ConflictError):
        await rooms.registry.change_spec(wanted, 2)
    with pytest.raises(ConflictError):
        await rooms.registry.change_pause("default", "patched", None)


async def test_a_pause_is_written_once(rooms: Rooms) -> None:
    await enrolled(rooms, spec("paused"))
    pause = Pause(now(), "door", "key/1", now() + HOUR)

    first = await rooms.registry.change_pause("default", "paused", pause)
    second = await rooms.registry.change_pause("default", "paused", replace(pause, since_ms=pause.since_ms + 1))
    assert first == second
    assert (first.pause, first.spec.version, first.status) == (pause, 2, "paused")

    third = await rooms.registry.change_pause("default", "paused", replace(pause, reason="filter"))
    assert third.spec.version == 3
    resumed = [await rooms.registry.change_pause("default", "paused", None) for _ in range(2)]
    assert [(r.pause, r.spec.version) for r in resumed] == [(None, 4), (None, 4)]


async def test_retiring_again_changes_nothing(rooms: Rooms) -> None:
    await enrolled(rooms, spec("leaving"))
    records = [await rooms.registry.retire("default", "leaving") for _ in range(2)]
    assert records[0] == records[1]
    assert records[0].status == "retiring"


async def test_pages_follow_ids_and_filters(rooms: Rooms) -> None:
    await rooms.add_section("default", "cold")
    for name in ("c", "a", "e", "b", "d"):
        await enrolled(rooms, spec(name, section="cold" if name in "ab" else "default"), ago_ms=0)
    gone = await enrolled(rooms, replace(spec("gone"), name="Gone 100%"))
    await rooms.registry.change_pause("default", "c", Pause(now()))

    async def ids(wanted: ChamberFilter, limit: int = 2) -> list[str]:
        found: list[str] = []
        cursor = None
        while True:
            page = await rooms.registry.page("default", wanted, limit, cursor)
            assert len(page.items) <= limit
            found += [r.spec.id for r in page.items]
            cursor = page.next_cursor
            if cursor is None:
                return found

    assert await ids(ChamberFilter()) == ["a", "b", "c", "d", "e", "gone"]
    await gone.save(EpochEnd(gone.slot(0)))
    assert await ids(ChamberFilter()) == ["a", "b", "c", "d", "e"]
    assert await ids(ChamberFilter(status="retired")) == ["gone"]
    assert await ids(ChamberFilter(status="retired", text="100%")) == ["gone"]
    assert await ids(ChamberFilter(status="paused")) == ["c"]
    assert await ids(ChamberFilter(section="cold")) == ["a", "b"]
    assert await ids(ChamberFilter(text="E")) == ["e"]
    assert await ids(ChamberFilter(text="_")) == []
    assert await ids(ChamberFilter(), limit=5) == ["a", "b", "c", "d", "e"]


async def test_the_active_ones_come_in_the_order_of_pages_without_retired_ones(rooms: Rooms) -> None:
    await rooms.add_section("default", "cold")
    await rooms.add_section("other", "default")
    for name in ("c-1", "a", "c1", "e"):
        await enrolled(rooms, replace(spec(name, section="cold" if name == "a" else "default"), name=f"N {name}"))
    await enrolled(rooms, spec("theirs", organization="other"))
    gone = await enrolled(rooms, spec("gone"))
    await rooms.registry.retire("default", "gone")
    await rooms.registry.change_pause("default", "e", Pause(now()))
    cold = await rooms.registry.find("default", "a")
    await rooms.outcomes.save(SaveBatch("a", [reading(cold.first_slot_ms, 1.0, 2.0, 3.0)]))
    for detector in ("temperature", "channel_2"):
        await rooms.registry.change_detector("default", "a", DetectorRecord(detector, "", None, active=False))
    everyone = (await rooms.registry.page("default", ChamberFilter(), 10, None)).items

    found = await rooms.registry.active("default", 10)
    assert [(c.id, c.section, c.name, c.interval_ms) for c in found] == [
        (r.spec.id, r.spec.section, r.spec.name, r.spec.interval_ms) for r in everyone
    ]
    assert (found[0].section, found[0].inactive) == ("cold", ("channel_2", "temperature"))
    assert {c.inactive for c in found[1:]} == {()}
    assert len(await rooms.registry.active("default", 2)) == 2
    await gone.save(EpochEnd(gone.slot(0)))
    assert "gone" not in {c.id for c in await rooms.registry.active("default", 10)}


@pytest.mark.parametrize("cursor", ["", "x", "ex", "WzFd", "W10", "bnVsbA", "\u00fc", "=", "WyJhIiwxXQ"])
async def test_a_foreign_cursor_is_refused(rooms: Rooms, cursor: str) -> None:
    with pytest.raises(InvalidFieldError) as caught:
        await rooms.registry.page("default", ChamberFilter(), 10, cursor)
    assert caught.value.field == "cursor"


async def test_starting_then_collecting_then_failing(rooms: Rooms) -> None:
    chamber = await enrolled(rooms, spec("status", 1_000), ago_ms=10_000)
    assert (await chamber.record()).status == "starting"

    await chamber.save(gap(chamber.slot(0), chamber.slot(1)), settled=chamber.slot(1))
    assert (await chamber.record()).status == "collecting"
    await chamber.save(gap(chamber.slot(2), chamber.slot(2)), settled=chamber.slot(2))
    assert (await chamber.record()).status == "failing"
    await chamber.save(reading(chamber.slot(3)), settled=chamber.slot(3))
    assert (await chamber.record()).status == "collecting"
    await chamber.save(gap(chamber.slot(4), chamber.slot(5)), settled=chamber.slot(5))
    assert (await chamber.record()).status == "collecting"
    await chamber.save(gap(chamber.slot(6), chamber.slot(6)), settled=chamber.slot(6))
    assert (await chamber.record()).status == "failing"


async def test_slots_of_a_pause_do_not_make_a_chamber_failing(rooms: Rooms) -> None:
    chamber = await enrolled(rooms, spec("rested", 1_000), ago_ms=20_000)
    await chamber.save(Gap(chamber.slot(0), None, GapReason.PAUSED), PauseEnd(chamber.slot(0), chamber.slot(9)))
    await chamber.save(gap(chamber.slot(10), chamber.slot(11)), settled=chamber.slot(11))
    assert (await chamber.record()).status == "collecting"
    await chamber.save(gap(chamber.slot(12), chamber.slot(12)), settled=chamber.slot(12))
    assert (await chamber.record()).status == "failing"


@pytest.mark.parametrize(("settled_ago_ms", "status"), [(2 * MINUTE, "collecting"), (4 * MINUTE, "stale")])
async def test_stale_is_two_intervals_and_a_minute_without_settling(
    rooms: Rooms, settled_ago_ms: int, status: str
) -> None:
    chamber = await enrolled(rooms, spec("stale"))
    last_ms = chamber.spec.grid.at_or_before(now() - settled_ago_ms)
    await chamber.save(reading(last_ms))
    await chamber.settle(last_ms)
    assert (await chamber.record()).status == status


async def test_a_pause_hides_staleness_and_ends_it_for_a_while(rooms: Rooms) -> None:
    chamber = await enrolled(rooms, spec("resting"))
    assert (await chamber.record()).status == "stale"
    record = await rooms.registry.change_pause("default", "resting", Pause(chamber.slot(1)))
    assert record.status == "paused"
    record = await rooms.registry.change_pause("default", "resting", None)
    assert record.status == "starting"


@pytest.mark.parametrize(("over_ms", "status"), [(MINUTE, "paused"), (10 * MINUTE, "stale")])
async def test_a_pause_that_nobody_ended_becomes_stale(rooms: Rooms, over_ms: int, status: str) -> None:
    chamber = await enrolled(rooms, spec("forgotten"))
    pause = Pause(chamber.slot(1), until_ms=now() - over_ms)
    assert (await rooms.registry.change_pause("default", "forgotten", pause)).status == status
