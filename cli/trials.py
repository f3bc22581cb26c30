"""Trying a profile on an answer: what a chamber's reading would be."""

import base64
import json
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cli.exits import CommandError, Complaint, ExitCode
from collector.domain.errors import InvalidFieldError, SlotFailedError
from collector.domain.instants import iso
from collector.domain.profile_document import ProfileDocument, ProfileOrigin, plain_text
from collector.mapping.answer import map_answer
from collector.mapping.circumstances import Circumstances
from collector.mapping.json_schema import profile_schema
from collector.mapping.lint import remarks_on
from collector.mapping.loading import ProfileError, load_profile
from collector.mapping.profile import Profile

Json = dict[str, Any]
CHUNKED = re.compile(rb"^transfer-encoding[ \t]*:[ \t]*chunked[ \t]*\r?$", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True, slots=True)
class LocalProfile:
    """A profile, and the text that it was read from."""

    profile: Profile
    document: ProfileDocument


def read_profile(file: Path) -> LocalProfile:
    """Read a profile file; any name will do.

    Raises:
        CommandError: REFUSED; says file, line and key.
    """
    return compiled(_text_of(file), str(file))


def checked(file: Path) -> Json:
    """What a profile file says, and what it does not say.

    Raises:
        CommandError: REFUSED; says file, line and key.
    """
    local = read_profile(file)
    return {
        "file": str(file),
        "profile": local.profile.name,
        "version": local.document.version,
        "measurements": dict(local.profile.units()),
        "remarks": list(remarks_on(local.profile)),
    }


def schema_text() -> str:
    """The JSON schema of a profile."""
    return json.dumps(profile_schema(), ensure_ascii=False, indent=2)


def circumstances(received_ms: int | None, timezone: str | None, serial_number: str | None = None) -> Circumstances:
    """What is known of an answer besides its bytes."""
    return Circumstances(received_ms=received_ms, timezone=timezone or "", serial_number=serial_number or "")


def compiled(text: str, file: str) -> LocalProfile:
    """Read a profile's text.

    Raises:
        CommandError: REFUSED; says file, line and key.
    """
    try:
        profile = load_profile(text, file)
    except ProfileError as error:
        where = f"{file}:{error.line}" if error.line else file
        problem = f"{error.key}: {error.problem}" if error.key else error.problem
        raise CommandError(ExitCode.REFUSED, Complaint(where, problem, error.remedy)) from None
    return LocalProfile(profile, ProfileDocument(profile.name, plain_text(text), ProfileOrigin.ORGANIZATION))


def read_answer(file: Path) -> bytes:
    """The body of a recorded answer; `-` is standard input. A head (`HTTP/1.1 200 OK ...`) before it is cut off.

    Raises:
        InvalidFieldError: field `answer`.
    """
    try:
        recorded = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
    except OSError as error:
        problem = f"{str(file)[-80:]!r} cannot be read: {error.strerror}"
        raise InvalidFieldError("answer", problem, "name a file that is there, or - for standard input") from None
    return _body_of(recorded)


def _body_of(recorded: bytes) -> bytes:
    if not recorded.startswith(b"HTTP/"):
        return recorded
    ends = [(place, len(blank)) for blank in (b"\r\n\r\n", b"\n\n") if (place := recorded.find(blank)) >= 0]
    if not ends:
        return b""
    place, length = min(ends)
    head, body = recorded[:place], recorded[place + length :]
    return _dechunked(body) if CHUNKED.search(head) else body


def _dechunked(body: bytes) -> bytes:
    """The chunks put together; a body that was saved without their sizes stays as it is."""
    whole, rest = b"", body
    while rest:
        size, line_end, behind = rest.partition(b"\r\n")
        try:
            length = int(size.partition(b";")[0], 16)
        except ValueError:
            return body
        if not line_end or length == 0:
            break
        whole, rest = whole + behind[:length], behind[length:].removeprefix(b"\r\n")
    return whole


def tried(local: LocalProfile, body: bytes, known: Circumstances) -> Json:
    """What the answer says by the profile; `gap` says why it is none."""
    trial: Json = {"profile": local.profile.name, "version": local.document.version, "gap": None}
    try:
        mapped = map_answer(local.profile, body, known)
    except SlotFailedError as error:
        gap = {"reason": error.reason.value, "detail": error.detail}
        return {**trial, "gap": gap, "measurements": {}, "observed_at": None, "remarks": []}
    found = {m.name: {"value": m.value, "unit": m.unit, "quality": m.quality.value} for m in mapped.measurements}
    observed_at = None if mapped.observed_ms is None else iso(mapped.observed_ms)
    return {**trial, "measurements": found, "observed_at": observed_at, "remarks": list(mapped.remarks)}


def body_of(answer: Mapping[str, Any]) -> bytes:
    """The body of a last answer as the API answers it.

    Raises:
        CommandError: REFUSED; only its beginning was kept.
    """
    if answer["truncated"]:
        problem = f"only the first 64 KiB of its {answer['size']} bytes were kept"
        raise CommandError(ExitCode.REFUSED, Complaint("chamber", problem, "record an answer and name its file"))
    return base64.b64decode(answer["body"])


def _text_of(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise InvalidFieldError("file", f"{str(file)[-80:]!r} is not UTF-8 text", "save it as UTF-8") from None
    except OSError as error:
        problem = f"{str(file)[-80:]!r} cannot be read: {error.strerror}"
        raise InvalidFieldError("file", problem, "name a profile's file") from None
