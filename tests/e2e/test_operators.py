"""What operators do, with the real `temporal` and `chamberlog` command lines on the real stack."""

import json
import os
import signal
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from collector.domain.cadence import grid_of
from tests.e2e.live_listener import Listener
from tests.e2e.running_stack import (
    SCRAPE,
    RunningStack,
    code_lines,
    eventually,
    instant_ms,
    stack_at,
)

ROOT = Path(__file__).parents[2]
README, HOWTO = ROOT / "README.md", ROOT / "docs/howto/pause-a-section.md"
pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300), pytest.mark.xdist_group("operators")]


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    """A stack of twelve chambers from 1 s to 60 s."""
    home = tmp_path_factory.mktemp("operators") / ".chamberlog"
    with stack_at(home) as running:
        url = running.json("show sim-12")["url"]
        for chamber, every, span in (("single", "5s", "5s"), ("rounds", "1s", "25s")):
            running.json(f"add {chamber} {url} --profile generic-json --every {every} --round-span {span}")
        yield running


def paused_chambers(stack: RunningStack) -> set[str]:
    """Chambers that Temporal lists as paused."""
    query = 'ChamberStatus="paused" AND ExecutionStatus="Running"'
    done = stack.shell(f"temporal workflow list --query '{query}' -o json")
    assert done.returncode == 0, done.stderr
    return {row["execution"]["workflowId"] for row in json.loads(done.stdout or "[]")}


def test_a_signal_pauses_one_chamber_and_resume_goes_on_on_the_same_grid(stack: RunningStack) -> None:
    pause = 'temporal workflow signal -w chamber/sim-03 --name pause --input \'{"reason":"door"}\''
    assert pause.replace("sim-03", "sim-05") in code_lines(HOWTO, "temporal"), "the page says it so"
    assert any(line.startswith(pause.replace("sim-03", "sim-05")) for line in code_lines(README, "temporal"))
    assert stack.shell(pause).returncode == 0
    eventually(lambda: stack.status("sim-03")["status"] == "paused")
    eventually(lambda: "chamber/sim-03" in paused_chambers(stack))
    eventually(lambda: [gap["last_slot"] for gap in stack.json("gaps sim-03")["items"]][-1:] == [None])
    run = stack.json("gaps sim-03")["items"][-1]
    assert (run["reason"], run["detail"]) == ("paused", "door")
    held = stack.readings("sim-03")
    eventually(lambda: stack.json("gaps sim-03")["items"][-1]["slots"] >= 3)
    assert stack.readings("sim-03") == held, "no reading while paused"

    assert stack.shell("temporal workflow signal -w chamber/sim-03 --name resume").returncode == 0
    eventually(lambda: len(stack.readings("sim-03")) > len(held) + 1)
    eventually(lambda: stack.json("gaps sim-03")["items"][-1]["last_slot"] is not None)
    run = stack.json("gaps sim-03")["items"][-1]
    slots = [instant_ms(reading["slot"]) for reading in stack.readings("sim-03")]
    grid = grid_of("sim-03", 2_000)
    assert all(slot == grid.at_or_after(slot) for slot in slots)
    later = [slot for slot in slots if slot > instant_ms(run["first_slot"])]
    assert later[0] == instant_ms(run["last_slot"]) + 2_000
    assert "chamber/sim-03" not in paused_chambers(stack)


IGNORED = [
    ('--name pause --input \'{"until":"yesterday"}\'', "until 'yesterday' is not an instant"),
    ("--name pause --input 42", "42 is not an object"),
    ("--name pause --input '\"x\"'", "'x' is not an object"),
    ("--name pause --input null", "None is not an object"),
    ("--name pause --input 1 --input 2", "2 inputs instead of one"),
    ("--name pause --input-file BIGFILE", "(1000002 characters) is not an object"),
    ("--name set_interval --input '\"soon\"'", "'soon' is not a number of seconds"),
    ("--name nonsense --input '{}'", "unknown signal 'nonsense'"),
    ("--name nonsense", "unknown signal 'nonsense' with 0 inputs"),
]


