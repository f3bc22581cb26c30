"""Any text, by a pattern."""

import time

import pytest

from collector.mapping.body_rules import BodyRules
from collector.mapping.loading import ProfileError, load_profile
from tests.unit.decoding import decoded, refused, unended

RULES = {"decoder": "text", "pattern": r"T=(?P<t>[0-9.]+)(?: H=(?P<h>[0-9]+))?"}


def test_named_groups_are_the_tree() -> None:
    found = decoded("Hello\r\nT=21.5 H=40 \u00b0", **RULES)
    assert found == {"t": "21.5", "h": "40"}
    assert unended(found) == ["21.5", "40"]
    assert decoded("T=21.5", **RULES) == {"t": "21.5"}


def test_an_end_makes_it_whole() -> None:
    found = decoded("T=21.5 H=40\r\n--\r\nend\r\n\x00", **RULES, ends_with="--\nend")
    assert found == {"t": "21.5", "h": "40"}
    assert unended(found) == []
    assert refused("T=21.5", **RULES, ends_with="--") == "truncated: the answer does not end with '--'"


def test_a_pattern_that_is_not_there() -> None:
    assert refused("H=40", **RULES) == "decode: the pattern is not found"
    assert refused("x" * 40_001, **RULES) == "decode: more than 40,000 characters"
    many = "(?P<x>.)" + "(.)?" * 19
    assert refused("x" * 8_001, decoder="text", pattern=many) == "decode: more than 8,000 characters"


@pytest.mark.parametrize("pattern", [r"(?P<x>(?:a|a|aa)*)+b", r"(?P<x>(a+)+)c", r"(?P<x>(.*)(.*)(.*)(.*)(.*))=[0-9]$"])
def test_a_pattern_that_explodes_is_stopped(pattern: str) -> None:
    began = time.process_time()
    problem = refused("a" * 26_000, decoder="text", pattern=pattern)
    assert time.process_time() - began < 2
    assert problem in ("decode: the pattern takes longer than 0.1 s", "decode: the pattern is not found")


@pytest.mark.parametrize(
    ("pattern", "problem"),
    [
        ("(a", "not a regular expression"),
        ("a", "the pattern has no named group"),
        ("(?P<x>a(?&x)?)", "the pattern calls itself"),
        ("(?P<x>a)(?R)?", "the pattern calls itself"),
        ("(?P<x>a)((?1))", "the pattern calls itself"),
    ],
)
def test_a_bad_pattern_is_refused_when_the_profile_is_read(pattern: str, problem: str) -> None:
    profile = (
        f"name: x\nbody:\n  decoder: text\n  pattern: '{pattern}'\nmeasurements: [{{name: t, select: t, unit: C}}]\n"
    )
    with pytest.raises(ProfileError) as caught:
        load_profile(profile, "x.yaml")
    assert (caught.value.key, caught.value.line) == ("body.pattern", 4)
    assert problem in caught.value.problem


@pytest.mark.parametrize(
    ("rules", "key"),
    [
        ("decoder: xml\n  elements: {a: .//b, c: /b}", "body.elements.c"),
        ("decoder: xml\n  elements: {a: .//b//c}", "body.elements.a"),
        ("decoder: xml\n  elements: {a: 'b['}", "body.elements.a"),
        ("decoder: xml\n  elements: {a: ''}", "body.elements.a"),
        ("decoder: xml\n  elements: {a: './/p:b'}", "body.elements.a"),
        ("decoder: csv\n  delimiter: '\"'", "body.delimiter"),
        ('decoder: key-value\n  between: "\\n"', "body.between"),
        ("decoder: key-value\n  pairs: '='", "body.between"),
        ('decoder: key-value\n  pairs: "a\\n"', "body.pairs"),
        ("decoder: json\n  pattern: a", "body.pattern"),
    ],
)
def test_options_that_cannot_work_are_refused(rules: str, key: str) -> None:
    with pytest.raises(ProfileError) as caught:
        load_profile(f"name: x\nbody:\n  {rules}\nmeasurements: [{{name: t, select: t, unit: C}}]\n", "x.yaml")
    assert caught.value.key == key


def test_a_decoder_alone_is_enough_where_it_needs_nothing() -> None:
    assert {BodyRules.model_validate({"decoder": kind}).decoder for kind in ("xml", "csv", "key-value")} == {
        "xml",
        "csv",
        "key-value",
    }
