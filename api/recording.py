"""One audit event for each operation that changes something, whatever came of it: by the access table, in one place."""

import logging
from dataclasses import dataclass, field
from typing import Annotated, Any

from fastapi import Depends, Request
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.problems import of_core, problem_response
from collector.domain.access import Operation
from collector.domain.access_table import of_http
from collector.domain.errors import ChamberlogError, UnauthenticatedError
from collector.domain.event_texts import beside_target, target_of
from collector.ports import AuditEvent
from collector.ports.events import Outcome, Source
from collector.usecases.admit import Admission
from collector.usecases.events import RecordEvent

FIELDS_AT_MOST, FIELD_LIMIT = 20, 40
FAILED_FROM, REFUSED_FROM = 500, 400

log = logging.getLogger(__name__)


@dataclass(slots=True)
class EventNote:
    """What a route knows of its event: `request.state.event` of each request that changes something.

    Attributes:
        reason: as whoever asks gave it; taken from the input that is called so.
        detail: what else is worth knowing; never secrets.
        organization: where nobody signs the request (a sign-in): that of the account, if there is one. Without it no
            event is written, for it would be nobody's.
        subject: there: who it turned out to be; empty = nobody, as in a sign-in that failed.
        target: there: the account, `user/<id>`.
    """

    reason: str = ""
    detail: dict[str, object] = field(default_factory=dict)
    organization: str = ""
    subject: str = ""
    target: str = ""


def event_note(request: Request) -> EventNote:
    """The note of the request's event; one that nobody reads where there is none."""
    note = getattr(request.state, "event", None)
    return note if isinstance(note, EventNote) else EventNote()


Noted = Annotated[EventNote, Depends(event_note)]


async def noted(request: Request) -> None:
    """Dependency of every route: notes the input `reason`, and the names of the fields that a PATCH changes.

    The body is the one that the framework has read and parsed already.
    """
    note = getattr(request.state, "event", None)
    if not isinstance(note, EventNote):
        return
    note.reason = request.query_params.get("reason", "")
    body = await _parsed(request)
    if not isinstance(body, dict):
        return
    if isinstance(body.get("reason"), str):
        note.reason = body["reason"]
    if request.method == "PATCH":
        note.detail["fields"] = sorted(str(name)[:FIELD_LIMIT] for name in body)[:FIELDS_AT_MOST]


class EventRecorder:
    """ASGI middleware behind the gate: holds an answer back until its event is written.

    What was done and cannot be written is answered with 503: the same again writes it. What was refused or failed
    stays so, and the log says that no event tells of it.
    """

    def __init__(self, app: ASGIApp, record: RecordEvent) -> None:
        self._app, self._record = app, record

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let through what changes nothing."""
        admission = scope.get("state", {}).get("admission")
        operation = admission.operation if isinstance(admission, Admission) else None
        if operation is None or not operation.writes:
            await self._app(scope, receive, send)
            return
        deed = _Deed(scope, admission, operation, EventNote())
        scope["state"]["event"] = deed.note
        telling = _Telling(self._record, deed)

        async def recorded(message: Message) -> None:
            if message["type"] == "http.response.start":
                away = await telling.begin(message)
                if away is not None:
                    await problem_response(of_core(away, scope["path"]))(scope, receive, send)
            if not telling.replaced:
                await send(message)

        try:
            await self._app(scope, receive, recorded)
        except Exception:
            await telling.broken()
            raise
        await telling.end()


class _Telling:
    """Writes the event of one answer: before it, or, of what nobody signed and was refused, behind it.

    What that takes would tell which accounts there are.
    """

    def __init__(self, record: RecordEvent, deed: "_Deed") -> None:
        self._record, self._deed = record, deed
        self._begun = self.replaced = False
        self._later: AuditEvent | None = None

    async def begin(self, message: Message) -> ChamberlogError | None:
        """The answer begins: the error if something was done that cannot be told."""
        self._begun = True
        event = self._deed.event(message["status"], Headers(raw=message["headers"]))
        if event is not None and self._deed.admission.principal is None and event.outcome is not Outcome.DONE:
            self._later = event
            return None
        away = await self._tell(event)
        self.replaced = away is not None
        return away

    async def broken(self) -> None:
        """A bug: somebody else answers."""
        if not self._begun:
            await self._tell(self._deed.event(FAILED_FROM, Headers()))

    async def end(self) -> None:
        """The answer is sent."""
        await self._tell(self._later)

    async def _tell(self, event: AuditEvent | None) -> ChamberlogError | None:
        if event is None:
            return None
        try:
            await self._record(event)
        except ChamberlogError as error:
            log.warning("%s by %s was %s: no audit event: %s", event.action, event.subject, event.outcome.value, error)
            return error if event.outcome is Outcome.DONE else None
        return None


@dataclass(frozen=True, slots=True)
class _Deed:
    """A request that may pass, and what is to be told of it."""

    scope: Scope
    admission: Admission
    operation: Operation
    note: EventNote

    def event(self, status: int, headers: Headers) -> AuditEvent | None:
        """The event of its answer; None where there is no organization that it could belong to."""
        principal, note, path = self.admission.principal, self.note, self.scope["path"]
        error = self.scope["state"].get("core_error")
        if isinstance(error, UnauthenticatedError) and error.account is not None:
            note.organization, note.target = error.account
        organization = principal.organization if principal is not None else note.organization
        if not organization:
            log.info("%s was answered with %d; no account, no audit event", self.operation.name, status)
            return None
        made, more = _made(headers.get("location"))
        return AuditEvent(
            organization=organization,
            subject=principal.subject if principal is not None else note.subject,
            action=self.operation.name,
            source=Source.API,
            outcome=_outcome(status),
            target=target_of(self.operation, path) or note.target or made,
            reason=note.reason,
            detail={"status": status, **beside_target(self.operation, path), **more, **note.detail},
            address=self.admission.address,
        )


def _made(location: str | None) -> tuple[str, dict[str, str]]:
    """The thing that an answer's Location names, and what else that does: the id of what was made, an operation."""
    shown = of_http("GET", location) if location else None
    return (target_of(shown, location), beside_target(shown, location)) if shown and location else ("", {})


def _outcome(status: int) -> Outcome:
    if status >= FAILED_FROM:
        return Outcome.FAILED
    return Outcome.REFUSED if status >= REFUSED_FROM else Outcome.DONE


async def _parsed(request: Request) -> Any:
    """The body as the framework parsed it for the route; None where it did not."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if getattr(request.scope.get("route"), "body_field", None) is None or not kind.endswith(("/json", "+json")):
        return None
    if not await request.body():
        return None
    return await request.json()
