"""The API over in-memory twins: two organizations, a clock that stands still, and clients that need no socket."""

import hashlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import httpx
from fastapi import FastAPI
from prometheus_client import CollectorRegistry

from adapters.api_keys import new_key
from adapters.argon2_passwords import Argon2Passwords, HashCost
from adapters.credential_maker import SystemCredentials
from adapters.memory import (
    InMemoryActive,
    InMemoryAnswers,
    InMemoryBatches,
    InMemoryEvents,
    InMemoryHistory,
    InMemoryInvitations,
    InMemoryKeys,
    InMemoryLatest,
    InMemoryLedger,
    InMemoryLive,
    InMemoryMail,
    InMemoryOrganizations,
    InMemoryProfiles,
    InMemoryRegistry,
    InMemoryResets,
    InMemorySections,
    InMemorySessions,
    InMemoryUpkeep,
    InMemoryUsers,
)
from adapters.memory_fleet import InMemoryFleet
from adapters.memory_sections import InMemorySectionControl
from adapters.profile_files import FileProfiles, builtin_profiles_folder
from adapters.telemetry import OtelFleetMetrics, make_meter_provider, metrics_text
from api.app import DEFAULT_RULES, create_app
from api.people_services import PeoplePorts
from api.services import Ports, make_services
from api.streams import StreamRules
from collector.domain.chamber import ChamberSpec
from collector.domain.outcome import Measurement, Outcome, Reading
from collector.domain.roles import Role
from collector.ports import KeyTerms, LiveFeed
from collector.ports.limits import RateLimiter
from collector.usecases.users.letters import Letters

NOON_MS = 1_772_366_400_000
"""2026-03-01T12:00:00Z."""
KEYS = {
    "default": "chl_" + "0" * 11 + "a_" + "A" * 43,
    "other": "chl_" + "0" * 11 + "b_" + "B" * 43,
    "deployment": "chl_" + "0" * 11 + "d_" + "D" * 43,
    "viewer": "chl_" + "0" * 11 + "e_" + "E" * 43,
    "operator": "chl_" + "0" * 11 + "f_" + "F" * 43,
    "bound": "chl_" + "0" * 11 + "1_" + "G" * 43,
}
"""One of each organization, and of `default` one of each other role and one that is bound to the section `attic`."""
TERMS = {
    "deployment": KeyTerms(role=Role.SUPER_ADMINISTRATOR),
    "viewer": KeyTerms(role=Role.VIEWER),
    "operator": KeyTerms(role=Role.OPERATOR),
    "bound": KeyTerms(section="attic"),
}
"""Of those that are no administrator of a whole organization."""
PROFILES = FileProfiles([builtin_profiles_folder()])
PASSWORDS = Argon2Passwords(HashCost(passes=1, memory_kib=8, lanes=1))
"""As slow as a test can bear."""
SUBJECT = "key/" + "0" * 11 + "a"
ENROLMENT = {"id": "incubator-3", "url": "http://192.168.1.20", "profile": "airgradient", "interval_s": 60}


@dataclass
class StandingClock:
    """A clock that a test moves."""

    wall_ms: int = NOON_MS
    steady_ms: int = 0

    def now_ms(self) -> int:
        return self.wall_ms

    def monotonic_ms(self) -> int:
        return self.steady_ms


def a_reading(spec: ChamberSpec, at_ms: int, value: float = 21.5) -> Reading:
    """What a healthy device says."""
    return Reading(at_ms, at_ms + 2, at_ms + 90, (Measurement("temperature", value, "Cel"),), spec.version)


