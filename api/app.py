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
from api.spans import RequestSpans
from api.streams import StreamRules, Streams
from api.timing import EdgeMetrics, RequestTiming
from collector.ports import NO_TRACING

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


def create_app(
    services: Services,
    lifespan: Lifespan | None = None,
    rules: StreamRules = DEFAULT_RULES,
    metrics: EdgeMetrics | None = None,
) -> FastAPI:
    """Make the application.

    Args:
        services: the use cases.
        lifespan: opens and closes what the adapters hold.
        rules: of live streams.
        metrics: told how long requests take; None = nobody is.
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
    app.state.services, app.state.streams, app.state.edge_metrics = services, Streams(rules), metrics
    app.add_middleware(BodyLimit)
    app.add_middleware(EventRecorder, record=services.record)
    if services.tracing is not NO_TRACING:
        app.add_middleware(RequestSpans, tracing=services.tracing)
    app.add_middleware(KeyGuard, identify=services.identify)
    if metrics is not None:
        app.add_middleware(RequestTiming, metrics=metrics)
    problems.install(app)
    for router in ROUTERS:
        app.include_router(router, dependencies=[Depends(noted)])
    openapi.describe(app)
    app.state.routes = [route for router in ROUTERS for route in router.routes]
    return app
