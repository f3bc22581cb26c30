"""The fleet and the ledger in figures, by OpenTelemetry: what PostgreSQL tells, whether a worker lives or not.

| instrument | unit | kind | attributes | at /metrics |
|---|---|---|---|---|
| `chamberlog.chambers` | {chamber} | gauge | `chamberlog.organization`, `status` | `chamberlog_chambers` |
| `chamberlog.settled.lag` | s | gauge | `chamberlog.organization` | `chamberlog_settled_lag_seconds` |
| `chamberlog.upkeep.age` | s | gauge | `upkeep`: `reconcile`, `maintain` | `chamberlog_upkeep_age_seconds` |
| `chamberlog.upkeep.found` | {chamber} | gauge | `upkeep`, `finding` | `chamberlog_upkeep_found` |
| `chamberlog.ledger.size` | By | gauge | | `chamberlog_ledger_size_bytes` |
| `chamberlog.ledger.relation.size` | By | gauge | `relation` | `chamberlog_ledger_relation_size_bytes` |
| `chamberlog.ledger.rolled_up.age` | s | gauge | | `chamberlog_ledger_rolled_up_age_seconds` |
| `chamberlog.database.connections` | {connection} | gauge | `state` | `chamberlog_database_connections` |
| `chamberlog.database.transactions` | {transaction} | counter | `result` | `chamberlog_database_transactions_total` |

Statuses without a chamber are shown as 0, so that an alarm on `stale` has something to watch. `chamberlog.upkeep.found`
is what the last run of `reconcile` did or found, by the words of `collector.usecases.reconcile`, and for `maintain` how
many days were sealed, not sealed and dropped. While the ledger is away none of them is shown: nobody knows.
"""

from collections.abc import Callable, Iterable

from opentelemetry.metrics import CallbackOptions, MeterProvider, Observation

from adapters.telemetry.bounds import Organizations
from collector.domain.health import Status
from collector.ports import FleetFigures, LedgerFigures

ORGANIZATION, STATUS, UPKEEP, FINDING = "chamberlog.organization", "status", "upkeep", "finding"
RELATION, STATE, RESULT = "relation", "state", "result"

SHOWN = tuple(status.value for status in Status if status is not Status.RETIRED)
Tell = Callable[[LedgerFigures], Iterable[Observation]]


class OtelFleetMetrics:
    """`FleetMetrics` over OpenTelemetry: keeps the newest figures until somebody reads them."""

    def __init__(self, provider: MeterProvider) -> None:
        """Make the instruments."""
        self._figures: FleetFigures | None = None
        self._ledger: LedgerFigures | None = None
        self._organizations = Organizations()
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
        meter.create_observable_gauge(
            "chamberlog.settled.lag", [self._lags], "s", "Since when nothing is settled of the chamber that is latest"
        )
        self._observe_ledger(provider)

    def show(self, figures: FleetFigures | None) -> None:
        """From now on these are shown; None = nobody knows."""
        self._figures = figures

    def show_ledger(self, figures: LedgerFigures | None) -> None:
        """From now on these of the store are shown; None = nobody knows."""
        self._ledger = figures

    def _observe_ledger(self, provider: MeterProvider) -> None:
        meter, told = provider.get_meter("chamberlog"), self._of_ledger
        meter.create_observable_gauge("chamberlog.ledger.size", [told(_size)], "By", "All that the database keeps")
        meter.create_observable_gauge(
            "chamberlog.ledger.relation.size", [told(_relations)], "By", "Each table with its indexes, days together"
        )
        meter.create_observable_gauge(
            "chamberlog.database.connections", [told(_connections)], "{connection}", "Connections to the database"
        )
        meter.create_observable_counter(
            "chamberlog.database.transactions", [told(_transactions)], "{transaction}", "Transactions of the database"
        )
        meter.create_observable_gauge(
            "chamberlog.ledger.rolled_up.age", [told(_rolled_up)], "s", "How far the hourly figures are behind"
        )

    def _of_ledger(self, tell: Tell) -> Callable[[CallbackOptions], Iterable[Observation]]:
        def look(_: CallbackOptions) -> Iterable[Observation]:
            figures = self._ledger
            return [] if figures is None else tell(figures)

        return look

    def _chambers(self, _: CallbackOptions) -> Iterable[Observation]:
        if self._figures is None:
            return
        counts: dict[tuple[str, str], int] = {}
        for (organization, status), count in sorted(self._figures.chambers.items()):
            whose = self._organizations.shown(organization)
            for each in SHOWN:
                counts[whose, each] = counts.get((whose, each), 0) + (count if each == status else 0)
        for (whose, status), count in counts.items():
            yield Observation(count, {ORGANIZATION: whose, STATUS: status})

    def _lags(self, _: CallbackOptions) -> Iterable[Observation]:
        lags: dict[str, int] = {}
        for organization, lag_ms in sorted(self._figures.lags.items()) if self._figures is not None else ():
            whose = self._organizations.shown(organization)
            lags[whose] = max(lag_ms, lags.get(whose, 0))
        return [Observation(lag_ms / 1000, {ORGANIZATION: whose}) for whose, lag_ms in lags.items()]

    def _ages(self, _: CallbackOptions) -> Iterable[Observation]:
        if self._figures is not None:
            for kind, note in self._figures.upkeep.items():
                yield Observation(max(0, self._figures.at_ms - note.finished_ms) / 1000, {UPKEEP: kind})

    def _found(self, _: CallbackOptions) -> Iterable[Observation]:
        if self._figures is not None:
            for kind, note in self._figures.upkeep.items():
                for finding, count in note.counts.items():
                    yield Observation(count, {UPKEEP: kind, FINDING: finding})


def _size(ledger: LedgerFigures) -> Iterable[Observation]:
    return [Observation(ledger.size)]


def _rolled_up(ledger: LedgerFigures) -> Iterable[Observation]:
    return [Observation(max(0, ledger.at_ms - ledger.rolled_up_ms) / 1000)]


def _relations(ledger: LedgerFigures) -> Iterable[Observation]:
    return [Observation(size, {RELATION: name}) for name, size in sorted(ledger.relations.items())]


def _connections(ledger: LedgerFigures) -> Iterable[Observation]:
    return [Observation(count, {STATE: state}) for state, count in sorted(ledger.connections.items())]


def _transactions(ledger: LedgerFigures) -> Iterable[Observation]:
    ended = {"committed": ledger.committed, "rolled_back": ledger.rolled_back}
    return [Observation(count, {RESULT: result}) for result, count in ended.items()]
