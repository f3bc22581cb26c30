"""Detectors: an alias and a switch, kept beside the readings; and reading many chambers at once."""

import asyncio
from dataclasses import replace

import pytest

from collector.domain.errors import ChamberlogError, ConflictError, InvalidFieldError, NotFoundError
from collector.domain.outcome import Measurement, Reading
from collector.domain.timerange import TimeRange
from collector.ports import DetectorRecord
from tests.contract.ledger_rooms import Enrolled, Rooms, enrolled, reading, spec

TEMPERATURE = DetectorRecord("temperature", "Cel", None, active=True)
CHANNEL = DetectorRecord("channel_1", "%", None, active=True)
ODD = ["", "unknown", "nul\x00", "\ud800"]


async def measured(rooms: Rooms, name: str = "incubator") -> Enrolled:
    """A chamber with two detectors and three readings."""
    chamber = await enrolled(rooms, spec(name))
    await chamber.save(*(reading(chamber.slot(n), 20.0 + n, 50.0) for n in range(3)), settled=chamber.slot(2))
    return chamber


async def test_alias_and_switch_are_kept(rooms: Rooms) -> None:
    chamber = await measured(rooms)
    wanted = replace(TEMPERATURE, alias="L\u00fcfter 'oben'", active=False)
    assert await rooms.registry.change_detector("default", "incubator", wanted) == wanted
    assert await rooms.registry.change_detector("default", "incubator", replace(wanted, unit="?")) == wanted
    assert await rooms.history.detectors("default", "incubator") == [CHANNEL, wanted]

    await chamber.save(reading(chamber.slot(3), 1.0, 2.0), settled=chamber.slot(3))
    assert await rooms.history.detectors("default", "incubator") == [CHANNEL, wanted], "a reading changes neither"
    assert await rooms.registry.change_detector("default", "incubator", TEMPERATURE) == TEMPERATURE
    assert await rooms.history.detectors("default", "incubator") == [CHANNEL, TEMPERATURE]


async def test_values_of_a_detector_that_is_switched_off_are_stored(rooms: Rooms) -> None:
    chamber = await measured(rooms)
    await rooms.registry.change_detector("default", "incubator", replace(CHANNEL, active=False))
    await chamber.save(reading(chamber.slot(3), 1.0, 2.0), settled=chamber.slot(3))
    latest = await rooms.history.latest("default", "incubator")
    assert latest is not None
    assert [m.value for m in latest.reading.measurements] == [1.0, 2.0]


async def test_the_row_of_the_chamber_does_not_change(rooms: Rooms) -> None:
    chamber = await measured(rooms)
    before = await chamber.record()
    await rooms.registry.change_detector("default", "incubator", replace(CHANNEL, alias="co2", active=False))
    assert await chamber.record() == before


@pytest.mark.parametrize("alias", ["channel_1", "co2"])
async def test_an_alias_means_one_detector(rooms: Rooms, alias: str) -> None:
    await measured(rooms)
    await rooms.registry.change_detector("default", "incubator", replace(CHANNEL, alias="co2"))
    with pytest.raises(ConflictError, match="channel_1") as caught:
        await rooms.registry.change_detector("default", "incubator", replace(TEMPERATURE, alias=alias, active=False))
    assert caught.value.field == "alias"
    assert (await rooms.history.detectors("default", "incubator"))[1] == TEMPERATURE


async def test_an_alias_may_be_given_again_and_to_another_chamber(rooms: Rooms) -> None:
    await measured(rooms)
    await measured(rooms, "other")
    aliased = replace(CHANNEL, alias="co2")
    for chamber_id in ("incubator", "incubator", "other"):
        assert await rooms.registry.change_detector("default", chamber_id, aliased) == aliased
    await rooms.registry.change_detector("default", "incubator", CHANNEL)
    freed = replace(TEMPERATURE, alias="co2")
    assert await rooms.registry.change_detector("default", "incubator", freed) == freed


async def test_of_two_that_want_an_alias_together_one_gets_it(postgres_rooms: Rooms) -> None:
    await measured(postgres_rooms)

    async def ask(wanted: DetectorRecord) -> bool:
        try:
            await postgres_rooms.registry.change_detector("default", "incubator", replace(wanted, alias="co2"))
        except ConflictError:
            return False
        return True

    assert sorted(await asyncio.gather(ask(TEMPERATURE), ask(CHANNEL))) == [False, True]


async def test_who_gives_an_alias_does_not_undo_what_another_does_meanwhile(rooms: Rooms) -> None:
    await measured(rooms)
    await rooms.registry.change_detector("default", "incubator", replace(CHANNEL, active=False), {"active"})
    changed = await rooms.registry.change_detector("default", "incubator", replace(CHANNEL, alias="co2"), {"alias"})
    assert changed == replace(CHANNEL, alias="co2", active=False)
    assert await rooms.registry.change_detector("default", "incubator", TEMPERATURE, set()) == TEMPERATURE
    assert await rooms.history.detectors("default", "incubator") == [changed, TEMPERATURE]


