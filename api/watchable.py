"""Whether somebody can watch what they ask for, and from where on: for server-sent events and for gRPC."""

from api.field_errors import FieldError
from api.problems import ProblemError
from api.services import Services
from api.streams import Streams, Watched
from collector.domain.errors import InvalidFieldError, NotFoundError
from collector.ports import Principal
from collector.ports.live import EVENT_ID
from collector.usecases.live import WatchLive
from collector.usecases.watching import LiveFilter


async def watched_by(
    caller: Principal, wanted: LiveFilter, last_event_id: str | None, *, use: Services, streams: Streams
) -> Watched:
    """What a stream shows that may begin; `wanted` is within the caller's bounds.

    Raises:
        ProblemError: 503: this deployment has no feed, or there is no room; 404: no such chamber or section.
        InvalidFieldError: field `Last-Event-ID`.
        AwayError: the process stops, or the registry cannot be reached.
    """
    live = _feed_of(use)
    streams.check_room()
    after = _place(last_event_id)
    live.check_open()
    await _check(live, caller, wanted, use)
    return Watched(
        lambda: live.subscribe(caller.organization, wanted, after),
        lambda watcher: live.unsubscribe(caller.organization, watcher),
        lambda: use.still_valid(caller),
    )


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


def _feed_of(use: Services) -> WatchLive:
    if use.live is None:
        remedy = "set CHAMBERLOG_REDIS of the API and of the workers to the URL of a Valkey or Redis"
        problem = "this deployment has no live feed"
        field = FieldError(field="CHAMBERLOG_REDIS", problem=problem, remedy=remedy)
        raise ProblemError(503, f"{problem}; {remedy}", [field])
    return use.live


def _place(last_event_id: str | None) -> str | None:
    if last_event_id is not None and not EVENT_ID.fullmatch(last_event_id):
        remedy = "send the id of an event of this stream, or leave it out to begin now"
        raise InvalidFieldError("Last-Event-ID", "it is not an id of an event", remedy)
    return last_event_id
