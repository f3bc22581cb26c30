"""Keeping the ledger in order: room for what comes, hours for long curves, seals of whole days, dropping old ones."""

import logging
from collections.abc import Awaitable, Callable
from datetime import date

from collector.domain.errors import ChamberlogError
from collector.domain.instants import iso
from collector.domain.sealing import DAY_MS, MaintenanceOutcome, day_of
from collector.ports import Clock, LedgerMaintenance

log = logging.getLogger(__name__)

AHEAD_DAYS = 14
"""Partitions are there before they are needed, although nobody looks after the ledger for two weeks."""
GRACE_DAYS = 2
"""A day is sealed when it has ended so long ago: what waited in Temporal for 31 h is stored by then."""
BUDGET_MS = 10 * 60_000
"""Each step begins nothing new after this long, and the next hour's run carries on: a ledger that was never looked
after takes several, and each of them shows what it did."""


class MaintainLedger:
    """Makes partitions, rolls up, seals, and drops days where a retention is set.

    Running it twice changes nothing more. Each step commits by itself, and one that fails stops no other.

    Args:
        ledger: to be kept in order.
        retention_days: whole days whose readings are kept; None = for ever.
        clock: of this process: what is dropped is gone, so the store's clock is not believed alone.
    """

    def __init__(self, ledger: LedgerMaintenance, retention_days: int | None, clock: Clock) -> None:
        self._ledger, self._retention_days, self._clock = ledger, retention_days, clock

    async def __call__(self) -> MaintenanceOutcome:
        """One run.

        Raises:
            AwayError: the store cannot be reached: nothing was done.
        """
        now_ms = await self._ledger.now_ms()
        sealable = day_of(now_ms - (GRACE_DAYS + 1) * DAY_MS)
        done = MaintenanceOutcome()
        await self._step(done, "partitions", lambda: self._make_room(done))
        await self._step(done, "hours", lambda: self._roll_up(done))
        await self._step(done, "seals", lambda: self._seal(done, sealable))
        if self._retention_days is not None:
            keep_from = day_of(min(now_ms, self._clock.now_ms()) - self._retention_days * DAY_MS)
            await self._step(done, "retention", lambda: self._drop(done, keep_from))
        await self._step(done, "retained from", lambda: self._say_retained(done))
        return done

    async def _step(self, done: MaintenanceOutcome, name: str, step: Callable[[], Awaitable[None]]) -> None:
        try:
            await step()
        except ChamberlogError as error:
            done.failures.append(f"{name}: {error}")
        except Exception as error:  # the other steps must not wait until a defect of this one is repaired
            log.exception("maintenance: %s", name)
            done.failures.append(f"{name}: {type(error).__name__}: {error}")

    async def _make_room(self, done: MaintenanceOutcome) -> None:
        done.partitions_made = await self._ledger.ensure_partitions(AHEAD_DAYS)

    async def _roll_up(self, done: MaintenanceOutcome) -> None:
        end_ms = await self._ledger.now_ms() + BUDGET_MS
        complete = False
        while not complete and await self._ledger.now_ms() < end_ms:
            portion = await self._ledger.roll_up()
            done.hours_rolled_up += portion.rows
            complete = portion.complete

    async def _seal(self, done: MaintenanceOutcome, through: date) -> None:
        end_ms = await self._ledger.now_ms() + BUDGET_MS
        for day in await self._ledger.days_to_seal(through):
            if await self._ledger.now_ms() >= end_ms:
                return
            sealing = await self._ledger.seal(day)
            if sealing.sealed:
                done.days_sealed.append(day.isoformat())
            else:
                done.days_not_sealed.append(str(sealing))

    async def _drop(self, done: MaintenanceOutcome, keep_from: date) -> None:
        end_ms = await self._ledger.now_ms() + BUDGET_MS
        while await self._ledger.now_ms() < end_ms:
            day = await self._ledger.oldest_day()
            if day is None or day >= keep_from:
                return
            why = await self._ledger.drop_day(day)
            if why:  # never past a day that has to stay
                done.days_not_dropped.append(why)
                return
            done.days_dropped.append(day.isoformat())

    async def _say_retained(self, done: MaintenanceOutcome) -> None:
        retained_ms = await self._ledger.retained_from()
        done.retained_from = iso(retained_ms) if retained_ms else ""
