"""From a host to the addresses that may be called."""

import asyncio
import socket
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

from adapters.http_device.literals import literal_of
from collector.domain.egress import EgressPolicy
from collector.domain.errors import BlockedError

# A name server that is down holds a thread for its resolver's own time-out (10 s and more). These threads are the
# client's own, so that it holds up no other work of the process; chambers named by address need none of them.
RESOLVER_THREADS = 16
SHOWN_ADDRESSES = 4


class Resolver(Protocol):
    """Turns a host into addresses."""

    async def resolve(self, host: str, port: int) -> Sequence[str]:
        """IPv4 and IPv6 addresses in the order in which they are to be tried, zone (`%2`) included.

        Raises:
            OSError: `socket.gaierror` when there are none.
        """
        ...

    def close(self) -> None:
        """Let go of what it holds."""
        ...


class SystemResolver:
    """The system's resolver (hosts file, DNS), in threads of its own.

    Args:
        threads: look-ups at a time, at most; a thread is made when there is one to make.
    """

    def __init__(self, threads: int = RESOLVER_THREADS) -> None:
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="resolve")

    async def resolve(self, host: str, port: int) -> Sequence[str]:
        """See `Resolver`; a literal address needs no thread."""
        literal = literal_of(host)
        if literal is not None:
            return (literal,)
        return await asyncio.get_running_loop().run_in_executor(self._threads, _look_up, host, port)

    def close(self) -> None:
        """Drop what was not begun; a look-up that runs ends by itself."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def allowed_addresses(addresses: Sequence[str], port: int, policy: EgressPolicy) -> tuple[str, ...]:
    """Those that the policy allows, in order, once each.

    Raises:
        BlockedError: it allows none.
    """
    distinct = dict.fromkeys(addresses) if len(addresses) > 1 else addresses
    allowed = tuple([address for address in distinct if policy.allows(address, port)])
    if not allowed:
        shown = ", ".join(addresses[:SHOWN_ADDRESSES])
        raise BlockedError(f"egress: {shown} port {port} is not allowed; its section's egress policy has to list it")
    return allowed


def _look_up(host: str, port: int) -> tuple[str, ...]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except UnicodeError:
        raise socket.gaierror(socket.EAI_NONAME, "the name cannot be a DNS name") from None
    return tuple(_text(entry[4]) for entry in found)


def _text(sockaddr: tuple[str, int] | tuple[str, int, int, int] | tuple[int, bytes]) -> str:
    address = str(sockaddr[0])
    zone = sockaddr[3] if len(sockaddr) == 4 else 0
    return f"{address}%{zone}" if zone and "%" not in address else address
