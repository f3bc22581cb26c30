"""Commands that start processes: where they look, what they say when nothing runs, and that help loads none of them."""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from cli.__main__ import main
from cli.exits import ExitCode

HEAVY = [
    *("adapters", "asyncpg", "bench", "chaos", "fastapi", "plotext", "pyarrow", "pydantic", "stack.up", "temporalio"),
    *("uvicorn", "workers", "simulator", "yaml"),
]


@pytest.fixture(autouse=True)
def nothing_runs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("CHAMBERLOG_POSTGRES", "CHAMBERLOG_HOME", "CHAMBERLOG_API", "CHAMBERLOG_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)


def test_env_without_a_stack_says_how_to_start_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["env"]) == ExitCode.AWAY
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "error: stack: no stack runs in" in captured.err
    assert "chamberlog up" in captured.err


def test_migrate_without_a_database_names_what_to_give(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["migrate"]) == ExitCode.AWAY
    assert "error: postgres: no address" in capsys.readouterr().err


def test_up_refuses_what_is_no_duration_before_it_starts_anything(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert main(["up", "--for", "60"]) == ExitCode.REFUSED
    assert "error: for: '60' is not a duration" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_up_refuses_a_dialect_that_is_none(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["up", "--dialects", "airgradient,daykin"]) == ExitCode.REFUSED
    said = capsys.readouterr().err
    assert "error: dialects: 'daykin' is no dialect" in said
    assert "remedy: use all, or some of airgradient, generic-json" in said
    assert list(tmp_path.iterdir()) == []


def test_a_refusal_of_the_simulator_is_not_an_overdue_slot(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["simulate", "--devices", "none"]) == ExitCode.REFUSED
    assert main(["simulate", "--help"]) == ExitCode.FINE
    assert "--control-port" in capsys.readouterr().out


def test_a_process_that_cannot_start_is_not_an_unproved_slot(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert main(["simulate", "--devices", "1", "--series", str(tmp_path / "gone.csv")]) == ExitCode.REFUSED
    monkeypatch.setenv("CHAMBERLOG_API_PORT", "none")
    assert main(["api"]) == ExitCode.REFUSED
    monkeypatch.setenv("CHAMBERLOG_METRICS_PORT", "none")
    assert main(["worker"]) == ExitCode.REFUSED


def test_help_loads_no_process() -> None:
    code = f"import cli.app, json, sys; print(json.dumps([m for m in {HEAVY} if m in sys.modules]))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=True)
    assert json.loads(done.stdout) == []


def test_every_exit_code_is_documented() -> None:
    document = (Path(__file__).resolve().parents[2] / "docs/cli.md").read_text(encoding="utf-8")
    section = document.partition("## Exit codes")[2].partition("##")[0]
    assert [int(code) for code in re.findall(r"^\| (\d+) \|", section, re.MULTILINE)] == sorted(ExitCode)


def test_a_reader_that_ends_early_is_no_fault() -> None:
    program = f"exec 3>&1; {{ sleep 1; {sys.executable} -m cli --help; echo $? >&3; }} | true"
    done = subprocess.run(["bash", "-c", program], capture_output=True, text=True, timeout=40, check=False)
    assert (done.stdout.split(), done.stderr) == ([str(int(ExitCode.UNREAD))], "")


def test_bench_and_chaos_are_their_own_programs(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "--list", "--only", "fast"]) == ExitCode.FINE
    assert "1,000 x 5 s" in capfd.readouterr().out
    assert main(["chaos", "--list"]) == ExitCode.FINE
    assert "worker-kill" in capfd.readouterr().out
    assert main(["bench", "--help"]) == ExitCode.FINE
    assert "--no-peers" in capfd.readouterr().out


def test_wrong_arguments_of_bench_and_chaos_are_refused_input(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "--only", "fst"]) == ExitCode.REFUSED
    assert main(["chaos", "--flood"]) == ExitCode.REFUSED
    assert "invalid choice: 'fst'" in capfd.readouterr().err


def test_ctrl_c_is_left_to_the_program_that_runs() -> None:
    """The terminal sends it to both; the program says what it came to, and that is the answer."""
    script = """
import sys, time
from cli.commands.measuring import run_module
sys.exit(run_module("tests.unit.patient_program", ["2"]))
"""
    running = subprocess.Popen(
        ["env", "--default-signal=INT", sys.executable, "-c", script],  # whoever runs the tests may ignore it
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert running.stdout is not None
    assert running.stdout.readline() == "ready\n"
    os.killpg(running.pid, signal.SIGINT)
    assert (running.wait(timeout=20), running.stdout.read()) == (130, "stopped\n")
    running.stdout.close()


def test_parquet_without_its_library_says_what_to_install() -> None:
    code = "import sys; sys.modules['pyarrow'] = None; from cli.__main__ import main; sys.exit(main(sys.argv[1:]))"
    argv = ["export", "x.parquet", "--chamber", "c1", "--api", "http://127.0.0.1:9", "--api-key", "k"]
    done = subprocess.run([sys.executable, "-c", code, *argv], capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == ExitCode.REFUSED
    assert "error: format: Parquet needs pyarrow" in done.stderr
    assert "pip install 'chamberlog[parquet]'" in done.stderr
