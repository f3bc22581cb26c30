"""Worker, API and authz service as their bootstraps compose them, over real servers, with something to measure."""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
from pydantic import SecretStr

from adapters.assertions import new_key_pair
from adapters.postgres.keys import PostgresKeys
from adapters.postgres.pool import Postgres
from api.bootstrap import build_app
from api.grpc.server import GrpcApi
from api.settings import ApiSettings
from collector import wire
from collector.domain.roles import Role
from collector.ports import KeyTerms
from gateway.bootstrap import build_app as build_authz
from gateway.settings import AuthzSettings
from tests.contract.device_server import DeviceServer, answering, ok
from tests.contract.grpc_client import Client, served
from tests.unit.api_world import KEYS
from workers.bootstrap import Parts, parts_of
from workers.chamber_worker import make_worker
from workers.settings import WorkerSettings

HEADERS = {"Authorization": f"Bearer {KEYS['deployment']}"}
READING = json.dumps({"atmp": 21.5, "rhum": 40, "rco2": 500}).encode()


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the real servers are."""

    postgres: str
    redis: str


@dataclass
class Measured:
    """The processes.

    Attributes:
        scrapes: of each process, by its letter in docs/telemetry.md, what its `/metrics` answers.
        parts: of the worker.
        api: a client of the API with a super-administrator's key.
    """

    scrapes: dict[str, Callable[[], Any]]
    parts: Parts
    api: httpx.AsyncClient
    grpc: Client
    authz: httpx.AsyncClient
    settings: WorkerSettings
    closing: AsyncExitStack = field(repr=False)

    async def shown(self) -> dict[str, str]:
        """What each of them shows."""
        return {letter: await scrape() for letter, scrape in self.scrapes.items()}

    async def work(self) -> None:
        """Cause one of everything that is measured: a reading, a gap, upkeep, requests, calls, a question."""
        worker = make_worker(self.parts.client, self.parts.activities, self.settings, upkeep=self.parts.upkeep)
        await self.closing.enter_async_context(worker)
        for name, url in (("well", self._device()), ("deaf", "http://127.0.0.1:9")):
            body = {"id": name, "url": url, "profile": "airgradient", "interval_s": 2, "round_span_s": 2}
            answer = await self.api.post("/v1/chambers", json=body)
            assert answer.status_code == 201, answer.text
        for schedule in (wire.MAINTENANCE_SCHEDULE, wire.RECONCILE_SCHEDULE):
            await self.parts.client.get_schedule_handle(schedule).trigger()
        await self.grpc.ask("Chambers/ListChambers", whose="deployment")
        assert (await self.authz.get("/authz/v1/chambers")).status_code == 200
        await self._until('chamberlog_collections_total{chamberlog_organization="default",outcome="reading"}', "W")
        await self._until('chamberlog_gap_slots_total{chamberlog_organization="default",reason="unreachable"}', "W")
        for kind in ("maintain", "reconcile"):
            await self._until(f'chamberlog_upkeep_age_seconds{{upkeep="{kind}"}}', "A", at_least=0)

    def _device(self) -> str:
        device = self.closing.enter_context(DeviceServer(answering(ok(READING))))
        return f"http://127.0.0.1:{device.port}"

    async def _until(self, sample: str, letter: str, at_least: float = 1, within_s: float = 40) -> None:
        async with asyncio.timeout(within_s):
            while True:
                lines = (await self.scrapes[letter]()).splitlines()
                if any(line.startswith(sample) and float(line.rsplit(" ", 1)[1]) >= at_least for line in lines):
                    return
                await asyncio.sleep(0.2)


@asynccontextmanager
async def measured(at: Addresses) -> AsyncIterator[Measured]:
    """All three, made and not working yet; Temporal is found by the environment."""
    async with AsyncExitStack() as closing:
        postgres, redis = SecretStr(at.postgres), SecretStr(at.redis)
        await _keyed(at.postgres)
        settings = WorkerSettings(postgres=postgres, redis=redis, egress='{"default": ["127.0.0.1/32:1-65535"]}')
        parts = await closing.enter_async_context(parts_of(settings))
        app = await build_app(ApiSettings(postgres=postgres, redis=redis))
        await closing.enter_async_context(app.router.lifespan_context(app))
        authz_settings = AuthzSettings(postgres=postgres, redis=redis, assertion_key=SecretStr(new_key_pair().private))
        authz = _client(build_authz(authz_settings, closing))
        api = _client(app)
        yield Measured(
            scrapes={
                "W": _scraped(await closing.enter_async_context(httpx.AsyncClient(base_url=parts.metrics_url))),
                "A": _scraped(await closing.enter_async_context(api)),
                "G": _scraped(await closing.enter_async_context(authz)),
            },
            parts=parts,
            api=api,
            grpc=await closing.enter_async_context(
                served(GrpcApi(app.state.services, app.state.streams, metrics=app.state.edge_metrics))
            ),
            authz=authz,
            settings=settings,
            closing=closing,
        )


def _client(app: Any) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://here", headers=HEADERS)


def _scraped(client: httpx.AsyncClient) -> Callable[[], Any]:
    async def scrape() -> str:
        answer = await client.get("/metrics")
        assert answer.status_code == 200
        return answer.text

    return scrape


async def _keyed(address: str) -> None:
    postgres = Postgres(address, size=1)
    try:
        _, key_id, secret = KEYS["deployment"].split("_", 2)
        digest = hashlib.sha256(secret.encode()).digest()
        terms = KeyTerms(role=Role.SUPER_ADMINISTRATOR)
        await PostgresKeys(postgres).add(key_id, digest, "default", "a test", terms)
    finally:
        await postgres.close()
