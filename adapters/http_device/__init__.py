"""Reading devices over HTTP: one GET, one connection, one total time budget.

client.py is the walk of one attempt; request.py writes what is sent, and digest.py who sends it; addresses.py resolves
and judges; wire.py connects to a judged address; answer.py reads what comes (head.py its headers, framing.py where its
body ends, body.py no more of it than is allowed); faults.py says what went wrong in the core's words.
"""

from adapters.http_device.addresses import Resolver, SystemResolver
from adapters.http_device.client import HttpDeviceClient

__all__ = ["HttpDeviceClient", "Resolver", "SystemResolver"]
