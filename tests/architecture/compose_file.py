"""The Compose file as data, alone or with its overlay, and rules of this house that the specification does not have."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from adapters.secret_settings import FORMS
from adapters.secrets import DEFAULT_FOLDERS, FOLDERS_VARIABLE
from api.settings import ApiSettings
from cli.commands.envoy import ASKERS, OTLP, PERCENT, POLICY
from gateway.settings import AuthzSettings
from stack.parts import API_GRACE_S, WORKER_GRACE_S
from workers.settings import WorkerSettings

ROOT = Path(__file__).resolve().parents[2]
FILE = ROOT / "docker-compose.temporal.yml"
OVERLAY = ROOT / "docker-compose.observability.yml"
OUR_IMAGE = "chamberlog:"
SECRETS = "/run/secrets/"
TEMPORAL_OWN = {"TEMPORAL_ADDRESS", "TEMPORAL_NAMESPACE"}
"""Of the many that its SDKs know, those that the file uses."""
TELEMETRY_OWN = {
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "OTEL_EXPORTER_OTLP_PROTOCOL",
    "OTEL_METRICS_EXPORTER",
    "OTEL_LOGS_EXPORTER",
}
"""Likewise of OpenTelemetry's."""
KNOWN = {
    "worker": {f"CHAMBERLOG_{name.upper()}" for name in WorkerSettings.model_fields}
    | TEMPORAL_OWN
    | TELEMETRY_OWN
    | {FOLDERS_VARIABLE},
    "api": {f"CHAMBERLOG_{name.upper()}" for name in ApiSettings.model_fields} | TEMPORAL_OWN | TELEMETRY_OWN,
    "authz": {f"CHAMBERLOG_{name.upper()}" for name in AuthzSettings.model_fields} | TELEMETRY_OWN,
    "migrate": {"CHAMBERLOG_POSTGRES"},
    "envoy": {POLICY, OTLP, PERCENT, ASKERS},
    "simulate": set[str](),
}
SECRET = set(FORMS) | {"CHAMBERLOG_ASSERTION_KEY", "CHAMBERLOG_ASSERTION_KEYS"}
"""Variables that may name a file instead."""
ASKS_EGRESS = {"worker", "egress", "egress-config", "prometheus"}
"""Who stands where the proxy listens: it believes them. Prometheus asks for what its configuration says, no more."""
MUTE = {"otel-collector"}
"""Their image holds no program by which they could be asked from inside."""
GRACE_S = {"worker": WORKER_GRACE_S, "api": API_GRACE_S}
PINNED = re.compile(r"[a-z0-9][\w./-]*:v?\d[\w.-]*\.[\w.-]+")
REVEALING = re.compile(r"PASSWORD|PWD|SECRET(?!_FOLDERS)|TOKEN|API_KEY")
INTERPOLATED = re.compile(r"\$\{(\w+):-([^{}]*)\}")
Service = dict[str, Any]
Document = dict[str, Any]


def load(text: str | None = None) -> Document:
    """The document with anchors merged and variables replaced by their defaults, as where nobody has set one."""
    text = INTERPOLATED.sub(lambda match: match[2], FILE.read_text("utf-8") if text is None else text)
    document = yaml.safe_load(text)
    assert isinstance(document, dict)
    return document


REPLACED = {"command", "entrypoint", "test", "image", "user"}
"""Lists that a file laid over another one replaces; others are joined."""


def overlaid(below: Any, above: Any, key: str = "") -> Any:
    """What Compose makes of two files: mappings joined, lists too, all else as the second says."""
    if isinstance(below, dict) and isinstance(above, dict):
        joined = {name: overlaid(below[name], above[name], name) for name in below.keys() & above.keys()}
        return below | above | joined
    if isinstance(below, list) and isinstance(above, list) and key not in REPLACED:
        return below + [entry for entry in above if entry not in below]
    return above


def load_with_overlay() -> Document:
    """Both files, as `docker compose -f FILE -f OVERLAY` sees them."""
    document = overlaid(load(), load(OVERLAY.read_text("utf-8")))
    assert isinstance(document, dict)
    return document


def ours(document: Document) -> dict[str, Service]:
    """Services that run this repository's image."""
    return {name: s for name, s in document["services"].items() if str(s.get("image")).startswith(OUR_IMAGE)}


