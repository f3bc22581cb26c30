"""What stands before every method of gRPC: who passes, what they hear who do not, and how calls end."""

import asyncio
import gzip
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import grpc
import pytest
from google.protobuf import descriptor_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from api.grpc.recording import GrpcEvents, Record
from api.grpc.server import GrpcApi
from api.grpc.serving import SERVICES
from api.services import make_services
from collector.domain.access import Operation, Reach, Traffic
from collector.domain.access_table import of_grpc
from collector.domain.errors import AwayError, InvalidFieldError
from collector.domain.roles import Role
from collector.ports.events import AuditEvent, Source
from collector.ports.limits import RateState
from tests.contract.grpc_client import Client, sent_by, served, serving, told
from tests.unit.api_world import KEYS, World

ENROLMENT = {"id": "incubator-3", "url": "http://192.168.1.20", "profile": "airgradient", "interval": "60s"}
METHODS = [f"{service.name}/{name}" for service, _ in SERVICES for name in service.methods_by_name]
SIGNED = [method for method in METHODS if of_grpc(f"/chamberlog.v1.{method}").role is not None]  # type: ignore[union-attr]
"""Those that take somebody who is known; the others are for whoever signs in."""
PLACES = {
    "chamber_id": "incubator-3",
    "section_id": "their-lab",
    "batch_id": "CHO-17.2",
    "organization_id": "default",
    "operation_id": "theirs",
    "name": "temperature",
}
"""What the owner has, by the names of the requests' fields."""


def row_of(method: str) -> Operation:
    row = of_grpc(f"/chamberlog.v1.{method}")
    assert row is not None
    return row


async def end_of(client: Client, method: str, request: Any = None, **rest: Any) -> Any:
    """How a call ends that must not be answered, a stream's too."""
    message = client.message(method, request or {}) if isinstance(request, dict | None) else request
    call = client.method(method)(message, metadata=sent_by(rest.pop("whose", "default"), **rest), timeout=10)
    try:
        if isinstance(call, grpc.aio.UnaryStreamCall):
            await call.read()
        else:
            await call
    except grpc.aio.AioRpcError as error:
        return told(error)
    raise AssertionError(f"{method} was answered")


# ---- who passes


@pytest.mark.parametrize(
    "sent", [{}, {"authorization": "Bearer chl_" + "0" * 12 + "_" + "A" * 43}, {"authorization": "x"}]
)
async def test_nobody_passes_without_a_valid_key(sent: dict[str, str]) -> None:
    async with serving(World()) as client:
        for method in SIGNED:
            refusal = await end_of(client, method, whose=None, **sent)
            assert refusal.code == "UNAUTHENTICATED", method
            assert refusal.info == {"reason": "UNAUTHENTICATED", "domain": "chamberlog", "metadata": {}}
            assert list(refusal.violations) == ["authorization"]


BY_ROLE = {
    Role.VIEWER: "viewer",
    Role.OPERATOR: "operator",
    Role.ADMINISTRATOR: "default",
    Role.SUPER_ADMINISTRATOR: "deployment",
}


async def tried(client: Client, method: str, whose: str) -> str:
    """The code for what are no bytes of any request, which whoever passes hears of."""
    refusal = await end_of(client, method, b"\xff", whose=whose)
    assert refusal.code in ("INVALID_ARGUMENT", "PERMISSION_DENIED")
    return str(refusal.code)


async def test_whoever_signs_in_needs_no_key() -> None:
    async with serving(World()) as client:
        others = set(METHODS) - set(SIGNED)
        assert len(others) == 5
        for method in others:
            assert (await end_of(client, method, b"\xff", whose=None)).code == "INVALID_ARGUMENT", method


@pytest.mark.parametrize("role", list(Role))
async def test_each_role_passes_exactly_where_the_table_says(role: Role) -> None:
    async with serving(World()) as client:
        for method in METHODS:
            wanted = row_of(method).role
            passes = wanted is None or role.covers(wanted)
            code = await tried(client, method, BY_ROLE[role])
            assert code == ("INVALID_ARGUMENT" if passes else "PERMISSION_DENIED"), method


async def test_a_key_of_one_section_passes_where_its_reach_says() -> None:
    async with serving(World()) as client:
        for method in METHODS:
            row = row_of(method)
            shut = row.reach is Reach.SHUT or row.role is Role.SUPER_ADMINISTRATOR
            assert (await tried(client, method, "bound") == "PERMISSION_DENIED") == shut, method


