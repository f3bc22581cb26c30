"""What the figures are measured against: the targets of the whole system, met, missed or not measured in a run."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from bench.mapping import MEASURE
from bench.workloads import CHAMBERLOG, FAST, LARGE, LONG, SECOND, SLOW, SMALL

Json = dict[str, Any]
COST_TO_QUEUE, LONG_COST_TO_QUEUE, COST_TO_NAIVE = 1.2, 1.0, 0.1
LATE_P50_MS, LATE_P99_MS = 5.0, 100.0
RATE_TO_QUEUE = 1.0
COST_OF_SIZE = 1.2
WORKER_KIB_PER_CHAMBER = 120.0
EVENTS = {SLOW: (11.5, "11"), FAST: (0.5, "under 0.5"), SECOND: (0.3, "under 0.3")}
"""Events of a reading are whole at 60 s but for the edges of the window."""
IMPORTED, IMPORT_S = 1_000, 180.0
MAPPING_US = 100.0
Row = Json
NOT_MEASURED = "not measured in this run"


def targets(report: Mapping[str, Any]) -> list[Row]:
    """Every target, in the order in which they are promised.

    Args:
        report: with `workloads`, `peers`, `rates`, `fleets` and `mappings` as `bench.report.document` has them.

    Returns:
        Objects of `figure`, `target`, `value`, `met` and `measured_on`. `value` and `met` are null for what this run
        did not measure.
    """
    fleets = {w["name"]: w for w in (*report["workloads"], *report["peers"])}
    return [
        *_costs(fleets),
        *_lateness(fleets),
        _rate({rate["system"]: rate for rate in report["rates"]}),
        _size(fleets),
        _memory(fleets),
        *(_events(fleets, name) for name in EVENTS),
        _import(report["fleets"]),
        _mapping(report["mappings"]),
    ]


def _costs(fleets: Mapping[str, Json]) -> list[Row]:
    wanted = (
        ("CPU per reading against BullMQ, default settings", (FAST, "bullmq"), COST_TO_QUEUE),
        ("CPU per reading against BullMQ, `round_span_s` 600", (LONG, "bullmq"), LONG_COST_TO_QUEUE),
        ("CPU per reading against the naive design", (FAST, "naive"), COST_TO_NAIVE),
    )
    return [_ratio(fleets, title, pair, limit) for title, pair, limit in wanted]


def _ratio(fleets: Mapping[str, Json], title: str, pair: Sequence[str], limit: float) -> Row:
    """Of the CPU per reading of the first fleet to the second's."""
    target = f"at most {limit:g}"
    if not all(name in fleets for name in pair):
        return _row(title, target)
    ours, theirs = (fleets[name] for name in pair)
    costs = [fleet["cpu_ms_per_reading"]["total"] for fleet in (ours, theirs)]
    value = round(costs[0] / costs[1], 3)
    where = f"{costs[0]:g} ms, {_fleet(ours)}; {costs[1]:g} ms, {_fleet(theirs)}"
    return _row(title, target, value, lambda v: v <= limit, where)


def _lateness(fleets: Mapping[str, Json]) -> list[Row]:
    p50, p99 = "lateness p50, ms", "lateness p99, ms"
    low, high = f"under {LATE_P50_MS:g}", f"under {LATE_P99_MS:g}"
    if FAST not in fleets:
        return [_row(p50, low), _row(p99, high), _row(p99, "at most BullMQ's")]
    fast = fleets[FAST]
    late, where = fast["lateness_ms"], f"{_fleet(fast)}, {fast['readings']['per_second']:g} readings/s"
    rows = [
        _row(p50, low, late["p50"], lambda v: v < LATE_P50_MS, where),
        _row(p99, high, late["p99"], lambda v: v < LATE_P99_MS, where),
    ]
    if "bullmq" not in fleets:
        return [*rows, _row(p99, "at most BullMQ's")]
    theirs = fleets["bullmq"]["lateness_ms"]["p99"]
    return [*rows, _row(p99, f"at most BullMQ's {theirs:g}", late["p99"], lambda v: v <= theirs, where)]


