import json

import pytest

from simulator.dialects import DIALECTS, Dialect
from simulator.faults import Fault, FaultError, fault_document, parse_fault
from simulator.replay import Sample

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


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: str(dialect.name))
def test_an_answer_carries_its_serial_number_as_a_number(dialect: Dialect) -> None:
    for answer in (dialect.answer("sim-01", SAMPLE, 17), dialect.answer_in_texts("sim-01", SAMPLE, 17)):
        document = json.loads(answer.body)
        assert document.get("serial", document.get("boot")) == 17
        assert answer.content_type == "application/json"


def test_generic_json_answers_as_documented() -> None:
    document = json.loads(DIALECTS[1].answer("sim-02", SAMPLE, 17).body)
    assert document == {"temperature": 21.53, "humidity": 44.1, "co2": 612, "pressure": 1013.2, "serial": 17}


def test_airgradient_answers_with_the_keys_of_the_device() -> None:
    document = json.loads(DIALECTS[0].answer("sim-01", SAMPLE, 17).body)
    assert set(document) == {
        *("wifi", "serialno", "rco2", "pm01", "pm02", "pm10", "pm003Count", "tvocIndex", "noxIndex", "atmp", "rhum"),
        *("atmpCompensated", "rhumCompensated", "boot", "bootCount", "firmware", "model"),
    }
    assert (document["rco2"], document["atmp"], document["bootCount"]) == (612, 21.53, 17)
    other = json.loads(DIALECTS[0].answer("sim-03", SAMPLE, 17).body)
    assert other["serialno"] != document["serialno"]


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: str(dialect.name))
def test_words_stand_where_measured_numbers_belong(dialect: Dialect) -> None:
    right = json.loads(dialect.answer("sim-01", SAMPLE, 17).body)
    wrong = json.loads(dialect.answer_in_texts("sim-01", SAMPLE, 17).body)
    changed = {key for key in right if wrong[key] != right[key]}
    assert set(wrong) == set(right)
    assert changed == {
        k for k, v in right.items() if isinstance(v, int | float) and k not in ("serial", "boot", "bootCount")
    }
