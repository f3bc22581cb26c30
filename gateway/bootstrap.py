"""The authz service's composition root: the one place where its adapters are chosen."""

from contextlib import AsyncExitStack
from functools import partial

from adapters.assertions import Ed25519Signer
from adapters.clock import SystemClock
from adapters.instruments import Instruments
from adapters.limits import open_limiter
from adapters.logs import start_logging
from adapters.postgres.events import PostgresEvents
from adapters.postgres.keys import PostgresKeys
from adapters.postgres.organizations import PostgresOrganizations
from adapters.postgres.pool import Postgres
from adapters.postgres.sessions import PostgresSessions
from adapters.process import make_runner, read_settings
from adapters.secret_settings import shown_address
from adapters.serving import SignalledServer, listening
from adapters.telemetry import make_tracing, metrics_text, open_telemetry, tell_statements
from collector.usecases.admit import Admit
from collector.usecases.authenticate import Authenticate
from collector.usecases.events import RecordEvent, RecordRefusal
from collector.usecases.readiness import CheckReadiness
from collector.usecases.sessions import KnownSessions
from gateway.app import AuthzApp, AuthzServices
from gateway.settings import AuthzSettings

__all__ = [
    "SERVICE",
    "SignalledServer",
    "build_app",
    "listening",
    "load_settings",
    "make_runner",
    "shown",
    "start_logging",
]
SERVICE = "chamberlog-authz"
NOBODYS_KEY = "000000000000"
"""Looked up to see whether keys can be looked up at all."""


def load_settings() -> AuthzSettings:
    """Read the environment.

    Raises:
        InvalidFieldError: names the variable; never quotes its value, which may be a password.
    """
    return read_settings(AuthzSettings)


def build_app(settings: AuthzSettings, closing: AsyncExitStack) -> AuthzApp:
    """Make the application; it starts with every server away and finds each when it is back.

    Args:
        settings: of the process.
        closing: closes what the adapters hold.

    Raises:
        InvalidFieldError: a setting is wrong.
    """
    clock, telemetry = SystemClock(), open_telemetry(SERVICE, closing)
    signer = Ed25519Signer(settings.assertion_key.get_secret_value(), clock)
    instruments, tell = Instruments(telemetry.meters), tell_statements(telemetry.tracers)
    postgres = Postgres(settings.postgres.get_secret_value(), watch=instruments.watch("ledger"), tell=tell)
    closing.push_async_callback(postgres.close)
    metrics, keys = instruments.gate, PostgresKeys(postgres)
    sessions = KnownSessions(PostgresSessions(postgres), clock)
    redis = settings.redis.get_secret_value() if settings.redis else None
    limiter = open_limiter(redis, settings.rate_limits, clock, metrics, closing)
    refused = RecordRefusal(RecordEvent(PostgresEvents(postgres)), clock)
    services = AuthzServices(
        admit=Admit(Authenticate(keys, clock, sessions), PostgresOrganizations(postgres), limiter, refused),
        signer=signer,
        readiness=CheckReadiness({"postgresql": lambda: keys.find(NOBODYS_KEY)}),
        metrics=metrics,
        exposed=partial(metrics_text, telemetry.registry),
        tracing=make_tracing(telemetry.tracers),
    )
    return AuthzApp(services)


def shown(settings: AuthzSettings) -> str:
    """What the service would run with, without secrets."""
    postgres = shown_address(settings.postgres.get_secret_value())
    counter = shown_address(settings.redis.get_secret_value()) if settings.redis else "none"
    where = f"{settings.authz_host}:{settings.authz_port or 'any free port'}"
    return f"PostgreSQL {postgres}, Valkey {counter}, listening on {where}"
