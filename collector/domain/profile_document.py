"""Profiles as documents: each version is its text, and is never changed."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from collector.domain.chamber import ChamberSpec
from collector.domain.errors import ConflictError, MisconfiguredError, NotFoundError, ProfileChangedError

VERSION_DIGITS = 12
"""Of SHA-256, hexadecimal: an organization has hundreds of versions, not the millions at which two would meet."""
OFFERS_LIMIT = 200
"""Own profiles that an organization offers: a list of them is compiled as a whole."""
VERSIONS_SHOWN = 100
"""Of one profile, the newest ones; older ones are kept and found by their version."""


class ProfileOrigin(StrEnum):
    """Where a profile comes from; of one name, the organization's own is offered, else the directory's."""

    BUILT_IN = "built_in"
    DIRECTORY = "directory"
    ORGANIZATION = "organization"


@dataclass(frozen=True, slots=True)
class ProfileDocument:
    """One version of a profile.

    Attributes:
        name: of the profile.
        text: YAML, with LF between its lines.
        origin: where it comes from.
        created_ms: when it was kept first; None = it was read from a file.
        created_by: who gave it; empty for files.
    """

    name: str
    text: str
    origin: ProfileOrigin
    created_ms: int | None = None
    created_by: str = ""

    @property
    def version(self) -> str:
        """The beginning of the text's SHA-256: the same text is the same version everywhere."""
        return hashlib.sha256(self.text.encode()).hexdigest()[:VERSION_DIGITS]


def plain_text(text: str) -> str:
    """The text as versions count it: without a byte order mark, lines ended by LF."""
    return text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")


def unknown_profile(spec: ChamberSpec, known: str) -> MisconfiguredError:
    """A worker cannot read the chamber, because it does not have the profile; `known` lists those that it has."""
    if spec.profile_version:
        said = f"version {spec.profile_version} of profile {spec.profile!r} is not kept"
        return MisconfiguredError(f"profile: {said}; configure the chamber, which then takes the present one")
    return MisconfiguredError(f"profile {spec.profile!r} is not known to this worker; it has {known}")


def no_profile(name: str, version: str = "") -> NotFoundError:
    """The organization has no such profile, or not that version of it."""
    return NotFoundError(f"no version {version!r} of profile {name!r}" if version else f"no profile {name!r}")


def refuse_offer(offers: Mapping[str, str], document: ProfileDocument, expected: str | None) -> None:
    """Refuse to offer a document, where `offers` is name -> version of what the organization offers now.

    Raises:
        ProfileChangedError: another version stands by that name than the expected one.
        ConflictError: field `name`: there are as many names as there may be.
    """
    current = offers.get(document.name)
    if current != expected:
        raise ProfileChangedError(current)
    if current is None and len(offers) >= OFFERS_LIMIT:
        problem = f"the organization offers {OFFERS_LIMIT} profiles of its own already"
        raise ConflictError(problem, "remove one that no chamber needs", "name")
