"""The closed list of zones is the one of the pinned database, and each can be used."""

from importlib import resources
from zoneinfo import ZoneInfo

from collector.domain.zone_names import ZONE_NAMES, zone_exists

NO_ZONES = {"Factory", "localtime"}
"""The database lists them; the first is no place, the second the machine's own."""


def test_the_list_is_that_of_the_package() -> None:
    listed = set((resources.files("tzdata") / "zones").read_text(encoding="ascii").split())
    assert listed - NO_ZONES == ZONE_NAMES


def test_each_can_be_loaded() -> None:
    assert {ZoneInfo(name).key for name in ZONE_NAMES} == ZONE_NAMES


def test_names_are_exact() -> None:
    assert zone_exists("Europe/Prague")
    for name in ("europe/prague", "Prague", "Europe", "", " UTC", "localtime", "posix/UTC", "../etc/passwd"):
        assert not zone_exists(name)
