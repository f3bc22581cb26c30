"""Where the egress proxy is."""

import re
from dataclasses import dataclass

from collector.domain.errors import InvalidFieldError

FORM = re.compile(r"http://(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+):(?P<port>[0-9]{1,5})/?")
REMEDY = "write http://host:port"


@dataclass(frozen=True, slots=True)
class EgressProxy:
    """An HTTP proxy that takes CONNECT.

    Attributes:
        host: name or address, IPv6 without brackets.
        port: TCP port.
    """

    host: str
    port: int

    @property
    def url(self) -> str:
        """As `parse_proxy` reads it."""
        return f"http://{self}"

    def __str__(self) -> str:
        """For people: host and port."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse_proxy(text: str) -> EgressProxy:
    """Read `http://host:port`; there is no user-info, path or https.

    Raises:
        InvalidFieldError: field `egress_proxy`; does not quote the text, which may hold a password.
    """
    found = FORM.fullmatch(text.strip())
    if found is None or not 1 <= int(found["port"]) <= 65_535:
        raise InvalidFieldError("egress_proxy", "it is not the URL of an HTTP proxy", REMEDY)
    return EgressProxy(found["host"].strip("[]"), int(found["port"]))
