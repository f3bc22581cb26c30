"""What a reading's values are worth, and what the next one is judged by.

A value that cannot be read has lost already (`bad`, `missing`: its own stage says why). Of one that can, the first of
these reasons makes it `suspect` and is told: what the decoder says (its end may be cut), outside its range or
impossible in nature (`range`), faster than it can change (`rate`), the same for too long (`stuck`). Two more concern
the reading as a whole and are told once, beside those: every number is zero (`zero`), the device's own time stands
still (`time`).
"""

from collections.abc import Sequence
from dataclasses import replace

from collector.domain.instants import iso
from collector.domain.memory import Memory
from collector.domain.outcome import Measurement, Quality
from collector.domain.quality import HINTED, all_zero, sentinel_hint, stood_still, too_fast
from collector.mapping.circumstances import Circumstances
from collector.mapping.measure import Measured
from collector.mapping.observed_time import DeviceTime
from collector.mapping.profile import Profile
from collector.mapping.select import shown

Held = Sequence[float | None]
"""Of one measurement: last good value, when, last value, since when."""
NOTHING: Held = (None, None, None, None)


def told(one: Measured, why: str = "", quality: Quality | None = None) -> str:
    """A measurement, where it stands, what it is and why."""
    is_ = (quality or one.measurement.quality).value
    return f"{one.rules.name} ({shown(one.rules.select)}), is {is_}: {why or one.why}"


