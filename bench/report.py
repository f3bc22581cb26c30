"""The report: one JSON object, written beside the same for people."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.markdown import markdown
from bench.run import Results
from bench.targets import targets
from bench.trials import Group, everything
from bench.workloads import FAST

Json = dict[str, Any]


def document(facts: Mapping[str, Any], results: Results) -> Json:
    """The whole report.

    Args:
        facts: `date`, `machine`, `versions` and `settings`.
        results: of the run.
    """
    found = results.found
    parts = {
        "workloads": found[Group.WORKLOADS],
        "peers": found[Group.PEERS],
        "rates": found[Group.RATE],
        "kills": found[Group.KILL],
        "fleets": found[Group.FLEET],
        "mappings": found[Group.MAPPING],
        "gateways": found[Group.GATEWAY],
    }
    return {
        "format": 2,
        **facts,
        "versions": facts["versions"] | _servers(parts["workloads"]),
        "targets": targets(parts),
        **parts,
        "ratios": {"cpu_per_reading_to_fast": _ratios([*parts["workloads"], *parts["peers"]])},
        "failed": dict(results.failed),
        "left_out": [trial.name for trial in everything() if trial.name not in results.asked],
        "busy_at_the_begin": list(results.restless),
        "clean": not any(part["complaints"] for part in (*parts["workloads"], *parts["fleets"])),
    }


def write_report(folder: Path, report: Json) -> tuple[Path, Path]:
    """Write `bench.json` and `bench.md`, replacing those of an earlier run; answers with their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    files = folder / "bench.json", folder / "bench.md"
    files[0].write_text(json.dumps(report, indent=1) + "\n")
    files[1].write_text(markdown(report))
    return files


def _servers(workloads: Sequence[Json]) -> dict[str, str]:
    return {f"{name} server": version for workload in workloads for name, version in workload["servers"].items()}


def _ratios(fleets: Sequence[Json]) -> dict[str, float]:
    """CPU per reading of each fleet to that of `fast`; nothing without it."""
    costs = {fleet["name"]: fleet["cpu_ms_per_reading"]["total"] for fleet in fleets}
    return {name: round(cost / costs[FAST], 2) for name, cost in costs.items()} if FAST in costs else {}
