"""`ProfileLibrary`: versions stay, offers come and go, each organization's are its own; what a chamber is pinned to."""

import asyncio
from dataclasses import replace

import asyncpg
import pytest

from adapters.postgres.pool import Postgres
from adapters.postgres.profiles import PostgresProfiles
from adapters.profile_files import FileProfiles, builtin_profiles_folder
from collector.domain.errors import (
    ConflictError,
    MisconfiguredError,
    NotFoundError,
    ProfileAwayError,
    ProfileChangedError,
)
from collector.domain.outcome import EpochEnd, GapReason
from collector.domain.profile_document import OFFERS_LIMIT, ProfileDocument, ProfileOrigin
from collector.usecases.profiles import PinnedProfiles
from tests.contract.ledger_rooms import Rooms, enrolled, now, reading, spec

ODD = ["", "unknown", "nul\x00", "\ud800"]


def document(
    text: str = "ours", name: str = "attic", origin: ProfileOrigin = ProfileOrigin.ORGANIZATION
) -> ProfileDocument:
    """A document; no store reads what it says."""
    return ProfileDocument(name, f"name: {name}\ndescription: {text} 🌡 \"'\\\n", origin, created_by="key/abc")


def told(found: ProfileDocument) -> ProfileDocument:
    """Without the store's own stamp."""
    return replace(found, created_ms=None)


async def test_a_version_comes_back_as_it_was_kept_and_is_kept_once(rooms: Rooms) -> None:
    before_ms = now()
    wanted = document(origin=ProfileOrigin.BUILT_IN)
    await rooms.profiles.keep("default", wanted)
    await rooms.profiles.keep("default", replace(wanted, origin=ProfileOrigin.DIRECTORY, created_by="another"))
    found = await rooms.profiles.find("default", "attic", wanted.version)
    assert told(found) == wanted
    assert found.version == wanted.version
    assert found.created_ms is not None
    assert before_ms <= found.created_ms <= now() + 1
    assert await rooms.profiles.versions("default", "attic") == [found]
    assert (await rooms.profiles.offered("default"), await rooms.profiles.own("default", "attic")) == ([], None)


async def test_versions_are_told_the_newest_first(rooms: Rooms) -> None:
    texts = ["one", "two", "three"]
    for text in texts:
        await rooms.profiles.keep("default", document(text))
        await asyncio.sleep(0.003)
    await rooms.profiles.keep("default", document("else", "cellar"))
    found = await rooms.profiles.versions("default", "attic")
    assert [told(one) for one in found] == [document(text) for text in reversed(texts)]


async def test_an_offer_replaces_the_one_that_was_read_and_both_versions_stay(rooms: Rooms) -> None:
    first, second = document("one"), document("two")
    await rooms.profiles.offer("default", first, None)
    await rooms.profiles.offer("default", first, "whatever")  # it is so already
    await rooms.profiles.offer("default", second, first.version)
    own = await rooms.profiles.own("default", "attic")
    assert own is not None
    assert told(own) == second
    assert await rooms.profiles.offered("default") == [own]
    assert told(await rooms.profiles.find("default", "attic", first.version)) == first
    await rooms.profiles.offer("default", first, second.version)  # back to what was before
    assert [told(one) for one in await rooms.profiles.offered("default")] == [first]
    assert len(await rooms.profiles.versions("default", "attic")) == 2


@pytest.mark.parametrize("expected", [None, "0123456789ab"])
async def test_an_offer_that_nobody_read_is_refused_and_keeps_nothing(rooms: Rooms, expected: str | None) -> None:
    first, second = document("one"), document("two")
    with pytest.raises(ProfileChangedError) as none:
        await rooms.profiles.offer("default", first, "0123456789ab")
    assert none.value.current is None
    await rooms.profiles.offer("default", first, None)
    with pytest.raises(ProfileChangedError) as caught:
        await rooms.profiles.offer("default", second, expected)
    assert caught.value.current == first.version
    with pytest.raises(NotFoundError):
        await rooms.profiles.find("default", "attic", second.version)


