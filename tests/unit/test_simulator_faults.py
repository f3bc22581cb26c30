import json
from pathlib import Path
from typing import Any

import pytest

from simulator.dialects import DIALECTS, Dialect, Moment
from simulator.dialects.marks import marks
from simulator.faults import CONTENT, KINDS, Fault, FaultError, Telling, fault_document, make_fault, parse_fault
from simulator.replay import Sample
from tests.unit.simulator_page import dialect_rows, fault_rows

SAMPLE = Sample(21.534, 44.06, 611.7, 1013.24)


@pytest.mark.parametrize(
    ("document", "fault"),
    [
        ({"kind": "down"}, Fault("down")),
        ({"kind": "down", "for_s": 20}, Fault("down", for_s=20)),
        ({"kind": "slow"}, Fault("slow", seconds=3)),
        ({"kind": "slow", "seconds": 0.25}, Fault("slow", seconds=0.25)),
        ({"kind": "drip"}, Fault("drip", seconds=0.5)),
        ({"kind": "status"}, Fault("status", code=500)),
        ({"kind": "status", "code": 401}, Fault("status", code=401)),
        ({"kind": "wrong-type", "form": "text"}, Fault("wrong-type", form="text")),
        ({"kind": "garbage", "for_s": None}, Fault("garbage")),
    ],
)
def test_a_fault_is_read_and_shown_again(document: dict[str, object], fault: Fault) -> None:
    assert parse_fault(document) == fault
    assert parse_fault(fault_document(fault)) == fault


@pytest.mark.parametrize(
    ("document", "field", "remedy"),
    [
        (None, "body", "send"),
        ([], "body", "send"),
        ({}, "kind", "use one of down, slow"),
        ({"kind": "dawn"}, "kind", "use one of down, slow"),
        ({"kind": ["down"]}, "kind", "use one of"),
        ({"kind": "down", "seconds": 3}, "seconds", "use kind, for_s"),
        ({"kind": "slow", "seconds": "3"}, "seconds", "give 0 to 3600"),
        ({"kind": "slow", "seconds": True}, "seconds", "give 0 to 3600"),
        ({"kind": "slow", "seconds": -1}, "seconds", "give 0 to 3600"),
        ({"kind": "slow", "seconds": float("nan")}, "seconds", "give 0 to 3600"),
        ({"kind": "status", "code": 200}, "code", "give 400 to 599"),
        ({"kind": "status", "code": 404.5}, "code", "whole"),
        ({"kind": "wrong-type", "form": "xml"}, "form", "use one of html, text"),
        ({"kind": "down", "for_s": 0}, "for_s", "give 0.001 to 86400"),
    ],
)
def test_what_is_no_fault_names_field_and_remedy(document: object, field: str, remedy: str) -> None:
    with pytest.raises(FaultError) as caught:
        parse_fault(document)
    assert caught.value.field == field
    assert remedy in str(caught.value)


# ---- what each fault of content makes of an answer

PLAIN = '{"temperature": 21.53, "humidity": 44.1, "co2": 612, "pressure": 1013.2, "serial": 17}'


def told(kind: str, dialect: str = "generic-json", **fields: float | str) -> str:
    speaking = DIALECTS[dialect]
    moment = Moment("sim-01", SAMPLE, 17, zone=speaking.zone, asked=speaking.query)
    answer = CONTENT[kind].play(Telling(speaking, moment, make_fault(kind, **fields)))
    return answer.body.decode("latin-1")


