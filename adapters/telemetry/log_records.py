"""Log records by OTLP: those that stand on standard error, with the same fields."""

import logging
import traceback

from opentelemetry._logs import LoggerProvider, LogRecord, SeverityNumber
from opentelemetry.context import Context, get_current
from opentelemetry.semconv.attributes import exception_attributes as names
from opentelemetry.trace import get_current_span

from adapters.logs import fields_of, masked

SEVERITIES = (
    (logging.CRITICAL, SeverityNumber.FATAL),
    (logging.ERROR, SeverityNumber.ERROR),
    (logging.WARNING, SeverityNumber.WARN),
    (logging.INFO, SeverityNumber.INFO),
)
SENDERS = frozenset({"opentelemetry", "grpc", "urllib3", "requests"})
"""The loggers of what sends: that a collector is away is nothing to send to it."""


class OtelLogHandler(logging.Handler):
    """Hands records over; they are sent in the background, and dropped once too many wait.

    The SDK's own handler is deprecated, and the one that takes its place knows no masks.

    Args:
        loggers: takes them.
    """

    def __init__(self, loggers: LoggerProvider) -> None:
        super().__init__()
        self._loggers = loggers

    def emit(self, record: logging.LogRecord) -> None:
        """Hand over one record, unless it is of what sends."""
        if record.name.partition(".")[0] in SENDERS:
            return
        try:
            self._loggers.get_logger(record.name).emit(otel_record(record))
        except Exception:  # noqa: BLE001 - as every handler of the standard library: no line may end its writer
            self.handleError(record)


def otel_record(record: logging.LogRecord) -> LogRecord:
    """The record as OTLP has it; with the span that it was logged in, if that is sampled."""
    sampled = get_current_span().get_span_context().trace_flags.sampled
    return LogRecord(
        timestamp=int(record.created * 1e9),
        context=get_current() if sampled else Context(),
        severity_text=record.levelname,
        severity_number=severity_of(record.levelno),
        body=masked(record.getMessage()),
        attributes={name: value for name, value in fields_of(record).items() if value is not None} | _exception(record),
    )


def severity_of(level: int) -> SeverityNumber:
    """The number of OpenTelemetry for a level of `logging`."""
    return next((number for floor, number in SEVERITIES if level >= floor), SeverityNumber.DEBUG)


def _exception(record: logging.LogRecord) -> dict[str, str]:
    if not record.exc_info or record.exc_info[0] is None:
        return {}
    kind, error, _ = record.exc_info
    return {
        names.EXCEPTION_TYPE: kind.__name__,
        names.EXCEPTION_MESSAGE: masked(str(error)),
        names.EXCEPTION_STACKTRACE: masked("".join(traceback.format_exception(*record.exc_info))),
    }
