"""`LedgerReader`: readings, bins, gaps, detectors, lateness; the audit has a file of its own."""

import itertools
from dataclasses import replace

import pytest

from adapters.cursors import LARGEST, SMALLEST, write_cursor
from collector.domain.errors import InvalidFieldError, NotFoundError
from collector.domain.outcome import EpochEnd, Gap, GapReason, Quality
from collector.domain.timerange import TimeRange
from tests.contract.ledger_rooms import HOUR, MINUTE, Rooms, enrolled, gap, now, reading, spec


async def test_readings_page_by_slot(rooms: Rooms) -> None:
    chamber = await enrolled(rooms, spec("paged"))
    await chamber.save(*(reading(chamber.slot(n), float(n)) for n in reversed(range(10))))
    span = TimeRange(chamber.slot(2), chamber.slot(9))

    found, cursor, pages = [], None, 0
    while pages == 0 or cursor is not None:
        page = await rooms.history.readings("default", "paged", span, limit=3, cursor=cursor)
        found += [stored.reading.slot_ms for stored in page.items]
        cursor, pages = page.next_cursor, pages + 1

    assert found == [chamber.slot(n) for n in range(2, 9)]
    assert pages == 3
    exact = await rooms.history.readings("default", "paged", span, limit=7)
    assert (len(exact.items), exact.next_cursor) == (7, None)


@pytest.mark.parametrize("cursor", ["nonsense", "WyJhIl0", "WzEsMl0x"])
async def test_a_foreign_cursor_is_refused(rooms: Rooms, cursor: str) -> None:
    await enrolled(rooms, spec("cursors"))
    span = TimeRange(0, now())
    with pytest.raises(InvalidFieldError) as caught:
        await rooms.history.readings("default", "cursors", span, limit=3, cursor=cursor)
    assert caught.value.field == "cursor"
    with pytest.raises(InvalidFieldError):
        await rooms.history.gaps("default", "cursors", span, limit=3, cursor=cursor)


async def test_ranges_and_cursors_beyond_all_time_answer_nothing(rooms: Rooms) -> None:
    chamber = await enrolled(rooms, spec("endless"))
    await chamber.save(reading(chamber.slot(0)))
    all_time = TimeRange(-(10**18), 10**18)
    assert len((await rooms.history.readings("default", "endless", all_time, limit=9)).items) == 1
    assert (await rooms.history.audit("default", "endless", all_time, now())).stored == 1
    readings, gaps = rooms.history.readings, rooms.history.gaps
    for far, found in ((SMALLEST, 1), (LARGEST, 0)):
        assert len((await readings("default", "endless", all_time, limit=9, cursor=write_cursor(far))).items) == found
        assert (await gaps("default", "endless", all_time, limit=9, cursor=write_cursor(far, far))).items == []
    for impossible in (write_cursor(LARGEST + 1), write_cursor(SMALLEST - 1)):
        with pytest.raises(InvalidFieldError):
            await readings("default", "endless", all_time, limit=9, cursor=impossible)


async def test_a_reading_keeps_the_units_it_was_stored_with(rooms: Rooms) -> None:
    chamber = await enrolled(rooms, spec("units"))
    celsius = reading(chamber.slot(0), 20.0)
    fahrenheit = replace(
        reading(chamber.slot(1), 68.0, 40.0),
        measurements=tuple(replace(m, unit="[degF]") for m in reading(0, 68.0, 40.0).measurements),
    )
    await chamber.save(celsius)
    await chamber.save(fahrenheit)

    page = await rooms.history.readings("default", "units", TimeRange(0, now()), limit=9)
    assert [stored.reading for stored in page.items] == [celsius, fahrenheit]
    detectors = await rooms.history.detectors("default", "units")
    assert [(d.name, d.unit, d.alias, d.active) for d in detectors] == [
        ("channel_1", "[degF]", None, True),
        ("temperature", "Cel", None, True),
    ]


async def test_bins_keep_excursions_and_show_gaps(rooms: Rooms) -> None:
    chamber = await enrolled(rooms, spec("curve"))
    values: list[float | None] = [1.0, 2.0, 9.0, None, 5.0]
    await chamber.save(*(reading(chamber.slot(n), 1.0, v) for n, v in enumerate(values)), reading(chamber.slot(9), 7.0))
    await chamber.save(
        gap(chamber.slot(5), chamber.slot(5), GapReason.TIMEOUT),
        gap(chamber.slot(6), chamber.slot(8), GapReason.MISSED),
    )

    bins = await rooms.history.bins("default", "curve", "channel_1", TimeRange(chamber.slot(0), chamber.slot(12)), 4)

    assert [b.start_ms for b in bins] == [chamber.slot(n) for n in (0, 3, 6, 9)]
    assert [(b.minimum, b.mean, b.maximum, b.count) for b in bins] == [
        (1.0, 4.0, 9.0, 3),
        (5.0, 5.0, 5.0, 1),
        (None, None, None, 0),
        (None, None, None, 0),
    ]
    assert [b.worst for b in bins] == [Quality.GOOD, Quality.BAD, None, None]
    assert [b.gap_reason for b in bins] == [None, GapReason.TIMEOUT, GapReason.MISSED, None]


