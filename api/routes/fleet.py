"""The fleet at a glance."""

from typing import Annotated

from fastapi import APIRouter, Query

from api.asking import Caller, Use
from api.fleet_schemas import FleetOut, FleetQuery, fleet_out
from api.problems import documented
from collector.ports import ChamberFilter

router = APIRouter(prefix="/v1/fleet", tags=["chambers"], responses=documented(401, 422, 503))


@router.get("")
async def show_fleet(query: Annotated[FleetQuery, Query()], use: Use, caller: Caller) -> FleetOut:
    """How the chambers stand, those in trouble first; what `chamberlog top` shows. By the ledger alone."""
    wanted = ChamberFilter(use.bounds.narrowed(caller, query.section), query.status, query.q)
    return fleet_out(await use.fleet(caller.organization, wanted, query.sort, query.limit))
