"""Changing a chamber."""

from collections.abc import Callable
from typing import Annotated, Any

import typer

from cli import words
from cli.changing import change, given, labels_of, merged_labels
from cli.commands.fleet import print_chamber
from cli.paths import chamber_path
from cli.session import Session, data_command
from cli.times import parse_duration_ms, seconds_of
from cli.words import Chamber, LabelFlag, ProfileHelp
from collector.domain.errors import InvalidFieldError

Json = dict[str, Any]


@data_command
def change_chamber(
    session: Session,
    chamber: Chamber,
    *,
    section: Annotated[
        str | None, typer.Option("--section", help="Where it stands from now on.", autocompletion=words.sections)
    ] = None,
    name: Annotated[str | None, typer.Option("--name", help="A name for people.")] = None,
    url: Annotated[str | None, typer.Option("--url", help="The device's URL.")] = None,
    profile: Annotated[str | None, typer.Option("--profile", help=ProfileHelp, autocompletion=words.profiles)] = None,
    every: Annotated[str | None, typer.Option("--every", help="Interval, such as 10s, 5m or 1h.")] = None,
    timeout: Annotated[str | None, typer.Option("--timeout", help="Time budget of one attempt.")] = None,
    round_span: Annotated[str | None, typer.Option("--round-span", help="Length of a round.")] = None,
    no_round_span: Annotated[bool, typer.Option("--no-round-span", help="The usual length.")] = False,
    aligned: Annotated[bool | None, typer.Option(help="Slots at multiples of the interval.")] = None,
    label: LabelFlag = None,
    no_label: Annotated[
        list[str] | None, typer.Option("--no-label", help="Take the label KEY away; may be repeated.")
    ] = None,
    secret_ref: Annotated[str | None, typer.Option("--secret-ref", help="env:NAME or file:/path.")] = None,
    no_secret_ref: Annotated[bool, typer.Option("--no-secret-ref", help="No secret is needed.")] = False,
    verify: Annotated[
        bool | None, typer.Option("--verify/--insecure", help="Whether certificates must be valid.")
    ] = None,
    timezone: Annotated[str | None, typer.Option("--timezone", help=words.TimezoneHelp)] = None,
    no_timezone: Annotated[bool, typer.Option("--no-timezone", help="The zone is not known.")] = False,
    serial_number: Annotated[str | None, typer.Option("--serial-number", help=words.SerialNumberHelp)] = None,
    no_serial_number: Annotated[
        bool, typer.Option("--no-serial-number", help="Whichever device is seen first from now on.")
    ] = False,
) -> None:
    """Change a chamber; what is not named stays. If somebody else changes it meanwhile, nothing is changed (exit 5)."""
    wanted = given(section=section, name=name, url=url, profile=profile, aligned=aligned, verify_tls=verify)
    wanted |= _times(interval_s=every, timeout_s=timeout, round_span_s=round_span) | given(secret_ref=secret_ref)
    wanted |= given(timezone=timezone, serial_number=serial_number)
    _remove(wanted, round_span_s=no_round_span, secret_ref=no_secret_ref)
    _remove(wanted, timezone=no_timezone, serial_number=no_serial_number)
    labels = labels_of(label or []) | dict.fromkeys(no_label or [])
    session.show(change(session, chamber_path(chamber), _with_labels(wanted, labels)), print_chamber)


@data_command
def set_interval(
    session: Session, chamber: Chamber, interval: Annotated[str, typer.Argument(help="Such as 30s, 5m or 1h.")]
) -> None:
    """Change how often a chamber is read; if somebody else changes it meanwhile, nothing is changed (exit 5)."""
    session.show(change(session, chamber_path(chamber), _times(interval_s=interval)), print_chamber)


def _times(**durations: str | None) -> Json:
    return {name: seconds_of(parse_duration_ms(name, text)) for name, text in durations.items() if text is not None}


def _remove(wanted: Json, **names: bool) -> None:
    """Fields that are to be null.

    Raises:
        InvalidFieldError: one of them is given a value too.
    """
    for name, removed in names.items():
        if removed and name in wanted:
            flag = name.removesuffix("_s").replace("_", "-")
            raise InvalidFieldError(name, f"both --{flag} and --no-{flag}", "give one of them")
        if removed:
            wanted[name] = None


def _with_labels(wanted: Json, labels: dict[str, str | None]) -> Json | Callable[[Json], Json]:
    """Labels that are not named stay, so that they have to be read first."""
    if not labels:
        return wanted
    return lambda before: wanted | {"labels": merged_labels(before["labels"], labels)}
