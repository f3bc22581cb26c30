"""`chamberlog live` against a real HTTP server that sends events."""

import json
import time
from typing import Any

import pytest

from cli.event_stream import Event, events_of
from tests.contract.api_documents import GAP, READING
from tests.contract.scripted_api import Api, Run, Seen
from tests.unit.json_schemas import check

LIVE = "/v1/live"


def event(kind: str, number: int | None, **data: Any) -> str:
    head = f"event: {kind}\n" + ("" if number is None else f"id: {number}\n")
    return f"{head}data: {json.dumps(data)}\n\n"


def reading(number: int, chamber: str = "c1") -> str:
    return event("reading", number, chamber=chamber, section="cold", reading=READING)


def gap(number: int, **changes: Any) -> str:
    run = {name: GAP[name] for name in ("first_slot", "last_slot", "reason", "detail")}
    return event("gap", number, chamber="c2", section="cold", gap=run | changes)


def stream(api: Api, *parts: str) -> None:
    """What each connection gets, the last one again and again."""
    left = list(parts)

    def answer(_: Seen) -> tuple[int, str, dict[str, str]]:
        return 200, left.pop(0) if len(left) > 1 else left[0], {"Content-Type": "text/event-stream"}

    api.answers["GET", LIVE] = answer


def test_readings_and_gaps_are_lines(api: Api, run: Run) -> None:
    stream(
        api,
        ": alive\n\n" + reading(1) + gap(2) + gap(3, last_slot=None) + gap(4, last_slot=GAP["first_slot"], detail=""),
    )
    code, out, err = run("live", "--chamber", "c1", "--section", "cold", "--count", "4")
    assert code == 0, err
    assert out.splitlines() == [
        "2026-03-01 12:00:17Z c1 temperature 37.02 Cel, co2 missing [ppm]",
        "2026-03-01 11:00:17Z c2 gap to 2026-03-01 11:09:17Z, paused: door service",
        "2026-03-01 11:00:17Z c2 gap still open, paused: door service",
        "2026-03-01 11:00:17Z c2 gap, paused",
    ]
    assert (api.seen[0].query, api.seen[0].headers["Accept"]) == (
        {"chamber": "c1", "section": "cold"},
        "text/event-stream",
    )


def test_json_is_an_object_a_line(api: Api, run: Run) -> None:
    stream(api, event("interrupted", None, reason="away") + reading(1) + event("dropped", None, events=7) + gap(2))
    out = run("live", "--count", "2", "--json")[1]
    zeroth, first, second, third = (json.loads(line) for line in out.splitlines())
    assert zeroth == {"event": "interrupted", "reason": "away"}
    for line in (zeroth, first, second, third):
        check("live", line)
    assert first == {"event": "reading", "chamber": "c1", "section": "cold", "reading": READING}
    assert second == {"event": "dropped", "events": 7}
    assert third["gap"]["reason"] == "paused"


def test_a_stream_that_breaks_goes_on_behind_the_last_event(api: Api, run: Run) -> None:
    stream(api, reading(1), reading(2, "c2"))
    code, out, err = run("live", "--count", "2")
    assert (code, len(out.splitlines())) == (0, 2), err
    assert "connecting again" in err
    assert [seen.headers.get("Last-Event-ID") for seen in api.seen[:2]] == [None, "1"]


def test_what_is_not_data_goes_to_standard_error(api: Api, run: Run) -> None:
    stream(
        api,
        event("interrupted", None, reason="away")
        + event("resumed", None)
        + event("dropped", None, events=3)
        + reading(1),
    )
    code, out, err = run("live", "--count", "1")
    assert (code, len(out.splitlines())) == (0, 1)
    assert "interrupted: away" in err
    assert "goes on" in err
    assert "3 events were left out" in err


def test_it_ends_when_the_time_is_over(api: Api, run: Run) -> None:
    stream(api, ": alive\n\n")
    began = time.monotonic()
    assert run("live", "--for", "300ms")[:2] == (0, "")
    assert time.monotonic() - began < 5


@pytest.mark.parametrize(("status", "code"), [(401, 7), (404, 3), (422, 4), (503, 6)])
def test_a_refusal_at_first_ends_it(api: Api, run: Run, status: int, code: int) -> None:
    api.refuse("GET", LIVE, status)
    found, out, err = run("live")
    assert (found, out, "it cannot be" in err) == (code, "", True)


def test_a_key_that_is_revoked_meanwhile_ends_it(api: Api, run: Run) -> None:
    last = reading(1) + event("closed", None, reason="this API key is not valid any more")
    left = [(200, last, {"Content-Type": "text/event-stream"}), (401, {"detail": "no valid key"}, {})]
    api.answers["GET", LIVE] = lambda _: left.pop(0) if len(left) > 1 else left[0]
    code, out, err = run("live")
    assert (code, len(out.splitlines()), "no valid key" in err) == (7, 1, True)
    assert "ended the stream: this API key is not valid" in err


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("data: {}\n\n", [Event()]),
        ("event: a\ndata: {\ndata: }\nid: 7\n\n", [Event("a", {}, "7")]),
        ("event: a\n\nevent: b\ndata: {}\n", []),
        ("retry: 3000\n: events begin\n\ndata: {}\n\n", [Event()]),
        ("data\n\ndata: x\n\ndata: 3\n\n", [Event(), Event(data={"text": "x"}), Event(data={"value": 3})]),
        (": alive\n\n\n\n:\n\n", []),
    ],
)
def test_a_stream_is_read_as_the_standard_says(text: str, found: list[Event]) -> None:
    assert list(events_of(text.splitlines())) == found
