"""Who a tenant is, where its chambers stand, and what is observed there."""

import re
from dataclasses import dataclass, field

from collector.domain.chamber import ID_PATTERN, NAME_LIMIT
from collector.domain.errors import ConflictError, InvalidFieldError

FIRST_SECTION = "default"
"""The section that every organization begins with."""
BATCH_PATTERN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
"""What people write on a label, such as `CHO-17.2`; it is part of an address."""
DESCRIPTION_LIMIT = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Organization:
    """A tenant: nobody sees another one's anything.

    Attributes:
        id: as a chamber's id.
        name: for people.
        address: where it is.
        region: in which part of the world, in its own words.
        version: counts the changes.
        created_ms: when it was made; of no account when two are compared, as is the next.
        updated_ms: when it was changed last.
    """

    id: str
    name: str = ""
    address: str = ""
    region: str = ""
    version: int = 1
    created_ms: int = field(default=0, compare=False)
    updated_ms: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A part of an organization where chambers stand.

    Attributes:
        organization: whose.
        id: unique in the organization; as a chamber's id.
        name: for people.
        description: what is there.
        active: False = closed: no chamber can be enrolled in it or moved to it; its history stays.
        version: counts the changes.
        created_ms: as in `Organization`.
        updated_ms: as in `Organization`.
    """

    organization: str
    id: str
    name: str = ""
    description: str = ""
    active: bool = True
    version: int = 1
    created_ms: int = field(default=0, compare=False)
    updated_ms: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """What is observed in a section for a while; readings of slots in `[started, ended)` of its section are its own.

    Attributes:
        organization: whose.
        id: unique in the organization.
        section: where; it never changes.
        started_ms: inclusive.
        ended_ms: exclusive; None = it goes on.
        name: for people.
        description: what it is.
        version: counts the changes.
        created_ms: as in `Organization`.
        updated_ms: as in `Organization`.
    """

    organization: str
    id: str
    section: str
    started_ms: int
    ended_ms: int | None = None
    name: str = ""
    description: str = ""
    version: int = 1
    created_ms: int = field(default=0, compare=False)
    updated_ms: int = field(default=0, compare=False)

    def holds(self, slot_ms: int) -> bool:
        """Whether the slot lies within it."""
        return self.started_ms <= slot_ms and (self.ended_ms is None or slot_ms < self.ended_ms)

    def overlaps(self, other: "Batch") -> bool:
        """Whether a slot could lie in both, were they in the same section."""
        starts_before_end = other.ended_ms is None or self.started_ms < other.ended_ms
        return starts_before_end and (self.ended_ms is None or other.started_ms < self.ended_ms)


def check_organization(wanted: Organization) -> None:
    """Refuse what cannot be kept.

    Raises:
        InvalidFieldError: names the field and the remedy.
    """
    _check_id(wanted.id, "an organization's id")
    _check_texts(("name", wanted.name, NAME_LIMIT), ("region", wanted.region, NAME_LIMIT))
    _check_texts(("address", wanted.address, DESCRIPTION_LIMIT))


def check_section(wanted: Section) -> None:
    """Refuse what cannot be kept.

    Raises:
        InvalidFieldError: names the field and the remedy.
    """
    _check_id(wanted.id, "a section's id")
    _check_texts(("name", wanted.name, NAME_LIMIT), ("description", wanted.description, DESCRIPTION_LIMIT))


def check_batch(wanted: Batch) -> None:
    """Refuse what cannot be kept.

    Raises:
        InvalidFieldError: names the field and the remedy.
    """
    if not BATCH_PATTERN.fullmatch(wanted.id):
        remedy = "use 1 to 63 letters, digits, '.', '_' and '-', beginning with a letter or digit"
        raise InvalidFieldError("id", f"{wanted.id[:80]!r} is not a batch id", remedy)
    if wanted.ended_ms is not None and wanted.ended_ms <= wanted.started_ms:
        raise InvalidFieldError(
            "ended_at", "it is not after started_at", "give a later ended_at, or an earlier started_at"
        )
    _check_texts(("name", wanted.name, NAME_LIMIT), ("description", wanted.description, DESCRIPTION_LIMIT))


def no_section(section: str) -> InvalidFieldError:
    """Nothing can be put into a section that is not there."""
    return InvalidFieldError("section", f"there is no section {section[:80]!r}", "use one that exists")


def closed_section(section: str) -> InvalidFieldError:
    """No chamber comes to a closed section."""
    return InvalidFieldError("section", f"section {section[:80]!r} is closed", "use an active one, or open it again")


def used_section(section: str, chambers: int) -> ConflictError:
    """A section in which chambers stand cannot be closed."""
    stand = "1 chamber stands" if chambers == 1 else f"{chambers} chambers stand"
    return ConflictError(f"{stand} in section {section!r}", "move or retire them first", "active")


def other_batch(section: str, batch: str) -> ConflictError:
    """A section has one batch at a time."""
    problem = f"batch {batch!r} is observed in section {section!r} at that time"
    return ConflictError(problem, f"end {batch!r} earlier, or give another started_at or ended_at", "section")


def _check_id(text: str, what: str) -> None:
    if not ID_PATTERN.fullmatch(text):
        remedy = "use 1 to 63 of a-z, 0-9 and '-', beginning with a letter or digit"
        raise InvalidFieldError("id", f"{text[:80]!r} is not {what}", remedy)


def _check_texts(*fields: tuple[str, str, int]) -> None:
    for name, text, limit in fields:
        if len(text) > limit:
            raise InvalidFieldError(name, f"it is longer than {limit} characters", "shorten it")
        if "\x00" in text:
            raise InvalidFieldError(name, "a NUL character cannot be stored", "remove it")
