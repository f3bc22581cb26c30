"""The worker's composition root: the one place where its adapters are chosen."""

import asyncio
import logging
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from temporalio.client import Client
from temporalio.runtime import Runtime

from activities.clock_skew import ClockSkew
from activities.collection import CollectionActivities, CollectionUses
from activities.maintenance import MaintenanceActivities
from activities.reconcile import ReconcileActivities
from adapters.clock import SystemClock
from adapters.egress_files import load_policies
from adapters.http_device import HttpDeviceClient
from adapters.instruments import Instruments
from adapters.logs import start_logging
from adapters.memory import InMemoryLatest, InMemoryLive
from adapters.postgres.answers import PostgresAnswers
from adapters.postgres.events import PostgresEvents
from adapters.postgres.fleet_rows import PostgresFleetRows
from adapters.postgres.maintenance import LOCK_TIMEOUT, PostgresMaintenance
from adapters.postgres.pool import Postgres, Watch
from adapters.postgres.profiles import PostgresProfiles
from adapters.postgres.upkeep import PostgresUpkeep
from adapters.postgres.writer import PostgresOutcomes
from adapters.process import collect_rarely, make_runner, read_settings, shown_servers
from adapters.profile_files import FileProfiles, builtin_profiles_folder
from adapters.redis.opening import open_redis
from adapters.secrets import FileAndEnvSecrets
from adapters.telemetry import (
    MetricsServer,
    Telemetry,
    make_tracing,
    observe_rounds,
    open_telemetry,
    serve_metrics,
)
from adapters.temporal_client import connect, connect_lazily, register_search_attributes, shown_target
from adapters.temporal_clock import TemporalServerClock
from adapters.temporal_control import TemporalFleet
from adapters.temporal_rounds import TemporalRounds, tells_workers_apart, worker_identity
from adapters.temporal_runs import TemporalRuns
from adapters.temporal_schedules import ensure_schedules
from collector.domain.egress_proxy import EgressProxy, parse_proxy
from collector.domain.errors import EngineAwayError, InvalidFieldError
from collector.ports import Clock, LatestCache, LiveFeed, RunningRounds, Tracing
from collector.usecases.collect import CollectRound
from collector.usecases.collect_adhoc import CollectAdhoc
from collector.usecases.events import RecordEvent
from collector.usecases.fetch import FetchReading
from collector.usecases.keep_answers import KeepAnswers
from collector.usecases.maintain import MaintainLedger
from collector.usecases.map_answer import MapAnswer
from collector.usecases.profiles import PinnedProfiles
from collector.usecases.reconcile import ReconcileFleet
from collector.usecases.signal_events import RecordSignals
from collector.usecases.store import StoreOutcomes
from workers.clock_watch import ClockWatch
from workers.failover import BEAT
from workers.readiness import Readiness
from workers.settings import WorkerSettings

__all__ = ["SERVICE", "collect_rarely", "load_settings", "make_runner", "parts_of", "rehearse", "start_logging"]
SERVICE = "chamberlog-worker"
AGAIN_S = 2.0
T = TypeVar("T")
log = logging.getLogger(__name__)


def load_settings() -> WorkerSettings:
    """Read the environment.

    Raises:
        InvalidFieldError: names the variable; never quotes its value, which may be a password.
    """
    return read_settings(WorkerSettings)


@dataclass(frozen=True, slots=True)
class Parts:
    """What a worker process runs with.

    Attributes:
        client: connected to Temporal; the chambers' search attributes are registered.
        activities: wired to devices and stores.
        readiness: answers `/readyz`.
        metrics_url: where `/metrics` and `/readyz` are.
        rounds: of all workers, where the server can tell them apart.
        clock: of this process.
        clock_watch: whether that is right enough to collect by.
        upkeep: activities that look after the fleet and the ledger.
    """

    client: Client
    activities: CollectionActivities
    readiness: Readiness
    metrics_url: str
    rounds: RunningRounds | None
    clock: Clock
    clock_watch: ClockWatch
    upkeep: tuple[Callable[..., Any], ...] = ()


