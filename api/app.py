"""The FastAPI application over ready-made use cases."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from fastapi import Depends, FastAPI
from fastapi_offline import FastAPIOffline

from api import openapi, problems
from api.guard import BodyLimit, KeyGuard
from api.recording import EventRecorder, noted
from api.routes import (
    auth,
    batches,
    catalog,
    chambers,
    detectors,
    events,
    fleet,
    health,
    invitations,
    keys,
    ledger,
    live,
    organizations,
    section_operations,
    sections,
    users,
)
from api.services import Services
from api.streams import StreamRules, Streams

ROUTERS = (
    chambers.router,
    detectors.router,
    fleet.router,
    ledger.router,
    live.router,
    sections.router,
    section_operations.router,
    batches.router,
    organizations.router,
    auth.router,
    users.router,
    invitations.router,
    keys.router,
    catalog.router,
    events.router,
    health.router,
)

DEFAULT_RULES = StreamRules()
Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]


def create_app(services: Services, lifespan: Lifespan | None = None, rules: StreamRules = DEFAULT_RULES) -> FastAPI:
    """Make the application.

    Args:
        services: the use cases.
        lifespan: opens and closes what the adapters hold.
        rules: of live streams.
    """
    app = FastAPIOffline(  # laboratories have no way to the public servers from which FastAPI loads its pages
        title="chamberlog",
        summary="Readings of sensor chambers, every scheduled slot accounted for.",
        version="1",
        lifespan=lifespan,
        redirect_slashes=False,
        redoc_url=None,
        openapi_tags=openapi.TAGS,
    )
    app.state.services, app.state.streams = services, Streams(rules)
    app.add_middleware(BodyLimit)
    app.add_middleware(EventRecorder, record=services.record)
    app.add_middleware(KeyGuard, identify=services.identify)
    problems.install(app)
    for router in ROUTERS:
        app.include_router(router, dependencies=[Depends(noted)])
    openapi.describe(app)
    app.state.routes = [route for router in ROUTERS for route in router.routes]
    return app
