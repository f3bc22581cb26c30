"""Strict decoding."""

import pytest

from collector.domain.errors import MalformedAnswerError
from collector.mapping.body_rules import BodyRules
from collector.mapping.decode import DEPTH_LIMIT, decode

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
        (b'{"a": NaN}', "decode: NaN is not JSON"),
        (b'{"a": -Infinity}', "decode: -Infinity is not JSON"),
        (b"23.5", "decode: a lone value"),
        (b'"ok"', "decode: a lone value"),
        (b"null", "decode: a lone value"),
        (b"[" * (DEPTH_LIMIT + 1) + b"]" * (DEPTH_LIMIT + 1), "decode: nested deeper than 64"),
        (b'{"a":' * 90 + b"1" + b"}" * 90, "decode: nested deeper than 64"),
        (b"[" * 60_000, "decode: nested deeper than 64"),
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
