"""What the API takes: bodies, queries and headers, checked before any use case sees them."""

from dataclasses import replace
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError

from collector.domain.chamber import ChamberSpec, default_timeout_ms
from collector.domain.errors import InvalidFieldError
from collector.domain.health import Status
from collector.domain.instants import parse_iso
from collector.domain.outcome import DETAIL_LIMIT
from collector.domain.timerange import TimeRange
from collector.usecases.watching import LiveFilter

DAY_MS = 86_400_000
EARLIEST_MS, LATEST_MS = 946_684_800_000, 4_102_444_800_000
"""The years 2000 to 2099: outside them an instant is a slip of the pen, and databases have limits of their own."""
INSTANT_REMEDY = "write it like 2026-03-01T12:00:00Z"
LARGEST_S = 1e9
"""Longer than any time the API takes, and still a number of milliseconds that every part can hold."""


def _storable(text: str) -> str:
    if "\x00" in text:
        raise PydanticCustomError("nul", "a NUL character cannot be stored")
    if not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text):
        raise PydanticCustomError("surrogate", "half of a surrogate pair is no character")
    return text


Text = Annotated[str, AfterValidator(_storable)]
ShortText = Annotated[str, Field(max_length=200), AfterValidator(_storable)]
Moment = Annotated[Text, Field(json_schema_extra={"format": "date-time"})]
ShortMoment = Annotated[ShortText, Field(json_schema_extra={"format": "date-time"})]
Cursor = Annotated[ShortText | None, Field(description="`next_cursor` of the part before")]
Reason = Annotated[str, Field(max_length=DETAIL_LIMIT), AfterValidator(_storable)]


class Body(BaseModel):
    """A JSON body: nothing is converted silently, and an unknown field is an error."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


class ChamberBody(Body):
    """A chamber to enrol."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "id": "incubator-3",
                "url": "http://192.168.1.20",
                "profile": "airgradient",
                "interval_s": 60,
                "section": "default",
                "name": "Incubator 3",
                "labels": {"room": "2.14"},
            }
        }
    )

    id: Text = Field(description="1 to 63 of a-z, 0-9 and '-'; unique in the deployment")
    url: Text = Field(description="http or https, without user-info; a bare host gets the profile's path")
    profile: Text = Field(description="one of GET /v1/profiles")
    interval_s: float = Field(description="distance of two slots, 1 to 86400")
    section: Text = "default"
    name: Text = ""
    timeout_s: float | None = Field(None, description="time budget of one attempt; default min(10, interval_s / 2)")
    round_span_s: float | None = Field(None, description="explicit length of a round, 1 to 3600")
    aligned: bool = Field(default=False, description="slots at multiples of the interval since the epoch")
    labels: dict[Text, Text] = Field(default_factory=dict)
    secret_ref: Text | None = Field(None, description="env:NAME or file:/path, resolved by the worker")
    verify_tls: bool = Field(default=True, description="false accepts self-signed certificates")
    timezone: Text | None = Field(None, description="IANA name of the zone of the device's clock, where it names none")
    serial_number: Text | None = Field(None, description="the device's own; another device at the URL is refused")

    def spec(self, organization: str) -> ChamberSpec:
        """The spec that is asked for.

        Raises:
            InvalidFieldError: a time is finer than a millisecond.
        """
        interval_ms = to_ms("interval_s", self.interval_s)
        timeout_ms = default_timeout_ms(interval_ms) if self.timeout_s is None else to_ms("timeout_s", self.timeout_s)
        span_ms = None if self.round_span_s is None else to_ms("round_span_s", self.round_span_s)
        rest: dict[str, Any] = self.model_dump(exclude={"interval_s", "timeout_s", "round_span_s"})
        rest |= {"interval_ms": interval_ms, "timeout_ms": timeout_ms, "round_span_ms": span_ms}
        rest |= {"timezone": self.timezone or "", "serial_number": self.serial_number or ""}
        return ChamberSpec(organization=organization, **rest)


class ChamberPatch(Body):
    """Fields of a chamber to change; those that are not given stay."""

    model_config = ConfigDict(json_schema_extra={"example": {"interval_s": 30}})

    url: Text = ""
    profile: Text = ""
    interval_s: float = 0
    section: Text = ""
    name: Text = ""
    timeout_s: float = 0
    round_span_s: float | None = None
    aligned: bool = False
    labels: dict[Text, Text] = Field(default_factory=dict)
    secret_ref: Text | None = None
    verify_tls: bool = True
    timezone: Text | None = None
    serial_number: Text | None = None

    def altered(self, spec: ChamberSpec) -> ChamberSpec:
        """The spec with the given fields; a default time budget follows its interval.

        Raises:
            InvalidFieldError: a time is finer than a millisecond.
        """
        given: dict[str, Any] = self.model_dump(exclude_unset=True)
        for name in ("interval_s", "timeout_s", "round_span_s"):
            if name in given:
                seconds = given.pop(name)
                given[name.removesuffix("_s") + "_ms"] = None if seconds is None else to_ms(name, seconds)
        given |= {name: given[name] or "" for name in ("timezone", "serial_number") if name in given}
        if "interval_ms" in given and spec.timeout_ms == default_timeout_ms(spec.interval_ms):
            given.setdefault("timeout_ms", default_timeout_ms(given["interval_ms"]))
        return replace(spec, **given)


