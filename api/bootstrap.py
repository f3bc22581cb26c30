"""The API's composition root: the one place where its adapters are chosen."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path

from fastapi import FastAPI
from pydantic import SecretStr
from temporalio.client import Client

from adapters.api_keys import new_key
from adapters.argon2_passwords import Argon2Passwords
from adapters.assertions import Ed25519Verifier
from adapters.clock import SystemClock
from adapters.credential_maker import SystemCredentials
from adapters.instruments import Instruments
from adapters.limits import open_limiter
from adapters.logs import start_logging
from adapters.memory import InMemoryActive, InMemoryLatest
from adapters.postgres.answers import PostgresAnswers
from adapters.postgres.batches import PostgresBatches
from adapters.postgres.events import PostgresEvents
from adapters.postgres.history import PostgresHistory
from adapters.postgres.invitations import PostgresInvitations, PostgresResets
from adapters.postgres.keys import PostgresKeys
from adapters.postgres.organizations import PostgresOrganizations, PostgresSections
from adapters.postgres.pool import Postgres
from adapters.postgres.profiles import PostgresProfiles
from adapters.postgres.registry import PostgresRegistry
from adapters.postgres.sessions import PostgresSessions
from adapters.postgres.upkeep import PostgresUpkeep
from adapters.postgres.users import PostgresUsers
from adapters.process import make_runner, read_settings, shown_servers
from adapters.profile_files import FileProfiles, builtin_profiles_folder
from adapters.redis.active import RedisActive
from adapters.redis.opening import open_redis
from adapters.serving import SignalledServer
from adapters.serving import listening as listen
from adapters.smtp_mail import SmtpMail, read_mail_server
from adapters.telemetry import (
    Signal,
    StatementTold,
    Telemetry,
    make_tracing,
    metrics_text,
    observe_streams,
    open_telemetry,
    tell_statements,
)
from adapters.temporal_client import connect_if_there, connect_lazily, shown_target
from adapters.temporal_control import TemporalFleet
from adapters.temporal_sections import TemporalSections
from api.app import create_app
from api.people_services import PeoplePorts
from api.services import Ports, Services, make_services
from api.settings import ApiSettings
from api.streams import StreamRules
from collector.domain.errors import InvalidFieldError
from collector.domain.people import normal_email
from collector.ports import ActiveChambers, Clock, LatestCache, LiveFeed
from collector.ports.assertions import AssertionVerifier
from collector.usecases.users.letters import Letters

__all__ = [
    "SERVICE",
    "SignalledServer",
    "build_app",
    "listen",
    "load_settings",
    "make_runner",
    "rehearse",
    "start_logging",
]
SERVICE = "chamberlog-api"


def load_settings() -> ApiSettings:
    """Read the environment.

    Raises:
        InvalidFieldError: names the variable; never quotes its value, which may be a password.
    """
    return read_settings(ApiSettings)


async def build_app(settings: ApiSettings, *, ask: bool = True) -> FastAPI:
    """Make the application; it starts with every server away and finds each when it is back.

    Args:
        settings: of the process.
        ask: speak to Temporal at once if it is there, so that papers which it will never accept end the start.

    Raises:
        InvalidFieldError: a setting or a profile is wrong.
    """
    closing = AsyncExitStack()
    telemetry = open_telemetry(SERVICE, closing)
    instruments = Instruments(telemetry.meters)
    temporal = await _temporal(instruments, closing, ask=ask)
    services = make_services(_ports(settings, telemetry, instruments, temporal, closing))
    lifespan = partial(_lifespan, closing, telemetry.sends)
    app = create_app(services, lifespan, StreamRules(settings.max_streams), instruments.edge)
    observe_streams(telemetry.meters, lambda: app.state.streams.open)
    return app


def _ports(
    settings: ApiSettings, telemetry: Telemetry, instruments: Instruments, temporal: Client, closing: AsyncExitStack
) -> Ports:
    clock, tracing = SystemClock(), make_tracing(telemetry.tracers)
    postgres = _postgres(settings, instruments, tell_statements(telemetry.tracers), closing)
    latest, active, live = _in_redis(settings, clock, instruments, closing)
    return Ports(
        registry=PostgresRegistry(postgres),
        ledger=PostgresHistory(postgres),
        cache=latest,
        active=active,
        fleet=TemporalFleet(temporal, tracing=tracing),
        keys=PostgresKeys(postgres),
        make_key=new_key,
        profiles=FileProfiles(_folders(settings)),
        library=PostgresProfiles(postgres),
        answers=PostgresAnswers(postgres),
        clock=clock,
        metrics=partial(metrics_text, telemetry.registry),
        upkeep=PostgresUpkeep(postgres),
        fleet_metrics=instruments.fleet,
        organizations=PostgresOrganizations(postgres),
        sections=PostgresSections(postgres),
        batches=PostgresBatches(postgres),
        section_control=TemporalSections(temporal, tracing=tracing),
        events=PostgresEvents(postgres),
        live=live,
        people=_people(settings, postgres, closing),
        limiter=open_limiter(_plain(settings.redis), settings.rate_limits, clock, instruments.gate, closing),
        assertions=_verifier(settings, clock),
        tracing=tracing,
    )


async def rehearse(settings: ApiSettings) -> str:
    """Make the application without serving it; what it would run with, without secrets.

    Raises:
        InvalidFieldError: a setting or a profile is wrong.
    """
    app = await build_app(settings, ask=False)
    async with app.router.lifespan_context(app):
        servers = shown_servers(shown_target(await connect_lazily()), settings.postgres, settings.redis)
    ports = [f"listening on {settings.api_host}:{settings.api_port or 'any free port'}"]
    if settings.grpc_port is not None:
        ports.append(f"gRPC on {settings.grpc_host or settings.api_host}:{settings.grpc_port or 'any free port'}")
    return ", ".join([servers, *ports])


@asynccontextmanager
async def _lifespan(closing: AsyncExitStack, sends: frozenset[Signal], app: FastAPI) -> AsyncIterator[None]:
    async with closing:
        if "METRICS" in sends:  # nobody need ask for /metrics then
            services: Services = app.state.services
            looking = asyncio.create_task(services.observe.again_and_again(), name="fleet-figures")
            closing.callback(looking.cancel)
        yield
        grpc = getattr(app.state, "grpc", None)
        if grpc is not None:
            await grpc.stop()  # its calls need what is closed next


def _postgres(
    settings: ApiSettings, instruments: Instruments, tell: StatementTold | None, closing: AsyncExitStack
) -> Postgres:
    postgres = Postgres(settings.postgres.get_secret_value(), watch=instruments.watch("ledger"), tell=tell)
    closing.push_async_callback(postgres.close)
    return postgres


def _in_redis(
    settings: ApiSettings, clock: Clock, instruments: Instruments, closing: AsyncExitStack
) -> tuple[LatestCache, ActiveChambers, LiveFeed | None]:
    if settings.redis is None:  # every read asks the store: other processes would not hear of changes
        return InMemoryLatest(clock.now_ms), InMemoryActive(clock.now_ms, away=True), None
    server, latest, live = open_redis(settings.redis.get_secret_value(), clock, closing, instruments.cache.counted)
    return latest, RedisActive(server), live


def _people(settings: ApiSettings, postgres: Postgres, closing: AsyncExitStack) -> PeoplePorts:
    hasher = Argon2Passwords()
    closing.callback(hasher.close)
    return PeoplePorts(
        users=PostgresUsers(postgres),
        invitations=PostgresInvitations(postgres),
        resets=PostgresResets(postgres),
        sessions=PostgresSessions(postgres),
        hasher=hasher,
        maker=SystemCredentials(),
        letters=_letters(settings),
    )


def _letters(settings: ApiSettings) -> Letters | None:
    if settings.smtp_url is None:
        return None
    server = read_mail_server(settings.smtp_url.get_secret_value())
    sender = normal_email(settings.mail_from, "CHAMBERLOG_MAIL_FROM")
    url = settings.public_url.rstrip("/")
    if not url.startswith(("https://", "http://")):
        remedy = "write where people reach the API, such as https://chamberlog.example.org"
        raise InvalidFieldError("CHAMBERLOG_PUBLIC_URL", "letters need it, and it is no URL", remedy)
    return Letters(SmtpMail(server, sender), url)


async def _temporal(instruments: Instruments, closing: AsyncExitStack, *, ask: bool) -> Client:
    runtime = instruments.runtime(closing)
    return await (connect_if_there(runtime) if ask else connect_lazily(runtime))


def _verifier(settings: ApiSettings, clock: Clock) -> AssertionVerifier | None:
    keys = _plain(settings.assertion_keys)
    return None if keys is None else Ed25519Verifier(keys, clock)


def _plain(secret: SecretStr | None) -> str | None:
    return None if secret is None else secret.get_secret_value()


def _folders(settings: ApiSettings) -> Sequence[Path]:
    return [builtin_profiles_folder(), *([settings.profiles] if settings.profiles else [])]