def runs_once(service: Service) -> bool:
    """Whether it ends by itself."""
    return str(service.get("restart")).startswith("on-failure")


def start_order(document: Document) -> list[str]:
    """All services, each after those it depends on.

    Raises:
        ValueError: they wait for each other.
    """
    services, order = document["services"], list[str]()

    def visit(name: str, above: tuple[str, ...]) -> None:
        if name in above:
            raise ValueError(" -> ".join((*above, name)))
        if name in order or name not in services:
            return
        for other in services[name].get("depends_on", {}):
            visit(other, (*above, name))
        order.append(name)

    for name in services:
        visit(name, ())
    return order


def violations(document: Document) -> list[str]:
    """What breaks a rule, as `service: what`, sorted."""
    found = [
        *_undefined(document),
        *_order(document),
        *_reachable_databases(document),
        *_one_door(document),
        *_one_way_out(document),
    ]
    for name, service in document["services"].items():
        rules = (_image, _hardened, _published, _health, _waits, _secrets)
        found += [f"{name}: {what}" for rule in rules for what in rule(document, service)]
    for name, service in ours(document).items():
        found += [
            f"{name}: {what}"
            for rule in (_scales, _variables, _after_migrate, _grace, _device_secrets)
            for what in rule(service)
        ]
    return sorted(set(found))


def _undefined(document: Document) -> Iterator[str]:
    used: dict[str, set[str]] = {kind: set() for kind in ("secrets", "configs", "networks", "volumes")}
    for service in document["services"].values():
        used["secrets"] |= {_source(entry) for entry in service.get("secrets", [])}
        used["configs"] |= {_source(entry) for entry in service.get("configs", [])}
        used["networks"] |= set(service.get("networks", ["default"]))
        used["volumes"] |= {str(entry).partition(":")[0] for entry in service.get("volumes", [])}
    for kind, names in used.items():
        defined = set(document.get(kind, {}))
        yield from (f"{kind}: {name} is not defined" for name in names - defined)
        yield from (f"{kind}: nobody uses {name}" for name in defined - names)
    for name, config in document.get("configs", {}).items():
        if not (ROOT / str(config["file"])).is_file():
            yield f"configs: {name} has no file {config['file']}"


def _source(entry: str | Mapping[str, str]) -> str:
    return entry if isinstance(entry, str) else entry["source"]


def _order(document: Document) -> Iterator[str]:
    try:
        start_order(document)
    except ValueError as error:
        yield f"order: {error}"


def _one_door(document: Document) -> Iterator[str]:
    """What asks nobody who they are is reached through the gateway, and so is what believes the gateway."""
    services = document["services"]
    for name in ("api", "authz", "temporal-ui"):
        if services[name].get("ports"):
            yield f"{name}: it is published beside the gateway"
        for network in services[name].get("networks", ["default"]):
            if not (document["networks"].get(network) or {}).get("internal"):
                yield f"{name}: its network {network} leads outside"


def _one_way_out(document: Document) -> Iterator[str]:
    """Workers reach devices through the egress proxy only: they stand in no network that leads anywhere else."""
    services = document["services"]
    for network in services["worker"].get("networks", ["default"]):
        if not (document["networks"].get(network) or {}).get("internal"):
            yield f"worker: its network {network} leads past the egress proxy"
    for network in services["egress"].get("networks", []):
        asking = {n for n, s in services.items() if network in s.get("networks", [])} if network != "devices" else set()
        yield from (f"{name}: it could ask the egress proxy" for name in asking - ASKS_EGRESS)
    if not set(services["worker"].get("networks", [])) & set(services["egress"].get("networks", [])):
        yield "worker: it does not reach the egress proxy"


def _reachable_databases(document: Document) -> Iterator[str]:
    """Temporal's database is for Temporal; the readings' is for this product and what stands beside it."""
    allowed = {
        "temporal-postgres": {"temporal", "temporal-schema"},
        "postgres": {*ours(document), "valkey", "grafana", "ledger-reader"},
    }
    for database, guests in allowed.items():
        for network in document["services"][database].get("networks", ["default"]):
            members = {n for n, s in document["services"].items() if network in s.get("networks", ["default"])}
            yield from (f"{database}: {name} can reach it" for name in members - guests - {database})
            if not (document["networks"].get(network) or {}).get("internal"):
                yield f"{database}: its network {network} leads outside"


