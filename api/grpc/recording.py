"""One audit event for each call that wanted to change something, by the same table as for requests of REST."""

import logging
import re
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

from google.protobuf.message import Message

from api.grpc.call import Whose
from api.grpc.errors import refused
from api.grpc.gate import Done
from collector.domain.errors import ChamberlogError
from collector.ports.events import AuditEvent, Outcome, Source

FIELDS_AT_MOST, FIELD_LIMIT = 20, 40
FAILED_FROM = 500
DETECTOR = "detector"
"""The one place of a path that the proto calls otherwise: `name`."""

Record = Callable[[AuditEvent], Awaitable[None]]

log = logging.getLogger(__name__)


class GrpcEvents:
    """Writes what was done, refused or failed. A second run writes another event.

    Args:
        record: keeps one.
    """

    def __init__(self, record: Record) -> None:
        self._record = record

    async def __call__(self, done: Done) -> None:
        """Write it.

        Raises:
            ChamberlogError: something was done and cannot be told: the same again will tell it.
        """
        event = event_of(done)
        if event is None:
            log.info("%s by nobody that is known: no audit event", done.operation.name)
            return
        try:
            await self._record(event)
        except ChamberlogError as error:
            log.warning("%s by %s was %s: no audit event: %s", event.action, event.subject, event.outcome.value, error)
            if event.outcome is Outcome.DONE:
                raise


def event_of(done: Done) -> AuditEvent | None:
    """The event of a call; None where there is no organization that it could belong to."""
    principal, who = done.call.admission.principal, _signed_in(done)
    organization = principal.organization if principal is not None else who.organization
    if not organization:
        return None
    user = f"user/{who.user_id}" if who.user_id else ""
    places, made = list(_places(done)), _made(done.answer)
    kind, name = places[0] if places else made
    beside = dict(places[1:]) | (dict([made]) if places and made[0] == "operation" else {})
    return AuditEvent(
        organization=organization,
        subject=principal.subject if principal is not None else user,
        action=done.operation.name,
        source=Source.GRPC,
        outcome=_outcome(done),
        target=f"{kind}/{name}" if kind else done.account[1] if done.account is not None else user,
        reason=str(getattr(done.request, "reason", "")),
        detail={**_code(done), **beside, **_fields(done.request)},
        address=done.call.admission.address,
    )


def _outcome(done: Done) -> Outcome:
    if done.problem is None:
        return Outcome.DONE
    return Outcome.FAILED if done.problem.status >= FAILED_FROM else Outcome.REFUSED


def _code(done: Done) -> dict[str, object]:
    kind: Any = done.request.DESCRIPTOR if isinstance(done.request, Message) else None
    return {"code": "OK" if done.problem is None else refused(done.problem, kind).code.name}


def _places(done: Done) -> Iterator[tuple[str, str]]:
    """What the path of REST names, from the request: `("chamber", "incubator-3")`."""
    template = done.operation.http[1] if done.operation.http is not None else ""
    for place in re.findall(r"\{(\w+)\}", template):
        value = getattr(done.request, "name" if place == DETECTOR else place, "")
        if value:
            yield place.removesuffix("_id"), str(value)


def _made(answer: Any) -> tuple[str, str]:
    """The thing that is answered: of what was made, the id."""
    for field, value in answer.ListFields() if isinstance(answer, Message) else ():
        if field.message_type is not None and "id" in field.message_type.fields_by_name:
            return field.name, value.id
    return "", ""


def _signed_in(done: Done) -> Whose:
    """Who it turned out to be, where nobody signs the call; of one that was refused only in which organization."""
    if done.account is not None:
        return Whose(done.account[0])
    user = getattr(done.answer, "user", None)
    return done.call.whose if user is None else Whose(user.organization, user.id)


def _fields(request: Any) -> dict[str, object]:
    mask = getattr(request, "update_mask", None)
    if mask is None:
        return {}
    return {"fields": sorted(path[:FIELD_LIMIT] for path in mask.paths)[:FIELDS_AT_MOST]}
