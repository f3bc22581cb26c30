"""JSON, strictly."""

import pytest

from collector.domain.errors import MalformedAnswerError
from collector.mapping.body_rules import BodyRules
from collector.mapping.decode import DEPTH_LIMIT, decode
from tests.unit.decoding import decoded, refused

UTF8 = BodyRules()
OLD = BodyRules(charset=("utf-8", "iso-8859-1"))


@pytest.mark.parametrize(
    ("body", "tree"),
    [
        (b'{"a": 1}', {"a": 1}),
        (b"[]", []),
        (b'\xef\xbb\xbf{"a": 1}', {"a": 1}),
        (b'{"a": 1}\r\n\x00\x00', {"a": 1}),
        ('{"u": "°C"}'.encode(), {"u": "\u00b0C"}),
        (b'{"a": {"x": 1}, "b": {"x": 2}}', {"a": {"x": 1}, "b": {"x": 2}}),
        (b"[" * DEPTH_LIMIT + b"]" * DEPTH_LIMIT, None),
        (b"[" + b"[]," * 500 + b"[]]", [[]] * 501),
        (b"[" + b"1," * 19_998 + b"1]", [1] * 19_999),
        (b'{"a": NaN, "b": -Infinity, "c": Infinity}', {"a": "NaN", "b": "-Infinity", "c": "Infinity"}),
        (b'["' + b",[" * 30_000 + b'\\\\",1]', [",[" * 30_000 + "\\", 1]),
    ],
)
def test_accepted(body: bytes, tree: object) -> None:
    found = decode(UTF8, body)
    assert tree is None or found == tree


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (b"", "decode: the answer is empty"),
        (b"\x00\r\n", "decode: the answer is empty"),
        (b"<html>", "decode: not JSON: Expecting value at line 1 column 1"),
        (b'{"a": 1', "decode: not JSON"),
        (b'{"a": 1}{"a": 2}', "decode: not JSON: Extra data"),
        (b'{"a": 1,}', "decode: not JSON"),
        (b'{"a"\x00: 1}', "decode: not JSON"),
        (b'{"a": 1, "a": 2}', "decode: the key 'a' occurs twice"),
        (b'{"b": {"a": 1, "c": 0, "a": 1}}', "decode: the key 'a' occurs twice"),
        (b"23.5", "decode: a lone value"),
        (b'"ok"', "decode: a lone value"),
        (b"null", "decode: a lone value"),
        (b"[" * (DEPTH_LIMIT + 1) + b"]" * (DEPTH_LIMIT + 1), "decode: nested deeper than 64"),
        (b'{"a":' * 90 + b"1" + b"}" * 90, "decode: nested deeper than 64"),
        (b"[" * 19_000, "decode: nested deeper than 64"),
        (b"[" * 60_000, "decode: more than 20,000 values"),
        (b"[" + b"1," * 20_000 + b"1]", "decode: more than 20,000 values"),
        (b"[" + b"9" * 60_000 + b"]", "decode: Exceeds the limit"),
        (b'{"u": "\xb0C"}', "charset: not utf-8"),
    ],
)
def test_refused(body: bytes, problem: str) -> None:
    with pytest.raises(MalformedAnswerError) as caught:
        decode(UTF8, body)
    assert caught.value.detail.startswith(problem)
    assert len(caught.value.detail) <= 500
    assert caught.value.__cause__ is None


def test_second_charset_is_tried() -> None:
    assert decode(OLD, b'{"u": "\xb0C"}') == {"u": "\u00b0C"}
    assert decode(OLD, '{"u": "°C"}'.encode()) == {"u": "\u00b0C"}


# ---- charsets


@pytest.mark.parametrize(
    ("charset", "body", "text"),
    [
        ("iso-8859-1", b'["\xb0C"]', "\u00b0C"),
        ("iso-8859-2", b'["\xb5\xb0"]', "\u013e\u00b0"),
        ("windows-1250", b'["\x9e\xb0"]', "\u017e\u00b0"),
        ("windows-1252", b'["\x93\xb0\x94"]', "\u201c\u00b0\u201d"),
        ("us-ascii", b'["C"]', "C"),
        ("iso-8859-1", b'\xef\xbb\xbf["\xc2\xb0C"]', "\u00b0C"),
    ],
)
def test_charsets(charset: str, body: bytes, text: str) -> None:
    assert decoded(body, charset=[charset]) == [text]


def test_no_charset_fits() -> None:
    assert refused(b'["\xb0"]', charset=["us-ascii", "utf-8"]) == "charset: not us-ascii or utf-8"


# ---- a table whose column names stand once

TABLE = {"columns": {"names": "fields", "rows": "data"}}


def test_columns_become_objects_and_the_rest_stays() -> None:
    tree = decoded('{"v": 7, "fields": ["id", "t"], "data": [[1, 20.5], [2, null]]}', **TABLE)
    assert tree == {"v": 7, "fields": ["id", "t"], "data": [{"id": 1, "t": 20.5}, {"id": 2, "t": None}]}


def test_without_both_keys_it_is_another_answer() -> None:
    assert decoded('{"error": "no key"}', **TABLE) == {"error": "no key"}
    assert decoded('{"fields": ["id"]}', **TABLE) == {"fields": ["id"]}
    assert decoded("[1]", **TABLE) == [1]


@pytest.mark.parametrize(
    ("names", "rows", "problem"),
    [
        ('["a", 1]', "[]", "columns: 'fields' is not a list of names"),
        ('"a"', "[]", "columns: 'fields' is not a list of names"),
        ('["a", "a"]', "[]", "the key 'a' occurs twice in one object"),
        ('["a"]', "{}", "columns: 'data' is not a list of rows"),
        ('["a"]', "[[1], [1, 2]]", "columns: row 1 has not 1 cells"),
        ('["a"]', "[1]", "columns: row 0 has not 1 cells"),
    ],
)
def test_columns_that_do_not_fit(names: str, rows: str, problem: str) -> None:
    assert refused(f'{{"fields": {names}, "data": {rows}}}', **TABLE) == f"decode: {problem}"


# ---- ends


@pytest.mark.parametrize("body", ['{"a": 1}#', '{"a": 1} # \r\n\x00\x00', "{}\r\n#"])
def test_an_end_that_the_profile_demands(body: str) -> None:
    assert refused(body[:-3], ends_with="#END") == "truncated: the answer does not end with '#END'"


def test_json_that_ends_as_demanded() -> None:
    assert decoded('{"a": 1}\r\n\x00', ends_with="}") == {"a": 1}
    assert decoded('{"a": 1}\r\n\x00', ends_with="\n") == {"a": 1}
    assert refused('{"a": 1}', ends_with="\n") == "truncated: the answer does not end with '\\n'"
