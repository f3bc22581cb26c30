"""`chamberlog export` against a real HTTP server: rows, their order, formats, and what a failure leaves behind."""

import csv
import io
import json
import tracemalloc
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq  # type: ignore[import-untyped]  # it ships no types
import pytest

from cli.export.parquet import GROUP_ROWS, ParquetSink
from cli.export.rows import COLUMNS
from collector.domain.instants import parse_iso
from tests.contract.api_documents import CHAMBER, GAP
from tests.contract.scripted_api import Api, Run, Seen

HEADINGS = "slot,requested_at,received_at,observed_at,stored_at,detector,value,unit,quality"
SPAN = ("--from", "2026-03-01", "--to", "2026-03-02")


def line(minute: int, detector: str, value: str = "37.02", quality: str = "good") -> str:
    slot = f"2026-03-01T12:{minute:02}:17.000Z"
    return f"{slot},{slot[:-4]}002Z,{slot[:-4]}093Z,,2026-03-01T12:59:00.000Z,{detector},{value},Cel,{quality}"


class Ledger:
    """Readings in two pages, and gaps, of two chambers."""

    def __init__(self, api: Api) -> None:
        self.api = api
        api.answers["GET", "/v1/chambers"] = self._chambers
        self.serve("c1", [line(1, "temperature"), line(1, "co2", "", "missing")], [line(3, "temperature", "-0.5")])
        self.serve("c2", [], [])
        self.gaps("c1", {**GAP, "first_slot": "2026-03-01T12:02:17.000Z", "last_slot": None, "slots": 10})
        self.gaps("c2")

    def serve(self, chamber: str, first: list[str], second: list[str]) -> None:
        def page(seen: Seen) -> tuple[int, str, dict[str, str]]:
            is_last = "cursor" in seen.query
            following = {} if is_last else {"Link": f'<{seen.path}?cursor=b>; rel="next"'}
            rows = second if is_last else first
            return 200, "\r\n".join([HEADINGS, *rows]) + "\r\n", {"Content-Type": "text/csv", **following}

        self.api.answers["GET", f"/v1/chambers/{chamber}/readings"] = page

    def gaps(self, chamber: str, *gaps: dict[str, Any]) -> None:
        self.api.answer_pages(f"/v1/chambers/{chamber}/gaps", [[*gaps]])

    def _chambers(self, seen: Seen) -> tuple[int, Any, dict[str, str]]:
        is_retired = seen.query.get("status") == "retired"
        items = [{**CHAMBER, "id": name} for name in (["c2"] if is_retired else ["c1"])]
        return 200, {"items": items, "next_cursor": None}, {}


@pytest.fixture
def ledger(api: Api) -> Ledger:
    return Ledger(api)


EXPECTED: list[dict[str, Any]] = [
    {"kind": "reading", "slot": "2026-03-01T12:01:17.000Z", "detector": "temperature", "value": 37.02},
    {"kind": "reading", "slot": "2026-03-01T12:01:17.000Z", "detector": "co2", "value": None, "quality": "missing"},
    {"kind": "gap", "slot": "2026-03-01T12:02:17.000Z", "last_slot": None, "slots": 10, "reason": "paused"},
    {"kind": "reading", "slot": "2026-03-01T12:03:17.000Z", "detector": "temperature", "value": -0.5},
]


