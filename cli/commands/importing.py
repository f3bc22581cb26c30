"""Importing a fleet from a file."""

import re
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.exits import CommandError, Complaint, ExitCode
from cli.fleet.account import Account, print_difference
from cli.fleet.difference import Difference, There, compare
from cli.fleet.entries import FleetFile
from cli.fleet.writing import FleetWriter
from cli.output import amount, print_json, say, show_complaints
from cli.paths import SECTIONS
from cli.progress import Bar, counted, progress
from cli.session import Session, data_command
from collector.domain.errors import InvalidFieldError

FORMATS = {".csv": "csv", ".tsv": "csv", ".yaml": "yaml", ".yml": "yaml"}
LARGEST_MIB = 64
MOST_COMPLAINTS = 50
"""More than a person mends in one go."""
AT_ONCE = 8
LINE = re.compile(r"line (\d+)")
EPILOG = (
    "Columns of a CSV file, named in its first row, in any order: id, url, profile, interval (10s, 5m) or interval_s;"
    " if wanted section, name, timeout or timeout_s, round_span or round_span_s, aligned, verify_tls, secret_ref,"
    " timezone, serial_number, and label.KEY for each label. An empty cell says nothing: what is there stays.\n\n"
    "YAML: `chambers:` is a list with the same names, labels as a mapping; `defaults:` holds what they have in common."
    "\n\nExamples:\n"
    "chamberlog import fleet.csv --dry-run\n"
    "chamberlog import fleet.yaml --yes --create-sections --json"
)
FormatFlag = Annotated[str | None, typer.Option("--format", help="csv or yaml; else the file's ending says it.")]


@data_command
def import_fleet(
    session: Session,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="CSV or YAML; - is standard input.")],
    *,
    format_: FormatFlag = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would change, and end.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Write without asking.")] = False,
    create_sections: Annotated[bool, typer.Option("--create-sections", help="Make sections that are missing.")] = False,
    parallel: Annotated[int, typer.Option("--parallel", min=1, max=64, help="Requests at once.")] = AT_ONCE,
) -> None:
    """Enrol and change the chambers of a file. The same file again changes nothing."""
    found = read_file(file, format_)
    difference = _compared(session, found, create_sections=create_sections)
    account = Account(str(file), difference, dry_run)
    if not session.as_json:
        print_difference(difference, everything=dry_run)
    if not dry_run and (difference.steps or difference.missing_sections):
        _allowed(difference, yes=yes)
        _write(session, account, parallel)
    _finish(account, as_json=session.as_json)


def read_file(file: Path, form: str | None) -> FleetFile:
    """Read a fleet file; what is wrong in it becomes complaints.

    Args:
        file: `-` is standard input.
        form: `csv` or `yaml`; None = by the ending of the name.

    Raises:
        InvalidFieldError: field `file` or `format`, when it cannot be read at all.
    """
    kind = form or FORMATS.get(file.suffix.lower())
    if kind not in FORMATS.values():
        problem = f"{form!r} is not one" if form else f"the name {str(file)[-80:]!r} does not tell it"
        raise InvalidFieldError("format", problem, "give --format csv or --format yaml")
    text = _text_of(file)
    if kind == "csv":
        from cli.fleet.csv_file import read_csv  # noqa: PLC0415 - only one of the two is needed

        return read_csv(text)
    from cli.fleet.yaml_file import read_yaml_fleet  # noqa: PLC0415

    return read_yaml_fleet(text)


def _text_of(file: Path) -> str:
    limit = LARGEST_MIB * 2**20
    try:
        if str(file) == "-":
            raw = sys.stdin.buffer.read(limit + 1)
        else:
            with file.open("rb") as source:
                raw = source.read(limit + 1)
        if len(raw) > limit:
            raise InvalidFieldError("file", f"{file} is longer than {LARGEST_MIB} MiB", "split it")
        return raw.decode("utf-8-sig")
    except OSError as error:
        raise InvalidFieldError("file", f"{file}: {error.strerror}", "name a file that can be read") from None
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise InvalidFieldError("file", f"{file}, line {line}: it is not UTF-8", "save it as UTF-8") from None


