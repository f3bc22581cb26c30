"""Reading devices over HTTP: one GET, one connection, one total time budget.

client.py is the walk of one attempt; addresses.py resolves and judges; transport.py connects to a judged address and
speaks HTTP/1.1; body.py reads within the limit; faults.py says what went wrong in the core's words.
"""

from adapters.http_device.addresses import Resolver, SystemResolver
from adapters.http_device.client import HttpDeviceClient

__all__ = ["HttpDeviceClient", "Resolver", "SystemResolver"]
