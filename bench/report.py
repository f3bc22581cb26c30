"""The report: one JSON object, and the same for people."""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

Json = dict[str, Any]
NOT_MEASURED = ("BullMQ job schedulers", "Temporal Schedules", "a naive Temporal workflow")
"""Peers that this bench is meant to measure beside the stack and does not yet."""


def document(facts: Mapping[str, Any], workloads: Sequence[Json]) -> Json:
    """The whole report.

    Args:
        facts: `date`, `machine`, `versions` and `settings`.
        workloads: from `bench.figures`.
    """
    costs = {w["name"]: w["cpu_ms_per_reading"]["total"] for w in workloads}
    first = next(iter(costs.values()), 0.0)
    return {
        "format": 1,
        **facts,
        "peers": {"measured": [], "not_measured": list(NOT_MEASURED)},
        "workloads": list(workloads),
        "ratios": {"cpu_per_reading_to_the_first_workload": {n: round(c / first, 2) for n, c in costs.items()}},
        "clean": not any(w["complaints"] for w in workloads),
    }


def write_report(folder: Path, report: Json) -> tuple[Path, Path]:
    """Write `bench.json` and `bench.md`, replacing those of an earlier run; answers with their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    files = folder / "bench.json", folder / "bench.md"
    files[0].write_text(json.dumps(report, indent=1) + "\n")
    files[1].write_text(markdown(report))
    return files


def markdown(report: Json) -> str:
    """The report for people."""
    machine, versions, settings = report["machine"], report["versions"], report["settings"]
    peers = ", ".join(report["peers"]["not_measured"])
    parts = [
        f"# Bench of {report['date']}\n",
        f"{machine['cpu']}, {machine['cores']} cores, {machine['memory_mib']} MiB, {machine['kernel']}.\n",
        f"Not in this report: {peers}.\n",
        *(_workload(workload) for workload in report["workloads"]),
        "## Versions\n",
        _table(("part", "version"), versions.items()),
        "## Settings\n",
        _table(("setting", "value"), settings.items()),
    ]
    return "\n".join(parts)


def _workload(w: Json) -> str:
    readings, history = w["readings"], w["history"]
    gaps = ", ".join(f"{count} {reason}" for reason, count in readings["gaps"].items()) or "none"
    state = "; ".join(w["complaints"]) or "clean: 0 unaccounted, 0 overdue"
    late, stored = w["lateness_ms"], w["database_bytes_per_reading"]
    rows = {
        "window": f"{w['window']['seconds']:g} s after {w['warm_up_s']:g} s of warm-up, {w['workers']} worker(s)",
        "audit": state,
        "readings": f"{readings['stored']} of {readings['expected']} slots, {readings['per_second']:g} a second",
        "gaps": gaps,
        "CPU per reading": f"{w['cpu_ms_per_reading']['total']:g} ms",
        "cores used by the stack": f"{w['ratios']['cores_used']:g}",
        "cores used by others": _others(w),
        "lateness p50 / p95 / p99 / max": " / ".join(f"{late[name]:g}" for name in ("p50", "p95", "p99", "max"))
        + " ms",
        "history events per reading": f"{history['events_per_reading']:g} ({history['activities']} activities ended)",
        "database bytes per reading": f"{stored['stored']:g} stored, {stored['written_ahead']:g} written ahead",
    }
    title = f"## {w['name']}: {w['chambers']} chambers at {w['interval_s']} s\n"
    return "\n".join([title, _table(("figure", "value"), rows.items()), _costs(w)])


def _others(w: Json) -> str:
    """What disturbed the measurement: a machine that is busy otherwise gives late and dear readings."""
    machine, seconds = w["machine_cpu_s"], w["window"]["seconds"]
    shares = {name: machine[name] / seconds for name in ("other", "apart", "steal")}
    return f"{shares['other']:.2f}, bench and devices {shares['apart']:.2f}, stolen by the host {shares['steal']:.2f}"


def _costs(w: Json) -> str:
    """One row a part: CPU, share, memory."""
    cost, above, idle = w["cpu_ms_per_reading"], w["cpu_ms_per_reading_above_idle"], w["idle_cpu_ms_per_second"]
    rows = [
        (name, cost[name], f"{share:.0%}", above[name], idle[name], *_memory(w["memory_bytes"], name))
        for name, share in sorted(w["ratios"]["share_of_cpu"].items(), key=lambda item: -item[1])
    ]
    rows.append(("total", cost["total"], "", above["total"], "", "", ""))
    rows += [(f"{n} (apart)", c, "", "", "", "", "") for n, c in w["apart_cpu_ms_per_reading"].items()]
    head = ("part", "CPU ms per reading", "share", "above idle", "idle ms a second", "RSS peak MiB", "PSS MiB")
    return _table(head, rows)


def _memory(memory: Mapping[str, Mapping[str, int]], part: str) -> tuple[str, str]:
    """Of a part; of all workers together."""
    uses = [use for name, use in memory.items() if name.split("-")[0] == part]
    return tuple(f"{sum(use[kind] for use in uses) / 2**20:.0f}" for kind in ("rss_peak", "pss"))  # type: ignore[return-value]


def _table(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines) + "\n"
