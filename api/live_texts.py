"""The live feed as server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html)."""

import json
from functools import lru_cache

from pydantic import BaseModel

from api.ledger_schemas import ReadingOut, reading_out
from api.schemas import instant
from collector.domain.instants import iso
from collector.domain.outcome import Gap, Reading
from collector.ports import Dropped, Interrupted, LiveEvent, Resumed
from collector.usecases.watching import Closed, ToShow

RENDERED = 4_096
"""Events whose text is kept, about 2 MB: all streams of a process show the same ones."""
FEED_AWAY = "the live feed is away"
KEEP_ALIVE = ": nothing new\n\n"
EXAMPLE = """id: 1772366417101-0
event: gap
data: {"chamber":"incubator-3","section":"default","gap":{"first_slot":"2026-03-01T12:00:17.000Z",\
"last_slot":"2026-03-01T12:00:17.000Z","reason":"timeout","detail":"no whole answer in 10 s"}}

"""


class LiveReadingOut(BaseModel):
    """A reading that was just stored; `stored_at` is null, as in the newest readings of the cache."""

    chamber: str
    section: str
    reading: ReadingOut


class LiveGapOut(BaseModel):
    """Slots that ended without a reading; `last_slot` is null while a pause is open."""

    first_slot: str
    last_slot: str | None
    reason: str
    detail: str


class LiveGapEventOut(BaseModel):
    """A gap that was just recorded."""

    chamber: str
    section: str
    gap: LiveGapOut


def beginning(retry_ms: int) -> str:
    """What every stream begins with: when to connect again, and a comment for people and for buffers on the way."""
    return f"retry: {retry_ms}\n: events begin within 2 s\n\n"


def text_of(item: ToShow) -> str:
    """One server-sent event."""
    match item:
        case LiveEvent():
            return _event_text(item)
        case Dropped(events=events):
            return _text("dropped", json.dumps({"events": events}))
        case Interrupted():
            return interrupted(FEED_AWAY)
        case Resumed():
            return _text("resumed", "{}")
        case Closed(reason=reason):
            return closed(reason)


def interrupted(reason: str) -> str:
    """That nothing comes does not mean that nothing happens."""
    return _text("interrupted", json.dumps({"reason": reason}))


def closed(reason: str) -> str:
    """The last event of a stream that the server ends."""
    return _text("closed", json.dumps({"reason": reason}))


@lru_cache(maxsize=RENDERED)
def _event_text(event: LiveEvent) -> str:
    outcome, place = event.outcome, {"chamber": event.chamber_id, "section": event.section}
    if isinstance(outcome, Reading):
        document: BaseModel = LiveReadingOut(**place, reading=reading_out(outcome, None))
        return f"id: {event.id}\n{_text('reading', document.model_dump_json())}"
    document = LiveGapEventOut(**place, gap=_gap_out(outcome))
    return f"id: {event.id}\n{_text('gap', document.model_dump_json())}"


def _gap_out(gap: Gap) -> LiveGapOut:
    return LiveGapOut(
        first_slot=iso(gap.first_ms), last_slot=instant(gap.last_ms), reason=gap.reason.value, detail=gap.detail
    )


def _text(name: str, data: str) -> str:
    """Data is JSON on one line: its line breaks are escaped."""
    return f"event: {name}\ndata: {data}\n\n"
