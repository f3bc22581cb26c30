"""Every error as a problem document (RFC 9457) that names the field, the problem and the remedy."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from pydantic import BaseModel, ConfigDict
from starlette.exceptions import HTTPException
from starlette.routing import Match

from api.field_errors import FieldError, of_validation
from collector import wire
from collector.domain.errors import (
    AwayError,
    ChamberlogError,
    ConflictError,
    DeviceTimeoutError,
    ForbiddenError,
    InvalidFieldError,
    NotFoundError,
    ProfileChangedError,
    RejectedError,
    StaleVersionError,
    TooManyRequestsError,
    UnauthenticatedError,
)
from edge.problem_documents import MEDIA_TYPE, RETRY_AFTER_S, refusal_of, title_of, type_of

__all__ = ["MEDIA_TYPE", "RETRY_AFTER_S"]  # the rest is defined here

REMEDIES = {
    400: "send one JSON document in UTF-8, not too deep, with numbers of a sane length",
    404: "see /docs for the paths there are",
    405: "see the header Allow for what this path takes",
    413: "send at most 64 KiB",
}
WHEN = {
    400: "The body is too deep, or a number in it too long",
    401: "There is no valid API key",
    403: "The caller's role, scope or section does not reach that far",
    404: "There is no such thing in the organization",
    406: "Accept names nothing that this path answers",
    409: "It is there and another, or its state forbids the request",
    412: "It has another version than If-Match names",
    413: "The body is longer than 64 KiB",
    422: "An input is wrong: `errors` names each field",
    428: "The header If-Match is missing",
    429: "The caller has asked too often: try again after Retry-After",
    502: "The device gave no reading",
    503: "PostgreSQL or Temporal is away: try again after Retry-After",
    504: "The device gave no reading in time",
}
"""What each status means here, for the OpenAPI document."""
BODY_PROBLEMS = (400, 413)
"""Statuses of every route that takes a body, beside those of every route."""

log = logging.getLogger(__name__)


class Problem(BaseModel):
    """A problem document."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "type": "urn:chamberlog:problem:unprocessable-content",
                "title": "Unprocessable Content",
                "status": 422,
                "detail": "interval_s: 0.5 s is out of range; give 1 to 86400 seconds",
                "errors": [
                    {"field": "interval_s", "problem": "0.5 s is out of range", "remedy": "give 1 to 86400 seconds"}
                ],
            }
        }
    )

    type: str
    title: str
    status: int
    detail: str
    errors: list[FieldError]


