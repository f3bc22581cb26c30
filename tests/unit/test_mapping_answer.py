"""From answers to measurements: quality, units, refusals."""

import json
from typing import Any

import pytest

from collector.domain.errors import DeniedError, MalformedAnswerError, MisconfiguredError
from collector.domain.outcome import Measurement, Quality
from collector.mapping.answer import map_answer
from collector.mapping.measure import measure
from collector.mapping.measurement_rules import MeasurementRules
from collector.mapping.profile import Profile
from collector.mapping.tree import Unended

T = {"name": "t", "select": "t", "unit": "C"}
H = {"name": "h", "select": "h", "unit": "%"}


def profile(*measurements: dict[str, Any], **other: Any) -> Profile:
    return Profile.model_validate({"name": "x", "measurements": [*measurements], **other})


def answer(**values: Any) -> bytes:
    return json.dumps(values).encode()


def one(rules: dict[str, Any], **values: Any) -> Measurement:
    """The first measurement, beside one that is always there."""
    return map_answer(profile({**T, **rules}, H), answer(h=40, **values)).measurements[0]


@pytest.mark.parametrize(
    ("rules", "sent", "value", "quality"),
    [
        ({}, 21.5, 21.5, "good"),
        ({}, "21.5", 21.5, "good"),
        ({}, None, None, "missing"),
        ({"missing": ["n/a"]}, " n/a ", None, "missing"),
        ({}, "n/a", None, "bad"),
        ({}, "", None, "bad"),
        ({}, True, None, "bad"),
        ({}, [21.5], None, "bad"),
        ({}, {}, None, "bad"),
        ({"sentinels": [-999.9]}, -999.9, None, "bad"),
        ({"sentinels": [-999.9]}, "-999.90", None, "bad"),
        ({"sentinels": [-127]}, "-127.0 C", None, "bad"),
        ({"sentinels": [-127]}, -127.5, -127.5, "good"),
        ({"sentinels": ["Err"]}, "Err", None, "bad"),
        ({"range": [0, 30]}, 30, 30.0, "good"),
        ({"range": [0, 30]}, 30.1, 30.1, "suspect"),
        ({"range": [0, 30]}, -0.1, -0.1, "suspect"),
        ({"unit": "F", "range": [0, 30]}, 70, 21.11, "good"),
        ({"unit": "F", "sentinels": [32]}, 32, None, "bad"),
        ({"unit": "F"}, "70 C", 70.0, "good"),
        ({"unit": "F"}, "70 %", None, "bad"),
        ({"range": [0, 30]}, "71.6 F", 22.0, "good"),
        ({"times": 0.1}, "283", 28.3, "good"),
        ({"times": 0.1, "unit": "F"}, 706, 21.4444444444, "good"),
        ({"times": 0.1, "sentinels": [283]}, 283, None, "bad"),
        ({"times": 0.1, "range": [0, 28]}, 283, 28.3, "suspect"),
        ({"sentinels": ["Error*"]}, " Error 2", None, "bad"),
        ({"sentinels": ["Error*"]}, "An Error", None, "bad"),
        ({"sentinels": ["*"]}, 21.5, 21.5, "good"),
        ({"sentinels": ["*"]}, "21.5", 21.5, "good"),
        ({"missing": ["n/a*"]}, "n/a (no probe)", None, "missing"),
        ({"unit": "kPa"}, 1e308, None, "bad"),
        ({"decimal_comma": True}, "21,5", 21.5, "good"),
        ({"select": "abs(t)"}, -3, 3.0, "good"),
        ({"select": "abs(t)"}, "x", None, "bad"),
    ],
)
def test_quality(rules: dict[str, Any], sent: Any, value: float | None, quality: str) -> None:
    found = one(rules, t=sent)
    assert found.quality is Quality(quality)
    assert found.value == (None if value is None else pytest.approx(value, abs=0.01))


def test_absent_key_is_missing() -> None:
    assert one({}) == Measurement("t", None, "Cel", Quality.MISSING)


def test_order_and_units_are_the_profiles() -> None:
    found = map_answer(profile(H, {**T, "unit": "F"}), b'{"t": 212, "h": 4, "extra": 1}').measurements
    assert found == (Measurement("h", 4.0, "%"), Measurement("t", 100.0, "Cel"))


