"""What a chamber is, and what its owner may ask for."""

import re
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from collector.domain.cadence import Grid, grid_of
from collector.domain.errors import InvalidFieldError
from collector.domain.zone_names import zone_exists

ID_PATTERN = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
SECRET_PATTERN = re.compile(r"env:[A-Za-z_][A-Za-z0-9_]*|file:/\S+")
INTERVAL_MS = (1_000, 86_400_000)
TIMEOUT_FLOOR_MS = 100
TIMEOUT_DEFAULT_MS = 10_000
ROUND_SPAN_CEILING_MS = 3_600_000
URL_LIMIT, SECRET_LIMIT = 2_000, 1_000
LABELS_LIMIT, LABEL_LIMIT, NAME_LIMIT = 16, 200, 200
SERIAL_LIMIT = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class ChamberSpec:
    """What the owner asked for: what is read, how often, how patiently. It travels in Temporal: no secrets in it.

    Attributes:
        id: unique in the deployment, `[a-z0-9][a-z0-9-]{0,62}`.
        organization: the tenant.
        section: where it stands.
        url: http or https, without user-info; a bare host gets the profile's path.
        profile: name of the device profile.
        interval_ms: distance of two slots, 1 s to 24 h.
        timeout_ms: total time budget of one attempt.
        name: for people.
        round_span_ms: explicit length of a round; None = one slot from 60 s on, else 300 s.
        aligned: slots at multiples of the interval since the epoch, instead of spread by the id.
        labels: the owner's own words.
        secret_ref: `env:NAME` or `file:/path`, resolved by the worker.
        verify_tls: False accepts self-signed certificates.
        version: counts the changes; the registry's is the truth.
        profile_version: which version of the profile reads it; "" = whichever the worker has by that name.
        timezone: IANA name of the zone in which the device keeps its time, where it names none; "" = not known.
        serial_number: the device's own; another one at the address is another device. "" = as it was first seen.
    """

    id: str
    organization: str
    section: str
    url: str
    profile: str
    interval_ms: int
    timeout_ms: int
    name: str = ""
    round_span_ms: int | None = None
    aligned: bool = False
    labels: dict[str, str] = field(default_factory=dict)
    secret_ref: str | None = None
    verify_tls: bool = True
    version: int = 1
    profile_version: str = ""
    timezone: str = ""
    serial_number: str = ""

    @property
    def grid(self) -> Grid:
        """The grid of slots that this spec asks for."""
        return grid_of(self.id, self.interval_ms, aligned=self.aligned)


@dataclass(frozen=True, slots=True)
class Pause:
    """A chamber deliberately not read.

    Attributes:
        since_ms: the first slot that was not handed out.
        reason: why.
        by: by whom; authenticated through the API, as claimed through a signal.
        until_ms: when it ends by itself; None = until somebody resumes it.
    """

    since_ms: int
    reason: str = ""
    by: str = ""
    until_ms: int | None = None


def default_timeout_ms(interval_ms: int) -> int:
    """Half the interval, at most 10 s."""
    return min(TIMEOUT_DEFAULT_MS, interval_ms // 2)


def check_spec(spec: ChamberSpec) -> None:
    """Refuse what cannot work.

    Raises:
        InvalidFieldError: names the field as the API and CLI do (`interval_s`, not `interval_ms`), and the remedy.
    """
    _check_id(spec.id)
    _check_url(spec.url)
    _check_times(spec)
    _check_texts(spec)
    _check_device(spec)


def _check_id(chamber_id: str) -> None:
    if not ID_PATTERN.fullmatch(chamber_id):
        raise InvalidFieldError(
            "id",
            f"{chamber_id[:80]!r} is not a chamber id",
            "use 1 to 63 of a-z, 0-9 and '-', beginning with a letter or digit",
        )


def _check_url(url: str) -> None:
    remedy = "write it like http://192.168.1.20/measures/current"
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise InvalidFieldError("url", "it cannot be parsed", remedy) from None
    if parts.scheme not in ("http", "https") or not host or port == 0:
        raise InvalidFieldError("url", f"{url[:80]!r} is not an http or https URL with a host", remedy)
    if parts.username is not None or parts.password is not None:
        raise InvalidFieldError(
            "url", "it carries user-info", "give the credential as secret_ref, such as env:LAB3_TOKEN"
        )
    if len(url) > URL_LIMIT or not url.isprintable() or " " in url:
        raise InvalidFieldError(
            "url", f"it is longer than {URL_LIMIT} characters or has blanks or control characters", remedy
        )


def _check_times(spec: ChamberSpec) -> None:
    low, high = INTERVAL_MS
    if not low <= spec.interval_ms <= high:
        raise InvalidFieldError(
            "interval_s", f"{spec.interval_ms / 1000:g} s is out of range", "give 1 to 86400 seconds"
        )
    if not TIMEOUT_FLOOR_MS <= spec.timeout_ms <= spec.interval_ms:
        raise InvalidFieldError(
            "timeout_s", f"{spec.timeout_ms / 1000:g} s is out of range", "give 0.1 seconds up to the interval"
        )
    span = spec.round_span_ms
    if span is not None and not low <= span <= ROUND_SPAN_CEILING_MS:
        raise InvalidFieldError(
            "round_span_s", f"{span / 1000:g} s is out of range", "give 1 to 3600 seconds, or leave it out"
        )


def _check_texts(spec: ChamberSpec) -> None:
    ref = spec.secret_ref
    if ref is not None and not (SECRET_PATTERN.fullmatch(ref) and ref.isprintable() and len(ref) <= SECRET_LIMIT):
        raise InvalidFieldError(
            "secret_ref", "it is not a reference", "write env:NAME or file:/absolute/path, never the secret"
        )
    if len(spec.name) > NAME_LIMIT:
        raise InvalidFieldError("name", f"it is longer than {NAME_LIMIT} characters", "shorten it")
    if len(spec.labels) > LABELS_LIMIT or any(
        len(k) > LABEL_LIMIT or len(v) > LABEL_LIMIT for k, v in spec.labels.items()
    ):
        raise InvalidFieldError(
            "labels", f"more than {LABELS_LIMIT} labels, or one longer than {LABEL_LIMIT}", "keep fewer, shorter ones"
        )
    for name, texts in (("name", spec.name), ("labels", "".join(k + v for k, v in spec.labels.items()))):
        if "\x00" in texts:
            raise InvalidFieldError(name, "a NUL character cannot be stored", "remove it")


def _check_device(spec: ChamberSpec) -> None:
    if spec.timezone and not zone_exists(spec.timezone):
        raise InvalidFieldError(
            "timezone",
            f"{spec.timezone[:80]!r} is not a zone of the IANA database",
            "write a name like Europe/Prague or UTC, with its capitals, or leave it out",
        )
    serial = spec.serial_number
    if serial and not (serial.strip() and serial.isprintable() and len(serial) <= SERIAL_LIMIT):
        raise InvalidFieldError(
            "serial_number",
            f"it is not 1 to {SERIAL_LIMIT} printable characters",
            "write it as the device itself names it, or leave it out",
        )
