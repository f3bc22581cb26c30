"""The chaos suite's command line, its faults, its fleet and its report."""

from pathlib import Path

import pytest

from chaos.clock_worker import main as clock_worker
from chaos.deeds import process_of
from chaos.errors import ChaosError
from chaos.faults import long_faults, short_faults
from chaos.fleet import DEVICES, FAST, SLOW, bodies, chambers_of
from chaos.options import DEFAULT_HOME, listing, parse
from chaos.report import BEGIN, END, HEAD, Facts, all_kept, cells, document, fill, markdown
from chaos.verdict import BROKEN, KEPT, Row
from chaos.wrong_clock import WrongClock
from stack.fleet import now_ms
from stack.simulated import SimulatedDevice

FACTS = Facts("2026-01-02T03:04:05+00:00", "short", 61, 123.4, {"PostgreSQL": "18"})
GOOD = Row("deploy", 9.5, 100, 100, settled_s=0.3, allowed_slow=0, allowed_fast=0, live_p99_ms=4, verdict=KEPT)
BAD = Row("postgres+worker", 3.0, gaps_fast={"missed": 2}, complaints=["2 slots unaccounted"], notes=["a note"])


def names(*arguments: str) -> list[str]:
    return [fault.name for fault in parse(arguments).faults]


def test_by_default_all_faults_are_tried() -> None:
    plan = parse([])
    assert [fault.name for fault in plan.faults] == [fault.name for fault in long_faults()]
    assert (plan.form, plan.home, plan.json, plan.report, plan.left_out) == ("long", DEFAULT_HOME, None, None, [])
    assert len({fault.name for fault in plan.faults}) == len(plan.faults) == 16


def test_the_short_form_fits_into_two_and_a_half_minutes_with_the_start() -> None:
    wanted = {"worker-kill", "postgres-8s", "valkey-kill", "deploy", "postgres+worker"}
    assert set(names("--short")) == wanted
    assert sum(fault.lasts_s + fault.watch_s + 2 for fault in short_faults()) < 115


def test_only_some_in_their_own_order() -> None:
    assert names("--only", "deploy,worker-kill", "--only", "freeze") == ["worker-kill", "deploy", "freeze"]
    assert "freeze" in parse(["--only", "deploy"]).left_out


def test_fast_chambers_may_have_other_intervals(capsys: pytest.CaptureFixture[str]) -> None:
    assert parse(["--every", "2"]).every_s == (2,)
    assert parse(["--every", "1,5"]).every_s == (1, 5)
    devices = [SimulatedDevice(f"sim-{n:02d}", f"http://127.0.0.1:{n}/", "airgradient", n) for n in range(DEVICES)]
    assert [body["interval_s"] for body in bodies(devices, (2,))] == [2] * FAST + [60] * SLOW
    for wrong in ("0", "60", "2.5", "", "2,,5"):
        with pytest.raises(SystemExit, match="2"):
            parse(["--every", wrong])
        assert "such as 2 or 1,2,5" in capsys.readouterr().err


def test_an_unknown_fault_ends_the_process(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        parse(["--short", "--only", "freeze"])
    assert "there is no fault 'freeze' in this form" in capsys.readouterr().err


def test_the_list_has_a_line_for_each() -> None:
    lines = listing(parse(["--list"]).faults).splitlines()
    assert len(lines) == 16
    assert lines[0].startswith("worker-kill")


def test_the_fleet_has_every_interval_with_short_and_long_rounds_and_a_few_at_60_s() -> None:
    devices = [SimulatedDevice(f"sim-{n:02d}", f"http://127.0.0.1:{n}/", "airgradient", n) for n in range(DEVICES)]
    enrolled = bodies(devices)
    chambers = chambers_of(enrolled)
    assert sum(chamber.fast for chamber in chambers) == FAST >= 50
    assert [chamber.grid.interval_ms for chamber in chambers if not chamber.fast] == [60_000] * SLOW
    kinds = {(chamber.grid.interval_ms, chamber.span_ms) for chamber in chambers if chamber.fast}
    assert kinds == {(s * 1000, span) for s in (1, 2, 5, 10) for span in (None, 120_000)}
    assert [c.id for c in chambers] == [body["id"] for body in enrolled]


def test_a_report_says_what_is_broken_and_is_kept_only_as_a_whole() -> None:
    report = document(FACTS, [GOOD, BAD], ["freeze"])
    assert (report["kept"], report["duration_s"], report["left_out"]) == (False, 123, ["freeze"])
    text = markdown(report)
    assert "| deploy | 9.5 | 100 | 100 | 0 | 0 | 0 | 0 + 0 | 0 | 0 | 0 | 0 | 0 | 0 | 0.3 | 4 | kept |" in text
    assert "2 missed" in text
    assert "**broken**" in text
    assert "- postgres+worker: 2 slots unaccounted" in text
    assert "- postgres+worker: a note" in text
    assert "Left out of this run: freeze." in text
    assert len(cells(BAD.document())) == len(HEAD)


def test_nothing_tried_is_nothing_kept() -> None:
    assert all_kept([GOOD])
    assert not all_kept([])
    assert not all_kept([GOOD, BAD])
    assert BAD.verdict == BROKEN, "a row is broken unless it was found to be kept"


def test_a_page_is_filled_between_its_markers_again_and_again(tmp_path: Path) -> None:
    page = tmp_path / "chaos.md"
    page.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    fill(page, "new\n")
    fill(page, "newer\n")
    assert page.read_text() == f"before\n{BEGIN}\nnewer\n{END}\nafter\n"
    fill(tmp_path / "fresh.md", "new\n")
    assert "\nnew\n" in (tmp_path / "fresh.md").read_text()


@pytest.mark.parametrize("text", ["no markers\n", f"{END}\n{BEGIN}\n", f"{BEGIN}\n"])
def test_a_page_without_markers_is_left_alone(tmp_path: Path, text: str) -> None:
    page = tmp_path / "page.md"
    page.write_text(text)
    with pytest.raises(ChaosError, match="has not the lines"):
        fill(page, "new\n")
    assert page.read_text() == text


def test_a_wrong_clock_is_wrong_by_what_it_was_told() -> None:
    clock = WrongClock(3_000)
    before = now_ms()
    assert before + 3_000 <= clock.now_ms() <= now_ms() + 3_000
    assert clock.monotonic_ms() <= WrongClock(-5).monotonic_ms()


def test_a_worker_with_a_wrong_clock_must_be_told_how_wrong() -> None:
    with pytest.raises(SystemExit, match="2"):
        clock_worker([])


def test_the_process_of_a_worker_stands_in_its_identity() -> None:
    assert process_of("chamberlog-worker/4711@host:1a2b-402653/0f0f0f") == 4711
    assert process_of("4711@host") is None
    assert process_of("") is None
