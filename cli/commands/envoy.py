"""Configurations of Envoy: rendered, and checked before anybody runs them."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.output import say
from collector.domain.errors import InvalidFieldError

if TYPE_CHECKING:
    from edge.addresses import Address
    from edge.ingress import Tracing

# Other commands need neither templates nor Envoy.
# ruff: noqa: PLC0415

group = typer.Typer(help="Configurations of Envoy, which is the gateway and the egress proxy.", no_args_is_help=True)
POLICY = "CHAMBERLOG_EGRESS"
PUBLIC = 0o644
"""A configuration holds no secret, and Envoy's container has another user."""


@dataclass(frozen=True, slots=True)
class Upstreams:
    """What stands behind a gateway, as it was written."""

    api: list[str]
    authz: list[str]
    grpc: list[str]
    temporal_ui: list[str]


@dataclass(frozen=True, slots=True)
class Traced:
    """Which requests a gateway tells of, and to whom, as it was written."""

    otlp: str | None
    percent: int
    askers: list[str] | None


@dataclass(frozen=True, slots=True)
class Rules:
    """How a gateway takes requests, as it was written."""

    certificate: Path | None
    key: Path | None
    trusted_hops: int
    per_second: int
    sign_ins_per_second: int
    traced: Traced


@dataclass(frozen=True, slots=True)
class Wanted:
    """What was asked for on the command line."""

    listen: str
    admin: str
    metrics: str | None
    upstreams: Upstreams
    rules: Rules
    policy: str | None


Kind = Annotated[str, typer.Argument(help="Which one: ingress or egress.")]
Out = Annotated[Path, typer.Option("--out", help="The file to write; one that is there is replaced at once.")]
Listen = Annotated[str, typer.Option("--listen", help="Where it listens, host:port.")]
Admin = Annotated[str, typer.Option("--admin", help="Envoy's own port, on loopback.")]
Metrics = Annotated[
    str | None,
    typer.Option("--metrics", help="Where it shows its metrics, and nothing else, host:port; none = nowhere."),
]
Api = Annotated[list[str] | None, typer.Option("--api", help="The API, host:port; repeat for each instance.")]
Authz = Annotated[list[str] | None, typer.Option("--authz", help="The authz service, likewise.")]
Grpc = Annotated[list[str] | None, typer.Option("--grpc", help="gRPC of the API, likewise; none = no gRPC.")]
WebUi = Annotated[list[str] | None, typer.Option("--temporal-ui", help="The Web UI, under /temporal; none = none.")]
Certificate = Annotated[Path | None, typer.Option("--tls-certificate", help="PEM; with it clients need TLS.")]
Key = Annotated[Path | None, typer.Option("--tls-key", help="PEM of the certificate's private key.")]
Hops = Annotated[int, typer.Option("--trusted-hops", help="Proxies before it that are believed.")]
PerSecond = Annotated[int, typer.Option("--per-second", help="Requests that it takes, of all clients.")]
SignIns = Annotated[int, typer.Option("--sign-ins-per-second", help="Of them, to sign in.")]
Otlp = Annotated[str | None, typer.Option("--otlp", help="Takes the gateway's traces by gRPC, host:port; none = none.")]
Percent = Annotated[int, typer.Option("--traced-percent", help="So many requests in a hundred, by chance.")]
TracedFor = Annotated[
    list[str] | None, typer.Option("--traced-for", help="Network whose callers may ask for a trace; repeat (loopback).")
]
Policy = Annotated[str | None, typer.Option("--policy", envvar=POLICY, help="Of egress: as the workers have it.")]
CheckFlag = Annotated[bool, typer.Option("--check", help="Only say whether it could be rendered.")]


