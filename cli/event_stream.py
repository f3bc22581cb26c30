"""Server-sent events: from the lines of a stream to events (the standard is WHATWG HTML, 9.2.6)."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Event:
    """One event.

    Attributes:
        kind: its name.
        data: its JSON; an empty object where there is none.
        id: with which a stream can be continued behind it; None = it has none.
    """

    kind: str = "message"
    data: dict[str, Any] = field(default_factory=dict)
    id: str | None = None


def events_of(lines: Iterable[str]) -> Iterator[Event]:
    """Events as their last lines come. Comments, which only say that the stream lives, are passed over.

    What has no data is no event, and neither is one that the stream's end cuts short.
    """
    fields: dict[str, list[str]] = {}
    for line in lines:
        if not line:
            if "data" in fields:
                yield _event(fields)
            fields = {}
        elif not line.startswith(":"):
            name, _, value = line.partition(":")
            fields.setdefault(name, []).append(value.removeprefix(" "))


def _event(fields: dict[str, list[str]]) -> Event:
    data = "\n".join(fields["data"])
    try:
        document = json.loads(data) if data else {}
    except ValueError:
        document = {"text": data}
    kind, number = fields.get("event", ["message"])[-1], fields.get("id", [None])[-1]
    return Event(kind, document if isinstance(document, dict) else {"value": document}, number)
