"""What can go wrong with a run of faults."""

from collector.domain.errors import ChamberlogError


class ChaosError(ChamberlogError):
    """A fault could not be made, or nothing could be counted after it; the text says why."""
