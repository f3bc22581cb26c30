"""Detectors by name and alias: every store finds and changes them alike."""

from collections.abc import Sequence, Set

from collector.domain.errors import ConflictError, InvalidFieldError, NotFoundError
from collector.domain.settling import clean
from collector.ports.history import CHANGEABLE, DetectorRecord
from collector.usecases.detectors import find_detector


def named_detector(detectors: Sequence[DetectorRecord], wanted: str) -> DetectorRecord:
    """The detector of that name or alias; see `find_detector`.

    Raises:
        InvalidFieldError: field `detector`: there is none; the remedy lists what there is.
    """
    found = find_detector(detectors, wanted)
    if found is not None:
        return found
    known = ", ".join(sorted(d.name for d in detectors)) or "it has none before its first reading"
    raise InvalidFieldError("detector", f"the chamber has no detector {wanted[:80]!r}", f"its detectors: {known}")


def changed_detector(
    detectors: Sequence[DetectorRecord], wanted: DetectorRecord, given: Set[str] = CHANGEABLE
) -> DetectorRecord:
    """The detector of that name, with the given fields as they are wanted; the others, and its unit, as it has them.

    Raises:
        NotFoundError: there is none of that name.
        ConflictError: field `alias`: it would be another one's name or alias.
    """
    kept = next((d for d in detectors if d.name == wanted.name), None)
    if kept is None:
        raise NotFoundError(f"no detector {wanted.name!r}")
    active = wanted.active if "active" in given else kept.active
    if "alias" not in given:  # it may be the name of a detector that came after it: that is no reason to refuse
        return DetectorRecord(kept.name, kept.unit, kept.alias, active)
    alias = None if wanted.alias is None else clean(wanted.alias)
    others = [d for d in detectors if d.name != kept.name and alias is not None and alias in (d.name, d.alias)]
    if others:
        raise ConflictError(f"{alias!r} means detector {others[0].name!r}", "give another alias", "alias")
    return DetectorRecord(kept.name, kept.unit, alias, active)
