"""What every data command has: the flags that find the API, `--json`, and an open client."""

import inspect
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.client import ApiClient
from cli.completion import organizations
from cli.output import print_json
from cli.progress import counted
from cli.target import TargetFlags, find_target, find_web_ui

PANEL = "Where the API is"
ApiFlag = Annotated[
    str | None,
    typer.Option("--api", help="Base URL (CHAMBERLOG_API); else the local stack's.", rich_help_panel=PANEL),
]
KeyFlag = Annotated[str | None, typer.Option("--api-key", help="API key (CHAMBERLOG_API_KEY).", rich_help_panel=PANEL)]
KeyFileFlag = Annotated[
    Path | None,
    typer.Option("--api-key-file", help="File with the API key (CHAMBERLOG_API_KEY_FILE).", rich_help_panel=PANEL),
]
HomeFlag = Annotated[
    Path | None,
    typer.Option("--home", help="Directory of the local stack (CHAMBERLOG_HOME).", rich_help_panel=PANEL),
]
JsonFlag = Annotated[bool, typer.Option("--json", help="One JSON document on standard output, names as in the API.")]
ActingFlag = Annotated[
    str | None,
    typer.Option(
        "--organization",
        help="In which a super-administrator acts (CHAMBERLOG_ORGANIZATION); else the key's own.",
        rich_help_panel=PANEL,
        autocompletion=organizations,
    ),
]
SHARED_FLAGS = {
    "as_json": (JsonFlag, False),
    "api": (ApiFlag, None),
    "api_key": (KeyFlag, None),
    "api_key_file": (KeyFileFlag, None),
    "home": (HomeFlag, None),
    "acting_in": (ActingFlag, None),
}
TARGET_FLAGS = [name for name in SHARED_FLAGS if name != "as_json"]
"""In the order of `TargetFlags`."""


@dataclass(frozen=True, slots=True)
class Session:
    """One run of a data command.

    Attributes:
        api: speaks to the API.
        as_json: print the API's document instead of a table.
        home: directory of the local stack, if it was given.
        web_ui: URL of the Temporal Web UI; None = nobody knows.
    """

    api: ApiClient
    as_json: bool
    home: Path | None = None
    web_ui: str | None = None

    def show(self, document: Any, draw: Callable[[Any], None]) -> None:
        """Print the document as JSON, or let `draw` print it for people."""
        if self.as_json:
            print_json(document)
        else:
            draw(document)

    def listed(self, what: str, path: str, query: Mapping[str, Any], limit: int | None = None) -> dict[str, Any]:
        """The whole list that stands at the path, all pages of it, while a bar counts `what`."""
        items = list(counted(f"reading {what}", self.api.items(path, query, limit)))
        return {"items": items, "next_cursor": None}


@dataclass(frozen=True, slots=True)
class Desk:
    """One run of a command that may need no API.

    Attributes:
        flags: that find it.
        as_json: print one JSON document instead of a table.
    """

    flags: TargetFlags
    as_json: bool

    @contextmanager
    def opened(self) -> Iterator[Session]:
        """A session with the API."""
        target = find_target(self.flags)
        with ApiClient(target) as api:
            yield Session(api, self.as_json, self.flags.home, find_web_ui(self.flags, target))

    def show(self, document: Any, draw: Callable[[Any], None]) -> None:
        """Print the document as JSON, or let `draw` print it for people."""
        if self.as_json:
            print_json(document)
        else:
            draw(document)


def data_command(command: Callable[..., None]) -> Callable[..., None]:
    """Make a function of a session a command: it gets the shared flags beside its own arguments."""

    @wraps(command)
    def run(**arguments: Any) -> None:
        with _desk(arguments).opened() as session:
            command(session, **arguments)

    return _flagged(command, run)


def local_command(command: Callable[..., None]) -> Callable[..., None]:
    """Make a function of a desk a command, with the same flags; it asks the API only if it opens a session."""

    @wraps(command)
    def run(**arguments: Any) -> None:
        desk = _desk(arguments)
        command(desk, **arguments)

    return _flagged(command, run)


def _desk(arguments: dict[str, Any]) -> Desk:
    """Take the shared flags out of the arguments."""
    as_json = arguments.pop("as_json")
    return Desk(TargetFlags(*(arguments.pop(name) for name in TARGET_FLAGS)), as_json)


def _flagged(command: Callable[..., None], run: Callable[..., None]) -> Callable[..., None]:
    own = list(inspect.signature(command, eval_str=True).parameters.values())[1:]
    shared = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, annotation=annotation, default=default)
        for name, (annotation, default) in SHARED_FLAGS.items()
    ]
    parameters = [p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in own]
    run.__signature__ = inspect.Signature([*parameters, *shared])  # type: ignore[attr-defined]  # what typer reads
    return run
