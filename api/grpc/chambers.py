"""Enrolling, finding, changing and ending chambers."""

from uuid import uuid4

from api.grpc.asked import changes, checked, request_id_of, versions_of
from api.grpc.call import Call, Methods
from api.grpc.generated.chamberlog.v1 import chambers_pb2 as pb
from api.grpc.told import duration, duration_or_none, moment, moment_or_none, number_of
from api.grpc.told_ledger import reading_message
from api.inputs import ChamberBody, ChamberPatch, PauseBody, RetireQuery, SectionedQuery
from api.no_reading import no_reading
from collector.domain.chamber import Pause
from collector.domain.outcome import Gap
from collector.messages import CollectRequest
from collector.ports import ChamberFilter
from collector.usecases.change import PauseWish
from collector.usecases.fleet import ChamberView


async def list_chambers(call: Call, request: pb.ListChambersRequest) -> pb.ListChambersResponse:
    """Chambers by id; retired ones only when asked for."""
    query = checked(SectionedQuery, request)
    wanted = ChamberFilter(call.narrowed(query.section), query.status, query.q)
    page = await call.use.list_chambers(call.organization, wanted, limit=query.limit, cursor=query.cursor)
    shown = [chamber_message(view) for view in page.items]
    return pb.ListChambersResponse(chambers=shown, next_cursor=page.next_cursor)


async def get_chamber(call: Call, request: pb.GetChamberRequest) -> pb.GetChamberResponse:
    """One chamber, with its live status when it can be asked within a second."""
    chamber_id = await call.chamber(request.chamber_id)
    return pb.GetChamberResponse(chamber=chamber_message(await call.use.show(call.organization, chamber_id)))


async def enrol_chamber(call: Call, request: pb.EnrolChamberRequest) -> pb.EnrolChamberResponse:
    """Enrol a chamber and start collecting."""
    wanted = checked(ChamberBody, request).spec(call.organization)
    await call.use.bounds.enrolment(call.caller, wanted)
    enrolled = await call.use.enrol(wanted)
    return pb.EnrolChamberResponse(chamber=chamber_message(enrolled.view), created=enrolled.created)


async def update_chamber(call: Call, request: pb.UpdateChamberRequest) -> pb.UpdateChamberResponse:
    """Change fields of a chamber."""
    chamber_id, versions = await call.chamber(request.chamber_id), versions_of(request)
    patch = changes(ChamberPatch, request.chamber, request.update_mask)
    view = await call.use.configure(call.caller, chamber_id, versions, patch.altered)
    return pb.UpdateChamberResponse(chamber=chamber_message(view))


async def pause_chamber(call: Call, request: pb.PauseChamberRequest) -> pb.PauseChamberResponse:
    """Stop reading it."""
    chamber_id, body = await call.chamber(request.chamber_id), checked(PauseBody, request, "chamber_id")
    view = await call.use.pause(call.caller, chamber_id, PauseWish(body.reason, body.until_ms()))
    return pb.PauseChamberResponse(chamber=chamber_message(view))


async def resume_chamber(call: Call, request: pb.ResumeChamberRequest) -> pb.ResumeChamberResponse:
    """Read it again."""
    view = await call.use.resume(call.caller, await call.chamber(request.chamber_id))
    return pb.ResumeChamberResponse(chamber=chamber_message(view))


async def collect_reading(call: Call, request: pb.CollectReadingRequest) -> pb.CollectReadingResponse:
    """Read it now, off its grid."""
    chamber_id = await call.chamber(request.chamber_id)
    wish = CollectRequest(request_id_of(request.request_id) or uuid4().hex, force=request.force)
    collected = await call.use.collect(call.organization, chamber_id, wish)
    if isinstance(collected.outcome, Gap):
        raise no_reading(collected.outcome)
    return pb.CollectReadingResponse(reading=reading_message(collected.outcome, None), stored=collected.stored)


async def retire_chamber(call: Call, request: pb.RetireChamberRequest) -> pb.RetireChamberResponse:
    """End a chamber."""
    chamber_id, query = await call.chamber(request.chamber_id), checked(RetireQuery, request, "chamber_id")
    view = await call.use.retire(call.caller, chamber_id, query.reason)
    return pb.RetireChamberResponse(chamber=chamber_message(view))


METHODS: Methods = {
    "ListChambers": list_chambers,
    "GetChamber": get_chamber,
    "EnrolChamber": enrol_chamber,
    "UpdateChamber": update_chamber,
    "PauseChamber": pause_chamber,
    "ResumeChamber": resume_chamber,
    "CollectReading": collect_reading,
    "RetireChamber": retire_chamber,
}


def chamber_message(view: ChamberView) -> pb.Chamber:
    """A chamber as the proto has it."""
    spec = view.record.spec
    return pb.Chamber(
        id=spec.id,
        name=spec.name,
        organization=spec.organization,
        section=spec.section,
        url=spec.url,
        profile=spec.profile,
        profile_version=spec.profile_version,
        interval=duration(spec.interval_ms),
        timeout=duration(spec.timeout_ms),
        round_span=duration_or_none(spec.round_span_ms),
        aligned=spec.aligned,
        labels=spec.labels,
        secret_ref=spec.secret_ref,
        verify_tls=spec.verify_tls,
        timezone=spec.timezone or None,
        serial_number=spec.serial_number or None,
        version=spec.version,
        status=number_of(pb.ChamberStatus, view.status),
        next_slot=moment_or_none(view.next_slot_ms),
        last_reading=moment_or_none(view.record.last_reading_ms),
        paused=None if view.pause is None else _pause(view.pause),
    )


def _pause(pause: Pause) -> pb.Pause:
    return pb.Pause(
        since=moment(pause.since_ms), reason=pause.reason, by=pause.by, until=moment_or_none(pause.until_ms)
    )
