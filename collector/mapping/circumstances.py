"""What a mapping knows besides the answer itself."""

from dataclasses import dataclass

from collector.domain.memory import Memory


@dataclass(frozen=True, slots=True)
class Circumstances:
    """Where and when an answer came; with nothing known, what depends on it is not judged.

    Attributes:
        received_ms: the answer's arrival, worker's clock; None = not known: the device's time is held against nothing.
        timezone: IANA name of the chamber's zone; "" = the device's naive times cannot be read.
        serial_number: the device's own, as the chamber's owner gave it; "" = as it was first seen.
        spec_version: of the chamber's spec.
        memory: what the last readings left.
    """

    received_ms: int | None = None
    timezone: str = ""
    serial_number: str = ""
    spec_version: int = 0
    memory: Memory | None = None

    @property
    def trusted_memory(self) -> Memory | None:
        """What was remembered under this very spec; under another one nothing is used."""
        memory = self.memory
        return memory if memory is not None and memory.spec_version == self.spec_version else None
