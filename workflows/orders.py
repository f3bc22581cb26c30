"""What people type into signals, read without ever raising: an order, or the reason why it was ignored."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from collector.domain.chamber import INTERVAL_MS
from collector.domain.instants import parse_iso
from collector.domain.settling import clean
from collector.domain.signals import Said
from collector.messages import PauseRequest, ResumeRequest

TEXT_LIMIT = 1024
SHOWN_LIMIT = 60
PAUSE_KEYS = ("reason", "by", "until", "operation")


@dataclass(frozen=True, slots=True)
class Ignored:
    """The signal was not understood and changes nothing; `why` is for people."""

    why: str


def said(signal: str, args: Sequence[Any], now_ms: int) -> Said:
    """Who claims to have sent the signal, and why: taken from an object that says so, whatever else it is."""
    first = args[0] if args and isinstance(args[0], dict) else {}
    by, reason, operation = (_text(first.get(key)) for key in ("by", "reason", "operation"))
    return Said(signal, now_ms, by, reason, operation)


def pause_order(args: Sequence[Any], now_ms: int) -> PauseRequest | Ignored:
    """Nothing, or one object `{reason?, by?, until?}`; `until` is RFC 3339 with an offset, in the future.

    `operation` names the operation of a section that it is part of.
    """
    if not args:
        return PauseRequest()
    if len(args) > 1:
        return Ignored(f"{len(args)} inputs instead of one")
    wanted = args[0]
    if not isinstance(wanted, dict):
        return Ignored(f'{shown(wanted)} is not an object like {{"reason": "door"}}')
    unknown = [key for key in wanted if key not in PAUSE_KEYS]
    if unknown:
        return Ignored(f"unknown key {shown(unknown[0])}; known are reason, by, until")
    until = _until(wanted.get("until"), now_ms)
    if isinstance(until, Ignored):
        return until
    return PauseRequest(_text(wanted.get("reason")), _text(wanted.get("by")), until)


def resume_order(args: Sequence[Any]) -> ResumeRequest:
    """Whatever is sent along, a resume is a resume: `by` is taken from an object that has it."""
    first = args[0] if args else None
    return ResumeRequest(_text(first.get("by")) if isinstance(first, dict) else "")


def interval_order(args: Sequence[Any]) -> int | Ignored:
    """One number of seconds; answers milliseconds."""
    if len(args) != 1:
        return Ignored(f"{len(args)} inputs instead of one number of seconds")
    seconds = args[0]
    low, high = INTERVAL_MS
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not low <= seconds * 1000 <= high:
        return Ignored(f"{shown(seconds)} is not a number of seconds from 1 to 86400")
    return round(seconds * 1000)


def shown(value: object) -> str:
    """A short printable form of whatever was sent."""
    text = ascii(value) if isinstance(value, str | int | float | bool | None) else type(value).__name__
    return text if len(text) <= SHOWN_LIMIT else f"{text[:SHOWN_LIMIT]}... ({len(text)} characters)"


def _until(value: object, now_ms: int) -> int | Ignored | None:
    if value is None:
        return None
    try:
        until = parse_iso(value) if isinstance(value, str) else None
    except ValueError:
        until = None
    if until is None:
        return Ignored(f"until {shown(value)} is not an instant like 2026-03-01T12:00:00Z")
    return until if until > now_ms else Ignored(f"until {shown(value)} is in the past")


def _text(value: object) -> str:
    if value is None:
        return ""
    text = value if isinstance(value, str) else shown(value)
    return clean(text[:TEXT_LIMIT].replace("\x00", ""))
