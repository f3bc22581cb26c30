"""Every problem of the REST API as a google.rpc.Status: the same texts, and fields by the names of the proto."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import quote

import grpc
from google.protobuf.descriptor import Descriptor
from google.protobuf.message import Message
from google.rpc import code_pb2, error_details_pb2, status_pb2
from grpc_status.rpc_status import to_status

from api.field_errors import FieldError
from api.problems import ProblemError, of_core
from collector.domain.errors import ChamberlogError, NotFoundError

DOMAIN = "chamberlog"
CODES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    409: "FAILED_PRECONDITION",
    412: "ABORTED",
    422: "INVALID_ARGUMENT",
    428: "INVALID_ARGUMENT",
    429: "RESOURCE_EXHAUSTED",
    501: "UNIMPLEMENTED",
    502: "FAILED_PRECONDITION",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}
"""What each status of the REST API is here; 500 and whatever else is INTERNAL."""
RENAMED = {
    "Authorization": "authorization",
    "If-Match": "version",
    "Idempotency-Key": "request_id",
    "Last-Event-ID": "after",
    "from": "from_time",
    "to": "to_time",
    "interval_s": "interval",
    "timeout_s": "timeout",
    "round_span_s": "round_span",
}
MAKING = ("Create", "Enrol", "Start", "Invite")
"""Beginnings of methods that make something: what is there already is ALREADY_EXISTS to them."""
IDENTIFYING = frozenset({"id", "email"})
MOST_TEXT, MOST_DETAILS = 2_000, 3_000
"""Bytes of the message as it travels, and of the details: clients refuse trailers from 8 KiB on."""
LISTS = {
    "chamber_id": "Chambers/ListChambers",
    "section_id": "Sections/ListSections",
    "batch_id": "Batches/ListBatches",
    "organization_id": "Organizations/ListOrganizations",
    "user_id": "Users/ListUsers",
    "invitation_id": "Users/ListInvitations",
    "chamber": "Chambers/ListChambers",
    "section": "Sections/ListSections",
}
"""Where those that there are can be seen, by the first field of a request."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Refused:
    """How a call ends that is not answered.

    Attributes:
        code: gRPC's.
        message: for people.
        metadata: trailing: the details, and when to try again.
    """

    code: grpc.StatusCode
    message: str
    metadata: tuple[tuple[str, str | bytes], ...]


def problem_of(error: Exception, request: Descriptor | None) -> ProblemError:
    """What the REST API would say of it; a defect is logged and said to be one."""
    if isinstance(error, ProblemError):
        return error
    if isinstance(error, NotFoundError) and not error.remedy and request is not None:
        error = NotFoundError(str(error), _listed_by(request))
    if isinstance(error, ChamberlogError):
        return of_core(error)
    log.error("a call met a bug", exc_info=error)
    return ProblemError(500, "this is a bug of chamberlog; the log of the API has the details")


def refused(problem: ProblemError, request: Descriptor | None = None) -> Refused:
    """The end of a call that met this problem."""
    fields = [_renamed(error, request) for error in problem.errors]
    code = _code(problem, fields, request)
    number = code_pb2.Code.Value(code)
    text = _message(problem, fields)
    status = status_pb2.Status(code=number, message=text)
    for detail in _details(problem, code, fields):
        status.details.add().Pack(detail)
        if status.ByteSize() > MOST_DETAILS:
            del status.details[-1]
    retry = problem.headers.get("Retry-After")
    after: tuple[tuple[str, str], ...] = (("retry-after", retry),) if retry else ()
    return Refused(grpc.StatusCode[code], text, (*to_status(status).trailing_metadata, *after))


def field_name(name: str, request: Descriptor | None) -> str:
    """How the caller wrote it: `interval_s` of the REST API is `interval`, or `chamber.interval` in a change."""
    head, dot, rest = name.partition(".")
    head = RENAMED.get(head, head)
    return (_path(head, request) if request is not None else head) + dot + rest


def _path(name: str, request: Descriptor) -> str:
    if name == "id" and "id" not in request.fields_by_name and request.fields:
        return request.fields[0].name
    if name in request.fields_by_name:
        return name
    for field in request.fields:
        if field.message_type is not None and name in field.message_type.fields_by_name:
            return f"{field.name}.{name}"
    return name


def _renamed(error: FieldError, request: Descriptor | None) -> FieldError:
    return error.model_copy(update={"field": field_name(error.field, request)})


def _listed_by(request: Descriptor) -> str:
    lists = LISTS.get(request.fields[0].name) if request.fields else None
    return f"{lists or 'Chambers/ListChambers'} lists what there is"


def _code(problem: ProblemError, fields: Sequence[FieldError], request: Descriptor | None) -> str:
    if problem.status == 502 and not fields:
        return "INTERNAL"
    making = request is not None and request.name.startswith(MAKING)
    if problem.status == 409 and making and any(error.field in IDENTIFYING for error in fields):
        return "ALREADY_EXISTS"
    return CODES.get(problem.status, "INTERNAL")


def _message(problem: ProblemError, fields: Sequence[FieldError]) -> str:
    wrong = CODES.get(problem.status) == "INVALID_ARGUMENT" and fields
    text = "; ".join(f"{e.field}: {e.problem}; {e.remedy}" for e in fields) if wrong else problem.detail
    while len(quote(text)) > MOST_TEXT:
        text = text[: len(text) * 3 // 4]
    return text


def _details(problem: ProblemError, code: str, fields: Sequence[FieldError]) -> Iterator[Message]:
    """The most useful first: what is too long is left out."""
    current = problem.headers.get("ETag", "").strip('"')
    yield error_details_pb2.ErrorInfo(
        reason=code, domain=DOMAIN, metadata={"current_version": current} if current else {}
    )
    retry = problem.headers.get("Retry-After", "")
    if retry.isdigit():
        wait = error_details_pb2.RetryInfo()
        wait.retry_delay.seconds = int(retry)
        yield wait
    shown = [
        error_details_pb2.BadRequest.FieldViolation(field=e.field, description=f"{e.problem}; {e.remedy}")
        for e in fields
    ]
    while shown:
        bad = error_details_pb2.BadRequest(field_violations=shown)
        if bad.ByteSize() <= MOST_DETAILS - MOST_TEXT // 2:
            yield bad
            return
        shown.pop()
