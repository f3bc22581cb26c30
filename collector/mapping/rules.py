"""What every part of a profile is made of."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, FiniteFloat, Strict

from collector.mapping import checks

Expression = Annotated[str, Field(min_length=1, max_length=1000), AfterValidator(checks.expression)]
UnitSpelling = Annotated[str, AfterValidator(checks.unit_spelling)]
Words = Annotated[tuple[str, ...], Strict(strict=False)]
Bounds = Annotated[tuple[FiniteFloat, FiniteFloat], Strict(strict=False), AfterValidator(checks.bounds)]
Seconds = Annotated[FiniteFloat, Field(gt=0, le=31_536_000)]


class Rules(BaseModel):
    """A part of a profile: nothing is converted silently, and an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)
