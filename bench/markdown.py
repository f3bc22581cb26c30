"""The report for people."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

Json = dict[str, Any]
MET = {True: "met", False: "**missed**", None: "not measured"}
PERCENTILES = ("p50", "p95", "p99", "max")
MIB = 2**20


def markdown(report: Json) -> str:
    """The whole report: the targets first."""
    machine = report["machine"]
    parts = [
        f"# Bench of {report['date']}\n",
        f"{machine['cpu']}, {machine['cores']} cores, {machine['memory_mib']} MiB, {machine['kernel']}.\n",
        "## Targets\n",
        _targets(report["targets"]),
        *_not_measured(report),
        *([_costs(report)] if report["workloads"] or report["peers"] else []),
        *([_kills(report["kills"])] if report["kills"] else []),
        *map(_rate, report["rates"]),
        *map(_fleet, report["fleets"]),
        *map(_mapping, report["mappings"]),
        *map(_gateway, report["gateways"]),
        *map(_workload, report["workloads"]),
        *map(_peer, report["peers"]),
        "## Versions\n",
        table(("part", "version"), report["versions"].items()),
        "## Settings\n",
        table(("setting", "value"), report["settings"].items()),
    ]
    return "\n".join(parts)


def table(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """A table of Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines) + "\n"


def _targets(rows: Sequence[Json]) -> str:
    head = ("figure", "target", "value", "", "measured on")
    shown = (
        (r["figure"], r["target"], "" if r["value"] is None else f"{r['value']:g}", MET[r["met"]], r["measured_on"])
        for r in rows
    )
    return table(head, shown)


def _not_measured(report: Json) -> list[str]:
    failed = [(name, reason.replace("\n", " ").replace("|", "/")) for name, reason in report["failed"].items()]
    busy, left_out = ", ".join(report["busy_at_the_begin"]), ", ".join(report["left_out"])
    return [
        *([f"The machine was busy with something else when these began: {busy}.\n"] if busy else []),
        *([f"Left out of this run: {left_out}.\n"] if left_out else []),
        *(["## Not measured\n", table(("part", "why"), failed)] if failed else []),
    ]


def _costs(report: Json) -> str:
    """All fleets side by side."""
    parts = ("worker", "temporal", "postgres", "valkey", "api")
    ratios = report["ratios"]["cpu_per_reading_to_fast"]
    rows = []
    for fleet in (*report["workloads"], *report["peers"]):
        costs, late = fleet["cpu_ms_per_reading"], fleet["lateness_ms"]
        rows.append(
            (
                f"{fleet['name']} {fleet['chambers']:,} x {fleet['interval_s']} s",
                *(f"{costs[part]:g}" if part in costs else "" for part in parts),
                f"{costs['total']:g}",
                ratios.get(fleet["name"], ""),
                _late(late, ("p50", "p99")),
            )
        )
    head = ("CPU ms per reading", *parts, "all", "to fast", "lateness p50 / p99")
    return "## What a reading costs\n\n" + table(head, rows)


def _kills(kills: Sequence[Json]) -> str:
    rows = [
        (
            f"{k['title']} {k['chambers']} x {k['interval_s']} s",
            f"{k['worker_down_s']:g} s",
            k["expected"],
            k["stored"],
            _counts(k["gaps"]),
            k["lost_silently"],
            k["doubled"],
            k["late"],
            f"{k['longest_silence_s']:g} s",
        )
        for k in kills
    ]
    head = ("system", "worker away", "slots", "stored", "gaps", "lost silently", "doubled", "late", "longest silence")
    return "## A worker is killed\n\n" + table(head, rows)


def _rate(rate: Json) -> str:
    title = f"## Highest rate: {rate['system']}, chambers at {rate['interval_s']} s\n"
    words = f"{rate['highest_readings_per_second']} readings a second. The limit: {rate['limit']}.\n"
    rows = [
        (
            step["readings_per_second"],
            _late(step["lateness_ms"], PERCENTILES),
            f"{step['slots']['missing']} of {step['slots']['expected']}",
            f"{step['machine_cores']:g}",
            f"{step['cores']['worker']:g}",
            "yes" if step["passed"] else "no",
        )
        for step in rate["steps"]
    ]
    head = ("readings a second", "lateness p50 / p95 / p99 / max", "missing", "cores of all", "of the worker", "passed")
    return "\n".join([title, words, table(head, rows)])


def _fleet(f: Json) -> str:
    imported, audit = f["import"], f["audit"]
    asked = {name: f"{ms['p50']:g} / {ms['max']:g} ms" for name, ms in f["requests_ms"].items()}
    rows = {
        "import by the command": f"{imported['seconds']:g} s, {imported['per_second']:g} chambers a second",
        "the same import again": f"{imported['again_seconds']:g} s",
        **{f"request: {name}, p50 / max": shown for name, shown in asked.items()},
        **{f"command: {name}": f"{seconds:g} s" for name, seconds in f["commands_s"].items()},
        "audit": "; ".join(f["complaints"]) or f"{audit['stored']} of {audit['expected']} slots stored, 0 unaccounted",
    }
    title = f"## {f['name']}: {f['chambers']:,} chambers at {f['interval_s']} s by the command line\n"
    return "\n".join([title, table(("figure", "value"), rows.items())])


