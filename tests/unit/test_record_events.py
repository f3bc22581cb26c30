"""Audit events as they are recorded: cut, harmless, and not one for each request past a limit."""

import logging
from dataclasses import dataclass, replace

import pytest

from adapters.memory import InMemoryEvents, InMemoryKeys, InMemoryLedger, InMemoryOrganizations
from collector.domain.access import Operation, Traffic
from collector.domain.access_table import of_http
from collector.domain.errors import (
    AwayError,
    ChamberlogError,
    ForbiddenError,
    NotFoundError,
    TooManyRequestsError,
)
from collector.domain.event_texts import TEXT_LIMIT, beside_target, harmless, target_of
from collector.domain.roles import Role
from collector.ports import AuditEvent, Principal
from collector.ports.events import Outcome, Source
from collector.ports.limits import RateState
from collector.usecases.admit import Admit, Ask
from collector.usecases.authenticate import Authenticate
from collector.usecases.events import HUSHED_AT_MOST, HUSHED_MS, RecordEvent, RecordRefusal, Told, outcome_of
from tests.unit.api_world import KEYS, StandingClock, World

SECRET = "Ab3-_" + "x" * 38
WHO = Principal("default", "key/1", Role.OPERATOR)


def operation(method: str, path: str) -> Operation:
    found = of_http(method, path)
    assert found is not None
    return found


PAUSE, SHOW = operation("POST", "/v1/chambers/c/pause"), operation("GET", "/v1/chambers/c")


@pytest.mark.parametrize(
    ("method", "path", "target", "beside"),
    [
        ("POST", "/v1/chambers/c1/pause", "chamber/c1", {}),
        ("POST", "/v1/chambers", "", {}),
        ("PATCH", "/v1/chambers/c1/detectors/t 1", "chamber/c1", {"detector": "t 1"}),
        ("GET", "/v1/sections/s/operations/o", "section/s", {"operation": "o"}),
        ("PUT", "/v1/profiles/attic", "profile/attic", {}),
        ("DELETE", "/v1/keys/0123456789ab", "key/0123456789ab", {}),
        ("POST", "/v1/users/7/sign-out", "user/7", {}),
        ("DELETE", "/v1/invitations/7", "invitation/7", {}),
        ("PATCH", "/v1/chambers/" + "x" * 500, "chamber/" + "x" * 192, {}),
        ("PATCH", "/v1/chambers/\ud800", "chamber/?", {}),
    ],
)
def test_a_target_is_what_the_path_names(method: str, path: str, target: str, beside: dict[str, str]) -> None:
    assert target_of(operation(method, path), path) == target
    assert beside_target(operation(method, path), path) == beside


@pytest.mark.parametrize("kind", ["chl", "cha", "chr", "chi", "chp"])
def test_credentials_and_user_info_are_blanked(kind: str) -> None:
    text = f"door, {kind}_0123456789ab_{SECRET}; http://admin:geheim@192.0.2.1/x"
    assert harmless(text) == f"door, {kind}_0123456789ab_***; http://***@192.0.2.1/x"


def test_a_secret_at_the_cut_does_not_show_its_beginning() -> None:
    text = "x" * (TEXT_LIMIT - 20) + f" chl_0123456789ab_{SECRET}"
    assert "Ab3" not in harmless(text)
    assert len(harmless("ü" * 10_000)) == TEXT_LIMIT


def test_what_an_operation_came_to() -> None:
    assert outcome_of(None) is Outcome.DONE
    assert outcome_of(AwayError("away")) is Outcome.FAILED
    assert outcome_of(ForbiddenError("no", "ask")) is Outcome.REFUSED


class Room:
    """The use cases over an event log in memory."""

    def __init__(self) -> None:
        self.clock = StandingClock()
        self.ledger = InMemoryLedger(self.clock.now_ms)
        self.record = RecordEvent(InMemoryEvents(self.ledger))
        self.refusal = RecordRefusal(self.record, self.clock)

    async def refuse(self, error: ChamberlogError, asked: Operation = PAUSE, who: Principal = WHO) -> None:
        await self.refusal(who, asked, error, Told(target="chamber/c"), "192.0.2.1")

    @property
    def told(self) -> list[AuditEvent]:
        return self.ledger.events