class Judgement:
    """Judges one reading by its profile and its circumstances.

    Attributes:
        remarks: why something is not `good`, or not used, or looks strange.
    """

    __slots__ = ("_held", "_judged", "_known", "_profile", "_remembers", "_time", "remarks")

    def __init__(self, profile: Profile, known: Circumstances, time: DeviceTime | None) -> None:
        self._profile, self._known, self._time = profile, known, time
        self._remembers = profile.remembers
        self._held = known.trusted_memory if self._remembers else None
        self._judged: Sequence[tuple[Measured, Measurement]] = ()
        self.remarks: list[str] = []

    def of(self, measured: Sequence[Measured]) -> tuple[Measurement, ...]:
        """The measurements with their quality, in the same order."""
        zero, standing = self._all_zero(measured), self._stands_still()
        found = [self._alone(one) for one in measured] if self._remembers else self._forgetful(measured)
        if zero or standing:
            pairs = zip(measured, found, strict=True)
            found = [_doubted(m) if standing or not one.rules.diagnostic else m for one, m in pairs]
        if self._remembers:
            self._judged = list(zip(measured, found, strict=True))
        return tuple(found)

    def memory(self, serial: str) -> Memory | None:
        """What the next reading is judged by; only after `of`."""
        now_ms, held = self._known.received_ms, self._held
        if not self._remembers or now_ms is None:
            return held
        device_ms, since_ms = self._clock(now_ms)
        values = {one.rules.name: self._remembered(one, m, now_ms) for one, m in self._judged if one.rules.remembers}
        return Memory(
            spec_version=self._known.spec_version,
            serial_number=(held.serial_number if held else "") or serial,
            device_ms=device_ms,
            device_since_ms=since_ms,
            values={**(held.values if held else {}), **values},
            at_ms=now_ms,
        )

    # ---- one measurement

    def _forgetful(self, measured: Sequence[Measured]) -> list[Measurement]:
        """Each as `_alone` has it; of most there is nothing to say, and that is found here without a call."""
        found = []
        for one in measured:
            measurement, value = one.measurement, one.measurement.value
            if measurement.quality is Quality.GOOD and value is not None and one.sent not in HINTED:
                low, high = one.rules.natural_bounds
                plain = low <= value <= high and not one.stage
                found.append(measurement if plain else self._alone(one))
            else:
                found.append(self._alone(one))
        return found

    def _alone(self, one: Measured) -> Measurement:
        """The measurement as it is without the others; says why it is not `good`."""
        measurement = one.measurement
        if measurement.value is None:
            self.remarks.append(f"{one.stage}: {told(one)}")
            return measurement
        doubt = self._doubt(one, measurement.value)
        hint = _hint(one, measurement.value)
        if doubt is not None:
            stage, why = doubt
            more = f" ({hint})" if hint else ""
            self.remarks.append(f"{stage}: {told(one, why + more, Quality.SUSPECT)}")
            return _doubted(measurement)
        if hint:
            self.remarks.append(f"sentinel: {told(one, hint)}")
        return measurement

    def _doubt(self, one: Measured, value: float) -> tuple[str, str] | None:
        """Stage and reason for which the value is `suspect`."""
        if one.stage:
            return one.stage, one.why
        if one.measurement.quality is Quality.SUSPECT and one.rules.range is not None:
            low, high = one.rules.range
            return "range", f"{value:g} {one.measurement.unit} is outside {low:g} to {high:g}"
        low, high = one.rules.natural_bounds
        if not low <= value <= high:
            where = f"below {low:g}" if value < low else f"above {high:g}"
            return "range", f"{value:g} {one.measurement.unit} does not exist: nothing is {where}"
        return self._rate(one, value) or self._stuck(one, value) if one.rules.remembers else None

    def _rate(self, one: Measured, value: float) -> tuple[str, str] | None:
        rate, now_ms = one.rules.rate, self._known.received_ms
        good, when_ms, *_ = self._held_of(one)
        if rate is None or now_ms is None or good is None or when_ms is None:
            return None
        elapsed_ms = now_ms - when_ms
        if not too_fast(value, good, elapsed_ms, rate.change, rate.within_s * 1000):
            return None
        unit = one.measurement.unit
        distance = (
            f"{value:g} {unit} is {abs(value - good):g} from the last good {good:g}, {elapsed_ms / 1000:.0f} s ago"
        )
        return "rate", f"{distance}; {rate.change:g} within {rate.within_s:g} s are plausible"

    def _stuck(self, one: Measured, value: float) -> tuple[str, str] | None:
        limit_s, now_ms = one.rules.stuck_s, self._known.received_ms
        since_ms = self._same_since(one, value)
        if limit_s is None or now_ms is None or not stood_still(since_ms, now_ms, limit_s * 1000):
            return None
        return "stuck", f"{value:g} {one.measurement.unit} has not changed for {limit_s:g} s"

    # ---- the reading as a whole

    def _all_zero(self, measured: Sequence[Measured]) -> bool:
        sent = [one.sent for one in measured if one.sent is not None and not one.rules.diagnostic]
        if not all_zero(sent):
            return False
        self.remarks.append(f"zero: all {len(sent)} numbers are 0, as a board without its sensors sends them")
        return True

    def _stands_still(self) -> bool:
        """Whether the device's own time has not moved for too long; says so, and why a time is not used."""
        rules, time, now_ms = self._profile.time, self._time, self._known.received_ms
        if rules is None or time is None:
            return False
        if time.why_not:
            self.remarks.append(f"time: {time.why_not}")
        held = self._held
        if now_ms is None or held is None or rules.stands_still_s is None or time.shown_ms is None:
            return False
        if time.shown_ms != held.device_ms or not stood_still(
            held.device_since_ms, now_ms, rules.stands_still_s * 1000
        ):
            return False
        self.remarks.append(
            f"time: the device's clock has stood at {iso(time.shown_ms)} for {rules.stands_still_s:g} s: it is frozen"
        )
        return True

    # ---- memory

    def _held_of(self, one: Measured) -> Held:
        held = None if self._held is None else self._held.values.get(one.rules.name)
        known = len(NOTHING)  # a newer release may remember more of a measurement
        return held[:known] if held is not None and len(held) >= known else NOTHING

    def _same_since(self, one: Measured, value: float) -> float | None:
        """Since when the value is the same; None when it is new, or was not looked at for as long as the rule's limit.

        Two equal values with a long outage between them do not show that nothing moved.
        """
        *_, last, since_ms = self._held_of(one)
        now_ms, limit_s, held = self._known.received_ms, one.rules.stuck_s, self._held
        if last != value or now_ms is None or limit_s is None or held is None or held.at_ms is None:
            return None
        return since_ms if now_ms - held.at_ms < limit_s * 1000 else None

    def _remembered(self, one: Measured, judged: Measurement, now_ms: int) -> list[float | None]:
        good, when_ms, last, since_ms = self._held_of(one)
        value = judged.value
        if value is not None and one.rules.rate is not None and judged.quality is Quality.GOOD:
            good, when_ms = value, now_ms
        if value is not None and one.rules.stuck_s is not None:
            since_ms = self._same_since(one, value)
            last, since_ms = value, now_ms if since_ms is None else since_ms
        return [good, when_ms, last, since_ms]

    def _clock(self, now_ms: int) -> tuple[int | None, int | None]:
        """The device's time as last seen, and since when."""
        rules, time, held = self._profile.time, self._time, self._held
        if rules is None or rules.stands_still_s is None or time is None:
            return None, None
        if time.shown_ms is None or (held is not None and held.device_ms == time.shown_ms):
            return (None, None) if held is None else (held.device_ms, held.device_since_ms)
        return time.shown_ms, now_ms


def _hint(one: Measured, value: float) -> str | None:
    if one.sent is None or one.rules.diagnostic:
        return None
    return sentinel_hint(one.sent, one.measurement.unit if one.sent == value else "")


def _doubted(measurement: Measurement) -> Measurement:
    if measurement.value is None or measurement.quality is Quality.SUSPECT:
        return measurement
    return replace(measurement, quality=Quality.SUSPECT)
