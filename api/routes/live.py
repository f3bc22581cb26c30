"""What was just stored, as a stream of server-sent events."""

from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request, Response

from api.asking import Caller, Use
from api.field_errors import FieldError
from api.inputs import LiveQuery
from api.live_texts import EXAMPLE
from api.problems import ProblemError, documented
from api.streams import EventStream, Streams
from api.watchable import watched_by

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
    streams = _streams_of(request)
    return EventStream(streams, await watched_by(caller, wanted, last_event_id, use=use, streams=streams))


def _check_accept(request: Request) -> None:
    kinds = {part.partition(";")[0].strip().lower() for part in request.headers.get("accept", "*/*").split(",")}
    if not kinds & ACCEPTED:
        remedy = f"send Accept: {MEDIA_TYPE}, or none"
        problem = "a stream of server-sent events is all that this path answers"
        raise ProblemError(406, f"{problem}; {remedy}", [FieldError(field="Accept", problem=problem, remedy=remedy)])


def _streams_of(request: Request) -> Streams:
    streams: Streams = request.app.state.streams
    return streams
