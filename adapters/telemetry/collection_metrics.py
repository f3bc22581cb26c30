"""What chamberlog measures of collecting, by OpenTelemetry.

| instrument | unit | kind | attributes | at /metrics |
|---|---|---|---|---|
| `chamberlog.collections` | {collection} | counter | `outcome`: `reading`, `gap` | `chamberlog_collections_total` |
| `chamberlog.collection.lateness` | s | histogram | | `chamberlog_collection_lateness_seconds` |
| `chamberlog.fetch.duration` | s | histogram | `error.type` when it failed | `chamberlog_fetch_duration_seconds` |
| `chamberlog.outcomes.unsaved` | {outcome} | up-down counter | | `chamberlog_outcomes_unsaved` |
| `chamberlog.outcomes.unsaved.age` | s | gauge | | `chamberlog_outcomes_unsaved_age_seconds` |
| `chamberlog.gap.slots` | {slot} | counter | `reason`: a gap reason | `chamberlog_gap_slots_total` |
| `chamberlog.answers.dropped` | {answer} | counter | | `chamberlog_answers_dropped_total` |
| `chamberlog.clock.skew` | s | gauge | | `chamberlog_clock_skew_seconds` |
| `chamberlog.rounds.running` | {round} | gauge | | `chamberlog_rounds_running` |

Collections, lateness, fetches, unsaved outcomes and gap slots carry `chamberlog.organization` (at /metrics
`chamberlog_organization`). `reason` and `error.type` (at /metrics `error_type`, empty when the fetch went well) are gap
reasons. Histograms have `_bucket`, `_sum` and `_count`. `target_info` names the service.
`chamberlog.collections` counts slots by what became of them: `reading` plus `gap` are the slots accounted for, but the
paused ones, which nobody collects. `chamberlog.outcomes.unsaved` counts readings. One worker may store what another was
refused, so only its sum over all workers means something. `chamberlog.outcomes.unsaved.age` is that of the oldest
outcome that this worker tries to store and cannot, since it came from its device; 0 = there is none.
`chamberlog.clock.skew` is the process's wall clock less that of Temporal's server; it is there from the first look at
that on. The counters of an organization are 0 from the first that is heard of it.
"""

import time
from collections.abc import Callable, Iterable, Sequence

from opentelemetry.metrics import CallbackOptions, Histogram, Meter, MeterProvider, Observation

from adapters.telemetry.bounds import Organizations
from collector.domain.outcome import GapReason

ORGANIZATION, OUTCOME, REASON, ERROR_TYPE = "chamberlog.organization", "outcome", "reason", "error.type"

