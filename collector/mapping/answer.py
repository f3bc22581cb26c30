"""From the bytes of an answer to measurements."""

from dataclasses import dataclass

from collector.domain.outcome import Measurement
from collector.mapping.profile import Profile


@dataclass(frozen=True, slots=True)
class MappedAnswer:
    """What an answer says.

    Attributes:
        measurements: in the profile's order; at least one has a value.
        observed_ms: the device's own time, if the profile reads one.
    """

    measurements: tuple[Measurement, ...]
    observed_ms: int | None = None


def map_answer(profile: Profile, body: bytes) -> MappedAnswer:
    """Decode, select, number, unit, quality.

    Raises:
        MalformedAnswerError: detail says stage, path and a short excerpt.
        DeniedError: the device answered and said no.
        MisconfiguredError: a unit that the table does not know.
    """
    raise NotImplementedError((profile, body))
