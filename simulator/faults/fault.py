"""What a fault is, and how its document is read."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

P = TypeVar("P")
LONGEST_S = 86_400.0
RANGES: Mapping[str, tuple[float, float]] = {
    "seconds": (0, 3600),
    "code": (400, 599),
    "count": (1, 1_000),
    "shift_s": (-1e10, 1e10),
    "value": (-1e12, 1e12),
}
WHOLE = frozenset({"code", "count"})
WORD_LIMIT = 60


class FaultError(ValueError):
    """A fault cannot be set; the message names the field and the remedy."""

    def __init__(self, field_name: str, problem: str, remedy: str) -> None:
        super().__init__(f"{field_name}: {problem}; {remedy}")
        self.field = field_name


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind(Generic[P]):
    """One kind of fault.

    Attributes:
        about: what the device does, for people.
        play: how it does it; what it is called with is said where the kinds of a sort are listed.
        defaults: its fields and what they are if a document leaves them out.
        forms: what its field `form` may say, the default first; without any it has no such field.
        valued: whether what is sent carries values, and so a serial number.
        shapes: names of the shapes of body that it is for; without any, all.
    """

    about: str
    play: P
    defaults: Mapping[str, float | str] = field(default_factory=dict)
    forms: tuple[str, ...] = ()
    valued: bool = True
    shapes: tuple[str, ...] = ()

    @property
    def fields(self) -> tuple[str, ...]:
        """Names of the fields that a document of this kind may have, besides `kind` and `for_s`."""
        return (*self.defaults, *(("form",) if self.forms else ()))


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault of one device; `parse_fault` makes it. A kind uses those of the fields that it has.

    Attributes:
        kind: see `KINDS`.
        seconds: how long, or how often.
        code: HTTP status.
        form: which variant.
        count: how many.
        shift_s: by how much a clock is wrong.
        value: a number that is sent in the place of a measured one.
        word: a text that is sent in the place of a measured number.
        for_s: after so many seconds the fault lifts by itself; None = when somebody lifts it.
    """

    kind: str
    seconds: float = 0
    code: int = 0
    form: str = ""
    count: int = 0
    shift_s: float = 0
    value: float = 0
    word: str = ""
    for_s: float | None = None


def document_of(fault: Fault, kind: Kind[object]) -> dict[str, object]:
    """The fault as `read_fault` reads it, with the fields that its kind has."""
    shown = {name: getattr(fault, name) for name in kind.fields}
    return {"kind": fault.kind, **shown} | ({} if fault.for_s is None else {"for_s": fault.for_s})


def read_fault(document: object, kinds: Mapping[str, Kind[object]]) -> Fault:
    """Read `{"kind": "slow", "seconds": 3, "for_s": 20}`.

    Raises:
        FaultError: an unknown kind or field, or a value out of range.
    """
    if not isinstance(document, Mapping):
        raise FaultError("body", "it is not a JSON object", 'send {"kind": "down"}')
    name = document.get("kind")
    kind = kinds.get(name) if isinstance(name, str) else None
    if kind is None:
        raise FaultError("kind", f"{name!r} is no fault", f"use one of {', '.join(kinds)}")
    allowed = ("kind", *kind.fields, "for_s")
    if unknown := sorted(str(name) for name in set(document) - set(allowed)):
        raise FaultError(unknown[0], f"{name} has no such field", f"use {', '.join(allowed)}")
    for_s = document.get("for_s")
    fields: dict[str, Any] = {
        field: _field(field, document.get(field, default)) for field, default in kind.defaults.items()
    }
    if kind.forms:
        fields["form"] = _form(document.get("form", kind.forms[0]), kind.forms)
    return Fault(str(name), **fields, for_s=None if for_s is None else _number("for_s", for_s, 0.001, LONGEST_S))


def _field(name: str, value: object) -> float | str:
    if name == "word":
        if not isinstance(value, str) or len(value) > WORD_LIMIT:
            raise FaultError(name, f"{str(value)[:80]!r} is no text", f"give at most {WORD_LIMIT} characters")
        return value
    low, high = RANGES[name]
    number = _number(name, value, low, high)
    if name not in WHOLE:
        return number
    if number != int(number):
        raise FaultError(name, f"{value!r} is no whole number", f"give {low} to {high}")
    return int(number)


def _number(name: str, value: object, low: float, high: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise FaultError(name, f"{value!r} is no number in range", f"give {low:g} to {high:g}")
    return value


def _form(form: object, forms: tuple[str, ...]) -> str:
    if form not in forms:
        raise FaultError("form", f"{form!r} is no form", f"use one of {', '.join(forms)}")
    return str(form)
