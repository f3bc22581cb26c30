"""Whatever is called, with whatever: it is answered, or refused with a reason; never UNKNOWN, never INTERNAL."""

import asyncio
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import grpc
import pytest
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.field_errors import FieldError
from api.grpc.errors import refused
from api.grpc.serving import SERVICES
from api.problems import ProblemError
from tests.contract.grpc_client import Client, Told, sent_by, serving, told
from tests.unit.api_world import World

LIGHT = settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow])
METHODS = {f"{service.name}/{method.name}": method for service, _ in SERVICES for method in service.methods}
FINE = {"NOT_FOUND", "INVALID_ARGUMENT", "ALREADY_EXISTS", "FAILED_PRECONDITION", "ABORTED", "PERMISSION_DENIED"}
"""What a wrong request may come to while every server is there."""
THINGS: list[tuple[str, dict[str, Any]]] = [
    ("Sections/CreateSection", {"id": "cold"}),
    (
        "Chambers/EnrolChamber",
        {"id": "incubator-3", "url": "http://10.0.0.2", "profile": "airgradient", "interval": "60s"},
    ),
    ("Batches/StartBatch", {"id": "CHO-17.2", "section": "default"}),
]
TEXTS = st.one_of(
    st.sampled_from(
        [
            "incubator-3",
            "cold",
            "default",
            "CHO-17.2",
            "airgradient",
            "http://10.0.0.3",
            "temperature",
            "env:X",
            "ada@x.org",
            "chi_000000000000_",
        ]
    ),
    st.text(max_size=30),
    st.sampled_from(["\x00", "%", "x" * 5_000, "*", "../..", "\u202e", "1-0", "file:/etc/passwd"]),
)
INTEGERS = st.one_of(st.integers(-1, 5), st.integers(-(2**31), 2**31 - 1))
LONGS = st.one_of(st.integers(-(2**63), 2**63 - 1), st.integers(0, 4 * 10**9))


def fields_of(kind: Descriptor) -> st.SearchStrategy[dict[str, Any]]:
    """Some fields of a message, each with some value of its type."""
    return st.fixed_dictionaries({}, optional={field.name: values_of(field) for field in kind.fields})


def values_of(field: FieldDescriptor) -> st.SearchStrategy[Any]:
    kind = field.message_type
    if kind is not None and kind.GetOptions().map_entry:
        return st.dictionaries(TEXTS, TEXTS, max_size=3)
    if kind is not None and kind.name == "FieldMask":
        parent = field.containing_type
        assert parent is not None
        inner = next((f.message_type for f in parent.fields if f.message_type and f.name != field.name), None)
        names = [f.name for f in inner.fields] if inner is not None else ["x"]
        return st.fixed_dictionaries({"paths": st.lists(st.one_of(st.sampled_from(names), TEXTS), max_size=4)})
    if kind is not None and kind.name in ("Timestamp", "Duration"):
        return st.fixed_dictionaries({"seconds": LONGS, "nanos": st.one_of(st.just(0), INTEGERS)})
    if kind is not None:
        return fields_of(kind)
    return {
        FieldDescriptor.CPPTYPE_STRING: TEXTS,
        FieldDescriptor.CPPTYPE_BOOL: st.booleans(),
        FieldDescriptor.CPPTYPE_ENUM: INTEGERS,
        FieldDescriptor.CPPTYPE_INT64: LONGS,
    }.get(field.cpp_type, INTEGERS)


def filled(message: Message, fields: dict[str, Any]) -> Message:
    for name, value in fields.items():
        field = message.DESCRIPTOR.fields_by_name[name]
        if field.message_type is None:
            setattr(message, name, value)
        elif field.message_type.GetOptions().map_entry:
            getattr(message, name).update(value)
        elif name == "update_mask":
            message.update_mask.paths.extend(value["paths"])  # type: ignore[attr-defined]
        else:
            inner = getattr(message, name)
            inner.SetInParent()
            filled(inner, value)
    return message