@asynccontextmanager
async def parts_of(settings: WorkerSettings, clock: Clock | None = None) -> AsyncIterator[Parts]:
    """Make the parts; wait for Temporal as long as it is away, never for the stores.

    Args:
        settings: of the process.
        clock: of the process; None = the machine's.

    Raises:
        InvalidFieldError: a setting or a profile is wrong, or the metrics' port is taken.
    """
    async with AsyncExitStack() as closing:
        clock, telemetry = clock or SystemClock(), open_telemetry(SERVICE, closing)
        readiness = Readiness(clock.monotonic_ms)
        server = _metrics_server(settings, readiness, telemetry)
        closing.callback(server.close)
        measured = _measured(telemetry, clock)
        instruments = measured.instruments
        activities = await _activities(settings, clock, measured, closing)
        observe_rounds(telemetry.meters, activities.running)
        runtime = instruments.runtime(closing, BEAT)
        client = await connect(retry_for_s=None, runtime=runtime)
        await _once_there(lambda: register_search_attributes(client))
        await _make_schedules(client)
        watched = await _as_watched(client, runtime)
        rounds = None if watched is None else TemporalRounds(watched)
        watch = ClockWatch(TemporalServerClock(watched or client, clock), measured.skew)
        upkeep = _upkeep(settings, watched or client, clock, closing, instruments.watch("upkeep"))
        yield Parts(watched or client, activities, readiness, server.url, rounds, clock, watch, upkeep)


async def rehearse(settings: WorkerSettings) -> str:
    """Make every part that needs no server; what the worker would run with, without secrets.

    Raises:
        InvalidFieldError: a setting or a profile is wrong.
    """
    async with AsyncExitStack() as closing:
        clock, telemetry = SystemClock(), open_telemetry(SERVICE, closing)
        measured = _measured(telemetry, clock)
        await _activities(settings, clock, measured, closing)
        client = await connect_lazily()
        _upkeep(settings, client, clock, closing, measured.instruments.watch("upkeep"))
        servers = shown_servers(shown_target(client), settings.postgres, settings.redis)
    proxy = _proxy(settings)
    way = "no egress proxy" if proxy is None else f"egress proxy {proxy}"
    return f"{servers}, {way}, /metrics on {settings.metrics_host}:{settings.metrics_port or 'any free port'}"


async def _make_schedules(client: Client) -> None:
    """Collection does not wait for them: a server that refuses is named, and asked again by the next start."""
    try:
        for made in await ensure_schedules(client):
            log.info("made the schedule %s", made)
    except EngineAwayError as error:
        log.warning("%s; the ledger is not maintained until a worker is started again", error)


def _upkeep(
    settings: WorkerSettings, client: Client, clock: Clock, closing: AsyncExitStack, watch: Watch
) -> tuple[Callable[..., Any], ...]:
    postgres = Postgres(settings.postgres.get_secret_value(), size=2, settings=LOCK_TIMEOUT, watch=watch)
    closing.push_async_callback(postgres.close)
    maintain = MaintainLedger(PostgresMaintenance(postgres), settings.retention_days, clock)
    reconcile = ReconcileFleet(PostgresFleetRows(postgres), TemporalRuns(client), TemporalFleet(client), clock)
    upkeep = PostgresUpkeep(postgres)
    return (
        MaintenanceActivities(maintain, upkeep).maintain,
        ReconcileActivities(reconcile, upkeep).reconcile,
    )


async def _once_there(ask: Callable[[], Awaitable[T]]) -> T:
    """The answer of a server that may be away again between two steps of a start."""
    while True:
        try:
            return await ask()
        except EngineAwayError as error:
            log.warning("%s; next try in %.0f s", error, AGAIN_S)
        await asyncio.sleep(AGAIN_S)