def _mapping(mapping: Json) -> str:
    columns = ("profile", "decoder", "answer", "bytes", "measurements", "microseconds", "to_airgradient")
    rows = [[answer[column] for column in columns] for answer in mapping["answers"]]
    return "## Mapping of one answer\n\n" + table((*columns[:-1], "to AirGradient's"), rows)


def _gateway(g: Json) -> str:
    rows = [(name, *(g[way][name] for way in ("direct_ms", "gateway_ms", "ratio"))) for name in g["ratio"]]
    title = f"## `GET {g['path']}` through the gateway, {g['requests']:,} requests each way\n"
    return "\n".join([title, table(("latency", "directly, ms", "through the gateway, ms", "ratio"), rows)])


def _workload(w: Json) -> str:
    readings, history, stored = w["readings"], w["history"], w["database_bytes_per_reading"]
    raised = ", ".join(f"{name}={value}" for name, value in w["raised"].items())
    rows = {
        "window": f"{w['window']['seconds']:g} s after {w['warm_up_s']:g} s of warm-up, {w['workers']} worker(s)",
        **({"raised for this workload": raised} if raised else {}),
        "audit": "; ".join(w["complaints"]) or "clean: 0 unaccounted, 0 overdue",
        "readings": f"{readings['stored']} of {readings['expected']} slots, {readings['per_second']:g} a second",
        "gaps": _counts(readings["gaps"]),
        **_shared_rows(w, w["ratios"]["cores_used"]),
        "history events per reading": f"{history['events_per_reading']:g} ({history['activities']} activities ended)",
        "database bytes per reading": f"{stored['stored']:g} stored, {stored['written_ahead']:g} written ahead",
    }
    title = f"## {w['name']}: {w['chambers']} chambers at {w['interval_s']} s\n"
    return "\n".join([title, table(("figure", "value"), rows.items()), _parts(w)])


def _peer(p: Json) -> str:
    readings = p["readings"]
    rows = {
        "window": f"{p['window']['seconds']:g} s",
        "readings": f"{readings['stored']} of {readings['expected']} slots, {readings['per_second']:g} a second",
        "doubled, missing, astray": f"{readings['doubled']}, {readings['missing']}, {readings['astray']}",
        **_shared_rows(p, p["cores_used"]),
        "worker PSS": f"{p['memory_bytes']['worker']['pss'] / MIB:.0f} MiB",
        "settings": ", ".join(f"{name} {value}" for name, value in p["settings"].items()),
        "versions": ", ".join(f"{name} {version}" for name, version in p["versions"].items()),
    }
    title = f"## {p['name']}: {p['title']}, {p['chambers']} chambers at {p['interval_s']} s\n"
    return "\n".join([title, table(("figure", "value"), rows.items())])


def _shared_rows(fleet: Json, cores: float) -> dict[str, str]:
    return {
        "CPU per reading": f"{fleet['cpu_ms_per_reading']['total']:g} ms",
        "cores used by it": f"{cores:g}",
        "cores used by others": _others(fleet),
        "lateness p50 / p95 / p99 / max": _late(fleet["lateness_ms"], PERCENTILES),
    }


def _others(fleet: Json) -> str:
    """What disturbed the measurement: a machine that is busy otherwise gives late and dear readings."""
    machine, seconds = fleet["machine_cpu_s"], fleet["window"]["seconds"]
    shares = {name: machine[name] / seconds for name in ("other", "apart", "steal")}
    return f"{shares['other']:.2f}, bench and devices {shares['apart']:.2f}, stolen by the host {shares['steal']:.2f}"


def _late(late: Mapping[str, float], names: Sequence[str]) -> str:
    return " / ".join(f"{late[name]:g}" for name in names) + " ms" if late else "no reading"


def _counts(gaps: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {reason}" for reason, count in gaps.items()) or "none"


def _parts(w: Json) -> str:
    """One row a part: CPU, share, memory."""
    cost, above, idle = w["cpu_ms_per_reading"], w["cpu_ms_per_reading_above_idle"], w["idle_cpu_ms_per_second"]
    rows = [
        (name, cost[name], f"{share:.0%}", above[name], idle[name], *_memory(w["memory_bytes"], name))
        for name, share in sorted(w["ratios"]["share_of_cpu"].items(), key=lambda item: -item[1])
    ]
    rows.append(("total", cost["total"], "", above["total"], "", "", ""))
    rows += [(f"{n} (apart)", c, "", "", "", "", "") for n, c in w["apart_cpu_ms_per_reading"].items()]
    head = ("part", "CPU ms per reading", "share", "above idle", "idle ms a second", "RSS peak MiB", "PSS MiB")
    return table(head, rows)


def _memory(memory: Mapping[str, Mapping[str, int]], part: str) -> tuple[str, str]:
    """Of a part; of all workers together."""
    uses = [use for name, use in memory.items() if name.split("-")[0] == part]
    return tuple(f"{sum(use[kind] for use in uses) / MIB:.0f}" for kind in ("rss_peak", "pss"))  # type: ignore[return-value]
