"""What routes ask of a request: who asks, for which chamber, by which use cases."""

from typing import Annotated

from fastapi import Depends, Path, Request, Security
from fastapi.security import HTTPBearer

from api.guard import unauthorized
from api.services import Services
from collector.domain.chamber import ID_PATTERN
from collector.domain.errors import NotFoundError
from collector.ports import Principal

bearer = HTTPBearer(auto_error=False, description="An API key: chl_<id>_<secret>")


def _services(request: Request) -> Services:
    services: Services = request.app.state.services
    return services


def _principal(request: Request, _: Annotated[object, Security(bearer)]) -> Principal:
    principal = getattr(request.state, "principal", None)
    if not isinstance(principal, Principal):  # a route that the guard does not cover stays closed
        raise unauthorized("there is no API key")
    return principal


def _chamber_id(chamber_id: Annotated[str, Path(description="the chamber's id")]) -> str:
    if not ID_PATTERN.fullmatch(chamber_id):  # no chamber can have it: the store need not be asked
        raise NotFoundError(f"there is no chamber {chamber_id[:80]!r}")
    return chamber_id


Use = Annotated[Services, Depends(_services)]
Caller = Annotated[Principal, Depends(_principal)]
ChamberId = Annotated[str, Depends(_chamber_id)]
