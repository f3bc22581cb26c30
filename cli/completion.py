"""What a shell may complete: ids and names that the API knows; nothing when it does not answer within a second."""

from collections.abc import Callable, Iterable
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any

import typer

from cli.target import TargetFlags, find_target

LONGEST_S = 1.0
"""Nobody waits longer for a tab."""
MOST = 200
Candidate = tuple[str, str]
"""A word and what it is."""
Ask = Callable[[Any], Iterable[Candidate]]


def chambers(context: typer.Context, incomplete: str) -> list[Candidate]:
    """Ids of chambers."""
    query = {"q": incomplete or None, "limit": MOST}
    return _found(context, incomplete, lambda api: _named(api.get("/v1/chambers", query)))


def organizations(context: typer.Context, incomplete: str) -> list[Candidate]:
    """Ids of organizations that the key may see."""
    return _found(context, incomplete, lambda api: _named(api.get("/v1/organizations", {"limit": MOST})))


def sections(context: typer.Context, incomplete: str) -> list[Candidate]:
    """Ids of sections."""
    return _found(context, incomplete, lambda api: _named(api.get("/v1/sections", {"limit": MOST})))


def batches(context: typer.Context, incomplete: str) -> list[Candidate]:
    """Ids of batches, the newest ones."""
    return _found(context, incomplete, lambda api: _named(api.get("/v1/batches", {"limit": MOST})))


def profiles(context: typer.Context, incomplete: str) -> list[Candidate]:
    """Names of device profiles."""
    return _found(
        context,
        incomplete,
        lambda api: [(p["name"], p["description"]) for p in api.get("/v1/profiles").document["items"]],
    )


def detectors(context: typer.Context, incomplete: str) -> list[Candidate]:
    """Names and aliases of the detectors of the chamber that stands before."""
    chamber = context.params.get("chamber")
    chamber = chamber[0] if isinstance(chamber, list) else chamber

    def ask(api: Any) -> Iterable[Candidate]:
        for detector in api.get(f"/v1/chambers/{chamber}/detectors").document["items"]:
            yield from ((word, detector["unit"]) for word in (detector["name"], detector["alias"]) if word)

    return _found(context, incomplete, ask) if chamber else []


def _named(answer: Any) -> Iterable[Candidate]:
    return [(item["id"], item.get("name") or "") for item in answer.document["items"]]


def _found(context: typer.Context, incomplete: str, ask: Ask) -> list[Candidate]:
    """Ask in a thread that nobody waits for longer than a moment; whatever goes wrong, the shell sees nothing."""
    answer: SimpleQueue[list[Candidate]] = SimpleQueue()

    def work() -> None:
        try:
            from cli.client import ApiClient  # noqa: PLC0415 - other completions need no API

            with ApiClient(find_target(_flags(context)), LONGEST_S) as api:
                answer.put([c for c in ask(api) if c[0].startswith(incomplete)])
        except Exception:  # noqa: BLE001 - a message in the middle of a command line that is typed helps nobody
            answer.put([])

    Thread(target=work, daemon=True).start()
    try:
        return answer.get(timeout=LONGEST_S)
    except Empty:
        return []


def _flags(context: typer.Context) -> TargetFlags:
    given = context.params
    key_file, home = (Path(name) if (name := given.get(flag)) else None for flag in ("api_key_file", "home"))
    return TargetFlags(given.get("api"), given.get("api_key"), key_file, home, given.get("acting_in"))
