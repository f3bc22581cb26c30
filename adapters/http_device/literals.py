"""Hosts that are addresses, in whatever form: nobody needs to be asked about them, and nobody is."""

import ipaddress
import re
import socket
import unicodedata
from functools import lru_cache
from urllib.parse import unquote, urlsplit

NUMERIC = re.compile(r"(0[xX][0-9a-fA-F]*|[0-9]+)(\.(0[xX][0-9a-fA-F]*|[0-9]+)){0,3}")
"""What the C library takes for IPv4: one to four numbers, decimal, octal or hexadecimal, the last one of any size."""
OTHER_DOTS = str.maketrans("\u3002\uff0e\uff61", "...")
"""What IDNA takes for the dot between labels."""
REMEMBERED = 20_000
"""Hosts of which it is not found out anew for each slot whether they are addresses."""


@lru_cache(REMEMBERED)
def literal_of(host: str) -> str | None:
    """The address that the host is, as the C library reads it (`127.1`, `0x7f.1`, `2130706433`); None = a name.

    Escapes are read, and blanks and a dot at the end change nothing: what a resolver makes of those depends on the
    resolver.
    """
    bare = (host.replace("%25", "%") if ":" in host else unquote(host)).strip().removesuffix(".")
    try:
        return str(ipaddress.ip_address(bare))
    except ValueError:
        return _as_c_reads(bare) if NUMERIC.fullmatch(bare) else None


def disguised_address(url: str) -> str | None:
    """The address behind the host of a URL that is none, such as one in full-width digits; None = there is none."""
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        return None
    return literal_of(unicodedata.normalize("NFKC", host.translate(OTHER_DOTS)))


def _as_c_reads(host: str) -> str | None:
    try:
        return str(ipaddress.IPv4Address(socket.inet_aton(host)))
    except OSError:
        return None