async def test_a_detector_whose_alias_became_a_name_can_be_switched_off(rooms: Rooms) -> None:
    chamber = await measured(rooms)
    await rooms.registry.change_detector("default", "incubator", replace(CHANNEL, alias="z"))
    slot = chamber.slot(3)
    await chamber.save(Reading(slot, slot, slot, (Measurement("z", 7.0, "1"),), 1), settled=slot)
    off = await rooms.registry.change_detector("default", "incubator", replace(CHANNEL, active=False), {"active"})
    assert off == replace(CHANNEL, alias="z", active=False)


async def test_a_name_wins_over_an_alias_that_was_there_before_it(rooms: Rooms) -> None:
    chamber = await measured(rooms)
    await rooms.registry.change_detector("default", "incubator", replace(CHANNEL, alias="z"))
    span = TimeRange(chamber.slot(0), chamber.slot(4))
    assert (await rooms.history.bins("default", "incubator", "z", span, 1))[0].maximum == 50.0

    slot = chamber.slot(3)
    await chamber.save(Reading(slot, slot, slot + 1, (Measurement("z", 7.0, "1"),), 1), settled=slot)
    assert (await rooms.history.bins("default", "incubator", "z", span, 1))[0].maximum == 7.0
    with pytest.raises(InvalidFieldError, match="channel_1, temperature, z"):
        await rooms.history.bins("default", "incubator", "nothing", span, 1)


@pytest.mark.parametrize("name", ODD)
async def test_what_is_not_there_is_not_found(rooms: Rooms, name: str) -> None:
    await measured(rooms)
    calls = [("default", "incubator", replace(CHANNEL, name=name)), ("default", name, CHANNEL)]
    for call in (*calls, (name, "incubator", CHANNEL)):
        with pytest.raises(NotFoundError):
            await rooms.registry.change_detector(*call)


async def test_another_organizations_detector_is_not_there(rooms: Rooms) -> None:
    await rooms.add_section("elsewhere", "default")
    await measured(rooms)
    with pytest.raises(NotFoundError, match="no chamber"):
        await rooms.registry.change_detector("elsewhere", "incubator", replace(CHANNEL, active=False))
    assert (await rooms.history.detectors("default", "incubator"))[0] == CHANNEL


async def test_what_cannot_be_kept_of_an_alias_is_replaced(rooms: Rooms) -> None:
    await measured(rooms)
    changed = await rooms.registry.change_detector("default", "incubator", replace(CHANNEL, alias="a\x00b"))
    assert changed.alias == "a\ufffdb"


async def test_the_latest_of_many_at_once(rooms: Rooms) -> None:
    await rooms.add_section("elsewhere", "default")
    chambers = [await measured(rooms, name) for name in ("a", "b", "c")]
    await chambers[1].save(reading(chambers[1].slot(9), 9.0), settled=None)
    await enrolled(rooms, spec("silent"))
    theirs = await enrolled(rooms, spec("theirs", organization="elsewhere"))
    await theirs.save(reading(theirs.slot(0)), settled=theirs.slot(0))

    found = await rooms.history.latest_of("default", ["b", "a", "a", "silent", "theirs", *ODD])
    assert sorted(found) == ["a", "b"]
    for name, stored in found.items():
        assert stored == await rooms.history.latest("default", name)
    assert found["b"].reading.slot_ms == chambers[1].slot(9)
    assert await rooms.history.latest_of("default", []) == {}
    for nobody in ODD:
        assert await rooms.history.latest_of(nobody, ["a", "theirs"]) == {}
        assert await rooms.history.inactive_detectors(nobody, ["a"]) == {}
    assert sorted(await rooms.history.latest_of("elsewhere", ["a", "theirs"])) == ["theirs"]


async def test_switched_off_detectors_of_many_at_once(rooms: Rooms) -> None:
    await rooms.add_section("elsewhere", "default")
    for name in ("a", "b", "c"):
        await measured(rooms, name)
    for name, off in (("a", [CHANNEL]), ("b", [CHANNEL, TEMPERATURE])):
        for detector in off:
            await rooms.registry.change_detector("default", name, replace(detector, active=False))

    found = await rooms.history.inactive_detectors("default", ["a", "b", "b", "c", *ODD])
    assert found == {"a": {"channel_1"}, "b": {"channel_1", "temperature"}}
    assert await rooms.history.inactive_detectors("default", ["c"]) == {}
    assert await rooms.history.inactive_detectors("elsewhere", ["a", "b"]) == {}


async def test_another_organization_reads_nothing_of_a_chamber(rooms: Rooms) -> None:
    chamber = await measured(rooms)
    await rooms.add_section("elsewhere", "default")
    span = TimeRange(chamber.slot(0), chamber.slot(9))
    for organization in ("elsewhere", "nobody"):
        for call in (
            rooms.history.readings(organization, "incubator", span, limit=9),
            rooms.history.bins(organization, "incubator", "temperature", span, 2),
            rooms.history.latest(organization, "incubator"),
            rooms.history.gaps(organization, "incubator", span, limit=9),
            rooms.history.detectors(organization, "incubator"),
            rooms.history.audit(organization, "incubator", span, chamber.slot(9)),
        ):
            with pytest.raises(NotFoundError) as caught:
                await call
            assert isinstance(caught.value, ChamberlogError)
        assert (await rooms.history.audit(organization, None, span, chamber.slot(9))).expected == 0
        assert await rooms.history.lateness(organization, span) is None
