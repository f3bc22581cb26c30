"""Where traces are asked for: the local stack's receiver, or anything that has Jaeger's query API v3."""

import os
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx

from cli.client import LOOPBACK
from cli.exits import CommandError, Complaint, ExitCode
from cli.progress import waiting
from cli.target import home_directory, read_stack
from cli.traces.spans import Trace, traces_of

VARIABLE = "CHAMBERLOG_TRACES"
REMEDY = f"start the local stack with `chamberlog up --telemetry`, or name a store of traces by {VARIABLE}"
ANSWER_S = 10.0
OURS = "chamberlog-"
"""What the names of our services begin with, unless somebody has named them otherwise."""
DEPTH = 200
"""Traces of a service that are looked through: a store looks by service and time, the rest is looked at here."""
POLL_S, CALM_S = 0.5, 1.5
"""Processes hand over their spans in bundles, seconds later: a trace is whole when nothing is missing for so long."""


class TraceStore:
    """A store of traces.

    Args:
        url: base address, `http://127.0.0.1:16686`.
    """

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
        self._http = httpx.Client(base_url=self.url, timeout=ANSWER_S, trust_env=urlsplit(url).hostname not in LOOPBACK)

    def find(self, trace_id: str) -> Trace | None:
        """What has come of a trace so far; None = nothing.

        Raises:
            CommandError: AWAY, the store does not answer, or is none.
        """
        return next(iter(self._ask(f"/api/v3/traces/{trace_id}")), None)

    def newest(self, service: str | None, since_s: float) -> list[Trace]:
        """The traces of a service, or of all of ours, the newest first.

        Args:
            service: `service.name`; None = every one that is called `chamberlog-...`.
            since_s: so long ago the oldest of them began.

        Raises:
            CommandError: as `find`.
        """
        found: dict[str, Trace] = {}
        for name in [service] if service else self._services():
            for trace in self._ask("/api/v3/traces", _query(name, since_s)):
                found.setdefault(trace.id, trace)
        return sorted(found.values(), key=lambda trace: trace.began_ns, reverse=True)

    def wait_for(self, trace_id: str, is_whole: Callable[[Trace], bool], within_s: float) -> Trace | None:
        """The trace once it is whole, or what there is of it when the time is over.

        Raises:
            CommandError: as `find`.
        """
        found, calm_s, deadline = None, time.monotonic(), time.monotonic() + within_s
        with waiting("waiting for the trace ..."):
            while time.monotonic() < deadline:
                seen, found = found, self.find(trace_id)
                if found is None or seen is None or len(found.spans) != len(seen.spans) or not is_whole(found):
                    calm_s = time.monotonic()
                elif time.monotonic() - calm_s >= CALM_S:
                    break
                time.sleep(POLL_S)
        return found

    def _services(self) -> Iterator[str]:
        document = self._document("/api/v3/services") or {}
        yield from (str(name) for name in document.get("services", []) if str(name).startswith(OURS))

    def _ask(self, path: str, query: dict[str, str] | None = None) -> list[Trace]:
        document = self._document(path, query)
        try:
            return [] if document is None else traces_of(document)
        except ValueError as error:
            raise self._away(str(error)) from None

    def _document(self, path: str, query: dict[str, str] | None = None) -> Any:
        try:
            answer = self._http.get(path, params=query)
            if answer.status_code == httpx.codes.NOT_FOUND:
                return None
            answer.raise_for_status()
            return answer.json()
        except httpx.HTTPStatusError as error:
            raise self._away(f"it answers {error.response.status_code}") from None
        except httpx.TransportError as error:
            raise self._away(str(error) or type(error).__name__) from None
        except ValueError:
            raise self._away("it does not answer with JSON") from None

    def _away(self, why: str) -> CommandError:
        return CommandError(ExitCode.AWAY, Complaint("traces", f"{self.url} has no traces for us: {why}", REMEDY))


def find_store(url: str | None, home: Path | None) -> TraceStore:
    """By the flag, else by the environment, else that of the running local stack.

    Raises:
        CommandError: AWAY without any; REFUSED when it is no URL.
    """
    named = url or os.environ.get(VARIABLE) or read_stack(home_directory(home)).get("traces")
    if not named:
        raise CommandError(ExitCode.AWAY, Complaint("traces", "nobody keeps traces", REMEDY))
    if not str(named).startswith(("http://", "https://")):
        complaint = Complaint("traces", f"{str(named)[:80]!r} is not a URL", "write it like http://127.0.0.1:16686")
        raise CommandError(ExitCode.REFUSED, complaint)
    return TraceStore(str(named))


def _query(service: str, since_s: float) -> dict[str, str]:
    now_s = time.time()
    return {
        "query.service_name": service,
        "query.start_time_min": _instant(now_s - since_s),
        "query.start_time_max": _instant(now_s + 60),  # clocks differ
        "query.search_depth": str(DEPTH),
    }


def _instant(at_s: float) -> str:
    return datetime.fromtimestamp(at_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
