"""`python -m api`: serve the REST API until a signal ends it."""

import asyncio
import logging
import socket
import sys

import uvicorn
from fastapi import FastAPI

from api.bootstrap import (
    SERVICE,
    SignalledServer,
    build_app,
    listen,
    load_settings,
    make_runner,
    rehearse,
    start_logging,
)
from api.grpc.server import GrpcApi
from api.services import Services
from api.settings import ApiSettings
from collector.domain.errors import InvalidFieldError
from collector.usecases.live import WatchLive

GRACE_S = 10
"""A request that waits for a chamber's slot in hand may end within this after the signal."""
LEAVE_S = 1.0
"""So long a stop waits for what clients that do not read were sent already."""
EXIT_SETTINGS = 2

log = logging.getLogger("api")


def main(*, check: bool = False) -> int:
    """Serve; 0 after a clean end, 2 when a setting is wrong or the port is taken.

    Args:
        check: only say on standard output what would run; asks no server and takes no port.
    """
    try:
        start_logging(SERVICE)
        settings = load_settings()
        if check:
            with make_runner() as runner:
                sys.stdout.write(f"api: settings are fine: {runner.run(rehearse(settings))}\n")
            return 0
        with listening(settings) as listener, make_runner() as runner:
            runner.run(_serve(settings, listener))
    except InvalidFieldError as error:
        sys.stderr.write(f"{error}\n")
        return EXIT_SETTINGS
    return 0


def listening(settings: ApiSettings) -> socket.socket:
    """A listening socket.

    Raises:
        InvalidFieldError: names the variable; the port is taken, or the address is not this machine's.
    """
    return listen(settings.api_host, settings.api_port, "CHAMBERLOG_API")


class _Server(SignalledServer):
    """Ends the streams first.

    Args:
        config: what is served, and how.
        live: ends the streams, which would otherwise go on for as long as requests are waited for.
        grpc: ends with it.
    """

    def __init__(self, config: uvicorn.Config, live: WatchLive | None, grpc: GrpcApi | None = None) -> None:
        super().__init__(config)
        self._live, self._grpc = live, grpc

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End the streams, and then as every other request those that still run."""
        if self._live is not None:
            self._live.stop()
        leaving = asyncio.create_task(self._leave_behind())
        beside = None if self._grpc is None else asyncio.create_task(self._grpc.stop(GRACE_S))
        try:
            await super().shutdown(sockets)
        finally:
            leaving.cancel()
            if beside is not None:
                await beside

    async def _leave_behind(self) -> None:
        """Cut off clients that do not read: they will not take the end of their answer either."""
        await asyncio.sleep(LEAVE_S)
        for connection in list(self.server_state.connections):
            flow = getattr(connection, "flow", None)  # web sockets have none, and we serve none
            if flow is not None and flow.write_paused:
                connection.transport.abort()


async def _serve(settings: ApiSettings, listener: socket.socket) -> None:
    app = await build_app(settings)
    config = uvicorn.Config(
        app,
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=False,  # who asks must not choose by which address it is counted; the gateway vouches for it
        timeout_graceful_shutdown=GRACE_S,
    )
    services: Services = app.state.services
    await _Server(config, services.live, await _started(settings, app)).serve(sockets=[listener])


async def _started(settings: ApiSettings, app: FastAPI) -> GrpcApi | None:
    """gRPC, listening, if there is to be one.

    Raises:
        InvalidFieldError: names the variable; the port is taken, or the address is not this machine's.
    """
    if settings.grpc_port is None:
        return None
    grpc = app.state.grpc = GrpcApi(app.state.services, app.state.streams, metrics=app.state.edge_metrics)
    host = settings.grpc_host or settings.api_host
    log.info("gRPC listens on %s:%s", host, grpc.listen(host, settings.grpc_port))
    await grpc.start()
    return grpc


if __name__ == "__main__":
    sys.exit(main())
