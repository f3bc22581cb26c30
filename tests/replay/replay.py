"""Replay histories of a fleet with this tree's workflow: `.venv/bin/python tests/replay/replay.py FILE ...`.

A file is what `temporal workflow show -w chamber/ID --output json` prints. The exit code is 1 when one does not fit.
"""

import asyncio
import sys
from pathlib import Path

from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer, UnsandboxedWorkflowRunner

from workflows.chamber import ChamberWorkflow


async def misfit(history: WorkflowHistory) -> str:
    """Replay one history; answers why it does not fit, empty when it does."""
    replayer = Replayer(workflows=[ChamberWorkflow], workflow_runner=UnsandboxedWorkflowRunner())
    result = await replayer.replay_workflow(history, raise_on_replay_failure=False)
    return "" if result.replay_failure is None else f"{type(result.replay_failure).__name__}: {result.replay_failure}"


def main(names: list[str]) -> int:
    """Replay each; 1 when one does not fit."""
    problems = {name: asyncio.run(misfit(WorkflowHistory.from_json(name, Path(name).read_text()))) for name in names}
    for name, problem in problems.items():
        sys.stdout.write(f"{name}: {problem or 'fits'}\n")
    return 1 if any(problems.values()) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
