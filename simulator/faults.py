"""Faults that a simulated device can be given at run time."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class FaultKind(StrEnum):
    """What goes wrong.

    `down` refuses connections; `slow` answers after `seconds`; `status` answers with `code`; `garbage` sends bytes
    that are not HTTP; `wrong-type` answers 200 with a page or with words for numbers; `hang` never answers;
    `reset` resets the connection instead of answering; `drip` sends one byte every `seconds`.
    """

    DOWN = "down"
    SLOW = "slow"
    STATUS = "status"
    GARBAGE = "garbage"
    WRONG_TYPE = "wrong-type"
    HANG = "hang"
    RESET = "reset"
    DRIP = "drip"


class FaultError(ValueError):
    """A fault cannot be set; the message names the field and the remedy."""

    def __init__(self, field_name: str, problem: str, remedy: str) -> None:
        super().__init__(f"{field_name}: {problem}; {remedy}")
        self.field = field_name


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault of one device.

    Attributes:
        kind: see `FaultKind`.
        seconds: of `slow`: before the answer (default 3); of `drip`: between two bytes (default 0.5).
        code: of `status`: 400 to 599 (default 500).
        form: of `wrong-type`: `html`, a page; `text`, words where the numbers belong.
        for_s: after so many seconds the fault lifts by itself; None = when somebody lifts it.
    """

    kind: FaultKind
    seconds: float = 3.0
    code: int = 500
    form: str = "html"
    for_s: float | None = None

    def document(self) -> dict[str, object]:
        """The fault as `parse_fault` reads it, with the fields that its kind has."""
        shown = {name: getattr(self, name) for name in FIELDS[self.kind]}
        return {"kind": self.kind.value, **shown} | ({} if self.for_s is None else {"for_s": self.for_s})


FIELDS: Mapping[FaultKind, tuple[str, ...]] = dict[FaultKind, tuple[str, ...]].fromkeys(FaultKind, ()) | {
    FaultKind.SLOW: ("seconds",),
    FaultKind.DRIP: ("seconds",),
    FaultKind.STATUS: ("code",),
    FaultKind.WRONG_TYPE: ("form",),
}
FORMS = ("html", "text")
DRIP_SECONDS = 0.5


@dataclass(slots=True)
class _Fields:
    """The fields of a fault document, each checked as it is taken."""

    document: dict[str, object] = field(default_factory=dict)

    def number(self, name: str, default: float, low: float, high: float) -> float:
        value = self.document.get(name, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
            raise FaultError(name, f"{value!r} is no number in range", f"give {low:g} to {high:g}")
        return value

    def whole(self, name: str, default: int, low: int, high: int) -> int:
        value = self.number(name, default, low, high)
        if value != int(value):
            raise FaultError(name, f"{value!r} is no whole number", f"give {low} to {high}")
        return int(value)


def parse_fault(document: object) -> Fault:
    """Read `{"kind": "slow", "seconds": 3, "for_s": 20}`.

    Raises:
        FaultError: an unknown kind or field, or a value out of range.
    """
    if not isinstance(document, Mapping):
        raise FaultError("body", "it is not a JSON object", 'send {"kind": "down"}')
    kinds = [kind.value for kind in FaultKind]
    if document.get("kind") not in kinds:
        raise FaultError("kind", f"{document.get('kind')!r} is no fault", f"use one of {', '.join(kinds)}")
    kind = FaultKind(str(document["kind"]))
    allowed = ("kind", *FIELDS[kind], "for_s")
    if unknown := sorted(str(name) for name in set(document) - set(allowed)):
        raise FaultError(unknown[0], f"{kind.value} has no such field", f"use {', '.join(allowed)}")
    return _fault(kind, _Fields(dict(document)))


def _fault(kind: FaultKind, fields: _Fields) -> Fault:
    form = fields.document.get("form", FORMS[0])
    if form not in FORMS:
        raise FaultError("form", f"{form!r} is no form", f"use one of {', '.join(FORMS)}")
    return Fault(
        kind,
        seconds=fields.number("seconds", DRIP_SECONDS if kind is FaultKind.DRIP else 3.0, 0, 3600),
        code=fields.whole("code", 500, 400, 599),
        form=str(form),
        for_s=None if fields.document.get("for_s") is None else fields.number("for_s", 0, 0.001, 86_400),
    )
