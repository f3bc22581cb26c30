"""Envoy itself: where it is, how it is started, and whether it would take a configuration."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from collector.domain.errors import InvalidFieldError

VALIDATE_S = 30.0
DRAIN_TIME_S = 1
"""After this a draining gateway takes no new connections; what runs then may still end."""
NAMING = ("cluster", "cluster_name")
"""Keys whose value is the name of a cluster. Envoy itself looks at those of routes only."""
REMEDY = "`make up` or `make test` installs it where the platform has one; else put `envoy` on the PATH"


def find_envoy() -> Path | None:
    """The binary: of this environment, else of the PATH; None where there is none.

    The package that brings it is never imported: another one on the index has the same name.
    """
    beside = Path(sys.executable).with_name("envoy")
    found = str(beside) if os.access(beside, os.X_OK) else shutil.which("envoy")
    return None if found is None else Path(found)


def arguments(binary: Path, configuration: Path) -> list[str | Path]:
    """How it is started: one thread, which is more than one API keeps busy, and quick to drain."""
    drain = ["--drain-time-s", str(DRAIN_TIME_S), "--drain-strategy", "immediate"]
    return [binary, "-c", configuration, "--disable-hot-restart", "--concurrency", "1", "-l", "warn", *drain]


def findings(file: Path) -> list[str]:
    """What is wrong with a configuration, one line each; none when Envoy would run with it.

    Envoy's own validation passes over two things: the names of clusters that nobody defines outside routes (a gate
    that asks nobody is found at the first request), and fields that the next release may not know any more.

    Args:
        file: YAML or JSON; what it names, such as certificates, must be there.

    Raises:
        InvalidFieldError: there is no such file, it is no configuration, or there is no Envoy to ask.
    """
    try:
        document = yaml.safe_load(file.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise InvalidFieldError("file", f"{file} cannot be read: {error}", "name a rendered configuration") from None
    if not isinstance(document, dict):
        raise InvalidFieldError("file", f"{file} is no configuration", "name a rendered configuration")
    refused = _refused(file)
    return refused or dangling(document)  # what Envoy refuses may have any shape


def dangling(document: dict[str, Any]) -> list[str]:
    """Names of clusters that nobody defines, with where they stand."""
    resources = document.get("static_resources") or {}
    defined = {cluster.get("name") for cluster in resources.get("clusters") or []}
    return [f"{where}: there is no cluster {name}" for where, name in _named(resources, "") if name not in defined]


def _refused(file: Path) -> list[str]:
    binary = find_envoy()
    if binary is None:
        raise InvalidFieldError("envoy", "it is not installed", REMEDY)
    command = [str(binary), "--mode", "validate", "-c", str(file), "-l", "warn"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=VALIDATE_S)  # noqa: S603
    said = [_told(line) for line in (done.stdout + done.stderr).splitlines()]
    deprecated = [line for line in said if "deprecated" in line.lower()]
    refused = [line for line in said if line and line not in deprecated and not line.endswith(" OK")]
    return [*deprecated, *((refused or [f"Envoy ended with code {done.returncode}"]) if done.returncode else [])]


def _told(line: str) -> str:
    """A line of its log without time, level and place."""
    return re.sub(r"^(\[[^\]]*\])+ *", "", line).strip()


def _named(value: Any, where: str) -> Iterator[tuple[str, str]]:
    """Each name of a cluster with its place, such as `listeners.0.filter_chains`."""
    if isinstance(value, list):
        for number, item in enumerate(value):
            yield from _named(item, f"{where}.{number}")
    elif isinstance(value, dict):
        for key, item in value.items():
            if key in NAMING and isinstance(item, str) and "%" not in item:  # a format of the access log
                yield f"{where}.{key}".lstrip("."), item
            yield from _named(item, f"{where}.{key}")
