"""Fault -> outcome: what must become of a slot when a device misbehaves. docs/faults.md shows the same table.

`python -m tests.contract.fault_table` prints the page's table.
"""

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from simulator.faults import KINDS

Value = tuple[str, float | None]
"""Quality, and value in the stored unit (None = not told, or none)."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What must come out.

    Attributes:
        reason: of a gap; "" = a reading.
        code: of the gap's detail.
        changed: measurement -> what it is, where it differs from the untouched answer's.
        gone: measurements that the untouched answer has and this one has not.
        observed: whether the device's time is used; None = as in the untouched answer.
    """

    reason: str = ""
    code: str = ""
    changed: Mapping[str, Value] = field(default_factory=dict)
    gone: tuple[str, ...] = ()
    observed: bool | None = None

    def __str__(self) -> str:
        if self.reason:
            return f"gap `{self.reason}`, `{self.code}`"
        told = [f"{name} `{quality}`{_number(value)}" for name, (quality, value) in self.changed.items()]
        told += [f"no {name}" for name in self.gone]
        told += [] if self.observed is None else ["its time is used" if self.observed else "its time is not used"]
        return f"reading: {', '.join(told)}" if told else "reading as ever"


@dataclass(frozen=True, slots=True)
class Row:
    """One fault of one dialect.

    Attributes:
        fault: the fault's document.
        expected: what must come out.
        dialect: of the device.
        timeout_ms: of the chamber; short where the fault is that no answer comes.
        again_after_s: the fault goes on for so long: what comes out then.
        at: the instant at which the chamber's worker is, seconds since the Unix epoch; None = now.
        note: on the page, what the row alone does not say.
    """

    fault: Mapping[str, object]
    expected: Expected
    dialect: str = "generic-json"
    timeout_ms: int = 10_000
    again_after_s: float | None = None
    at: float | None = None
    note: str = ""

    @property
    def id(self) -> str:
        """For people."""
        return "-".join([self.dialect, *(str(value) for value in self.fault.values())])

    @property
    def told(self) -> tuple[str, str, str]:
        """What is done, by which device, and what comes out, as the page says it."""
        fields = ", ".join(f"{name} {_shown(value)}" for name, value in self.fault.items() if name != "kind")
        fault = f"`{self.fault['kind']}`" + (f" ({fields})" if fields else "")
        does = KINDS[str(self.fault["kind"])].about + (f"; {self.note}" if self.note else "")
        return fault, does, str(self.expected)


def _number(value: float | None) -> str:
    return "" if value is None else f" {value:g}"


def _shown(value: object) -> str:
    return f'"{value}"' if isinstance(value, str) and not str(value).isalpha() else str(value)


def gap(reason: str, code: str) -> Expected:
    """A gap."""
    return Expected(reason, code)


def reading(*gone: str, observed: bool | None = None, **changed: str | Value) -> Expected:
    """A reading that differs from the untouched one in these measurements."""
    values = {name: (value, None) if isinstance(value, str) else value for name, value in changed.items()}
    return Expected(changed=values, gone=gone, observed=observed)


AS_EVER = reading()
AWAIR = ("temperature", "relative_humidity", "dew_point", "co2", "voc", "pm2_5", "pm10", "absolute_humidity")
FROZEN = Expected(changed=dict.fromkeys(AWAIR, ("suspect", None)))
SHORT_MS = 300
FOLD_S = 1_761_438_600.0
"""2025-10-26T00:30:00Z: 02:30 in Central Europe, for the first time that night."""
GAP_S = 1_774_747_800.0
"""2026-03-29T01:30:00Z: 03:30 in Central Europe, where that night has no 02:30."""


def rows(expected: Expected, *faults: object, dialects: str = "generic-json", **more: object) -> Iterator[Row]:
    """Rows that come to the same."""
    for fault in faults:
        document: Mapping[str, object] = {"kind": fault} if isinstance(fault, str) else fault  # type: ignore[assignment]
        for dialect in dialects.split():
            yield Row(document, expected, dialect, **more)  # type: ignore[arg-type]