async def test_of_offers_at_the_same_time_one_is_taken(rooms: Rooms) -> None:
    offers = [rooms.profiles.offer("default", document(str(n)), None) for n in range(5)]
    results = await asyncio.gather(*offers, return_exceptions=True)
    assert sorted(type(result).__name__ for result in results) == ["NoneType", *["ProfileChangedError"] * 4]


async def test_a_copy_of_a_file_that_is_offered_is_the_organizations_own(rooms: Rooms) -> None:
    await rooms.profiles.keep("default", document(origin=ProfileOrigin.BUILT_IN))
    await rooms.profiles.offer("default", document(), None)
    own = await rooms.profiles.own("default", "attic")
    assert own is not None
    assert own.origin is ProfileOrigin.ORGANIZATION


async def test_what_is_withdrawn_is_found_by_its_version_only(rooms: Rooms) -> None:
    wanted = document()
    await rooms.profiles.offer("default", wanted, None)
    assert told(await rooms.profiles.withdraw("default", "attic")) == wanted
    assert await rooms.profiles.own("default", "attic") is None
    assert await rooms.profiles.offered("default") == []
    assert told(await rooms.profiles.find("default", "attic", wanted.version)) == wanted
    with pytest.raises(NotFoundError):
        await rooms.profiles.withdraw("default", "attic")
    await rooms.profiles.offer("default", wanted, None)
    assert await rooms.profiles.own("default", "attic") is not None


async def test_another_organization_has_none_of_it(rooms: Rooms) -> None:
    await rooms.add_section("other", "default")
    wanted = document()
    await rooms.profiles.offer("default", wanted, None)
    assert await rooms.profiles.own("other", "attic") is None
    assert (await rooms.profiles.offered("other"), await rooms.profiles.versions("other", "attic")) == ([], [])
    with pytest.raises(NotFoundError):
        await rooms.profiles.find("other", "attic", wanted.version)
    with pytest.raises(NotFoundError):
        await rooms.profiles.withdraw("other", "attic")
    await rooms.profiles.offer("other", document("theirs"), None)
    assert [told(one) for one in await rooms.profiles.offered("default")] == [wanted]


@pytest.mark.parametrize("odd", ODD)
async def test_names_and_versions_that_cannot_be_are_not_there(rooms: Rooms, odd: str) -> None:
    await rooms.profiles.offer("default", document(), None)
    assert (await rooms.profiles.own("default", odd), await rooms.profiles.versions("default", odd)) == (None, [])
    for name, version in ((odd, "0123456789ab"), ("attic", odd)):
        with pytest.raises(NotFoundError):
            await rooms.profiles.find("default", name, version)


async def test_an_organization_offers_so_many_and_may_still_change_them(rooms: Rooms) -> None:
    for number in range(OFFERS_LIMIT):
        await rooms.profiles.offer("default", document(name=f"p{number}"), None)
    with pytest.raises(ConflictError) as caught:
        await rooms.profiles.offer("default", document(name="more"), None)
    assert caught.value.field == "name"
    first = document(name="p0")
    await rooms.profiles.offer("default", document("new", "p0"), first.version)
    assert len(await rooms.profiles.offered("default")) == OFFERS_LIMIT
    assert (await rooms.profiles.offered("default"))[0].name == "p0"