def _rate(rates: Mapping[str, Json]) -> Row:
    title, target = "highest rate of one worker process against BullMQ's", f"at least {RATE_TO_QUEUE:g}"
    if not {CHAMBERLOG, "bullmq"} <= set(rates) or not rates["bullmq"]["highest_readings_per_second"]:
        return _row(title, target)
    ours, theirs = (rates[system]["highest_readings_per_second"] for system in (CHAMBERLOG, "bullmq"))
    where = f"{ours:g} and {theirs:g} readings/s of chambers at {rates[CHAMBERLOG]['interval_s']} s"
    return _row(title, target, round(ours / theirs, 3), lambda v: v >= RATE_TO_QUEUE, where)


def _size(fleets: Mapping[str, Json]) -> Row:
    return _ratio(fleets, "CPU per reading of the large fleet against the small one", (LARGE, SMALL), COST_OF_SIZE)


def _memory(fleets: Mapping[str, Json]) -> Row:
    """The slope between the fleets that there are: the smaller one's worker has the same caches, only less full."""
    title = "worker memory per further chamber, KiB"
    target = f"at most {WORKER_KIB_PER_CHAMBER:g}"
    if not {FAST, LARGE} <= set(fleets) or fleets[FAST]["chambers"] >= fleets[LARGE]["chambers"]:
        return _row(title, target)
    pair = fleets[FAST], fleets[LARGE]
    (few, small), (many, large) = ((fleet["chambers"], _worker_kib(fleet)) for fleet in pair)
    value = round((large - small) / (many - few), 1)
    where = f"PSS at the end of the window: {small / 1024:.0f} MiB, {_fleet(pair[0])}; {large / 1024:.0f} MiB, "
    return _row(title, target, value, lambda v: v <= WORKER_KIB_PER_CHAMBER, where + _fleet(pair[1]))


def _worker_kib(fleet: Json) -> float:
    uses: dict[str, Json] = fleet["memory_bytes"]
    return float(sum(use["pss"] for name, use in uses.items() if name.split("-")[0] == "worker")) / 1024


def _events(fleets: Mapping[str, Json], name: str) -> Row:
    below, target = EVENTS[name]
    if name not in fleets:
        return _row(f"history events per reading, `{name}`", target)
    fleet = fleets[name]
    value = fleet["history"]["events_per_reading"]
    return _row(f"history events per reading, `{name}`", target, value, lambda v: v < below, _fleet(fleet))


def _import(fleets: Sequence[Json]) -> Row:
    title, target = f"import of {IMPORTED:,} chambers, s", f"under {IMPORT_S:g}"
    whole = [fleet for fleet in fleets if fleet["chambers"] >= IMPORTED]
    if not whole:
        return _row(title, target)
    seconds, count = whole[0]["import"]["seconds"], whole[0]["chambers"]
    where = f"`{whole[0]['name']}`, {count:,} chambers by one command"
    return _row(title, target, seconds, lambda v: v < IMPORT_S, where)


def _mapping(mappings: Sequence[Json]) -> Row:
    title, target = "mapping of an AirGradient answer, microseconds", f"under {MAPPING_US:g}"
    found = [answer for mapping in mappings for answer in mapping["answers"] if answer["profile"] == MEASURE]
    if not found:
        return _row(title, target)
    where = f"`{found[0]['answer']}`, {found[0]['bytes']} bytes, {found[0]['measurements']} measurements"
    return _row(title, target, found[0]["microseconds"], lambda v: v < MAPPING_US, where)


def _fleet(fleet: Json) -> str:
    return f"`{fleet['name']}` {fleet['chambers']:,} x {fleet['interval_s']} s"


def _row(
    figure: str,
    target: str,
    value: float | None = None,
    good: Callable[[float], bool] = bool,
    measured_on: str = NOT_MEASURED,
) -> Row:
    met = None if value is None else good(value)
    return {"figure": figure, "target": target, "value": value, "met": met, "measured_on": measured_on}