# ---- the unit that the device itself names


@pytest.mark.parametrize(
    ("unit", "value"), [("C", 50.0), ("&deg;F", 10.0), ("\u2103", 50.0), ("K", -223.15), (None, None), ("", None)]
)
def test_unit_of_the_device(unit: str | None, value: float | None) -> None:
    found = one({"unit_select": "u"}, t=50, u=unit)
    assert found.value == value
    assert found.unit == "Cel"
    assert found.quality is (Quality.GOOD if value is not None else Quality.BAD)


@pytest.mark.parametrize("unit", ["Grad", "0", 0, True, {"x": 1}])
def test_unknown_unit_of_the_device_is_shown(unit: Any) -> None:
    with pytest.raises(MisconfiguredError, match="is not in the table of units"):
        one({"unit_select": "u"}, t=50, u=unit)


def test_unit_of_another_quantity() -> None:
    with pytest.raises(MisconfiguredError, match=r"t comes in %, and the profile expects what is stored as Cel"):
        one({"unit_select": "u"}, t=50, u="%RH")


def test_unit_of_a_channel_that_is_not_there_does_not_matter() -> None:
    assert one({"unit_select": "u", "sentinels": [-999]}, t=-999, u="?").quality is Quality.BAD
    assert one({"unit_select": "u"}, u="?").quality is Quality.MISSING


@pytest.mark.parametrize(("sent", "value"), [("0", 50.0), (0, 50.0), (1, 10.0), (" 2 ", -223.15), ("K", -223.15)])
def test_words_of_the_device_for_units(sent: Any, value: float) -> None:
    words = {"0": "C", "1": "F", "2": "K"}
    assert one({"unit_select": "u", "unit_words": words}, t=50, u=sent).value == value


def test_a_word_for_a_unit_that_nobody_knows_is_shown() -> None:
    with pytest.raises(MisconfiguredError, match="unit: '3' is not in the table"):
        one({"unit_select": "u", "unit_words": {"0": "C"}}, t=50, u=3)


@pytest.mark.parametrize(
    ("state", "value", "quality"), [(1, 50.0, "good"), (0, None, "bad"), (None, 50.0, "good"), ("x", 50.0, "good")]
)
def test_a_channel_that_says_it_is_faulty(state: Any, value: float | None, quality: str) -> None:
    found = one({"bad_when": "state == `0`"}, t=50, state=state)
    assert (found.value, found.quality) == (value, Quality(quality))


def test_a_faulty_channel_that_is_not_there_is_missing() -> None:
    assert one({"bad_when": "`true`"}).quality is Quality.MISSING


def test_glued_unit_must_be_the_one_that_the_device_names() -> None:
    assert one({"unit_select": "u"}, t="50 F", u="F").value == 10.0
    assert one({"unit_select": "u"}, t="50 C", u="F").quality is Quality.BAD


# ---- an answer that may be cut

CUT = {"decoder": "key-value", "pairs": ","}


@pytest.mark.parametrize(
    ("body", "quality"),
    [(b"h=40,t=21", "suspect"), (b"h=40,t=21,", "good"), (b"h=40,t=21\n", "good"), (b"h=40,t=x", "bad")],
)
def test_a_value_that_nothing_follows_is_suspect_at_best(body: bytes, quality: str) -> None:
    found = map_answer(profile({**T, "range": [0, 50]}, H, body=CUT), body).measurements[0]
    assert found.quality is Quality(quality)


@pytest.mark.parametrize(
    ("rules", "sent", "stage", "why"),
    [
        ({}, Unended("21.5"), "truncated", "nothing after '21.5' shows that it is whole"),
        ({"range": [0, 20]}, 21.5, "", ""),
        ({}, 10**400, "number", "a huge number is not a number in Cel"),
        ({}, 21.5, "", ""),
        ({"bad_when": "t"}, 21.5, "sentinel", "t holds"),
        ({"unit_select": "u"}, "21.5 F", "unit", "'21.5 F', and the device names Cel"),
    ],
)
def test_each_measurement_says_why_it_is_not_good(rules: dict[str, Any], sent: Any, stage: str, why: str) -> None:
    found = measure(MeasurementRules.model_validate({**T, **rules}), {"t": sent, "u": "C"})
    assert (found.stage, found.why) == (stage, why)