def _compared(session: Session, file: FleetFile, *, create_sections: bool) -> Difference:
    """Compare with what is there, and refuse everything that is wrong at once."""
    try:
        difference = compare(file, _what_is_there(session), create_sections=create_sections)
    except CommandError:
        _refuse(file.complaints)  # wrong in any case: no need to know what is there
        raise
    _refuse([*file.complaints, *difference.complaints])
    return difference


def _refuse(complaints: Sequence[Complaint]) -> None:
    if not complaints:
        return
    unique = sorted(dict.fromkeys(complaints), key=_line_of)
    shown = unique[:MOST_COMPLAINTS]
    if len(unique) > len(shown):
        shown.append(Complaint("file", f"and {len(unique) - len(shown)} more", "mend these and import it again"))
    raise CommandError(ExitCode.REFUSED, *shown)


def _line_of(complaint: Complaint) -> int:
    match = LINE.match(complaint.field)
    return int(match[1]) if match else 0


def _what_is_there(session: Session) -> There:
    api = session.api
    chambers = {c["id"]: c for c in counted("reading the chambers that are there", api.items("/v1/chambers", {}))}
    profiles = [profile["name"] for profile in api.get("/v1/profiles").document["items"]]
    return There(chambers, profiles, {s["id"]: s["active"] for s in api.items(SECTIONS, {})})


def _allowed(difference: Difference, *, yes: bool) -> None:
    count = len(difference.steps)
    if yes:
        return
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        problem = f"{amount(count, 'chamber')} would be written, and nobody can be asked"
        raise InvalidFieldError("yes", problem, "give --yes, or --dry-run to see only what would change")
    if not typer.confirm(f"Write {amount(count, 'chamber')}?", err=True):
        say("nothing was written")
        raise typer.Exit(ExitCode.FINE)


def _write(session: Session, account: Account, parallel: int) -> None:
    for section in account.difference.missing_sections:
        session.api.send("POST", SECTIONS, {"id": section})
        account.sections_created.append(section)
    writer = FleetWriter(session.api, account.difference.steps, parallel)
    began_s = time.monotonic()
    try:
        with progress("importing", len(account.difference.steps)) as bar:
            _attend(writer, account, bar)
    finally:
        account.seconds = time.monotonic() - began_s


def _attend(writer: FleetWriter, account: Account, bar: Bar) -> None:
    """Note what comes. After Ctrl-C nothing more is sent, and what is on its way is awaited; a second one leaves."""
    try:
        _note(writer, account, bar)
    except KeyboardInterrupt:
        account.interrupted = True
        writer.halt()
        say("stopping: waiting for the requests that are on their way; Ctrl-C again leaves at once")
        try:
            _note(writer, account, bar)
        except KeyboardInterrupt:
            say("left: what was on its way may have been done")


def _note(writer: FleetWriter, account: Account, bar: Bar) -> None:
    for written in writer.results():
        account.written.append(written)
        bar.advance(int(written.begun))


def _finish(account: Account, *, as_json: bool) -> None:
    if as_json:
        print_json(account.document())
    complaints: list[Any] = list(account.complaints())
    show_complaints(complaints[:MOST_COMPLAINTS])
    if len(complaints) > MOST_COMPLAINTS:
        say(f"and {len(complaints) - MOST_COMPLAINTS} more refusals; --json has all")
    if not account.dry_run and (account.written or account.sections_created):
        say(("interrupted: " if account.interrupted else "") + account.sentence())
    elif not account.dry_run and not account.difference.steps:
        say("nothing to do: everything is as the file says")
    if account.not_tried or account.interrupted:
        say("import the same file again to go on: what is done is not done twice")
    raise typer.Exit(account.code())
