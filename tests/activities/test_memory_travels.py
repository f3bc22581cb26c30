"""Memory in what travels: whole, to older and from older releases, and what it costs."""

import json
from dataclasses import asdict, field, fields, make_dataclass, replace
from typing import Any

import pytest
from temporalio.converter import DataConverter

from collector.domain.memory import Memory
from collector.messages import AdhocRequest, ChamberState, RoundOutcome, RoundProgress, RoundRequest
from tests.unit.jumping_time import NOON_MS
from tests.unit.round_stage import chamber

HELD = Memory(
    3,
    "A-17",
    NOON_MS,
    NOON_MS - 1,
    {"temperature": [21.5, NOON_MS, 21.5, NOON_MS], "co2": [None, None, 40.0, 1]},
    NOON_MS,
)
MESSAGES: list[Any] = [
    ChamberState(chamber(60), NOON_MS, memory=HELD),
    RoundRequest(chamber(60), NOON_MS, 1, memory=HELD),
    RoundProgress(memory=HELD),
    RoundOutcome(NOON_MS, memory=HELD),
    AdhocRequest(chamber(60), "update-1", HELD),
]
CONVERTER = DataConverter.default.payload_converter
each = pytest.mark.parametrize("message", MESSAGES, ids=[type(message).__name__ for message in MESSAGES])


def encoded(message: object) -> bytes:
    return CONVERTER.to_payloads([message])[0].data


def decoded(data: dict[str, Any], into: type) -> Any:
    payload = CONVERTER.to_payloads([data])
    return CONVERTER.from_payloads(payload, [into])[0]


@each
def test_it_arrives_as_it_was_sent(message: Any) -> None:
    assert decoded(json.loads(encoded(message)), type(message)) == message


@each
def test_an_older_release_says_nothing_of_it(message: Any) -> None:
    row = json.loads(encoded(message))
    del row["memory"]
    assert decoded(row, type(message)) == replace(message, memory=None)


@each
def test_an_older_release_reads_what_it_knows(message: Any) -> None:
    """Its class is this one without the field."""
    known = [(f.name, f.type, field(default=None)) for f in fields(message) if f.name != "memory"]
    former = make_dataclass(type(message).__name__, known)
    old = decoded(json.loads(encoded(message)), former)
    kept = asdict(message)
    del kept["memory"]
    assert json.loads(encoded(old)) == json.loads(encoded(kept))


@each
def test_a_newer_release_may_remember_more(message: Any) -> None:
    row = json.loads(encoded(message))
    row["memory"]["dreams"] = [1]
    assert decoded(row, type(message)) == message


@each
def test_what_it_costs(message: Any) -> None:
    """A chamber whose profile remembers nothing pays 14 bytes a message; two remembered measurements take some 300."""
    without = len(encoded(replace(message, memory=None)))
    row = json.loads(encoded(replace(message, memory=None)))
    del row["memory"]
    assert without - len(encoded(row)) == len(b',"memory":null')
    assert len(encoded(message)) - without < 300
