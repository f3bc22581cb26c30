"""TLS in the addresses of PostgreSQL and Valkey: options that can never work are found before anyone waits."""

from collections.abc import Mapping
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from collector.domain.errors import InvalidFieldError

POSTGRES_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
POSTGRES_OPTIONS = frozenset(
    {
        "sslmode",
        "sslrootcert",
        "sslcert",
        "sslkey",
        "sslcrl",
        "sslpassword",
        "sslnegotiation",
        "ssl_min_protocol_version",
        "ssl_max_protocol_version",
    }
)
"""What the driver knows; it hands everything else to the server as a setting of the session."""
FILES = ("sslrootcert", "sslcert", "sslkey", "sslcrl", "ssl_ca_certs", "ssl_certfile", "ssl_keyfile")
FILE_REMEDY = "name a file that this process may read"


def check_tls_options(variable: str, address: str) -> None:
    """Refuse files that cannot be read, and for PostgreSQL modes and options that there are not.

    Args:
        variable: named in the error, such as `CHAMBERLOG_POSTGRES`.
        address: of the server; never quoted.

    Raises:
        InvalidFieldError: names the option.
    """
    parts = urlsplit(address)
    options = dict(parse_qsl(parts.query))
    for name in FILES:
        if path := options.get(name):
            _check_file(variable, name, Path(path))
    if parts.scheme.startswith("postgres"):
        _check_postgres(variable, options)


def _check_file(variable: str, option: str, path: Path) -> None:
    try:
        path.open().close()
    except OSError as error:
        problem = f"{option}={path} cannot be read: {error.strerror}"
        raise InvalidFieldError(variable, problem, FILE_REMEDY) from None


def _check_postgres(variable: str, options: Mapping[str, str]) -> None:
    unknown = next((name for name in options if name.startswith("ssl") and name not in POSTGRES_OPTIONS), None)
    if unknown is not None:
        raise InvalidFieldError(variable, f"there is no option {unknown[:40]!r}", "write sslmode, sslrootcert, ...")
    mode = options.get("sslmode", "prefer")
    if mode not in POSTGRES_MODES:
        raise InvalidFieldError(
            variable, f"there is no sslmode {mode[:40]!r}", f"use one of {', '.join(POSTGRES_MODES)}"
        )
