"""Problem documents (RFC 9457) as the API and the gateway's authz service say them alike."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from collector.domain.errors import (
    AwayError,
    ChamberlogError,
    ForbiddenError,
    NotFoundError,
    TooManyRequestsError,
    UnauthenticatedError,
)
from edge.rate_headers import rate_headers

MEDIA_TYPE = "application/problem+json"
CHALLENGE = 'Bearer realm="chamberlog"'
RETRY_AFTER_S = 5
"""A server that is away is usually back within this, and nobody is hurt by asking that often."""
ORGANIZATIONS = "/v1/organizations"
"""What the gate does not find is an organization: this path lists those that there are."""
TITLES = {413: "Content Too Large", 422: "Unprocessable Content"}
"""As RFC 9110 has them; Python calls them so from 3.13 on, and a problem's type is not to change with it."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why the gate lets a request not pass.

    Attributes:
        status: of the answer.
        detail: in one sentence.
        fault: the field, its problem and the remedy; None = no input is to blame.
        headers: beside the content type.
    """

    status: int
    detail: str
    fault: tuple[str, str, str] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


def refusal_of(error: ChamberlogError) -> Refusal | None:
    """How an error of `Admit` or `Identify` is answered; None = it is none of theirs."""
    match error:
        case UnauthenticatedError():
            return _of_caller(401, error, {"WWW-Authenticate": CHALLENGE})
        case ForbiddenError():
            return _of_caller(403, error, {})
        case TooManyRequestsError():
            return _of_caller(429, error, _limit_headers(error))
        case NotFoundError():
            remedy = error.remedy or f"GET {ORGANIZATIONS} lists what there is"
            return Refusal(404, str(error), ("id", str(error), remedy))
        case AwayError():
            return Refusal(503, f"{error}; try again", None, {"Retry-After": str(RETRY_AFTER_S)})
    return None


def title_of(status: int) -> str:
    """What the status is called."""
    return TITLES.get(status) or HTTPStatus(status).phrase


def type_of(status: int) -> str:
    """The URN of the problem: one for each status."""
    return f"urn:chamberlog:problem:{title_of(status).lower().replace(' ', '-')}"


def problem_document(status: int, detail: str, faults: Sequence[tuple[str, str, str]]) -> dict[str, Any]:
    """The document; each fault is a field, its problem and the remedy."""
    errors = [{"field": where, "problem": problem, "remedy": remedy} for where, problem, remedy in faults]
    return {
        "type": type_of(status),
        "title": title_of(status),
        "status": status,
        "detail": detail,
        "errors": errors,
    }


def _of_caller(
    status: int, error: UnauthenticatedError | ForbiddenError | TooManyRequestsError, headers: Mapping[str, str]
) -> Refusal:
    place = error.field if isinstance(error, UnauthenticatedError) else "Authorization"
    fault = (place, str(error), error.remedy)
    return Refusal(status, f"{error}; {error.remedy}", fault, headers)


def _limit_headers(error: TooManyRequestsError) -> dict[str, str]:
    wait = {"Retry-After": str(error.retry_after_s)}
    if error.policy is None:
        return wait
    name, limit, window_s = error.policy
    return wait | rate_headers(name, limit, window_s, remaining=0, reset_s=error.retry_after_s)
