"""Whatever a device answers: measurements with finite values, or an error that says why."""

import json
import math

from hypothesis import given
from hypothesis import strategies as st

from adapters.profile_files import FileProfiles, builtin_profiles_folder
from collector.domain.errors import SlotFailedError
from collector.domain.outcome import Measurement, Quality
from collector.mapping.answer import map_answer
from collector.mapping.profile import Profile

NASTY = Profile.model_validate(
    {
        "name": "nasty",
        "body": {"charset": ["utf-8", "iso-8859-1"], "root": "not_null(data, @)"},
        "denied_when": "error || contains(to_string(@), 'PermissionDenied')",
        "measurements": [
            {"name": "a", "select": "temperature", "unit": "F", "unit_select": "unit", "sentinels": [-999, "Err"]},
            {"name": "b", "select": "sum(values(@))", "unit": "C", "range": [0, 50]},
            {"name": "c", "select": "to_number(co2)", "unit": "kPa", "missing": ["", "-"]},
            {"name": "d", "select": "sort(keys(@))[-1]", "unit": "1", "decimal_comma": True},
            {"name": "e", "select": "max_by(list, &x).y", "unit": "%"},
            {"name": "f", "select": "avg(list)", "unit": "%"},
        ],
    }
)
BUILTIN = FileProfiles([builtin_profiles_folder()])
PROFILES = [NASTY, *(profile for name in BUILTIN.names() if (profile := BUILTIN.find(name)))]
GOOD = {
    "temperature": 21.5,
    "atmp": 21.5,
    "rhum": "44%",
    "rco2": 612,
    "co2": 612,
    "humidity": 44,
    "boot": 7,
    "unit": "F",
}
KEYS = st.sampled_from([*GOOD, "atmpCompensated", "data", "list", "error", "x", "y", "channels", "1"])
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(10**300, 10**310)
    | st.floats()
    | st.text(max_size=10)
    | st.sampled_from(["21.5 C", "1e999", "nan", "-999", "C", "F", "%", "\ud800", "\x00"])
)
TREES = st.recursive(
    LEAVES, lambda t: st.lists(t, max_size=4) | st.dictionaries(KEYS | st.text(max_size=3), t, max_size=8)
)
CHANGES = st.dictionaries(KEYS, TREES, max_size=4)


def outcome(profile: Profile, body: bytes) -> tuple[Measurement, ...] | SlotFailedError:
    try:
        return map_answer(profile, body).measurements
    except SlotFailedError as error:
        return error


def check(profile: Profile, body: bytes) -> None:
    found = outcome(profile, body)
    if isinstance(found, SlotFailedError):
        assert 0 < len(found.detail) <= 500
        assert found.detail.isascii()
        assert found.detail.isprintable()
        return
    optional = {rules.name for rules in profile.measurements if rules.optional}
    named = {m.name: m.unit for m in found}
    assert named.items() <= profile.units().items()
    assert set(profile.units()) - set(named) <= optional
    assert any(m.value is not None for m in found)
    for m in found:
        assert (m.value is None) == (m.quality in (Quality.BAD, Quality.MISSING))
        assert m.value is None or (type(m.value) is float and math.isfinite(m.value))


@given(st.sampled_from(PROFILES), st.binary(max_size=300))
def test_any_bytes(profile: Profile, body: bytes) -> None:
    check(profile, body)


@given(st.sampled_from(PROFILES), TREES)
def test_any_json(profile: Profile, tree: object) -> None:
    check(profile, json.dumps(tree).encode())


@given(st.sampled_from(PROFILES), CHANGES, st.integers(0, 400))
def test_nearly_right_answers_whole_and_cut(profile: Profile, changes: dict[str, object], cut: int) -> None:
    body = json.dumps(GOOD | changes).replace("NaN", "0").replace("Infinity", "1e999").encode()
    check(profile, body)
    check(profile, body[:cut])


@given(
    st.sampled_from(PROFILES),
    st.sampled_from([b"[", b'{"data":', b'{"list":[', b"\xff", b'"\\']),
    st.integers(1, 70_000),
)
def test_bombs(profile: Profile, piece: bytes, times: int) -> None:
    check(profile, (piece * times)[:65_536])
