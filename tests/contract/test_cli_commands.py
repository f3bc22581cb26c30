"""The data commands against a real HTTP server that answers as the API does: what is sent and printed, exit codes."""

import json
import socket
from datetime import UTC, datetime, timedelta

import pytest

from collector.domain.instants import parse_iso
from tests.contract.api_documents import CHAMBER, GAP, PROOF, READING
from tests.contract.scripted_api import KEY, Api, Run, Seen


def test_add_sends_what_was_given_and_nothing_else(api: Api, run: Run) -> None:
    api.answer("POST", "/v1/chambers", 201, CHAMBER)
    code, out, err = run("add", "incubator-3", "http://192.168.1.20", "--profile", "airgradient", "--every", "1m")
    assert code == 0
    assert "incubator-3" in out
    assert "enrolled" in err
    [seen] = api.seen
    assert (seen.method, seen.path) == ("POST", "/v1/chambers")
    assert seen.headers["Authorization"] == f"Bearer {KEY}"
    assert seen.headers["Content-Type"] == "application/json"
    assert seen.body == {
        "id": "incubator-3",
        "url": "http://192.168.1.20",
        "profile": "airgradient",
        "section": "default",
        "interval_s": 60,
        "labels": {},
        "aligned": False,
        "verify_tls": True,
    }


def test_add_sends_all_that_it_can(api: Api, run: Run) -> None:
    api.answer("POST", "/v1/chambers", 200, CHAMBER)
    given = "--profile p --every 500ms --section cold --timeout 0.2s --name Box --round-span 5m --secret-ref env:T"
    code, _, err = run(
        "add", "c1", "http://h", *given.split(), "--label", "a=1", "--label", "b=x=y", "--aligned", "--insecure"
    )
    assert code == 0
    assert "already" in err
    assert api.seen[0].body == {
        "id": "c1",
        "url": "http://h",
        "profile": "p",
        "section": "cold",
        "interval_s": 0.5,
        "timeout_s": 0.2,
        "round_span_s": 300,
        "name": "Box",
        "secret_ref": "env:T",
        "labels": {"a": "1", "b": "x=y"},
        "aligned": True,
        "verify_tls": False,
    }


def test_set_interval_changes_only_what_it_read(api: Api, run: Run) -> None:
    api.answer("GET", "/v1/chambers/incubator-3", 200, CHAMBER, ETag='"7"')
    api.answer("PATCH", "/v1/chambers/incubator-3", 200, {**CHAMBER, "interval_s": 30, "version": 8})
    code, out, _ = run("set-interval", "incubator-3", "30s", "--json")
    assert code == 0
    assert json.loads(out)["interval_s"] == 30
    assert api.seen[1].headers["If-Match"] == '"7"'
    assert api.seen[1].body == {"interval_s": 30}


def test_pause_resume_collect_and_retire(api: Api, run: Run) -> None:
    paused = {
        **CHAMBER,
        "status": "paused",
        "paused": {"since": GAP["first_slot"], "reason": "door", "by": "", "until": None},
    }
    api.answer("POST", "/v1/chambers/incubator-3/pause", 200, paused)
    api.answer("POST", "/v1/chambers/incubator-3/resume", 200, CHAMBER)
    api.answer("POST", "/v1/chambers/incubator-3/collect", 200, {**READING, "adhoc": True, "stored": True})
    api.answer("DELETE", "/v1/chambers/incubator-3", 200, {**CHAMBER, "status": "retiring"})
    assert "door" in run("pause", "incubator-3", "--reason", "door", "--until", "2099-01-01T08:00:00+01:00")[1]
    assert run("resume", "incubator-3")[0] == 0
    assert "37.02" in run("collect", "incubator-3", "--force")[1]
    assert "retiring" in run("retire", "incubator-3", "--reason", "moved")[1]
    assert api.seen[0].body == {"reason": "door", "until": "2099-01-01T07:00:00.000Z"}
    assert api.seen[1].body is None
    assert api.seen[2].body == {"force": True}
    assert api.seen[3].query == {"reason": "moved"}


