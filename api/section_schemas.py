"""Operations on sections, as the API answers them."""

from pydantic import BaseModel, ConfigDict, JsonValue

from api.schemas import instant
from collector.domain.instants import iso
from collector.domain.section_order import OperationState, OrderKind, SectionOperation
from collector.usecases.section_control import Begun

EXAMPLE: dict[str, JsonValue] = {
    "id": "4fd1c8",
    "section": "cold-store",
    "kind": "pause",
    "state": "running",
    "total": 60,
    "done": 24,
    "failed": 0,
    "paused": 24,
    "reason": "power test",
    "until": None,
    "started_at": "2026-03-01T12:00:00.000Z",
    "ended_at": None,
}


class OperationOut(BaseModel):
    """A section being told, or told: `done` of `total` chambers; `paused` is how many of it are paused now."""

    model_config = ConfigDict(json_schema_extra={"example": EXAMPLE})

    id: str
    section: str
    kind: OrderKind
    state: OperationState
    total: int
    done: int
    failed: int
    paused: int
    reason: str
    until: str | None
    started_at: str
    ended_at: str | None


class UnreachedOut(BaseModel):
    """A chamber that was not told."""

    chamber: str
    problem: str


class BegunOut(OperationOut):
    """An operation that has begun; `unreached` are chambers of the section that it cannot tell, mostly none."""

    model_config = ConfigDict(json_schema_extra={"example": EXAMPLE | {"unreached": []}})

    unreached: list[UnreachedOut]


def operation_out(operation: SectionOperation) -> OperationOut:
    """An operation as JSON."""
    return OperationOut(
        id=operation.id,
        section=operation.section,
        kind=operation.kind,
        state=operation.state,
        total=operation.total,
        done=operation.done,
        failed=operation.failed,
        paused=operation.paused,
        reason=operation.reason,
        until=instant(operation.until_ms),
        started_at=iso(operation.started_ms),
        ended_at=instant(operation.ended_ms),
    )


def begun_out(begun: Begun) -> BegunOut:
    """An operation that has begun, as JSON."""
    unreached = [UnreachedOut(chamber=left.chamber_id, problem=left.problem) for left in begun.unreached]
    return BegunOut(**operation_out(begun.operation).model_dump(), unreached=unreached)
