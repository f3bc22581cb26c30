"""The schema of a device profile. docs/profiles.md explains every key with an example."""

from collections import Counter
from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, FiniteFloat, Strict, model_validator

from collector.domain.units import stored_unit, unit_code
from collector.mapping import checks

MEASUREMENTS_LIMIT = 200
MAX_BYTES_DEFAULT, MAX_BYTES_CEILING = 65_536, 16 * 1024 * 1024
"""The largest recorded answer has 2 KB; a body over the ceiling is not a device's reading."""

Expression = Annotated[str, Field(min_length=1, max_length=1000), AfterValidator(checks.expression)]
UnitSpelling = Annotated[str, AfterValidator(checks.unit_spelling)]
Charset = Literal["utf-8", "us-ascii", "iso-8859-1", "iso-8859-2", "windows-1250", "windows-1252"]
Words = Annotated[tuple[str, ...], Strict(strict=False)]
Bounds = Annotated[tuple[FiniteFloat, FiniteFloat], Strict(strict=False), AfterValidator(checks.bounds)]


class Rules(BaseModel):
    """A part of a profile: nothing is converted silently, and an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class RequestRules(Rules):
    """What is asked. Always a GET: a profile cannot write.

    Attributes:
        path: taken when the chamber's URL is a bare host; may have a query.
        headers: sent as they stand; no credentials.
        auth: how the chamber's secret is sent; `basic` expects `user:password`. With `none` no secret is ever sent.
        max_bytes: limit of the decompressed body.
    """

    path: Annotated[str, AfterValidator(checks.request_path)] = "/"
    headers: Annotated[Mapping[str, str], AfterValidator(checks.headers)] = Field(default_factory=dict)
    auth: Literal["none", "bearer", "basic"] = "none"
    max_bytes: Annotated[int, Field(ge=1, le=MAX_BYTES_CEILING)] = MAX_BYTES_DEFAULT


class BodyRules(Rules):
    """How the answer is decoded.

    Attributes:
        decoder: `json`.
        charset: tried in this order.
        root: where the measurements stand, if not at the top; every other expression of the profile begins there.
    """

    decoder: Literal["json"] = "json"
    charset: Annotated[tuple[Charset, ...], Strict(strict=False), AfterValidator(checks.not_empty)] = ("utf-8",)
    root: Expression | None = None


class MeasurementRules(Rules):
    """Where one measurement stands and what it means.

    Attributes:
        name: the detector's name.
        select: JMESPath.
        unit: as the device sends it, a spelling of the table of units; stored after conversion.
        unit_select: where the device itself says its unit; it then must be one that is stored as `unit` is.
        range: in the stored unit; a value outside is `suspect`.
        sentinels: numbers or texts that mean a faulty channel (`bad`), compared with what the device sent.
        missing: texts that mean "no such channel" (`missing`).
        required: the slot fails when this one is `bad` or `missing`.
        decimal_comma: texts have a decimal comma.
        diagnostic: about the device itself (a counter): alone it is no reading, and it is not judged for all zeros.
        optional: left out of the reading where the device does not name it at all.
    """

    name: Annotated[str, AfterValidator(checks.measurement_name)]
    select: Expression
    unit: UnitSpelling
    unit_select: Expression | None = None
    range: Bounds | None = None
    sentinels: Annotated[tuple[FiniteFloat | str, ...], Strict(strict=False)] = ()
    missing: Words = ()
    required: bool = False
    decimal_comma: bool = False
    diagnostic: bool = False
    optional: bool = False

    @cached_property
    def unit_code(self) -> str:
        """UCUM code of `unit`."""
        return unit_code(self.unit)

    @cached_property
    def stored_unit(self) -> str:
        """UCUM code in which the measurement is stored."""
        return stored_unit(self.unit_code)

    @cached_property
    def sentinel_words(self) -> frozenset[str]:
        """Those of `sentinels` that are texts."""
        return frozenset(word for word in self.sentinels if isinstance(word, str))

    @cached_property
    def sentinel_numbers(self) -> frozenset[float]:
        """Those of `sentinels` that are numbers."""
        return frozenset(word for word in self.sentinels if not isinstance(word, str))


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
        measurements: in the order of a reading's values.
    """

    name: Annotated[str, AfterValidator(checks.profile_name)]
    description: str = ""
    source: str = ""
    checked: str = ""
    request: RequestRules = RequestRules()
    body: BodyRules = BodyRules()
    denied_when: Expression | None = None
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

    def units(self) -> Mapping[str, str]:
        """Measurement name -> UCUM code in which it is stored, in the profile's order."""
        return {rule.name: rule.stored_unit for rule in self.measurements}
