"""Which version of a profile reads a chamber: pinned by the API, found by workers, never another one."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from adapters.memory import InMemoryLedger, InMemoryProfiles
from adapters.profile_files import FileProfiles, builtin_profiles_folder
from collector.domain.chamber import ChamberSpec
from collector.domain.errors import (
    AwayError,
    InvalidFieldError,
    MisconfiguredError,
    NotFoundError,
    ProfileAwayError,
)
from collector.domain.outcome import GapReason
from collector.domain.profile_document import ProfileDocument, ProfileOrigin
from collector.usecases.profiles import OfferedProfiles, PinnedProfiles
from tests.unit.round_stage import chamber

TEXT = "name: attic\ndescription: {}\nmeasurements: [{{name: t, select: t, unit: Cel}}]\n"


def document(said: str = "one", text: str = TEXT) -> ProfileDocument:
    return ProfileDocument("attic", text.format(said), ProfileOrigin.ORGANIZATION, created_by="key/abc")


class CountedLibrary(InMemoryProfiles):
    """Counts look-ups; takes as long as it is told."""

    def __init__(self, ledger: InMemoryLedger) -> None:
        super().__init__(ledger)
        self.asked = 0
        self.gate = asyncio.Event()
        self.gate.set()

    async def find(self, organization: str, name: str, version: str) -> ProfileDocument:
        self.asked += 1
        await self.gate.wait()
        return await super().find(organization, name, version)


class House:
    """A worker's files and its library."""

    def __init__(self, *folders: Path) -> None:
        self.ledger = InMemoryLedger()
        self.library = CountedLibrary(self.ledger)
        self.files = FileProfiles([builtin_profiles_folder(), *folders])
        self.pinned = PinnedProfiles(self.files, self.library)
        self.offered = OfferedProfiles(self.files, self.library)

    async def kept(self, wanted: ProfileDocument) -> ChamberSpec:
        """A chamber that is pinned to a version that the library keeps."""
        await self.library.keep("default", wanted)
        return chamber(60, profile="attic", profile_version=wanted.version)


@pytest.fixture
def house() -> House:
    return House()


async def test_a_version_that_a_file_has_needs_no_library(house: House) -> None:
    house.ledger.away = True
    there = house.files.document("airgradient")
    assert there is not None
    found = await house.pinned.of(chamber(60, profile="airgradient", profile_version=there.version))
    assert found is house.files.find("airgradient")
    assert await house.pinned.of(chamber(60, profile="airgradient")) is found
    assert house.library.asked == 0


async def test_a_version_from_the_library_is_asked_for_and_compiled_once(house: House) -> None:
    spec = await house.kept(document())
    house.library.gate.clear()
    waiting = [asyncio.create_task(house.pinned.of(replace(spec, id=f"c{n}"))) for n in range(20)]
    await asyncio.sleep(0.01)
    house.library.gate.set()
    found = await asyncio.gather(*waiting)
    assert len({id(profile) for profile in found}) == 1
    assert found[0].description == "one"
    house.ledger.away = True
    assert await house.pinned.of(spec) is found[0]
    assert house.library.asked == 1


async def test_another_organization_does_not_get_it(house: House) -> None:
    spec = await house.kept(document())
    await house.pinned.of(spec)
    with pytest.raises(MisconfiguredError, match="is not kept; configure the chamber"):
        await house.pinned.of(replace(spec, organization="other"))


async def test_what_is_not_at_hand_while_the_library_is_away_is_missed_and_tried_again(house: House) -> None:
    spec = await house.kept(document())
    house.ledger.away = True
    with pytest.raises(ProfileAwayError) as caught:
        await house.pinned.of(spec)
    assert (caught.value.reason, caught.value.retryable) == (GapReason.MISSED, True)
    assert "is not at hand, and PostgreSQL cannot be reached" in caught.value.detail
    house.ledger.away = False
    assert (await house.pinned.of(spec)).description == "one"


async def test_a_newer_file_of_that_name_is_never_taken_instead(tmp_path: Path) -> None:
    (tmp_path / "attic.yaml").write_text(TEXT.format("newer"))
    house = House(tmp_path)
    spec = await house.kept(document("older"))
    assert (await house.pinned.of(spec)).description == "older"
    house = House(tmp_path)
    house.ledger.away = True
    with pytest.raises(ProfileAwayError):
        await house.pinned.of(spec)


