"""Where the API is and with which key: flags, else the environment, else the local stack of this directory."""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cli.exits import CommandError, Complaint, ExitCode
from collector.domain.chamber import ID_PATTERN

STACK_FILE = "stack.json"


@dataclass(frozen=True, slots=True)
class Target:
    """The API that a command speaks to.

    Attributes:
        url: base URL without a trailing slash.
        key: the API key.
        origin: where the URL was found, for messages.
        organization: in which a super-administrator acts; None = in the key's own.
    """

    url: str
    key: str
    origin: str
    organization: str | None = None


@dataclass(frozen=True, slots=True)
class TargetFlags:
    """What the command line says about the target; None = not given.

    Attributes:
        api: base URL.
        key: the API key.
        key_file: a file that holds the key.
        home: directory of the local stack.
        organization: in which a super-administrator acts.
    """

    api: str | None = None
    key: str | None = None
    key_file: Path | None = None
    home: Path | None = None
    organization: str | None = None


def home_directory(flag: Path | None) -> Path:
    """The local stack's directory: the flag, else CHAMBERLOG_HOME, else `.chamberlog` here."""
    return flag or Path(os.environ.get("CHAMBERLOG_HOME") or ".chamberlog")


def find_target(flags: TargetFlags) -> Target:
    """Find address and key, each by itself: flags, else environment, else `stack.json`.

    Raises:
        CommandError: AWAY without an address, UNAUTHORIZED without a key, REFUSED when a file cannot be read.
    """
    home = home_directory(flags.home)
    stack = read_stack(home)
    url, origin = _find_url(flags.api, stack, home)
    is_local = url in (stack.get("api"), stack.get("gateway"))
    key = _find_key(flags, stack if is_local else {})  # the local stack's key is for the local stack only
    return Target(url.rstrip("/"), key, origin, find_organization(flags))


def find_url(flags: TargetFlags) -> str:
    """The address alone, found as by `find_target`.

    Raises:
        CommandError: AWAY without an address, REFUSED when it is none, or a file cannot be read.
    """
    home = home_directory(flags.home)
    return _find_url(flags.api, read_stack(home), home)[0]


def find_web_ui(flags: TargetFlags, target: Target) -> str | None:
    """Where people open the Temporal Web UI: CHAMBERLOG_TEMPORAL_UI, else the local stack's if the target is it.

    Raises:
        CommandError: REFUSED, when it is no URL, or the stack's file cannot be read.
    """
    own = os.environ.get("CHAMBERLOG_TEMPORAL_UI")
    if own:
        return _checked_url(own, "CHAMBERLOG_TEMPORAL_UI").rstrip("/")
    stack = read_stack(home_directory(flags.home))
    found = stack.get("web_ui") if target.url in (stack.get("api"), stack.get("gateway")) else None
    return None if found is None else str(found)


def find_organization(flags: TargetFlags) -> str | None:
    """In which organization to act: the flag, else CHAMBERLOG_ORGANIZATION; None = in the key's own.

    Raises:
        CommandError: REFUSED, when it cannot be one.
    """
    candidates = (
        (flags.organization, "--organization"),
        (os.environ.get("CHAMBERLOG_ORGANIZATION"), "CHAMBERLOG_ORGANIZATION"),
    )
    for name, origin in candidates:
        if name:
            if not ID_PATTERN.fullmatch(name):
                complaint = Complaint(origin, f"{name[:80]!r} is not the id of an organization", "`a-z`, `0-9` and `-`")
                raise CommandError(ExitCode.REFUSED, complaint)
            return name
    return None


def _find_url(flag: str | None, stack: dict[str, Any], home: Path) -> tuple[str, str]:
    candidates = (
        (flag, "--api"),
        (os.environ.get("CHAMBERLOG_API"), "CHAMBERLOG_API"),
        (stack.get("api"), str(home / STACK_FILE)),
    )
    for url, origin in candidates:
        if url:
            return _checked_url(url, origin), origin
    remedy = "start a local stack with `chamberlog up`, or give --api or CHAMBERLOG_API"
    raise CommandError(ExitCode.AWAY, Complaint("api", f"no address, and no stack runs in {home}", remedy))


def _checked_url(url: str, origin: str) -> str:
    if not url.startswith(("http://", "https://")):
        remedy = "write it like http://127.0.0.1:8080"
        raise CommandError(ExitCode.REFUSED, Complaint("api", f"{url[:80]!r} of {origin} is not a URL", remedy))
    return url


def _find_key(flags: TargetFlags, stack: dict[str, Any]) -> str:
    environment = os.environ
    candidates: tuple[tuple[str, str | None, Path | str | None], ...] = (
        ("--api-key", flags.key, flags.key_file),
        ("CHAMBERLOG_API_KEY", environment.get("CHAMBERLOG_API_KEY"), environment.get("CHAMBERLOG_API_KEY_FILE")),
        ("api_key_file", None, stack.get("api_key_file")),
    )
    for name, key, path in candidates:
        if key or path:
            return _checked_key(name, key or _read_key(name, Path(path or "")))
    remedy = "give --api-key-file, CHAMBERLOG_API_KEY or CHAMBERLOG_API_KEY_FILE"
    raise CommandError(ExitCode.UNAUTHORIZED, Complaint("api_key", "there is none", remedy))


def _checked_key(name: str, key: str) -> str:
    if key.isascii() and key.isprintable() and " " not in key:
        return key
    remedy = "give the key as it was handed out, chl_..., alone in its file"
    raise CommandError(ExitCode.REFUSED, Complaint(name, "it is not an API key", remedy))


def _read_key(name: str, path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        remedy = "name a readable file that holds the key alone"
        raise CommandError(ExitCode.REFUSED, Complaint(name, f"{path}: {_reason(error)}", remedy)) from None


def read_stack(home: Path) -> dict[str, Any]:
    """What the running local stack says of itself; empty when none runs there.

    Raises:
        CommandError: REFUSED, when the file is there and cannot be read.
    """
    path = home / STACK_FILE
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        remedy = "start the stack anew with `chamberlog up`"
        raise CommandError(ExitCode.REFUSED, Complaint("home", f"{path}: {_reason(error)}", remedy)) from None
    return document if isinstance(document, dict) else {}


def _reason(error: Exception) -> str:
    return (error.strerror or str(error)) if isinstance(error, OSError) else str(error)