async def test_a_key_of_one_section_reaches_no_other() -> None:
    async with serving(World()) as client:
        for section in ("attic", "their-lab"):
            await client.ask("Sections/CreateSection", {"id": section})
            await client.ask("Chambers/EnrolChamber", ENROLMENT | {"id": f"in-{section}", "section": section})
            await client.ask("Batches/StartBatch", {"id": f"B-{section}", "section": section})
        for method, fields in (
            ("Chambers/GetChamber", ("chamber_id", "in-{}")),
            ("Chambers/PauseChamber", ("chamber_id", "in-{}")),
            ("Readings/GetLatest", ("chamber_id", "in-{}")),
            ("Detectors/ListDetectors", ("chamber_id", "in-{}")),
            ("Sections/GetSection", ("section_id", "{}")),
            ("Batches/GetBatch", ("batch_id", "B-{}")),
        ):
            name, value = fields
            await client.ask(method, {name: value.format("attic")}, whose="bound")
            refusal = await client.refused(method, {name: value.format("their-lab")}, whose="bound")
            assert refusal.code == "NOT_FOUND", method
        chambers = await client.ask("Chambers/ListChambers", whose="bound")
        latest = await client.ask("Readings/ListLatest", whose="bound")
        batches = await client.ask("Batches/ListBatches", whose="bound")
        sections = await client.ask("Sections/ListSections", whose="bound")
        elsewhere = await client.refused("Chambers/ListChambers", {"section": "their-lab"}, whose="bound")
        enrolled = await client.refused("Chambers/EnrolChamber", ENROLMENT | {"section": "their-lab"}, whose="bound")
        begun = await client.refused("Batches/StartBatch", {"id": "B-2", "section": "their-lab"}, whose="bound")
    assert [chamber["id"] for chamber in chambers["chambers"]] == ["in-attic"]
    assert [found["chamber"] for found in latest["latest"]] == ["in-attic"]
    assert [batch["id"] for batch in batches["batches"]] == ["B-attic"]
    assert [section["id"] for section in sections["sections"]] == ["attic"]
    assert {told_.code for told_ in (elsewhere, enrolled, begun)} == {"PERMISSION_DENIED"}


async def test_another_organizations_things_are_not_there() -> None:
    async with serving(World()) as client:
        for method, request in (
            ("Sections/CreateSection", {"id": "their-lab"}),
            ("Chambers/EnrolChamber", ENROLMENT | {"section": "their-lab"}),
            ("Batches/StartBatch", {"id": "CHO-17.2", "section": "their-lab"}),
            ("Sections/PauseSection", {"section_id": "their-lab", "request_id": "theirs"}),
        ):
            await client.ask(method, request)
        user = await client.ask("Users/CreateUser", {"email": "ada@example.org"})
        invitation = await client.ask("Users/InviteUser", {"email": "eve@example.org"})
        theirs = PLACES | {"user_id": user["user"]["id"], "invitation_id": invitation["invitation"]["id"]}
        asked = []
        for method in METHODS:
            fields = client.message(method, {}).DESCRIPTOR.fields_by_name
            places = {name: theirs[name] for name in fields if name in theirs}
            if not any(name.endswith("_id") for name in places):
                continue
            change: dict[str, Any] = {"any_version": True} if "any_version" in fields else {}
            if "update_mask" in fields:
                name = fields["update_mask"].containing_type.fields[{"name": 2}.get(list(places)[-1], 1)].name
                key = {"detector": "alias", "user": "first_name"}.get(name, "name")
                change |= {name: {key: "mine"}, "update_mask": "firstName" if key == "first_name" else key}
            refusal = await client.refused(method, places | change, whose="other")
            assert refusal.code == "NOT_FOUND", (method, refusal)
            asked.append(method)
    assert len(asked) == 29


async def test_only_a_super_administrator_acts_in_another_organization() -> None:
    async with serving(World()) as client:
        await client.ask("Sections/CreateSection", {"id": "lab"}, whose="other")
        there = await client.ask("Sections/ListSections", whose="deployment", chamberlog_organization="other")
        assert [section["id"] for section in there["sections"]] == ["default", "lab"]
        own = await client.ask("Sections/ListSections", chamberlog_organization="default")
        assert [section["id"] for section in own["sections"]] == ["default"]
        for whose, organization in (("default", "other"), ("default", "nowhere"), ("deployment", "nowhere")):
            refusal = await client.refused("Sections/ListSections", whose=whose, chamberlog_organization=organization)
            assert refusal.code == "NOT_FOUND"


@pytest.mark.parametrize("name", ["x-chamberlog-role", "x-chamberlog-assertion", "x-chamberlog-anything"])
async def test_metadata_of_the_gateway_is_believed_from_nobody(name: str) -> None:
    async with serving(World()) as client:
        for whose in ("default", None):
            refusal = await end_of(client, "Chambers/ListChambers", whose=whose, **{name: "super-administrator"})
            assert refusal.code == "UNAUTHENTICATED"


