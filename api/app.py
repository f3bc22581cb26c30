"""The FastAPI application over ready-made use cases."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from fastapi import FastAPI
from fastapi_offline import FastAPIOffline

from api import problems
from api.guard import BodyLimit, KeyGuard
from api.routes import catalog, chambers, health, ledger, section_operations
from api.services import Services

ROUTERS = (chambers.router, ledger.router, catalog.router, section_operations.router, health.router)

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]


def create_app(services: Services, lifespan: Lifespan | None = None) -> FastAPI:
    """Make the application.

    Args:
        services: the use cases.
        lifespan: opens and closes what the adapters hold.
    """
    app = FastAPIOffline(  # laboratories have no way to the public servers from which FastAPI loads its pages
        title="chamberlog",
        summary="Readings of sensor chambers, every scheduled slot accounted for.",
        version="1",
        lifespan=lifespan,
        redirect_slashes=False,
        redoc_url=None,
    )
    app.state.services = services
    app.add_middleware(BodyLimit)
    app.add_middleware(KeyGuard, authenticate=services.authenticate)
    problems.install(app)
    for router in ROUTERS:
        app.include_router(router)
    app.state.routes = [route for router in ROUTERS for route in router.routes]
    return app
