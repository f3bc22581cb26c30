"""Excerpts for people."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.mapping.excerpt import EXCERPT_LIMIT, excerpt


@pytest.mark.parametrize(
    "answer",
    [
        '{"wifi_password": "hush\\" hush", "b": 1}',
        '{"WifiPassword": "hush',
        '{"token": ["hush", "hush"], "b": 1}',
        "Authorization: Basic hush",
        "a=1&api_key=hush&c=2",
        "<td>password: hush</td>",
        '{"psk": hush}',
        "see http://admin:hush@192.0.2.7/",
        b'{"secret": "hush", "x": "\xff"}',
    ],
)
def test_secrets_are_hidden(answer: bytes | str) -> None:
    shown = excerpt(answer)
    assert "hush" not in shown
    assert "***" in shown


def test_other_values_stay() -> None:
    assert excerpt('{"temp": "Error 2"}') == """'{"temp": "Error 2"}'"""


@given(st.binary(max_size=700) | st.text(max_size=700))
def test_short_printable_ascii(answer: bytes | str) -> None:
    shown = excerpt(answer)
    assert len(shown) <= EXCERPT_LIMIT
    assert shown.isascii()
    assert shown.isprintable()
