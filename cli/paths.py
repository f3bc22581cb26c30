"""Where things are in the API; an id that cannot be one is refused, because it would be another path."""

import re
from urllib.parse import quote

from collector.domain.chamber import ID_PATTERN
from collector.domain.credentials import ID_OF_CREDENTIAL
from collector.domain.errors import InvalidFieldError
from collector.domain.organization import BATCH_PATTERN

ID_REMEDY = "use 1 to 63 of a-z, 0-9 and '-', beginning with a letter or digit"
BATCH_REMEDY = "use 1 to 63 letters, digits, '.', '_' and '-', beginning with a letter or digit"
CHAMBERS, ORGANIZATIONS, SECTIONS, BATCHES = "/v1/chambers", "/v1/organizations", "/v1/sections", "/v1/batches"
PROFILES, EVENTS = "/v1/profiles", "/v1/events"
USERS, INVITATIONS = "/v1/users", "/v1/invitations"
PERSON_REMEDY = "give the 12 digits that `chamberlog users` shows, or an e-mail address"
KEYS = "/v1/keys"


def chamber_path(chamber: str, part: str = "") -> str:
    """The path of a chamber, or of a part of it such as `gaps`.

    Raises:
        InvalidFieldError: field `id`.
    """
    return _path(CHAMBERS, chamber, part, ("a chamber id", ID_PATTERN, ID_REMEDY))


def detector_path(chamber: str, detector: str) -> str:
    """The path of a chamber's detector.

    Raises:
        InvalidFieldError: field `id` or `detector`.
    """
    if not detector.strip("."):
        raise InvalidFieldError("detector", f"{detector!r} is not a detector", "`chamberlog detectors ID` lists them")
    return chamber_path(chamber, f"detectors/{quote(detector, safe='')}")


def key_path(key_id: str) -> str:
    """The path of a key, whose id the caller has checked."""
    return f"{KEYS}/{key_id}"


def organization_path(organization: str) -> str:
    """The path of an organization.

    Raises:
        InvalidFieldError: field `id`.
    """
    return _path(ORGANIZATIONS, organization, "", ("an organization's id", ID_PATTERN, ID_REMEDY))


def section_path(section: str, part: str = "") -> str:
    """The path of a section, or of a part of it such as `pause`.

    Raises:
        InvalidFieldError: field `id`.
    """
    return _path(SECTIONS, section, part, ("a section's id", ID_PATTERN, ID_REMEDY))


def batch_path(batch: str, part: str = "") -> str:
    """The path of a batch, or of a part of it such as `readings`.

    Raises:
        InvalidFieldError: field `id`.
    """
    return _path(BATCHES, batch, part, ("a batch id", BATCH_PATTERN, BATCH_REMEDY))


def user_path(user: str, part: str = "") -> str:
    """The path of a user, or of a part of it such as `sign-out`.

    Raises:
        InvalidFieldError: field `id`.
    """
    return _path(USERS, user, part, ("a user's id", ID_OF_CREDENTIAL, PERSON_REMEDY))


def invitation_path(invitation: str) -> str:
    """The path of an invitation.

    Raises:
        InvalidFieldError: field `id`.
    """
    return _path(INVITATIONS, invitation, "", ("an invitation's id", ID_OF_CREDENTIAL, PERSON_REMEDY))


def profile_path(profile: str) -> str:
    """The path of a profile.

    Raises:
        InvalidFieldError: field `id`.
    """
    return _path(PROFILES, profile, "", ("a profile's name", ID_PATTERN, ID_REMEDY))


def _path(folder: str, name: str, part: str, kind: tuple[str, re.Pattern[str], str]) -> str:
    what, pattern, remedy = kind
    if not pattern.fullmatch(name):
        raise InvalidFieldError("id", f"{name[:80]!r} is not {what}", remedy)
    return f"{folder}/{name}" + (f"/{part}" if part else "")
