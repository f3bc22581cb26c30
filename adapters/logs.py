"""What a process logs: one line a record on standard error, JSON for machines and text for people.

| variable | meaning |
|---|---|
| `CHAMBERLOG_LOG_FORMAT` | `json` or `text`; without it text on a terminal, JSON elsewhere |
| `CHAMBERLOG_LOG_LEVEL` | `debug`, `info` (the standard), `warning` or `error`, of chamberlog's own loggers |

Other libraries never log below `info`: what they say when they are debugged has headers and addresses in it.
"""

import logging
import math
import os
import re
import sys
from collections.abc import Iterator
from logging.handlers import RotatingFileHandler
from pathlib import Path
from types import TracebackType
from typing import Any, TextIO

from opentelemetry.trace import get_current_span
from pythonjsonlogger.core import RESERVED_ATTRS
from pythonjsonlogger.json import JsonFormatter

from collector.domain.errors import InvalidFieldError
from collector.domain.instants import iso

FORMAT, LEVEL = "CHAMBERLOG_LOG_FORMAT", "CHAMBERLOG_LOG_LEVEL"
JSON, TEXT = "json", "text"
LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}
OURS = (
    *("__main__", "activities", "adapters", "api", "bench", "chaos", "collector", "edge"),
    *("gateway", "simulator", "stack", "workers", "workflows"),
)
"""The loggers that `CHAMBERLOG_LOG_LEVEL` is about."""
FILE_LIMIT_BYTES = 10_000_000
"""Of a file that `log_to_file` writes; one old file is kept beside it."""
CORE = "temporal_log"
"""Where the SDK hangs what its core logged on a record; see `adapters.temporal_logs`."""
UNWANTED = frozenset({*RESERVED_ATTRS, CORE, "color_message"})
"""What `logging` and uvicorn keep in a record besides its fields."""
MASK = "***"
SECRETS = (
    (re.compile(r"(\w://)[^/\s\"'<>]{1,300}@"), rf"\1{MASK}@"),  # up to the last @: a password may have one
    (re.compile(r"\b(ch[a-z]_[0-9a-f]{12}_)[A-Za-z0-9_-]{8,}", re.ASCII), rf"\1{MASK}"),
    (re.compile(r"\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{16,}", re.IGNORECASE | re.ASCII), rf"\1 {MASK}"),
)
"""User and password of an address, chamberlog's own keys and tokens, credentials of a header: whoever quotes them by
mistake quotes no secret. What an answer of a device quotes is masked before it gets here."""


def start_logging(service: str) -> None:
    """Log to standard error as the environment says. Again: what was set before is replaced.

    Args:
        service: `service` of each line, such as `chamberlog-worker`; `OTEL_SERVICE_NAME` wins, as in telemetry.

    Raises:
        InvalidFieldError: a variable says what there is not.
    """
    handler, level = _StandardError(), LEVELS[_choice(LEVEL, tuple(LEVELS), "info")]
    handler.setFormatter(_formatter(service, TEXT if sys.stderr.isatty() else JSON))
    stop_logging()
    logging.getLogger().addHandler(handler)
    logging.getLogger().setLevel(max(level, logging.INFO))
    for name in OURS:
        logging.getLogger(name).setLevel(level)
    logging.captureWarnings(capture=True)
    sys.excepthook = _say_defect


def stop_logging() -> None:
    """Undo `start_logging`. Again: nothing happens."""
    root = logging.getLogger()
    for former in [handler for handler in root.handlers if isinstance(handler, _StandardError)]:
        root.removeHandler(former)
        root.setLevel(logging.WARNING)
        for name in OURS:
            logging.getLogger(name).setLevel(logging.NOTSET)
        logging.captureWarnings(capture=False)
        sys.excepthook = sys.__excepthook__


def log_to_file(name: str, path: Path, service: str) -> logging.Logger:
    """A logger that writes JSON to a bounded file and nowhere else: its process's terminal shows something else.

    Args:
        name: of the logger. Again with the same name: the former file is closed.
        path: made for its owner only, over `FILE_LIMIT_BYTES` set aside as `<name>.1`.
        service: of each line.
    """
    logger = logging.getLogger(name)
    for former in list(logger.handlers):
        logger.removeHandler(former)
        former.close()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(0o600)
    handler = RotatingFileHandler(path, maxBytes=FILE_LIMIT_BYTES, backupCount=1, encoding="utf-8", errors="replace")
    handler.setFormatter(JsonLines(service))
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False
    return logger


