"""How a profile reads one measurement."""

from collections.abc import Mapping
from functools import cached_property
from typing import Annotated

from pydantic import AfterValidator, Field, FiniteFloat, Strict

from collector.domain.quality import natural_bounds
from collector.domain.units import stored_unit, unit_code
from collector.mapping import checks
from collector.mapping.rules import Bounds, Expression, Rules, Seconds, UnitSpelling, Words


class Rate(Rules):
    """How fast a quantity can change.

    Attributes:
        change: in the stored unit, within `within_s`; more time allows more in proportion.
        within_s: seconds.
    """

    change: Annotated[FiniteFloat, Field(gt=0)]
    within_s: Seconds


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
        unit_words: what the device says for a unit, where it has words of its own (`"0"`), -> a spelling of the table.
        times: what the number sent is multiplied by, before its unit is converted (a device that sends tenths: 0.1).
        bad_when: JMESPath; when it holds, the channel says that it is faulty (`bad`).
        rate: a change beyond this since the last good value is `suspect`.
        stuck_s: a value that has not changed for so long is `suspect`.
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
    unit_words: Mapping[str, UnitSpelling] = Field(default_factory=dict)
    times: FiniteFloat = 1.0
    bad_when: Expression | None = None
    rate: Rate | None = None
    stuck_s: Seconds | None = None

    @property
    def remembers(self) -> bool:
        """Whether a value is judged by the ones before it."""
        return self.rate is not None or self.stuck_s is not None

    @cached_property
    def unit_code(self) -> str:
        """UCUM code of `unit`."""
        return unit_code(self.unit)

    @cached_property
    def stored_unit(self) -> str:
        """UCUM code in which the measurement is stored."""
        return stored_unit(self.unit_code)

    @cached_property
    def natural_bounds(self) -> tuple[float, float]:
        """In the stored unit; outside of these no such value exists in nature."""
        return natural_bounds(self.name, self.stored_unit)

    @cached_property
    def is_plain(self) -> bool:
        """Whether a number is stored as it is sent, and nothing else of the answer matters to it."""
        as_sent = self.times == 1.0 and self.unit_code == self.stored_unit
        return as_sent and self.unit_select is None and self.bad_when is None

    @cached_property
    def sentinel_words(self) -> frozenset[str]:
        """Those of `sentinels` that are texts."""
        return frozenset(word for word in self.sentinels if isinstance(word, str))

    @cached_property
    def sentinel_numbers(self) -> frozenset[float]:
        """Those of `sentinels` that are numbers."""
        return frozenset(word for word in self.sentinels if not isinstance(word, str))
