"""The tenants of the deployment."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from api.asking import Caller, OrganizationId, Use
from api.entity_inputs import OrganizationBody, OrganizationPatch
from api.entity_schemas import OrganizationOut, organization_out
from api.inputs import PageQuery
from api.problems import BODY_PROBLEMS, documented
from api.schemas import Listed
from api.versions import Versions, tag
from collector.domain.organization import Organization

router = APIRouter(prefix="/v1/organizations", tags=["organizations"], responses=documented(401, 422, 503))


def _tagged(response: Response, organization: Organization) -> OrganizationOut:
    tag(response, organization.version)
    return organization_out(organization)


@router.get("")
async def list_organizations(query: Annotated[PageQuery, Query()], use: Use, caller: Caller) -> Listed[OrganizationOut]:
    """The caller's own organization; of a super-administrator all of them, by id."""
    page = await use.organizations.list(caller, limit=query.limit, cursor=query.cursor)
    return Listed(items=[organization_out(found) for found in page.items], next_cursor=page.next_cursor)


@router.post("", status_code=201, responses={200: {"model": OrganizationOut}, **documented(403, 409, *BODY_PROBLEMS)})
async def add_organization(body: OrganizationBody, use: Use, caller: Caller, response: Response) -> OrganizationOut:
    """Make a tenant with its section `default`: 201. The same again: 200. It takes a super-administrator."""
    made = await use.organizations.add(caller, body.organization(), body.model_fields_set)
    response.status_code = 201 if made.created else 200
    response.headers["Location"] = f"/v1/organizations/{body.id}"
    return _tagged(response, made.thing)


@router.get("/{organization_id}", responses=documented(404))
async def show_organization(
    organization_id: OrganizationId, use: Use, caller: Caller, response: Response
) -> OrganizationOut:
    """One organization: the caller's own, to a super-administrator any."""
    return _tagged(response, await use.organizations.show(caller, organization_id))


@router.patch("/{organization_id}", responses=documented(404, 412, 428, *BODY_PROBLEMS))
async def change_organization(
    organization_id: OrganizationId,
    body: OrganizationPatch,
    *,
    use: Use,
    caller: Caller,
    versions: Versions,
    response: Response,
) -> OrganizationOut:
    """Change fields of one organization: the caller's own, to a super-administrator any."""
    changed = await use.organizations.change(caller, organization_id, versions, body.altered)
    return _tagged(response, changed)
