"""What a trace shows of a round's slots: by value, in OpenTelemetry's SDK, with ids and times that stay the same."""

import asyncio

import pytest

from collector.domain.errors import DeviceStatusError, DeviceTimeoutError, DeviceUnreachableError, MalformedAnswerError
from collector.domain.health import Health
from collector.domain.instants import iso
from collector.usecases.collect import TryAgainError
from tests.unit.jumping_time import NOON_MS, JumpingClock, in_jumping_time
from tests.unit.round_doubles import Answer, Mood
from tests.unit.round_stage import RoundStage, chamber
from tests.unit.span_rooms import SpanRoom, otel_spans

WELL, FAILING = Health(last_reading_ms=NOON_MS - 1), Health(failures=9)


class Room:
    """A round's stage whose spans are seen, in its own time."""

    def __init__(self, interval_s: float = 10, *, keeps: bool = True) -> None:
        self.spans: SpanRoom = otel_spans(keeps=keeps, now_ms=JumpingClock().now_ms)
        self.stage = RoundStage(chamber(interval_s), tracing=self.spans.tracing)


@in_jumping_time
async def test_each_slot_is_a_span_with_its_mapping_and_its_storing() -> None:
    room = Room()
    room.stage.devices.otherwise = Answer(40)
    with room.spans.tracing.span("round"):
        await room.stage.attempt(room.stage.request(2, health=WELL))
    assert room.spans.tree() == [
        "round",
        "round > collect slot",
        "collect slot > map answer",
        "collect slot > store outcomes",
        "round > collect slot",
        "collect slot > map answer",
        "collect slot > store outcomes",
    ]
    first, second = room.spans.named("collect slot")
    for index, span in enumerate((first, second)):
        slot_ms = room.stage.slot(index)
        assert span.attributes == {
            "chamberlog.slot": iso(slot_ms),
            "chamberlog.outcome": "reading",
            "chamberlog.lateness_s": 0.0,
        }
        assert (span.began_ms, span.kind, span.error) == (slot_ms, "internal", "")
        assert span.ended_ms >= slot_ms + 40
    assert [span.attributes for span in room.spans.named("store outcomes")] == [{"chamberlog.outcomes": 1}] * 2


@in_jumping_time
async def test_lateness_is_that_of_the_request() -> None:
    room = Room()
    await room.stage.enrol()
    await room.stage.clock.until(room.stage.slot(0) + 1_250)
    await room.stage.attempt(room.stage.request(1))
    assert room.spans.only("collect slot").attributes["chamberlog.lateness_s"] == 1.25


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (DeviceUnreachableError("connect: refused"), "unreachable"),
        (DeviceTimeoutError("late"), "timeout"),
        (DeviceStatusError("http_500"), "http_status"),
    ],
)
def test_a_gap_is_its_slots_failure(error: Exception, reason: str) -> None:
    @in_jumping_time
    async def play() -> None:
        room = Room()
        room.stage.devices.otherwise = Answer(5, error)
        await room.stage.attempt(room.stage.request(1, health=FAILING))
        slot = room.spans.only("collect slot")
        assert slot.error == reason
        assert slot.attributes == {
            "chamberlog.slot": iso(room.stage.slot(0)),
            "chamberlog.outcome": "gap",
            "chamberlog.gap.reason": reason,
        }
        assert room.spans.tree() == ["collect slot", "collect slot > store outcomes"]
        assert room.spans.only("store outcomes").error == ""

    play()


@in_jumping_time
async def test_what_does_not_map_fails_where_it_was_mapped_and_is_not_quoted() -> None:
    room = Room()
    room.stage.devices.otherwise = Answer(5, body=b"hunter2")
    await room.stage.attempt(room.stage.request(1, health=FAILING))
    assert [(span.name, span.error) for span in room.spans.seen()] == [
        ("map answer", MalformedAnswerError.reason.value),
        ("store outcomes", ""),
        ("collect slot", "malformed"),
    ]
    assert "hunter2" not in repr(room.spans.seen())


@in_jumping_time
async def test_an_attempt_that_is_made_again_has_no_outcome_yet() -> None:
    room = Room(60)
    room.stage.devices.script.append(Answer(5, DeviceUnreachableError("connect: refused")))
    with pytest.raises(TryAgainError):
        await room.stage.attempt(room.stage.request(1))
    slot = room.spans.only("collect slot")
    assert (slot.error, slot.attributes) == ("unreachable", {"chamberlog.slot": iso(room.stage.slot(0))})


@in_jumping_time
async def test_attempts_inside_a_round_are_one_slot() -> None:
    room = Room(30)
    room.stage.devices.script += [Answer(5, DeviceUnreachableError("connect: refused"))] * 2
    out, shown = await room.stage.carry(room.stage.request(2, health=WELL))
    assert (out.stored, len(shown)) == (2, 1)
    shown_one, again, _ = room.spans.named("collect slot")
    assert (shown_one.error, again.error) == ("unreachable", "")
    assert again.attributes["chamberlog.outcome"] == "reading"


@in_jumping_time
async def test_a_store_that_refuses_is_seen_and_the_slot_has_its_reading() -> None:
    room = Room()
    room.stage.store.moods.append(Mood.REFUSE)
    await room.stage.attempt(room.stage.request(2, health=WELL))
    refused, taken = room.spans.named("store outcomes")
    assert (refused.error, refused.attributes) == ("StoreRefusedError", {"chamberlog.outcomes": 1})
    assert (taken.error, taken.attributes) == ("", {"chamberlog.outcomes": 2})
    assert [span.error for span in room.spans.named("collect slot")] == ["", ""]


@in_jumping_time
async def test_a_store_that_does_not_answer_is_seen_by_each_slot_that_waits_for_it() -> None:
    room = Room()
    room.stage.store.moods.append(Mood.HANG)
    await room.stage.attempt(room.stage.request(3, health=WELL))
    assert [span.error for span in room.spans.named("store outcomes")] == ["TimeoutError", "StoreRefusedError", ""]
    assert [span.attributes["chamberlog.outcomes"] for span in room.spans.named("store outcomes")] == [1, 2, 3]
    assert room.stage.chamber.settled_ms == room.stage.slot(2)


@in_jumping_time
async def test_slots_that_nobody_may_fetch_any_more_are_stored_without_a_span_of_their_own() -> None:
    room = Room()
    await room.stage.enrol()
    await room.stage.clock.until(room.stage.slot(2) + 1)
    with room.spans.tracing.span("round"):
        await room.stage.attempt(room.stage.request(3, health=WELL))
    assert room.stage.gaps == [(0, 1, "missed")]
    assert room.spans.tree()[:3] == ["round", "round > store outcomes", "round > collect slot"]
    assert room.spans.named("store outcomes")[0].attributes == {"chamberlog.outcomes": 1}


@in_jumping_time
async def test_a_round_that_is_not_kept_costs_no_span_and_collects_the_same() -> None:
    room = Room(keeps=False)
    with room.spans.tracing.span("round"):
        await asyncio.sleep(0)
        out = await room.stage.attempt(room.stage.request(2, health=WELL))
    assert (out.stored, room.spans.seen()) == (2, [])
