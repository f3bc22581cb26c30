"""What a chamber can be enrolled with, and the profiles of an organization's own."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from api.asking import Caller, ProfileName, Use
from api.problems import BODY_PROBLEMS, documented
from api.profile_schemas import (
    EXAMPLE,
    ProfileBody,
    ProfileOut,
    ProfileQuery,
    ProfileTextOut,
    profile_out,
    profile_text_out,
)
from api.schemas import Listed
from api.versions import ReadTexts, refused_unread, tag
from collector.domain.errors import ProfileChangedError
from collector.usecases.catalog import ProfileView

router = APIRouter(prefix="/v1/profiles", tags=["catalog"], responses=documented(401, 422, 503))

YAML_TOO = {"requestBody": {"content": {"text/yaml": {"schema": {"type": "string"}, "example": EXAMPLE}}}}
"""The same document without JSON around it."""


def _tagged(response: Response, view: ProfileView) -> ProfileTextOut:
    tag(response, view.summary.document.version)
    return profile_text_out(view)


@router.get("")
async def list_profiles(use: Use, caller: Caller) -> Listed[ProfileOut]:
    """The device profiles that chambers can be enrolled with: the organization's own, and those of the deployment."""
    return Listed(items=[profile_out(profile) for profile in await use.profiles.list(caller.organization)])


@router.get("/{profile_name}", responses=documented(404))
async def show_profile(
    profile_name: ProfileName, query: Annotated[ProfileQuery, Query()], use: Use, caller: Caller, response: Response
) -> ProfileTextOut:
    """One profile with its text and its versions; `version` finds those that are offered no longer, too."""
    return _tagged(response, await use.profiles.show(caller.organization, profile_name, query.version))


@router.put(
    "/{profile_name}",
    status_code=201,
    openapi_extra=YAML_TOO,
    responses={200: {"model": ProfileTextOut}, **documented(404, 409, 412, 428, *BODY_PROBLEMS)},
)
async def put_profile(
    profile_name: ProfileName, body: ProfileBody, *, use: Use, caller: Caller, read: ReadTexts, response: Response
) -> ProfileTextOut:
    """Offer a profile of the organization's own: 201. A new version of it, or the same again: 200.

    Where a profile stands by that name, If-Match must name the version that was read. Chambers keep the version that
    they have until they are changed.
    """
    try:
        made = await use.profiles.put(caller, profile_name, body.document, read.versions)
    except ProfileChangedError as changed:
        raise (changed if read.given else refused_unread(changed.current)) from None
    response.status_code = 201 if made.created else 200
    response.headers["Location"] = f"/v1/profiles/{profile_name}"
    return _tagged(response, made.thing)


@router.delete("/{profile_name}", responses=documented(404, 409))
async def remove_profile(profile_name: ProfileName, use: Use, caller: Caller, response: Response) -> ProfileTextOut:
    """Offer a profile of the organization's own no longer; chambers that have a version of it keep it."""
    return _tagged(response, await use.profiles.remove(caller.organization, profile_name))