async def test_a_library_that_is_slow_costs_no_more_than_the_attempts_budget(house: House) -> None:
    spec = replace(await house.kept(document()), timeout_ms=100)
    house.library.gate.clear()
    with pytest.raises(ProfileAwayError, match="too slow"):
        await house.pinned.of(spec)
    house.library.gate.set()  # the look-up goes on by itself, and the next attempt has it
    await asyncio.sleep(0.1)
    assert (await house.pinned.of(spec)).name == "attic"
    assert house.library.asked == 1


async def test_a_cancelled_attempt_does_not_cancel_the_others_look_up(house: House) -> None:
    spec = await house.kept(document())
    house.library.gate.clear()
    first, second = (asyncio.create_task(house.pinned.of(spec)) for _ in range(2))
    await asyncio.sleep(0.01)
    first.cancel()
    house.library.gate.set()
    assert (await second).name == "attic"
    assert house.library.asked == 1


async def test_a_version_that_this_release_cannot_read_is_misconfigured_and_remembered(house: House) -> None:
    spec = await house.kept(document(text=TEXT + "a_key_of_tomorrow: 1\n"))
    for _ in range(2):
        with pytest.raises(MisconfiguredError, match=r"this worker's release cannot read version .*a_key_of_tomorrow"):
            await house.pinned.of(spec)
    assert house.library.asked == 1


async def test_a_process_without_a_library_knows_its_files_versions(house: House) -> None:
    there = house.files.document("airgradient")
    assert there is not None
    spec = chamber(60, profile="airgradient", profile_version=there.version)
    assert await house.files.of(spec) is house.files.find("airgradient")
    assert await house.files.of(replace(spec, profile_version="")) is house.files.find("airgradient")
    with pytest.raises(MisconfiguredError, match="is not kept"):
        await house.files.of(replace(spec, profile_version="000000000000"))


async def test_the_newest_version_is_pinned_and_kept(house: House) -> None:
    spec = chamber(60, profile="airgradient")
    pinned = await house.offered.pinned(spec)
    there = house.files.document("airgradient")
    assert there is not None
    assert pinned == replace(spec, profile_version=there.version)
    kept = await house.library.find("default", "airgradient", there.version)
    assert (kept.text, kept.origin) == (there.text, ProfileOrigin.BUILT_IN)


async def test_the_organizations_own_comes_before_the_directorys_and_that_before_the_built_in_one(
    tmp_path: Path,
) -> None:
    text = TEXT.replace("attic", "airgradient")
    (tmp_path / "airgradient.yaml").write_text(text.format("directory"))
    house = House(tmp_path)
    found = await house.offered.find("default", "airgradient")
    assert found is not None
    assert found.origin is ProfileOrigin.DIRECTORY
    own = ProfileDocument("airgradient", text.format("own"), ProfileOrigin.ORGANIZATION)
    await house.library.offer("default", own, None)
    assert (await house.offered.pinned(chamber(60, profile="airgradient"))).profile_version == own.version
    other = await house.offered.find("other", "airgradient")
    assert other == found
    built_in = FileProfiles([builtin_profiles_folder()]).document("airgradient")
    assert built_in is not None
    assert house.files.of_version("airgradient", built_in.version) is not None  # chambers that are pinned to it go on


async def test_a_profile_that_is_offered_no_longer_stays_with_its_chambers_only(house: House) -> None:
    spec = await house.kept(document())
    assert await house.offered.pinned(replace(spec, profile_version=""), spec) == spec
    for before in (None, chamber(60, profile="airgradient"), replace(spec, profile_version="")):
        with pytest.raises(InvalidFieldError) as caught:
            await house.offered.pinned(spec, before)
        assert caught.value.field == "profile"
        assert "airgradient" in caught.value.remedy


async def test_errors_of_the_library_are_its_own(house: House) -> None:
    with pytest.raises(NotFoundError):
        await house.library.find("default", "attic", "x")
    house.ledger.away = True
    with pytest.raises(AwayError):
        await house.offered.pinned(chamber(60))
