"""The supervisor over real processes: restart with back-off, five deaths, order of stopping."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from stack.errors import StartFailedError
from stack.process import Child, Command, runs, spawn
from stack.supervisor import Keeper, Part, RestartRule, State, Supervisor

QUICK = RestartRule(deaths=5, window_s=60.0, first_wait_s=0.05, longest_wait_s=0.2)
SLEEP = "import time; time.sleep(60)"
PATIENCE_S = 10.0


class Stage:
    """A supervisor whose changes are kept."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.seen: list[tuple[str, State]] = []
        self.supervisor = Supervisor(self._changed, QUICK)
        self.starts: dict[str, int] = {}

    def part(self, name: str, code: str, ready: Callable[[], bool] = lambda: True) -> Part:
        command = Command([sys.executable, "-c", code], self.folder / f"{name}.log", grace_s=2.0)

        def start() -> Child:
            self.starts[name] = self.starts.get(name, 0) + 1
            return spawn(command)

        async def answers() -> bool:
            return ready()

        return Part(name, start, answers)

    def keeper(self, name: str) -> Keeper:
        return next(keeper for keeper in self.supervisor.keepers if keeper.part.name == name)

    def _changed(self, keeper: Keeper) -> None:
        if self.seen[-1:] != [(keeper.part.name, keeper.state)]:
            self.seen.append((keeper.part.name, keeper.state))


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    stage = Stage(tmp_path)
    yield stage
    await stage.supervisor.stop()


