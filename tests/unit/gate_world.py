"""The API and the authz service over the same in-memory world: with a limiter, and keys that one has and one knows."""

from dataclasses import replace

import httpx
from fastapi import FastAPI
from prometheus_client import CollectorRegistry

from adapters.assertions import Ed25519Signer, Ed25519Verifier, KeyPair, new_key_pair
from adapters.memory import InMemoryEvents, InMemoryKeys, InMemoryOrganizations
from adapters.memory.limits import InMemoryLimiter
from adapters.telemetry import OtelGateMetrics, make_meter_provider, metrics_text
from api.app import create_app
from api.services import make_services
from collector.domain.access import Traffic
from collector.domain.rates import DEFAULT_RATES, RateRule
from collector.usecases.admit import Admit
from collector.usecases.authenticate import Authenticate
from collector.usecases.events import RecordEvent, RecordRefusal
from collector.usecases.readiness import CheckReadiness
from gateway.app import AuthzApp, AuthzServices
from tests.unit.api_world import KEYS, StandingClock, World

PAIR: KeyPair = new_key_pair()
FEW = {**DEFAULT_RATES, Traffic.READ: RateRule(3, 60), Traffic.WRITE: RateRule(2, 60), Traffic.STREAM: RateRule(1, 60)}
NOBODYS_KEY = "000000000000"


class GateWorld:
    """A world behind a gate.

    Attributes:
        world: all that the API stands on.
        signer: the gateway's.
        api: the API, with a limiter of its own.
        authz: the authz service, with a limiter of its own.
    """

    def __init__(self, *, rates: dict[Traffic, RateRule] = FEW, believes: bool = True) -> None:
        self.world = World()
        self.clock: StandingClock = self.world.clock
        self.signer = Ed25519Signer(PAIR.private, self.clock)
        ports = replace(
            self.world.ports(),
            limiter=InMemoryLimiter(self.clock.monotonic_ms, rates),
            assertions=Ed25519Verifier(PAIR.public, self.clock) if believes else None,
        )
        self.api: FastAPI = create_app(make_services(ports))
        self.authz = self._authz(rates)

    def client(self, whose: str | None = "default", address: str = "192.168.1.9") -> httpx.AsyncClient:
        """A client of the API run directly."""
        return self._client(httpx.ASGITransport(self.api, client=(address, 4711)), whose)

    def gateway(self, whose: str | None = "default") -> httpx.AsyncClient:
        """Envoy's, asking for a client with that key."""
        return self._client(httpx.ASGITransport(self.authz, client=("127.0.0.1", 4711)), whose)

    def _client(self, transport: httpx.ASGITransport, whose: str | None) -> httpx.AsyncClient:
        headers = {} if whose is None else {"Authorization": f"Bearer {KEYS[whose]}"}
        return httpx.AsyncClient(transport=transport, base_url="http://api", headers=headers)

    def _authz(self, rates: dict[Traffic, RateRule]) -> AuthzApp:
        ledger, registry = self.world.ledger, CollectorRegistry()
        keys = InMemoryKeys(ledger)
        limiter = InMemoryLimiter(self.clock.monotonic_ms, rates)
        provider = make_meter_provider("authz", registry=registry)
        refused = RecordRefusal(RecordEvent(InMemoryEvents(ledger)), self.clock)
        services = AuthzServices(
            admit=Admit(Authenticate(keys, self.clock), InMemoryOrganizations(ledger), limiter, refused),
            signer=self.signer,
            readiness=CheckReadiness({"postgresql": lambda: keys.find(NOBODYS_KEY)}),
            metrics=OtelGateMetrics(provider),
            exposed=lambda accept: metrics_text(registry, accept),
        )
        return AuthzApp(services)
