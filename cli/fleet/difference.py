"""What an import would change: the entries of a file beside the chambers that are there."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cli.changing import merged_labels
from cli.exits import Complaint
from cli.fleet.entries import PLAIN, UNSAID, Entry, FleetFile, spec_with
from collector.domain.chamber import ChamberSpec, check_spec
from collector.domain.errors import InvalidFieldError

REQUIRED = ("url", "profile", "interval_s")
"""What a chamber cannot be enrolled without."""
RETIRING = "retiring"
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Step:
    """One chamber that has to be written.

    Attributes:
        entry: what is wanted.
        fields: what changes, from the value that is there to the one that is wanted; empty for a new chamber.
        version: of the chamber that was read; None = it is new.
    """

    entry: Entry
    fields: Mapping[str, tuple[Any, Any]] = field(default_factory=dict)
    version: int | None = None

    @property
    def chamber(self) -> str:
        """Its id."""
        return str(self.entry.body["id"])

    @property
    def is_new(self) -> bool:
        """Whether it has to be enrolled."""
        return self.version is None


@dataclass(frozen=True, slots=True)
class Difference:
    """What an import would do.

    Attributes:
        steps: chambers to write, in the order of the file.
        unchanged: ids of chambers that are as they are wanted.
        twice: entries that stand in the file once more.
        elsewhere: how many chambers are on the server only; they are left alone.
        missing_sections: sections that are named and not there.
        complaints: what would be refused.
    """

    steps: Sequence[Step]
    unchanged: Sequence[str]
    twice: Sequence[Entry]
    elsewhere: int
    missing_sections: Sequence[str]
    complaints: Sequence[Complaint]


@dataclass(frozen=True, slots=True)
class There:
    """What is on the server.

    Attributes:
        chambers: id to chamber, retired ones left out.
        profiles: names.
        sections: id to whether chambers may stand there.
    """

    chambers: Mapping[str, Json]
    profiles: Sequence[str]
    sections: Mapping[str, bool]


def compare(file: FleetFile, there: There, *, create_sections: bool) -> Difference:
    """What is new, what differs, and what could not work."""
    steps: list[Step] = []
    unchanged: list[str] = []
    complaints: list[Complaint] = []
    for entry in file.entries:
        known = there.chambers.get(entry.body.get("id", ""))
        complaints += _refused(entry, known, there, create_sections=create_sections)
        step = Step(entry) if known is None else Step(entry, _fields(entry, known), known["version"])
        if "id" not in entry.body:
            continue
        if step.is_new or step.fields:
            steps.append(step)
        else:
            unchanged.append(step.chamber)
    ours = {entry.body.get("id") for entry in file.entries}
    missing = sorted({entry.body["section"] for entry in file.entries if "section" in entry.body} - {*there.sections})
    return Difference(steps, unchanged, file.twice, len({*there.chambers} - ours), missing, complaints)


def _refused(entry: Entry, known: Json | None, there: There, *, create_sections: bool) -> Iterator[Complaint]:
    body = entry.body
    if known is None:
        missing = [name for name in REQUIRED if name not in entry.lines]
        for name in missing:
            remedy = "give it: the chamber is not there yet"
            yield entry.complaint(name, f"it is missing, and {body.get('id', 'the chamber')} is new", remedy)
    elif known["status"] == RETIRING:
        yield entry.complaint("id", f"{known['id']} is retiring", "import it again once it is retired")
    stays = known is not None and known["profile"] == body.get("profile")  # it may be offered no longer
    if "profile" in body and not stays and body["profile"] not in there.profiles:
        remedy = f"use one of: {', '.join(there.profiles)}"
        yield entry.complaint("profile", f"there is no profile {body['profile'][:60]!r}", remedy)
    yield from _section_refused(entry, there, create_sections=create_sections)
    if known is not None:
        yield from _change_refused(entry, known)


def _section_refused(entry: Entry, there: There, *, create_sections: bool) -> Iterator[Complaint]:
    section = entry.body.get("section")
    if section is None or there.sections.get(section):
        return
    if section in there.sections:
        remedy = f"open it with `chamberlog sections change {section} --open`, or name another"
        yield entry.complaint("section", f"section {section!r} is closed", remedy)
    elif not create_sections:
        known = ", ".join(name for name, is_open in there.sections.items() if is_open)
        remedy = f"use one of: {known}; or let them be made with --create-sections"
        yield entry.complaint("section", f"there is no section {section[:60]!r}", remedy)


def _change_refused(entry: Entry, known: Json) -> Iterator[Complaint]:
    """What is wrong only together with what is there, such as a time budget above the interval that stays."""
    try:
        check_spec(spec_with(spec_of(known), entry.body))
    except InvalidFieldError as error:
        try:
            check_spec(spec_with(PLAIN, entry.body))
        except InvalidFieldError:
            return  # it is wrong by itself: the file's own complaints say so
        yield entry.complaint(error.field, f"{error.problem}, with what the chamber has already", error.remedy)


def _fields(entry: Entry, known: Json) -> dict[str, tuple[Any, Any]]:
    wanted = {name: value for name, value in entry.body.items() if name != "id"}
    if "labels" in wanted:
        wanted["labels"] = merged_labels(known["labels"], wanted["labels"])
    return {name: (known[name], value) for name, value in wanted.items() if known[name] != value}


def spec_of(chamber: Json) -> ChamberSpec:
    """The spec of a chamber as the API answers it."""
    names = ("id", "url", "profile", "section", "name", "aligned", "secret_ref", "verify_tls", *UNSAID)
    times = {name: chamber[name] for name in ("interval_s", "timeout_s", "round_span_s")}
    return spec_with(PLAIN, {**{name: chamber[name] for name in names}, "labels": chamber["labels"], **times})