async def eventually(what: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not what():
        assert time.monotonic() < deadline, "it never happened"
        await asyncio.sleep(0.02)


async def test_a_part_is_starting_until_it_is_ready_and_down_after_its_stop(stage: Stage) -> None:
    doors: list[str] = []
    starting = asyncio.create_task(stage.supervisor.start([stage.part("api", SLEEP, lambda: bool(doors))], PATIENCE_S))
    await eventually(lambda: bool(stage.starts) and stage.keeper("api").pid is not None)
    assert stage.keeper("api").state is State.STARTING
    doors.append("open")
    await starting
    pid = stage.keeper("api").pid
    assert pid is not None
    assert runs(pid)

    await stage.supervisor.stop("api")

    assert stage.seen == [("api", State.STARTING), ("api", State.UP), ("api", State.DOWN)]
    assert not runs(pid)
    assert not stage.supervisor.failed


async def test_a_part_that_is_killed_is_started_again_and_says_why(stage: Stage) -> None:
    await stage.supervisor.start([stage.part("worker", SLEEP)], PATIENCE_S)
    keeper = stage.keeper("worker")
    first = keeper.pid
    assert first is not None

    os.kill(first, signal.SIGKILL)
    await eventually(lambda: keeper.state is State.UP and keeper.pid not in (None, first))

    assert keeper.restarts == 1
    assert keeper.problem == "killed by signal 9"
    assert [state for _, state in stage.seen] == [State.STARTING, State.UP, State.RESTARTING, State.UP]


async def test_five_deaths_in_the_window_and_it_stays_down(stage: Stage) -> None:
    part = stage.part("worker", "print('no such table'); raise SystemExit(3)", lambda: False)

    with pytest.raises(StartFailedError, match=r"worker: died 5 times in 60 s and stays down: ended with code 3"):
        await stage.supervisor.start([part], PATIENCE_S)

    assert stage.starts["worker"] == 5
    assert stage.keeper("worker").state is State.DOWN
    assert stage.supervisor.failed
    await asyncio.sleep(4 * QUICK.longest_wait_s)
    assert stage.starts["worker"] == 5, "it was started again"
    assert (stage.folder / "worker.log").read_text().count("no such table") == 5


async def test_deaths_outside_the_window_are_forgiven(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    stage.supervisor = Supervisor(lambda _: None, RestartRule(deaths=3, window_s=0.5, first_wait_s=0.3))
    await stage.supervisor.start([stage.part("worker", SLEEP)], PATIENCE_S)
    keeper = stage.keeper("worker")
    for _ in range(4):
        pid = keeper.pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        await eventually(lambda pid=pid: keeper.state is State.UP and keeper.pid not in (None, pid))  # type: ignore[misc]
        await asyncio.sleep(0.3)
    assert not stage.supervisor.failed
    await stage.supervisor.stop()


async def test_the_waits_double_up_to_the_longest() -> None:
    assert [RestartRule().wait_s(deaths) for deaths in (1, 2, 3, 4)] == [0.25, 0.5, 1.0, 2.0]
    assert RestartRule().wait_s(9) == 5.0


async def test_a_part_that_is_not_ready_in_time_is_named(stage: Stage) -> None:
    with pytest.raises(StartFailedError, match=r"api: is not ready after 0.3 s"):
        await stage.supervisor.start([stage.part("api", SLEEP, lambda: False)], 0.3)


async def test_a_program_that_cannot_be_executed_counts_as_dead(stage: Stage) -> None:
    missing = Command([stage.folder / "nothing-here"], stage.folder / "x.log")

    async def never() -> bool:
        return False

    with pytest.raises(StartFailedError, match=r"nothing-here could not be executed"):
        await stage.supervisor.start([Part("x", lambda: spawn(missing), never)], PATIENCE_S)


async def test_groups_are_stopped_in_their_order(stage: Stage) -> None:
    names = ("postgres", "worker", "worker-2", "api")
    await stage.supervisor.start([stage.part(name, SLEEP) for name in names], PATIENCE_S)
    stage.seen.clear()

    await stage.supervisor.stop("api", "worker", "postgres")

    downs = [name for name, state in stage.seen if state is State.DOWN]
    assert (downs[0], set(downs[1:3]), downs[3]) == ("api", {"worker", "worker-2"}, "postgres")


async def test_a_part_is_stopped_while_it_waits_for_its_restart(stage: Stage) -> None:
    with pytest.raises(StartFailedError):
        await stage.supervisor.start([stage.part("x", "raise SystemExit(1)", lambda: False)], 0.2)
    await stage.supervisor.stop("x")
    started = stage.starts["x"]
    await asyncio.sleep(2 * QUICK.longest_wait_s)
    assert stage.starts["x"] == started


async def test_one_part_is_stopped_and_started_later_while_the_others_run(stage: Stage) -> None:
    await stage.supervisor.start([stage.part(name, SLEEP) for name in ("postgres", "worker")], PATIENCE_S)
    keeper, other = stage.supervisor.keeper("postgres"), stage.supervisor.keeper("worker").pid
    first = keeper.pid

    await keeper.stop()
    assert (keeper.state, keeper.pid) == (State.DOWN, None)
    await asyncio.sleep(2 * QUICK.longest_wait_s)
    assert stage.starts["postgres"] == 1, "a part that was stopped is not started again by itself"

    keeper.start()
    await stage.supervisor.until_up(["postgres"], PATIENCE_S)
    assert keeper.pid not in (None, first)
    assert stage.supervisor.keeper("worker").pid == other
    os.kill(keeper.pid or 0, signal.SIGKILL)
    await eventually(lambda: stage.starts["postgres"] == 3 and keeper.state is State.UP)


async def test_a_part_that_runs_is_not_started_twice(stage: Stage) -> None:
    await stage.supervisor.start([stage.part("worker", SLEEP)], PATIENCE_S)
    pid = stage.keeper("worker").pid
    stage.keeper("worker").start()
    await asyncio.sleep(0.3)
    assert (stage.starts["worker"], stage.keeper("worker").pid) == (1, pid)


async def test_a_part_that_died_too_often_gets_a_new_chance_when_it_is_started_again(stage: Stage) -> None:
    doors: list[str] = []
    code = "import pathlib, time; time.sleep(60 if pathlib.Path('{}').exists() else 0)"
    door = stage.folder / "door"
    with pytest.raises(StartFailedError):
        await stage.supervisor.start([stage.part("api", code.format(door), lambda: bool(doors))], PATIENCE_S)
    assert stage.supervisor.failed
    door.touch()
    doors.append("open")
    stage.keeper("api").start()
    await stage.supervisor.until_up(["api"], PATIENCE_S)
    assert not stage.supervisor.failed


async def test_a_stopped_part_can_be_replaced_by_another_program(stage: Stage) -> None:
    await stage.supervisor.start([stage.part("worker", SLEEP), stage.part("api", SLEEP)], PATIENCE_S)
    await stage.keeper("worker").stop()
    await stage.supervisor.start([stage.part("worker", SLEEP + " # another")], PATIENCE_S)
    assert [keeper.part.name for keeper in stage.supervisor.keepers] == ["worker", "api"]
    assert stage.keeper("worker").state is State.UP


async def test_there_is_no_keeper_of_a_part_that_was_never_started(stage: Stage) -> None:
    with pytest.raises(KeyError):
        stage.supervisor.keeper("gateway")