class _StandardError(logging.StreamHandler[TextIO]):
    """Writes to what standard error is at that moment."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)

    @property
    def stream(self) -> TextIO:  # type: ignore[override]  # the base class keeps the one that it was made with
        return sys.stderr


class JsonLines(JsonFormatter):
    """One JSON object a record.

    `timestamp` (RFC 3339, UTC, milliseconds), `level`, `logger`, `message`, `trace_id` and `span_id` in a sampled span,
    `service`, the record's own fields, and `exception` where there is one.
    """

    def __init__(self, service: str) -> None:
        super().__init__(json_ensure_ascii=False)
        self._service = os.environ.get("OTEL_SERVICE_NAME") or service

    def add_fields(self, log_data: dict[str, Any], record: logging.LogRecord, message_dict: dict[str, Any]) -> None:
        """See the class."""
        log_data["timestamp"] = instant_of(record)
        log_data["level"] = record.levelname.lower()
        log_data["logger"] = record.name
        log_data["message"] = masked(str(record.msg) if isinstance(record.msg, dict) else record.message)
        log_data.update(_trace())
        log_data["service"] = self._service
        log_data.update((name, value) for name, value in fields_of(record).items() if name not in log_data)
        if exception := message_dict.get("exc_info"):
            log_data["exception"] = masked(str(exception))

    def format(self, record: logging.LogRecord) -> str:
        """The line; half a character of UTF-16, which no stream takes, becomes its escape."""
        return super().format(record).encode("utf-8", "backslashreplace").decode()


class TextLines(logging.Formatter):
    """Instant, level, logger, message and fields on one line; an exception below it."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the base class's
        """The line without its exception."""
        fields = "".join(f" {name}={value}" for name, value in fields_of(record).items())
        text = "".join(c if c.isprintable() else repr(c)[1:-1] for c in f"{record.getMessage()}{fields}")
        return f"{instant_of(record)} {record.levelname} {record.name} {masked(text)}"

    def formatException(self, ei: Any) -> str:  # noqa: N802 - the base class's
        """A traceback without secrets."""
        return masked(super().formatException(ei))


def fields_of(record: logging.LogRecord) -> dict[str, Any]:
    """What was given by `extra=`, and the fields of a line of Temporal's core, without secrets."""
    own = {name: _plain(value) for name, value in vars(record).items() if name not in UNWANTED}
    core = getattr(record, CORE, None)
    if core is not None:
        own |= {f"temporal.core.{name}": _plain(value) for name, value in core.fields.items()}
    return own


def instant_of(record: logging.LogRecord) -> str:
    """When it was logged: RFC 3339, UTC, milliseconds."""
    return iso(int(record.created * 1000))


def masked(text: str) -> str:
    """The text with `***` for what looks like a credential."""
    for pattern, replacement in SECRETS:
        text = pattern.sub(replacement, text)
    return text


def _plain(value: Any) -> Any:
    """As JSON has it, which knows no infinity; anything else as its text."""
    if value is None or isinstance(value, bool | int) or (isinstance(value, float) and math.isfinite(value)):
        return value
    return masked(str(value))


def _say_defect(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """What ends the process is a line as well."""
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)
    else:
        logging.getLogger("__main__").critical("the process ends by a defect", exc_info=(kind, error, trace))


def _trace() -> Iterator[tuple[str, str]]:
    context = get_current_span().get_span_context()
    if context.trace_flags.sampled:
        yield "trace_id", f"{context.trace_id:032x}"
        yield "span_id", f"{context.span_id:016x}"


def _formatter(service: str, standard: str) -> logging.Formatter:
    return JsonLines(service) if _choice(FORMAT, (JSON, TEXT), standard) == JSON else TextLines()


def _choice(variable: str, choices: tuple[str, ...], standard: str) -> str:
    chosen = os.environ.get(variable, "").strip().lower() or standard
    if chosen not in choices:
        raise InvalidFieldError(variable, f"{chosen[:80]!r} is not known here", f"write {' or '.join(choices)}")
    return chosen