async def test_of_two_credentials_none_counts() -> None:
    async with serving(World()) as client:
        sent = [("authorization", f"Bearer {KEYS[whose]}") for whose in ("default", "other")]
        with pytest.raises(grpc.aio.AioRpcError) as ended:
            await client.method("Chambers/ListChambers")(client.message("Chambers/ListChambers", {}), metadata=sent)
    assert ended.value.code() is grpc.StatusCode.UNAUTHENTICATED


class Once:
    """A limit of one request for each subject and class."""

    def __init__(self) -> None:
        self.seen: set[tuple[str, Traffic]] = set()

    async def hit(self, subject: str, traffic: Traffic) -> RateState:
        allowed = (subject, traffic) not in self.seen
        self.seen.add((subject, traffic))
        return RateState(allowed=allowed, limit=1, remaining=0, window_s=60, reset_s=17)


async def test_past_the_limit_it_is_said_when_there_is_room_again() -> None:
    world, limiter = World(), Once()
    services = make_services(replace(world.ports(), limiter=limiter))
    world.app.state.services = replace(world.app.state.services, identify=services.identify)
    async with serving(world) as client:
        await client.ask("Chambers/ListChambers")
        refusal = await client.refused("Sections/ListSections")
        await client.ask("Chambers/ListChambers", whose="other")
        sent = await client.refused("Chambers/EnrolChamber", {})
    assert (refusal.code, refusal.retry_s, refusal.trailing["retry-after"]) == ("RESOURCE_EXHAUSTED", 17, "17")
    assert sent.code == "INVALID_ARGUMENT"
    assert {subject for subject, _ in limiter.seen} == {"key/" + "0" * 11 + "a", "key/" + "0" * 11 + "b"}


async def test_a_server_that_is_away_is_not_the_callers_fault() -> None:
    world = World()
    async with serving(world) as client:
        world.ledger.away = True
        refusal = await client.refused("Chambers/ListChambers")
        world.ledger.away = False
        world.fleet.away = True
        engine = await client.refused("Chambers/EnrolChamber", ENROLMENT)
    for told_ in (refusal, engine):
        assert (told_.code, told_.retry_s, told_.trailing["retry-after"]) == ("UNAVAILABLE", 5, "5")


# ---- what is no call


async def test_bytes_that_are_no_request_are_the_callers_mistake() -> None:
    async with serving(World()) as client:
        for method in METHODS:
            if row_of(method).role is Role.SUPER_ADMINISTRATOR:
                continue
            refusal = await end_of(client, method, b"\xff")
            assert (refusal.code, list(refusal.violations)) == ("INVALID_ARGUMENT", ["message"]), method


@pytest.mark.parametrize(
    "name", ["/chamberlog.v1.Chambers/Nothing", "/other.Service/Get", "/grpc.health.v1.Health/List"]
)
async def test_what_is_not_there_is_said_to_those_who_are_known(name: str) -> None:
    async with serving(World()) as client:
        for whose, code in ((None, "UNAUTHENTICATED"), ("default", "UNIMPLEMENTED")):
            unknown: Any = client.channel.unary_unary(name)
            with pytest.raises(grpc.aio.AioRpcError) as ended:
                await unknown(b"", metadata=sent_by(whose))
            assert ended.value.code().name == code


@pytest.mark.parametrize("compression", [grpc.Compression.NoCompression, grpc.Compression.Gzip])
async def test_a_message_longer_than_64_kib_is_refused_also_when_it_was_packed(compression: grpc.Compression) -> None:
    async with serving(World()) as client:
        message = client.message("Chambers/EnrolChamber", ENROLMENT | {"name": "x" * 1_000_000})
        assert len(gzip.compress(message.SerializeToString())) < 2_000
        call = client.method("Chambers/EnrolChamber")
        with pytest.raises(grpc.aio.AioRpcError) as ended:
            await call(message, metadata=sent_by("default"), compression=compression)
    assert ended.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert "larger than max" in str(ended.value.details())


async def test_answers_are_not_compressed() -> None:
    async with serving(World()) as client:
        call = client.method("Chambers/ListChambers")(
            client.message("Chambers/ListChambers", {}), metadata=sent_by("default"), compression=grpc.Compression.Gzip
        )
        await call
        assert "grpc-encoding" not in dict(await call.initial_metadata())


# ---- how calls end


