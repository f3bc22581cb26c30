"""What can go wrong with a measurement."""

from collector.domain.errors import ChamberlogError


class BenchError(ChamberlogError):
    """Nothing that could be trusted was measured; the text says why."""
