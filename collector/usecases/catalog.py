"""The profiles that a chamber can be enrolled with."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from collector.ports import ProfileCatalog


@dataclass(frozen=True, slots=True)
class ProfileSummary:
    """A profile as people choose it; `units` is measurement name -> UCUM code."""

    name: str
    description: str
    checked: str
    units: Mapping[str, str]


class ListProfiles:
    """The device profiles of this deployment."""

    def __init__(self, profiles: ProfileCatalog) -> None:
        self._profiles = profiles

    def __call__(self) -> Sequence[ProfileSummary]:
        """By name."""
        found = (self._profiles.find(name) for name in self._profiles.names())
        return [ProfileSummary(p.name, p.description, p.checked, p.units()) for p in found if p is not None]
