"""Faults of content: an answer that is good HTTP and no good reading.

Each is a function from the device's dialect and what it knows to its answer.
"""

import re
from collections.abc import Callable
from dataclasses import replace

from simulator.dialects import Answer
from simulator.dialects.marks import Fill, Mark, Token, as_sent, glued
from simulator.faults.fault import FaultError, Kind
from simulator.faults.structure import STRUCTURE
from simulator.faults.telling import Content, Telling

WRONG_TEXT = "warm"
LOGIN_PAGE = Answer(b"<!doctype html><title>Sign in</title><form method=post><input name=user></form>", "text/html")
PORTAL_PAGE = Answer(
    b"<!doctype html><title>Guest network</title><p>Accept the terms to use the network.</p>", "text/html"
)
TRACEBACK = (
    b"Traceback (most recent call last):\n"
    b'  File "app.py", line 217, in read_loop\n    value = loop.read()\nValueError: not ready\n'
)
ONE_OR_ALL = ("one", "all")


def _fixed(answer: Answer) -> Content:
    return lambda _: answer


def _body(text: bytes) -> Content:
    """The device's own head over another body."""
    return lambda telling: replace(telling.usual, body=text)


# ---- statuses


def _status(telling: Telling) -> Answer:
    code = telling.fault.code
    return Answer(f"{code}\n".encode(), "text/plain", code)


def _too_many(telling: Telling) -> Answer:
    return Answer(b"slow down\n", "text/plain", 429, (f"Retry-After: {telling.fault.seconds:g}",))


def _wrong_type(telling: Telling) -> Answer:
    return LOGIN_PAGE if telling.fault.form == "html" else telling.filled(lambda _: Token(WRONG_TEXT), always=True)


def _refusal(telling: Telling) -> Answer:
    refusal = telling.dialect.refusal
    if refusal is None:
        raise FaultError("kind", f"{telling.dialect.name} has no answer of that kind", "use status with code 403")
    return telling.dialect.finished(refusal(telling.moment))


# ---- values


def _null(mark: Mark) -> Token:
    return mark.nothing()


def _text_number(mark: Mark) -> Token:
    return Token(mark.value + mark.glued)


def _not_a_number(_: Mark) -> Token:
    return Token("NaN", literal=True)


def _zero(mark: Mark) -> Token:
    return mark.like("0")


def _comma(mark: Mark) -> Token:
    return Token(mark.value.replace(".", ",") + mark.glued)


def _extra_digits(mark: Mark) -> Token:
    return mark.like(f"{mark.value}0371" if "." in mark.value else f"{mark.value}.0371")


def _all(fill: Fill) -> Content:
    return lambda telling: telling.filled(fill, always=True)


def _some(fill: Fill) -> Content:
    return lambda telling: telling.filled(fill)


def _word(telling: Telling) -> Answer:
    return telling.filled(lambda _: Token(telling.fault.word))


def _sentinel(telling: Telling) -> Answer:
    return telling.filled(lambda mark: mark.like(f"{telling.fault.value:g}"))


def _jump(telling: Telling) -> Answer:
    return telling.filled(lambda mark: mark.like(f"{float(mark.value) + telling.fault.value:g}"))


# ---- time as it is written


def _timed(change: Callable[[str], str]) -> Content:
    def fill(mark: Mark) -> Token:
        return mark.like(change(mark.value)) if mark.quantity == "time" else as_sent(mark)

    return lambda telling: telling.dialect.answer(telling.moment, fill)


def _without_zone(time: str) -> str:
    return re.sub(r"([zZ]|[+-]\d\d:?\d\d)$", "", time)


def _milliseconds(time: str) -> str:
    return f"{time.partition('.')[0]}000" if re.fullmatch(r"\d+(\.\d+)?", time) else time


def _in_the_gap(time: str) -> str:
    """02:30 of a day in the spring of 2026 on which Central Europe and, three weeks before, America have none."""
    day = re.sub(r"\d{4}([-/])\d\d([-/])\d\d", r"2026\g<1>03\g<2>29", time)
    return re.sub(r"\d\d:\d\d:\d\d", "02:30:00", day)


_VALUES: dict[str, Kind[Content]] = {
    "status": Kind(about="it answers with a status and no values", play=_status, defaults={"code": 500}, valued=False),
    "wrong-type": Kind(
        about="a page for signing in, or words where the numbers belong", play=_wrong_type, forms=("html", "text")
    ),
    "traceback": Kind(about="422 with a traceback", play=_fixed(Answer(TRACEBACK, "text/plain", 422)), valued=False),
    "retry-after": Kind(
        about="429 that says after how many `seconds` to come back",
        play=_too_many,
        defaults={"seconds": 30},
        valued=False,
    ),
    "captive-portal": Kind(about="200 with the page of a guest network", play=_fixed(PORTAL_PAGE), valued=False),
    "refusal": Kind(about="200 with the word by which its kind refuses", play=_refusal, valued=False),
    "empty-body": Kind(about="200 with no body", play=_body(b""), valued=False),
    "empty-object": Kind(about="200 with {}", play=_body(b"{}"), valued=False),
    "empty-list": Kind(about="200 with []", play=_body(b"[]"), valued=False),
    "null": Kind(about="null, or nothing, for a value", play=_some(_null), forms=ONE_OR_ALL),
    "text-numbers": Kind(about="numbers as texts", play=_all(_text_number)),
    "word": Kind(about="a word for a value", play=_word, defaults={"word": "n/a"}, forms=ONE_OR_ALL),
    "nan-literal": Kind(about="NaN without quotes for a value", play=_some(_not_a_number), forms=ONE_OR_ALL),
    "sentinel": Kind(
        about="a number that means a faulty channel", play=_sentinel, defaults={"value": -999.9}, forms=ONE_OR_ALL
    ),
    "jump": Kind(about="its temperature is `value` higher than it was", play=_jump, defaults={"value": 30.0}),
    "all-zero": Kind(about="0 for every value", play=_all(_zero)),
    "glued-unit": Kind(about="the unit glued to every value", play=_all(glued)),
    "decimal-comma": Kind(about="texts with a decimal comma", play=_all(_comma)),
    "extra-digits": Kind(about="more digits than before", play=_all(_extra_digits)),
    "naive-time": Kind(about="its time names no zone", play=_timed(_without_zone)),
    "milliseconds": Kind(about="its time is in milliseconds instead of seconds", play=_timed(_milliseconds)),
    "dst-gap": Kind(about="its time is in the hour that spring leaves out", play=_timed(_in_the_gap)),
}
CONTENT = _VALUES | STRUCTURE
"""Called with a `Telling`."""
