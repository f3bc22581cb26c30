"""What the stack tells of itself: to its own receiver of OTLP, or to the collector of a person's environment."""

import os
from urllib.parse import urlsplit

from edge.addresses import Address
from edge.ingress import Tracing
from stack.environment import ENDPOINT
from stack.layout import Layout

WATCHED = {
    "OTEL_TRACES_SAMPLER": "parentbased_always_on",
    "OTEL_BSP_SCHEDULE_DELAY": "1000",
    "OTEL_BLRP_SCHEDULE_DELAY": "1000",
    "OTEL_METRIC_EXPORT_INTERVAL": "5000",
}
"""With a receiver of its own somebody looks: everything is traced, and shown at once. A person's own value wins."""
GRPC_VARIABLES = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", ENDPOINT)
ALL = 100


def sends(layout: Layout, part: str) -> dict[str, str]:
    """What a program of the stack is told about the receiver; nothing where there is none.

    Args:
        layout: where everything is.
        part: name of the program among those of its service.
    """
    if layout.otlp is None:
        return {}
    chosen = {name: os.environ.get(name) or standard for name, standard in WATCHED.items()}
    return chosen | {
        ENDPOINT: layout.otlp,
        "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc",
        "OTEL_RESOURCE_ATTRIBUTES": _with_instance(os.environ.get("OTEL_RESOURCE_ATTRIBUTES", ""), part),
    }


def gateway_tracing(layout: Layout) -> Tracing | None:
    """To whom the gateway sends spans: the receiver, else the collector of the environment; None = to nobody.

    Envoy speaks gRPC in clear here: a collector that the environment names with https, or by HTTP, gets none of it.
    """
    if layout.otlp is not None:
        return Tracing(collector=layout.address("otlp_grpc"), percent=ALL)
    own = urlsplit(next((value for name in GRPC_VARIABLES if (value := os.environ.get(name))), ""))
    protocol = os.environ.get("OTEL_EXPORTER_OTLP_PROTOCOL") or "grpc"
    if own.scheme != "http" or own.hostname is None or protocol != "grpc":
        return None
    return Tracing(collector=Address(own.hostname, own.port or 4317))


def _with_instance(attributes: str, part: str) -> str:
    own = [pair for pair in attributes.split(",") if pair]
    named = any(pair.partition("=")[0].strip() == "service.instance.id" for pair in own)
    return ",".join(own if named else [*own, f"service.instance.id={part}"])