def test_a_pause_may_last_a_duration(api: Api, run: Run) -> None:
    api.answer("POST", "/v1/chambers/c1/pause", 200, CHAMBER)
    assert run("pause", "c1", "--until", "30m")[0] == 0
    until = datetime.fromisoformat(api.seen[0].body["until"])
    assert timedelta(minutes=29) < until - datetime.now(UTC) <= timedelta(minutes=30)


def test_list_reads_all_pages_and_filters(api: Api, run: Run) -> None:
    api.answer_pages("/v1/chambers", [[CHAMBER], [{**CHAMBER, "id": "incubator-4"}]])
    code, out, _ = run("list", "--section", "cold", "--status", "collecting", "-q", "incu", "--json")
    assert code == 0
    assert json.loads(out) == {"items": [CHAMBER, {**CHAMBER, "id": "incubator-4"}], "next_cursor": None}
    assert api.seen[0].query == {"section": "cold", "status": "collecting", "q": "incu", "limit": "1000"}
    assert api.seen[1].query["cursor"] == "1"


def test_list_stops_at_its_limit(api: Api, run: Run) -> None:
    api.answer_pages("/v1/chambers", [[CHAMBER], [CHAMBER]])
    code, out, _ = run("list", "--limit", "1", "--json")
    assert (code, len(json.loads(out)["items"]), len(api.seen)) == (0, 1, 1)
    assert api.seen[0].query["limit"] == "1"


def test_tables_say_utc_units_and_quality(api: Api, run: Run) -> None:
    api.answer_pages("/v1/chambers", [[CHAMBER]])
    api.answer_pages("/v1/chambers/incubator-3/readings", [[READING]])
    api.answer_pages("/v1/chambers/incubator-3/gaps", [[GAP]])
    listed, readings, gaps = (run(*c)[1] for c in (("list",), ("readings", "incubator-3"), ("gaps", "incubator-3")))
    assert "2026-03-01 12:00:17Z" in listed
    assert "1m" in listed
    assert "temperature Cel" in readings
    assert "co2 [ppm]" in readings, "no markup"
    assert "missing" in readings
    assert "door service" in gaps
    assert "\x1b" not in listed + readings + gaps


def test_readings_ask_for_the_range_that_was_given(api: Api, run: Run) -> None:
    api.answer_pages("/v1/chambers/c1/readings", [[READING]])
    code, out, _ = run(
        "readings", "c1", "temperature", "--from", "2026-03-01", "--to", "2026-03-01T13:00:00Z", "--json"
    )
    assert code == 0
    assert json.loads(out)["items"] == [READING]
    query = api.seen[0].query
    assert (query["from"], query["to"]) == ("2026-03-01T00:00:00.000Z", "2026-03-01T13:00:00.000Z")
    assert (query["detector"], query["limit"]) == ("temperature", "1000")


def test_a_range_that_is_not_given_is_left_to_the_clock_of_the_api(api: Api, run: Run) -> None:
    api.answer_pages("/v1/chambers/c1/gaps", [[]])
    api.answer("GET", "/v1/chambers/c1/audit", 200, PROOF)
    assert (run("gaps", "c1")[0], run("audit", "c1")[0]) == (0, 0)
    assert [set(s.query) & {"from", "to"} for s in api.seen] == [set(), set()]


def test_a_relative_range_ends_now(api: Api, run: Run) -> None:
    api.answer_pages("/v1/chambers/c1/readings", [[]])
    assert run("readings", "c1", "--from", "-2h")[0] == 0
    query = api.seen[0].query
    assert parse_iso(query["to"]) - parse_iso(query["from"]) == 7_200_000
    assert abs(parse_iso(query["to"]) / 1000 - datetime.now(UTC).timestamp()) < 60


