"""The fleet in figures, by OpenTelemetry: what the ledger tells, whether a worker lives or not.

| instrument | unit | kind | attributes | at /metrics |
|---|---|---|---|---|
| `chamberlog.chambers` | {chamber} | gauge | `chamberlog.organization`, `status` | `chamberlog_chambers` |
| `chamberlog.upkeep.age` | s | gauge | `upkeep`: `reconcile`, `maintain` | `chamberlog_upkeep_age_seconds` |
| `chamberlog.upkeep.found` | {chamber} | gauge | `upkeep`, `finding` | `chamberlog_upkeep_found` |

Statuses without a chamber are shown as 0, so that an alarm on `stale` has something to watch. `chamberlog.upkeep.found`
is what the last run of `reconcile` did or found, by the words of `collector.usecases.reconcile`, and for `maintain` how
many days were sealed, not sealed and dropped. While the ledger is away none of them is shown: nobody knows.
"""

from collections.abc import Iterable

from opentelemetry.metrics import CallbackOptions, MeterProvider, Observation

from collector.domain.health import Status
from collector.ports import FleetFigures

ORGANIZATION, STATUS, UPKEEP, FINDING = "chamberlog.organization", "status", "upkeep", "finding"


class OtelFleetMetrics:
    """`FleetMetrics` over OpenTelemetry: keeps the newest figures until somebody reads them."""

    def __init__(self, provider: MeterProvider) -> None:
        """Make the instruments."""
        self._figures: FleetFigures | None = None
        meter = provider.get_meter("chamberlog")
        meter.create_observable_gauge(
            "chamberlog.chambers", [self._chambers], "{chamber}", "Chambers by their status, as the ledger knows it"
        )
        meter.create_observable_gauge(
            "chamberlog.upkeep.age", [self._ages], "s", "Since the last run of what looks after fleet and ledger"
        )
        meter.create_observable_gauge(
            "chamberlog.upkeep.found", [self._found], "{chamber}", "What the last run did or found"
        )

    def show(self, figures: FleetFigures | None) -> None:
        """From now on these are shown; None = nobody knows."""
        self._figures = figures

    def _chambers(self, _: CallbackOptions) -> Iterable[Observation]:
        if self._figures is None:
            return
        known = self._figures.chambers
        for organization in sorted({organization for organization, _ in known}):
            for status in Status:
                if status is not Status.RETIRED:
                    count = known.get((organization, status.value), 0)
                    yield Observation(count, {ORGANIZATION: organization, STATUS: status.value})

    def _ages(self, _: CallbackOptions) -> Iterable[Observation]:
        if self._figures is not None:
            for kind, note in self._figures.upkeep.items():
                yield Observation(max(0, self._figures.at_ms - note.finished_ms) / 1000, {UPKEEP: kind})

    def _found(self, _: CallbackOptions) -> Iterable[Observation]:
        if self._figures is not None:
            for kind, note in self._figures.upkeep.items():
                for finding, count in note.counts.items():
                    yield Observation(count, {UPKEEP: kind, FINDING: finding})
