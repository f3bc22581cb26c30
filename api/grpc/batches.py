"""What is observed in a section for a while, and its readings."""

from dataclasses import replace

from api.entity_inputs import BatchBody, BatchesQuery, BatchPatch, BatchReadingsQuery, EndBody
from api.grpc.asked import changes, checked, versions_of
from api.grpc.call import Call, Methods
from api.grpc.generated.chamberlog.v1 import batches_pb2 as pb
from api.grpc.told import moment, moment_or_none
from api.grpc.told_ledger import stored_message
from api.inputs import PageQuery
from collector.domain.organization import Batch
from collector.ports import Stay
from collector.usecases.readings import Portion


async def list_batches(call: Call, request: pb.ListBatchesRequest) -> pb.ListBatchesResponse:
    """The batches of the organization, the one that started last first."""
    query = checked(BatchesQuery, request)
    wanted = replace(query.filter(), section=call.narrowed(query.section))
    page = await call.use.batches.list(call.organization, wanted, limit=query.limit, cursor=query.cursor)
    return pb.ListBatchesResponse(batches=[_message(batch) for batch in page.items], next_cursor=page.next_cursor)


async def get_batch(call: Call, request: pb.GetBatchRequest) -> pb.GetBatchResponse:
    """One batch."""
    batch_id = await call.batch(request.batch_id)
    return pb.GetBatchResponse(batch=_message(await call.use.batches.show(call.organization, batch_id)))


async def start_batch(call: Call, request: pb.StartBatchRequest) -> pb.StartBatchResponse:
    """Begin a batch, now or then."""
    body = checked(BatchBody, request)
    wanted = body.batch(call.organization, call.use.clock.now_ms())
    await call.use.bounds.start(call.caller, wanted)
    made = await call.use.batches.start(wanted, body.given())
    return pb.StartBatchResponse(batch=_message(made.thing), created=made.created)


async def update_batch(call: Call, request: pb.UpdateBatchRequest) -> pb.UpdateBatchResponse:
    """Change fields of a batch; with its instants, which readings are its own."""
    batch_id, versions = await call.batch(request.batch_id), versions_of(request)
    patch = changes(BatchPatch, request.batch, request.update_mask)
    changed = await call.use.batches.change(call.organization, batch_id, versions, patch.altered)
    return pb.UpdateBatchResponse(batch=_message(changed))


async def end_batch(call: Call, request: pb.EndBatchRequest) -> pb.EndBatchResponse:
    """End a batch, now or then. Again: nothing changes."""
    batch_id, body = await call.batch(request.batch_id), checked(EndBody, request, "batch_id")
    ended = await call.use.batches.end(call.organization, batch_id, body.at_ms())
    return pb.EndBatchResponse(batch=_message(ended))


async def list_batch_chambers(call: Call, request: pb.ListBatchChambersRequest) -> pb.ListBatchChambersResponse:
    """Which chambers stood in its section, and when."""
    batch_id, query = await call.batch(request.batch_id), checked(PageQuery, request, "batch_id")
    page = await call.use.batches.chambers(call.organization, batch_id, limit=query.limit, cursor=query.cursor)
    return pb.ListBatchChambersResponse(stays=[_stay(stay) for stay in page.items], next_cursor=page.next_cursor)


async def list_batch_readings(call: Call, request: pb.ListBatchReadingsRequest) -> pb.ListBatchReadingsResponse:
    """Readings of a batch by chamber and slot, of chambers that stood in its section then."""
    batch_id, query = await call.batch(request.batch_id), checked(BatchReadingsQuery, request, "batch_id")
    await call.use.bounds.batch_chamber(call.caller, batch_id, query.chamber)
    portion = Portion(query.limit, query.cursor, query.detector)
    page = await call.use.batches.readings(call.organization, batch_id, query.part(), portion)
    readings = [pb.BatchReading(chamber=stored.chamber_id, reading=stored_message(stored)) for stored in page.items]
    return pb.ListBatchReadingsResponse(readings=readings, next_cursor=page.next_cursor)


METHODS: Methods = {
    "ListBatches": list_batches,
    "GetBatch": get_batch,
    "StartBatch": start_batch,
    "UpdateBatch": update_batch,
    "EndBatch": end_batch,
    "ListBatchChambers": list_batch_chambers,
    "ListBatchReadings": list_batch_readings,
}


def _message(batch: Batch) -> pb.Batch:
    return pb.Batch(
        id=batch.id,
        section=batch.section,
        name=batch.name,
        description=batch.description,
        started_at=moment(batch.started_ms),
        ended_at=moment_or_none(batch.ended_ms),
        version=batch.version,
        created_at=moment(batch.created_ms),
        updated_at=moment(batch.updated_ms),
    )


def _stay(stay: Stay) -> pb.Stay:
    return pb.Stay(chamber=stay.chamber_id, from_time=moment(stay.from_ms), to_time=moment_or_none(stay.to_ms))
