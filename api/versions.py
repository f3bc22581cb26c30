"""Versions in HTTP: an ETag with what was read, If-Match with what is changed. One way for everything that has one."""

from typing import Annotated

from fastapi import Depends, Header, Request, Response

from api.field_errors import FieldError
from api.problems import ProblemError

REMEDY = "read it and send its ETag back as If-Match"


def tag(response: Response, version: int) -> None:
    """Answer with the version as ETag."""
    response.headers["ETag"] = f'"{version}"'


def versions_of(if_match: str) -> frozenset[int] | None:
    """Versions that the header If-Match names; None for `*`, whatever stands. What is not ours matches nothing."""
    tags = [tag.strip().removeprefix("W/").strip('"') for tag in if_match.split(",")]
    if "*" in tags:
        return None
    return frozenset(int(tag) for tag in tags if tag.isascii() and tag.isdigit() and len(tag) < 10)


def _versions(
    request: Request,
    if_match: Annotated[str | None, Header(description="the ETag that was read, or * for whatever stands")] = None,
) -> frozenset[int] | None:
    if if_match is None:
        field = FieldError(field="If-Match", problem="it is missing", remedy=REMEDY)
        raise ProblemError(428, f"a change needs the header If-Match; {REMEDY}", [field])
    return versions_of(", ".join(request.headers.getlist("If-Match")))  # several lines of it are one list


Versions = Annotated[frozenset[int] | None, Depends(_versions)]
"""What the caller read; without the header the route answers 428."""