class ProblemError(Exception):
    """Raised by a route to answer with a problem."""

    def __init__(
        self, status: int, detail: str, errors: Sequence[FieldError] = (), headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(detail)
        self.status, self.detail, self.errors, self.headers = status, detail, tuple(errors), dict(headers or {})


def problem_response(error: ProblemError) -> JSONResponse:
    """The answer that says the problem."""
    problem = Problem(
        type=type_of(error.status),
        title=title_of(error.status),
        status=error.status,
        detail=error.detail,
        errors=list(error.errors),
    )
    content = problem.model_dump(mode="json")
    return JSONResponse(content, status_code=error.status, headers=error.headers, media_type=MEDIA_TYPE)


def install(app: FastAPI) -> None:
    """Let every error of the app, its framework's own included, answer as a problem."""
    app.add_exception_handler(ProblemError, _on_problem)
    app.add_exception_handler(ChamberlogError, _on_core_error)
    app.add_exception_handler(RequestValidationError, _on_validation)
    app.add_exception_handler(HTTPException, _on_http)
    app.add_exception_handler(Exception, _on_bug)


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """For the OpenAPI document: that a route answers these statuses by problems."""
    content = {MEDIA_TYPE: {"schema": {"$ref": f"#/components/schemas/{Problem.__name__}"}}}
    return {status: {"description": WHEN[status], "content": content} for status in statuses}


def of_core(error: ChamberlogError, path: str = "") -> ProblemError:
    """How the API answers an error of the core; `path` is what was asked for."""
    match error:
        case InvalidFieldError() | NotFoundError():
            return _of_request(error, path)
        case UnauthenticatedError() | ForbiddenError() | TooManyRequestsError():
            return of_gate(error)
        case ConflictError() | RejectedError():
            return _of_refusal(error)
        case AwayError():
            return of_gate(error)
        case DeviceTimeoutError():
            remedy = "is the device slow or down? its gaps say more: GET /v1/chambers/{id}/gaps"
            return ProblemError(504, str(error), [_field("timeout_s", str(error), remedy)])
    log.error("an error of the core that no route expects", exc_info=error)
    return ProblemError(502, "the request could not be carried out; the log of the API says why")


def _of_request(error: InvalidFieldError | NotFoundError, path: str) -> ProblemError:
    match error:
        case InvalidFieldError():
            return ProblemError(422, str(error), [_field(error.field, error.problem, error.remedy)])
        case NotFoundError():
            return ProblemError(404, str(error), [_field("id", str(error), error.remedy or _listed_by(path))])


def of_gate(error: ChamberlogError) -> ProblemError:
    """How an error of the gate is answered, here as by the gateway's authz service."""
    refusal = refusal_of(error)
    assert refusal is not None, error
    fields = [] if refusal.fault is None else [_field(*refusal.fault)]
    return ProblemError(refusal.status, refusal.detail, fields, refusal.headers)


def _listed_by(path: str) -> str:
    """Where those that there are can be seen."""
    return f"GET {'/'.join(path.split('/')[:3]) or '/v1/chambers'} lists what there is"


def _of_refusal(error: ConflictError | RejectedError) -> ProblemError:
    if isinstance(error, RejectedError):
        return ProblemError(422 if error.kind == wire.INVALID else 409, str(error), [_of_rejection(str(error))])
    if isinstance(error, StaleVersionError | ProfileChangedError):
        field = _field("If-Match", str(error), error.remedy)
        headers = {} if error.current is None else {"ETag": f'"{error.current}"'}
        return ProblemError(412, str(error), [field], headers)
    detail = f"{error}; {error.remedy}" if error.remedy else str(error)
    return ProblemError(409, detail, [_field(error.field or "id", str(error), error.remedy)])


def _of_rejection(text: str) -> FieldError:
    """What a chamber's workflow said, `problem; remedy` or `field: problem; remedy`."""
    said, _, remedy = text.partition("; ")
    field, colon, problem = said.partition(": ")
    return _field(field, problem, remedy) if colon and field.isidentifier() else _field("id", said, remedy)


def _field(field: str, problem: str, remedy: str) -> FieldError:
    return FieldError(field=field, problem=problem, remedy=remedy)


async def _on_problem(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, ProblemError)
    return problem_response(error)


async def _on_core_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, ChamberlogError)
    request.state.core_error = error  # for the audit event, which knows of an account what no answer says
    return problem_response(of_core(error, request.url.path))


async def _on_validation(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    fields = of_validation(error.errors())
    return problem_response(ProblemError(422, "; ".join(f"{f.field}: {f.problem}" for f in fields), fields))


async def _on_http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    remedy = REMEDIES.get(error.status_code, "")
    where = {404: "path", 405: "method"}.get(error.status_code, "body")
    detail = f"there is no {request.url.path}" if error.status_code == 404 else str(error.detail)
    fields = [_field(where, detail, remedy)] if remedy else []
    allowed = ", ".join(_allowed(request)) if error.status_code == 405 else ""
    headers = {"Allow": allowed} if allowed else error.headers
    return problem_response(ProblemError(error.status_code, detail, fields, headers))


def _allowed(request: Request) -> list[str]:
    """Methods of every route that has the path; the framework names those of the first only."""
    routes: Sequence[APIRoute] = request.app.state.routes
    fitting = [route for route in routes if route.matches(request.scope)[0] is not Match.NONE]
    return sorted({method for route in fitting for method in route.methods or ()})


async def _on_bug(request: Request, error: Exception) -> JSONResponse:
    log.error("%s %s met a bug", request.method, request.url.path, exc_info=error)
    return problem_response(ProblemError(500, "this is a bug of chamberlog; the log of the API has the details"))
