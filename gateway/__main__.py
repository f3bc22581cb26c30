"""`python -m gateway`: answer Envoy's questions until a signal ends it."""

import sys
from contextlib import AsyncExitStack

import uvicorn

from collector.domain.errors import InvalidFieldError
from gateway.bootstrap import (
    SERVICE,
    SignalledServer,
    build_app,
    listening,
    load_settings,
    make_runner,
    shown,
    start_logging,
)
from gateway.settings import AuthzSettings

GRACE_S = 5
"""An answer takes milliseconds; one that waits for PostgreSQL as long as the gateway has patience for it."""
EXIT_SETTINGS = 2


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
                runner.run(_rehearse(settings))
            sys.stdout.write(f"authz: settings are fine: {shown(settings)}\n")
            return 0
        with make_runner() as runner:
            runner.run(_serve(settings))
    except InvalidFieldError as error:
        sys.stderr.write(f"{error}\n")
        return EXIT_SETTINGS
    return 0


async def _rehearse(settings: AuthzSettings) -> None:
    async with AsyncExitStack() as closing:
        build_app(settings, closing)


async def _serve(settings: AuthzSettings) -> None:
    async with AsyncExitStack() as closing:
        config = uvicorn.Config(
            build_app(settings, closing),
            access_log=False,
            lifespan="off",
            log_config=None,
            proxy_headers=False,  # the caller's address comes in a header of the gateway's own
            server_header=False,
            timeout_graceful_shutdown=GRACE_S,
        )
        with listening(settings.authz_host, settings.authz_port, "CHAMBERLOG_AUTHZ") as listener:
            await SignalledServer(config).serve(sockets=[listener])


if __name__ == "__main__":
    sys.exit(main())
