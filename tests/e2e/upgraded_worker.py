"""Workers of the next releases, for the tests of upgrades: `python -m tests.e2e.upgraded_worker [1 | 2]`.

Each release has one command more in each round than the one before, as docs/upgrades.md says it is to be done.
"""

import sys

from temporalio import workflow

from collector import wire
from collector.domain.cadence import RoundPlan
from collector.messages import ChamberState
from workers.__main__ import main
from workflows.chamber import ChamberWorkflow

FIRST_PATCH, SECOND_PATCH, UNDONE = (
    "rounds-name-their-release",
    "rounds-name-the-second-release",
    "nobody-needs-the-name",
)
MEMO_FIRST, MEMO_SECOND = "first", "second"


@workflow.defn(name=wire.CHAMBER_WORKFLOW)
class NextChamber(ChamberWorkflow):
    """The next release: one command more before each round, behind a patch."""

    @workflow.init
    def __init__(self, state: ChamberState) -> None:
        super().__init__(state)

    @workflow.run
    async def run(self, state: ChamberState) -> str:
        return await super().run(state)

    async def _round(self, plan: RoundPlan) -> None:
        if workflow.patched(FIRST_PATCH):
            workflow.upsert_memo({MEMO_FIRST: True})
        await super()._round(plan)


@workflow.defn(name=wire.CHAMBER_WORKFLOW)
class SecondChamber(NextChamber):
    """The release after the next: another command before each round, behind another patch."""

    @workflow.init
    def __init__(self, state: ChamberState) -> None:
        super().__init__(state)

    @workflow.run
    async def run(self, state: ChamberState) -> str:
        return await super().run(state)

    async def _round(self, plan: RoundPlan) -> None:
        await super()._round(plan)
        if workflow.patched(SECOND_PATCH):
            workflow.upsert_memo({MEMO_SECOND: True})


@workflow.defn(name=wire.CHAMBER_WORKFLOW)
class UndoneChamber(ChamberWorkflow):
    """The way back from `NextChamber`: runs that made its command go on making it, no new run does."""

    @workflow.init
    def __init__(self, state: ChamberState) -> None:
        super().__init__(state)

    @workflow.run
    async def run(self, state: ChamberState) -> str:
        return await super().run(state)

    async def _round(self, plan: RoundPlan) -> None:
        if not workflow.patched(UNDONE) and workflow.patched(FIRST_PATCH):
            workflow.upsert_memo({MEMO_FIRST: True})
        await super()._round(plan)


@workflow.defn(name=wire.CHAMBER_WORKFLOW)
class UnpatchedChamber(ChamberWorkflow):
    """What may not be released: the command of `NextChamber` without its patch."""

    @workflow.init
    def __init__(self, state: ChamberState) -> None:
        super().__init__(state)

    @workflow.run
    async def run(self, state: ChamberState) -> str:
        return await super().run(state)

    async def _round(self, plan: RoundPlan) -> None:
        workflow.upsert_memo({MEMO_FIRST: True})
        await super()._round(plan)


RELEASES = {"1": NextChamber, "2": SecondChamber}

if __name__ == "__main__":
    sys.exit(main(RELEASES[sys.argv[1]]))
