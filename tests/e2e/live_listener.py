"""Listens to `GET /v1/live` beside a test."""

import json
import threading
from types import TracebackType
from typing import Any, Self

import httpx


class Listener:
    """Events of a stream as (name, data), until the block ends."""

    def __init__(self, url: str, key: str) -> None:
        self._url, self._headers = url, {"Authorization": f"Bearer {key}"}
        self._thread = threading.Thread(target=self._listen)
        self._over = False
        self.fault: Exception | None = None
        self.events: list[tuple[str, Any]] = []

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over = True
        self._thread.join(timeout=30)

    def _listen(self) -> None:
        try:
            self._hear()
        except httpx.HTTPError as error:
            self.fault = error

    def _hear(self) -> None:
        name = ""
        with httpx.stream("GET", self._url, headers=self._headers, timeout=30) as answer:
            answer.raise_for_status()
            for line in answer.iter_lines():
                if line.startswith("event: "):
                    name = line.removeprefix("event: ")
                elif line.startswith("data: "):
                    self.events.append((name, json.loads(line.removeprefix("data: "))))
                if self._over:
                    return

    @property
    def names(self) -> list[str]:
        """What has come, in order."""
        return [name for name, _ in self.events]

    def slots(self) -> list[str]:
        """Slots of the readings that came."""
        return [data["reading"]["slot"] for name, data in self.events if name == "reading"]