def test_signals_that_nobody_can_understand_change_nothing_and_are_shown(stack: RunningStack, tmp_path: Path) -> None:
    big = tmp_path / "big.json"
    big.write_text('"' + "a" * 1_000_000 + '"')
    for arguments, _ in IGNORED:
        sent = arguments.replace("BIGFILE", str(big))
        done = stack.shell(f"temporal workflow signal -w chamber/sim-01 {sent}")
        assert done.returncode == 0, done.stderr
    eventually(lambda: len(stack.status("sim-01")["notes"]) >= len(IGNORED))
    details = stack.details("sim-01")
    for _, shown in IGNORED:
        assert shown in details
    before = len(stack.readings("sim-01"))
    eventually(lambda: len(stack.readings("sim-01")) >= before + 3)
    assert stack.status("sim-01")["status"] == "collecting"


def test_the_readme_commands_run_and_a_whole_section_is_paused(stack: RunningStack) -> None:
    commands = [line for page in (HOWTO, README) for line in code_lines(page, "temporal")]
    commands += code_lines(README, "chamberlog")
    assert len(commands) >= 9
    section = [c for c in commands if "ChamberSection" in c]
    for command in commands:
        done = stack.shell(command)
        assert done.returncode == 0, f"{command}: {done.stderr}"
        if command == section[0]:
            eventually(lambda: len(paused_chambers(stack)) >= 12)
    eventually(lambda: not paused_chambers(stack))
    assert stack.status("sim-06")["interval_ms"] == 10_000


def test_history_costs_eleven_events_for_a_slot_of_its_own_and_below_a_third_in_a_round(stack: RunningStack) -> None:
    """Between two round ends of one run, signals excluded; the time-skipping tests do 60 s and rounds of 300 s."""
    eventually(lambda: len(_quiet_costs(stack.history("rounds"))) >= 1, 120)
    eventually(lambda: len(_quiet_costs(stack.history("single"))) >= 3, 60)
    history = stack.history("single")
    assert _dearer_than(history, 11) == []
    assert set(_quiet_costs(history)) == {11}
    assert max(_quiet_costs(stack.history("rounds"))) / 25 <= 0.3


def test_no_serial_is_stored_twice_and_each_within_its_window(stack: RunningStack) -> None:
    eventually(lambda: stack.json("audit")["stored"] > 60, 60)
    chambers = [chamber for chamber in stack.json("list")["items"] if chamber["id"].startswith("sim-")]
    stored = {chamber["id"]: stack.readings(chamber["id"]) for chamber in chambers}
    served = _served(stack.home / "simulator" / "served.jsonl")
    compared = 0
    for chamber in chambers:
        counter = "boot_count" if chamber["profile"] == "airgradient" else "serial"
        seen: dict[int, str] = {}
        for reading in stored[chamber["id"]]:
            serial = int(reading["measurements"][counter]["value"])
            slot = instant_ms(reading["slot"])
            assert serial not in seen, f"{chamber['id']}: serial {serial} under {seen[serial]} and {reading['slot']}"
            seen[serial] = reading["slot"]
            window = 60_000 if chamber["id"] == "sim-06" else chamber["interval_s"] * 1000
            assert slot <= served[chamber["id"], serial] + 50, "served before its slot"
            assert served[chamber["id"], serial] < slot + window, "served after its slot's deadline"
            compared += 1
    assert compared > 50


def test_a_live_stream_outlives_valkey_and_shows_every_reading_that_is_stored(stack: RunningStack) -> None:
    eventually(lambda: stack.status("rounds")["status"] == "collecting")
    url, key = stack.environment["CHAMBERLOG_API"], stack.environment["CHAMBERLOG_API_KEY"]
    with Listener(f"{url}/v1/live?chamber=rounds", key) as listener:
        eventually(lambda: listener.names.count("reading") >= 3)
        os.kill(json.loads((stack.home / "stack.json").read_text())["pids"]["valkey"], signal.SIGKILL)
        eventually(lambda: "resumed" in listener.names or listener.fault is not None)
        assert listener.fault is None, listener.names
        before = len(listener.slots())
        eventually(lambda: len(listener.slots()) >= before + 4)
    assert [name for name in listener.names if name != "reading"] in (
        ["interrupted", "resumed"],
        ["interrupted", "resumed", "dropped"],  # its file is written each second: the stream itself may be lost
    )
    slots = listener.slots()
    kept = [item["slot"] for item in stack.readings("rounds") if slots[0] <= item["slot"] <= slots[-1]]
    if "dropped" not in listener.names:
        assert sorted(set(slots)) == kept


