"""What the Temporal peers do outside of their workflows: one request, one INSERT."""

import math
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import httpx
from temporalio import activity

if TYPE_CHECKING:
    import asyncpg

READ, FETCH, STORE = "read", "fetch", "store"
NAMES = ("temperature", "humidity", "co2", "pressure", "serial")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Target:
    """What is read: the chamber's number, its device's URL, the slot in milliseconds since the Unix epoch."""

    number: int
    url: str
    slot_ms: int


@dataclass(frozen=True, slots=True)
class Answer:
    """The numbers of a device's answer, and when they were asked for and came."""

    requested_ms: int
    received_ms: int
    values: list[float]


class PeerActivities:
    """Fetch and store, by what the whole process shares.

    Args:
        http: client of all devices.
        pool: connections to the readings' database.
        insert: the statement that stores a reading.
    """

    def __init__(self, http: httpx.AsyncClient, pool: "asyncpg.Pool[asyncpg.Record]", insert: str) -> None:
        self._http, self._pool, self._insert = http, pool, insert

    @activity.defn(name=READ)
    async def read(self, target: Target) -> None:
        """Fetch and store. A second attempt reads the device anew, and may store the slot twice."""
        await self._save(target, await self._fetch(target.url))

    @activity.defn(name=FETCH)
    async def fetch(self, target: Target) -> Answer:
        """Fetch. A second attempt reads the device anew."""
        return await self._fetch(target.url)

    @activity.defn(name=STORE)
    async def store(self, target: Target, answer: Answer) -> None:
        """Store. A second attempt may store the slot twice."""
        await self._save(target, answer)

    async def _fetch(self, url: str) -> Answer:
        requested_ms = time.time_ns() // 1_000_000
        answer = await self._http.get(url)
        received_ms = time.time_ns() // 1_000_000
        answer.raise_for_status()
        return Answer(requested_ms, received_ms, numbers(answer.json()))

    async def _save(self, target: Target, answer: Answer) -> None:
        instants = (instant(ms) for ms in (target.slot_ms, answer.requested_ms, answer.received_ms))
        await self._pool.execute(self._insert, target.number, *instants, answer.values)


def numbers(document: dict[str, float]) -> list[float]:
    """The five numbers of a device's answer.

    Raises:
        ValueError: one of them is none, or is not finite.
    """
    found = [float(document[name]) for name in NAMES]
    if not all(map(math.isfinite, found)):
        raise ValueError(f"a number is not finite: {found}")
    return found


def instant(ms: int) -> datetime:
    """Milliseconds since the Unix epoch, exactly."""
    return EPOCH + timedelta(milliseconds=ms)
