"""`"key": value,` without braces."""

import pytest

from collector.mapping.decode import DEPTH_LIMIT
from tests.unit.decoding import decoded, refused

RULES = {"decoder": "json-fragment", "charset": ["utf-8", "windows-1252"]}
WHOLE = '"Temp1Read": 28.75,\r\n"HumRead": 40,\r\n"O2Read": N/A,\r\n"CurOp": "Manual",\r\n"SN": "B123.4567",\r\n'


def test_the_lines_of_a_memmert() -> None:
    assert decoded(WHOLE, **RULES) == {
        "Temp1Read": 28.75,
        "HumRead": 40,
        "O2Read": "N/A",
        "CurOp": "Manual",
        "SN": "B123.4567",
    }


@pytest.mark.parametrize(
    ("body", "tree"),
    [
        ('"a": 1,', {"a": 1}),
        ('"a":1,"b":2 , \n\x00', {"a": 1, "b": 2}),
        ("a: 1,", {"a": 1}),
        ('"r": {min: 18.0, max: 50.0},\n"s": {"min" : 1,},', {"r": {"min": 18.0, "max": 50.0}, "s": {"min": 1}}),
        ("a: [1, [N/A], {b: true}, null,],", {"a": [1, ["N/A"], {"b": True}, None]}),
        ("\u201ca\u201d: \u201cx y\u201d,", {"a": "x y"}),
        ('\u201eTemp1Read": 28.7,', {"Temp1Read": 28.7}),
        ('"a": PermissionDenied,', {"a": "PermissionDenied"}),
        ('"a": 10:30:00 2025-10-26,', {"a": "10:30:00 2025-10-26"}),
        ('"a": NaN, "b": -Infinity,', {"a": "NaN", "b": "-Infinity"}),
        ('"a": 007, "b": +5, "c": 1., "d": -0.5, "e": 1e2,', {"a": "007", "b": "+5", "c": "1.", "d": -0.5, "e": 100.0}),
        ('"a": "x\\"y\\u00b0", "b\\n": 1,', {"a": 'x"y\u00b0', "b\n": 1}),
        ('{"a": 28.7}', {"a": 28.7}),
        (' {"a": 28.7,},\n', {"a": 28.7}),
    ],
)
def test_accepted(body: str, tree: object) -> None:
    assert decoded(body, **RULES) == tree


def test_curly_quotes_in_one_byte() -> None:
    assert decoded(b"\x93Temp1Read\x94: 28.7,", **RULES) == {"Temp1Read": 28.7}


def test_no_beginning_of_it_is_whole_where_a_number_is_cut() -> None:
    """Only a cut after a comma is a whole fragment, and then each pair of it is as it was sent."""
    whole = decoded(WHOLE, **RULES)
    accepted = 0
    for cut in range(1, len(WHOLE)):
        if WHOLE[:cut].rstrip().endswith(","):
            assert decoded(WHOLE[:cut], **RULES).items() <= whole.items()
            accepted += 1
        else:
            refused(WHOLE[:cut], **RULES)
    assert accepted == 14


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ("", "decode: the answer is empty"),
        ('"Temp1Read": 28.7', "truncated: the answer ends after 'Temp1Read' without a comma"),
        ('"Temp1Read": 2\r\n', "truncated: the answer ends after 'Temp1Read' without a comma"),
        ('"Temp1Read":', "truncated: the answer ends where a value should stand"),
        ('"Temp1Read"', "truncated: the answer ends where a colon should stand"),
        ('"r": {min: 1', "truncated: the answer ends after 'min' without a comma"),
        ('"r": {min: 1,', "truncated: the answer ends where a key should stand"),
        ('"r": {min: 1}', "truncated: the answer ends after 'r' without a comma"),
        ('{"a": 28.7', "truncated: the answer ends after 'a' without a comma"),
        ('{"a": 28.7} "b": 1,', "decode: '\"b\": 1,' at line 1 column 13 instead of nothing more"),
        ('"a": 1\n"b": 2,', "decode: '\"b\": 2,' at line 2 column 1 instead of a comma after 'a'"),
        ('"a": 1, "a": 2,', "decode: the key 'a' occurs twice in one object"),
        ('"r": {a: 1, a: 2},', "decode: the key 'a' occurs twice in one object"),
        ('"a": 1,,', "decode: ',' at line 1 column 8 instead of a key"),
        ('"a": 28,7,', "decode: '7,' at line 1 column 9 instead of a key"),
        ('"a": ,', "decode: ',' at line 1 column 6 instead of a value"),
        ('"a": "x\ny",', "decode: '\"x\\ny\",' at line 1 column 6 instead of a value"),
        ('"a": "\\q",', "decode: a wrong escape before line 1 column 10"),
        ("<html>", "decode: '<html>' at line 1 column 1 instead of a key"),
        ("[1]", "decode: '[1]' at line 1 column 1 instead of a key"),
        ("28.7,", "decode: '28.7,' at line 1 column 1 instead of a key"),
        ('"a": 1}', "decode: '}' at line 1 column 7 instead of a comma after 'a'"),
        ("a: [" * DEPTH_LIMIT, "decode: '[a: [a: [a: [a: [a: ' at line 1 column 5 instead of a key"),
        ("a: {" * DEPTH_LIMIT, "decode: nested deeper than 64 levels"),
        ("a: " + "[" * DEPTH_LIMIT, "decode: nested deeper than 64 levels"),
        ("a: [" + "1," * 20_000 + "],", "decode: more than 20,000 values"),
    ],
)
def test_refused(body: str, problem: str) -> None:
    if "[a: [a" not in problem:
        assert refused(body, **RULES) == problem
    else:
        assert refused(body, **RULES).startswith("decode: ")


def test_long_digits_stay_a_text() -> None:
    digits = "9" * 50_000
    assert decoded(f'"a": {digits},', **RULES) == {"a": digits}
