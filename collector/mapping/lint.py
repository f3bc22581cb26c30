"""What a profile does not say, and its readings would be the better for."""

from collections.abc import Iterator

from collector.mapping.measurement_rules import MeasurementRules
from collector.mapping.profile import Profile

ENDLESS = frozenset({"csv", "key-value", "prometheus", "text"})
"""Decoders that cannot tell a whole answer from a cut one by themselves."""


def remarks_on(profile: Profile) -> Iterator[str]:
    """Sentences that each begin with the key; none of them keeps the profile from being used."""
    yield from (
        f"{key}: it is not said; {why}"
        for key, why in (
            ("description", "people choose a profile by it"),
            ("source", "nobody can check the profile against what it is based on"),
            ("checked", "nobody knows whether it was ever held against an answer"),
        )
        if not getattr(profile, key)
    )
    if profile.body.decoder in ENDLESS and profile.body.ends_with is None:
        yield "body.ends_with: it is not said; what stands at the very end of an answer is suspect at best"
    if profile.time is not None and profile.time.zone == "chamber" and profile.time.format != "iso":
        yield "time.zone: it is the chamber's; chambers without a timezone store no device time"
    for index, rules in enumerate(profile.measurements):
        yield from _of_measurement(f"measurements[{index}]", rules)


def _of_measurement(key: str, rules: MeasurementRules) -> Iterator[str]:
    if rules.range is None and not rules.diagnostic:
        yield f"{key}.range: {rules.name} has none; a value that cannot be is taken for good"
    if rules.required and rules.optional:
        yield f"{key}.optional: {rules.name} is required as well; an answer without it is a gap"
