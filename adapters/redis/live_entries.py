"""How an event of the live feed is written as an entry of a stream."""

import json
from collections.abc import Mapping

from collector.domain.outcome import Gap, Reading
from collector.packing import pack, unpack
from collector.ports.live import Dropped, LiveEvent, Origin

Entry = Mapping[str, str]
"""One field: `event`, JSON of chamber, section and packed outcome; or `lost`, a number of events ("" = not known)."""
_encode = json.JSONEncoder(separators=(",", ":")).encode


def event_entry(origin: Origin, outcome: Reading | Gap) -> dict[str, str]:
    """The entry of an event."""
    row = {"chamber": origin.chamber_id, "section": origin.section, "outcome": pack(outcome)}
    return {"event": _encode(row)}


def lost_entry(events: int | None) -> dict[str, str]:
    """The entry that says how many events its publisher had to drop before; None = it does not know."""
    return {"lost": "" if events is None else str(events)}


def read_entry(event_id: str, entry: Entry) -> LiveEvent | Dropped | None:
    """The event; what a newer version wrote is one that cannot be shown. None: it says nothing to watchers."""
    try:
        if "lost" in entry:
            return Dropped(int(entry["lost"]) if entry["lost"] else None)
        if "event" not in entry:
            return None
        row = json.loads(entry["event"])
        outcome = unpack(row["outcome"])
        chamber_id, section = row["chamber"], row["section"]
    except (ValueError, KeyError, TypeError):
        return Dropped(1)
    return LiveEvent(event_id, chamber_id, section, outcome) if isinstance(outcome, Reading | Gap) else Dropped(1)
