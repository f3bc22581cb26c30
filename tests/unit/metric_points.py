"""What a meter provider has measured, by value."""

from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import HistogramDataPoint, InMemoryMetricReader, NumberDataPoint

from adapters.telemetry import make_meter_provider

Point = NumberDataPoint | HistogramDataPoint
Attributes = frozenset[tuple[str, object]]


class Points:
    """A provider, and what its instruments show."""

    def __init__(self) -> None:
        self._reader = InMemoryMetricReader()
        self.provider: MeterProvider = make_meter_provider("chamberlog-test", [self._reader])

    def of(self, name: str) -> dict[Attributes, Point]:
        """Each series of an instrument; none when it shows nothing."""
        data = self._reader.get_metrics_data()
        metrics = [m for r in data.resource_metrics for s in r.scope_metrics for m in s.metrics] if data else []
        return {
            frozenset((point.attributes or {}).items()): point
            for metric in metrics
            if metric.name == name
            for point in metric.data.data_points
            if isinstance(point, NumberDataPoint | HistogramDataPoint)
        }

    def values(self, name: str) -> dict[Attributes, float]:
        """Of a counter or gauge the values, of a histogram how often something was recorded."""
        found = self.of(name)
        return {at: p.count if isinstance(p, HistogramDataPoint) else p.value for at, p in found.items()}

    def counted(self, name: str) -> dict[Attributes, float]:
        """As `values`, without those that are 0."""
        return {at: value for at, value in self.values(name).items() if value}

    def sum(self, name: str) -> float:
        """Of all that a histogram recorded."""
        return sum(point.sum for point in self.of(name).values() if isinstance(point, HistogramDataPoint))


def at(**attributes: object) -> Attributes:
    """Attributes; dots are written as two underscores."""
    return frozenset((name.replace("__", "."), value) for name, value in attributes.items())