@group.command("render")
def render(
    kind: Kind,
    out: Out,
    listen: Listen,
    *,
    admin: Admin = "127.0.0.1:9901",
    metrics: Metrics = None,
    api: Api = None,
    authz: Authz = None,
    grpc: Grpc = None,
    temporal_ui: WebUi = None,
    certificate: Certificate = None,
    key: Key = None,
    trusted_hops: Hops = 0,
    per_second: PerSecond = 1_000,
    sign_ins_per_second: SignIns = 10,
    otlp: Otlp = None,
    traced_percent: Percent = 10,
    traced_for: TracedFor = None,
    policy: Policy = None,
    check: CheckFlag = False,
) -> None:
    """Write a configuration. Again: the same file."""
    if kind not in RENDERERS:
        raise InvalidFieldError("kind", f"there is no {kind!r}", f"give one of {', '.join(RENDERERS)}")
    upstreams = Upstreams(api or [], authz or [], grpc or [], temporal_ui or [])
    traced = Traced(otlp, traced_percent, traced_for)
    rules = Rules(certificate, key, trusted_hops, per_second, sign_ins_per_second, traced)
    text = RENDERERS[kind](Wanted(listen, admin, metrics, upstreams, rules, policy))
    if check:
        print(f"envoy: settings are fine: {kind} for {listen}, to be written to {out}")
        return
    _replace(out, text)
    say(f"wrote {out}")


@group.command("check")
def check(file: Annotated[Path, typer.Argument(help="A rendered configuration.")]) -> None:
    """Ask Envoy whether it would run with a configuration, and look for what Envoy passes over."""
    from edge.envoy import findings

    found = findings(file)
    if found:
        raise InvalidFieldError("file", f"{file}: " + "\n".join(found), "render it again with this release's templates")
    say(f"{file} is fine")


def _ingress(wanted: Wanted) -> str:
    from edge.ingress import IngressSettings, Limits, Tls, render_ingress

    upstreams, rules = wanted.upstreams, wanted.rules
    if (rules.certificate is None) != (rules.key is None):
        raise InvalidFieldError("tls-key", "certificate and key come together", "give --tls-certificate and --tls-key")
    settings = IngressSettings(
        listen=_address("listen", wanted.listen),
        admin=_address("admin", wanted.admin),
        metrics=_optional("metrics", wanted.metrics),
        api=_addresses("api", upstreams.api),
        authz=_addresses("authz", upstreams.authz),
        grpc=_addresses("grpc", upstreams.grpc),
        temporal_ui=_addresses("temporal-ui", upstreams.temporal_ui),
        tls=None if rules.certificate is None or rules.key is None else Tls(rules.certificate, rules.key),
        trusted_hops=rules.trusted_hops,
        limits=Limits(per_second=rules.per_second, sign_ins_per_second=rules.sign_ins_per_second),
        tracing=_tracing(rules.traced),
    )
    return render_ingress(settings)


def _tracing(traced: Traced) -> "Tracing | None":
    from edge.ingress import Tracing

    if traced.otlp is None:
        return None
    askers = {} if traced.askers is None else {"askers": tuple(traced.askers)}
    return Tracing(collector=_address("otlp", traced.otlp), percent=traced.percent, **askers)


def _egress(wanted: Wanted) -> str:
    from edge.egress import EgressSettings, render_egress
    from stack.bootstrap import egress_policies

    settings = EgressSettings(
        listen=_address("listen", wanted.listen),
        admin=_address("admin", wanted.admin),
        metrics=_optional("metrics", wanted.metrics),
        policies=egress_policies(wanted.policy),
    )
    return render_egress(settings)


RENDERERS: dict[str, Callable[[Wanted], str]] = {"ingress": _ingress, "egress": _egress}


def _address(field: str, text: str) -> "Address":
    from edge.addresses import Address

    return Address.read(field, text)


def _optional(field: str, text: str | None) -> "Address | None":
    return None if text is None else _address(field, text)


def _addresses(field: str, texts: list[str]) -> "tuple[Address, ...]":
    return tuple(_address(field, text) for text in texts)


def _replace(out: Path, text: str) -> None:
    draft = out.with_name(f".{out.name}.{os.getpid()}")
    try:
        draft.write_text(text, "utf-8")
        draft.chmod(PUBLIC)
        draft.replace(out)
    except OSError as error:
        remedy = "name a file in a folder that you may write to"
        raise InvalidFieldError("out", f"{out} cannot be written: {error.strerror}", remedy) from None
