"""Names of metrics in both notations, read from the code that makes the instruments."""

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

NAME = re.compile(r"[a-z]+(\.[a-z_]+)+")
UNITS = {"s": "_seconds", "By": "_bytes"}
ENDS = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count"), "gauge": ("",), "up_down_counter": ("",)}
"""Of a series at /metrics, by the kind of its instrument."""


@dataclass(frozen=True, slots=True)
class Instrument:
    """One of OpenTelemetry's.

    Attributes:
        name: with dots.
        kind: of `ENDS`; None = it is made by a function of our own, and any end that there is may be right.
        unit: UCUM; in braces it is only told to people.
    """

    name: str
    kind: str | None
    unit: str | None

    def series(self) -> frozenset[str]:
        """Its names at /metrics."""
        plain = self.name.replace(".", "_")
        units = ["", *UNITS.values()] if self.unit is None else [UNITS.get(self.unit, "")]
        ends = ENDS[self.kind] if self.kind else [end for kind in ENDS.values() for end in kind]
        return frozenset(f"{plain}{unit}{end}" for unit in units for end in ends)


def instruments(folder: Path) -> set[Instrument]:
    """All that the modules of a folder make."""
    trees = [ast.parse(path.read_text("utf-8")) for path in sorted(folder.rglob("*.py"))]
    return {found for tree in trees for call in ast.walk(tree) if isinstance(call, ast.Call) for found in _of(call)}


def _of(call: ast.Call) -> Iterator[Instrument]:
    texts = [value.value for value in _values(call) if isinstance(value, ast.Constant) and isinstance(value.value, str)]
    names = [text for text in texts if NAME.fullmatch(text)]
    made = (
        re.fullmatch(r"create_(?:observable_)?(\w+)", call.func.attr) if isinstance(call.func, ast.Attribute) else None
    )
    if len(names) != 1 or (made is None and not names[0].startswith("chamberlog.")):
        return
    units = [text for text in texts if text in UNITS or re.fullmatch(r"\{\w+\}|1", text)]
    yield Instrument(names[0], made[1] if made else None, units[0] if units else None)


def _values(call: ast.Call) -> Iterable[ast.expr]:
    return [*call.args, *(keyword.value for keyword in call.keywords)]
