"""Every problem of a profile file names file, key, line and remedy."""

import copy
import pickle

import pytest

from collector.mapping.loading import ProfileError, load_profile

GOOD = """\
name: cold-room
description: "a cold room"
request:
  path: /data?x=1
  headers: {Accept: application/json}
  auth: basic
  max_bytes: 2048
body:
  charset: [utf-8, iso-8859-1]
denied_when: error
measurements:
  - name: temperature
    select: sensors[?id=='t1'].value | [0]
    unit: F
    range: [-40, 60]
    sentinels: [-999, "Err"]
    missing: ["-"]
    required: true
  - name: door
    select: door
    unit: "1"
    diagnostic: true
"""


def test_good_profile() -> None:
    profile = load_profile(GOOD, "cold-room.yaml", stem="cold-room")
    assert profile.units() == {"temperature": "Cel", "door": "1"}
    assert list(profile.units()) == ["temperature", "door"]
    assert profile.request.max_bytes == 2048
    assert profile.measurements[0].range == (-40.0, 60.0)
    assert profile.measurements[0].sentinels == (-999.0, "Err")


ERROR = "denied_when: error"
TIME = "time:\n  select: t\n  "
# what is replaced in GOOD, by what, key, line, part of the problem, part of the remedy
WRONG = [
    ("  path: /data", "  path: [unclosed\n\tx", "", 5, "not YAML", "correct the syntax"),
    ("auth: basic", "auth: ntlm", "request.auth", 6, "not one of the values", "'bearer', 'basic', 'digest', "),
    ("auth: basic", "auht: basic", "request.auht", 6, "no such key here", "known are path, headers, auth, "),
    ("denied_when", "denied_if", "denied_if", 10, "no such key here", "denied_when"),
    ("name: cold-room\n", "title: x\n", "title", 1, "no such key here", "known are name"),
    ("name: cold-room\n", "\n", "name", 2, "the key is missing", "write it"),
    ("name: cold-room\n", "name: Cold Room\n", "name", 1, "not a profile name", "a-z, 0-9"),
    ("name: cold-room\n", "name: 17\n", "name", 1, "17 is not", "in quotes"),
    ('description: "a cold room"', "description: 2024-01-01", "description", 2, "is not", "in quotes"),
    ("max_bytes: 2048", "max_bytes: 0", "request.max_bytes", 7, "0 is not", "greater than or equal to 1"),
    ("max_bytes: 2048", "max_bytes: 64k", "request.max_bytes", 7, "'64k' is not", "whole number"),
    ("path: /data?x=1", "path: data", "request.path", 4, "not a path", "begin with one '/'"),
    ("path: /data?x=1", "path: //evil/x", "request.path", 4, "not a path", "begin with one '/'"),
    ("{Accept: application/json}", "{Authorization: x}", "request.headers.Authorization", 5, "may not set", "secret"),
    ("{Accept: application/json}", '{Accept: "a\\r\\nb: c"}', "request.headers.Accept", 5, "printable", "correct"),
    ("[utf-8, iso-8859-1]", "[utf-8, koi8]", "body.charset[1]", 9, "not one of the values", "'utf-8'"),
    ("[utf-8, iso-8859-1]", "[]", "body.charset", 9, "empty", "at least one"),
    ("denied_when: error", "denied_when: 'error =='", "denied_when", 10, "not JMESPath", "jmespath.org"),
    ("    select: door", "    select: foo(door)", "measurements[1].select", 20, "no function foo()", "jmespath.org"),
    ("    select: door", "    select: length(a, b)", "measurements[1].select", 20, "takes 1 arguments", "jmespath"),
    ("    select: door\n", "", "measurements[1].select", 19, "the key is missing", "write it"),
    ("unit: F", "unit: Grad", "measurements[0].unit", 14, "unit 'Grad' is not in the table", "Cel, [degF], K"),
    ("unit: F", "unit: 1", "measurements[0].unit", 14, "1 is not", "in quotes"),
    ("range: [-40, 60]", "range: [60, -40]", "measurements[0].range", 15, "60 is not below -40", "[lowest, highest]"),
    ("range: [-40, 60]", "range: [-40, 1e3]", "measurements[0].range[1]", 15, "'1e3' is not", "1000.0"),
    ("range: [-40, 60]", "range: [-40, .inf]", "measurements[0].range[1]", 15, "inf is not", "finite"),
    ("range: [-40, 60]", "range: 60", "measurements[0].range", 15, "60 is not", "[ ]"),
    ('[-999, "Err"]', "[-999, yes]", "measurements[0].sentinels[1]", 16, "True is not", "number"),
    ('missing: ["-"]', "missing: [no]", "measurements[0].missing[0]", 17, "False is not", "in quotes"),
    ("required: true", "required: 1", "measurements[0].required", 18, "1 is not", "true or false"),
    ("name: door", "name: temperature", "measurements[1].name", 19, "is taken already", "give each its own"),
    ("name: door", "name: Door", "measurements[1].name", 19, "'Door' is not a name", "a-z"),
    ("required: true", "required: true\n    required: true", "measurements[0].required", 19, "twice", "keep one"),
    ("required: true", "required: true\n    diagnostic: true", "measurements", 11, "every", "take the key away"),
    ("range: [-40, 60]", "range: &a [-40, 60]\n    missing: *a", "measurements[0].missing", 16, "aliases", "write"),
    ("unit: F", "? [a]\n    : b", "measurements[0]", 14, "a key is not a word", "plain words"),
    ("unit: F", "unit: !!python/object:os.system x", "measurements[0].unit", 14, "not a plain value", "in quotes"),
    ("unit: F", "unit: 2024-13-45", "measurements[0].unit", 14, "not a value", "in quotes"),
    (ERROR, TIME + "zone: Prague", "time.zone", 12, "'Prague' is not a time zone", "Europe/Prague"),
    (ERROR, TIME + "zone: +01:00", "time.zone", 12, "is not a time zone", "utc, chamber"),
    (ERROR, TIME + "format: epoch", "time.format", 12, "'epoch' is no format", "iso, unix, or a pattern"),
    (ERROR, TIME + 'format: "%Q"', "time.format", 12, "not a pattern of strptime: 'Q' is a bad", "%Y %m %d"),
    (ERROR, TIME + 'format: "%d.%m. %H:%M"', "time.format", 12, "does not say day, month, year", "'%d.%m.%Y %H:%M'"),
    (ERROR, TIME + 'format: "%Y-%m-%d %I:%M"', "time.format", 12, "does not say", "%p"),
    (ERROR, TIME + 'format: "%Y-%m-%d %H:%M %Z"', "time.format", 12, "%Z means other zones", "under zone:"),
    (ERROR, TIME + "format: unix\n  zone: chamber", "time.zone", 13, "unix counts from the epoch in UTC", "wall clock"),
    (ERROR, TIME + "max_skew_s: 0", "time.max_skew_s", 12, "0 is not", "greater than 0"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "key", "line", "problem", "remedy"), WRONG, ids=[w[1].strip() for w in WRONG])
