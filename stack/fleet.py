"""What the stack does with the fleet: enrol and resume when it starts, pause and drain when it stops."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

from stack.api_client import FleetApi, instant_ms
from stack.errors import FleetError
from stack.simulated import is_simulated

STOP_REASON = "stack stopped"
AT_ONCE = 8
"""Requests side by side: enough to enrol 500 chambers in seconds, few enough not to starve a small machine."""
DRAIN_POLL_S = 0.5
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Collecting:
    """The fleet from the instant on which all of it collects.

    Attributes:
        from_ms: the start of the enrolment, or the end of the resuming if a chamber had to be resumed.
        chambers: how many chambers collect.
    """

    from_ms: int
    chambers: int


@dataclass(frozen=True, slots=True)
class Paused:
    """The fleet after the stack has paused it.

    Attributes:
        to_ms: every slot before was collected, or should have been.
        chambers: how many were paused now.
        refused: what went wrong, one text a chamber.
    """

    to_ms: int
    chambers: int
    refused: list[str]


async def start_fleet(api: FleetApi, simulated: list[dict[str, Any]]) -> Collecting:
    """Enrol the simulated chambers; resume what the last stop paused; pause simulated chambers without a device.

    Again: enrols nothing new. A chamber that a person paused stays paused.

    Args:
        api: the API.
        simulated: bodies of the chambers that have a simulated device in this run.

    Raises:
        FleetError: the API refused or is away.
    """
    from_ms = now_ms()
    await _all(api.enrol(chamber) for chamber in simulated)
    present = {chamber["id"] for chamber in simulated}
    chambers = await api.chambers()
    absent = [c for c in chambers if is_simulated(c) and c["id"] not in present]
    await _all(api.pause(chamber["id"], STOP_REASON) for chamber in absent if not chamber.get("paused"))
    able = [chamber for chamber in chambers if chamber not in absent]
    stopped = [chamber for chamber in able if (chamber.get("paused") or {}).get("reason") == STOP_REASON]
    await _all(api.resume(chamber["id"]) for chamber in stopped)
    running = [chamber for chamber in able if not chamber.get("paused")]
    return Collecting(now_ms() if stopped else from_ms, len(running) + len(stopped))


async def pause_fleet(api: FleetApi) -> Paused:
    """Pause every chamber that is not paused, with the reason by which the next start knows them. Again: nothing.

    A chamber that cannot be paused is reported, the others are paused all the same.

    Raises:
        FleetError: the chambers cannot even be listed.
    """
    began_ms = now_ms()
    collecting = [c for c in await api.chambers() if not c.get("paused") and c.get("status") != "retiring"]
    answers = await _all(_try_pause(api, chamber["id"]) for chamber in collecting)
    refused = [answer for answer in answers if isinstance(answer, str)]
    since = [_since_ms(answer) for answer in answers if not isinstance(answer, str)]
    return Paused(min([began_ms, *(ms for ms in since if ms is not None)]), len(collecting) - len(refused), refused)


async def drain(api: FleetApi, span: tuple[int, int], give_up: Callable[[], bool], show: Callable[[str], None]) -> None:
    """Wait until every slot of the range has its outcome in the database, or until told to give up.

    Args:
        api: the API.
        span: from inclusive, to exclusive, in milliseconds.
        give_up: asked at every poll.
        show: told how many slots are open.
    """
    while not give_up():
        try:
            audit = await api.audit(*span)
        except FleetError as error:
            show(f"waiting for the API: {error}")
        else:
            left = audit["pending"] + audit["overdue"]
            if not left:
                return
            show(f"waiting until {left} slots are saved")
        await asyncio.sleep(DRAIN_POLL_S)


def now_ms() -> int:
    """The wall clock."""
    return time.time_ns() // 1_000_000


async def _try_pause(api: FleetApi, chamber_id: str) -> dict[str, Any] | str:
    try:
        return await api.pause(chamber_id, STOP_REASON)
    except FleetError as error:
        return str(error)


def _since_ms(chamber: dict[str, Any]) -> int | None:
    since = (chamber.get("paused") or {}).get("since")
    return instant_ms(since) if isinstance(since, str) else None


async def _all(works: Iterable[Awaitable[T]]) -> list[T]:
    """Await all, at most `AT_ONCE` at a time; the first error is raised once all have ended."""
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(work: Awaitable[T]) -> T:
        async with gate:
            return await work

    answers = await asyncio.gather(*(one(work) for work in works), return_exceptions=True)
    for answer in answers:
        if isinstance(answer, BaseException):
            raise answer
    return [answer for answer in answers if not isinstance(answer, BaseException)]
