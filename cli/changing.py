"""Changing only what was read: the entity tag that came with it goes back with the change."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from cli.client import Answer
from cli.output import say
from cli.session import Session
from collector.domain.errors import InvalidFieldError

Json = dict[str, Any]


def change(session: Session, path: str, wanted: Mapping[str, Any] | Callable[[Json], Mapping[str, Any]]) -> Json:
    """Change fields of what stands at the path, and answer with it.

    Args:
        session: of the command.
        path: of the thing.
        wanted: the fields, or what makes them from the thing that was read.

    Raises:
        CommandError: CONFLICT, when somebody changed it since it was read.
        InvalidFieldError: field `usage`, when nothing is wanted.
    """
    if not callable(wanted):
        _refuse_nothing(wanted)
    before = session.api.get(path)
    body = wanted(before.document) if callable(wanted) else wanted
    answer = session.api.send("PATCH", path, dict(body), headers={"If-Match": before.etag or "*"})
    if answer.document["version"] == before.document["version"]:
        say("it was so already; nothing changed")
    return dict(answer.document)


def given(**fields: Any) -> Json:
    """The fields that are not None: those that the person named."""
    return {name: value for name, value in fields.items() if value is not None}


def _refuse_nothing(wanted: Mapping[str, Any]) -> None:
    if not wanted:
        raise InvalidFieldError("usage", "nothing is to be changed", "name at least one field; see --help")


def say_made(name: str, answer: Answer) -> None:
    """Whether something was made just now."""
    say(f"{name} is made" if answer.status == 201 else f"{name} was there already; nothing changed")


def labels_of(texts: Iterable[str]) -> dict[str, str]:
    """Labels as they are typed, `KEY=VALUE`.

    Raises:
        InvalidFieldError: field `labels`.
    """
    pairs = [text.partition("=") for text in texts]
    for key, equals, value in pairs:
        if not (key and equals):
            problem = f"{(key + equals + value)[:80]!r} is not KEY=VALUE"
            raise InvalidFieldError("labels", problem, "write it like --label floor=2")
    return {key: value for key, _, value in pairs}


def merged_labels(there: Mapping[str, str], wanted: Mapping[str, str | None]) -> dict[str, str]:
    """The labels after the wanted ones were set and those that are None removed; the others stay."""
    kept = {key: value for key, value in there.items() if key not in wanted}
    return kept | {key: value for key, value in wanted.items() if value is not None}