def test_metrics_agree_with_the_ledger(stack: RunningStack) -> None:
    port = json.loads((stack.home / "ports.json").read_text())["worker"]
    before = stack.json("audit")["stored"]
    samples = _samples(f"http://127.0.0.1:{port}/metrics")
    after = stack.json("audit")["stored"]
    readings = samples["chamberlog_collections_total", "reading"]
    assert before <= readings <= after
    assert samples["chamberlog_collection_lateness_seconds_count", ""] == readings
    assert samples["chamberlog_fetch_duration_seconds_count", ""] >= readings
    assert samples.get(("chamberlog_outcomes_unsaved", ""), 0) == 0
    assert stack.shell(SCRAPE).returncode == 0


def test_the_audit_accounts_for_every_slot(stack: RunningStack) -> None:
    done = stack.shell("chamberlog audit --json")
    proof = json.loads(done.stdout)
    assert done.returncode == 0, done.stdout
    assert proof["unaccounted"] == proof["overdue"] == 0
    assert proof["expected"] == proof["stored"] + sum(proof["gaps"].values()) + proof["pending"]


def _samples(url: str) -> dict[tuple[str, str], float]:
    """Values by name and outcome."""
    text = httpx.get(url, trust_env=False, timeout=5).text
    families = text_string_to_metric_families(text)
    return {(sample.name, sample.labels.get("outcome", "")): sample.value for f in families for sample in f.samples}


def _is_round(event: dict[str, object]) -> bool:
    attributes = event.get("activityTaskScheduledEventAttributes")
    return isinstance(attributes, dict) and attributes["activityType"]["name"] == "collect"


def _round_ends(events: list[dict[str, object]]) -> list[int]:
    scheduled = {event["eventId"] for event in events if _is_round(event)}
    ends = []
    for event in events:
        completed = event.get("activityTaskCompletedEventAttributes")
        if isinstance(completed, dict) and completed["scheduledEventId"] in scheduled:
            ends.append(int(str(event["eventId"])))
    return ends


CHANGES = ("UPSERT_WORKFLOW_SEARCH_ATTRIBUTES", "WORKFLOW_PROPERTIES_MODIFIED")
"""A status; and the version under which the registry wrote what a signal had changed, which comes a round later."""


def _quiet_costs(events: list[dict[str, object]]) -> list[int]:
    """Events from one round's end to the next one's, where nobody interfered; the first round is a start."""
    return [b - a for a, b in _quiet_rounds(events)]


def _quiet_rounds(events: list[dict[str, object]]) -> list[tuple[int, int]]:
    """Ids of the events at which each such round began and ended; a change of status or version is one of its own."""
    asked = [int(str(e["eventId"])) for e in events if "SIGNALED" in str(e["eventType"])]
    changed = [int(str(e["eventId"])) for e in events if str(e["eventType"]).removeprefix("EVENT_TYPE_") in CHANGES]
    rounds = pairwise(_round_ends(events)[1:])
    calm = ((a, b) for a, b in rounds if not any(a < event <= b for event in changed))
    return [(a, b) for a, b in calm if not any(a - 11 < event < b for event in asked)]


def _dearer_than(events: list[dict[str, object]], cost: int) -> list[list[str]]:
    """What happened in the rounds that took more events."""
    kinds = {int(str(e["eventId"])): str(e["eventType"]).removeprefix("EVENT_TYPE_") for e in events}
    dear = ((a, b) for a, b in _quiet_rounds(events) if b - a > cost)
    return [[kinds[event] for event in range(a + 1, b + 1)] for a, b in dear]


def _served(log: Path) -> dict[tuple[str, int], int]:
    rows = (json.loads(line) for line in log.read_text().splitlines())
    return {(row["device"], row["serial"]): row["served_ms"] for row in rows if row["serial"] is not None}
