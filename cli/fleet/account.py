"""What an import found and did, for people and for scripts."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from cli.exits import CommandError, Complaint, ExitCode
from cli.fleet.difference import Difference, Step
from cli.fleet.writing import Written
from cli.output import print_table
from cli.tables import Fit
from cli.times import duration_of
from collector.domain.errors import ChamberlogError, InvalidFieldError

Json = dict[str, Any]
SHOWN = 20
"""Of the new and of the changed chambers, before they are written; a dry run shows all."""
FIRST_CODES = (ExitCode.UNAUTHORIZED, ExitCode.REFUSED, ExitCode.NOT_FOUND, ExitCode.CONFLICT, ExitCode.AWAY)
"""Of several kinds of refusal the exit code tells the one that needs a person most."""


@dataclass(slots=True)
class Account:
    """What became of an import.

    Attributes:
        file: as it was named.
        difference: what was to be done.
        dry_run: nothing was to be written.
        sections_created: as it says.
        written: what became of each chamber that was begun.
        interrupted: by Ctrl-C.
        seconds: that the writing took.
    """

    file: str
    difference: Difference
    dry_run: bool
    sections_created: list[str] = field(default_factory=list)
    written: list[Written] = field(default_factory=list)
    interrupted: bool = False
    seconds: float | None = None

    @property
    def refused(self) -> list[Written]:
        """Those that a server refused, in the order of the file."""
        return sorted((w for w in self.written if w.error), key=lambda w: w.step.entry.line)

    @property
    def not_tried(self) -> int:
        """How many were never sent."""
        done = sum(w.begun for w in self.written)
        return 0 if self.dry_run else len(self.difference.steps) - done

    def done(self, *, new: bool) -> int:
        """How many are as wanted now, of the new ones or of the others."""
        return sum(w.begun and not w.error and w.step.is_new == new for w in self.written)

    def document(self) -> Json:
        """For scripts."""
        steps, found = self.difference.steps, self.difference
        return {
            "file": self.file,
            "dry_run": self.dry_run,
            "new": sum(step.is_new for step in steps),
            "changed": sum(not step.is_new for step in steps),
            "unchanged": len(found.unchanged),
            "twice": len(found.twice),
            "only_on_server": found.elsewhere,
            "missing_sections": [*found.missing_sections],
            "changes": [_change_document(step) for step in steps],
            "sections_created": self.sections_created,
            "created": self.done(new=True),
            "updated": self.done(new=False),
            "refused": [_refusal_document(written) for written in self.refused],
            "not_tried": self.not_tried,
            "interrupted": self.interrupted,
            "seconds": None if self.seconds is None else round(self.seconds, 3),
        }

    def code(self) -> ExitCode:
        """The exit code."""
        if self.interrupted:
            return ExitCode.INTERRUPTED
        codes = {_code_of(written) for written in self.refused}
        return next((code for code in FIRST_CODES if code in codes), ExitCode.FINE)

    def complaints(self) -> Iterator[Complaint]:
        """Every refusal, with the line of the file."""
        for written in self.refused:
            for complaint in _complaints_of(written):
                field_name = f"line {written.step.entry.line} ({written.step.chamber}), {complaint.field}"
                yield Complaint(field_name, complaint.problem, complaint.remedy)

    def sentence(self) -> str:
        """What was done, in a line."""
        done = self.done(new=True) + self.done(new=False)
        parts = [f"{self.done(new=True)} enrolled, {self.done(new=False)} changed"]
        parts += [f"{len(self.difference.unchanged)} unchanged"]
        parts += [f"{len(self.refused)} refused"] if self.refused else []
        parts += [f"{self.not_tried} not tried"] if self.not_tried else []
        seconds = self.seconds or 0.0
        speed = f" in {seconds:.1f} s ({done / seconds:.3g} a second)" if seconds >= 1 and done else ""
        return ", ".join(parts) + speed


def print_difference(found: Difference, *, everything: bool) -> None:
    """What an import would do, for people."""
    limit = None if everything else SHOWN
    new, changed = ([s for s in found.steps if s.is_new == wanted] for wanted in (True, False))
    rows = [["+", s.chamber, str(s.entry.line), _news(s)] for s in new[:limit]]
    rows += [["~", s.chamber, str(s.entry.line), _changes(s)] for s in changed[:limit]]
    if rows:
        print_table(["", "id", "line", "what"], rows, fit=Fit(texts=("what",), keys=2))
    print(f"{_count(new, 'new')}, {_count(changed, 'changed')}, {len(found.unchanged)} unchanged")
    more = len(found.steps) - len(rows)
    if more:
        print(f"{more} of them are not shown; --dry-run shows all")
    if found.twice:
        print(f"{len(found.twice)} in the file twice: lines {', '.join(str(e.line) for e in found.twice[:SHOWN])}")
    if found.elsewhere:
        print(f"{found.elsewhere} only on the server, left alone")
    if found.missing_sections:
        print(f"sections to make: {', '.join(found.missing_sections)}")


def _count(steps: Sequence[Step], what: str) -> str:
    return f"{len(steps)} {what}"


def _news(step: Step) -> str:
    body = step.entry.body
    section = f" in {body['section']}" if "section" in body else ""
    return f"{body['profile']} every {duration_of(body['interval_s'])}{section}, {body['url']}"


def _changes(step: Step) -> str:
    return ", ".join(f"{name} {_plain(old)} -> {_plain(new)}" for name, (old, new) in step.fields.items())


def _plain(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}={text}" for key, text in sorted(value.items())) + "}"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return {None: "none", "": "''"}.get(value, str(value))


def _change_document(step: Step) -> Json:
    fields = {name: {"from": old, "to": new} for name, (old, new) in step.fields.items()}
    kind = "new" if step.is_new else "changed"
    return {"id": step.chamber, "line": step.entry.line, "kind": kind, "fields": fields}


def _refusal_document(written: Written) -> Json:
    complaint, step = _complaints_of(written)[0], written.step
    told = {"field": complaint.field, "problem": complaint.problem, "remedy": complaint.remedy}
    return {"id": step.chamber, "line": step.entry.line, "exit_code": int(_code_of(written)), **told}


def _code_of(written: Written) -> ExitCode:
    return written.error.code if isinstance(written.error, CommandError) else ExitCode.REFUSED


def _complaints_of(written: Written) -> Sequence[Complaint]:
    match written.error:
        case CommandError() as error:
            return error.complaints
        case InvalidFieldError() as error:
            return [Complaint(error.field, error.problem, error.remedy)]
        case ChamberlogError() as error:
            return [Complaint("chamber", str(error))]
    return []
