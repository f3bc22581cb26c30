"""Fleet files: what is read of them, every wrong cell with its line and remedy, and what an import would change."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.exits import Complaint
from cli.fleet.csv_file import read_csv
from cli.fleet.difference import Difference, There, compare
from cli.fleet.entries import FleetFile
from cli.fleet.yaml_file import read_yaml_fleet

HEADER = "id,url,profile,interval"
ROW = "c1,http://10.0.0.1,airgradient,10s"
CHAMBER: dict[str, Any] = {
    "id": "c1",
    "name": "",
    "section": "default",
    "url": "http://10.0.0.1",
    "profile": "airgradient",
    "interval_s": 10,
    "timeout_s": 5,
    "round_span_s": None,
    "aligned": False,
    "labels": {"room": "A1"},
    "secret_ref": None,
    "verify_tls": True,
    "timezone": None,
    "serial_number": None,
    "version": 7,
    "status": "collecting",
}
PROFILES, SECTIONS = ["airgradient", "generic-json"], {"default": True, "cold": True, "attic": False}


def csv_of(*rows: str, header: str = HEADER) -> FleetFile:
    return read_csv("\n".join([header, *rows]) + "\n")


def fields(complaints: Sequence[Complaint]) -> list[str]:
    assert all(complaint.problem and complaint.remedy for complaint in complaints)
    return [complaint.field for complaint in complaints]


def difference(file: FleetFile, *chambers: dict[str, Any], create_sections: bool = False) -> Difference:
    there = There({chamber["id"]: chamber for chamber in chambers}, PROFILES, SECTIONS)
    return compare(file, there, create_sections=create_sections)


def test_a_row_says_what_its_cells_say_and_nothing_else() -> None:
    header = (
        "id,url,profile,interval,section,name,timeout_s,round_span,aligned,verify_tls,secret_ref,timezone,serial_number,"
        "label.room,label.x"
    )
    [entry] = csv_of(
        'c1,http://10.0.0.1,airgradient,1m30s,cold,"A, left",0.5,5m,yes,FALSE,env:TOKEN,Europe/Prague,007,A1,',
        header=header,
    ).entries
    assert entry.body == {
        "id": "c1",
        "url": "http://10.0.0.1",
        "profile": "airgradient",
        "interval_s": 90,
        "section": "cold",
        "name": "A, left",
        "timeout_s": 0.5,
        "round_span_s": 300,
        "aligned": True,
        "verify_tls": False,
        "secret_ref": "env:TOKEN",
        "timezone": "Europe/Prague",
        "serial_number": "007",
        "labels": {"room": "A1"},
    }
    assert csv_of("c1", header="id").entries[0].body == {"id": "c1"}


@pytest.mark.parametrize(
    "text", [f"{HEADER};name\n{ROW};a", f"{HEADER},name\r\n{ROW},a\r\n", f"{HEADER},name\n\n{ROW},a\n,,,,\n"]
)
def test_what_spreadsheets_write_is_read(text: str) -> None:
    found = read_csv(text.replace(",", ";") if ";" in text else text)
    assert [entry.body["name"] for entry in found.entries] == ["a"]
    assert found.complaints == []


def test_lines_are_those_of_an_editor_even_after_a_cell_of_several() -> None:
    found = csv_of('c1,http://10.0.0.1,airgradient,10s,"two\nlines"', "c2,x,airgradient,10s,", header=f"{HEADER},name")
    assert fields(found.complaints) == ["line 4, url"]
    assert [entry.line for entry in found.entries] == [2, 4]


def test_every_wrong_cell_is_named_at_once() -> None:
    header = "id,url,profile,interval,timeout,aligned,secret_ref,label.room"
    found = csv_of(
        "Bad Id,ftp://h,airgradient,10,1s,maybe,hunter2,A1",
        "c2,http://h,airgradient,10s,20s,no,,",
        ",http://h,airgradient,500ms,1s,no,,",
        "c4,http://h,airgradient",
        header=header,
    )
    assert fields(found.complaints) == [
        "line 5",
        *("line 2, interval", "line 2, aligned", "line 2, id", "line 2, url", "line 2, secret_ref"),
        "line 3, timeout_s",
        *("line 4, interval_s", "line 4, id"),
    ]
    assert "hunter2" not in "".join(c.problem for c in found.complaints), "it may be a secret"


def test_a_wrong_header_is_named_with_what_there_is() -> None:
    found = csv_of("c1,10s", header="id,intervall")
    assert fields(found.complaints) == ["line 1, column 2"]
    assert "interval_s" in found.complaints[0].remedy
    assert fields(read_csv("name,name\na,b\n").complaints) == ["line 1, id", "line 1, column 2"]
    assert fields(read_csv("").complaints) == ["line 1, id"]
    assert fields(read_csv('id,name\nc1,"open\n').complaints) == ["line 2"]


def test_a_unit_is_asked_for_and_not_twice() -> None:
    assert fields(csv_of("c1,http://h,airgradient,10").complaints) == ["line 2, interval"]
    both = csv_of("c1,10s,20", header="id,interval,interval_s")
    assert fields(both.complaints) == ["line 2, interval_s"]
    assert fields(csv_of("c1,nan", header="id,interval_s").complaints) == ["line 2, interval_s"]
    assert fields(csv_of("c1,0.0001", header="id,timeout_s").complaints) == ["line 2, timeout_s"]


def test_an_id_twice_is_said_and_refused_when_it_differs() -> None:
    same = csv_of(ROW, ROW)
    assert [entry.line for entry in same.twice] == [3]
    assert (len(same.entries), same.complaints) == (1, [])
    other = csv_of(ROW, ROW.replace("10s", "20s"))
    assert fields(other.complaints) == ["line 3, id"]
    assert "line 2" in other.complaints[0].problem


YAML = """
defaults:
  profile: airgradient
  interval: 10s
  labels: {site: basel, room: none}