@dataclass
class World:
    """Everything the API stands on.

    Attributes:
        device: what the next collections come to; None = no answer within any budget.
        rules: of live streams.
        watched: False = without a live feed.
        mails: whether mail is sent.
        limiter: of guesses and requests; None = nothing is counted.
    """

    clock: StandingClock = field(default_factory=StandingClock)
    device: Callable[[ChamberSpec], Outcome | None] | None = None
    rules: StreamRules = DEFAULT_RULES
    watched: bool = True
    mails: bool = True
    limiter: RateLimiter | None = None

    def __post_init__(self) -> None:
        self.ledger = InMemoryLedger(self.clock.now_ms)
        self._begin()
        self.cache = InMemoryLatest(self.clock.now_ms)
        self.active = InMemoryActive(self.clock.now_ms)
        self.live: LiveFeed | None = InMemoryLive(self.clock.now_ms) if self.watched else None
        self.mail = InMemoryMail()
        self.upkeep = InMemoryUpkeep(self.ledger)
        self.fleet = InMemoryFleet(self.clock, self._answer)
        self.section_control = InMemorySectionControl(self.fleet, self.clock)
        self.app: FastAPI = create_app(make_services(self.ports()), rules=self.rules)

    def kept(self) -> list[dict[Any, Any]]:
        """All that requests can change, wherever it is kept."""
        ledger = self.ledger
        rows: list[dict[Any, Any]] = [ledger.chambers, ledger.keys, ledger.organizations]
        rows += [ledger.sections, ledger.batches, ledger.profiles, ledger.offers, ledger.answers]
        rows += [ledger.people.users, ledger.people.invitations, ledger.people.resets, ledger.people.sessions]
        beside: list[dict[Any, Any]] = [self.fleet.running, self.fleet._collected, self.section_control._kept]
        return [*rows, *beside, self.cache._kept, self.active._places]

    def empty(self) -> None:
        """Take all of it away: making a world takes longer than asking it."""
        for kept in self.kept():
            kept.clear()
        self.ledger.events.clear()
        self._begin()

    def client(self, whose: str | None = "default") -> httpx.AsyncClient:
        """A client with that key of `KEYS`, or with none."""
        headers = {} if whose is None else {"Authorization": f"Bearer {KEYS[whose]}"}
        return httpx.AsyncClient(transport=httpx.ASGITransport(self.app), base_url="http://api", headers=headers)

    def _begin(self) -> None:
        for organization in ("default", "other"):
            self.ledger.add_section(organization, "default")
        for whose, key in KEYS.items():
            _, key_id, secret = key.split("_", 2)
            organization = "other" if whose == "other" else "default"
            kept = self.ledger.add_key(key_id, hashlib.sha256(secret.encode()).digest(), organization)
            kept.record = replace(kept.record, terms=TERMS.get(whose, kept.record.terms))

    def sign(self, terms: KeyTerms, organization: str = "default") -> httpx.AsyncClient:
        """A client with a key of these terms, made for it."""
        made = new_key()
        kept = self.ledger.add_key(made.id, made.secret_sha256, organization)
        kept.record = replace(kept.record, terms=terms)
        headers = {"Authorization": f"Bearer {made.text}"}
        return httpx.AsyncClient(transport=httpx.ASGITransport(self.app), base_url="http://api", headers=headers)

    def _answer(self, spec: ChamberSpec) -> Outcome | None:
        return a_reading(spec, self.clock.now_ms()) if self.device is None else self.device(spec)

    def _people(self) -> PeoplePorts:
        return PeoplePorts(
            users=InMemoryUsers(self.ledger),
            invitations=InMemoryInvitations(self.ledger),
            resets=InMemoryResets(self.ledger),
            sessions=InMemorySessions(self.ledger),
            hasher=PASSWORDS,
            maker=SystemCredentials(),
            letters=Letters(self.mail, "https://chamberlog.example.org") if self.mails else None,
        )

    def ports(self) -> Ports:
        """Everything in memory."""
        registry = CollectorRegistry()
        return Ports(
            registry=InMemoryRegistry(self.ledger),
            ledger=InMemoryHistory(self.ledger),
            cache=self.cache,
            active=self.active,
            fleet=self.fleet,
            keys=InMemoryKeys(self.ledger),
            make_key=new_key,
            profiles=PROFILES,
            library=InMemoryProfiles(self.ledger),
            answers=InMemoryAnswers(self.ledger),
            clock=self.clock,
            metrics=partial(metrics_text, registry),
            upkeep=self.upkeep,
            fleet_metrics=OtelFleetMetrics(make_meter_provider("api", registry=registry)),
            organizations=InMemoryOrganizations(self.ledger),
            sections=InMemorySections(self.ledger),
            batches=InMemoryBatches(self.ledger),
            section_control=self.section_control,
            events=InMemoryEvents(self.ledger),
            live=self.live,
            people=self._people(),
            limiter=self.limiter,
        )


@asynccontextmanager
async def enrolled(world: World, **changes: Any) -> AsyncIterator[httpx.AsyncClient]:
    """A client of an organization that has enrolled incubator-3."""
    async with world.client() as client:
        answer = await client.post("/v1/chambers", json=ENROLMENT | changes)
        assert answer.status_code == 201, answer.text
        yield client
