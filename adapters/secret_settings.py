"""Settings that are secrets: from the environment, or from the file that `NAME_FILE` names.

A file (`CHAMBERLOG_POSTGRES_FILE`, `CHAMBERLOG_REDIS_FILE`, `CHAMBERLOG_SMTP_URL_FILE`) keeps a password out of the
environment, which child processes inherit and `docker inspect` shows.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from adapters.tls_options import check_tls_options
from collector.domain.errors import InvalidFieldError

SUFFIX = "_FILE"
SIZE_LIMIT = 8_192
"""No address is longer; a file that is has been named by mistake."""
HOST = re.compile(r"(?:\[[^\]]*\]|[^:\[\]]*)(?::(?P<port>[0-9]{0,5}))?")
LAST_PORT = 65_535
FILE_REMEDY = "name a file that this process can read and that holds the secret alone"


@dataclass(frozen=True, slots=True)
class Form:
    """How the address of a server is written.

    Attributes:
        schemes: it begins with one of them.
        example: for messages.
    """

    schemes: tuple[str, ...]
    example: str


FORMS = {
    "CHAMBERLOG_POSTGRES": Form(("postgresql", "postgres"), "postgresql://user:password@host:5432/database"),
    "CHAMBERLOG_REDIS": Form(("redis", "rediss", "unix"), "redis://user:password@host:6379/0"),
}


def read_secret(name: str, environment: Mapping[str, str]) -> str | None:
    """The secret of a variable, without the newline at the end of its file; None when neither form is set.

    Read once: a changed file takes effect at the next start. An empty variable counts as one that is not set.

    Args:
        name: such as `CHAMBERLOG_POSTGRES`.
        environment: of the process.

    Raises:
        InvalidFieldError: names the variable and never the content: both forms are set; the file cannot be read, is
            empty, too long or no text; it can never be the address of such a server.
    """
    value, path = environment.get(name), environment.get(name + SUFFIX)
    if value and path:
        raise InvalidFieldError(name + SUFFIX, f"it is set, and so is {name}", "set one of the two")
    secret = _read(name + SUFFIX, Path(path)) if path else value
    if secret and name in FORMS:
        _check(name + SUFFIX if path else name, secret, FORMS[name])
    return secret or None


def shown_address(address: str) -> str:
    """Host, port and path of an address that `read_secret` let pass: without user, password and options."""
    parts = urlsplit(address)
    return parts.netloc.rpartition("@")[2] + parts.path


def _check(variable: str, address: str, form: Form) -> None:
    """A server that can never be reached is not waited for."""
    if address.partition("://")[0] not in form.schemes:
        raise InvalidFieldError(variable, f"it does not begin with {form.schemes[0]}://", f"write {form.example}")
    if _is_torn(address):
        problem = "its password has characters that end the host's part of an address"
        remedy = "write / ? # [ ] of a password as %2F %3F %23 %5B %5D, and what is not ASCII in the same way"
        raise InvalidFieldError(variable, problem, remedy)
    if not all(_has_possible_port(host) for host in urlsplit(address).netloc.rpartition("@")[2].split(",")):
        raise InvalidFieldError(variable, "its port is not a number up to 65535", f"write {form.example}")
    check_tls_options(variable, address)


def _has_possible_port(host: str) -> bool:
    """Drivers find another one out when they connect, by errors that are not those of a server that is away."""
    found = HOST.fullmatch(host)
    return found is not None and int(found["port"] or 0) <= LAST_PORT


def _is_torn(address: str) -> bool:
    """Whether a bare `/`, `?` or `#` cut the password in two, or a bracket in it ends all reading.

    The host would be read from its first half.
    """
    try:
        parts = urlsplit(address)
    except ValueError:  # a bracket, or a character that stands for one of them; the error itself quotes the password
        return True
    return "@" in parts.path + parts.fragment or ("@" in parts.query and "@" not in parts.netloc)


def _read(variable: str, path: Path) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(SIZE_LIMIT + 1)
        text = content.decode("utf-8")
    except OSError as error:
        raise InvalidFieldError(variable, f"{path} cannot be read: {error.strerror}", FILE_REMEDY) from None
    except ValueError:  # no UTF-8, or a path that cannot be one; the error itself would quote the content
        raise InvalidFieldError(variable, f"{str(path)!r} is no file of UTF-8 text", FILE_REMEDY) from None
    if len(content) > SIZE_LIMIT:
        raise InvalidFieldError(variable, f"{path} is longer than {SIZE_LIMIT} bytes", FILE_REMEDY)
    secret = text.removesuffix("\n").removesuffix("\r")
    if not secret.strip():
        raise InvalidFieldError(variable, f"{path} is empty", FILE_REMEDY)
    return secret
