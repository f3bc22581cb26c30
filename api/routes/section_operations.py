"""Pausing and resuming a section as a whole."""

from dataclasses import replace
from typing import Annotated
from uuid import uuid4

from fastapi import APIRouter, Header, Response

from api.asking import Caller, OperationId, SectionId, Use
from api.inputs import PauseBody
from api.problems import BODY_PROBLEMS, documented
from api.section_schemas import BegunOut, OperationOut, begun_out, operation_out
from collector.domain.section_order import OPERATION_PATTERN, OrderKind, SectionOrder
from collector.ports import Principal
from collector.usecases.section_control import Begun

router = APIRouter(prefix="/v1/sections", tags=["sections"], responses=documented(401, 422, 503))


RequestId = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        pattern=f"^{OPERATION_PATTERN.pattern}$",
        description="becomes the operation's id: the same again begins nothing",
    ),
]


@router.post("/{section_id}/pause", status_code=202, responses=documented(404, 409, *BODY_PROBLEMS))
async def pause_section(
    section_id: SectionId,
    use: Use,
    caller: Caller,
    response: Response,
    *,
    body: PauseBody | None = None,
    request_id: RequestId = None,
) -> BegunOut:
    """Pause every chamber of the section, in the background: `Location` tells how far that is.

    A chamber that is enrolled later is not paused. The same Idempotency-Key again is the same operation; once that
    has ended, chambers that do not obey are told singly.
    """
    wished = body or PauseBody()
    order = _order(caller, section_id, request_id, OrderKind.PAUSE)
    order = replace(order, reason=wished.reason, until_ms=wished.until_ms())
    return _begun(await use.section_control.tell(caller, order), response)


@router.post("/{section_id}/resume", status_code=202, responses=documented(404, 409))
async def resume_section(
    section_id: SectionId, use: Use, caller: Caller, response: Response, *, request_id: RequestId = None
) -> BegunOut:
    """Resume every chamber of the section, in the background, whatever paused it."""
    order = _order(caller, section_id, request_id, OrderKind.RESUME)
    return _begun(await use.section_control.tell(caller, order), response)


@router.get("/{section_id}/operations/{operation_id}", responses=documented(404))
async def show_operation(section_id: SectionId, operation_id: OperationId, use: Use, caller: Caller) -> OperationOut:
    """How far an operation is. Temporal forgets it when the retention of its namespace is over."""
    return operation_out(await use.section_control.show(caller.organization, section_id, operation_id))


def _order(caller: Principal, section: str, request_id: str | None, kind: OrderKind) -> SectionOrder:
    return SectionOrder(
        organization=caller.organization,
        section=section,
        operation_id=request_id or uuid4().hex,
        kind=kind,
        by=caller.subject,
    )


def _begun(begun: Begun, response: Response) -> BegunOut:
    operation = begun.operation
    response.headers["Location"] = f"/v1/sections/{operation.section}/operations/{operation.id}"
    return begun_out(begun)
