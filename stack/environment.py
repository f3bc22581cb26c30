"""Environment variables that lead to a local stack: for a person's shell, and for the stack's own parts."""

import os
import shlex
from collections.abc import Mapping
from pathlib import Path

from stack.binaries import scripts
from stack.errors import NotRunningError
from stack.home import Home

ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"


def exports(home: Path) -> str:
    """Shell commands for `eval "$(chamberlog env)"`: addresses, the API key, and PATH with this environment first.

    Args:
        home: the stack's directory.

    Returns:
        One `export NAME=value` a line, quoted for any POSIX shell. Evaluating them again changes nothing but PATH.

    Raises:
        NotRunningError: no stack runs there; says what to do.
    """
    stack = Home(home).read_stack()
    variables = {
        "TEMPORAL_ADDRESS": stack["temporal"],
        "CHAMBERLOG_API": stack["gateway"],
        "CHAMBERLOG_API_KEY": _key(Path(stack["api_key_file"])),
        "CHAMBERLOG_TEMPORAL_UI": stack["web_ui"],
        "CHAMBERLOG_POSTGRES": stack["postgres"],
        "CHAMBERLOG_REDIS": stack["redis"],
    }
    if stack.get("traces"):
        variables["CHAMBERLOG_TRACES"] = stack["traces"]
    lines = [f"export {name}={shlex.quote(value)}" for name, value in variables.items()]
    return "\n".join([*lines, f'export PATH={shlex.quote(str(scripts()))}:"$PATH"']) + "\n"


def part_environment(variables: Mapping[str, str]) -> dict[str, str]:
    """The environment of one of the stack's own programs.

    The person's TEMPORAL_ settings, files included, are left out: they mean another server. So are CHAMBERLOG_
    addresses of other servers; CHAMBERLOG_PROFILES and secrets that chambers refer to are kept. OTEL_ settings are
    kept as well, but for those of another collector where the program has the stack's own.

    Args:
        variables: set for this program; the person's own value of one goes in either form, because a secret and a
            file with another one are refused together.
    """
    other_form = {f"{name}_FILE" for name in variables} | {name.removesuffix("_FILE") for name in variables}
    foreign = ("TEMPORAL_", *(["OTEL_EXPORTER_"] if ENDPOINT in variables else []))
    kept = {n: v for n, v in os.environ.items() if not n.startswith(foreign) and n not in other_form}
    return kept | {"TEMPORAL_CONFIG_FILE": os.devnull, "PYTHONUNBUFFERED": "1"} | dict(variables)


def _key(file: Path) -> str:
    try:
        return file.read_text().strip()
    except FileNotFoundError:
        raise NotRunningError(f"{file} is gone; stop the stack and start it again: `up` makes a new key") from None