class Slow:
    """A device that answers when it is told to, and says whether anybody waited for that to the end."""

    def __init__(self, world: World) -> None:
        self.asked, self.go = asyncio.Event(), asyncio.Event()
        self.finished = 0
        services = world.app.state.services
        self.inner, self.read = services.pause, services.list_chambers
        world.app.state.services = replace(services, pause=self.pause, list_chambers=self.list_chambers)

    async def pause(self, *args: Any) -> Any:
        self.asked.set()
        await self.go.wait()
        answer = await self.inner(*args)
        self.finished += 1
        return answer

    async def list_chambers(self, *args: Any, **rest: Any) -> Any:
        self.asked.set()
        await self.go.wait()
        self.finished += 1
        return await self.read(*args, **rest)


@pytest.mark.parametrize("way", ["deadline", "cancel"])
@pytest.mark.parametrize("method", ["Chambers/PauseChamber", "Chambers/ListChambers"])
async def test_a_read_ends_with_its_caller_and_a_change_is_finished(way: str, method: str) -> None:
    world = World()
    slow = Slow(world)
    async with serving(world) as client:
        await client.ask("Chambers/EnrolChamber", ENROLMENT)
        request = {"chamber_id": "incubator-3"} if "Pause" in method else {}
        limit_s = 0.3 if way == "deadline" else None
        call = client.method(method)(client.message(method, request), metadata=sent_by("default"), timeout=limit_s)
        waiting = asyncio.ensure_future(call)
        await asyncio.wait_for(slow.asked.wait(), 5)
        if way == "cancel":
            call.cancel()
        with pytest.raises((grpc.aio.AioRpcError, asyncio.CancelledError)):
            await waiting
        await asyncio.sleep(0.1)
        slow.go.set()
        await asyncio.sleep(0.1)
        shown = await client.ask("Chambers/GetChamber", {"chamber_id": "incubator-3"})
    assert slow.finished == ("Pause" in method)
    assert ("paused" in shown["chamber"]) == ("Pause" in method)


async def test_a_stop_lets_calls_end_and_takes_no_new_ones() -> None:
    world = World()
    slow = Slow(world)
    made = GrpcApi(world.app.state.services, world.app.state.streams)
    port = made.listen("127.0.0.1", 0)
    await made.start()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        client = Client(channel, made, port)
        await client.ask("Chambers/EnrolChamber", ENROLMENT)
        asking = asyncio.create_task(client.ask("Chambers/PauseChamber", {"chamber_id": "incubator-3"}))
        await slow.asked.wait()
        stopping = asyncio.create_task(made.stop(5))
        await asyncio.sleep(0.2)
        late = await client.refused("Chambers/ListChambers")
        slow.go.set()
        answer = await asking
        await stopping
    assert answer["chamber"]["paused"]
    assert late.code == "UNAVAILABLE"


async def test_a_defect_is_told_without_its_text(caplog: pytest.LogCaptureFixture) -> None:
    world = World()

    async def broken(*_: Any, **__: Any) -> Any:
        raise ZeroDivisionError("swordfish")

    world.app.state.services = replace(world.app.state.services, list_chambers=broken, enrol=broken)
    async with serving(world) as client:
        for method, request in (("Chambers/ListChambers", {}), ("Chambers/EnrolChamber", ENROLMENT)):
            refusal = await client.refused(method, request)
            assert (refusal.code, "swordfish" in str(refusal)) == ("INTERNAL", False)
    assert caplog.text.count("ZeroDivisionError: swordfish") >= 2


@asynccontextmanager
async def noting(record: Record) -> AsyncIterator[Client]:
    """The API of a world whose events are kept by that."""
    world = World()
    async with served(GrpcApi(world.app.state.services, world.app.state.streams, GrpcEvents(record))) as client:
        yield client


