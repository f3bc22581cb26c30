"""Curves of climate that simulated devices replay: from CSV files, looping, at recorded or accelerated speed."""

import bisect
import csv
import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

CURVES = Path(__file__).parent / "curves"
"""Hand-made curves that ship with the product."""
LONGEST_STEP_S = 600.0
"""A hole in a recording is bridged in this time: there is nothing in it to replay."""
GOLDEN = 0.618033988749895
"""Multiples of it modulo 1 never come close to the one before: neighbouring answers always differ."""

TIME_COLUMNS = ("elapsed_s", "utc", "time")
COLUMNS = {
    "temperature_c": ("temperature_c", "Temp1Read", "V1"),
    "humidity_pct": ("humidity_pct", "HumRead", "V2"),
    "co2_ppm": ("co2_ppm", "V4"),  # a Memmert's CO2Read has steps of 1,000 ppm: too coarse to replay
    "pressure_hpa": ("pressure_hpa",),
}
"""Quantity -> the columns that hold it: of our own curves, of Memmert recordings, of office recordings."""
AMBIENT = {"temperature_c": 21.0, "humidity_pct": 45.0, "co2_ppm": 450.0, "pressure_hpa": 1013.2}
"""What is answered for a quantity that the curve does not hold."""
NOISE = {"temperature_c": 0.12, "humidity_pct": 0.6, "co2_ppm": 9.0, "pressure_hpa": 0.3}
"""Width of a sensor's noise, each in the unit of its quantity."""


class CurveError(ValueError):
    """A curve file cannot be replayed; the message names the file and the remedy."""


@dataclass(frozen=True, slots=True)
class Sample:
    """What the air is like at one instant: degrees Celsius, percent, parts per million, hectopascals."""

    temperature_c: float
    humidity_pct: float
    co2_ppm: float
    pressure_hpa: float


@dataclass(frozen=True, slots=True)
class Curve:
    """Values over time.

    Attributes:
        name: the file's, for people.
        times_s: seconds from the curve's start, rising, beginning with 0.
        values: quantity -> one value per instant; quantities that are not recorded are absent.
    """

    name: str
    times_s: Sequence[float]
    values: Mapping[str, Sequence[float]]

    @property
    def length_s(self) -> float:
        """After how many seconds the curve begins anew."""
        return self.times_s[-1]

    def at(self, position_s: float, serial: int) -> Sample:
        """The values at a position, taken modulo the length, with the noise of answer number `serial`."""
        position = position_s % self.length_s
        right = min(max(bisect.bisect_right(self.times_s, position), 1), len(self.times_s) - 1)
        before, after = self.times_s[right - 1], self.times_s[right]
        weight = (position - before) / (after - before)
        noise = serial * GOLDEN % 1.0 - 0.5
        return Sample(**{q: self._between(q, right, weight) + noise * NOISE[q] for q in COLUMNS})

    def _between(self, quantity: str, right: int, weight: float) -> float:
        column = self.values.get(quantity)
        if column is None:
            return AMBIENT[quantity]
        return column[right - 1] + (column[right] - column[right - 1]) * weight


def load_curve(path: Path) -> Curve:
    """Read a curve from CSV with a header; rows without temperature are left out.

    The time column is `elapsed_s` (seconds) or `utc` or `time` (ISO 8601); the others are listed in `COLUMNS`.

    Raises:
        CurveError: unreadable, a column is missing, or fewer than two rows have a temperature.
    """
    try:
        with path.open(newline="", encoding="utf-8") as file:
            reader = csv.DictReader(file)
            columns, time_column = _find_columns(path, reader.fieldnames or ())
            rows = [row for row in reader if row[columns["temperature_c"]]]
        return _curve(path.stem, rows, columns, time_column)
    except OSError as error:
        raise CurveError(f"series {path}: {error.strerror}; give the path of a readable CSV file") from None
    except (ValueError, TypeError) as error:
        raise error if isinstance(error, CurveError) else CurveError(f"series {path}: {error}") from None


def shipped_curves() -> list[Curve]:
    """The hand-made curves of the product, by name."""
    return [load_curve(path) for path in sorted(CURVES.glob("*.csv"))]


def _find_columns(path: Path, header: Sequence[str]) -> tuple[dict[str, str], str]:
    columns = {q: name for q, names in COLUMNS.items() for name in names if name in header}
    time_column = next((name for name in TIME_COLUMNS if name in header), None)
    if time_column is None or "temperature_c" not in columns:
        wanted = f"one of {', '.join(TIME_COLUMNS)} and one of {', '.join(COLUMNS['temperature_c'])}"
        raise CurveError(f"series {path}: its header has {', '.join(header) or 'nothing'}; it needs {wanted}")
    return columns, time_column


def _curve(name: str, rows: Sequence[Mapping[str, str]], columns: Mapping[str, str], time_column: str) -> Curve:
    if len(rows) < 2:
        raise CurveError(f"series {name}: fewer than two rows have a temperature")
    times = [_seconds(row[time_column]) for row in rows]
    values = {q: [_number(row[column]) for row in rows] for q, column in columns.items()}
    complete = {q: _filled(column) for q, column in values.items() if any(map(math.isfinite, column))}
    return Curve(name, _elapsed(times), complete)


def _seconds(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return datetime.fromisoformat(text).timestamp()


def _number(text: str) -> float:
    return float(text) if text else math.nan


def _filled(column: Sequence[float]) -> list[float]:
    """Holes take the value before them; leading ones the first value there is."""
    last = next(value for value in column if math.isfinite(value))
    filled = []
    for value in column:
        last = value if math.isfinite(value) else last
        filled.append(last)
    return filled


def _elapsed(times: Sequence[float]) -> list[float]:
    elapsed = [0.0]
    for before, after in itertools.pairwise(times):
        if after <= before:
            raise ValueError(f"time does not rise at {after:g}; sort the rows and remove doubled ones")
        elapsed.append(elapsed[-1] + min(after - before, LONGEST_STEP_S))
    return elapsed


@dataclass(frozen=True, slots=True)
class Playback:
    """One device's way through a curve. It hangs on the wall clock alone: a restart goes on where it would be.

    Attributes:
        curve: what is replayed.
        speed: curve seconds per second; 1 = as recorded.
        offset_s: so that devices with the same curve do not answer the same.
    """

    curve: Curve
    speed: float = 1.0
    offset_s: float = 0.0

    def at(self, now_s: float, serial: int) -> Sample:
        """The values at a wall clock instant, in seconds since the Unix epoch."""
        return self.curve.at(now_s * self.speed + self.offset_s, serial)