async def _as_watched(client: Client, runtime: Runtime) -> Client | None:
    """A connection under the identity of a worker that gives signs of life, where the server shows them to others."""
    if await _once_there(lambda: tells_workers_apart(client)):
        return await connect(retry_for_s=None, identity=worker_identity(), runtime=runtime)
    log.warning("this Temporal server does not list its workers: one that is killed is noticed by heartbeat time-outs")
    return None


def _metrics_server(settings: WorkerSettings, readiness: Readiness, telemetry: Telemetry) -> MetricsServer:
    try:
        return serve_metrics(settings.metrics_host, settings.metrics_port, readiness.why_not, telemetry.registry)
    except OSError as error:
        where = f"{settings.metrics_host}:{settings.metrics_port}"
        field = "CHAMBERLOG_METRICS_HOST" if isinstance(error, socket.gaierror) else "CHAMBERLOG_METRICS_PORT"
        problem = f"{where} cannot be listened on: {error.strerror}"
        raise InvalidFieldError(field, problem, "choose another, or stop what listens there") from None


@dataclass(frozen=True, slots=True)
class _Measured:
    """What the activities tell of themselves."""

    skew: ClockSkew
    instruments: Instruments
    tracing: Tracing


def _measured(telemetry: Telemetry, clock: Clock) -> _Measured:
    instruments = Instruments(telemetry.meters)
    return _Measured(ClockSkew(clock, instruments.collection), instruments, make_tracing(telemetry.tracers))


async def _activities(
    settings: WorkerSettings, clock: Clock, measured: _Measured, closing: AsyncExitStack
) -> CollectionActivities:
    instruments, tracing = measured.instruments, measured.tracing
    postgres = Postgres(settings.postgres.get_secret_value(), watch=instruments.watch("ledger"))
    closing.push_async_callback(postgres.close)
    store = PostgresOutcomes(postgres, tracing=tracing, metrics=instruments.writer)
    closing.push_async_callback(store.close)
    own = [settings.profiles] if settings.profiles else []
    fetch = FetchReading(
        await closing.enter_async_context(HttpDeviceClient(proxy=_proxy(settings), tracing=tracing)),
        PinnedProfiles(FileProfiles([builtin_profiles_folder(), *own]), PostgresProfiles(postgres)),
        FileAndEnvSecrets(),
        load_policies(settings.egress),
        clock,
        mapping=MapAnswer(KeepAnswers(_last_answers(settings, instruments, closing)), tracing=tracing),
    )
    latest, live = _shown(settings, clock, instruments, closing)
    signals = RecordSignals(RecordEvent(PostgresEvents(postgres)))
    uses = CollectionUses(
        CollectRound(fetch, store, latest, live, instruments.collection, tracing=tracing),
        CollectAdhoc(fetch, store, clock, tracing=tracing),
        StoreOutcomes(store, live, instruments.collection, signals),
        signals,
    )
    return CollectionActivities(uses, clock, measured.skew, tracing=tracing)


def _proxy(settings: WorkerSettings) -> EgressProxy | None:
    return None if settings.egress_proxy is None else parse_proxy(settings.egress_proxy)


def _last_answers(settings: WorkerSettings, instruments: Instruments, closing: AsyncExitStack) -> PostgresAnswers:
    """Over a connection of their own: no reading waits for them."""
    postgres = Postgres(settings.postgres.get_secret_value(), size=1, watch=instruments.watch("answers"))
    closing.push_async_callback(postgres.close)
    answers = PostgresAnswers(postgres, instruments.collection.answers_dropped)
    closing.push_async_callback(answers.close)
    return answers


def _shown(
    settings: WorkerSettings, clock: Clock, instruments: Instruments, closing: AsyncExitStack
) -> tuple[LatestCache, LiveFeed]:
    """Where outcomes go once they are stored."""
    if settings.redis is None:  # without a server there is nobody to share them with
        return InMemoryLatest(clock.now_ms), InMemoryLive(clock.now_ms)
    _, latest, live = open_redis(settings.redis.get_secret_value(), clock, closing, instruments.cache.counted)
    return latest, live
