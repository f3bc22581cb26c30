"""The tenants of the deployment."""

from api.entity_inputs import OrganizationBody, OrganizationPatch
from api.grpc.asked import changes, checked, versions_of
from api.grpc.call import Call, Methods, organization_id
from api.grpc.generated.chamberlog.v1 import organizations_pb2 as pb
from api.grpc.told import moment
from api.inputs import PageQuery
from collector.domain.organization import Organization


async def list_organizations(call: Call, request: pb.ListOrganizationsRequest) -> pb.ListOrganizationsResponse:
    """The caller's own organization; for super-administrators all of them, by id."""
    query = checked(PageQuery, request)
    page = await call.use.organizations.list(call.caller, limit=query.limit, cursor=query.cursor)
    shown = [_message(organization) for organization in page.items]
    return pb.ListOrganizationsResponse(organizations=shown, next_cursor=page.next_cursor)


async def get_organization(call: Call, request: pb.GetOrganizationRequest) -> pb.GetOrganizationResponse:
    """One organization."""
    wanted = organization_id(request.organization_id)
    return pb.GetOrganizationResponse(organization=_message(await call.use.organizations.show(call.caller, wanted)))


async def create_organization(call: Call, request: pb.CreateOrganizationRequest) -> pb.CreateOrganizationResponse:
    """Make a tenant with its section `default`."""
    body = checked(OrganizationBody, request)
    made = await call.use.organizations.add(call.caller, body.organization(), body.model_fields_set)
    return pb.CreateOrganizationResponse(organization=_message(made.thing), created=made.created)


async def update_organization(call: Call, request: pb.UpdateOrganizationRequest) -> pb.UpdateOrganizationResponse:
    """Change fields of one organization."""
    wanted, versions = organization_id(request.organization_id), versions_of(request)
    patch = changes(OrganizationPatch, request.organization, request.update_mask)
    changed = await call.use.organizations.change(call.caller, wanted, versions, patch.altered)
    return pb.UpdateOrganizationResponse(organization=_message(changed))


METHODS: Methods = {
    "ListOrganizations": list_organizations,
    "GetOrganization": get_organization,
    "CreateOrganization": create_organization,
    "UpdateOrganization": update_organization,
}


def _message(organization: Organization) -> pb.Organization:
    return pb.Organization(
        id=organization.id,
        name=organization.name,
        address=organization.address,
        region=organization.region,
        version=organization.version,
        created_at=moment(organization.created_ms),
        updated_at=moment(organization.updated_ms),
    )
