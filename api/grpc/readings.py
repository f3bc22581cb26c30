"""What was stored: readings, curves, latest values, gaps, and the proof that nothing is missing."""

from api.grpc.asked import checked
from api.grpc.call import Call, Methods
from api.grpc.generated.chamberlog.v1 import ledger_pb2
from api.grpc.generated.chamberlog.v1 import readings_pb2 as pb
from api.grpc.told import moment, number_of
from api.grpc.told_ledger import reading_message, run_message, stored_message
from api.grpc.watching import watch_readings
from api.inputs import ReadingsQuery, SectionedQuery, SpanPageQuery, SpanQuery
from collector.domain.errors import InvalidFieldError
from collector.ports import Audit, Bin, ChamberFilter
from collector.usecases.readings import Latest, Portion


async def list_readings(call: Call, request: pb.ListReadingsRequest) -> pb.ListReadingsResponse:
    """Raw readings by slot, or with `points` the curve of one detector in that many bins."""
    chamber_id, query = await call.chamber(request.chamber_id), checked(ReadingsQuery, request, "chamber_id")
    span = query.span(call.use.clock.now_ms())
    if query.points is not None:
        if query.detector is None:
            raise InvalidFieldError("detector", "a curve is of one detector", "name one of Detectors/ListDetectors")
        bins = await call.use.curve(call.organization, chamber_id, query.detector, span, query.points)
        return pb.ListReadingsResponse(bins=[_bin(found) for found in bins])
    portion = Portion(query.limit, query.cursor, query.detector)
    page = await call.use.readings(call.organization, chamber_id, span, portion)
    shown = [stored_message(stored) for stored in page.items]
    return pb.ListReadingsResponse(readings=shown, next_cursor=page.next_cursor)


async def get_latest(call: Call, request: pb.GetLatestRequest) -> pb.GetLatestResponse:
    """The newest reading of one chamber."""
    chamber_id = await call.chamber(request.chamber_id)
    return pb.GetLatestResponse(latest=_latest(await call.use.latest(call.organization, chamber_id)))


async def list_latest(call: Call, request: pb.ListLatestRequest) -> pb.ListLatestResponse:
    """The newest reading of each chamber, by id."""
    query = checked(SectionedQuery, request)
    wanted = ChamberFilter(call.narrowed(query.section), query.status, query.q)
    page = await call.use.latest.of_all(call.organization, wanted, Portion(query.limit, query.cursor))
    return pb.ListLatestResponse(latest=[_latest(found) for found in page.items], next_cursor=page.next_cursor)


async def list_gaps(call: Call, request: pb.ListGapsRequest) -> pb.ListGapsResponse:
    """Runs of slots without a reading that touch the range, each with its reason."""
    chamber_id, query = await call.chamber(request.chamber_id), checked(SpanPageQuery, request, "chamber_id")
    span = query.span(call.use.clock.now_ms())
    page = await call.use.gaps(call.organization, chamber_id, span, Portion(query.limit, query.cursor))
    return pb.ListGapsResponse(gaps=[run_message(run) for run in page.items], next_cursor=page.next_cursor)


async def audit_chamber(call: Call, request: pb.AuditChamberRequest) -> pb.AuditChamberResponse:
    """The proof for one chamber."""
    chamber_id, query = await call.chamber(request.chamber_id), checked(SpanQuery, request, "chamber_id")
    audit = await call.use.audit(call.organization, chamber_id, query.span(call.use.clock.now_ms()))
    return pb.AuditChamberResponse(audit=_audit(audit))


async def audit_fleet(call: Call, request: pb.AuditFleetRequest) -> pb.AuditFleetResponse:
    """The proof for all chambers of the organization."""
    query = checked(SpanQuery, request)
    audit = await call.use.audit(call.organization, None, query.span(call.use.clock.now_ms()))
    return pb.AuditFleetResponse(audit=_audit(audit))


METHODS: Methods = {
    "ListReadings": list_readings,
    "GetLatest": get_latest,
    "ListLatest": list_latest,
    "ListGaps": list_gaps,
    "AuditChamber": audit_chamber,
    "AuditFleet": audit_fleet,
    "WatchReadings": watch_readings,
}


def _bin(found: Bin) -> pb.Bin:
    return pb.Bin(
        start=moment(found.start_ms),
        min=found.minimum,
        mean=found.mean,
        max=found.maximum,
        count=found.count,
        worst_quality=number_of(ledger_pb2.Quality, found.worst),
        gap_reason=number_of(ledger_pb2.GapReason, found.gap_reason),
    )


def _latest(latest: Latest) -> pb.Latest:
    reading = None if latest.reading is None else reading_message(latest.reading, latest.stored_ms)
    return pb.Latest(chamber=latest.chamber_id, reading=reading)


def _audit(audit: Audit) -> pb.Audit:
    return pb.Audit(
        from_time=moment(audit.from_ms),
        to_time=moment(audit.to_ms),
        chambers=audit.chambers,
        expected=audit.expected,
        stored=audit.stored,
        gaps=[
            pb.GapCount(reason=number_of(ledger_pb2.GapReason, reason), slots=slots)
            for reason, slots in audit.gaps.items()
        ],
        unaccounted=audit.unaccounted,
        overdue=audit.overdue,
        pending=audit.pending,
        retained_from=moment(audit.retained_from_ms),
        offenders=[pb.Offender(chamber=c, unaccounted=u, overdue=o) for c, u, o in audit.offenders],
    )
