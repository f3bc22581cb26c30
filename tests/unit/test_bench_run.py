"""A run of trials that do nothing: order, failures, names, directories."""

from pathlib import Path
from typing import Any

import pytest

from bench.errors import BenchError
from bench.run import Results, run_all
from bench.trials import Group, Trial
from stack.scratch import Say


def trial(name: str, group: Group = Group.WORKLOADS, error: Exception | None = None) -> Trial:
    async def run(folder: Path, say: Say) -> dict[str, Any]:
        say("at work")
        if error is not None:
            raise error
        return {"name": name, "folder": folder.name}

    return Trial(name, group, "", in_quick=True, of_peer=False, run=run)


async def run(*batches: list[Trial]) -> tuple[Results, str]:
    lines: list[str] = []
    results = await run_all(batches, Path("home"), lines.append, patience_s=0.0)
    return results, "".join(lines)


async def test_each_result_stands_with_its_group_in_the_order_of_the_run() -> None:
    results, lines = await run([trial("b")], [trial("a"), trial("k", Group.KILL)])
    assert results.asked == ["b", "a", "k"]
    assert [found["name"] for found in results.found[Group.WORKLOADS]] == ["b", "a"]
    assert results.found[Group.KILL] == [{"name": "k", "folder": "k"}]
    assert results.found[Group.PEERS] == []
    assert "part 1 of 2: b (0.0 min" in lines
    assert "part 2 of 2: a, k" in lines
    assert "at work" in lines


async def test_what_fails_is_said_and_the_others_go_on(capsys: pytest.CaptureFixture[str]) -> None:
    absent, defect = BenchError("there is no node"), ZeroDivisionError("nobody thought of it")
    results, lines = await run([trial("x", error=absent), trial("y", error=defect)], [trial("z")])
    assert results.failed == {"x": "there is no node", "y": "ZeroDivisionError: nobody thought of it"}
    assert [found["name"] for found in results.found[Group.WORKLOADS]] == ["z"]
    assert "not measured: there is no node" in lines
    traces = capsys.readouterr().err
    assert "nobody thought of it" in traces
    assert "no node" not in traces, "an error that explains itself needs no trace"


async def test_a_machine_that_does_not_get_quiet_is_noted() -> None:
    results, lines = await run([trial("a")])
    assert results.restless == ["a"]
    assert "busy with something else; a begins all the same" in lines
