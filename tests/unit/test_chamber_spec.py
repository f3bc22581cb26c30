"""Specs that cannot work: each wrong field is named, with the remedy; right ones at the limits pass."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.domain.chamber import ChamberSpec, check_spec, default_timeout_ms
from collector.domain.errors import InvalidFieldError

GOOD = ChamberSpec(
    id="incubator-3",
    organization="default",
    section="default",
    url="http://192.168.1.20/measures/current",
    profile="airgradient",
    interval_ms=60_000,
    timeout_ms=10_000,
)
URL_REMEDY = "http://192.168.1.20"

WRONG: list[tuple[dict[str, Any], str, str]] = [
    ({"id": ""}, "id", "1 to 63"),
    ({"id": "a" * 64}, "id", "1 to 63"),
    ({"id": "Incubator"}, "id", "a-z"),
    ({"id": "-a"}, "id", "beginning with a letter or digit"),
    ({"id": "a\n"}, "id", "a-z"),
    ({"id": "a/b"}, "id", "a-z"),
    ({"id": "ä"}, "id", "a-z"),
    ({"url": ""}, "url", URL_REMEDY),
    ({"url": "192.168.1.20"}, "url", URL_REMEDY),
    ({"url": "ftp://192.168.1.20"}, "url", URL_REMEDY),
    ({"url": "http://"}, "url", URL_REMEDY),
    ({"url": "http:///measures"}, "url", URL_REMEDY),
    ({"url": "http://[::1"}, "url", URL_REMEDY),
    ({"url": "http://host:abc"}, "url", URL_REMEDY),
    ({"url": "http://host:0"}, "url", URL_REMEDY),
    ({"url": "http://host:65536"}, "url", URL_REMEDY),
    ({"url": "http://host/a b"}, "url", URL_REMEDY),
    ({"url": "http://host/\n"}, "url", URL_REMEDY),
    ({"url": "http://host/\ud800"}, "url", URL_REMEDY),
    ({"url": "http://host/" + "a" * 1_989}, "url", URL_REMEDY),
    ({"url": "http://lab:secret@host"}, "url", "secret_ref"),
    ({"url": "http://lab@host"}, "url", "secret_ref"),
    ({"interval_ms": 999}, "interval_s", "1 to 86400"),
    ({"interval_ms": 0}, "interval_s", "1 to 86400"),
    ({"interval_ms": -60_000}, "interval_s", "1 to 86400"),
    ({"interval_ms": 86_400_001}, "interval_s", "1 to 86400"),
    ({"timeout_ms": 99}, "timeout_s", "0.1 seconds up to the interval"),
    ({"timeout_ms": 60_001}, "timeout_s", "0.1 seconds up to the interval"),
    ({"round_span_ms": 999}, "round_span_s", "leave it out"),
    ({"round_span_ms": 0}, "round_span_s", "leave it out"),
    ({"round_span_ms": 3_600_001}, "round_span_s", "leave it out"),
    ({"secret_ref": ""}, "secret_ref", "env:NAME"),
    ({"secret_ref": "hunter2"}, "secret_ref", "never the secret"),
    ({"secret_ref": "env:1A"}, "secret_ref", "env:NAME"),
    ({"secret_ref": "env:A-B"}, "secret_ref", "env:NAME"),
    ({"secret_ref": "file:relative"}, "secret_ref", "absolute"),
    ({"secret_ref": "file:/a b"}, "secret_ref", "absolute"),
    ({"secret_ref": "file:/a\x00b"}, "secret_ref", "absolute"),
    ({"secret_ref": "file:/" + "a" * 1_000}, "secret_ref", "absolute"),
    ({"name": "x" * 201}, "name", "shorten"),
    ({"name": "a\x00b"}, "name", "remove it"),
    ({"labels": {f"k{n}": "" for n in range(17)}}, "labels", "fewer"),
    ({"labels": {"k" * 201: ""}}, "labels", "shorter"),
    ({"labels": {"k": "v" * 201}}, "labels", "shorter"),
    ({"labels": {"k": "\x00"}}, "labels", "remove it"),
    ({"timezone": "Prague"}, "timezone", "Europe/Prague"),
    ({"timezone": "europe/prague"}, "timezone", "capitals"),
    ({"timezone": "+01:00"}, "timezone", "Europe/Prague"),
    ({"timezone": "../etc/passwd"}, "timezone", "leave it out"),
    ({"serial_number": " "}, "serial_number", "as the device itself names it"),
    ({"serial_number": "a\nb"}, "serial_number", "as the device itself names it"),
    ({"serial_number": "7" * 101}, "serial_number", "leave it out"),
]


@pytest.mark.parametrize(("change", "field", "remedy"), WRONG, ids=[f"{f}-{n}" for n, (_, f, _) in enumerate(WRONG)])
def test_a_wrong_spec_names_field_and_remedy(change: dict[str, Any], field: str, remedy: str) -> None:
    with pytest.raises(InvalidFieldError) as caught:
        check_spec(replace(GOOD, **change))
    assert caught.value.field == field
    assert remedy in caught.value.remedy
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize("text", ["hunter2", "sk-live-0123456789"])
def test_a_secret_by_mistake_is_not_repeated(text: str) -> None:
    with pytest.raises(InvalidFieldError) as caught:
        check_spec(replace(GOOD, secret_ref=text))
    assert text not in str(caught.value)
    with pytest.raises(InvalidFieldError) as caught:
        check_spec(replace(GOOD, url=f"http://lab:{text}@host"))
    assert text not in str(caught.value)


RIGHT: list[dict[str, Any]] = [
    {"id": "a"},
    {"id": "0-" + "z" * 61},
    {"url": "https://chamber.example:8443/api?x=1"},
    {"url": "http://[fd00::20]:65535/"},
    {"url": "HTTP://host"},
    {"url": "http://host/" + "a" * 1_988},
    {"interval_ms": 1_000, "timeout_ms": 1_000},
    {"interval_ms": 1_000, "timeout_ms": 100},
    {"interval_ms": 86_400_000, "timeout_ms": 86_400_000},
    {"round_span_ms": 1_000},
    {"round_span_ms": 3_600_000},
    {"secret_ref": "env:LAB3_TOKEN"},
    {"secret_ref": "file:/run/secrets/lab3"},
    {"name": "x" * 200},
    {"timezone": "Europe/Prague"},
    {"timezone": "UTC"},
    {"timezone": "", "serial_number": ""},
    {"serial_number": "7" * 100},
    {"serial_number": "Nº 17/b"},
    {"labels": {f"{n:0200}": "v" * 200 for n in range(16)}},
]


@pytest.mark.parametrize("change", RIGHT, ids=range(len(RIGHT)))
def test_what_can_work_passes_at_the_limits(change: dict[str, Any]) -> None:
    check_spec(replace(GOOD, **change))


@given(st.text(), st.text(), st.text(), st.one_of(st.none(), st.text()))
@settings(deadline=None)
def test_any_text_passes_or_names_its_field(chamber_id: str, url: str, name: str, secret: str | None) -> None:
    fields = []
    try:
        check_spec(replace(GOOD, id=chamber_id, url=url, name=name, secret_ref=secret))
    except InvalidFieldError as error:
        fields = [error.field]
    assert set(fields) <= {"id", "url", "name", "secret_ref"}


@given(st.integers(1_000, 86_400_000))
@settings(deadline=None)
def test_the_default_timeout_is_always_allowed(interval_ms: int) -> None:
    timeout_ms = default_timeout_ms(interval_ms)
    assert timeout_ms == min(10_000, interval_ms // 2)
    check_spec(replace(GOOD, interval_ms=interval_ms, timeout_ms=timeout_ms))
