"""Reading devices over HTTP: one GET, one connection, one total time budget.

client.py is the walk of one attempt; request.py writes what is sent; addresses.py resolves and judges; wire.py connects
to a judged address; answer.py reads HTTP/1.1 within the limit of body.py; faults.py says what went wrong in the core's
words.
"""

from adapters.http_device.addresses import Resolver, SystemResolver
from adapters.http_device.client import HttpDeviceClient

__all__ = ["HttpDeviceClient", "Resolver", "SystemResolver"]