def test_csv_follows_the_pages_with_one_heading(api: Api, run: Run) -> None:
    def page(seen: Seen) -> tuple[int, str, dict[str, str]]:
        is_last = "cursor" in seen.query
        following = {} if is_last else {"Link": '</v1/chambers/c1/readings?cursor=b>; rel="next"'}
        return 200, f"slot,value\r\n{2 if is_last else 1},20\r\n", {"Content-Type": "text/csv", **following}

    api.answers["GET", "/v1/chambers/c1/readings"] = page
    code, out, _ = run("readings", "c1", "--csv", "--limit", "20000")
    assert (code, out.splitlines()) == (0, ["slot,value", "1,20", "2,20"])
    assert [s.headers["Accept"] for s in api.seen] == ["text/csv", "text/csv"]
    assert [s.query["limit"] for s in api.seen] == ["10000", "10000"]


def test_bins_are_of_the_only_detector_if_none_is_named(api: Api, run: Run) -> None:
    detector = {"name": "temperature", "unit": "Cel", "alias": "T1", "active": True}
    bins = [
        {
            "start": READING["slot"],
            "min": 1,
            "mean": 2,
            "max": 3,
            "count": 4,
            "worst_quality": "good",
            "gap_reason": None,
        }
    ]
    api.answer_pages("/v1/chambers/c1/detectors", [[detector]])
    api.answer_pages("/v1/chambers/c1/readings", [bins])
    code, out, _ = run("readings", "c1", "--points", "1", "--json")
    assert (code, json.loads(out)["items"]) == (0, bins)
    assert (api.seen[1].query["detector"], api.seen[1].query["points"]) == ("temperature", "1")
    assert run("readings", "c1", "T1", "--points", "1")[0] == 0


@pytest.mark.parametrize(
    ("changes", "code"),
    [({}, 0), ({"pending": 3}, 0), ({"unaccounted": 1}, 1), ({"overdue": 2}, 2), ({"unaccounted": 1, "overdue": 2}, 1)],
)
def test_audit_exits_by_its_result(api: Api, run: Run, changes: dict[str, int], code: int) -> None:
    api.answer("GET", "/v1/chambers/c1/audit", 200, {**PROOF, **changes})
    api.answer("GET", "/v1/audit", 200, {**PROOF, **changes})
    assert run("audit", "c1")[0] == code
    found, out, _ = run("audit", "--from", "2026-03-01", "--json")
    assert (found, json.loads(out)) == (code, {**PROOF, **changes})
    assert [s.query for s in api.seen] == [{}, {"from": "2026-03-01T00:00:00.000Z"}]


def test_audit_names_the_offenders(api: Api, run: Run) -> None:
    offender = {"chamber": "incubator-9", "unaccounted": 4, "overdue": 0}
    api.answer("GET", "/v1/audit", 200, {**PROOF, "unaccounted": 4, "offenders": [offender]})
    assert "incubator-9" in run("audit")[1]


def test_profiles_are_listed(api: Api, run: Run) -> None:
    units = {"co2": "[ppm]", "temperature": "Cel", "pm1": "ug/m3"}
    told = "Air of a room. Read over the local network."
    profile = {"name": "airgradient", "description": told, "checked": "recorded", "measurements": units}
    profile |= {"version": "0f3a9c5be21d", "origin": "built_in", "problem": ""}
    api.answer_pages("/v1/profiles", [[profile]])
    assert "Air of a room  co2 and 2 more" in run("profiles")[1]
    assert json.loads(run("profiles", "--json")[1])["items"] == [profile]


ERROR = {"field": "interval_s", "problem": "0.5 s is out of range", "remedy": "give 1 to 86400 seconds"}