@pytest.mark.parametrize(
    ("fault", "before", "after"),
    [
        ({"kind": "null"}, "21.53", "null"),
        ({"kind": "word", "word": "Error 2"}, "21.53", '"Error 2"'),
        ({"kind": "nan-literal"}, "21.53", "NaN"),
        ({"kind": "sentinel", "value": -999}, "21.53", "-999"),
        ({"kind": "jump", "value": 10}, "21.53", "31.53"),
        ({"kind": "channel-renamed"}, '"temperature"', '"txemperature"'),
        ({"kind": "duplicate-keys"}, '"temperature": 21.53', '"temperature": 21.53, "temperature": 99'),
        ({"kind": "bom"}, "{", "\xef\xbb\xbf{"),
        ({"kind": "nul"}, "}", "}\x00"),
        ({"kind": "latin-1"}, "21.53", '"21.53 \xb0C"'),
        ({"kind": "torn-row"}, '1.53, "humidity": 44.1, "co2": 612, "pressure": 1013.2, "serial": 17}', ""),
    ],
    ids=lambda value: str(value["kind"]) if isinstance(value, dict) else "",
)
def test_a_fault_changes_one_thing(fault: dict[str, Any], before: str, after: str) -> None:
    assert told(**fault) == PLAIN.replace(before, after, 1)


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("text-numbers", ["21.53", "44.1", "612", "1013.2"]),
        ("decimal-comma", ["21,53", "44,1", "612", "1013,2"]),
        ("glued-unit", ["21.53 \xc2\xb0C", "44.1 %", "612 ppm", "1013.2 hPa"]),
        ("all-zero", [0, 0, 0, 0]),
        ("extra-digits", [21.530371, 44.10371, 612.0371, 1013.20371]),
    ],
)
def test_a_fault_changes_every_value_and_not_the_serial_number(kind: str, values: list[object]) -> None:
    document = json.loads(told(kind))
    assert list(document.values()) == [*values, 17]


def test_a_fault_of_all_values_leaves_the_clock_alone() -> None:
    document = json.loads(told("null", "awair", form="all"))
    assert document["timestamp"] == "2026-09-21T14:13:20.000Z"
    assert [document["temp"], document["co2"], document["score"]] == [None, None, 94]


@pytest.mark.parametrize(
    ("kind", "dialect", "said"),
    [
        ("naive-time", "awair", '"2026-09-21T14:13:20.000"'),
        ("naive-time", "home-assistant", '"2026-09-21T14:13:20.000000"'),
        ("milliseconds", "shelly-rpc", '"unixtime": 1790000000000'),
        ("dst-gap", "tasmota", '"2026-03-29T02:30:00"'),
        ("dst-gap", "comet-web-sensor", '"02:30:00 2026-03-29"'),
        ("keys-missing", "generic-json", '{"serial": 17}'),
        ("refusal", "daikin", "ret=PARAM NG"),
        ("refusal", "memmert-atmoweb", '"Temp1Read": "PermissionDenied",'),
        ("null", "generic-csv", "\n17,,44.1,"),
        ("null", "papouch-tme", 'val=""'),
        ("glued-unit", "ecowitt", '"inhumi": "44 %"'),
        ("key-order", "generic-csv", "pressure,co2,humidity,temperature,serial\n1013.2,612,44.1,21.53,17\n"),
        ("key-order", "daikin", "cmpfreq=17,err=0,otemp=12.5,hhum=-,htemp=21.5,ret=OK"),
    ],
)
def test_a_fault_speaks_the_device_s_own_dialect(kind: str, dialect: str, said: str) -> None:
    assert said in told(kind, dialect)


def test_a_dialect_without_a_refusal_says_so() -> None:
    with pytest.raises(FaultError, match="generic-json has no answer of that kind; use status with code 403"):
        told("refusal")


@pytest.mark.parametrize("kind", list(KINDS))
def test_every_kind_is_told_and_read_again(kind: str) -> None:
    assert parse_fault(fault_document(make_fault(kind))) == make_fault(kind)
    assert KINDS[kind].about


@pytest.mark.parametrize("dialect", DIALECTS.values(), ids=lambda dialect: str(dialect.name))
def test_words_stand_where_measured_numbers_belong(dialect: Dialect) -> None:
    usual = marks(dialect.write(Moment("sim-01", SAMPLE, 17, zone=dialect.zone, asked=dialect.query)))
    measured = [mark for mark in usual if mark.quantity != "time"]
    assert told("wrong-type", dialect.name, form="text").count("warm") == len(measured) > 0


def test_the_page_shows_every_fault_and_every_dialect() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "simulator.md").read_text(encoding="utf-8")
    assert fault_rows() in page
    assert dialect_rows() in page
