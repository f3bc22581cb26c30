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

# Other commands need neither templates nor Envoy.
# ruff: noqa: PLC0415

group = typer.Typer(help="Configurations of Envoy, which is the gateway and the egress proxy.", no_args_is_help=True)
PUBLIC = 0o644
"""A configuration holds no secret, and Envoy's container has another user."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What was asked for on the command line."""

    listen: str
    admin: str
    api: list[str]
    authz: list[str]
    grpc: list[str]
    temporal_ui: list[str]
    certificate: Path | None
    key: Path | None
    trusted_hops: int
    per_second: int
    sign_ins_per_second: int
    policy: str | None


@group.command("render")
def render(
    kind: Annotated[str, typer.Argument(help="Which one: ingress or egress.")],
    out: Annotated[Path, typer.Option("--out", help="The file to write; one that is there is replaced at once.")],
    listen: Annotated[str, typer.Option("--listen", help="Where it listens, host:port.")],
    *,
    admin: Annotated[str, typer.Option("--admin", help="Envoy's own port, on loopback.")] = "127.0.0.1:9901",
    api: Annotated[
        list[str] | None, typer.Option("--api", help="The API, host:port; repeat for each instance.")
    ] = None,
    authz: Annotated[list[str] | None, typer.Option("--authz", help="The authz service, likewise.")] = None,
    grpc: Annotated[list[str] | None, typer.Option("--grpc", help="gRPC of the API, likewise; none = no gRPC.")] = None,
    temporal_ui: Annotated[
        list[str] | None, typer.Option("--temporal-ui", help="The Web UI, served under /temporal; none = not there.")
    ] = None,
    certificate: Annotated[
        Path | None, typer.Option("--tls-certificate", help="PEM; with it clients need TLS.")
    ] = None,
    key: Annotated[Path | None, typer.Option("--tls-key", help="PEM of the certificate's private key.")] = None,
    trusted_hops: Annotated[int, typer.Option("--trusted-hops", help="Proxies before it that are believed.")] = 0,
    per_second: Annotated[int, typer.Option("--per-second", help="Requests that it takes, of all clients.")] = 1_000,
    sign_ins_per_second: Annotated[int, typer.Option("--sign-ins-per-second", help="Of them, to sign in.")] = 10,
    policy: Annotated[
        str | None, typer.Option("--policy", envvar="CHAMBERLOG_EGRESS", help="Of egress: as the workers have it.")
    ] = None,
    check_only: Annotated[bool, typer.Option("--check", help="Only say whether it could be rendered.")] = False,
) -> None:
    """Write a configuration. Again: the same file."""
    wanted = Wanted(
        listen=listen,
        admin=admin,
        api=api or [],
        authz=authz or [],
        grpc=grpc or [],
        temporal_ui=temporal_ui or [],
        certificate=certificate,
        key=key,
        trusted_hops=trusted_hops,
        per_second=per_second,
        sign_ins_per_second=sign_ins_per_second,
        policy=policy,
    )
    renderer = RENDERERS.get(kind)
    if renderer is None:
        raise InvalidFieldError("kind", f"there is no {kind!r}", f"give one of {', '.join(RENDERERS)}")
    text = renderer(wanted)
    if check_only:
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

    if (wanted.certificate is None) != (wanted.key is None):
        raise InvalidFieldError("tls-key", "certificate and key come together", "give --tls-certificate and --tls-key")
    settings = IngressSettings(
        listen=_address("listen", wanted.listen),
        admin=_address("admin", wanted.admin),
        api=_addresses("api", wanted.api),
        authz=_addresses("authz", wanted.authz),
        grpc=_addresses("grpc", wanted.grpc),
        temporal_ui=_addresses("temporal-ui", wanted.temporal_ui),
        tls=None if wanted.certificate is None or wanted.key is None else Tls(wanted.certificate, wanted.key),
        trusted_hops=wanted.trusted_hops,
        limits=Limits(per_second=wanted.per_second, sign_ins_per_second=wanted.sign_ins_per_second),
    )
    return render_ingress(settings)


def _egress(wanted: Wanted) -> str:
    from edge.egress import EgressSettings, render_egress
    from stack.bootstrap import egress_policies

    settings = EgressSettings(
        listen=_address("listen", wanted.listen),
        admin=_address("admin", wanted.admin),
        policies=egress_policies(wanted.policy),
    )
    return render_egress(settings)


RENDERERS: dict[str, Callable[[Wanted], str]] = {"ingress": _ingress, "egress": _egress}


def _address(field: str, text: str) -> "Address":
    from edge.addresses import Address

    return Address.read(field, text)


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