chambers:
  - id: c1
    url: http://10.0.0.1
    labels: {room: A1}
  - id: c2
    url: http://10.0.0.2
    interval_s: 60
    round_span: null
    aligned: true
"""


def test_yaml_says_the_same_with_defaults() -> None:
    found = read_yaml_fleet(YAML)
    assert found.complaints == []
    first, second = found.entries
    assert first.body == {
        "id": "c1",
        "url": "http://10.0.0.1",
        "profile": "airgradient",
        "interval_s": 10,
        "labels": {"site": "basel", "room": "A1"},
    }
    assert (second.line, second.body["interval_s"], second.body["round_span_s"]) == (10, 60, None)
    assert second.body["labels"] == {"site": "basel", "room": "none"}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("chambers: [", ["line 1"]),
        ("- id: c1", ["line 1, chambers"]),
        ("chambers:\n- id: c1\n  id: c2", ["line 3, id"]),
        ("chambers:\n- id: c1\nfleet: x", ["line 3, fleet"]),
        ("defaults: 3\nchambers: []", ["line 1, defaults"]),
        ("defaults:\n  id: c1\nchambers: []", ["line 2, defaults.id"]),
        ("chambers:\n- c1\n- c2", ["line 2, chambers[0]", "line 3, chambers[1]"]),
        ("chambers:\n- id: 12\n  interval: 60\n  name: yes\n", ["line 2, id", "line 3, interval", "line 4, name"]),
        (
            "chambers:\n- id: c1\n  interval_s: true\n  labels: {room: 2.10}",
            ["line 3, interval_s", "line 4, labels.room"],
        ),
        ("chambers:\n- id: c1\n  labels: [a]\n  intervall: 3s", ["line 3, labels", "line 4, intervall"]),
    ],
)
def test_yaml_that_is_wrong_is_named_by_its_line(text: str, found: list[str]) -> None:
    assert fields(read_yaml_fleet(text).complaints) == found


def test_what_is_new_changed_and_unchanged() -> None:
    file = csv_of("c1,http://10.0.0.1,airgradient,10s", "c2,http://10.0.0.2,airgradient,10s", "c3,http://10.0.0.3,,20s")
    third = {**CHAMBER, "id": "c3", "url": "http://10.0.0.3"}
    found = difference(file, CHAMBER, third, {**CHAMBER, "id": "c9"})
    assert found.complaints == []
    assert [(step.chamber, step.is_new, step.version) for step in found.steps] == [("c2", True, None), ("c3", False, 7)]
    assert found.steps[1].fields == {"interval_s": (10, 20)}
    assert (found.unchanged, found.elsewhere) == (["c1"], 1)


def test_a_wrong_cell_is_not_missing() -> None:
    file = csv_of("c2,http://h,airgradient,10")
    assert fields([*file.complaints, *difference(file).complaints]) == ["line 2, interval"]


def test_labels_that_the_file_does_not_name_stay() -> None:
    known = {**CHAMBER, "labels": {"room": "A1", "floor": "2"}}
    same = csv_of("c1,A1", header="id,label.room")
    assert difference(same, known).unchanged == ["c1"]
    other = csv_of("c1,B2", header="id,label.room")
    assert difference(other, known).steps[0].fields["labels"][1] == {"room": "B2", "floor": "2"}
    without = read_yaml_fleet("chambers:\n- id: c1\n  labels: {room: null}")
    assert difference(without, known).steps[0].fields["labels"][1] == {"floor": "2"}


def test_a_chamber_keeps_a_profile_that_is_offered_no_longer() -> None:
    known = {**CHAMBER, "profile": "attic"}
    file = csv_of("c1,http://10.0.0.9,attic,10s", "c2,http://10.0.0.2,attic,10s")
    found = difference(file, known)
    assert fields(found.complaints) == ["line 3, profile"]
    assert found.steps[0].fields == {"url": ("http://10.0.0.1", "http://10.0.0.9")}


def test_what_would_be_refused_is_known_before_anything_is_sent() -> None:
    header = "id,url,profile,interval,timeout,section"
    file = csv_of("c1,,,,20s,", "c2,,generic-jsn,10s,,cellar", "c3,http://h,airgradient,10s,,attic", header=header)
    found = difference(file, CHAMBER, {**CHAMBER, "id": "c4", "status": "retiring"})
    assert fields(found.complaints) == [
        "line 2, timeout_s",
        *("line 3, url", "line 3, profile", "line 3, section"),
        "line 4, section",
    ]
    assert found.missing_sections == ["cellar"]
    remaining = difference(file, CHAMBER, create_sections=True).complaints
    assert "line 3, section" not in fields(remaining)
    assert "line 4, section" in fields(remaining), "a closed one is not opened"


def test_a_chamber_that_retires_is_refused_and_one_that_is_new_to_the_file_is_not() -> None:
    retiring = {**CHAMBER, "status": "retiring"}
    assert fields(difference(csv_of(ROW), retiring).complaints) == ["line 2, id"]


@given(st.text(max_size=200))
def test_no_text_breaks_the_readers(text: str) -> None:
    for found in (
        read_csv(text),
        read_csv(f"{HEADER}\n{text}"),
        read_yaml_fleet(text),
        read_yaml_fleet(f"chambers: {text}"),
    ):
        assert found.complaints or all("id" in entry.body for entry in found.entries)
        difference(found, CHAMBER)
