"""The schema of a device profile. docs/profiles.md explains every key with an example."""

from collections import Counter
from collections.abc import Mapping
from functools import cached_property
from typing import Annotated

from pydantic import AfterValidator, Strict, model_validator

from collector.mapping import checks
from collector.mapping.body_rules import BodyRules
from collector.mapping.measurement_rules import MeasurementRules
from collector.mapping.request_rules import RequestRules
from collector.mapping.rules import Expression, Rules
from collector.mapping.time_rules import TimeRules

MEASUREMENTS_LIMIT = 200


def _distinct(rules: tuple[MeasurementRules, ...]) -> tuple[MeasurementRules, ...]:
    if not 1 <= len(rules) <= MEASUREMENTS_LIMIT:
        raise checks.refusal(f"{len(rules)} measurements", f"write 1 to {MEASUREMENTS_LIMIT}")
    times = Counter(rule.name for rule in rules)
    for index in reversed(range(len(rules))):
        name = rules[index].name
        if times[name] > 1:
            raise checks.refusal(f"the name {name!r} is taken already", "give each its own", (index, "name"))
    return rules


class Profile(Rules):
    """How one device family is read.

    Attributes:
        name: as chambers name it, `[a-z0-9][a-z0-9-]{0,62}`.
        description: for people who choose a profile.
        source: what the profile is based on.
        checked: what was checked on a recording or a device.
        request: what is asked.
        body: how the answer is decoded.
        denied_when: JMESPath; when it holds, the device answered and said no.
        serial_number: JMESPath of the device's own serial number: another one than the chamber's is another device.
        time: where the device says its own time.
        measurements: in the order of a reading's values.
    """

    name: Annotated[str, AfterValidator(checks.profile_name)]
    description: str = ""
    source: str = ""
    checked: str = ""
    request: RequestRules = RequestRules()
    body: BodyRules = BodyRules()
    denied_when: Expression | None = None
    serial_number: Expression | None = None
    time: TimeRules | None = None
    measurements: Annotated[tuple[MeasurementRules, ...], Strict(strict=False), AfterValidator(_distinct)]

    @model_validator(mode="after")
    def _observes_something(self) -> "Profile":
        if all(rule.diagnostic for rule in self.measurements):
            raise checks.refusal(
                "every measurement is diagnostic, so no answer could ever be a reading",
                "take the key away from what the chamber is about",
                ("measurements",),
            )
        return self

    @cached_property
    def remembers(self) -> bool:
        """Whether a reading is judged by the ones before it."""
        stands = self.time is not None and self.time.stands_still_s is not None
        return stands or self.serial_number is not None or any(rule.remembers for rule in self.measurements)

    def units(self) -> Mapping[str, str]:
        """Measurement name -> UCUM code in which it is stored, in the profile's order."""
        return {rule.name: rule.stored_unit for rule in self.measurements}
