"""What a process logs: fields by value, one line a record, no secret in any."""

import json
import logging
import warnings
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from opentelemetry._logs import SeverityNumber
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON
from opentelemetry.trace import use_span

from adapters.logs import FORMAT, LEVEL, JsonLines, fields_of, log_to_file, masked, start_logging, stop_logging
from adapters.telemetry import OtelLogHandler, open_telemetry
from adapters.temporal_logs import NAME, core_logging
from collector.domain.errors import InvalidFieldError

KEY = "chl_00000000000a_" + "A" * 43
TOKEN = "chr_0123456789ab_" + "x-_9" * 10
Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Lines:
    """Logging has begun; what was logged since, decoded."""
    for name in (FORMAT, LEVEL, "OTEL_SERVICE_NAME"):
        monkeypatch.delenv(name, raising=False)
    start_logging("chamberlog-worker")
    return lambda: [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def record(message: str, *args: object, **extra: object) -> logging.LogRecord:
    """A record as a logger makes it at 2026-03-01T12:00:17.042Z."""
    made = logging.getLogger("workers").makeRecord("workers", logging.WARNING, "f", 1, message, args, None, extra=extra)
    made.created = 1_772_366_417.0421
    return made


def fail(why: str) -> None:
    raise ValueError(why)


def test_a_line_has_these_fields(lines: Lines) -> None:
    logging.getLogger("workers").handle(record("took over %d rounds", 3, **{"chamberlog.chamber": "c1", "n": 2.5}))
    assert lines() == [
        {
            "timestamp": "2026-03-01T12:00:17.042Z",
            "level": "warning",
            "logger": "workers",
            "message": "took over 3 rounds",
            "service": "chamberlog-worker",
            "chamberlog.chamber": "c1",
            "n": 2.5,
        }
    ]


@pytest.mark.parametrize(("sampler", "there"), [(ALWAYS_ON, True), (ALWAYS_OFF, False)])
def test_a_line_in_a_sampled_span_leads_to_its_trace(lines: Lines, sampler: Any, there: bool) -> None:
    span = TracerProvider(sampler=sampler).get_tracer("t").start_span("collect round")
    with use_span(span):
        logging.getLogger("workers").warning("in it")
    logging.getLogger("workers").warning("after it")
    inside, after = lines()
    context = span.get_span_context()
    wanted = (f"{context.trace_id:032x}", f"{context.span_id:016x}") if there else (None, None)
    assert (inside.get("trace_id"), inside.get("span_id")) == wanted
    assert not {"trace_id", "span_id"} & set(after)


def test_an_exception_is_one_line_with_its_trace(lines: Lines) -> None:
    try:
        fail("at postgresql://lab:geheim@db:5432/x\nand more")
    except ValueError:
        logging.getLogger("api").exception("met a bug")
    [line] = lines()
    assert line["message"] == "met a bug"
    assert line["exception"].startswith("Traceback (most recent call last):\n")
    assert line["exception"].endswith("ValueError: at postgresql://***@db:5432/x\nand more")


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("redis://:geheim@cache:6379/0 is away", "redis://***@cache:6379/0 is away"),
        ("postgresql://u:p@ss:w@rd@db:5432/x", "postgresql://***@db:5432/x"),
        ("postgresql://u:p@db/x,redis://v:w@cache/0", "postgresql://***@db/x,redis://***@cache/0"),
        (f"key {KEY} was refused", "key chl_00000000000a_*** was refused"),
        (TOKEN, "chr_0123456789ab_***"),
        ("Authorization: Bearer abcdefghijklmnop0123", "Authorization: Bearer ***"),
        ("authorization: basic bGFiOmdlaGVpbWdlaGVpbQ==", "authorization: basic ***"),
        (
            "the key 00000000000a of chl_ is basic authentication",
            "the key 00000000000a of chl_ is basic authentication",
        ),
        ("https://chamber.example/data?x=1", "https://chamber.example/data?x=1"),
    ],
)
def test_what_looks_like_a_credential_is_masked(lines: Lines, text: str, wanted: str) -> None:
    assert masked(text) == wanted
    logging.getLogger("api").warning("%s", text, extra={"what": text, "list": [text]})
    [line] = lines()
    assert (line["message"], line["what"], line["list"]) == (wanted, wanted, str([wanted]))


