"""What OpenTelemetry's SDK logs while a collector is away: once in a while, and not for each attempt."""

import logging
import time
from collections.abc import Callable, Iterable

EXPORTER = "opentelemetry.exporter.otlp.proto"
LOGGERS = (
    f"{EXPORTER}.grpc.exporter",
    f"{EXPORTER}.http._common",
    f"{EXPORTER}.http._log_exporter",
    f"{EXPORTER}.http.metric_exporter",
    f"{EXPORTER}.http.trace_exporter",
    "opentelemetry.exporter.http.transport",
    "opentelemetry.sdk._shared_internal",
    "opentelemetry.sdk.metrics._internal.export",
)
RARELY_S = 300.0
"""Whoever has the log open sees it, and a night without a collector is a hundred lines."""


class Rarely(logging.Filter):
    """Lets a message pass once in `RARELY_S`, whatever its numbers; what says that it will try again, never.

    Args:
        now_s: seconds, monotonic.
    """

    def __init__(self, now_s: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._now_s, self._said_s = now_s, dict[tuple[str, str], float]()

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether it is written."""
        if "retrying in" in str(record.msg):
            return False
        key, now_s = (record.name, str(record.msg)), self._now_s()
        last_s = self._said_s.get(key)
        if last_s is not None and now_s - last_s < RARELY_S:
            return False
        self._said_s[key] = now_s
        return True


def hush(names: Iterable[str] = LOGGERS) -> None:
    """Make these loggers speak rarely. Again: nothing changes."""
    for name in names:
        logger = logging.getLogger(name)
        if not any(isinstance(one, Rarely) for one in logger.filters):
            logger.addFilter(Rarely())
