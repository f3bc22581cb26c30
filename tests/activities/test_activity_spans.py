"""The spans of activities: a round is the root of a trace, a collection off the grid continues its caller's."""

import pytest
from temporalio.exceptions import ApplicationError

from collector.domain.errors import StoreRefusedError
from collector.domain.instants import iso
from collector.messages import AdhocRequest, RoundRequest, StoreRequest
from collector.packing import pack
from tests.activities.activity_stage import REFUSED, WELL, ActivityStage
from tests.unit.jumping_time import NOON_MS, JumpingClock, in_jumping_time
from tests.unit.round_doubles import Mood
from tests.unit.round_stage import chamber
from tests.unit.span_rooms import SpanRoom, otel_spans
from tests.workflow.stage import reading

ENROLMENT = f"00-{'e' * 32}-{'e' * 16}-01"
CALLER = f"00-{'c' * 32}-{'c' * 16}-01"
ANOTHER = f"00-{'d' * 32}-{'d' * 16}-01"
CHAMBER = {
    "chamberlog.organization": "default",
    "chamberlog.section": "default",
    "chamberlog.chamber": "incubator-3",
    "chamberlog.profile": "generic-json",
}
RUN = {"temporal.workflow.id": "test", "temporal.run.id": "test-run", "temporal.activity.attempt": 1}


class Room:
    """The activities of a worker whose spans are seen."""

    def __init__(self, interval_s: float = 10) -> None:
        self.spans: SpanRoom = otel_spans(now_ms=JumpingClock().now_ms)
        self.stage = ActivityStage(chamber(interval_s), self.spans.tracing)

    async def collect(self, request: RoundRequest, number: int = 1) -> None:
        await self.stage.enrol()
        attempt = self.stage.begin(number)
        await attempt.collect(request)


@in_jumping_time
async def test_a_round_is_the_root_of_its_trace_and_names_the_enrolment() -> None:
    room = Room()
    with room.spans.tracing.span("around"):
        await room.collect(room.stage.request(2, enrolment=ENROLMENT, health=WELL))
    span = room.spans.only("collect round")
    assert (span.parent, span.links, span.error, span.kind) == ("", (ENROLMENT,), "", "internal")
    assert span.trace not in (room.spans.only("around").trace, ENROLMENT[3:35])
    assert span.attributes == {
        **CHAMBER,
        **RUN,
        "chamberlog.interval_s": 10.0,
        "chamberlog.round.first_slot": iso(NOON_MS),
        "chamberlog.round.slots": 2,
    }
    assert [slot.parent for slot in room.spans.named("collect slot")] == [span.context] * 2
    assert {slot.trace for slot in room.spans.named("store outcomes")} == {span.trace}


@in_jumping_time
async def test_each_round_is_a_trace_of_its_own() -> None:
    room = Room()
    for first in (0, 1, 2):
        await room.collect(room.stage.request(1, first, enrolment=ENROLMENT))
    assert len({span.trace for span in room.spans.named("collect round")}) == 3


@pytest.mark.parametrize("enrolment", ["", "nonsense", ENROLMENT[:-1] + "0"])
def test_a_chamber_whose_enrolment_nobody_kept_has_no_link(enrolment: str) -> None:
    @in_jumping_time
    async def play() -> None:
        room = Room()
        await room.collect(room.stage.request(1, enrolment=enrolment))
        assert room.spans.only("collect round").links == ()

    play()


@in_jumping_time
async def test_an_attempt_that_failed_says_why() -> None:
    room = Room(60)
    room.stage.devices.script.append(REFUSED)
    with pytest.raises(ApplicationError, match="unreachable"):
        await room.collect(room.stage.request(1, health=WELL))
    assert room.spans.only("collect round").error == "unreachable"
    await room.collect(room.stage.request(1, health=WELL), 2)
    again = room.spans.named("collect round")[1]
    assert (again.error, again.attributes["temporal.activity.attempt"]) == ("", 2)


@in_jumping_time
async def test_a_collection_off_the_grid_continues_its_callers_trace() -> None:
    room = Room()
    await room.stage.enrol()
    await room.stage.begin().collect_adhoc(AdhocRequest(room.stage.spec, "r1", trace=CALLER))
    span = room.spans.only("collect adhoc")
    assert (span.parent, span.trace, span.links) == (CALLER, "c" * 32, ())
    assert span.attributes == {
        **CHAMBER,
        **RUN,
        "chamberlog.interval_s": 10.0,
        "chamberlog.outcome": "reading",
        "chamberlog.lateness_s": 0.0,
    }
    assert room.spans.tree() == ["? > collect adhoc", "collect adhoc > map answer", "collect adhoc > store outcomes"]


@in_jumping_time
async def test_one_that_fails_off_the_grid_says_why() -> None:
    room = Room()
    await room.stage.enrol()
    room.stage.devices.script.append(REFUSED)
    await room.stage.begin().collect_adhoc(AdhocRequest(room.stage.spec, "r1", trace=CALLER))
    span = room.spans.only("collect adhoc")
    assert (span.error, span.attributes["chamberlog.gap.reason"]) == ("unreachable", "unreachable")


@in_jumping_time
async def test_a_store_that_is_away_is_seen_off_the_grid() -> None:
    room = Room()
    await room.stage.enrol()
    room.stage.store.moods.append(Mood.REFUSE)
    await room.stage.begin().collect_adhoc(AdhocRequest(room.stage.spec, "r1", trace=CALLER))
    assert room.spans.only("store outcomes").error == "StoreRefusedError"
    assert room.spans.only("collect adhoc").error == ""


@in_jumping_time
async def test_without_a_caller_it_is_a_trace_of_its_own() -> None:
    room = Room()
    await room.stage.enrol()
    await room.stage.begin().collect_adhoc(AdhocRequest(room.stage.spec, "r1"))
    assert room.spans.only("collect adhoc").parent == ""


@in_jumping_time
async def test_outcomes_that_waited_are_stored_in_a_trace_of_their_own() -> None:
    room = Room()
    await room.stage.enrol()
    request = StoreRequest("incubator-3", [pack(reading(room.stage.slot(0)))], None, "default", 10_000, "default")
    with room.spans.tracing.span("around"):
        await room.stage.begin().store(request)
    span = room.spans.only("store unsaved")
    assert (span.parent, span.error) == ("", "")
    assert span.attributes == {
        "chamberlog.organization": "default",
        "chamberlog.section": "default",
        "chamberlog.chamber": "incubator-3",
        "chamberlog.outcomes": 1,
        **RUN,
    }
    room.stage.store.moods += [Mood.REFUSE, Mood.REFUSE]
    with pytest.raises(ApplicationError):
        await room.stage.begin().store(request)
    assert room.spans.named("store unsaved")[1].error == StoreRefusedError.__name__
