"""A picture for people: a header, and a table of chambers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rich.cells import cell_len
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from cli.output import STATUS_STYLES, amount, plain
from cli.tables import GAP, Fit, parts_of
from cli.times import clock_of
from cli.top.picture import RECENT_MS, Json, Picture
from collector.domain.instants import iso, parse_iso

SERVERS = ("postgresql", "temporal")
HEADER_LINES = 7
"""Of a picture, the headings of its table and the line below it included."""
COLUMNS = ("chamber", "section", "status", "last value", "age", "next", "late", "failures", "backlog")
RIGHT = ("age", "next", "late", "failures", "backlog")
FIT = Fit(spare=("late", "section", "last value", "next"))
LATE_S = 1.0
"""A request that begins later than this after its slot is shown in yellow."""
UNITS = ((86_400, "d"), (3_600, "h"), (60, "m"))
VALUE_LIMIT = 40


@dataclass(frozen=True, slots=True)
class Seen:
    """A picture as it is shown now.

    Attributes:
        picture: the last one that there is.
        age_s: seconds since it was taken.
        error: why there is no newer one; empty = there is none to be had yet.
        hint: what stands at the right of the first line.
    """

    picture: Picture
    age_s: float = 0.0
    error: str = ""
    hint: str = ""


def draw(seen: Seen, width: int) -> RenderableType:
    """The picture, for so many columns."""
    fleet, now_ms = seen.picture.fleet, parse_iso(seen.picture.fleet["at"]) + round(seen.age_s * 1000)
    rows = [_cells(chamber, now_ms) for chamber in fleet["items"]]
    return Group(*_header(seen, now_ms), Text(), _table(rows, width), *_rest(fleet))


def _header(seen: Seen, now_ms: int) -> list[Text]:
    picture = seen.picture
    title = Text.assemble(("chamberlog top", "bold"), f"  {clock_of(iso(now_ms // 1000 * 1000))}", (seen.hint, "dim"))
    lines = [title, _totals(picture.fleet), _recent(picture.audit), _servers(picture.away)]
    if seen.error:
        lines.append(Text(f"{plain(seen.error)}; this picture is {short(seen.age_s)} old", "bold red"))
    return lines


def _totals(fleet: Json) -> Text:
    parts = [Text(f"{n} {status}", STATUS_STYLES.get(status, "")) for status, n in fleet["statuses"].items() if n]
    text = Text(amount(fleet["chambers"], "chamber") + (": " if parts else ""))
    backlog = Text(f"   backlog {fleet['backlog']}", "yellow" if fleet["backlog"] else "")
    return text + Text(", ").join(parts) + backlog


def _recent(audit: Json | None) -> Text:
    if audit is None:
        return Text("no audit for this key", "dim")
    gaps = sum(audit["gaps"].values())
    reasons = ", ".join(f"{reason} {n}" for reason, n in sorted(audit["gaps"].items()))
    text = Text(f"last {short(RECENT_MS / 1000)}: {audit['expected']} expected, {audit['stored']} stored, ")
    text += Text(f"{gaps} gaps" + (f" ({reasons})" if reasons else ""), "yellow" if gaps else "")
    text += Text(f", {audit['pending']} pending")
    for name in ("overdue", "unaccounted"):
        text += Text(f", {audit[name]} {name}", "bold red" if audit[name] else "")
    return text


def _servers(away: Sequence[str]) -> Text:
    names = [*SERVERS, *(name for name in away if name not in SERVERS)]
    words = [Text(f"{n} away", "bold red") if n in away else Text(f"{n} ready", "green") for n in names]
    return Text("servers: ") + Text(", ").join(words)


def _rest(fleet: Json) -> list[Text]:
    left = fleet["fitting"] - len(fleet["items"])
    return [Text(f"{amount(left, 'chamber')} more not shown", "italic")] if left > 0 else []


def _table(rows: Sequence[Sequence[Text]], width: int) -> Table:
    widths = [max([cell_len(name), *(row[n].cell_len for row in rows)]) for n, name in enumerate(COLUMNS)]
    shown = parts_of(COLUMNS, widths, width, FIT)[0]
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, GAP, 0, 0))
    for index in shown:
        justify: Any = "right" if COLUMNS[index] in RIGHT else "left"
        table.add_column(COLUMNS[index], justify=justify, no_wrap=True, overflow="ellipsis")
    for row in rows:
        table.add_row(*(row[index] for index in shown))
    return table


def _cells(chamber: Json, now_ms: int) -> list[Text]:
    status = str(chamber["status"])
    return [
        Text(plain(chamber["id"])),
        Text(plain(chamber["section"])),
        Text(status, STATUS_STYLES.get(status, "")),
        _value(chamber["reading"]),
        Text(_since(chamber["last_reading"], now_ms)),
        Text(_until(chamber["next_slot"], now_ms)),
        _late(chamber["lateness_s"]),
        Text(str(chamber["failures"] or "-"), "red" if chamber["failures"] else "dim"),
        Text(str(chamber["backlog"] or "-"), "yellow" if chamber["backlog"] else "dim"),
    ]


def _value(reading: Json | None) -> Text:
    """The first measurement that has a value."""
    for name, measured in (reading or {"measurements": {}})["measurements"].items():
        if measured["value"] is not None:
            unit = "" if measured["unit"] == "1" else f" {measured['unit']}"
            doubted = "" if measured["quality"] == "good" else f" ({measured['quality']})"
            text = plain(f"{name} {measured['value']:g}{unit}{doubted}")
            return Text(text[:VALUE_LIMIT], "yellow" if doubted else "")
    return Text("no value" if reading else "-", "dim")


def _late(lateness_s: float | None) -> Text:
    if lateness_s is None:
        return Text("-", "dim")
    text = f"{max(0.0, lateness_s) * 1000:.0f}ms" if lateness_s < 1 else short(lateness_s)
    return Text(text, "yellow" if lateness_s > LATE_S else "")


def _since(instant: str | None, now_ms: int) -> str:
    return "-" if instant is None else short((now_ms - parse_iso(instant)) / 1000)


def _until(instant: str | None, now_ms: int) -> str:
    if instant is None:
        return "-"
    left_s = (parse_iso(instant) - now_ms) / 1000
    return "now" if left_s <= 0 else f"in {short(left_s)}"


def short(seconds: float) -> str:
    """A duration in one unit, rounded down: `0s`, `59s`, `3m`, `2h`, `5d`."""
    for size, unit in UNITS:
        if seconds >= size:
            return f"{int(seconds // size)}{unit}"
    return f"{int(max(seconds, 0))}s"