REQUESTS = st.sampled_from(sorted(METHODS)).flatmap(
    lambda name: st.tuples(st.just(name), fields_of(METHODS[name].input_type))
)


@pytest.fixture(scope="module")
def asking() -> Iterator[Any]:
    """Sends a call to one server that all examples share; each begins with a world of its own."""
    world = World()
    with asyncio.Runner() as runner:
        serve = serving(world)
        client = runner.run(serve.__aenter__())

        def ask(name: str, request: Any, metadata: list[tuple[str, str]]) -> Told | None:
            return runner.run(asked(world, client, name, request, metadata))

        yield ask
        runner.run(serve.__aexit__(None, None, None))


async def asked(world: World, client: Client, name: str, request: Any, metadata: list[tuple[str, str]]) -> Told | None:
    world.empty()
    for thing, body in THINGS:
        await client.ask(thing, body)
    call = client.method(name)(request, metadata=metadata, timeout=10)
    try:
        if not METHODS[name].server_streaming:
            await call
            return None
        waiting = asyncio.ensure_future(call.read())
        await asyncio.wait({waiting}, timeout=0.02)
        call.cancel()
        await waiting
    except grpc.aio.AioRpcError as error:
        return told(error)
    except asyncio.CancelledError:
        return None
    return None


def check(how: Told | None) -> None:
    if how is None:
        return
    assert how.code in FINE or (how.code == "UNAUTHENTICATED" and "authorization" not in how.violations), how
    assert how.violations, how
    assert how.info["domain"] == "chamberlog"


@LIGHT
@given(request=REQUESTS)
def test_any_message_is_answered_or_refused_with_a_reason(asking: Any, request: tuple[str, dict[str, Any]]) -> None:
    name, fields = request
    check(asking(name, filled(GetMessageClass(METHODS[name].input_type)(), fields), sent_by("default")))


@LIGHT
@given(name=st.sampled_from(sorted(METHODS)), data=st.binary(max_size=60))
def test_any_bytes_are_answered_or_refused_with_a_reason(asking: Any, name: str, data: bytes) -> None:
    check(asking(name, data, sent_by("default")))


NAMES = st.sampled_from(
    [
        "authorization",
        "chamberlog-organization",
        "x-chamberlog-subject",
        "x-chamberlog-assertion",
        "x",
        "user-agent",
        "te",
    ]
)
PRINTABLE = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=80)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(metadata=st.lists(st.tuples(NAMES, PRINTABLE), max_size=4), signed=st.booleans())
def test_any_metadata_is_taken_or_refused(asking: Any, metadata: list[tuple[str, str]], signed: bool) -> None:
    request = GetMessageClass(METHODS["Chambers/ListChambers"].input_type)()
    how = asking("Chambers/ListChambers", request, [*metadata, *(sent_by("default") if signed else [])])
    assert how is None or how.code in ("UNAUTHENTICATED", "NOT_FOUND"), how


@settings(max_examples=60, deadline=None)
@given(
    detail=st.text(max_size=40),
    errors=st.lists(st.builds(FieldError, field=st.text(), problem=st.text(), remedy=st.text()), max_size=12),
    status=st.sampled_from([400, 401, 403, 404, 409, 412, 418, 422, 429, 500, 502, 503, 504]),
    long=st.sampled_from([("", 0), ("x", 10_000), ("\U0001f9ea", 3_000)]),
)
def test_a_refusal_fits_into_what_clients_take(
    detail: str, errors: list[FieldError], status: int, long: tuple[str, int]
) -> None:
    text = long[0] * long[1]
    how = refused(ProblemError(status, detail + text, [*errors, FieldError(field=text, problem=text, remedy=text)]))
    assert how.code.name not in ("OK", "UNKNOWN")
    length = len(dict(how.metadata)["grpc-status-details-bin"]) * 4 // 3 + len(quote(how.message))
    assert length < 7_000, length