def of_interest(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    assert all(tuple(row) == COLUMNS for row in rows)
    assert {row["chamber"] for row in rows} == {"c1"}
    return [{name: row[name] for name in wanted} for row, wanted in zip(rows, EXPECTED, strict=True)]


def test_json_lines_have_every_column_by_slot(ledger: Ledger, run: Run) -> None:
    code, out, err = run("export", "--format", "jsonl", *SPAN)
    assert code == 0, err
    assert of_interest([json.loads(row) for row in out.splitlines()]) == EXPECTED
    assert "3 measurements and 1 gap of 2 chambers" in err
    asked = [
        seen.query
        for seen in ledger.api.seen
        if seen.path.endswith(("readings", "gaps")) and not seen.query.get("cursor")
    ]
    assert {(query["from"], query["to"]) for query in asked} == {
        ("2026-03-01T00:00:00.000Z", "2026-03-02T00:00:00.000Z")
    }


def test_csv_leaves_empty_what_is_not_there(ledger: Ledger, run: Run) -> None:
    code, out, err = run("export", *SPAN)
    assert code == 0, err
    assert "\r" not in out
    first, *rows = csv.reader(io.StringIO(out))
    assert tuple(first) == COLUMNS
    found = [dict(zip(COLUMNS, row, strict=True)) for row in rows]
    assert of_interest(found) == [
        {name: "" if value is None else str(value) for name, value in row.items()} for row in EXPECTED
    ]
    assert (found[0]["requested_at"], found[0]["observed_at"]) == ("2026-03-01T12:01:17.002Z", "")
    assert (found[2]["stored_at"], found[2]["detail"]) == (GAP["recorded_at"], "door service")


def test_parquet_has_instants_and_numbers(ledger: Ledger, run: Run) -> None:
    code, out, err = run("export", "day.parquet", *SPAN, "--json")
    assert code == 0, err
    summary = json.loads(out)
    assert (summary["chambers"], summary["measurements"], summary["gaps"]) == (2, 3, 1)
    table = pq.read_table("day.parquet")
    assert table.column_names == [*COLUMNS]
    types = {name: str(table.schema.field(name).type) for name in ("slot", "stored_at", "value", "slots", "detector")}
    assert types == {
        "slot": "timestamp[ms, tz=UTC]",
        "stored_at": "timestamp[ms, tz=UTC]",
        "value": "double",
        "slots": "int64",
        "detector": "string",
    }
    rows = table.to_pylist()
    assert rows[0]["slot"] == datetime(2026, 3, 1, 12, 1, 17, tzinfo=UTC)
    assert [row["value"] for row in rows] == [37.02, None, None, -0.5]
    assert rows[2]["last_slot"] is None
    assert not Path("day.parquet.part").exists()


def test_a_parquet_file_of_many_rows_has_them_all_in_groups() -> None:
    target = io.BytesIO()
    sink = ParquetSink(target)
    row = ("reading", "c1", "2026-03-01T12:00:00.000Z", *[None] * (len(COLUMNS) - 3))
    for _ in range(3):
        sink.write([row] * (GROUP_ROWS // 2))
    sink.close()
    found = pq.ParquetFile(target)
    assert (found.metadata.num_rows, found.num_row_groups) == (GROUP_ROWS * 3 // 2, 2)


def test_an_export_of_nothing_is_a_whole_file(ledger: Ledger, run: Run) -> None:
    for name in ("day.csv", "day.parquet"):
        assert run("export", name, "--chamber", "c2", *SPAN)[0] == 0
    assert Path("day.csv").read_text() == ",".join(COLUMNS) + "\n"
    assert pq.read_table("day.parquet").num_rows == 0


def test_without_a_range_it_is_the_last_day_by_one_clock(ledger: Ledger, run: Run) -> None:
    assert run("export")[0] == 0
    spans = {(s.query["from"], s.query["to"]) for s in ledger.api.seen if "from" in s.query}
    [(start, end)] = spans
    assert parse_iso(end) - parse_iso(start) == 86_400_000


def test_chambers_of_a_section_are_asked_for_with_retired_ones(ledger: Ledger, run: Run) -> None:
    assert run("export", "--section", "cold", *SPAN)[0] == 0
    listed = [seen.query for seen in ledger.api.seen if seen.path == "/v1/chambers"]
    assert [(query["section"], query.get("status")) for query in listed] == [("cold", None), ("cold", "retired")]


def stays(api: Api, *found: tuple[str, str, str | None]) -> None:
    """When which chamber stood in the section of the batch, in minutes of an hour."""
    at = "2026-03-01T12:{}:00.000Z".format
    items = [{"chamber": c, "from": at(start), "to": None if end is None else at(end)} for c, start, end in found]
    api.answer_pages("/v1/batches/CHO-17.2/chambers", [items])


def asked(api: Api, part: str) -> list[tuple[str, str, str]]:
    """Whose readings or gaps were asked for, first pages only, from when to when."""
    return [
        (seen.path.split("/")[3], seen.query["from"][14:16], seen.query["to"][14:16])
        for seen in api.seen
        if seen.path.endswith(part) and "cursor" not in seen.query
    ]


def test_a_batch_is_each_chamber_for_the_time_that_it_stood_there(ledger: Ledger, run: Run) -> None:
    stays(ledger.api, ("c1", "00", "04"), ("c1", "10", "20"), ("c2", "05", None))
    code, out, err = run("export", "--batch", "CHO-17.2", "--to", "2026-03-01T12:30:00Z", "--format", "jsonl")
    assert code == 0, err
    assert {json.loads(row)["kind"] for row in out.splitlines()} == {"reading", "gap"}
    assert "of 2 chambers" in err
    expected = [("c1", "00", "04"), ("c1", "10", "20"), ("c2", "05", "30")]
    assert asked(ledger.api, "/readings") == expected
    assert asked(ledger.api, "/gaps") == expected


def test_of_a_batch_a_range_and_a_chamber_can_be_chosen(ledger: Ledger, run: Run) -> None:
    stays(ledger.api, ("c1", "00", "04"), ("c1", "10", "20"), ("c2", "05", None))
    span = ("--from", "2026-03-01T12:02:00Z", "--to", "2026-03-01T12:10:00Z")
    assert run("export", "--batch", "CHO-17.2", "--chamber", "c1", *span)[0] == 0
    assert asked(ledger.api, "/gaps") == [("c1", "02", "04")]
    code, _, err = run("export", "--batch", "CHO-17.2", "--chamber", "c9", *span)
    assert (code, "error: chamber: 'c9' did not stand in the section of the batch" in err) == (4, True), err


def test_a_detector_that_only_some_chambers_have(ledger: Ledger, run: Run) -> None:
    unknown = {"field": "detector", "problem": "there is no detector 'pH'", "remedy": "detectors of this chamber: co2"}
    ledger.api.refuse("GET", "/v1/chambers/c2/readings", 422, unknown)
    code, _, err = run("export", "day.csv", "--detector", "pH", *SPAN)
    assert (code, "no detector 'pH' in 1 chamber" in err) == (0, True), err
    code, _, err = run("export", "day2.csv", "--chamber", "c2", "--detector", "pH", *SPAN)
    assert (code, "error: detector: no chamber has a detector 'pH'" in err) == (4, True), err
    assert not any(Path(name).exists() for name in ("day2.csv", "day2.csv.part"))


def test_a_file_appears_when_it_is_whole(ledger: Ledger, run: Run) -> None:
    Path("day.csv").write_text("of yesterday\n")
    ledger.api.refuse("GET", "/v1/chambers/c2/gaps", 503)
    code, _, err = run("export", "day.csv", *SPAN)
    assert code == 6
    assert "day.csv.part holds what came until then; an export cannot be continued" in err
    assert Path("day.csv").read_text() == "of yesterday\n"
    assert Path("day.csv.part").read_text().startswith("kind,chamber")
    ledger.gaps("c2")
    assert run("export", "day.csv", *SPAN)[0] == 0
    assert Path("day.csv").read_text().startswith("kind,chamber")
    assert not Path("day.csv.part").exists()


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (("day.xlsx",), "error: format: the name 'day.xlsx' does not tell it"),
        (("day.csv", "--format", "xml"), "error: format: 'xml' is not one"),
        (("--format", "parquet"), "error: format: a Parquet file cannot be a stream"),
        (("--section", "cold", "--chamber", "c1"), "error: section: it stands beside --chamber or --batch"),
        (("--json",), "error: json: the table takes standard output"),
        (("gone/day.csv",), "error: file: gone/day.csv: No such file"),
        (("--from", "soon"), "error: from: 'soon' is not a time"),
    ],
)
def test_what_cannot_be_exported_is_named(ledger: Ledger, run: Run, argv: tuple[str, ...], words: str) -> None:
    code, out, err = run("export", *argv)
    assert (code, out, words in err) == (4, "", True), err
    assert "remedy: " in err


def test_an_unknown_chamber_is_not_found(ledger: Ledger, run: Run) -> None:
    assert run("export", "--chamber", "gone", *SPAN)[0] == 3


def test_memory_does_not_grow_with_the_range(ledger: Ledger, run: Run) -> None:
    rows = [line(n % 60, f"detector_{n}") for n in range(3_000)]

    def page_of(pages: int, seen: Seen) -> tuple[int, str, dict[str, str]]:
        number = int(seen.query.get("cursor", "0"))
        more = {"Link": f'<{seen.path}?cursor={number + 1}>; rel="next"'} if number + 1 < pages else {}
        return 200, "\r\n".join([HEADINGS, *rows]) + "\r\n", {"Content-Type": "text/csv", **more}

    ledger.api.answers["GET", "/v1/chambers/c2/readings"] = partial(page_of, 1)
    assert (
        run("export", "little.csv", "--chamber", "c2", *SPAN)[0] == 0
    )  # what is loaded with the first export is no growth
    ledger.api.answers["GET", "/v1/chambers/c2/readings"] = partial(page_of, 40)
    tracemalloc.start()
    try:
        code, _, err = run("export", "much.csv", "--chamber", "c2", *SPAN)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert (code, "120000 measurements" in err) == (0, True), err
    size = Path("much.csv").stat().st_size
    assert size > 15_000_000
    assert peak < size / 2, "a few pages, those of the server in this process included"
