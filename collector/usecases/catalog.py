"""What a chamber can be enrolled with: profiles and sections."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from collector.ports import ProfileCatalog, Registry


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


class ListSections:
    """The sections of an organization."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    async def __call__(self, organization: str) -> Sequence[str]:
        """By name.

        Raises:
            AwayError: the registry cannot be reached.
        """
        return await self._registry.sections(organization)
