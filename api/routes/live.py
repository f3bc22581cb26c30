"""What was just stored, as a stream of server-sent events."""

from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request, Response

from api.asking import Caller, Use
from api.field_errors import FieldError
from api.inputs import LiveQuery
from api.live_texts import EXAMPLE
from api.problems import ProblemError, documented
from api.services import Services
from api.streams import EventStream, Streams, Watched
from collector.domain.errors import InvalidFieldError, NotFoundError
from collector.ports import Principal
from collector.ports.live import EVENT_ID
from collector.usecases.live import WatchLive
from collector.usecases.watching import LiveFilter

router = APIRouter(prefix="/v1", tags=["ledger"], responses=documented(401, 422, 503))

MEDIA_TYPE = "text/event-stream"
ACCEPTED = frozenset({MEDIA_TYPE, "text/*", "*/*"})
STREAM: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {MEDIA_TYPE: {"schema": {"type": "string"}, "example": EXAMPLE}},
        "description": "Events until the client leaves, its key is revoked or the API stops",
    }
}
LastEventId = Annotated[str | None, Header(description="`id` of the last event that was seen: go on after it")]


@router.get("/live", response_class=Response, responses={**STREAM, **documented(404, 406)})
async def watch_live(
    query: Annotated[LiveQuery, Query()],
    *,
    use: Use,
    caller: Caller,
    request: Request,
    last_event_id: LastEventId = None,
) -> Response:
    """Readings and gaps of the organization, a section or a chamber as they are stored: server-sent events."""
    wanted = replace(query.filter(), section=use.bounds.narrowed(caller, query.section))
    _check_accept(request)
    live, streams = _feed_of(use), _streams_of(request)
    streams.check_room()
    after = _place(last_event_id)
    live.check_open()
    await _check(live, caller, wanted, use)
    watched = Watched(
        lambda: live.subscribe(caller.organization, wanted, after),
        lambda watcher: live.unsubscribe(caller.organization, watcher),
        lambda: use.still_valid(caller.credential),
    )
    return EventStream(streams, watched)


async def _check(live: WatchLive, caller: Principal, wanted: LiveFilter, use: Services) -> None:
    async def check_chamber(organization: str, chamber_id: str) -> None:
        await live.check_chamber(organization, chamber_id)
        await use.bounds.chamber(caller, chamber_id)

    for field, name, check in (
        ("chamber", wanted.chamber_id, check_chamber),
        ("section", wanted.section, live.check_section),
    ):
        try:
            if name is not None:
                await check(caller.organization, name)
        except NotFoundError as error:
            remedy = f"GET /v1/{field}s lists what there is"
            found = FieldError(field=field, problem=str(error), remedy=remedy)
            raise ProblemError(404, f"{error}; {remedy}", [found]) from None


def _check_accept(request: Request) -> None:
    kinds = {part.partition(";")[0].strip().lower() for part in request.headers.get("accept", "*/*").split(",")}
    if not kinds & ACCEPTED:
        remedy = f"send Accept: {MEDIA_TYPE}, or none"
        problem = "a stream of server-sent events is all that this path answers"
        raise ProblemError(406, f"{problem}; {remedy}", [FieldError(field="Accept", problem=problem, remedy=remedy)])


def _feed_of(use: Services) -> WatchLive:
    if use.live is None:
        remedy = "set CHAMBERLOG_REDIS of the API and of the workers to the URL of a Valkey or Redis"
        problem = "this deployment has no live feed"
        field = FieldError(field="CHAMBERLOG_REDIS", problem=problem, remedy=remedy)
        raise ProblemError(503, f"{problem}; {remedy}", [field])
    return use.live


def _streams_of(request: Request) -> Streams:
    streams: Streams = request.app.state.streams
    return streams


def _place(last_event_id: str | None) -> str | None:
    if last_event_id is not None and not EVENT_ID.fullmatch(last_event_id):
        remedy = "send the id of an event of this stream, or leave it out to begin now"
        raise InvalidFieldError("Last-Event-ID", "it is not an id of an event", remedy)
    return last_event_id
