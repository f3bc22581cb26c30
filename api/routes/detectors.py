"""The quantities of a chamber, their aliases, and which of them are switched off."""

from typing import Annotated

from fastapi import APIRouter, Path

from api.asking import Caller, ChamberId, Use
from api.entity_inputs import DetectorPatch
from api.ledger_schemas import DetectorOut, detector_out
from api.problems import BODY_PROBLEMS, documented
from api.schemas import Listed

router = APIRouter(
    prefix="/v1/chambers/{chamber_id}/detectors", tags=["detectors"], responses=documented(401, 404, 422, 503)
)

Detector = Annotated[str, Path(description="its name or alias", examples=["temperature"])]


@router.get("")
async def list_detectors(chamber_id: ChamberId, use: Use, caller: Caller) -> Listed[DetectorOut]:
    """The quantities of one chamber, switched-off ones too; they come with its first reading."""
    found = await use.detectors.list(caller.organization, chamber_id)
    return Listed(items=[detector_out(record) for record in found])


@router.patch("/{detector}", responses=documented(409, *BODY_PROBLEMS))
async def change_detector(
    chamber_id: ChamberId, detector: Detector, body: DetectorPatch, use: Use, caller: Caller
) -> DetectorOut:
    """Give a detector an alias, or switch it off or on. Its values are stored all the same."""
    return detector_out(await use.detectors.change(caller.organization, chamber_id, detector, body.wish()))
