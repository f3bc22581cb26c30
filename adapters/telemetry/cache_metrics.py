"""What is asked of and kept in Valkey, by OpenTelemetry.

| instrument | unit | kind | attributes |
|---|---|---|---|
| `chamberlog.cache.operations` | {operation} | counter | `cache`: `latest`, `active`, `live`; `result`: `hit`, `miss`, `failed`, `stored` |

All of them are shown as 0 from the start. Of the live feed nothing is looked up: it has no `hit` and no `miss`.
"""  # noqa: E501  # a table whose rows are broken is none

from opentelemetry.metrics import MeterProvider

CACHE, RESULT = "cache", "result"
RESULTS = {
    "latest": ("hit", "miss", "failed", "stored"),
    "active": ("hit", "miss", "failed", "stored"),
    "live": ("failed", "stored"),
}


class OtelCacheMetrics:
    """What `adapters.redis.counting` tells, by OpenTelemetry."""

    def __init__(self, provider: MeterProvider) -> None:
        """Make the instrument."""
        self._operations = provider.get_meter("chamberlog").create_counter(
            "chamberlog.cache.operations", "{operation}", "Look-ups and writes of what Valkey keeps, by their result"
        )
        for cache, results in RESULTS.items():
            for result in results:
                self._operations.add(0, {CACHE: cache, RESULT: result})

    def counted(self, cache: str, result: str, operations: int = 1) -> None:
        """So many operations ended like this; 0 = nothing."""
        if operations:
            self._operations.add(operations, {CACHE: cache, RESULT: result})