def _image(document: Document, service: Service) -> Iterator[str]:
    del document
    if not PINNED.fullmatch(str(service.get("image"))):
        yield f"image {service.get('image')} is not pinned"


def _hardened(document: Document, service: Service) -> Iterator[str]:
    del document
    if service.get("read_only") is not True:
        yield "its root is writable"
    if service.get("cap_drop") != ["ALL"] or service.get("cap_add"):
        yield "it keeps capabilities"
    if "no-new-privileges:true" not in service.get("security_opt", []):
        yield "it may gain privileges"
    if not re.fullmatch(r"[1-9]\d*:[1-9]\d*", str(service.get("user"))):
        yield "its user is not named by number, or root"
    if "memory" not in service.get("deploy", {}).get("resources", {}).get("limits", {}):
        yield "its memory has no limit"


def _published(document: Document, service: Service) -> Iterator[str]:
    del document
    for port in service.get("ports", []):
        if not re.fullmatch(r"127\.0\.0\.1:\d+:\d+", str(port)):
            yield f"port {port} is not on loopback only"
    if service.get("network_mode"):
        yield "it leaves its networks"


def _health(document: Document, service: Service) -> Iterator[str]:
    if runs_once(service) == ("healthcheck" in service):
        yield "it needs a health check, or ends by itself and must have none"
    elif not runs_once(service) and service.get("restart") != "unless-stopped":
        yield "it is not started again"
    if service.get("healthcheck", {}).get("disable") and service not in [document["services"].get(n) for n in MUTE]:
        yield "its health check is off"


def _waits(document: Document, service: Service) -> Iterator[str]:
    for other, how in service.get("depends_on", {}).items():
        awaited = document["services"].get(other)
        if awaited is None:
            yield f"it waits for {other}, which is not there"
        elif awaited.get("profiles", []) and not service.get("profiles", []):
            yield f"it waits for {other}, which a profile may leave out"
        elif runs_once(awaited) != (how["condition"] == "service_completed_successfully"):
            yield f"it waits for {other} by {how['condition']}"


def _secrets(document: Document, service: Service) -> Iterator[str]:
    del document
    given = {SECRETS + _source(entry) for entry in service.get("secrets", [])}
    for name, value in service.get("environment", {}).items():
        if not isinstance(value, str):
            yield f"{name} is not quoted"
        elif re.search(r"://[^/\s]*:[^/\s]*@", value) or (REVEALING.search(name) and not name.endswith("_FILE")):
            yield f"{name} holds a secret"
        elif name.endswith("_FILE") and value.startswith(SECRETS) and value not in given:
            yield f"{name} names {value}, which it is not given"


def _scales(service: Service) -> Iterator[str]:
    if service.get("container_name") or service.get("hostname"):
        yield "its name is fixed"
    if program(service) == "worker" and service.get("ports"):
        yield "two of it would want one port"


def _variables(service: Service) -> Iterator[str]:
    known = KNOWN.get(program(service), set())
    files = {f"{name}_FILE" for name in known & SECRET}
    for name in service.get("environment", {}):
        if name not in known | files:
            yield f"nobody reads {name}"
    if program(service) not in KNOWN:
        yield f"chamberlog {program(service)} is no process"


def _after_migrate(service: Service) -> Iterator[str]:
    uses = any(name.startswith("CHAMBERLOG_POSTGRES") for name in service.get("environment", {}))
    if uses and program(service) != "migrate" and "migrate" not in service.get("depends_on", {}):
        yield "it does not wait for migrate"


def _grace(service: Service) -> Iterator[str]:
    needed_s = GRACE_S.get(program(service), 0)
    if float(str(service.get("stop_grace_period", "10s")).removesuffix("s")) < needed_s:
        yield f"it is killed before its {needed_s:g} s are over"


def _device_secrets(service: Service) -> Iterator[str]:
    """A chamber may refer to any file in these folders, and have it sent to its device."""
    folders = service.get("environment", {}).get(FOLDERS_VARIABLE, DEFAULT_FOLDERS).split(":")
    given = [SECRETS + _source(entry) for entry in service.get("secrets", [])]
    if program(service) == "worker" and any(
        secret.startswith(f"{f.rstrip('/')}/") for secret in given for f in folders
    ):
        yield "a device could be sent its secrets"


def program(service: Service) -> str:
    """Which command of `chamberlog` it runs."""
    return str(service.get("command", [""])[0])