async def test_what_a_chamber_is_pinned_to_comes_back_and_changes(rooms: Rooms) -> None:
    wanted = replace(spec("pinned"), profile_version="0123456789ab", timezone="Europe/Prague", serial_number="84:FC Ü")
    chamber = await enrolled(rooms, wanted)
    assert (await chamber.record()).spec == wanted
    changed = replace(wanted, timezone="", profile_version="ba9876543210", name="Box")
    assert (await rooms.registry.change_spec(changed, 1)).spec == replace(changed, version=2)
    bare = replace(changed, profile_version="", serial_number="")
    assert (await rooms.registry.change_spec(bare, 2)).spec == replace(bare, version=3)
    assert (await rooms.registry.change_spec(wanted, 3)).spec == replace(wanted, version=4)
    await rooms.registry.change_pause("default", "pinned", None)
    await rooms.registry.retire("default", "pinned")
    await chamber.save(EpochEnd(chamber.slot(59)), settled=chamber.slot(59))
    again = await enrolled(rooms, replace(spec("pinned"), timezone="UTC"))
    assert replace((await again.record()).spec, version=1) == replace(spec("pinned"), timezone="UTC")


async def test_a_reading_leads_to_the_version_that_made_it(postgres_rooms: Rooms, database: str) -> None:
    wanted = replace(spec("traced"), profile_version="0123456789ab")
    chamber = await enrolled(postgres_rooms, wanted)
    await postgres_rooms.registry.change_spec(replace(wanted, name="Box"), 1)
    await postgres_rooms.registry.change_spec(replace(wanted, profile="attic", profile_version="ba9876543210"), 2)
    bare = await enrolled(postgres_rooms, spec("never-pinned"))
    await bare.save(reading(bare.slot(0)))
    for number in range(3):
        await chamber.save(replace(reading(chamber.slot(number)), spec_version=number + 1))
    connection = await asyncpg.connect(database)
    try:
        rows = await connection.fetch("SELECT * FROM reading_profile ORDER BY chamber DESC, scheduled_at")
    finally:
        await connection.close()
    first, second = ("generic-json", "0123456789ab"), ("attic", "ba9876543210")
    assert [(row["profile"], row["profile_version"]) for row in rows] == [first, first, second, (None, None)]


async def test_a_former_release_that_changes_the_profile_does_not_keep_the_version(
    postgres_rooms: Rooms, database: str
) -> None:
    wanted = replace(spec("old-api"), profile_version="0123456789ab", timezone="UTC")
    chamber = await enrolled(postgres_rooms, wanted)
    connection = await asyncpg.connect(database)
    try:
        await connection.execute("UPDATE chamber SET profile = profile, name = 'x'")
        assert (await chamber.record()).spec.profile_version == "0123456789ab"
        await connection.execute("UPDATE chamber SET profile = 'airgradient', name = 'y'")
    finally:
        await connection.close()
    assert (await chamber.record()).spec == replace(wanted, profile="airgradient", name="y", profile_version="")


async def test_a_worker_reads_by_the_version_that_is_kept(rooms: Rooms) -> None:
    text = "name: attic\ndescription: {}\nmeasurements: [{{name: t, select: t, unit: Cel}}]\n"
    old, new = (ProfileDocument("attic", text.format(said), ProfileOrigin.ORGANIZATION) for said in ("old", "new"))
    await rooms.profiles.offer("default", old, None)
    await rooms.profiles.offer("default", new, old.version)
    worker = PinnedProfiles(FileProfiles([builtin_profiles_folder()]), rooms.profiles)
    wanted = replace(spec("c1"), profile="attic", profile_version=old.version)
    assert (await worker.of(wanted)).description == "old"
    assert (await worker.of(replace(wanted, profile_version=new.version))).description == "new"
    with pytest.raises(MisconfiguredError, match="is not kept"):
        await worker.of(replace(wanted, profile_version="0123456789ab"))


async def test_a_database_that_does_not_answer_is_missed_and_not_the_devices_fault() -> None:
    nowhere = Postgres("postgresql://nobody:nothing@127.0.0.1:1/none")
    worker = PinnedProfiles(FileProfiles([builtin_profiles_folder()]), PostgresProfiles(nowhere))
    with pytest.raises(ProfileAwayError, match="PostgreSQL cannot be reached") as caught:
        await worker.of(replace(spec("c1"), profile="attic", profile_version="0123456789ab"))
    assert caught.value.reason is GapReason.MISSED
    await nowhere.close()
