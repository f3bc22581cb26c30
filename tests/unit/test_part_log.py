"""What `up` itself has to tell to machines: each change of a part once."""

import json
import logging
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from adapters.logs import log_to_file
from stack.part_log import PartLog
from stack.supervisor import State


def keeper(state: State, pid: int | None, problem: str = "", *, failed: bool = False) -> Any:
    """A part as its supervisor shows it."""
    part = SimpleNamespace(name="api")
    return SimpleNamespace(part=part, state=state, pid=pid, problem=problem, failed=failed, restarts=1)


def test_a_part_s_life_is_told(tmp_path: Path) -> None:
    log = PartLog(log_to_file("parts of a test", tmp_path / "stack.log", "chamberlog-stack"))
    log.changed(keeper(State.STARTING, 7))
    log.changed(keeper(State.UP, 7))
    log.changed(keeper(State.UP, 7))
    log.changed(keeper(State.RESTARTING, None, "killed by signal 9"))
    log.changed(keeper(State.RESTARTING, 8, "killed by signal 9"))
    log.changed(keeper(State.UP, 8, "killed by signal 9"))
    log.changed(keeper(State.DOWN, None, "died 5 times", failed=True))
    log.close()
    log.close()
    lines = [json.loads(line) for line in (tmp_path / "stack.log").read_text().splitlines()]
    assert [(line["level"], line["message"], line.get("chamberlog.part.problem")) for line in lines] == [
        ("info", "part starts", None),
        ("info", "part is up", None),
        ("warning", "part has died", "killed by signal 9"),
        ("info", "part starts", None),
        ("info", "part is up", None),
        ("error", "part has died", "died 5 times"),
    ]
    assert {line["chamberlog.part"] for line in lines} == {"api"}
    assert not logging.getLogger("parts of a test").handlers
