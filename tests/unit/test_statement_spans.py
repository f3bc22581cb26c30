"""Spans of statements: named by operation and tables, of the length that the driver measured, of their caller."""

import asyncpg
import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from opentelemetry.trace import NoOpTracerProvider, SpanKind, StatusCode

from adapters.postgres import events, history_queries, keys, organization_queries, outcome_queries, registry_queries
from adapters.postgres.watching import error_type
from adapters.telemetry.statements import OtelStatements, summary_of, tell_statements

NOW_NS = 1_795_910_400_000_000_000


@pytest.fixture
def exporter() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture
def provider(exporter: InMemorySpanExporter) -> TracerProvider:
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    return provider


@pytest.mark.parametrize(
    ("statement", "summary"),
    [
        (keys.FIND, "SELECT api_key"),
        (keys.NOTE_USE, "UPDATE api_key"),
        (events.ADD, "INSERT audit_event"),
        (registry_queries.FIND, "SELECT chamber schedule_epoch chamber_overview"),
        (registry_queries.SECTIONS, "SELECT section"),
        (history_queries.LATENESS, "SELECT reading chamber"),
        (outcome_queries.STORE_LIVE, "INSERT reading chamber detector_set"),
        (organization_queries.ADD_SECTION, "INSERT section"),
        ("BEGIN;", "BEGIN"),
        ("-- why\nCOMMIT;", "COMMIT"),
        ("SELECT extract(epoch FROM clock_timestamp())", "SELECT"),
        ("SELECT 1 FROM a JOIN b ON true JOIN c ON true JOIN d ON true", "SELECT a b c"),
        ("INSERT INTO t (a) VALUES ('FROM elsewhere')", "INSERT t"),
        ("", "_OTHER"),
    ],
)
def test_a_statement_is_named_by_operation_and_tables(statement: str, summary: str) -> None:
    assert summary_of(statement) == summary


def test_a_statement_is_a_child_of_who_asked(provider: TracerProvider, exporter: InMemorySpanExporter) -> None:
    tell = OtelStatements(provider, lambda: NOW_NS)
    with provider.get_tracer("test").start_as_current_span("request") as request:
        tell("SELECT secret FROM api_key WHERE id = 'hush'", 0.25, "")
    statement, _ = exporter.get_finished_spans()
    assert statement.parent == request.get_span_context()
    assert (statement.name, statement.kind, statement.status.status_code) == (
        "SELECT api_key",
        SpanKind.CLIENT,
        StatusCode.UNSET,
    )
    assert (statement.start_time, statement.end_time) == (NOW_NS - 250_000_000, NOW_NS)
    assert dict(statement.attributes or {}) == {
        "db.system.name": "postgresql",
        "db.operation.name": "SELECT",
        "db.query.summary": "SELECT api_key",
        "db.collection.name": "api_key",
    }


def test_a_failure_says_what_the_server_said(provider: TracerProvider, exporter: InMemorySpanExporter) -> None:
    tell = OtelStatements(provider)
    with provider.get_tracer("test").start_as_current_span("request"):
        tell("COMMIT", 0.1, error_type(asyncpg.SerializationError("could not serialize the secret")))
        tell("SELECT 1 FROM chamber", 5.0, error_type(TimeoutError()))
    commit, select, _ = exporter.get_finished_spans()
    assert (commit.attributes or {})["error.type"] == "40001"
    assert (select.attributes or {})["error.type"] == "TimeoutError"
    assert {span.status.status_code for span in (commit, select)} == {StatusCode.ERROR}
    assert commit.status.description is None


def test_outside_of_a_kept_span_and_for_a_begin_there_is_none(exporter: InMemorySpanExporter) -> None:
    dropping = TracerProvider(ALWAYS_OFF, shutdown_on_exit=False)
    dropping.add_span_processor(SimpleSpanProcessor(exporter))
    tell = OtelStatements(dropping)
    tell("SELECT 1 FROM chamber", 0.1, "")
    with dropping.get_tracer("test").start_as_current_span("request"):
        tell("SELECT 1 FROM chamber", 0.1, "")
    keeping = TracerProvider(shutdown_on_exit=False)
    with keeping.get_tracer("test").start_as_current_span("request"):
        OtelStatements(dropping)("BEGIN;", 0.1, "")
    assert exporter.get_finished_spans() == ()


def test_a_process_that_traces_nothing_is_told_nothing() -> None:
    assert tell_statements(NoOpTracerProvider()) is None