async def test_bins_of_an_uneven_range_cover_each_reading_once(rooms: Rooms) -> None:
    chamber = await enrolled(rooms, spec("uneven", 1_000), ago_ms=MINUTE)
    await chamber.save(*(reading(chamber.slot(n), float(n)) for n in range(30)))
    span = TimeRange(chamber.slot(0), chamber.slot(30) - 1)

    bins = await rooms.history.bins("default", "uneven", "temperature", span, 7)

    assert sum(b.count for b in bins) == 30
    for this, after in itertools.pairwise(bins):
        assert this.maximum is not None
        assert this.start_ms <= chamber.slot(int(this.maximum)) < after.start_ms
    nothing = await rooms.history.bins("default", "uneven", "temperature", TimeRange(5, 5), 2)
    assert [b.count for b in nothing] == [0, 0]


async def test_an_open_pause_reaches_to_now_and_no_further(rooms: Rooms) -> None:
    chamber = await enrolled(rooms, spec("open"))
    await chamber.save(reading(chamber.slot(0)), Gap(chamber.slot(30), None, GapReason.PAUSED, "door"))
    hours = TimeRange(chamber.slot(0), chamber.slot(120))

    bins = await rooms.history.bins("default", "open", "temperature", hours, 4)
    page = await rooms.history.gaps("default", "open", hours, limit=9)

    assert [b.gap_reason for b in bins][:2] == [None, GapReason.PAUSED]
    assert bins[3].gap_reason is None
    run = page.items[0]
    assert (run.last_ms, run.detail) == (None, "door")
    assert 30 <= run.slots <= (now() - run.first_ms) // MINUTE + 1


async def test_an_unknown_detector_is_told_which_there_are(rooms: Rooms) -> None:
    chamber = await enrolled(rooms, spec("detectors"))
    await chamber.save(reading(chamber.slot(0), 1.0, 2.0))
    with pytest.raises(InvalidFieldError) as caught:
        await rooms.history.bins("default", "detectors", "pressure", TimeRange(0, now()), 3)
    assert caught.value.field == "detector"
    assert "channel_1, temperature" in caught.value.remedy


async def test_gaps_page_and_count_their_slots_within_the_range(rooms: Rooms) -> None:
    chamber = await enrolled(rooms, spec("gaps"))
    await chamber.save(*(gap(chamber.slot(n), chamber.slot(n)) for n in range(4)))
    await chamber.save(
        gap(chamber.slot(4), chamber.slot(100), GapReason.LOST),
        gap(chamber.slot(4), chamber.slot(5), GapReason.MISSED),
        EpochEnd(chamber.slot(20)),
    )
    span = TimeRange(chamber.slot(2), chamber.slot(15))

    found, cursor, pages = [], None, 0
    while pages == 0 or cursor is not None:
        page = await rooms.history.gaps("default", "gaps", span, limit=2, cursor=cursor)
        found += [(run.first_ms, run.slots) for run in page.items]
        cursor, pages = page.next_cursor, pages + 1

    assert found == [(chamber.slot(2), 1), (chamber.slot(3), 1), (chamber.slot(4), 11), (chamber.slot(4), 2)]
    whole = await rooms.history.gaps("default", "gaps", TimeRange(0, chamber.slot(200)), limit=9)
    assert [run.slots for run in whole.items] == [1, 1, 1, 1, 17, 2]
    assert all(abs(run.recorded_ms - now()) < MINUTE for run in whole.items)


async def test_lateness_is_of_the_requests_start(rooms: Rooms) -> None:
    chamber = await enrolled(rooms, spec("lateness"))
    await chamber.save(*(reading(chamber.slot(n), late_ms=10 * n) for n in range(11)))

    lateness = await rooms.history.lateness("default", TimeRange(0, now()))

    assert lateness is not None
    assert lateness.p50_ms == pytest.approx(50)
    assert lateness.p99_ms == pytest.approx(99)
    assert await rooms.history.lateness("default", TimeRange(0, chamber.slot(0))) is None
    assert await rooms.history.lateness("elsewhere", TimeRange(0, now())) is None


async def test_another_organization_reads_nothing(rooms: Rooms) -> None:
    chamber = await enrolled(rooms, spec("private"))
    await chamber.save(reading(chamber.slot(0)), gap(chamber.slot(1), chamber.slot(1)))
    history, span = rooms.history, TimeRange(0, now() + HOUR)
    for whose, name in (("elsewhere", "private"), ("default", "nobody")):
        for call in (
            history.readings(whose, name, span, limit=5),
            history.bins(whose, name, "temperature", span, 5),
            history.latest(whose, name),
            history.gaps(whose, name, span, limit=5),
            history.detectors(whose, name),
            history.audit(whose, name, span, now()),
        ):
            with pytest.raises(NotFoundError):
                await call
