"""What is observed in a section for a while, and its readings."""

from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from api.asking import BatchId, Caller, Use
from api.csv_pages import batch_readings_csv, csv_or, wants_csv
from api.entity_inputs import BatchBody, BatchesQuery, BatchPatch, BatchReadingsQuery, EndBody
from api.entity_schemas import BatchOut, StayOut, batch_out, stay_out
from api.inputs import PageQuery
from api.ledger_schemas import BatchReadingOut, batch_reading_out
from api.problems import BODY_PROBLEMS, documented
from api.schemas import Listed
from api.versions import Versions, tag
from collector.domain.organization import Batch
from collector.usecases.readings import Portion

router = APIRouter(prefix="/v1/batches", tags=["batches"], responses=documented(401, 422, 503))


def _tagged(response: Response, batch: Batch) -> BatchOut:
    tag(response, batch.version)
    return batch_out(batch)


@router.get("")
async def list_batches(query: Annotated[BatchesQuery, Query()], use: Use, caller: Caller) -> Listed[BatchOut]:
    """The batches of the organization, the one that started last first."""
    wanted = replace(query.filter(), section=use.bounds.narrowed(caller, query.section))
    page = await use.batches.list(caller.organization, wanted, limit=query.limit, cursor=query.cursor)
    return Listed(items=[batch_out(batch) for batch in page.items], next_cursor=page.next_cursor)


@router.post("", status_code=201, responses={200: {"model": BatchOut}, **documented(409, *BODY_PROBLEMS)})
async def start_batch(body: BatchBody, use: Use, caller: Caller, response: Response) -> BatchOut:
    """Begin a batch, now or then: 201. The same again: 200. In a section there is one at a time."""
    wanted = body.batch(caller.organization, use.clock.now_ms())
    await use.bounds.start(caller, wanted)
    made = await use.batches.start(wanted, body.given())
    response.status_code = 201 if made.created else 200
    response.headers["Location"] = f"/v1/batches/{body.id}"
    return _tagged(response, made.thing)


@router.get("/{batch_id}", responses=documented(404))
async def show_batch(batch_id: BatchId, use: Use, caller: Caller, response: Response) -> BatchOut:
    """One batch."""
    return _tagged(response, await use.batches.show(caller.organization, batch_id))


@router.patch("/{batch_id}", responses=documented(404, 409, 412, 428, *BODY_PROBLEMS))
async def change_batch(
    batch_id: BatchId, body: BatchPatch, *, use: Use, caller: Caller, versions: Versions, response: Response
) -> BatchOut:
    """Change fields of a batch; with its instants, which readings are its own."""
    return _tagged(response, await use.batches.change(caller.organization, batch_id, versions, body.altered))


@router.post("/{batch_id}/end", responses=documented(404, 409, *BODY_PROBLEMS))
async def end_batch(
    batch_id: BatchId, use: Use, caller: Caller, response: Response, body: EndBody | None = None
) -> BatchOut:
    """End a batch, now or then. Again: nothing changes."""
    ended = await use.batches.end(caller.organization, batch_id, body.at_ms() if body else None)
    return _tagged(response, ended)


@router.get("/{batch_id}/chambers", responses=documented(404, 422))
async def list_batch_chambers(
    batch_id: BatchId, query: Annotated[PageQuery, Query()], use: Use, caller: Caller
) -> Listed[StayOut]:
    """Which chambers stood in its section, and when; one that left and came back stands there twice."""
    page = await use.batches.chambers(caller.organization, batch_id, limit=query.limit, cursor=query.cursor)
    return Listed(items=[stay_out(stay) for stay in page.items], next_cursor=page.next_cursor)


READINGS: dict[int | str, dict[str, Any]] = csv_or(Listed[BatchReadingOut], "a row for each measurement")


@router.get("/{batch_id}/readings", response_model=None, responses={**READINGS, **documented(404)})
async def list_batch_readings(
    batch_id: BatchId, query: Annotated[BatchReadingsQuery, Query()], use: Use, caller: Caller, request: Request
) -> Response | Listed[BatchReadingOut]:
    """Readings of a batch by chamber and slot, of chambers that stood in its section then. JSON or CSV, by Accept."""
    await use.bounds.batch_chamber(caller, batch_id, query.chamber)
    portion = Portion(query.limit, query.cursor, query.detector)
    page = await use.batches.readings(caller.organization, batch_id, query.part(), portion)
    if wants_csv(request):
        return batch_readings_csv(page, request)
    return Listed(items=[batch_reading_out(stored) for stored in page.items], next_cursor=page.next_cursor)
