"""What every process of ours needs to begin: its settings from the environment, and its event loop."""

import asyncio
import gc
import os
import sys
from typing import Any, TypeVar, get_args

from pydantic import SecretStr, ValidationError
from pydantic_settings import BaseSettings

from adapters.secret_settings import FORMS, read_secret, shown_address
from collector.domain.errors import InvalidFieldError

REMEDIES = {
    "POSTGRES": f"write {FORMS['CHAMBERLOG_POSTGRES'].example}",
    "BUILD_ID": "set it together with CHAMBERLOG_DEPLOYMENT, to letters, digits and . _ -, or set neither",
    "ASSERTION_KEY": "name the file that `chamberlog authz new-key` made by CHAMBERLOG_ASSERTION_KEY_FILE",
    "EGRESS_PROXY": "write http://host:port, or take it away to call devices straight",
    "DEPLOYMENT": "write letters, digits, _ and -",
}
GARBAGE_THRESHOLDS = (10_000, 20, 20)
"""New objects before a young look, and looks before the next older one: 700, 10, 10 by default."""
Settings = TypeVar("Settings", bound=BaseSettings)


def read_settings(kind: type[Settings]) -> Settings:
    """Read the environment; secrets may stand in files that `NAME_FILE` variables name.

    Raises:
        InvalidFieldError: names the variable; never quotes its value, which may be a password.
    """
    prefix = kind.model_config.get("env_prefix", "")
    try:
        return kind(**_secrets_of(kind, prefix))
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        name = str(first["loc"][0]).upper()
        problem = "it is not set" if first["type"] == "missing" else first["msg"]
        remedy = REMEDIES.get(name, "correct it, or take it away for its default")
        raise InvalidFieldError(f"{prefix}{name}", problem, remedy) from None


def shown_servers(temporal: str, postgres: SecretStr, redis: SecretStr | None) -> str:
    """The servers that a process would use, without any secret."""
    cache = shown_address(redis.get_secret_value()) if redis else "none"
    return f"Temporal {temporal}, PostgreSQL {shown_address(postgres.get_secret_value())}, Valkey {cache}"


def _secrets_of(kind: type[BaseSettings], prefix: str) -> dict[str, Any]:
    """Those that are set, by the names of their fields."""
    fields = kind.model_fields.items()
    names = [name for name, field in fields if SecretStr in (field.annotation, *get_args(field.annotation))]
    found = {name: read_secret(f"{prefix}{name.upper()}", os.environ) for name in names}
    return {name: secret for name, secret in found.items() if secret is not None}


def collect_rarely() -> None:
    """Look for cyclic garbage a tenth as often: what a worker keeps is a large fleet, and each look walks through it.

    To be called once everything was imported; that is never looked at again. Again: nothing changes.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GARBAGE_THRESHOLDS)


def make_runner() -> asyncio.Runner:
    """The event loop of worker and API: uvloop, Python's own where that does not exist."""
    if sys.platform == "win32":
        return asyncio.Runner()
    import uvloop  # noqa: PLC0415  (it does not exist on Windows)

    return asyncio.Runner(loop_factory=uvloop.new_event_loop)