# ---- all zero


def test_all_zero_is_suspect() -> None:
    found = map_answer(profile(T, H), answer(t=0, h="0")).measurements
    assert [(m.value, m.quality) for m in found] == [(0.0, Quality.SUSPECT)] * 2


def test_all_zero_is_judged_as_sent() -> None:
    found = map_answer(profile({**T, "unit": "F"}, H), answer(t=0, h=0)).measurements
    assert {m.quality for m in found} == {Quality.SUSPECT}
    found = map_answer(profile({**T, "unit": "F"}, H), answer(t=32, h=0)).measurements
    assert {m.quality for m in found} == {Quality.GOOD}


def test_one_zero_alone_is_ordinary() -> None:
    assert map_answer(profile(T, H), answer(t=0)).measurements[0].quality is Quality.GOOD


def test_diagnostics_are_not_judged_for_zeros() -> None:
    counter = {"name": "n", "select": "n", "unit": "1", "diagnostic": True}
    found = map_answer(profile(T, H, counter), answer(t=0, h=0, n=5)).measurements
    assert [m.quality.value for m in found] == ["suspect", "suspect", "good"]
    found = map_answer(profile(T, counter), answer(t=0, n=0)).measurements
    assert [m.quality.value for m in found] == ["good", "good"]


# ---- slots that fail


@pytest.mark.parametrize(
    ("values", "detail"),
    [
        ({"h": 40}, "select: t (t), is missing: nothing is there, and it is required; the answer begins '{\"h\": 40}'"),
        ({"h": 40, "t": "x"}, "number: t (t), is bad: 'x' is not a number in Cel, and it is required"),
        ({"h": 40, "t": -999}, "sentinel: t (t), is bad: -999, and it is required"),
    ],
)
def test_required_measurement_fails_the_slot(values: dict[str, Any], detail: str) -> None:
    with pytest.raises(MalformedAnswerError) as caught:
        map_answer(profile({**T, "required": True, "sentinels": [-999]}, H), answer(**values))
    assert caught.value.detail.startswith(detail)


def test_nothing_survives() -> None:
    with pytest.raises(MalformedAnswerError, match="no measurement has a value"):
        map_answer(profile(T, H), b'{"status": "ok"}')


def test_the_devices_own_counter_alone_is_no_reading() -> None:
    counter = {"name": "n", "select": "n", "unit": "1", "diagnostic": True}
    with pytest.raises(MalformedAnswerError, match="no measurement has a value"):
        map_answer(profile(T, counter), answer(n=5))


@pytest.mark.parametrize(
    ("error", "denied"), [(True, True), ("no", True), (0, True), (False, False), ("", False), (None, False)]
)
def test_denied_when_has_jmespaths_truth(error: Any, denied: bool) -> None:
    rules = profile(T, denied_when="error")
    if not denied:
        assert map_answer(rules, answer(t=1, error=error)).measurements[0].value == 1
        return
    with pytest.raises(DeniedError, match="denied: error holds; the answer begins"):
        map_answer(rules, answer(t=1, error=error))


def test_denial_that_cannot_be_asked_is_malformed() -> None:
    with pytest.raises(MalformedAnswerError, match=r"select: starts_with\(state, 'x'\): "):
        map_answer(profile(T, denied_when="starts_with(state, 'x')"), answer(t=1))


def test_root() -> None:
    rules = profile(T, H, body={"root": "data[?id=='b'] | [0]"}, denied_when="error")
    body = b'{"error": 1, "data": [{"id": "a", "t": 1}, {"id": "b", "t": 2, "h": 3}]}'
    assert [m.value for m in map_answer(rules, body).measurements] == [2.0, 3.0]
    with pytest.raises(MalformedAnswerError, match="finds no object"):
        map_answer(rules, b'{"data": []}')


def test_detail_is_short_even_when_everything_is_long() -> None:
    path = "a" * 900
    with pytest.raises(MalformedAnswerError) as caught:
        map_answer(
            profile({**T, "select": path, "required": True}), answer(**{path: "\u2103" * 900, "password": "hush"})
        )
    assert len(caught.value.detail) <= 500
    assert caught.value.detail.isascii()
