"""What was just stored, as a stream of messages."""

from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import replace
from functools import lru_cache

from api.field_errors import FieldError
from api.grpc.asked import checked
from api.grpc.call import Call
from api.grpc.generated.chamberlog.v1 import readings_pb2 as pb
from api.grpc.told_ledger import gap_message, reading_message
from api.inputs import LiveQuery
from api.live_texts import FEED_AWAY, RENDERED
from api.problems import RETRY_AFTER_S, ProblemError
from api.streams import KEY_GONE, Said, Telling, Withheld
from api.watchable import watched_by
from collector.domain.outcome import Reading
from collector.ports import Dropped, Interrupted, LiveEvent
from collector.usecases.watching import Closed


async def watch_readings(
    call: Call, request: pb.WatchReadingsRequest
) -> AsyncIterator[pb.WatchReadingsResponse | None]:
    """Readings and gaps as they are stored; the first item is None: it has begun.

    Raises:
        ProblemError: 401 when the credential is revoked, 503 when the server stops or has no room; whoever calls again
            goes on after the last event.
    """
    query = checked(LiveQuery, request, "after")
    wanted = replace(query.filter(), section=call.narrowed(query.section))
    watched = await watched_by(call.caller, wanted, request.after or None, use=call.use, streams=call.streams)
    call.streams.open += 1
    try:
        async with aclosing(Telling(call.streams.rules, watched).parts()) as parts:
            await anext(parts)
            yield None
            async for part in parts:
                for item in part:
                    yield _message(item)
                if not part:
                    yield pb.WatchReadingsResponse(nothing_new=pb.NothingNew())
    finally:
        call.streams.open -= 1


def _message(item: Said) -> pb.WatchReadingsResponse:
    match item:
        case LiveEvent():
            return _event(item)
        case Dropped(events=events):
            return pb.WatchReadingsResponse(dropped=pb.Dropped(events=events))
        case Interrupted():
            return pb.WatchReadingsResponse(interrupted=pb.Interrupted(reason=FEED_AWAY))
        case Withheld(reason=reason):
            return pb.WatchReadingsResponse(interrupted=pb.Interrupted(reason=reason))
        case Closed(reason=reason):
            raise _ended(reason)
    return pb.WatchReadingsResponse(resumed=pb.Resumed())


def _ended(reason: str) -> ProblemError:
    if reason == KEY_GONE:
        remedy = "send another one"
        return ProblemError(401, reason, [FieldError(field="authorization", problem=reason, remedy=remedy)])
    return ProblemError(503, reason, headers={"Retry-After": str(RETRY_AFTER_S)})


@lru_cache(maxsize=RENDERED)
def _event(event: LiveEvent) -> pb.WatchReadingsResponse:
    """All streams of a process show the same ones."""
    place, outcome = {"chamber": event.chamber_id, "section": event.section}, event.outcome
    if isinstance(outcome, Reading):
        shown = pb.LiveReading(**place, reading=reading_message(outcome, None))
        return pb.WatchReadingsResponse(event_id=event.id, reading=shown)
    return pb.WatchReadingsResponse(event_id=event.id, gap=pb.LiveGap(**place, gap=gap_message(outcome)))
