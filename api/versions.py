"""Versions in HTTP: an ETag with what was read, If-Match with what is changed. One way for everything that has one."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Header, Request, Response

from api.field_errors import FieldError
from api.problems import ProblemError

REMEDY = "read it and send its ETag back as If-Match"


def tag(response: Response, version: int | str) -> None:
    """Answer with the version as ETag."""
    response.headers["ETag"] = f'"{version}"'


def versions_of(if_match: str) -> frozenset[int] | None:
    """Versions that the header If-Match names; None for `*`, whatever stands. What is not ours matches nothing."""
    tags = _tags(if_match)
    if "*" in tags:
        return None
    return frozenset(int(tag) for tag in tags if tag.isascii() and tag.isdigit() and len(tag) < 10)


def _tags(if_match: str) -> frozenset[str]:
    return frozenset(tag.strip().removeprefix("W/").strip('"') for tag in if_match.split(","))


def _versions(
    request: Request,
    if_match: Annotated[str | None, Header(description="the ETag that was read, or * for whatever stands")] = None,
) -> frozenset[int] | None:
    if if_match is None:
        raise refused_unread()
    return versions_of(_whole(request))


def _whole(request: Request) -> str:
    return ", ".join(request.headers.getlist("If-Match"))  # several lines of it are one list


def refused_unread(current: str | None = None) -> ProblemError:
    """The answer to a change that does not say what was read; `current` is the version that stands, if it is known."""
    field = FieldError(field="If-Match", problem="it is missing", remedy=REMEDY)
    headers = {} if current is None else {"ETag": f'"{current}"'}
    return ProblemError(428, f"a change needs the header If-Match; {REMEDY}", [field], headers)


@dataclass(frozen=True, slots=True)
class ReadVersions:
    """Versions that are texts, as the header If-Match names them.

    Attributes:
        versions: None = whatever stands; none at all without the header.
        given: whether there is the header.
    """

    versions: frozenset[str] | None
    given: bool


def _read_texts(
    request: Request,
    if_match: Annotated[
        str | None, Header(description="the ETag that was read, or *; needed where something stands already")
    ] = None,
) -> ReadVersions:
    tags = frozenset[str]() if if_match is None else _tags(_whole(request))
    return ReadVersions(None if "*" in tags else tags, if_match is not None)


Versions = Annotated[frozenset[int] | None, Depends(_versions)]
"""What the caller read; without the header the route answers 428."""

ReadTexts = Annotated[ReadVersions, Depends(_read_texts)]
"""What the caller read of a thing whose versions are texts; whether the header is needed, the use case knows."""
