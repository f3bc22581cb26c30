"""What keeps a collector that is away from filling a log, or from holding up a stop."""

import logging
import time
from contextlib import AsyncExitStack

import pytest

from adapters.telemetry import open_telemetry
from adapters.telemetry.ending import end_all
from adapters.telemetry.quiet import RARELY_S, Rarely, hush
from collector.domain.errors import InvalidFieldError


def record(message: str, name: str = "opentelemetry.exporter", *args: object) -> logging.LogRecord:
    return logging.LogRecord(name, logging.ERROR, __file__, 1, message, args, None)


def test_a_message_is_said_once_in_a_while_whatever_its_numbers() -> None:
    now_s = [100.0]
    rarely = Rarely(lambda: now_s[0])
    failed = [rarely.filter(record("Failed to export %s after %s", "x", "traces", n)) for n in range(50)]
    assert failed.count(True) == 1
    assert rarely.filter(record("Failed to export %s after %s", "y", "traces", 1)), "another logger's"
    assert rarely.filter(record("Queue full", "x"))
    now_s[0] += RARELY_S
    assert rarely.filter(record("Failed to export %s after %s", "x", "traces", 1))


def test_what_will_be_tried_again_is_not_worth_a_line() -> None:
    assert not Rarely().filter(record("Transient error %s, retrying in %.2fs", "x", "UNAVAILABLE", 1.0))


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("OTEL_EXPORTER_OTLP_LOGS_COMPRESSION", "zstd"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "x"),
        ("OTEL_ATTRIBUTE_COUNT_LIMIT", "-1"),
        ("OTEL_BSP_MAX_QUEUE_SIZE", "many"),
    ],
)
async def test_a_mistake_is_refused_by_the_name_of_its_variable(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv(variable, value)
    async with AsyncExitStack() as closing:
        with pytest.raises(InvalidFieldError) as caught:
            open_telemetry("chamberlog-worker", closing)
    assert caught.value.field == variable


def test_hushing_again_changes_nothing() -> None:
    logger = logging.getLogger("a.logger.of.this.test")
    for _ in range(3):
        hush([logger.name])
    assert len(logger.filters) == 1


async def test_ends_run_side_by_side() -> None:
    ended: list[int] = []

    def end(number: int) -> None:
        time.sleep(0.3)
        ended.append(number)

    began_s = time.monotonic()
    await end_all([lambda n=n: end(n) for n in range(5)])  # type: ignore[misc]
    assert sorted(ended) == [0, 1, 2, 3, 4]
    assert time.monotonic() - began_s < 1.2


async def test_who_does_not_end_is_given_up_and_the_log_says_so(caplog: pytest.LogCaptureFixture) -> None:
    began_s = time.monotonic()
    await end_all([lambda: time.sleep(1.5)], within_s=0.1)
    assert time.monotonic() - began_s < 1.0
    assert "given up" in caplog.text
