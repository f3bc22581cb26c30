"""Prometheus' text format, and what devices take for it."""

import pytest

from tests.unit.decoding import decoded, refused, unended

RULES = {"decoder": "prometheus"}
OLD = """# HELP pm02 Particulate Matter PM2.5 value
# TYPE pm02 gauge
pm02{id="Airgradient"}6
# TYPE atmp gauge
atmp{id="Airgradient"}31.6
"""
NEW = """# HELP airgradient_info x
# TYPE airgradient_info info
airgradient_info{serial="84fc",model="I-9PSL \\"x\\""} 1
# TYPE airgradient_temperature_celsius gauge
# UNIT airgradient_temperature_celsius celsius
airgradient_temperature_celsius{channel="1"} 22.17
airgradient_temperature_celsius{channel="2"} 2.25e1 1700000000000
# TYPE boots counter
boots 7
nothing NaN
much +Inf
# EOF
"""


def test_the_classic_format() -> None:
    assert decoded(NEW, **RULES) == {
        "airgradient_info": [{"labels": {"serial": "84fc", "model": 'I-9PSL "x"'}, "value": 1.0}],
        "airgradient_temperature_celsius": [
            {"labels": {"channel": "1"}, "value": 22.17},
            {"labels": {"channel": "2"}, "value": 22.5},
        ],
        "boots": [{"labels": {}, "value": 7.0}],
        "nothing": [{"labels": {}, "value": "NaN"}],
        "much": [{"labels": {}, "value": "+Inf"}],
    }


def test_without_a_blank_before_the_value() -> None:
    assert decoded(OLD, **RULES) == {
        "pm02": [{"labels": {"id": "Airgradient"}, "value": 6.0}],
        "atmp": [{"labels": {"id": "Airgradient"}, "value": 31.6}],
    }


@pytest.mark.parametrize(
    ("body", "tree"),
    [
        ("t 21.5\r\n\x00", {"t": [{"labels": {}, "value": 21.5}]}),
        ("t\t21.5\n", {"t": [{"labels": {}, "value": 21.5}]}),
        ('t{a="x",} 1\n', {"t": [{"labels": {"a": "x"}, "value": 1.0}]}),
        ('t{a="} 2",b=" "}1\n', {"t": [{"labels": {"a": "} 2", "b": " "}, "value": 1.0}]}),
        ("t 1.\n", {"t": [{"labels": {}, "value": "1."}]}),
        ("t 1_0\n", {"t": [{"labels": {}, "value": "1_0"}]}),
        ("# only comments\n", {}),
    ],
)
def test_accepted(body: str, tree: object) -> None:
    assert decoded(body, **RULES) == tree


def test_what_may_be_cut() -> None:
    assert unended(decoded("t 21.5\nh 4", **RULES)) == ["4.0"]
    assert unended(decoded("t 21.5\nh 4", **RULES, ends_with="4")) == []
    assert unended(decoded("t 21.5\nh 40\n", **RULES)) == []
    assert unended(decoded("t 21.5\n# EO", **RULES)) == []


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ("", "decode: the answer is empty"),
        ("<html>\n", "decode: line 1 is no sample: '<html>'"),
        ("t 1\nt{a=\n", "decode: line 2 is no sample: 't{a='"),
        ("t 1\n\nt 1 rhum 38\n", "decode: line 3 is no sample: 't 1 rhum 38'"),
        ("t 3 16\n", "decode: line 1 is no sample: 't 3 16'"),
        ("t 1\nt 2\n", "decode: the sample 't' occurs twice, again in line 2"),
        ('t{a="1",b="2"} 1\nt{b="2",a="1"} 1\n', "decode: the sample 't' occurs twice, again in line 2"),
        ('t{a="1",a="2"}3\n', 'decode: line 1: the labels \'{a="1",a="2"}\' cannot be read'),
        ("t{a=x} 3\n", "decode: line 1: the labels '{a=x}' cannot be read"),
        ("5t 3\n", "decode: line 1: '5t' is no name of a metric"),
        ("t " + "1" * 5000 + "\n", "decode: line 1 is no sample: 't 11111111111111111111111111111111111111'"),
        ("t 1\n" * 20_001, "decode: more than 20,000 values"),
        ("".join(f"t{n} 1\n" for n in range(7000)), "decode: more than 20,000 values"),
    ],
)
def test_refused(body: str, problem: str) -> None:
    assert refused(body, **RULES) == problem
