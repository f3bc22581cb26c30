"""How far this process's wall clock is from that of Temporal's server, which plans the rounds."""

from datetime import UTC, datetime, timedelta

from collector.ports import Clock, CollectionMetrics, ServerInstant

PERIOD_MS = 60_000
"""The best of this and the period before counts: one of the rounds that began in it was handed over without delay."""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class ClockSkew:
    """What the rounds of this process, and looks at the server's clock, tell of the wall clock.

    Each round brings an instant of the server (`started_time`: when it handed the round out), heard later by the way
    to here and by the time that this process took to begin. So server minus monotonic clock is at least what one round
    says, and the largest of many is the honest estimate: a slow start is not taken for a wrong clock. It is kept
    against the monotonic clock: a wall clock that is set shows at the next look, with no round in between.

    One event loop; nothing is known before the first round or look.
    """

    def __init__(self, clock: Clock, metrics: CollectionMetrics) -> None:
        self._clock, self._metrics = clock, metrics
        self._since_ms = 0
        self._best_ms: int | None = None
        self._before_ms: int | None = None

    def heard(self, server: datetime) -> None:
        """A round began that the server handed out at that instant of its clock."""
        now_ms = self._clock.monotonic_ms()
        offset_ms = (server - EPOCH) // timedelta(milliseconds=1) - now_ms
        if self._best_ms is None or now_ms - self._since_ms >= PERIOD_MS:
            self._before_ms, self._best_ms, self._since_ms = self._best_ms, offset_ms, now_ms
        else:
            self._best_ms = max(self._best_ms, offset_ms)
        self.look()

    def measured(self, seen: ServerInstant) -> None:
        """The server's clock was looked at: what rounds said before counts no more, for the server's may be set too."""
        self._best_ms = self._before_ms = seen.server_ms - (seen.after_ms + seen.before_ms) // 2
        self._since_ms = self._clock.monotonic_ms()
        self.look()

    def look(self) -> int:
        """How far the wall clock is ahead (+) or behind (-) now, ms; the metrics hear it. 0 while nothing is known."""
        known = [offset_ms for offset_ms in (self._best_ms, self._before_ms) if offset_ms is not None]
        if not known:
            return 0
        skew_ms = self._clock.now_ms() - self._clock.monotonic_ms() - max(known)
        self._metrics.clock_skew(skew_ms)
        return skew_ms
