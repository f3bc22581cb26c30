"""What a dialect is: how one device family answers, and how it lets itself be asked."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum
from urllib.parse import parse_qsl, unquote
from zoneinfo import ZoneInfo

from simulator.dialects.marks import Fill, written
from simulator.replay import Sample


@dataclass(frozen=True, slots=True)
class Answer:
    """A device's answer and what the device calls it.

    Attributes:
        body: as it is sent, unless a header says otherwise.
        content_type: of the header; "" = the device sends none.
        status: HTTP status.
        headers: further lines of the head.
    """

    body: bytes
    content_type: str
    status: int = 200
    headers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Moment:
    """What a device knows when it answers.

    Attributes:
        device_id: who it is; its serial number and addresses follow from it.
        sample: the air around it.
        serial: number of the answer.
        clock_s: its own clock, seconds since the Unix epoch.
        uptime_s: since it started, by its own count.
        zone: of its clock; "" = UTC.
        asked: the parameters of the request.
        settings: what was written into it, by parameter.
        fahrenheit: somebody switched its panel.
    """

    device_id: str
    sample: Sample
    serial: int
    clock_s: float = 1_790_000_000.0
    uptime_s: float = 86_400.0
    zone: str = ""
    asked: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, str] = field(default_factory=dict)
    fahrenheit: bool = False

    @property
    def hexadecimal(self) -> str:
        """Twelve digits that are the device's alone: its MAC address, or its serial number."""
        return hashlib.sha256(self.device_id.encode()).hexdigest()[:12]

    @property
    def decimal(self) -> str:
        """Eight digits that are the device's alone."""
        return str(10_000_000 + int(self.hexadecimal, 16) % 89_999_999)

    @property
    def utc(self) -> datetime:
        """Its clock in UTC."""
        return datetime.fromtimestamp(self.clock_s, UTC)

    @property
    def local(self) -> datetime:
        """Its clock in its own zone; the offset is there, devices differ in whether they tell it."""
        return self.utc.astimezone(ZoneInfo(self.zone)) if self.zone else self.utc

    @property
    def unit(self) -> str:
        """The unit of its temperatures: `C` or `F`."""
        return "F" if self.fahrenheit else "C"

    def degrees(self, celsius: float, digits: int = 1) -> float:
        """A temperature in the unit of its panel."""
        return round(celsius * 1.8 + 32 if self.fahrenheit else celsius, digits)

    @property
    def dew_point(self) -> float:
        """Of the air around it, in degrees Celsius: 1 degree less for each 5 % below saturation, as a rule of thumb."""
        return self.sample.temperature_c - (100 - self.sample.humidity_pct) / 5


class Framing(Enum):
    """How a device tells where its answer ends."""

    LENGTH = "HTTP/1.1 with Content-Length"
    HTTP10 = "HTTP/1.0 with Content-Length, then it closes"
    UNTIL_CLOSE = "HTTP/1.1, ends with the connection"


class Login(Enum):
    """How a device wants the password that it was given."""

    NONE = "none"
    BASIC = "basic"
    DIGEST = "digest"
    QUERY = "query"
    BEARER = "bearer"


class Shape(Enum):
    """What a body is written in."""

    JSON = "JSON"
    FRAGMENT = "JSON fragment"
    XML = "XML"
    CSV = "CSV"
    PAIRS = "key=value"
    METRICS = "metrics"


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """One device family.

    Attributes:
        name: the built-in profile that reads it.
        path: path and query at which its measurements stand.
        write: its answer at a moment, measured values marked.
        channel: the word by which its temperature is found.
        shape: what its body is written in.
        content_type: as it calls its body; "" = it does not say.
        charset: of its body.
        framing: how its answer ends.
        headers: further lines of its head.
        sockets: connections that it serves at one time; None = any.
        login: how it wants a password.
        always_locked: it wants one even if nobody set it.
        zone: of its clock, where its time names none; "" = its clock is in UTC or says its zone.
        refusal: what it says with status 200 when it refuses; None = it has no such answer.
        writes_by_query: a parameter with a value changes it.
    """

    name: str
    path: str
    write: Callable[[Moment], str]
    channel: str = "temperature"
    shape: Shape = Shape.JSON
    content_type: str = "application/json"
    charset: str = "utf-8"
    framing: Framing = Framing.LENGTH
    headers: tuple[str, ...] = ()
    sockets: int | None = None
    login: Login = Login.NONE
    always_locked: bool = False
    zone: str = ""
    refusal: Callable[[Moment], str] | None = None
    writes_by_query: bool = False

    @property
    def place(self) -> str:
        """The path as a request has it after decoding, without the query."""
        return unquote(self.path.partition("?")[0])

    @property
    def query(self) -> dict[str, str]:
        """The parameters that its path asks with."""
        return dict(parse_qsl(self.path.partition("?")[2], keep_blank_values=True))

    def answer(self, moment: Moment, fill: Fill | None = None) -> Answer:
        """The whole answer at a moment.

        Args:
            moment: see `Moment`.
            fill: what is written for each measured value; None = what the device measured.
        """
        return self.finished(written(self.write(moment), fill))

    def finished(self, text: str) -> Answer:
        """A text as this device sends it; what its charset does not have becomes `?`."""
        return Answer(text.encode(self.charset, "replace"), self.content_type, 200, self.headers)


def json_text(document: object) -> str:
    """A JSON document as devices send it; marks stay marks."""
    return json.dumps(document, ensure_ascii=False)
