"""Organizations, sections, batches, detectors and changes against a real HTTP server: what is sent and shown."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from collector.domain.instants import parse_iso
from tests.contract.api_documents import (
    BATCH,
    CHAMBER,
    DETECTOR,
    OPERATION,
    ORGANIZATION,
    READING,
    SECTION,
)
from tests.contract.scripted_api import Api, Run, Seen


def test_a_group_that_is_told_nothing_lists(api: Api, run: Run) -> None:
    for path, thing in (("organizations", ORGANIZATION), ("sections", SECTION), ("batches", BATCH)):
        api.answer_pages(f"/v1/{path}", [[thing], [thing]])
        bare, told = run(path, "--json"), run(path, "list", "--json")
        assert bare == told
        assert (bare[0], json.loads(bare[1])) == (0, {"items": [thing, thing], "next_cursor": None})
        assert thing["id"] in run(path)[1]
        code, out, _ = run(path, "--help")
        assert (code, "change" in out, " list " in out) == (0, True, True)
    assert run("sections", "lst")[0] == 4


def test_organizations_are_made_shown_and_changed(api: Api, run: Run) -> None:
    api.answer("POST", "/v1/organizations", 201, ORGANIZATION)
    api.answer("GET", "/v1/organizations/biologics", 200, ORGANIZATION, ETag='"3"')
    api.answer("PATCH", "/v1/organizations/biologics", 200, {**ORGANIZATION, "region": "us", "version": 4})
    code, out, err = run("organizations", "add", "biologics", "--name", "Biologics", "--region", "eu-central")
    assert (code, "Rheinweg 7" in out, "is made" in err) == (0, True, True)
    assert api.seen[0].body == {"id": "biologics", "name": "Biologics", "region": "eu-central"}
    assert json.loads(run("organizations", "show", "biologics", "--json")[1]) == ORGANIZATION
    assert json.loads(run("organizations", "change", "biologics", "--region", "us", "--json")[1])["region"] == "us"
    assert (api.seen[-1].body, api.seen[-1].headers["If-Match"]) == ({"region": "us"}, '"3"')


def test_sections_are_made_shown_and_closed(api: Api, run: Run) -> None:
    api.answer("POST", "/v1/sections", 200, SECTION)
    api.answer("GET", "/v1/sections/cold", 200, SECTION, ETag='"3"')
    api.answer("PATCH", "/v1/sections/cold", 200, {**SECTION, "active": False, "version": 4})
    code, out, err = run("sections", "add", "cold", "--name", "Cold store", "--description", "Basement")
    assert (code, "Basement" in out, "was there already" in err) == (0, True, True)
    assert api.seen[0].body == {"id": "cold", "name": "Cold store", "description": "Basement"}
    assert "open" in run("sections", "show", "cold")[1]
    assert "closed" in run("sections", "change", "cold", "--close")[1]
    assert api.seen[-1].body == {"active": False}
    run("sections", "change", "cold", "--open", "--description", "")
    assert api.seen[-1].body == {"active": True, "description": ""}


def steps(api: Api, *states: dict[str, Any]) -> None:
    """The operation as it is seen, poll by poll."""
    left = list(states)
    path = f"/v1/sections/cold/operations/{OPERATION['id']}"
    api.answers["GET", path] = lambda _: (200, left.pop(0) if len(left) > 1 else left[0], {})


DONE = {**OPERATION, "state": "completed", "done": 4, "paused": 4, "ended_at": "2026-03-01T12:00:09.000Z"}


def test_a_section_is_paused_and_awaited(api: Api, run: Run) -> None:
    api.answer("POST", "/v1/sections/cold/pause", 202, {**OPERATION, "unreached": []})
    steps(api, OPERATION, {**OPERATION, "done": 3}, DONE)
    code, out, err = run("sections", "pause", "cold", "--reason", "power test", "--until", "2099-01-01", "--json")
    assert (code, json.loads(out)) == (0, {**DONE, "unreached": []}), err
    assert api.seen[0].body == {"reason": "power test", "until": "2099-01-01T00:00:00.000Z"}
    assert len(api.seen) == 4


def test_a_section_is_resumed_without_waiting(api: Api, run: Run) -> None:
    api.answer("POST", "/v1/sections/cold/resume", 202, {**OPERATION, "kind": "resume", "unreached": []})
    code, out, err = run("sections", "resume", "cold", "--no-wait")
    assert (code, "resume" in out, "being carried out" in err) == (0, True, True)
    assert [seen.method for seen in api.seen] == ["POST"]


def test_chambers_that_did_not_hear_of_it_are_told(api: Api, run: Run) -> None:
    unreached = [{"chamber": "c9", "problem": "it is paused in Temporal itself"}]
    api.answer("POST", "/v1/sections/cold/pause", 202, {**OPERATION, "unreached": unreached})
    steps(api, {**DONE, "done": 3, "failed": 1})
    code, out, err = run("sections", "pause", "cold")
    assert (code, "completed" in out) == (6, True)
    assert "error: c9: it is paused in Temporal itself" in err
    assert "error: section: 1 of 4 chambers did not hear of it" in err


def test_batches_begin_end_and_change(api: Api, run: Run) -> None:
    path = "/v1/batches/CHO-17.2"
    api.answer("POST", "/v1/batches", 201, BATCH)
    api.answer("GET", path, 200, BATCH, ETag='"3"')
    api.answer("PATCH", path, 200, {**BATCH, "version": 4})
    api.answer("POST", f"{path}/end", 200, {**BATCH, "ended_at": "2026-03-09T15:00:00.000Z"})
    code, out, err = run("batches", "start", "CHO-17.2", "--section", "cold", "--at", "2026-03-01T09:00:00+01:00")
    assert (code, "goes on" in out, "is made" in err) == (0, True, True)
    assert api.seen[0].body == {"id": "CHO-17.2", "section": "cold", "started_at": "2026-03-01T08:00:00.000Z"}
    run("batches", "start", "CHO-17.2", "--section", "cold", "--name", "CHO 17")
    assert api.seen[1].body == {"id": "CHO-17.2", "section": "cold", "name": "CHO 17"}, "now, by the API's clock"
    assert "2026-03-09 15:00:00Z" in run("batches", "end", "CHO-17.2", "--at", "2026-03-09T15:00:00Z")[1]
    assert api.seen[2].body == {"at": "2026-03-09T15:00:00.000Z"}
    assert "CHO 17" in run("batches", "show", "CHO-17.2")[1]
    run("batches", "change", "CHO-17.2", "--started", "2026-03-02", "--no-ended")
    assert api.seen[-1].body == {"started_at": "2026-03-02T00:00:00.000Z", "ended_at": None}


def test_batches_are_listed_by_section_and_instant(api: Api, run: Run) -> None:
    api.answer_pages("/v1/batches", [[BATCH]])
    assert run("batches", "--section", "cold", "--at", "-2h")[0] == 0
    query = api.seen[0].query
    assert query["section"] == "cold"
    assert abs(parse_iso(query["at"]) / 1000 + 7_200 - datetime.now(UTC).timestamp()) < 60


def test_readings_of_a_batch_say_whose_they_are(api: Api, run: Run) -> None:
    api.answer_pages("/v1/batches/CHO-17.2/readings", [[{"chamber": "c1", **READING}], [{"chamber": "c2", **READING}]])
    code, out, err = run(
        "batches", "readings", "CHO-17.2", "--chamber", "c1", "--detector", "T1", "--from", "2026-03-01"
    )
    assert (code, "c1" in out, "c2" in out, "37.02" in out) == (0, True, True, True), err
    assert api.seen[0].query == {
        "chamber": "c1",
        "detector": "T1",
        "from": "2026-03-01T00:00:00.000Z",
        "limit": "1000",
    }
    assert len(json.loads(run("batches", "readings", "CHO-17.2", "--json")[1])["items"]) == 2


def test_chambers_of_a_batch_are_listed_with_their_times(api: Api, run: Run) -> None:
    stay = {"chamber": "c1", "from": "2026-03-01T08:00:00.000Z", "to": None}
    api.answer_pages("/v1/batches/B1/chambers", [[stay], [{**stay, "to": "2026-03-01T09:00:00.000Z"}]])
    code, out, err = run("batches", "chambers", "B1")
    assert (code, "2026-03-01 09:00:00Z" in out, "2 stays" in out) == (0, True, True), err


def test_readings_of_a_batch_as_csv(api: Api, run: Run) -> None:
    api.answer("GET", "/v1/batches/B1/readings", 200, "chamber,slot\r\nc1,x\r\n", Content_Type="text/csv")
    assert run("batches", "readings", "B1", "--csv")[1] == "chamber,slot\r\nc1,x\r\n"


def test_detectors_are_listed_renamed_and_switched(api: Api, run: Run) -> None:
    other = {"name": "co2/ppm", "unit": "[ppm]", "alias": None, "active": False}
    api.answer_pages("/v1/chambers/c1/detectors", [[DETECTOR, other]])
    api.answer("PATCH", "/v1/chambers/c1/detectors/temperature", 200, {**DETECTOR, "alias": None})
    api.answer("PATCH", "/v1/chambers/c1/detectors/co2%2Fppm", 200, {**other, "active": True})
    listed = run("detectors", "c1")[1]
    assert "T1" in listed
    assert "off" in listed
    assert json.loads(run("detectors", "c1", "T1", "--json")[1]) == DETECTOR
    assert run("detectors", "c1", "T1", "--no-alias")[0] == 0
    assert api.seen[-1].body == {"alias": None}
    assert "on" in run("detectors", "c1", "co2/ppm", "--on", "--alias", "CO2")[1]
    assert api.seen[-1].body == {"alias": "CO2", "active": True}
    code, _, err = run("detectors", "c1", "pH", "--off")
    assert (code, "name one of: temperature, co2/ppm" in err) == (4, True)


def test_a_chamber_is_changed_by_what_was_read(api: Api, run: Run) -> None:
    api.answer("GET", "/v1/chambers/c1", 200, CHAMBER, ETag='"7"')
    api.answer("PATCH", "/v1/chambers/c1", 200, {**CHAMBER, "version": 8})
    flags = "--section warm --name Box --url http://h --profile p --every 90s --timeout 500ms --round-span 5m"
    more = "--aligned --secret-ref env:T --insecure --label floor=2 --no-label room"
    code, _, err = run("change", "c1", *flags.split(), *more.split())
    assert code == 0, err
    assert api.seen[1].headers["If-Match"] == '"7"'
    assert api.seen[1].body == {
        "section": "warm",
        "name": "Box",
        "url": "http://h",
        "profile": "p",
        "interval_s": 90,
        "timeout_s": 0.5,
        "round_span_s": 300,
        "aligned": True,
        "secret_ref": "env:T",
        "verify_tls": False,
        "labels": {"floor": "2"},
    }
    run("change", "c1", "--no-round-span", "--no-secret-ref", "--no-aligned", "--verify", "--label", "room=3")
    assert api.seen[3].body == {
        "round_span_s": None,
        "secret_ref": None,
        "aligned": False,
        "verify_tls": True,
        "labels": {"room": "3"},
    }


def test_a_change_that_changes_nothing_says_so(api: Api, run: Run) -> None:
    api.answer("GET", "/v1/chambers/c1", 200, CHAMBER, ETag='"7"')
    api.answer("PATCH", "/v1/chambers/c1", 200, CHAMBER)
    assert "nothing changed" in run("change", "c1", "--name", CHAMBER["name"])[2]


@pytest.mark.parametrize(
    ("path", "argv"),
    [
        ("/v1/chambers/c1", ("change", "c1", "--name", "x")),
        ("/v1/sections/s1", ("sections", "change", "s1", "--name", "x")),
        ("/v1/batches/b1", ("batches", "change", "b1", "--name", "x")),
        ("/v1/organizations/o1", ("organizations", "change", "o1", "--name", "x")),
    ],
)
def test_somebody_else_was_faster(api: Api, run: Run, path: str, argv: tuple[str, ...]) -> None:
    api.answer("GET", path, 200, {"version": 7}, ETag='"7"')
    api.refuse("PATCH", path, 412, {"field": "If-Match", "problem": "it is at version 8", "remedy": "read it again"})
    code, out, err = run(*argv)
    assert (code, out, "it is at version 8" in err) == (5, "", True)


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (("change", "c1"), "error: usage: nothing is to be changed"),
        (("sections", "change", "cold"), "error: usage: nothing is to be changed"),
        (("change", "c1", "--round-span", "5m", "--no-round-span"), "error: round_span_s: both --round-span and"),
        (("change", "c1", "--secret-ref", "env:T", "--no-secret-ref"), "error: secret_ref: both --secret-ref and"),
        (("change", "c1", "--label", "x"), "error: labels: 'x' is not KEY=VALUE"),
        (("batches", "change", "b", "--ended", "now", "--no-ended"), "error: ended: both --ended and --no-ended"),
        (("batches", "readings", "b", "--csv", "--json"), "error: format: both --json and --csv"),
        (("batches", "start", "B 1", "--section", "cold", "--at", "soon"), "error: at: 'soon' is not a time"),
        (("batches", "show", ".."), "error: id: '..' is not a batch id"),
        (("sections", "show", "A"), "error: id: 'A' is not a section's id"),
        (("detectors", "c1", "--off"), "error: detector: which one is to be changed is not said"),
        (("detectors", "c1", "T", "--alias", "a", "--no-alias"), "error: alias: both --alias and --no-alias"),
    ],
)
def test_what_contradicts_itself_is_refused_before_anything_is_sent(
    api: Api, run: Run, argv: tuple[str, ...], words: str
) -> None:
    code, out, err = run(*argv)
    assert (code, out, words in err) == (4, "", True), err
    assert api.seen == []


def test_a_key_that_may_not_is_told(api: Api, run: Run) -> None:
    api.refuse("POST", "/v1/organizations", 403, {"field": "key", "problem": "no deployment key", "remedy": "use one"})
    assert run("organizations", "add", "o1")[0] == 7
    assert run("organizations", "show", "o1")[0] == 3


def test_the_query_of_a_list_is_the_group_s_own(api: Api, run: Run) -> None:
    def page(seen: Seen) -> tuple[int, Any, dict[str, str]]:
        return 200, {"items": [SECTION] * int(seen.query["limit"]), "next_cursor": "x"}, {}

    api.answers["GET", "/v1/sections"] = page
    assert len(json.loads(run("sections", "--limit", "2", "--json")[1])["items"]) == 2