class PauseBody(Body):
    """Why a chamber is paused, and until when; both may be left out."""

    model_config = ConfigDict(
        json_schema_extra={"example": {"reason": "door service", "until": "2026-03-01T12:00:00Z"}}
    )

    reason: Reason = ""
    until: Moment | None = Field(None, description="RFC 3339 with offset; it then resumes by itself")

    def until_ms(self) -> int | None:
        """The end, milliseconds since the epoch.

        Raises:
            InvalidFieldError: field `until`.
        """
        return None if self.until is None else instant_of("until", self.until)


class CollectBody(Body):
    """How to collect now."""

    model_config = ConfigDict(json_schema_extra={"example": {"force": True}})

    force: bool = Field(default=False, description="collect while paused too")


class Query(BaseModel):
    """A query string: an unknown name is an error, because a misspelt filter would answer the wrong question."""

    model_config = ConfigDict(extra="forbid", populate_by_name=False)


class PageQuery(Query):
    """A part of a list."""

    limit: int = Field(100, ge=1, le=1000, description="items at most")
    cursor: Cursor = None


class SectionedQuery(PageQuery):
    """Which chambers."""

    section: ShortText | None = Field(None, description="where they stand")
    status: Status | None = Field(None, description="one of the statuses; retired ones are shown only when asked for")
    q: ShortText | None = Field(None, description="part of the id or the name")


class LiveQuery(Query):
    """Whose events."""

    chamber: ShortText | None = Field(None, description="of this chamber only")
    section: ShortText | None = Field(None, description="of chambers that stand in this section only")

    def filter(self) -> LiveFilter:
        """The use case's words for it."""
        return LiveFilter(self.chamber, self.section)


class RetireQuery(Query):
    """Why a chamber retires."""

    reason: Reason = Field("", description="why, for people")


class SpanQuery(Query):
    """A range of time: from inclusive, to exclusive; by default the last 24 hours."""

    from_: ShortMoment | None = Field(None, alias="from", description="RFC 3339 with offset, inclusive")
    to: ShortMoment | None = Field(None, description="RFC 3339 with offset, exclusive")

    def span(self, now_ms: int) -> TimeRange:
        """The range.

        Raises:
            InvalidFieldError: field `from` or `to`.
        """
        to_ms = now_ms if self.to is None else instant_of("to", self.to)
        from_ms = to_ms - DAY_MS if self.from_ is None else instant_of("from", self.from_)
        return range_of(from_ms, to_ms)


class SpanPageQuery(SpanQuery):
    """A part of what lies in a range."""

    limit: int = Field(1000, ge=1, le=10_000, description="items at most")
    cursor: Cursor = None


class ReadingsQuery(SpanPageQuery):
    """Raw readings, or with `points` the curve of one detector."""

    detector: ShortText | None = Field(None, description="name or alias; one that is switched off is shown so too")
    points: int | None = Field(None, ge=1, le=5000, description="bins of the curve of one detector")


def to_ms(field: str, seconds: float) -> int:
    """Seconds as whole milliseconds; far out of range stays out of range.

    Raises:
        InvalidFieldError: finer than a millisecond.
    """
    exact = max(-LARGEST_S, min(LARGEST_S, seconds)) * 1000
    if abs(exact - round(exact)) > 1e-6:
        raise InvalidFieldError(field, "it is finer than a millisecond", "give at most three decimals")
    return round(exact)


def range_of(from_ms: int, to_ms: int) -> TimeRange:
    """The range.

    Raises:
        InvalidFieldError: field `to`.
    """
    if from_ms >= to_ms:
        raise InvalidFieldError("to", "it is not after from", "give a later to, or an earlier from")
    return TimeRange(from_ms, to_ms)


def instant_of(field: str, text: str) -> int:
    """Milliseconds since the epoch of an RFC 3339 instant.

    Raises:
        InvalidFieldError: with that field; a time without offset is refused, because it means several instants.
    """
    try:
        instant_ms = parse_iso(text)
    except (ValueError, OverflowError):
        problem = f"{text[:40]!r} is not an RFC 3339 instant with its offset"
        raise InvalidFieldError(field, problem, INSTANT_REMEDY) from None
    if not EARLIEST_MS <= instant_ms < LATEST_MS:
        raise InvalidFieldError(field, f"{text[:40]!r} is out of range", "give an instant of the years 2000 to 2099")
    return instant_ms
