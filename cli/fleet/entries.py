"""What a fleet file says, whichever way it is written: an entry for each chamber, whose cells know their lines."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from cli.changing import merged_labels
from cli.exits import Complaint
from cli.fleet.columns import column_of
from collector.domain.chamber import ChamberSpec, check_spec, default_timeout_ms
from collector.domain.errors import InvalidFieldError

PLAIN = ChamberSpec(
    id="plain",
    organization="default",
    section="default",
    url="http://127.0.0.1",
    profile="plain",
    interval_ms=60_000,
    timeout_ms=10_000,
)
"""A chamber that nothing is wrong with: each field is checked in it alone, so that all wrong ones are found at once."""
UNSAID = ("timezone", "serial_number")
"""Texts that the API answers as null when they are not set."""
MILLISECONDS = {"interval_s": "interval_ms", "timeout_s": "timeout_ms", "round_span_s": "round_span_ms"}


@dataclass(frozen=True, slots=True)
class Cell:
    """A value and the line that it stands in, counted from 1."""

    line: int
    value: Any


@dataclass(frozen=True, slots=True)
class Row:
    """What a file says of one chamber: column name to cell; what is left out is not there."""

    line: int
    cells: Mapping[str, Cell]


@dataclass(frozen=True, slots=True)
class Entry:
    """One chamber as it is wanted.

    Attributes:
        line: where it begins.
        body: fields of the API's chamber that the file names, and no others; `labels` holds those to set, and None
            for those to remove.
        lines: field to line; of wrong cells too, which `body` does not have.
    """

    line: int
    body: Mapping[str, Any]
    lines: Mapping[str, int]

    def complaint(self, name: str, problem: str, remedy: str) -> Complaint:
        """Something is wrong with a field of it."""
        return Complaint(f"line {self.lines.get(name, self.line)}, {name}", problem, remedy)


@dataclass(frozen=True, slots=True)
class FleetFile:
    """A fleet file.

    Attributes:
        entries: one for each id, in the order of the file.
        twice: entries that stand in the file once more, to the letter.
        complaints: everything that is wrong; with any, the file must not be used.
    """

    entries: Sequence[Entry]
    twice: Sequence[Entry] = ()
    complaints: Sequence[Complaint] = field(default=())


def read_rows(rows: Iterable[Row]) -> FleetFile:
    """Read all cells; every wrong one becomes a complaint."""
    complaints: list[Complaint] = []
    entries = [_entry(row, complaints) for row in rows]
    kept, twice = _without_doubles(entries, complaints)
    return FleetFile(kept, twice, complaints)


def _entry(row: Row, complaints: list[Complaint]) -> Entry:
    entry = Entry(row.line, {}, {})
    for name, cell in row.cells.items():
        try:
            entry = _with(entry, name, cell)
        except InvalidFieldError as error:
            complaints.append(Complaint(f"line {cell.line}, {error.field}", error.problem, error.remedy))
            column = column_of(name)
            known = {column.field: cell.line} if column else {}
            entry = replace(entry, lines={**entry.lines, **known})  # it is there, and not missing
    complaints += _found_wrong(entry)
    if "id" not in row.cells:
        complaints.append(entry.complaint("id", "it is missing", "give every chamber its id"))
    return entry


def _with(entry: Entry, name: str, cell: Cell) -> Entry:
    column = column_of(name)
    if column is None:
        raise InvalidFieldError(name, "there is no such field", "`chamberlog import --help` lists what there is")
    value = column.read(name, cell.value)
    if column.field == "labels":
        value = {**entry.body.get("labels", {}), **value}
    elif column.field in entry.body:
        raise InvalidFieldError(name, "the entry says it twice", "give it with its unit or in seconds, not both")
    body, lines = {**entry.body, column.field: value}, {**entry.lines, column.field: cell.line}
    return replace(entry, body=body, lines=lines)


def _found_wrong(entry: Entry) -> Iterator[Complaint]:
    """What no chamber may have; each field for itself, the time budget against its interval."""
    body = {name: value for name, value in entry.body.items() if name != "timeout_s"}
    wrong = False
    for name, value in body.items():
        for error in _refusals({name: value}):
            wrong |= name == "interval_s"
            yield entry.complaint(name, error.problem, error.remedy)
    if "timeout_s" in entry.body and "interval_s" in body and not wrong:
        times = {name: entry.body[name] for name in ("interval_s", "timeout_s")}
        yield from (entry.complaint("timeout_s", e.problem, e.remedy) for e in _refusals(times))


def _refusals(body: Mapping[str, Any]) -> Iterator[InvalidFieldError]:
    try:
        check_spec(spec_with(PLAIN, body))
    except InvalidFieldError as error:
        yield error


def spec_with(spec: ChamberSpec, body: Mapping[str, Any]) -> ChamberSpec:
    """The spec with these fields, as the API makes it: a time budget that nobody chose follows the interval."""
    changes: dict[str, Any] = {}
    for name, value in body.items():
        if name in MILLISECONDS:
            changes[MILLISECONDS[name]] = None if value is None else round(value * 1000)
        elif name == "labels":
            changes[name] = merged_labels(spec.labels, value)
        elif name in UNSAID:
            changes[name] = value or ""
        else:
            changes[name] = value
    if "interval_ms" in changes and spec.timeout_ms == default_timeout_ms(spec.interval_ms):
        changes.setdefault("timeout_ms", default_timeout_ms(changes["interval_ms"]))
    return replace(spec, **changes)


def _without_doubles(entries: Sequence[Entry], complaints: list[Complaint]) -> tuple[list[Entry], list[Entry]]:
    kept: dict[str, Entry] = {}
    twice: list[Entry] = []
    for entry in entries:
        first = kept.setdefault(str(entry.body.get("id", f"line {entry.line}")), entry)
        if first is entry:
            continue
        if first.body == entry.body:
            twice.append(entry)
        else:
            problem = f"{entry.body['id']!r} stands in line {first.line} already, and differs"
            complaints.append(entry.complaint("id", problem, "keep one of them"))
    return list(kept.values()), twice