LATENESS_BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)
"""From a punctual slot to the deadline of the slowest chambers that are collected late."""
FETCH_BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""From a simulator to the largest usual time budget."""


class OtelCollectionMetrics:
    """`CollectionMetrics` over OpenTelemetry. Cheap enough for each slot; may be called from any thread."""

    def __init__(
        self, provider: MeterProvider, now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000
    ) -> None:
        """Make the instruments; one for a provider.

        Args:
            provider: makes them.
            now_ms: the wall clock by which ages are told.
        """
        self._now_ms = now_ms
        self._held: dict[object, int] = {}
        meter = provider.get_meter("chamberlog")
        self._collections = meter.create_counter(
            "chamberlog.collections", "{collection}", "Slots by what became of them"
        )
        self._lateness = _seconds(
            meter, "chamberlog.collection.lateness", "The request's start against its slot", LATENESS_BUCKETS_S
        )
        self._fetches = _seconds(meter, "chamberlog.fetch.duration", "One attempt to read a device", FETCH_BUCKETS_S)
        self._unsaved = meter.create_up_down_counter(
            "chamberlog.outcomes.unsaved", "{outcome}", "Readings that wait for the store: sum over workers"
        )
        self._gap_slots = meter.create_counter("chamberlog.gap.slots", "{slot}", "Slots without a reading")
        self._answers = meter.create_counter(
            "chamberlog.answers.dropped", "{answer}", "Last answers that were not kept for people: no reading is lost"
        )
        self._answers.add(0)
        self._skew = meter.create_gauge("chamberlog.clock.skew", "s", "This process's wall clock less Temporal's")
        meter.create_observable_gauge(
            "chamberlog.outcomes.unsaved.age", [self._age], "s", "The oldest outcome that cannot be stored; 0 = none"
        )
        self._organizations = Organizations()
        self._told: set[str] = set()
        self._begun: set[str] = set()

    def reading(self, organization: str, lateness_ms: int, fetch_ms: int) -> None:
        """A reading; lateness is the request's start against the slot. A clock that was set back counts as 0."""
        whose = self._whose(organization)
        self._collections.add(1, {**whose, OUTCOME: "reading"})
        self._lateness.record(max(0, lateness_ms) / 1000, whose)
        self._fetches.record(max(0, fetch_ms) / 1000, whose)

    def gap(self, organization: str, reason: GapReason, slots: int) -> None:
        """A gap run of that many slots."""
        whose = self._whose(organization)
        self._collections.add(slots, {**whose, OUTCOME: "gap"})
        self._gap_slots.add(slots, {**whose, REASON: reason.value})

    def failed_attempt(self, organization: str, reason: GapReason, fetch_ms: int) -> None:
        """An attempt that failed; the slot is not lost yet."""
        self._fetches.record(max(0, fetch_ms) / 1000, {**self._whose(organization), ERROR_TYPE: reason.value})

    def unsaved(self, organization: str, delta: int) -> None:
        """Readings that wait for the store: refused (+) or stored at last (-)."""
        if delta or organization not in self._told:  # none is shown as none, and added once only
            self._told.add(organization)
            self._unsaved.add(delta, self._whose(organization))

    def held(self, holder: object, since_ms: int | None) -> None:
        """An outcome waits for the store; see `CollectionMetrics.held`."""
        self._held.setdefault(holder, self._now_ms() if since_ms is None else since_ms)

    def let_go(self, holder: object) -> None:
        """It waits no more; see `CollectionMetrics.let_go`."""
        self._held.pop(holder, None)

    def answers_dropped(self, count: int) -> None:
        """Last answers of devices that are not kept: PostgreSQL is away, or there are too many at once."""
        self._answers.add(count)

    def clock_skew(self, skew_ms: int) -> None:
        """How far this process's wall clock is ahead (+) or behind (-): the newest counts."""
        self._skew.set(skew_ms / 1000)

    def _age(self, _: CallbackOptions) -> Iterable[Observation]:
        oldest_ms = min(list(self._held.values()), default=None)
        return [Observation(0.0 if oldest_ms is None else max(0, self._now_ms() - oldest_ms) / 1000)]

    def _whose(self, organization: str) -> dict[str, str]:
        whose = {ORGANIZATION: self._organizations.shown(organization)}
        if whose[ORGANIZATION] not in self._begun:
            self._begin(whose)
        return whose

    def _begin(self, whose: dict[str, str]) -> None:
        """Counters are there as 0 before they count: of one that appears with 50, nobody sees the increase."""
        self._begun.add(whose[ORGANIZATION])
        for outcome in ("reading", "gap"):
            self._collections.add(0, {**whose, OUTCOME: outcome})
        for reason in GapReason:
            self._gap_slots.add(0, {**whose, REASON: reason.value})


def _seconds(meter: Meter, name: str, description: str, buckets: Sequence[float]) -> Histogram:
    return meter.create_histogram(name, "s", description, explicit_bucket_boundaries_advisory=buckets)


def observe_rounds(provider: MeterProvider, running: Callable[[], int]) -> None:
    """Show how many rounds run in this process; `running` is asked from another thread."""
    provider.get_meter("chamberlog").create_observable_gauge(
        "chamberlog.rounds.running", [lambda _: [Observation(running())]], "{round}", "Rounds that run in this process"
    )
