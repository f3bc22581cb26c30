"""`Tracing`, over the twin and over OpenTelemetry."""

import asyncio
from collections.abc import Callable

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import NoOpTracerProvider, get_current_span

from adapters.telemetry import OtelTracing, make_tracing
from collector.domain.errors import DeviceTimeoutError
from collector.ports import NO_TRACING, SpanKind
from collector.ports.tracing import ROOT, is_kept
from tests.unit.span_rooms import SpanRoom, memory_spans, otel_spans

KINDS: list[Callable[..., SpanRoom]] = [memory_spans, otel_spans]
THEIRS = f"00-{'a' * 32}-{'b' * 16}-01"
NOBODYS = f"00-{'a' * 32}-{'b' * 16}-00"


@pytest.fixture(params=KINDS, ids=["memory", "otel"])
def make(request: pytest.FixtureRequest) -> Callable[..., SpanRoom]:
    found: Callable[..., SpanRoom] = request.param
    return found


@pytest.fixture
def room(make: Callable[..., SpanRoom]) -> SpanRoom:
    return make()


def test_a_span_has_the_values_that_it_was_given(room: SpanRoom) -> None:
    with room.tracing.span("GET", kind=SpanKind.CLIENT) as span:
        assert span.kept
        span.note({"server.port": 80, "url.path": "/before"})
        span.note({"url.path": "/now", "chamberlog.lateness_s": 0.5})
        room.clock.ms += 250
    (seen,) = room.seen()
    assert (seen.name, seen.kind, seen.parent, seen.links, seen.error) == ("GET", "client", "", (), "")
    assert seen.attributes == {"server.port": 80, "url.path": "/now", "chamberlog.lateness_s": 0.5}
    assert seen.ended_ms - seen.began_ms == 250
    assert seen.context == f"00-{1:032x}-{1:016x}-01"


def test_what_is_opened_within_is_a_child(room: SpanRoom) -> None:
    with room.tracing.span("round"):
        round_context = room.tracing.here()
        with room.tracing.span("slot"):
            slot_context = room.tracing.here()
            assert slot_context != round_context
        assert room.tracing.here() == round_context
        with room.tracing.span("slot"):
            pass
    assert room.tracing.here() == ""
    one, two, whole = room.seen()
    assert (one.name, one.context, one.parent) == ("slot", slot_context, round_context)
    assert (two.parent, whole.context, whole.parent) == (round_context, round_context, "")
    assert one.trace == two.trace == whole.trace


def test_a_root_begins_a_trace_of_its_own_wherever_it_is_opened(room: SpanRoom) -> None:
    with room.tracing.span("around"), room.tracing.span("round", parent=ROOT), room.tracing.span("slot"):
        pass
    slot, inner, around = room.seen()
    assert (inner.parent, slot.parent) == ("", inner.context)
    assert inner.trace != around.trace


def test_a_trace_that_came_from_elsewhere_is_continued(room: SpanRoom) -> None:
    with room.tracing.span("around"), room.tracing.span("collect adhoc", parent=THEIRS):
        pass
    adhoc, _ = room.seen()
    assert (adhoc.parent, adhoc.trace) == (THEIRS, "a" * 32)


def test_links_lead_to_what_somebody_keeps(room: SpanRoom) -> None:
    with room.tracing.span("round", parent=ROOT, links=[THEIRS, NOBODYS, "", "nonsense"]):
        pass
    assert room.only("round").links == (THEIRS,)


def test_an_error_that_leaves_is_the_failure_and_leaves_all_the_same(room: SpanRoom) -> None:
    with (
        pytest.raises(DeviceTimeoutError),
        room.tracing.span("slot"),
        room.tracing.span("GET"),
    ):
        raise DeviceTimeoutError("no whole answer within 2000 ms")
    with pytest.raises(KeyError), room.tracing.span("map answer"):
        raise KeyError("hunter2")
    assert [(span.name, span.error) for span in room.seen()] == [
        ("GET", "timeout"),
        ("slot", "timeout"),
        ("map answer", "KeyError"),
    ]
    assert room.tracing.here() == ""


def test_the_first_word_of_a_failure_stands(room: SpanRoom) -> None:
    def work() -> None:
        with room.tracing.span("slot") as span:
            span.fail("unreachable")
            span.fail("other")
            raise ValueError("more")

    with pytest.raises(ValueError, match="more"):
        work()
    assert room.only("slot").error == "unreachable"


def test_what_is_not_kept_at_its_root_is_kept_nowhere(make: Callable[..., SpanRoom]) -> None:
    room = make(keeps=False)
    with room.tracing.span("round", parent=ROOT) as whole:
        assert (whole.kept, is_kept(room.tracing.here())) == (False, False)
        with room.tracing.span("slot") as slot:
            assert not slot.kept
            slot.note({"chamberlog.slot": "2026-03-01T12:00:00Z"})
            slot.fail("timeout")
            assert not is_kept(room.tracing.here())
    assert room.seen() == []
    assert room.tracing.here() == ""


@pytest.mark.parametrize("keeps", [True, False])
def test_a_caller_decides_for_what_continues_its_trace(make: Callable[..., SpanRoom], *, keeps: bool) -> None:
    room = make(keeps=not keeps)
    with room.tracing.span("collect adhoc", parent=THEIRS if keeps else NOBODYS), room.tracing.span("GET"):
        pass
    assert [span.name for span in room.seen()] == (["GET", "collect adhoc"] if keeps else [])


async def test_tasks_go_on_in_the_span_that_they_were_made_in(room: SpanRoom) -> None:
    async def work(name: str) -> None:
        await asyncio.sleep(0)
        with room.tracing.span(name):
            await asyncio.sleep(0)

    async def turn(name: str) -> None:
        with room.tracing.span(name, parent=ROOT):
            await asyncio.gather(work(f"{name} 1"), work(f"{name} 2"))

    await asyncio.gather(turn("a"), turn("b"))
    for name in ("a", "b"):
        whole = room.only(name)
        assert {room.only(f"{name} {n}").parent for n in (1, 2)} == {whole.context}


def test_a_span_is_current_for_opentelemetry_too() -> None:
    room = otel_spans()
    with room.tracing.span("round"):
        context = get_current_span().get_span_context()
        assert room.tracing.here() == f"00-{context.trace_id:032x}-{context.span_id:016x}-01"
    assert not get_current_span().get_span_context().is_valid


def test_a_process_without_a_collector_opens_nothing() -> None:
    assert make_tracing(NoOpTracerProvider()) is NO_TRACING
    assert isinstance(make_tracing(TracerProvider(shutdown_on_exit=False)), OtelTracing)
    with NO_TRACING.span("round", parent=THEIRS, links=[THEIRS]) as span:
        span.note({"a": 1})
        span.fail("timeout")
        assert (span.kept, NO_TRACING.here()) == (False, "")