@pytest.mark.parametrize(
    ("status", "errors", "code", "shown"),
    [
        (422, [ERROR], 4, "error: interval_s: 0.5 s is out of range\nremedy: give 1 to 86400 seconds\n"),
        (422, [ERROR, {**ERROR, "field": "url"}], 4, "error: url: "),
        (400, [], 4, "error: request: it cannot be\n"),
        (428, [], 4, "error: request: it cannot be\n"),
        (413, [], 4, "error: request: it cannot be\n"),
        (401, [], 7, "error: api_key: it cannot be\nremedy: give a valid key"),
        (403, [], 7, "error: api_key: it cannot be\nremedy: give a valid key"),
        (404, [], 3, "error: id: it cannot be\nremedy: `chamberlog list`"),
        (409, [{**ERROR, "field": "id", "problem": "it is taken"}], 5, "error: id: it is taken\n"),
        (412, [], 5, "error: request: it cannot be\n"),
        (503, [], 6, "error: api: it cannot be\nremedy: try again in 5 s\n"),
        (504, [{**ERROR, "field": "timeout_s"}], 6, "error: timeout_s: "),
        (500, [], 6, "error: api: it cannot be\n"),
    ],
)
def test_a_refusal_is_told_by_field_and_remedy(
    api: Api, run: Run, *, status: int, errors: list[dict[str, str]], code: int, shown: str
) -> None:
    api.refuse("POST", "/v1/chambers", status, *errors)
    found, out, err = run("add", "c1", "http://h", "--profile", "p", "--every", "1m", "--json")
    assert (found, out) == (code, "")
    assert shown in err


@pytest.mark.parametrize(
    ("argv", "code", "shown"),
    [
        (["add", "c1", "http://h", "--profile", "p", "--every", "10"], 4, "error: interval_s: '10' is not a duration"),
        (["add", "c1", "http://h", "--profile", "p", "--every", "1m", "--label", "x"], 4, "error: labels: 'x' is not"),
        (["add", "c1", "http://h", "--every", "1m"], 4, "error: usage: Missing option '--profile'"),
        (["add", "c1"], 4, "error: usage: Missing argument"),
        (["readings", "c1", "--from", "soon"], 4, "error: from: 'soon' is not a time"),
        (["readings", "c1", "--plot", "--json"], 4, "error: format: more than one"),
        (["readings", "c1", "--limit", "0"], 4, "error: usage: "),
        (["pause", "c1", "--until", "-5m"], 4, "error: until: '-5m' is not in the future"),
        (["set-interval", "c1", "fast"], 4, "error: interval_s: 'fast' is not a duration"),
        (["show", "No Chamber"], 4, "error: id: 'No Chamber' is not a chamber id"),
        (["show", ".."], 4, "error: id: '..' is not a chamber id"),
        (["shwo", "c1"], 4, "remedy: see `chamberlog --help`"),
        (["list", "--colour"], 4, "remedy: see `chamberlog list --help`"),
    ],
)
def test_what_cannot_be_meant_is_refused_before_anything_is_sent(
    api: Api, run: Run, argv: list[str], code: int, shown: str
) -> None:
    found, out, err = run(*argv)
    assert (found, out) == (code, "")
    assert shown in err
    assert api.seen == []


def test_an_unknown_detector_is_told_with_those_that_there_are(api: Api, run: Run) -> None:
    detectors = [{"name": n, "unit": "Cel", "alias": None, "active": True} for n in ("inside", "outside")]
    api.answer_pages("/v1/chambers/c1/detectors", [detectors])
    for argv in (["readings", "c1", "--plot"], ["readings", "c1", "humidity", "--plot"]):
        code, _, err = run(*argv)
        assert code == 4
        assert "remedy: name one of: inside, outside" in err


def test_an_api_that_is_away_is_named_with_what_to_try(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{unused.getsockname()[1]}"
        code, out, err = run("list", "--api", address, "--api-key", KEY)
    assert (code, out) == (6, "")
    assert f"error: api: {address} (from --api) does not answer" in err
    assert "remedy: " in err
    assert "chamberlog up" in err


def test_something_else_at_the_address_is_told(api: Api, run: Run) -> None:
    api.answer("GET", "/v1/audit", 200, "<html>a router</html>", Content_Type="text/html")
    code, _, err = run("audit")
    assert code == 6
    assert "not with JSON" in err


def test_help_needs_no_server_and_names_every_command(run: Run) -> None:
    code, out, _ = run("--help")
    assert code == 0
    names = (
        "up env worker api migrate add list show pause resume collect set-interval retire readings gaps audit simulate"
    )
    assert [name for name in names.split() if f" {name} " not in out] == []
    assert run()[1] == out
