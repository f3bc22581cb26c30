"""The formats of an export. A file appears under its name when it is whole; until then it is `NAME.part`."""

import csv
import io
import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Protocol, TextIO

from cli.export.rows import COLUMNS, Row
from cli.output import say
from collector.domain.errors import InvalidFieldError

CSV, JSONL, PARQUET = "csv", "jsonl", "parquet"
FORMATS = (CSV, JSONL, PARQUET)
ENDINGS: Mapping[str, str] = {".csv": CSV, ".jsonl": JSONL, ".ndjson": JSONL, ".parquet": PARQUET}
STANDARD_OUTPUT = Path("-")


class RowSink(Protocol):
    """Takes rows."""

    def write(self, rows: Sequence[Row]) -> None:
        """Some more rows."""
        ...

    def close(self) -> None:
        """No more come. Again: nothing happens."""
        ...


class CsvSink:
    """A row of headings, then a line for each row; lines end with a line feed."""

    def __init__(self, target: TextIO) -> None:
        self._target, self._writer = target, csv.writer(target, lineterminator="\n")
        self._writer.writerow(COLUMNS)

    def write(self, rows: Sequence[Row]) -> None:
        """Some more lines."""
        self._writer.writerows(rows)

    def close(self) -> None:
        """Hand on what is buffered."""
        self._target.flush()


class JsonLinesSink:
    """An object a line, with every column; what is empty is null."""

    def __init__(self, target: TextIO) -> None:
        self._target = target

    def write(self, rows: Sequence[Row]) -> None:
        """Some more lines."""
        for row in rows:
            self._target.write(json.dumps(dict(zip(COLUMNS, row, strict=True)), ensure_ascii=False) + "\n")

    def close(self) -> None:
        """Hand on what is buffered."""
        self._target.flush()


def format_of(file: Path, given: str | None) -> str:
    """The format, by the flag or by the file's ending; standard output is CSV unless the flag says otherwise.

    Raises:
        InvalidFieldError: field `format`.
    """
    to_output = file == STANDARD_OUTPUT
    kind = given or (CSV if to_output else ENDINGS.get(file.suffix.lower()))
    if kind not in FORMATS:
        problem = f"{given!r} is not one" if given else f"the name {str(file)[-80:]!r} does not tell it"
        raise InvalidFieldError("format", problem, f"give --format with one of: {', '.join(FORMATS)}")
    if to_output and kind == PARQUET:
        raise InvalidFieldError("format", "a Parquet file cannot be a stream", "name a file instead of -")
    return kind


@contextmanager
def opened(file: Path, kind: str) -> Iterator[RowSink]:
    """Somewhere to write rows; the file has its name once the body ended without an error.

    An earlier file of the name is replaced; what an interrupted export left as `NAME.part` too.

    Raises:
        InvalidFieldError: field `file`, when it cannot be written; field `format` without the library it needs.
    """
    make = _maker(kind)
    if file == STANDARD_OUTPUT:
        yield make(sys.stdout)
        return
    part = file.with_name(file.name + ".part")
    try:
        with _named_errors(file), part.open("wb") as target:
            yield from _filled(make, target, is_binary=kind == PARQUET)
        with _named_errors(file):
            part.replace(file)
    except InvalidFieldError:
        part.unlink(missing_ok=True)  # refused: there is nothing to look at
        raise
    except BaseException:
        if part.exists():
            say(f"{part} holds what came until then; an export cannot be continued: run it again")
        raise


def _filled(make: Callable[..., RowSink], target: BinaryIO, *, is_binary: bool) -> Iterator[RowSink]:
    stream = target if is_binary else io.TextIOWrapper(target, encoding="utf-8", newline="")
    sink = make(stream)
    try:
        yield sink
    finally:
        sink.close()  # after a failure too: what came until then can be looked at


def _maker(kind: str) -> Callable[..., RowSink]:
    if kind != PARQUET:
        return CsvSink if kind == CSV else JsonLinesSink
    try:
        from cli.export.parquet import ParquetSink  # noqa: PLC0415 - an extra that most people do not need
    except ImportError as error:
        remedy = "install the extra: pip install 'chamberlog[parquet]' (in a checkout: uv sync --extra parquet)"
        raise InvalidFieldError("format", f"Parquet needs pyarrow ({error})", remedy) from None
    return ParquetSink


@contextmanager
def _named_errors(file: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise InvalidFieldError("file", f"{file}: {error.strerror}", "name a file that can be written") from None
