"""What was stored: readings, curves, latest values, gaps, and the proof that nothing is missing."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from api.asking import Caller, ChamberId, Use
from api.csv_pages import csv_or, curve_csv, readings_csv, wants_csv
from api.inputs import ReadingsQuery, SectionedQuery, SpanPageQuery, SpanQuery
from api.ledger_schemas import (
    AuditOut,
    BinOut,
    GapOut,
    LatestOut,
    ReadingOut,
    audit_out,
    bin_out,
    gap_out,
    latest_out,
    stored_out,
)
from api.problems import documented
from api.schemas import Listed
from api.services import Services
from collector.domain.errors import InvalidFieldError
from collector.ports import ChamberFilter, Principal
from collector.usecases.readings import Portion

router = APIRouter(prefix="/v1", tags=["ledger"], responses=documented(401, 422, 503))

READINGS: dict[int | str, dict[str, Any]] = csv_or(
    Listed[ReadingOut] | Listed[BinOut], "a row for each measurement, or for each bin"
)


@router.get("/chambers/{chamber_id}/readings", response_model=None, responses={**READINGS, **documented(404)})
async def list_readings(
    chamber_id: ChamberId, query: Annotated[ReadingsQuery, Query()], use: Use, caller: Caller, request: Request
) -> Response | Listed[ReadingOut] | Listed[BinOut]:
    """Raw readings by slot, or with `points` the curve of one detector in that many bins. JSON or CSV, by Accept."""
    if query.points is not None:
        return await _curve(chamber_id, query, use, caller, as_csv=wants_csv(request))
    span = query.span(use.clock.now_ms())
    portion = Portion(query.limit, query.cursor, query.detector)
    page = await use.readings(caller.organization, chamber_id, span, portion)
    if wants_csv(request):
        return readings_csv(page, request)
    return Listed(items=[stored_out(stored) for stored in page.items], next_cursor=page.next_cursor)


@router.get("/chambers/{chamber_id}/latest", responses=documented(404))
async def show_latest(chamber_id: ChamberId, use: Use, caller: Caller) -> LatestOut:
    """The newest reading of one chamber."""
    return latest_out(await use.latest(caller.organization, chamber_id))


@router.get("/chambers/{chamber_id}/gaps", responses=documented(404))
async def list_gaps(
    chamber_id: ChamberId, query: Annotated[SpanPageQuery, Query()], use: Use, caller: Caller
) -> Listed[GapOut]:
    """Runs of slots without a reading that touch the range, each with its reason."""
    span = query.span(use.clock.now_ms())
    page = await use.gaps(caller.organization, chamber_id, span, Portion(query.limit, query.cursor))
    return Listed(items=[gap_out(run) for run in page.items], next_cursor=page.next_cursor)


@router.get("/chambers/{chamber_id}/audit", responses=documented(404))
async def audit_chamber(
    chamber_id: ChamberId, query: Annotated[SpanQuery, Query()], use: Use, caller: Caller
) -> AuditOut:
    """The proof for one chamber."""
    return audit_out(await use.audit(caller.organization, chamber_id, query.span(use.clock.now_ms())))


@router.get("/audit")
async def audit_fleet(query: Annotated[SpanQuery, Query()], use: Use, caller: Caller) -> AuditOut:
    """The proof for all chambers of the organization."""
    return audit_out(await use.audit(caller.organization, None, query.span(use.clock.now_ms())))


@router.get("/latest")
async def list_latest(query: Annotated[SectionedQuery, Query()], use: Use, caller: Caller) -> Listed[LatestOut]:
    """The newest reading of each chamber, by id."""
    wanted = ChamberFilter(use.bounds.narrowed(caller, query.section), query.status, query.q)
    page = await use.latest.of_all(caller.organization, wanted, Portion(query.limit, query.cursor))
    return Listed(items=[latest_out(latest) for latest in page.items], next_cursor=page.next_cursor)


async def _curve(
    chamber_id: str, query: ReadingsQuery, use: Services, caller: Principal, *, as_csv: bool
) -> Response | Listed[BinOut]:
    if query.detector is None:
        raise InvalidFieldError("detector", "a curve is of one detector", "name one of GET .../detectors")
    span, points = query.span(use.clock.now_ms()), query.points or 1
    bins = await use.curve(caller.organization, chamber_id, query.detector, span, points)
    return curve_csv(bins) if as_csv else Listed(items=[bin_out(found) for found in bins])
