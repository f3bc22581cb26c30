"""The end of what sends telemetry: it hands over what is left, and is not waited for when nobody takes it."""

import asyncio
import logging
import threading
from collections.abc import Callable, Sequence

END_S = 3.0
"""A collector that is there takes what is left within a fraction; one that is away must not hold up a stop."""
log = logging.getLogger(__name__)


async def end_all(ends: Sequence[Callable[[], object]], within_s: float = END_S) -> None:
    """Run what may wait for a server side by side, each in a thread that does not keep the process from ending.

    Args:
        ends: such as `TracerProvider.shutdown`, which by itself would try for half a minute.
        within_s: so long all of them are waited for; what is not handed over by then is lost, and the log says so.
    """
    threads = [threading.Thread(target=end, name="telemetry-end", daemon=True) for end in ends]
    for thread in threads:
        thread.start()
    loop = asyncio.get_running_loop()
    give_up = loop.time() + within_s
    while any(thread.is_alive() for thread in threads):
        if loop.time() > give_up:
            log.warning("the collector does not take what is left of the telemetry: it is given up")
            return
        await asyncio.sleep(0.02)