async def test_texts_are_cut_and_harmless_in_every_place() -> None:
    room, key = Room(), f"chl_0123456789ab_{SECRET}"
    base = AuditEvent(organization="default", subject=key, action="chambers.pause", source=Source.API)
    await room.record(replace(base, target=key, reason=key, address=key, detail={"said": key}))
    assert SECRET not in str(room.told)
    assert room.told[0].detail == {"said": "chl_0123456789ab_***"}


async def test_a_refusal_of_the_gate_is_told_with_its_reason() -> None:
    room = Room()
    await room.refuse(ForbiddenError("chambers.pause takes the role operator", "ask"))
    (event,) = room.told
    assert (event.subject, event.action, event.outcome) == ("key/1", "chambers.pause", Outcome.REFUSED)
    assert (event.target, event.address) == ("chamber/c", "192.0.2.1")
    assert event.detail == {"by": "gate", "why": "chambers.pause takes the role operator"}


async def test_reads_and_servers_that_are_away_are_no_refusals() -> None:
    room = Room()
    await room.refuse(ForbiddenError("no", "ask"), SHOW)
    await room.refuse(AwayError("PostgreSQL is away"))
    assert room.told == []


async def test_past_the_limit_one_a_minute_is_told_for_each_subject_and_operation() -> None:
    room, past = Room(), TooManyRequestsError("more than 3000", 5, "wait 5 s")
    other = Principal("default", "key/2", Role.OPERATOR)
    for _ in range(100):
        await room.refuse(past)
    await room.refuse(past, who=other)
    await room.refuse(past, operation("POST", "/v1/chambers/c/resume"))
    assert len(room.told) == 3
    room.clock.steady_ms += HUSHED_MS
    await room.refuse(past)
    await room.refuse(past)
    assert len(room.told) == 4


async def test_the_memory_of_what_is_past_the_limit_is_bounded() -> None:
    room, past = Room(), TooManyRequestsError("more than 3000", 5, "wait 5 s")
    first, *others = (Principal("default", f"key/{number}", Role.OPERATOR) for number in range(HUSHED_AT_MOST + 1))
    await room.refuse(past, who=first)
    room.ledger.events.clear()
    await room.refuse(past, who=first)
    assert not room.told
    for other in others:
        await room.refuse(past, who=other)
    room.ledger.events.clear()
    await room.refuse(past, who=others[-1])
    await room.refuse(past, who=first)
    assert [event.subject for event in room.told] == [first.subject], "the oldest was forgotten, and nothing else"


async def test_a_refusal_that_cannot_be_told_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    room = Room()
    room.ledger.away = True
    with caplog.at_level(logging.WARNING):
        await room.refuse(ForbiddenError("no", "ask"))
    assert "no audit event says so" in caplog.text
    assert "chambers.pause" in caplog.text


@dataclass
class Full:
    """A limiter that is past its limit."""

    async def hit(self, subject: str, traffic: Traffic) -> RateState:
        del subject, traffic
        return RateState(limit=1, remaining=0, reset_s=5, window_s=60, allowed=False)


async def test_the_gate_tells_whom_it_refused_what() -> None:
    world = World()
    keys, organizations = InMemoryKeys(world.ledger), InMemoryOrganizations(world.ledger)
    record = RecordRefusal(RecordEvent(InMemoryEvents(world.ledger)), world.clock)
    authenticate = Authenticate(keys, world.clock)
    add = operation("POST", "/v1/organizations")
    open_gate, full_gate = (Admit(authenticate, organizations, limit, record) for limit in (None, Full()))
    with pytest.raises(ForbiddenError):
        await open_gate(Ask(operation=add, credential=KEYS["default"], address="192.0.2.1"))
    with pytest.raises(NotFoundError):
        await open_gate(
            Ask(operation=PAUSE, credential=KEYS["default"], organization="other", told=Told(target="chamber/c"))
        )
    with pytest.raises(TooManyRequestsError):
        await full_gate(Ask(operation=PAUSE, credential=KEYS["default"], told=Told(target="chamber/c")))
    assert [(event.action, event.organization, event.target) for event in world.ledger.events] == [
        ("organizations.add", "default", ""),
        ("chambers.pause", "default", "chamber/c"),
        ("chambers.pause", "default", "chamber/c"),
    ]
