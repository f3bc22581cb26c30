"""Completion: the script that `--show-completion` prints, in a real bash, against a real HTTP server."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.contract.api_documents import BATCH, CHAMBER, DETECTOR, ORGANIZATION, PROFILE, SECTION
from tests.contract.scripted_api import KEY, Api, Seen

BIN = Path(sys.executable).parent
ASK = """
COMP_WORDS=($WORDS); COMP_CWORD=$(( ${#COMP_WORDS[@]} - 1 ))
$FUNCTION chamberlog
printf '%s\\n' "${COMPREPLY[@]}"
"""
Complete = Callable[[str], list[str]]


def output_of(command: list[str], environment: dict[str, str], home: Path) -> "subprocess.CompletedProcess[str]":
    """Run it in a directory in which no stack runs."""
    return subprocess.run(command, env=environment, cwd=home, capture_output=True, text=True, check=False, timeout=50)


@pytest.fixture
def environment(api: Api, tmp_path: Path) -> dict[str, str]:
    path = f"{BIN}:{os.environ['PATH']}"
    return {
        "PATH": path,
        "HOME": str(tmp_path),
        "CHAMBERLOG_API": api.url,
        "CHAMBERLOG_API_KEY": KEY,
        "LANG": "C.UTF-8",
    }


@pytest.fixture
def complete(environment: dict[str, str], tmp_path: Path) -> Complete:
    """What bash offers for the last word of a command line."""
    script = output_of(["bash", "-c", "chamberlog --show-completion; true"], environment, tmp_path).stdout
    function = script.partition("()")[0].strip()
    assert "complete -o default -F" in script, script

    def ask(words: str) -> list[str]:
        quoted = " ".join(f"'{word}'" for word in words.split(" "))
        program = script + ASK.replace("$WORDS", quoted).replace("$FUNCTION", function)
        done = output_of(["bash", "--norc", "-c", program], environment, tmp_path)
        assert done.stderr == ""
        return [word for word in done.stdout.split("\n") if word]

    return ask


def serve(api: Api) -> None:
    def chambers(seen: Seen) -> tuple[int, Any, dict[str, str]]:
        found = [{**CHAMBER, "id": name} for name in ("incubator-3", "incubator-4", "box-incubator")]
        return 200, {"items": [c for c in found if seen.query.get("q", "") in c["id"]], "next_cursor": None}, {}

    api.answers["GET", "/v1/chambers"] = chambers
    api.answer_pages("/v1/chambers/incubator-3/detectors", [[DETECTOR]])
    for name, thing in (
        ("sections", SECTION),
        ("batches", BATCH),
        ("organizations", ORGANIZATION),
        ("profiles", PROFILE),
    ):
        api.answer_pages(f"/v1/{name}", [[thing]])


def test_commands_and_flags_need_no_api(api: Api, complete: Complete) -> None:
    assert complete("chamberlog se") == ["set-interval", "sections"]
    assert "pause" in complete("chamberlog sections ")
    assert complete("chamberlog export --forma") == ["--format"]
    assert api.seen == []


def test_ids_and_names_come_from_the_api(api: Api, complete: Complete) -> None:
    serve(api)
    assert complete("chamberlog show inc") == ["incubator-3", "incubator-4"]
    assert complete("chamberlog sections pause ") == ["cold"]
    assert complete("chamberlog batches show C") == ["CHO-17.2"]
    assert complete("chamberlog organizations show b") == ["biologics"]
    assert complete("chamberlog add c9 http://h --profile a") == ["airgradient"]
    assert complete("chamberlog readings incubator-3 ") == ["temperature", "T1"]
    assert complete("chamberlog list --section x") == []


def test_an_api_that_does_not_answer_is_not_waited_for(api: Api, complete: Complete) -> None:
    def slow(_: Seen) -> tuple[int, Any, dict[str, str]]:
        time.sleep(20)
        return 200, {"items": [CHAMBER], "next_cursor": None}, {}

    api.answers["GET", "/v1/chambers"] = slow
    began = time.monotonic()
    assert complete("chamberlog show inc") == []
    assert time.monotonic() - began < 15, "one second, and the start of two programs on a busy machine"


def test_nothing_is_said_when_there_is_no_api(environment: dict[str, str], complete: Complete) -> None:
    for name, value in (("CHAMBERLOG_API", ""), ("CHAMBERLOG_API", "http://127.0.0.1:9"), ("CHAMBERLOG_API", "no url")):
        environment[name] = value
        assert complete("chamberlog show inc") == []


@pytest.mark.parametrize(
    ("shell", "file"),
    [
        ("bash", ".bash_completions/chamberlog.sh"),
        ("zsh", ".zfunc/_chamberlog"),
        ("fish", ".config/fish/completions/chamberlog.fish"),
    ],
)
def test_each_shell_gets_its_script(environment: dict[str, str], tmp_path: Path, shell: str, file: str) -> None:
    """The shell is known by its name among the parents, which a bash by another name has too."""
    bash = shutil.which("bash")
    assert bash is not None
    disguised = tmp_path / "bin" / shell
    disguised.parent.mkdir()
    shutil.copy(bash, disguised)
    shown, done = (
        output_of([str(disguised), "-c", f"chamberlog --{verb}-completion; exit $?"], environment, tmp_path)
        for verb in ("show", "install")
    )
    assert f"complete_{shell}" in shown.stdout
    assert (done.returncode, "completion installed" in done.stdout) == (0, True), done.stderr
    assert f"complete_{shell}" in (tmp_path / file).read_text()
