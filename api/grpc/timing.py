"""How long calls take, for whoever measures them."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import grpc

from api.timing import EdgeMetrics
from collector.domain.access_table import of_grpc

if TYPE_CHECKING:  # generic for type checkers only
    Context = grpc.aio.ServicerContext[Any, Any]
else:
    Context = grpc.aio.ServicerContext

OTHER_METHOD = "_OTHER"
CODES = {code.value[0]: code.name for code in grpc.StatusCode}


class CallTimer:
    """One call, from its beginning; what is told first counts.

    Args:
        metrics: None = nobody measures.
        name: `/chamberlog.v1.Chambers/GetChamber`.
    """

    def __init__(self, metrics: EdgeMetrics | None, name: str) -> None:
        self._metrics, self._name = metrics, name
        self._begun_s = time.perf_counter()
        self._told = False

    def begun(self) -> None:
        """It streams from now on: how long that goes on is up to its caller."""
        self._tell("OK")

    def ended(self, context: Context, error: BaseException | None) -> None:
        """It ended like this."""
        self._tell("CANCELLED" if isinstance(error, asyncio.CancelledError) else _code(context))

    def _tell(self, code: str) -> None:
        if self._told or self._metrics is None:
            return
        self._told = True
        name = self._name.removeprefix("/") if of_grpc(self._name) is not None else OTHER_METHOD
        self._metrics.call(name, code, time.perf_counter() - self._begun_s)


@contextmanager
def timed(metrics: EdgeMetrics | None, name: str, context: Context) -> Iterator[CallTimer]:
    """Time a call for as long as the block lasts; see `CallTimer`."""
    timer, failed = CallTimer(metrics, name), None
    try:
        yield timer
    except BaseException as error:
        failed = error
        raise
    finally:
        timer.ended(context, failed)


def _code(context: Context) -> str:
    code: Any = context.code()  # the hints say one type, the library gives both
    return code.name if isinstance(code, grpc.StatusCode) else CODES.get(int(code or 0), "UNKNOWN")
