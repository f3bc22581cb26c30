"""From a measurement to figures: per reading, as shares, and what is wrong with them."""

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from bench.measure import Measurement, Used
from bench.running import DEVICES
from stack.api_client import rfc3339

APART = (DEVICES,)
"""Costs of the bench itself: never counted with the stack."""
Json = dict[str, Any]


def figures(measurement: Measurement, cores: int) -> Json:
    """One workload of the report; docs/bench.md explains each figure.

    Args:
        measurement: of a window with at least one reading.
        cores: of the machine.
    """
    m, stack = measurement, _parts(measurement.window)
    total = sum(stack.values())
    return {
        **_what(m),
        "readings": _readings(m),
        "cpu_ms_per_reading": _each(stack | {"total": total}, 1000 / m.readings.stored, 3),
        "cpu_ms_per_reading_above_idle": _above_idle(m),
        "idle_cpu_ms_per_second": _each(_parts(m.idle), 1000 / m.idle.seconds, 2),
        "apart_cpu_ms_per_reading": _each(_apart(m.window), 1000 / m.readings.stored, 3),
        "ratios": {
            "share_of_cpu": _each(stack, 1 / total, 3),
            "cores_used": round(total / m.window.seconds, 3),
            "of_the_machine": round(total / m.window.seconds / cores, 3),
        },
        "machine_cpu_s": machine_cpu_s(m.window, total),
        "lateness_ms": m.readings.lateness_ms,
        "memory_bytes": {name: {"rss_peak": use.rss_peak, "pss": use.pss} for name, use in m.memory.items()},
        **_bytes_and_events(m),
        "complaints": complaints(m),
    }


def complaints(measurement: Measurement) -> list[str]:
    """Why the window is not clean; empty when it is."""
    account, readings = measurement.account, measurement.readings
    doubled = readings.stored - readings.answers
    found = {
        f"{account.unaccounted} slots are unaccounted": account.unaccounted,
        f"{account.overdue} slots are overdue": account.overdue,
        f"{doubled} readings carry an answer that another one carries too": doubled,
        f"the audit counts {account.stored} readings, the database {readings.stored}": account.stored - readings.stored,
    }
    return [text for text, wrong in found.items() if wrong]


def _what(m: Measurement) -> Json:
    w, window = m.workload, m.window
    ends = {"from": rfc3339(window.span.from_ms), "to": rfc3339(window.span.to_ms)}
    return {
        "name": w.name,
        "chambers": w.chambers,
        "interval_s": w.interval_s,
        "round_span_s": w.round_span_s,
        "workers": w.workers,
        "warm_up_s": w.warm_up_s,
        "window": ends | {"seconds": round(window.seconds, 3)},
    }


def _bytes_and_events(m: Measurement) -> Json:
    stored, events = m.readings.stored, m.history.events
    return {
        "history": {
            "events": events,
            "activities": m.history.activities,
            "events_per_reading": round(events / stored, 3),
        },
        "database_bytes_per_reading": {
            "stored": round(m.grown.stored / stored, 1),
            "written_ahead": round(m.grown.written / stored, 1),
        },
    }


def _readings(m: Measurement) -> Json:
    return {
        "expected": m.account.expected,
        "stored": m.readings.stored,
        "per_second": round(m.readings.stored / m.window.seconds, 2),
        "gaps": dict(m.account.gaps),
        "unaccounted": m.account.unaccounted,
        "overdue": m.account.overdue,
        "answers_stored_twice": m.readings.stored - m.readings.answers,
    }


def _above_idle(m: Measurement) -> dict[str, float]:
    """What chambers add: a stack without any uses something too, which matters at few readings a second."""
    idle = _parts(m.idle)
    above = {name: used - idle[name] * m.window.seconds / m.idle.seconds for name, used in _parts(m.window).items()}
    return _each(above | {"total": sum(above.values())}, 1000 / m.readings.stored, 3)


def _parts(used: Used) -> dict[str, float]:
    """CPU seconds of the stack's parts; the workers together."""
    sums: defaultdict[str, float] = defaultdict(float)
    for name, seconds in used.cpu_s.items():
        if name not in APART:
            sums[name.split("-")[0]] += seconds
    return dict(sums)


def _apart(used: Used) -> dict[str, float]:
    return {name: used.cpu_s[name] for name in APART} | {"bench": used.own_s}


def machine_cpu_s(used: Used, stack_s: float) -> dict[str, float]:
    """CPU seconds of the whole machine; `other` is what nobody here accounts for: the kernel, and whatever else ran."""
    apart = sum(_apart(used).values())
    seconds = {"stack": stack_s, "apart": apart, "other": used.machine.busy_s - stack_s - apart}
    return _each(seconds | {"busy": used.machine.busy_s, "steal": used.machine.steal_s}, 1, 2)


def _each(values: Mapping[str, float], factor: float, digits: int) -> dict[str, float]:
    return {name: round(value * factor, digits) for name, value in values.items()}