def test_what_json_has_no_word_for_is_text(lines: Lines) -> None:
    """A reader that keeps to the standard refuses NaN, and the whole line with it; an empty message is no document."""
    log = logging.getLogger("workers")
    log.warning("", extra={"skew": float("nan"), "far": float("inf"), "near": 0.5})
    log.warning({"rows": 3})
    first, second = lines()
    assert (first["message"], first["skew"], first["far"], first["near"]) == ("", "nan", "inf", 0.5)
    assert second["message"] == "{'rows': 3}"


def test_what_comes_from_outside_forges_no_line(lines: Lines) -> None:
    forged = 'x\n{"level": "info"}\r\x1b[2J'
    logging.getLogger("api").warning("%s", forged, extra={"level": "info", "who": forged})
    [line] = lines()
    assert (line["level"], line["who"], line["message"]) == ("warning", forged, forged)
    torn = JsonLines("x").format(record("%s", "half \ud800"))
    assert json.loads(torn.encode())["message"] == "half \ud800"


def test_text_is_for_people(lines: Lines, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv(FORMAT, "text")
    start_logging("chamberlog-worker")
    logging.getLogger("workers").handle(record("a\nb redis://:geheim@cache", **{"chamberlog.chamber": "c1"}))
    wanted = "2026-03-01T12:00:17.042Z WARNING workers a\\nb redis://***@cache chamberlog.chamber=c1\n"
    assert capsys.readouterr().err == wanted


def test_the_level_is_about_our_own_loggers(lines: Lines, monkeypatch: pytest.MonkeyPatch) -> None:
    for level in ("debug", "warning"):
        monkeypatch.setenv(LEVEL, level)
        start_logging("chamberlog-worker")
        for name in ("workers.polling", "collector", "httpcore.http11", "urllib3"):
            for method in ("debug", "info", "warning"):
                getattr(logging.getLogger(name), method)(level)
    told = [(line["message"], line["logger"], line["level"]) for line in lines()]
    ours, theirs = ("workers.polling", "collector"), ("httpcore.http11", "urllib3")
    at_debug = [("debug", name, said) for name in ours for said in ("debug", "info", "warning")]
    at_debug += [("debug", name, said) for name in theirs for said in ("info", "warning")]
    assert told == at_debug + [("warning", name, "warning") for name in (*ours, *theirs)]


@pytest.mark.parametrize("name", [FORMAT, LEVEL])
def test_a_wrong_setting_is_named(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "loud")
    with pytest.raises(InvalidFieldError) as caught:
        start_logging("x")
    assert (caught.value.field, "'loud'" in caught.value.problem) == (name, True)


def test_beginning_again_tells_nothing_twice_and_can_be_undone(lines: Lines) -> None:
    start_logging("chamberlog-api")
    logging.getLogger("api").warning("once")
    assert [line["service"] for line in lines()] == ["chamberlog-api"]
    before = len(logging.getLogger().handlers)
    stop_logging()
    stop_logging()
    assert len(logging.getLogger().handlers) == before - 1


def test_warnings_of_python_are_lines(lines: Lines) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn("careful", stacklevel=1)
    [line] = lines()
    assert (line["logger"], "careful" in line["message"]) == ("py.warnings", True)


def test_lines_of_temporal_s_core_are_lines(lines: Lines) -> None:
    forwarding = core_logging().forwarding
    assert forwarding is not None
    log = SimpleNamespace(
        target="temporal_client",
        message="gRPC call failed",
        level=logging.WARNING,
        time=1_772_366_417.042,
        fields={"n": 3},
    )
    forwarding._on_logs([log])
    [line] = lines()
    assert line["timestamp"] == "2026-03-01T12:00:17.042Z"
    assert (line["logger"], line["level"]) == (f"{NAME}-sdk_core::temporal_client", "warning")
    assert (line["message"], line["temporal.core.n"]) == ("gRPC call failed", 3)


def collecting() -> tuple[InMemoryLogRecordExporter, LoggerProvider]:
    """A provider whose records are kept."""
    exporter = InMemoryLogRecordExporter()  # type: ignore[no-untyped-call]  # it has no types
    provider = LoggerProvider(shutdown_on_exit=False)
    provider.add_log_record_processor(SimpleLogRecordProcessor(exporter))
    return exporter, provider


def test_the_same_record_goes_by_otlp() -> None:
    exporter, provider = collecting()
    handler, given = OtelLogHandler(provider), record("%s", KEY, **{"chamberlog.chamber": "c1", "none": None})
    span = TracerProvider(sampler=ALWAYS_ON).get_tracer("t").start_span("collect round")
    with use_span(span):
        handler.handle(given)
    handler.handle(logging.makeLogRecord({"name": "opentelemetry.exporter", "msg": "the collector is away"}))
    [sent] = [item.log_record for item in exporter.get_finished_logs()]
    assert (sent.body, sent.timestamp) == ("chl_00000000000a_***", int(1_772_366_417.0421 * 1e9))
    assert (sent.severity_text, sent.severity_number) == ("WARNING", SeverityNumber.WARN)
    assert dict(sent.attributes or {}) == {"chamberlog.chamber": "c1"}
    assert (sent.trace_id, sent.span_id) == (span.get_span_context().trace_id, span.get_span_context().span_id)
    assert [item.instrumentation_scope.name for item in exporter.get_finished_logs() if item.instrumentation_scope] == [
        "workers"
    ]
    provider.shutdown()


def test_an_exception_goes_by_otlp_by_its_standard_names() -> None:
    exporter, provider = collecting()
    logger = logging.getLogger("a test of its own")
    logger.addHandler(handler := OtelLogHandler(provider))
    try:
        fail(f"not with {KEY}")
    except ValueError:
        logger.exception("met a bug")
    logger.removeHandler(handler)
    [sent] = [item.log_record for item in exporter.get_finished_logs()]
    attributes = dict(sent.attributes or {})
    assert attributes["exception.type"] == "ValueError"
    assert attributes["exception.message"] == "not with chl_00000000000a_***"
    assert KEY not in str(attributes["exception.stacktrace"])
    assert (sent.severity_number, sent.trace_id) == (SeverityNumber.ERROR, 0)
    provider.shutdown()


async def test_records_are_handed_over_only_where_a_collector_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OTEL_EXPORTER_OTLP_ENDPOINT", raising=False)
    before = list(logging.getLogger().handlers)
    async with AsyncExitStack() as closing:
        open_telemetry("chamberlog-api", closing)
        assert logging.getLogger().handlers == before


def test_a_file_of_lines_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "logs" / "stack.log"
    logger = log_to_file("a stack of a test", path, "chamberlog-stack")
    [handler] = logger.handlers
    assert isinstance(handler, logging.handlers.RotatingFileHandler)
    assert (handler.maxBytes, handler.backupCount) == (10_000_000, 1)
    logger.info("part is up", extra={"chamberlog.part": "api"})
    logger = log_to_file("a stack of a test", path, "chamberlog-stack")
    logger.info("part is stopped")
    assert [json.loads(line)["message"] for line in path.read_text().splitlines()] == ["part is up", "part is stopped"]
    assert path.stat().st_mode & 0o077 == 0
    logger.handlers[0].close()
    logger.removeHandler(logger.handlers[0])


def test_fields_are_what_was_given() -> None:
    assert fields_of(record("x", a=1, b=None, c=("t",))) == {"a": 1, "b": None, "c": "('t',)"}
