"""What routes ask of a request: who asks, for which thing, by which use cases."""

import re
from typing import Annotated, Any

from fastapi import Depends, Path, Request, Security
from fastapi.routing import APIRoute
from fastapi.security import HTTPBearer
from starlette.exceptions import HTTPException

from api.field_errors import readable
from api.services import Services
from collector.domain.chamber import ID_PATTERN
from collector.domain.credentials import ID_OF_CREDENTIAL
from collector.domain.errors import InvalidFieldError, NotFoundError, UnauthenticatedError
from collector.domain.organization import BATCH_PATTERN
from collector.domain.section_order import OPERATION_PATTERN
from collector.ports import Principal
from collector.usecases.admit import REMEDY, Admission
from collector.usecases.authenticate import KEY_ID

bearer = HTTPBearer(auto_error=False, description="An API key, chl_<id>_<secret>, or an access token, cha_...")


def _services(request: Request) -> Services:
    services: Services = request.app.state.services
    return services


def _refuse_queries(request: Request) -> None:
    """Refuse what a route does not take at all; routes with a query say themselves what they take."""
    route: APIRoute = request.scope["route"]
    unknown = next(iter(request.query_params), None)
    if unknown is not None and not route.dependant.query_params:
        raise InvalidFieldError(readable(unknown), "there is no such query", "remove it, or check its spelling")


def _principal(
    request: Request, _: Annotated[object, Security(bearer)], __: Annotated[None, Depends(_refuse_queries)]
) -> Principal:
    principal, admission = (getattr(request.state, name, None) for name in ("principal", "admission"))
    if not isinstance(principal, Principal):  # a route that the guard does not cover stays closed
        raise UnauthenticatedError("there is no API key", REMEDY)
    if not isinstance(admission, Admission) or not _is_of(admission, request):
        raise HTTPException(404)
    return principal


def _is_of(admission: Admission, request: Request) -> bool:
    """Whether the gate has judged the very operation that the path was matched to.

    Two readings of a path may differ (one takes a newline behind it, the other does not): what was not judged is shut.
    """
    operation = admission.operation
    return operation is not None and operation.http == (request.method, request.scope["route"].path)


def _possible(kind: str, text: str, pattern: re.Pattern[str] = ID_PATTERN) -> str:
    if not pattern.fullmatch(text):  # nothing can have it: the store need not be asked
        raise NotFoundError(f"there is no {kind} {text[:80]!r}")
    return text


def _shown(text: str, example: str, pattern: re.Pattern[str] = ID_PATTERN) -> Any:
    return Path(description=text, examples=[example], json_schema_extra={"pattern": f"^{pattern.pattern}$"})


def _organization_id(organization_id: Annotated[str, _shown("the organization's id", "default")]) -> str:
    return _possible("organization", organization_id)


def _key_id(key_id: Annotated[str, _shown("the key's id", "0f3a9c5be21d", KEY_ID)]) -> str:
    return _possible("key", key_id, KEY_ID)


def _operation_id(operation_id: Annotated[str, _shown("the operation's id", "power-test", OPERATION_PATTERN)]) -> str:
    return _possible("operation", operation_id, OPERATION_PATTERN)


def _profile_name(profile_name: Annotated[str, _shown("the profile's name", "airgradient")]) -> str:
    return _possible("profile", profile_name)


def _user_id(user_id: Annotated[str, _shown("the user's id", "5c1f0a9e77d2", ID_OF_CREDENTIAL)]) -> str:
    return _possible("user", user_id, ID_OF_CREDENTIAL)


def _invitation_id(
    invitation_id: Annotated[str, _shown("the invitation's id", "0a9e77d25c1f", ID_OF_CREDENTIAL)],
) -> str:
    return _possible("invitation", invitation_id, ID_OF_CREDENTIAL)


Use = Annotated[Services, Depends(_services)]
Caller = Annotated[Principal, Depends(_principal)]


async def _chamber_id(
    chamber_id: Annotated[str, _shown("the chamber's id", "incubator-3")], use: Use, caller: Caller
) -> str:
    await use.bounds.chamber(caller, _possible("chamber", chamber_id))
    return chamber_id


async def _section_id(
    section_id: Annotated[str, _shown("the section's id", "cold-store")], use: Use, caller: Caller
) -> str:
    use.bounds.section(caller, _possible("section", section_id))
    return section_id


async def _batch_id(
    batch_id: Annotated[str, _shown("the batch's id", "CHO-17.2", BATCH_PATTERN)], use: Use, caller: Caller
) -> str:
    await use.bounds.batch(caller, _possible("batch", batch_id, BATCH_PATTERN))
    return batch_id


ChamberId = Annotated[str, Depends(_chamber_id)]
SectionId = Annotated[str, Depends(_section_id)]
OrganizationId = Annotated[str, Depends(_organization_id)]
ProfileName = Annotated[str, Depends(_profile_name)]
BatchId = Annotated[str, Depends(_batch_id)]
UserId = Annotated[str, Depends(_user_id)]
InvitationId = Annotated[str, Depends(_invitation_id)]
Stranger = Annotated[None, Depends(_refuse_queries)]
"""Whoever asks need not say who they are."""
KeyId = Annotated[str, Depends(_key_id)]
OperationId = Annotated[str, Depends(_operation_id)]
