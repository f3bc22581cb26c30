"""Faults that a simulated device can be given at run time: tables of named faults, by where they bite."""

from collections.abc import Mapping
from typing import Any

from simulator.faults.behaviour import BEHAVIOUR, Course
from simulator.faults.connection import ACCEPT, CONNECTION, GARBAGE, PORT, SOCKETS, Exchange
from simulator.faults.content import CONTENT, LOGIN_PAGE
from simulator.faults.fault import Fault, FaultError, Kind, document_of, read_fault
from simulator.faults.telling import Telling
from simulator.faults.transport import TRANSPORT, Spoken

_FIRST = ("down", "slow", "status", "garbage", "wrong-type", "hang", "reset", "drip")
_ALL: Mapping[str, Kind[Any]] = {**PORT, **ACCEPT, **SOCKETS, **CONNECTION, **TRANSPORT, **CONTENT, **BEHAVIOUR}
KINDS: Mapping[str, Kind[Any]] = {name: _ALL[name] for name in (*_FIRST, *_ALL)}
"""Every kind of fault by name, the oldest first."""


def parse_fault(document: object) -> Fault:
    """Read `{"kind": "slow", "seconds": 3, "for_s": 20}`.

    Raises:
        FaultError: an unknown kind or field, or a value out of range.
    """
    return read_fault(document, KINDS)


def make_fault(kind: str, **fields: float | str | None) -> Fault:
    """The fault that `{"kind": kind, **fields}` is.

    Raises:
        FaultError: see `parse_fault`.
    """
    return parse_fault({"kind": kind, **fields})


def fault_document(fault: Fault) -> dict[str, object]:
    """The fault as `parse_fault` reads it."""
    return document_of(fault, KINDS[fault.kind])


__all__ = [
    "ACCEPT",
    "BEHAVIOUR",
    "CONNECTION",
    "CONTENT",
    "GARBAGE",
    "KINDS",
    "LOGIN_PAGE",
    "PORT",
    "SOCKETS",
    "TRANSPORT",
    "Course",
    "Exchange",
    "Fault",
    "FaultError",
    "Kind",
    "Spoken",
    "Telling",
    "fault_document",
    "make_fault",
    "parse_fault",
]
