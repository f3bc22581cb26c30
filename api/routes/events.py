"""Who did what to which thing, when and why."""

from typing import Annotated

from fastapi import APIRouter, Query

from api.asking import Caller, Use
from api.event_schemas import EventOut, EventsQuery, event_out
from api.problems import documented
from api.schemas import Listed

router = APIRouter(prefix="/v1/events", tags=["events"], responses=documented(401, 403, 422, 503))


@router.get("")
async def list_events(query: Annotated[EventsQuery, Query()], use: Use, caller: Caller) -> Listed[EventOut]:
    """What was done, refused or failed in the organization, the newest first. Nobody can change or remove an event."""
    page = await use.events.list(caller.organization, query.filter(), limit=query.limit, cursor=query.cursor)
    return Listed(items=[event_out(event) for event in page.items], next_cursor=page.next_cursor)
