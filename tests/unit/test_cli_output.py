"""What commands show: tables that fit, and how far a piece of work is."""

import io
import time

import pytest
from rich.console import Console

from cli.output import amount, print_fields, print_table
from cli.progress import DrawnBar, LineBar, counted, progress, waiting
from cli.tables import ANYWHERE, Fit, natural_width, parts_of

COLUMNS = ["id", "status", "url", "a", "b"]
WIDTHS = [10, 10, 30, 20, 20]


@pytest.mark.parametrize(
    ("available", "fit", "parts"),
    [
        (98, ANYWHERE, [[0, 1, 2, 3, 4]]),
        (97, ANYWHERE, [[0, 1, 2, 3], [0, 4]]),
        (97, Fit(spare=("url",)), [[0, 1, 3, 4]]),
        (97, Fit(texts=("url",)), [[0, 1, 2, 3, 4]]),
        (97, Fit(keys=2), [[0, 1, 2, 3], [0, 1, 4]]),
        (40, Fit(spare=("url", "b")), [[0, 1], [0, 3]]),
        (5, ANYWHERE, [[0, 1], [0, 2], [0, 3], [0, 4]]),
        (98, Fit(spare=("url",)), [[0, 1, 2, 3, 4]]),
    ],
)
def test_what_does_not_fit_is_left_out_or_put_below(available: int, fit: Fit, parts: list[list[int]]) -> None:
    assert natural_width(WIDTHS) == 98
    assert parts_of(COLUMNS, WIDTHS, available, fit) == parts


def test_a_pipe_gets_whole_lines(capsys: pytest.CaptureFixture[str]) -> None:
    url = "http://" + "x" * 300
    print_table(["id", "url [V]"], [["c1", url], ["c2", "[red]"]], amount(2, "chamber"))
    print_fields([("url", url)])
    out = capsys.readouterr().out
    assert [line.rstrip() for line in out.splitlines()] == [
        "id  url [V]",
        f"c1  {url}",
        "c2  [red]",
        "2 chambers",
        f"url  {url}",
    ]


def test_an_empty_table_has_its_headings(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(["id", "url"], [], amount(0, "batch", "batches"))
    assert capsys.readouterr().out.split() == ["id", "url", "0", "batches"]
    assert amount(1, "batch", "batches") == "1 batch"


def test_a_pipe_gets_a_line_now_and_then() -> None:
    lines: list[str] = []
    now_s = [0.0]
    bar = LineBar("importing", 100, lines.append, lambda: now_s[0])
    bar.advance()
    assert lines == [], "whatever is done within a moment says nothing"
    now_s[0] = 4
    bar.advance(19)
    bar.advance(20)
    assert lines == ["importing: 20 of 100, 5 a second\n"]
    now_s[0] = 20
    bar.reach(50, 200)
    assert lines[1:] == ["importing: 50 of 200, 2.5 a second\n"]
    now_s[0] = 40
    bar.note("4200 rows")
    assert lines[2:] == ["importing: 50 of 200, 4200 rows\n"]


def test_what_is_done_within_a_moment_shows_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with progress("importing", 3) as bar:
        bar.advance(3)
    with waiting("asking"):
        pass
    assert list(counted("reading", iter("abc"))) == ["a", "b", "c"]
    with progress("exporting", hidden=True) as bar:
        bar.note("9 rows")
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "")
    assert bar.text() == "exporting: 0, 9 rows"


def test_a_terminal_gets_a_bar_that_leaves_nothing_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    shown = io.StringIO()
    bar = DrawnBar("importing", 4, Console(file=shown, force_terminal=True, width=80))
    with bar.drawn:
        bar.advance(3)
        bar.drawn.refresh()
    text = shown.getvalue()
    assert "importing" in text
    assert "3/4" in text
    assert text.rstrip().endswith("\x1b[2K"), "the line is taken away at the end"


def test_only_one_sign_moves_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")  # rich takes it for a terminal
    with progress("importing", 10) as outer, progress("reading") as inner, waiting("asking"):
        time.sleep(0.7)
        outer.advance()
        inner.advance()
    assert (type(outer).__name__, type(inner).__name__) == ("DrawnBar", "Bar")
    with progress("again") as bar:
        assert type(bar).__name__ == "DrawnBar", "the terminal is free again"
