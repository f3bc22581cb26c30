"""What a chamber remembers of its last readings, so that the next one can be judged. It travels with the chamber."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Memory:
    """What is needed to judge the next reading; without it (None) a reading is judged by itself.

    Attributes:
        spec_version: of the spec under which it was made: under another one nothing of it is used.
        at_ms: when the last reading came that left something, worker's clock: what has not been looked at cannot have
            stood still.
        serial_number: the device's own, as it was first seen.
        device_ms: the device's own time as last seen.
        device_since_ms: when that time was first seen, worker's clock.
        values: measurement -> [last good value, when, last value, since when], instants by the worker's clock; only of
            measurements whose rules need it.
    """

    spec_version: int = 0
    serial_number: str = ""
    device_ms: int | None = None
    device_since_ms: int | None = None
    values: dict[str, list[float | None]] = field(default_factory=dict)
    at_ms: int | None = None
