"""Addresses that stand in a configuration: a host and a port."""

import ipaddress
import re
from dataclasses import dataclass
from typing import Self

from collector.domain.errors import InvalidFieldError

HOST_NAME = re.compile(
    r"(?=.{1,253}\Z)[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*"
)
"""Underscores: names of Compose services may have them."""
PORTS = range(1, 65_536)
REMEDY = "write host:port, an IPv6 address in brackets"


@dataclass(frozen=True, slots=True)
class Address:
    """A host, by name or literal address, and a port.

    Attributes:
        host: IPv6 without brackets.
        port: 1 to 65535.
    """

    host: str
    port: int

    @classmethod
    def read(cls, field: str, text: str) -> Self:
        """Read `host:port`.

        Args:
            field: what it is called where a person wrote it.
            text: such as `127.0.0.1:8000`, `api:8080` or `[::1]:8000`.

        Raises:
            InvalidFieldError: it is none.
        """
        host, colon, port = text.strip().rpartition(":")
        bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
        if not colon or not port.isdecimal() or int(port[:6]) not in PORTS:
            raise InvalidFieldError(field, f"{text!r} has no port from 1 to 65535", REMEDY)
        if not (is_literal(bare) and (":" in bare) == (bare != host)) and not HOST_NAME.fullmatch(host):
            raise InvalidFieldError(field, f"{host!r} is no host", REMEDY)
        return cls(bare, int(port))

    @property
    def literal(self) -> bool:
        """Whether the host is an address and no name."""
        return is_literal(self.host)

    @property
    def loopback(self) -> bool:
        """Whether it is a literal address that only this machine reaches."""
        return self.literal and ipaddress.ip_address(self.host).is_loopback

    def __str__(self) -> str:
        """As `read` takes it."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def check_own_ports(listen: Address, admin: Address, metrics: Address | None = None) -> None:
    """Refuse what Envoy would not start with, and an admin port that others reach: whoever does can end the process.

    Raises:
        InvalidFieldError: names `listen`, `admin` or `metrics`.
    """
    if metrics is not None and not metrics.literal:
        raise InvalidFieldError("metrics", f"{metrics.host!r} is no address", "give a literal one")
    if metrics is not None and metrics.port in {listen.port, admin.port}:
        raise InvalidFieldError("metrics", f"{metrics} has a port that is in use", "give it another port")
    if not listen.literal:
        raise InvalidFieldError("listen", f"{listen.host!r} is no address", "give a literal one")
    if not admin.loopback:
        raise InvalidFieldError(
            "admin", f"{admin} is not on loopback, and it can end the process", "give 127.0.0.1:PORT"
        )
    if listen.port == admin.port:
        raise InvalidFieldError("admin", f"{admin} has the port on which it listens", "give it another port")


def is_literal(host: str) -> bool:
    """Whether it is an IPv4 or IPv6 address."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
