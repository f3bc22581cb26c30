"""Record the histories again: `.venv/bin/python tests/replay/record.py [NAME ...]`.

Histories stay as they are for as long as chambers that were started under them may run: a new shape gets a new name,
and an old file is replaced only together with `workflow.patched` being taken out again.
"""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from temporalio.client import WorkflowHandle
from temporalio.testing import WorkflowEnvironment

from tests.replay.scenarios import SCENARIOS, Scenario
from tests.workflow.servers import time_skipping
from tests.workflow.stage import staged

FOLDER = Path(__file__).with_name("histories")


async def record(env: WorkflowEnvironment, name: str, scenario: Scenario) -> None:
    """Play a scenario and write the history of its first run."""
    async with staged(env, scenario.spec, scenario.doubles(), **scenario.state) as stage:
        await scenario.play(stage)
        first: WorkflowHandle[object, object] = env.client.get_workflow_handle(
            stage.handle.id, run_id=stage.handle.first_execution_run_id
        )
        history = await first.fetch_history()
    document = without_stacks(json.loads(history.to_json()))
    (FOLDER / f"{name}.json").write_text(json.dumps(document, indent=2))


def without_stacks(part: Any) -> Any:
    """The history without stack traces: nothing replays them, and they show where the recorder keeps its files."""
    if isinstance(part, dict):
        return {key: without_stacks(value) for key, value in part.items() if key != "stackTrace"}
    return [without_stacks(item) for item in part] if isinstance(part, list) else part


async def main(names: list[str]) -> None:
    """Record the named scenarios, all without names."""
    for name in names or SCENARIOS:
        async with time_skipping() as env:
            await record(env, name, SCENARIOS[name])


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
