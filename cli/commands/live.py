"""What comes in, as it comes."""

import json
import time
from contextlib import closing
from queue import Empty, SimpleQueue
from threading import Event as ThreadEvent
from threading import Thread
from typing import Annotated, Any

import typer

from cli.client import ApiClient
from cli.commands.reading_table import measured
from cli.event_stream import Event, events_of
from cli.exits import CommandError
from cli.output import say
from cli.session import Session, data_command
from cli.times import clock_of, parse_duration_ms
from cli.words import ChamberFlag, SectionFlag

PATH = "/v1/live"
SILENCE_S = 40.0
"""The API says every 15 s that it lives."""
FIRST_WAIT_S, LONGEST_WAIT_S = 0.5, 5.0
COUNTED = ("reading", "gap")
Json = dict[str, Any]


@data_command
def live(
    session: Session,
    chamber: ChamberFlag = None,
    section: SectionFlag = None,
    *,
    duration: Annotated[str | None, typer.Option("--for", help="End after this long, such as 30s.")] = None,
    count: Annotated[int | None, typer.Option("--count", min=1, help="End after so many readings and gaps.")] = None,
) -> None:
    """Show readings and gaps as they come, a line each, until Ctrl-C; with --json an object a line."""
    end_s = None if duration is None else time.monotonic() + parse_duration_ms("for", duration) / 1000
    show, left = _print_json if session.as_json else _print_line, count
    with closing(Watch(session.api, {"chamber": chamber, "section": section})) as watch:
        while left != 0 and (event := watch.next(end_s)):
            show(event)
            if left is not None and event.kind in COUNTED:
                left -= 1


class Watch:
    """Follows the stream in a thread; a connection that breaks is made again, behind the last event that was seen.

    Args:
        api: is not closed before nobody asks for events any more.
        query: what is wanted.
    """

    def __init__(self, api: ApiClient, query: Json) -> None:
        self._api, self._query = api, query
        self._found: SimpleQueue[Event | Exception] = SimpleQueue()
        self._last_id: str | None = None
        self._over = ThreadEvent()
        Thread(target=self._run, daemon=True).start()

    def next(self, end_s: float | None) -> Event | None:
        """The next event; None when the time is over.

        Args:
            end_s: on the monotonic clock; None = never.

        Raises:
            CommandError: the API does not answer at first, or refuses.
        """
        try:
            found = self._found.get(timeout=None if end_s is None else max(end_s - time.monotonic(), 0.0))
        except Empty:
            return None
        if isinstance(found, Exception):
            raise found
        return found

    def close(self) -> None:
        """Nobody asks any more. Again: nothing happens."""
        self._over.set()

    def _run(self) -> None:
        try:
            self._follow()  # the first time nobody is patient: the address or the key may be wrong
            wait_s = FIRST_WAIT_S
            while not self._over.wait(wait_s):
                seen_before = self._last_id
                self._follow_again()
                wait_s = FIRST_WAIT_S if self._last_id != seen_before else min(2 * wait_s, LONGEST_WAIT_S)
        except Exception as error:  # noqa: BLE001 - raised again where the events are awaited
            self._found.put(error)

    def _follow_again(self) -> None:
        try:
            self._follow()
        except CommandError as error:
            if not error.passes:
                raise
            self._say(f"no stream: {error.complaints[0].problem}; connecting again")

    def _follow(self) -> None:
        is_open = False
        try:
            with self._api.events(PATH, self._query, self._last_id, SILENCE_S) as lines:
                is_open = True
                for event in events_of(lines):
                    self._last_id = event.id or self._last_id
                    self._found.put(event)
        except CommandError as error:
            if not (is_open and error.passes):
                raise
        self._say("the stream broke; connecting again")

    def _say(self, text: str) -> None:
        if not self._over.is_set():
            say(text)


def _print_json(event: Event) -> None:
    print(json.dumps({"event": event.kind, **event.data}, ensure_ascii=False), flush=True)


def _print_line(event: Event) -> None:
    data = event.data
    match event.kind:
        case "reading":
            found = data["reading"]["measurements"].items()
            values = ", ".join(f"{name} {measured(m)} {_unit(m)}".rstrip() for name, m in found)
            print(f"{clock_of(data['reading']['slot'])} {data['chamber']} {values}", flush=True)
        case "gap":
            print(_gap_line(data["chamber"], data["gap"]), flush=True)
        case "dropped":
            lost = data.get("events", "some")
            say(f"{lost} events were left out, because they were read too slowly; `readings` has them")
        case "interrupted":
            say(f"interrupted: {data.get('reason', '')}; what is stored meanwhile is shown by `readings`")
        case "closed":
            say(f"the API ended the stream: {data.get('reason', '')}")
        case "resumed":
            say("the live feed goes on")
        case kind:
            say(f"{kind}: {json.dumps(data, ensure_ascii=False)}")


def _unit(measurement: Json) -> str:
    return "" if measurement["unit"] == "1" else str(measurement["unit"])


def _gap_line(chamber: str, gap: Json) -> str:
    last, why = gap["last_slot"], f": {gap['detail']}" if gap["detail"] else ""
    end = " still open" if last is None else f" to {clock_of(last)}" if last != gap["first_slot"] else ""
    return f"{clock_of(gap['first_slot'])} {chamber} gap{end}, {gap['reason']}{why}"
