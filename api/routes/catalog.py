"""What a chamber can be enrolled with."""

from fastapi import APIRouter

from api.asking import Caller, Use
from api.problems import documented
from api.schemas import Listed, ProfileOut, profile_out

router = APIRouter(prefix="/v1", tags=["catalog"], responses=documented(401, 422, 503))


@router.get("/profiles")
async def list_profiles(use: Use, _: Caller) -> Listed[ProfileOut]:
    """The device profiles of this deployment."""
    return Listed(items=[profile_out(profile) for profile in use.profiles()])
