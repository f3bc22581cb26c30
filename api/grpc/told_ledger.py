"""What is in the ledger, as the proto has it."""

from api.grpc.generated.chamberlog.v1 import ledger_pb2 as pb
from api.grpc.told import moment, moment_or_none, number_of
from collector.domain.outcome import Gap, Reading
from collector.ports import GapRun, StoredReading


def reading_message(reading: Reading, stored_ms: int | None) -> pb.Reading:
    """A reading."""
    measurements = {
        m.name: pb.Measurement(value=m.value, unit=m.unit, quality=number_of(pb.Quality, m.quality))
        for m in reading.measurements
    }
    return pb.Reading(
        slot=moment(reading.slot_ms),
        requested_at=moment(reading.requested_ms),
        received_at=moment(reading.received_ms),
        observed_at=moment_or_none(reading.observed_ms),
        stored_at=moment_or_none(stored_ms),
        measurements=measurements,
    )


def stored_message(stored: StoredReading) -> pb.Reading:
    """A stored reading."""
    return reading_message(stored.reading, stored.stored_ms)


def run_message(run: GapRun) -> pb.Gap:
    """A gap as the ledger has it."""
    return pb.Gap(
        first_slot=moment(run.first_ms),
        last_slot=moment_or_none(run.last_ms),
        slots=run.slots,
        reason=number_of(pb.GapReason, run.reason),
        detail=run.detail,
        by=run.by,
        until=moment_or_none(run.until_ms),
        recorded_at=moment(run.recorded_ms),
    )


def gap_message(gap: Gap) -> pb.Gap:
    """A gap as it was just recorded."""
    return pb.Gap(
        first_slot=moment(gap.first_ms),
        last_slot=moment_or_none(gap.last_ms),
        reason=number_of(pb.GapReason, gap.reason),
        detail=gap.detail,
        by=gap.by,
        until=moment_or_none(gap.until_ms),
    )
