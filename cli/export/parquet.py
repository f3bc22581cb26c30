"""Parquet, with real instants and numbers; needs the extra `parquet`."""

from collections.abc import Sequence
from datetime import datetime
from typing import BinaryIO

import pyarrow as pa  # type: ignore[import-untyped]  # it ships no types
import pyarrow.parquet as pq  # type: ignore[import-untyped]

from cli.export.rows import COLUMNS, Row

GROUP_ROWS = 25_000
"""Rows that are kept in memory; a reader that wants a part of the file skips groups."""
INSTANT = pa.timestamp("ms", tz="UTC")
INSTANTS = frozenset({"slot", "last_slot", "requested_at", "received_at", "observed_at", "stored_at"})
TYPES = dict.fromkeys(COLUMNS, pa.string()) | dict.fromkeys(INSTANTS, INSTANT)
TYPES |= {"slots": pa.int64(), "value": pa.float64()}
SCHEMA = pa.schema([pa.field(name, TYPES[name], nullable=name not in ("kind", "chamber", "slot")) for name in COLUMNS])


class ParquetSink:
    """Writes rows in groups."""

    def __init__(self, target: BinaryIO) -> None:
        self._writer = pq.ParquetWriter(target, SCHEMA, compression="zstd")
        self._rows: list[Row] = []

    def write(self, rows: Sequence[Row]) -> None:
        """Some more rows; they are in the file once their group is full."""
        self._rows += rows
        if len(self._rows) >= GROUP_ROWS:
            self._write_group()

    def close(self) -> None:
        """Write what is left, and the end of the file, without which nobody can read it."""
        self._write_group()
        self._writer.close()

    def _write_group(self) -> None:
        if not self._rows:
            return
        columns = zip(*self._rows, strict=True)
        arrays = [pa.array(_values(name, cells), TYPES[name]) for name, cells in zip(COLUMNS, columns, strict=True)]
        self._writer.write_table(pa.Table.from_arrays(arrays, schema=SCHEMA))
        self._rows = []


def _values(name: str, cells: Sequence[object]) -> Sequence[object]:
    if name not in INSTANTS:
        return cells
    return [None if cell is None else datetime.fromisoformat(str(cell)) for cell in cells]
