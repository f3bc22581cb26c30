"""Enrolling, finding, changing and ending chambers."""

from typing import Annotated
from uuid import uuid4

from fastapi import APIRouter, Header, Query, Response

from api.asking import Caller, ChamberId, Use
from api.inputs import (
    ChamberBody,
    ChamberPatch,
    CollectBody,
    PauseBody,
    RetireQuery,
    SectionedQuery,
)
from api.ledger_schemas import AdhocReadingOut, adhoc_out
from api.no_reading import no_reading
from api.problems import BODY_PROBLEMS, documented
from api.profile_schemas import AnswerOut, answer_out
from api.schemas import ChamberOut, Listed, chamber_out
from api.versions import Versions, tag
from collector.domain.outcome import Gap
from collector.messages import CollectRequest
from collector.ports import ChamberFilter
from collector.usecases.change import PauseWish
from collector.usecases.fleet import ChamberView

router = APIRouter(prefix="/v1/chambers", tags=["chambers"], responses=documented(401, 422, 503))

RequestId = Annotated[
    str | None,
    Header(alias="Idempotency-Key", pattern="^[A-Za-z0-9_-]{1,64}$", description="the same again gets the same answer"),
]


def _tagged(response: Response, view: ChamberView) -> ChamberOut:
    tag(response, view.record.spec.version)
    return chamber_out(view)


@router.post("", status_code=201, responses={200: {"model": ChamberOut}, **documented(409, *BODY_PROBLEMS)})
async def enrol_chamber(body: ChamberBody, use: Use, caller: Caller, response: Response) -> ChamberOut:
    """Enrol a chamber and start collecting: 201. The same again: 200, and what is missing is started."""
    wanted = body.spec(caller.organization)
    await use.bounds.enrolment(caller, wanted)
    enrolled = await use.enrol(wanted)
    response.status_code = 201 if enrolled.created else 200
    response.headers["Location"] = f"/v1/chambers/{body.id}"
    return _tagged(response, enrolled.view)


@router.get("")
async def list_chambers(query: Annotated[SectionedQuery, Query()], use: Use, caller: Caller) -> Listed[ChamberOut]:
    """Chambers by id; retired ones only with status=retired."""
    wanted = ChamberFilter(use.bounds.narrowed(caller, query.section), query.status, query.q)
    page = await use.list_chambers(caller.organization, wanted, limit=query.limit, cursor=query.cursor)
    return Listed(items=[chamber_out(view) for view in page.items], next_cursor=page.next_cursor)


@router.get("/{chamber_id}", responses=documented(404))
async def show_chamber(chamber_id: ChamberId, use: Use, caller: Caller, response: Response) -> ChamberOut:
    """One chamber, with its live status when it can be asked within a second."""
    return _tagged(response, await use.show(caller.organization, chamber_id))


@router.patch("/{chamber_id}", responses=documented(404, 409, 412, 428, *BODY_PROBLEMS))
async def change_chamber(
    chamber_id: ChamberId, body: ChamberPatch, *, use: Use, caller: Caller, versions: Versions, response: Response
) -> ChamberOut:
    """Change fields; `next_slot` of the answer is the first slot of the new grid."""
    return _tagged(response, await use.configure(caller, chamber_id, versions, body.altered))


@router.delete("/{chamber_id}", responses=documented(404, 409))
async def retire_chamber(
    chamber_id: ChamberId, query: Annotated[RetireQuery, Query()], use: Use, caller: Caller, response: Response
) -> ChamberOut:
    """End a chamber: `retiring` until its last outcome is stored, then `retired`. Its history stays."""
    return _tagged(response, await use.retire(caller, chamber_id, query.reason))


@router.post("/{chamber_id}/pause", responses=documented(404, 409, *BODY_PROBLEMS))
async def pause_chamber(
    chamber_id: ChamberId, use: Use, caller: Caller, response: Response, body: PauseBody | None = None
) -> ChamberOut:
    """Stop reading it; its slots become a `paused` gap. `paused.since` is the first slot that is not collected."""
    wish = PauseWish(body.reason, body.until_ms()) if body else PauseWish()
    return _tagged(response, await use.pause(caller, chamber_id, wish))


@router.post("/{chamber_id}/resume", responses=documented(404, 409))
async def resume_chamber(chamber_id: ChamberId, use: Use, caller: Caller, response: Response) -> ChamberOut:
    """Read it again, on the same grid; `next_slot` is the first slot that is collected."""
    return _tagged(response, await use.resume(caller, chamber_id))


@router.get("/{chamber_id}/answers", responses=documented(404))
async def list_answers(chamber_id: ChamberId, use: Use, caller: Caller) -> Listed[AnswerOut]:
    """The last answer that could be read and the last one that could not, the newer first; refreshed in 10 minutes."""
    return Listed(items=[answer_out(answer) for answer in await use.answers(caller.organization, chamber_id)])


@router.post("/{chamber_id}/collect", responses=documented(404, 409, 502, 504, *BODY_PROBLEMS))
async def collect_now(
    chamber_id: ChamberId, use: Use, caller: Caller, body: CollectBody | None = None, request_id: RequestId = None
) -> AdhocReadingOut:
    """Read it now, off its grid. The same Idempotency-Key again gets the same answer."""
    request = CollectRequest(request_id or uuid4().hex, force=body is not None and body.force)
    collected = await use.collect(caller.organization, chamber_id, request)
    if isinstance(collected.outcome, Gap):
        raise no_reading(collected.outcome)
    return adhoc_out(collected, collected.outcome)