def test_wrong_profile(  # noqa: PLR0917  one row of the table
    old: str, new: str, key: str, line: int, problem: str, remedy: str
) -> None:
    assert GOOD.count(old) == 1
    with pytest.raises(ProfileError) as caught:
        load_profile(GOOD.replace(old, new), "own/cold-room.yaml")
    error = caught.value
    assert (error.file, error.key, error.line) == ("own/cold-room.yaml", key, line)
    assert problem in error.problem
    assert remedy in error.remedy
    assert str(error).startswith(f"own/cold-room.yaml:{line}: {key}")
    assert "\n" not in str(error)


@pytest.mark.parametrize(
    "rules",
    [
        *(
            "format: unix",
            "format: unix\n  zone: utc",
            "zone: Europe/Prague",
            "zone: chamber",
            "format: iso\n  zone: utc",
        ),
        *('format: "%Y/%m/%dT%H:%M:%Sz"', 'format: "%d.%m.%y %I:%M %p"', 'format: "%Y%m%d%H%M%S%z"'),
    ],
)
def test_a_time_that_can_be_read(rules: str) -> None:
    assert load_profile(GOOD.replace(ERROR, TIME + rules), "x.yaml").time is not None


@pytest.mark.parametrize("text", ["", "- a", "just a text", "a: b\n---\nc: d", "[" * 5000, "name: \x00", "&a [*a]"])
def test_what_is_no_profile_at_all(text: str) -> None:
    with pytest.raises(ProfileError) as caught:
        load_profile(text, "x.yaml")
    assert caught.value.line >= 1


@pytest.mark.parametrize("measurements", ["[]", "{}", "null", "[1]", "[[]]", "[null]"])
def test_measurements_of_another_shape(measurements: str) -> None:
    with pytest.raises(ProfileError) as caught:
        load_profile(f"name: x\nmeasurements: {measurements}\n", "x.yaml")
    assert caught.value.key.startswith("measurements")
    assert caught.value.line == 2


def test_first_of_several_problems_says_how_many_more() -> None:
    text = (
        GOOD.replace("unit: F", "unit: Grad").replace("required: true", "required: 1").replace("auth: basic", "auth: 2")
    )
    with pytest.raises(ProfileError, match=r"request\.auth: not one of the values that are known \(and 2 more\)"):
        load_profile(text, "x.yaml")


def test_name_differs_from_the_files() -> None:
    with pytest.raises(ProfileError, match=r"x\.yaml:1: name: 'cold-room' is not the name of the file; write x"):
        load_profile(GOOD, "x.yaml", stem="x")


def test_error_survives_copying() -> None:
    error = ProfileError("f.yaml", "name", 3, "wrong", "right")
    for twin in (copy.copy(error), pickle.loads(pickle.dumps(error))):
        assert (str(twin), twin.line) == ("f.yaml:3: name: wrong; right", 3)
    assert error.field == "name"
