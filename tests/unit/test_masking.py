"""Whole answers without secrets: what looks like one is masked wherever it stands, and what is left still maps."""

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.mapping.masking import masked

SECRET = "geheim 1"


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        ('{"t": 1, "wifi_password": "a\\"b", "u": 2}', '{"t": 1, "wifi_password": "***", "u": 2}'),
        (
            '{"wpa_key": "a", "Cookie": "b", "jwt": "c", "heslo": "d", "t": 1}',
            '{"wpa_key": "***", "Cookie": "***", "jwt": "***", "heslo": "***", "t": 1}',
        ),
        ("<wpakey>a</wpakey><private-key>b</private-key>", "<wpakey>***</wpakey><private-key>***</private-key>"),
        ('<param name="password">a b</param><t>1</t>', '<param name="password">***</param><t>1</t>'),
        ('{"apiKey":123,"t":1}', '{"apiKey":"***","t":1}'),
        ('{"tokens": ["a", ["b}"]], "t": 1}', '{"tokens": "***", "t": 1}'),
        ('{"auth": {"user": "x", "k": "}"}, "t": 1}', '{"auth": "***", "t": 1}'),
        ('{"ssid": null, "auth": false, "pass": "", "t": 1}', '{"ssid": null, "auth": false, "pass": "", "t": 1}'),
        ('{"msg": "token=abc", "t": 1}', '{"msg": "token=***", "t": 1}'),
        ("ssid=home,t=1", "ssid=***,t=1"),
        ("Authorization: Bearer abc.def\r\nt: 1", "Authorization: Bearer ***\r\nt: 1"),
        ("<net><ssid>home sweet</ssid><t>1</t></net>", "<net><ssid>***</ssid><t>1</t></net>"),
        ('<net ssid="home sweet" t="1"/>', '<net ssid="***" t="1"/>'),
        ('info{ssid="home",t="1"} 3', 'info{ssid="***",t="1"} 3'),
        ('<input name="password" type="text" value="abc"> 1', '<input name="password" type="text" value="***"> 1'),
        ('{"name": "mqtt_password", "value": "abc"}', '{"name": "mqtt_password", "value": "***"}'),
        ("url: http://me:pw@host/x", "url: http://***@host/x"),
        ('{"said": "password=\\"x y\\", t=1"}', '{"said": "password=\\"***\\", t=1"}'),
        ('{"said": "{\\"password\\": \\"x\\", \\"t\\": 1}"}', '{"said": "{\\"password\\": \\"***\\", \\"t\\": 1}"}'),
        ("var password = 'abc';", "var password = '***';"),
        ('{"password": "never ends', '{"password": "***"'),
        ("nothing to hide: 21.5 °C", "nothing to hide: 21.5 °C"),
    ],
)
def test_values_behind_names_are_masked(body: str, shown: str) -> None:
    assert masked(body.encode()).decode() == shown
    assert masked(masked(body.encode())) == masked(body.encode())


@pytest.mark.parametrize(
    "form",
    [
        SECRET,
        f"me:{SECRET}",
        "geheim%201",
        base64.b64encode(f"me:{SECRET}".encode()).decode(),
    ],
)
def test_the_chambers_own_secret_is_blanked_in_every_form(form: str) -> None:
    shown = masked(f'{{"said": "x{form}y", "t": 1}}'.encode(), f"me:{SECRET}")
    assert b"geheim" not in shown
    assert json.loads(shown)["t"] == 1


def test_a_short_secret_is_blanked_where_it_stands_alone() -> None:
    assert masked(b'{"pin": "12", "t": 112.5, "u": "a12"}', "12") == b'{"pin": "***", "t": 112.5, "u": "a12"}'


def test_numbers_may_be_left_because_they_may_be_measured() -> None:
    body = b'{"pass_count": 7, "password": "x", "auth_level": -1.5e3}'
    assert masked(body, numbers=False) == b'{"pass_count": 7, "password": "***", "auth_level": -1.5e3}'


def test_bytes_that_are_no_text_come_back_as_they_were() -> None:
    body = bytes(range(256)) + b'"password": "x"'
    assert masked(body) == bytes(range(256)) + b'"password": "***"'


def nested(tree: Any) -> str:
    return json.dumps({"password": tree, "t": 1})


NAMES = st.sampled_from(["t", "password", "ssid", "wifi-psk", "api_key", "note", "AUTH"])
TREES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=12) | st.text(max_size=5).map(nested),
    lambda part: st.lists(part, max_size=3) | st.dictionaries(NAMES | st.text(max_size=5), part, max_size=4),
    max_leaves=12,
)


@given(tree=st.dictionaries(NAMES, TREES, max_size=5), ascii_only=st.booleans(), indent=st.sampled_from([None, 2]))
def test_masked_json_is_json_with_the_same_names(tree: Any, ascii_only: bool, indent: int | None) -> None:
    body = json.dumps({**tree, "measured": 21.5}, ensure_ascii=ascii_only, indent=indent).encode()
    shown = json.loads(masked(body))
    assert list(shown) == [*dict.fromkeys([*tree, "measured"])]
    assert shown["measured"] == 21.5


@given(st.binary(max_size=300))
def test_anything_can_be_masked(body: bytes) -> None:
    assert b"abcd" not in masked(body, "abcd")
