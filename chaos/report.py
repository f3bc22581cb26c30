"""The report: one JSON object, and the same as a table of Markdown that fills a page between its markers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chaos.errors import ChaosError
from chaos.verdict import KEPT, Row

BEGIN, END = "<!-- the last run: begin -->", "<!-- the last run: end -->"
HEAD = (
    "fault",
    "took s",
    "slots",
    "stored",
    "gaps at 60 s",
    "gaps below",
    "longest s",
    "allowed",
    "doubled",
    "asked twice",
    "unstored",
    "told twice",
    "unaccounted",
    "open",
    "settled s",
    "live p99 ms",
    "",
)


@dataclass(frozen=True, slots=True)
class Facts:
    """Under what was tried.

    Attributes:
        date: of the begin, ISO 8601 in UTC.
        form: `long` or `short`.
        chambers: that collected.
        duration_s: of the whole run.
        versions: part to version.
    """

    date: str
    form: str
    chambers: int
    duration_s: float
    versions: Mapping[str, str]


def document(facts: Facts, rows: Sequence[Row], left_out: Sequence[str]) -> dict[str, Any]:
    """The whole report."""
    return {
        "format": 1,
        "date": facts.date,
        "form": facts.form,
        "chambers": facts.chambers,
        "duration_s": round(facts.duration_s),
        "versions": dict(facts.versions),
        "kept": all_kept(rows),
        "rows": [row.document() for row in rows],
        "left_out": list(left_out),
    }


def all_kept(rows: Sequence[Row]) -> bool:
    """Whether something was tried and nothing is broken."""
    return bool(rows) and all(row.verdict == KEPT for row in rows)


def markdown(report: Mapping[str, Any]) -> str:
    """The report for people."""
    versions = ", ".join(f"{name} {version}" for name, version in report["versions"].items())
    about = (
        f"{report['date']}, {report['form']} form, {report['chambers']} chambers, {report['duration_s']} s. {versions}."
    )
    table = [HEAD, ["---"] * len(HEAD), *(cells(row) for row in report["rows"])]
    lines = ["| " + " | ".join(line) + " |" for line in table]
    words = [f"- {row['fault']}: {text}" for row in report["rows"] for text in (*row["complaints"], *row["notes"])]
    parts = [about, "\n".join(lines), "\n".join(words)]
    if report["left_out"]:
        parts.append(f"Left out of this run: {', '.join(report['left_out'])}.")
    return "\n\n".join(part for part in parts if part) + "\n"


def cells(row: Mapping[str, Any]) -> list[str]:
    """One line of the table."""
    return [
        row["fault"],
        f"{row['seconds']:g}",
        str(row["expected"]),
        str(row["stored"]),
        _gaps(row["gaps_slow"]),
        _gaps(row["gaps_fast"]),
        f"{row['longest_gap_s']:g}",
        _allowed(row),
        str(row["doubled"]),
        str(row["asked_twice"]),
        str(row["unstored"]),
        str(row["told_twice"]),
        str(row["unaccounted"]),
        str(row["overdue"]),
        "never" if row["settled_s"] is None else f"{row['settled_s']:g}",
        "" if row["live_p99_ms"] is None else str(row["live_p99_ms"]),
        row["verdict"] if row["verdict"] == KEPT else f"**{row['verdict']}**",
    ]


def fill(page: Path, text: str) -> None:
    """Put a text between the markers of a page; the text of an earlier run goes.

    Raises:
        ChaosError: the page is there without its markers. One that is not there is made.
    """
    before = page.read_text() if page.exists() else f"# Chaos\n\n{BEGIN}\n{END}\n"
    begin, end = before.find(BEGIN), before.find(END)
    if not 0 <= begin < end:
        raise ChaosError(f"{page} has not the lines {BEGIN!r} and {END!r}; put them where the report belongs")
    page.write_text(before[: begin + len(BEGIN)] + f"\n{text}" + before[end:])


def _gaps(gaps: Mapping[str, int]) -> str:
    return ", ".join(f"{slots} {reason}" for reason, slots in gaps.items()) or "0"


def _allowed(row: Mapping[str, Any]) -> str:
    """Slots at 60 s and below that might have been lost."""
    return "any" if row["allowed_slow"] is None else f"{row['allowed_slow']} + {row['allowed_fast']}"