def word(text: str, **more: object) -> dict[str, object]:
    """A fault that sends a word for a number."""
    return {"kind": "word", "word": text, **more}


def sentinel(value: float) -> dict[str, object]:
    """A fault that sends a number that means a faulty channel."""
    return {"kind": "sentinel", "value": value}


PORT: list[Row] = [
    *rows(gap("unreachable", "refused"), "down", "asleep"),
    *rows(gap("timeout", "read_timeout"), "web-server-dead", "silence", "hang", timeout_ms=SHORT_MS),
    *rows(gap("timeout", "read_timeout"), {"kind": "slow", "seconds": 3.0}, timeout_ms=SHORT_MS),
    *rows(AS_EVER, {"kind": "slow", "seconds": 0.2}),
    *rows(gap("timeout", "budget"), {"kind": "drip", "seconds": 0.01}, timeout_ms=SHORT_MS),
    *rows(AS_EVER, {"kind": "drip", "seconds": 0.0005}),
    *rows(gap("timeout", "connect_timeout"), "syn-dropped", timeout_ms=SHORT_MS),
    *rows(gap("unreachable", "reset"), "reset", "reset-on-accept"),
    *rows(AS_EVER, {"kind": "refused-after", "count": 1}),
    *rows(
        gap("unreachable", "refused"),
        {"kind": "refused-after", "count": 1},
        again_after_s=60,
        note="the slot after",
    ),
    *rows(AS_EVER, "one-socket", "six-connections", note="chamberlog has one connection at a time"),
]
TRANSPORT: list[Row] = [
    *rows(
        AS_EVER,
        *("close-delimited", "http10", "bare-lf", "no-reason", "empty-header", "chunked", "chunk-size-blank"),
    ),
    *rows(
        AS_EVER,
        *("chunk-bare-lf", "identity", "lower-case", "icy", "crlf-first"),
        *("header-without-colon", "blank-in-header", "blank-after-header"),
    ),
    *rows(gap("http_status", "http_600"), "status-600"),
    *rows(gap("malformed", "not_http"), "garbage", "http09"),
    *rows(gap("malformed", "bad_http"), "two-lengths"),
    *rows(gap("unreachable", "cut"), "chunk-cut", "no-last-chunk", "length-cut"),
    *rows(gap("malformed", "encoding"), "gzip-header"),
    *rows(gap("unreachable", "closed"), "empty-reply"),
    *rows(gap("unreachable", "reset"), "reset-mid-body"),
    *rows(gap("http_status", "http_302"), {"kind": "redirect", "form": "login"}, {"kind": "redirect", "form": "https"}),
    *rows(gap("malformed", "length"), "short-length", dialects="generic-json memmert-atmoweb generic-csv"),
    *rows(gap("malformed", "decode"), "cut"),
    *rows(gap("malformed", "truncated"), "cut", dialects="memmert-atmoweb generic-xml airgradient-metrics"),
    *rows(reading(pressure=("suspect", 1013)), "cut", dialects="prometheus generic-csv"),
    *rows(reading(outdoor_temperature=("suspect", 12)), "cut", dialects="daikin"),
]
CONTENT: list[Row] = [
    *rows(gap("unauthorized", "http_401"), {"kind": "status", "code": 401}),
    *rows(gap("unauthorized", "http_403"), {"kind": "status", "code": 403}),
    *rows(gap("http_status", "http_404"), {"kind": "status", "code": 404}),
    *rows(gap("http_status", "http_429"), {"kind": "status", "code": 429}, {"kind": "retry-after", "seconds": 30}),
    *rows(gap("http_status", "http_500"), {"kind": "status", "code": 500}),
    *rows(gap("http_status", "http_503"), {"kind": "status", "code": 503}),
    *rows(gap("http_status", "http_422"), "traceback", dialects="espec-web-controller"),
    *rows(gap("denied", "denied"), "refusal", dialects="memmert-atmoweb comet-web-sensor daikin tasmota"),
    *rows(
        gap("malformed", "decode"),
        {"kind": "wrong-type", "form": "html"},
        *("captive-portal", "empty-body"),
        dialects="generic-json memmert-atmoweb generic-xml",
    ),
    *rows(gap("malformed", "number"), {"kind": "wrong-type", "form": "text"}),
    *rows(gap("malformed", "select"), "empty-object", "keys-missing", dialects="generic-json airgradient awair"),
    *rows(gap("malformed", "select"), "empty-list", dialects="generic-json sensor-community"),
    *rows(gap("too_large", "too_large"), *({"kind": "huge-body", "form": f} for f in ("announced", "endless", "gzip"))),
    *rows(gap("malformed", "decode"), "deep-nesting", dialects="generic-json generic-xml memmert-atmoweb"),
    *rows(gap("malformed", "decode"), "entity-bomb", dialects="generic-xml hw-group papouch-tme"),
    *rows(gap("malformed", "decode"), "duplicate-keys"),
    *rows(gap("malformed", "decode"), "torn-row", dialects="generic-json comet-web-sensor"),
    *rows(gap("malformed", "truncated"), "torn-row", dialects="memmert-atmoweb hw-group"),
    *rows(
        reading("relative_humidity", "co2", "pressure", temperature=("suspect", 2)), "torn-row", dialects="prometheus"
    ),
    *rows(reading("humidity", "co2", "pressure", temperature=("suspect", 2)), "torn-row", dialects="generic-csv"),
    *rows(
        reading(temperature=("suspect", 2), relative_humidity="missing", outdoor_temperature="missing"),
        "torn-row",
        dialects="daikin",
    ),
    *rows(gap("malformed", "charset"), "latin-1"),
    *rows(AS_EVER, "latin-1", dialects="comet-web-sensor papouch-tme"),
    *rows(AS_EVER, "bom", dialects="generic-json generic-xml generic-csv memmert-atmoweb daikin prometheus"),
    *rows(AS_EVER, "nul", dialects="generic-json generic-xml generic-csv memmert-atmoweb daikin prometheus"),
    *rows(AS_EVER, "text-numbers", "extra-digits", dialects="generic-json airgradient memmert-atmoweb awair"),
    *rows(AS_EVER, "glued-unit", dialects="generic-json"),
    *rows(
        AS_EVER,
        "key-order",
        dialects="generic-json espec-web-controller ecowitt nettigo generic-csv daikin memmert-atmoweb",
    ),
    *rows(reading("temperature"), "channel-renamed", dialects="generic-json generic-csv"),
    *rows(reading(temperature="missing"), "channel-renamed", dialects="airgradient memmert-atmoweb daikin"),
]
VALUES: list[Row] = [
    *rows(reading("temperature"), "null"),
    *rows(reading(temperature="missing"), "null", dialects="airgradient"),
    *rows(reading(temperature="missing"), word("n/a"), word("-"), word("--")),
    *rows(reading(temperature="bad"), word("nan"), word("Error 2"), "nan-literal"),
    *rows(gap("malformed", "select"), {"kind": "null", "form": "all"}),
    *rows(gap("malformed", "number"), word("nan", form="all")),
    *rows(reading(temperature="missing"), word("N/A"), dialects="memmert-atmoweb"),
    *rows(reading(temperature="bad"), word("Error 2"), dialects="comet-web-sensor"),
    *rows(reading(temperature="bad"), word("nan"), dialects="purpleair"),
    *rows(gap("malformed", "sentinel"), word("unavailable"), dialects="home-assistant"),
    *rows(gap("malformed", "sentinel"), word("NA"), dialects="esphome"),
    *rows(reading(temperature="bad"), sentinel(-999.9), sentinel(-127), sentinel(-9999), sentinel(32767)),
    *rows(reading(temperature=("suspect", 65_535)), sentinel(65_535), note="the profile's `range`"),
    *rows(reading(temperature="bad"), sentinel(-999.9), dialects="memmert-atmoweb hw-group"),
    *rows(reading(temperature="bad"), sentinel(85), sentinel(-127), dialects="shelly-rpc tasmota nettigo"),
    *rows(gap("malformed", "sentinel"), sentinel(-9999), dialects="papouch-tme"),
    *rows(
        reading(temperature="bad", humidity="bad", pressure="bad"),
        "decimal-comma",
        note="the profile does not say that this device writes commas",
    ),
    *rows(gap("malformed", "decode"), "decimal-comma", dialects="generic-csv daikin", note="the comma separates there"),
    *rows(
        reading(temperature=("suspect", 0), humidity=("suspect", 0), co2=("suspect", 0), pressure=("suspect", 0)),
        "all-zero",
    ),
    *rows(reading(temperature=("good", 21.5)), "fahrenheit", dialects="espec-web-controller hw-group papouch-tme"),
    *rows(
        reading(temperature=("good", 21.5)), "fahrenheit", dialects="tasmota ecowitt home-assistant comet-web-sensor"
    ),
    *rows(AS_EVER, "fahrenheit", dialects="esphome"),
    *rows(
        reading(temperature=("suspect", 51.5)),
        {"kind": "jump", "value": 30},
        dialects="awair daikin ecowitt",
    ),
    *rows(
        reading(temperature=("good", 70.7)),
        "fahrenheit",
        note="nothing in the answer tells: a profile of your own can, by `rate` or `range`",
    ),
]
TIME: list[Row] = [
    *rows(reading(observed=False), "clock-1970", dialects="awair tasmota shelly-rpc comet-web-sensor purpleair"),
    *rows(reading(observed=False), {"kind": "clock-jump", "shift_s": 7_200}, dialects="awair tasmota shelly-rpc"),
    *rows(
        reading(observed=False),
        {"kind": "clock-jump", "shift_s": -18_000},
        dialects="espec-web-controller shelly-rpc",
        note="as a clock that runs in another zone than it is said to",
    ),
    *rows(AS_EVER, {"kind": "clock-jump", "shift_s": 60}, dialects="awair", note="within the profile's `max_skew_s`"),
    *rows(AS_EVER, "naive-time", dialects="awair", note="the profile says that it is UTC"),
    *rows(AS_EVER, "milliseconds", dialects="shelly-rpc"),
    *rows(AS_EVER, "dst-fold", dialects="tasmota comet-web-sensor", at=FOLD_S, note="the first time"),
    *rows(AS_EVER, "dst-fold", dialects="tasmota comet-web-sensor", at=FOLD_S + 3_600, note="the second time"),
    *rows(reading(observed=False), "dst-gap", dialects="tasmota comet-web-sensor", at=GAP_S),
    *rows(
        AS_EVER, "time-stands-still", dialects="awair purpleair", note="for less than the profile's `stands_still_s`"
    ),
    *rows(
        FROZEN,
        "time-stands-still",
        dialects="awair",
        again_after_s=600,
        note="for longer",
    ),
    *rows(
        gap("misconfigured", "identity"), "other-device", dialects="comet-web-sensor hw-group shelly-rpc airgradient"
    ),
    *rows(AS_EVER, "other-device", note="it names no serial number"),
    *rows(AS_EVER, "restarted", dialects="shelly-rpc nettigo purpleair"),
    *rows(AS_EVER, "stuck", note="no built-in profile says `stuck_s`: there are rooms in which nothing changes"),
]
SECTIONS = {
    "Connections": PORT,
    "HTTP": TRANSPORT,
    "Answers": CONTENT,
    "Values": VALUES,
    "Time and identity": TIME,
}
ROWS = [row for rows_of in SECTIONS.values() for row in rows_of]


def table() -> str:
    """The page's tables; dialects of which the same is said share a line."""
    return "\n".join(f"## {title}\n\n{_section(rows_of)}" for title, rows_of in SECTIONS.items())


def _section(rows_of: list[Row]) -> str:
    lines: dict[tuple[str, str, str], list[str]] = {}
    for row in rows_of:
        lines.setdefault(row.told, []).append(row.dialect)
    head = "| fault | the device | dialect | outcome |\n|---|---|---|---|\n"
    told = (f"| {fault} | {does} | {', '.join(names)} | {out} |\n" for (fault, does, out), names in lines.items())
    return head + "".join(told)


if __name__ == "__main__":
    sys.stdout.write(table())
