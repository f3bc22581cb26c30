"""Free ports on loopback."""

import random
import socket

FREE_RANGE = (20_000, 32_000)
"""Below the kernel's ephemeral range: an outgoing connection never takes a port while its server restarts."""


def is_free(port: int) -> bool:
    """Whether a server could listen on 127.0.0.1:`port` now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
            probe.listen(1)
        except OSError:
            return False
    return True


def free_port() -> int:
    """A port that is free now, outside the kernel's ephemeral range."""
    while True:
        port = random.randrange(*FREE_RANGE)  # noqa: S311 (no secret)
        if is_free(port):
            return port