async def test_every_change_leaves_one_event_whatever_came_of_it() -> None:
    events: list[AuditEvent] = []

    async def record(event: AuditEvent) -> None:
        events.append(event)

    chamber = {"chamber_id": "incubator-3"}
    async with noting(record) as client:
        await client.ask("Chambers/EnrolChamber", ENROLMENT)
        await client.ask("Chambers/ListChambers")
        await client.ask("Chambers/PauseChamber", chamber | {"reason": "door"})
        change = {"chamber": {"name": "I3"}, "update_mask": "name", "version": 7}
        await client.refused("Chambers/UpdateChamber", chamber | change)
        await client.refused("Detectors/UpdateDetector", chamber | {"name": "t", "update_mask": "alias"})
        await client.ask("Sections/PauseSection", {"section_id": "default", "request_id": "test"})
        await end_of(client, "Batches/EndBatch", b"\xff")
        await client.refused("Users/SignIn", {"email": "a@b.c", "password": "wrong"}, whose=None)
    assert {(event.organization, event.subject, event.source, event.address) for event in events} == {
        ("default", "key/" + "0" * 11 + "a", Source.GRPC, "127.0.0.1")
    }
    assert [(e.action, e.outcome.value, e.target, e.reason, dict(e.detail)) for e in events] == [
        ("chambers.enrol", "done", "chamber/incubator-3", "", {"code": "OK"}),
        ("chambers.pause", "done", "chamber/incubator-3", "door", {"code": "OK"}),
        ("chambers.change", "refused", "chamber/incubator-3", "", {"code": "ABORTED", "fields": ["name"]}),
        (
            "detectors.change",
            "refused",
            "chamber/incubator-3",
            "",
            {"code": "NOT_FOUND", "detector": "t", "fields": ["alias"]},
        ),
        ("sections.pause", "done", "section/default", "", {"code": "OK", "operation": "test"}),
        ("batches.end", "refused", "", "", {"code": "INVALID_ARGUMENT"}),
    ]


async def test_every_writing_method_leaves_an_event() -> None:
    events: list[AuditEvent] = []

    async def record(event: AuditEvent) -> None:
        events.append(event)

    async with noting(record) as client:
        for method in SIGNED:
            await end_of(client, method, b"\xff", whose="deployment")
    assert [event.action for event in events] == [row_of(method).name for method in SIGNED if row_of(method).writes]
    assert {event.outcome.value for event in events} == {"refused"}


async def test_what_was_done_and_cannot_be_told_is_not_answered() -> None:
    async def away(_: AuditEvent) -> None:
        raise AwayError("PostgreSQL is away")

    async with noting(away) as client:
        untold = await client.refused("Chambers/EnrolChamber", ENROLMENT)
        wrong = await client.refused("Chambers/EnrolChamber", {})
        there = await client.ask("Chambers/ListChambers")
    assert (untold.code, untold.retry_s) == ("UNAVAILABLE", 5)
    assert wrong.code == "INVALID_ARGUMENT"
    assert len(there["chambers"]) == 1


# ---- where it listens, health and reflection


async def test_a_port_that_is_taken_is_named() -> None:
    async with serving(World()) as client:
        world = World()
        other = GrpcApi(world.app.state.services, world.app.state.streams)
        with pytest.raises(InvalidFieldError) as wrong:
            other.listen("127.0.0.1", client.port)
        await other.stop(0)
    assert wrong.value.field == "CHAMBERLOG_GRPC_PORT"


async def test_health_is_told_to_anybody_and_turns_when_it_stops() -> None:
    async with serving(World()) as client:
        stub = health_pb2_grpc.HealthStub(client.channel)
        for name in ("", "chamberlog.v1.Chambers", "chamberlog.v1.Readings"):
            answer = await stub.Check(health_pb2.HealthCheckRequest(service=name))
            assert answer.status == health_pb2.HealthCheckResponse.SERVING
        with pytest.raises(grpc.aio.AioRpcError) as unknown:
            await stub.Check(health_pb2.HealthCheckRequest(service="nothing"))
        assert unknown.value.code() is grpc.StatusCode.NOT_FOUND
        watch = stub.Watch(health_pb2.HealthCheckRequest())
        assert (await watch.read()).status == health_pb2.HealthCheckResponse.SERVING
        stopping = asyncio.create_task(client.api.stop(9))
        assert (await watch.read()).status == health_pb2.HealthCheckResponse.NOT_SERVING
        await asyncio.wait_for(stopping, 4)


async def test_reflection_describes_every_method_to_those_who_are_known() -> None:
    async with serving(World()) as client:
        stub = reflection_pb2_grpc.ServerReflectionStub(client.channel)
        asked = [
            reflection_pb2.ServerReflectionRequest(list_services=""),
            reflection_pb2.ServerReflectionRequest(file_containing_symbol="chamberlog.v1.Chambers"),
        ]
        with pytest.raises(grpc.aio.AioRpcError) as closed:
            await stub.ServerReflectionInfo().read()  # it sends nothing: the call may be over before it could
        call = stub.ServerReflectionInfo(iter(asked), metadata=sent_by("default"))
        names = {found.name for found in (await call.read()).list_services_response.service}
        file = descriptor_pb2.FileDescriptorProto.FromString(
            (await call.read()).file_descriptor_response.file_descriptor_proto[0]
        )
    assert closed.value.code() is grpc.StatusCode.UNAUTHENTICATED
    assert {service.full_name for service, _ in SERVICES} < names
    assert [method.name for method in file.service[0].method] == list(SERVICES[4][0].methods_by_name)
