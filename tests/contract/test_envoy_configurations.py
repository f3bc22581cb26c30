"""Every kind of configuration, judged by Envoy itself and by what it passes over. Part of `make check`."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import trustme

from adapters.egress_files import load_policies
from collector.domain.errors import InvalidFieldError
from edge.addresses import Address
from edge.egress import EgressSettings, render_egress
from edge.envoy import findings
from edge.ingress import IngressSettings, Tls, Tracing, render_ingress

LOCAL = IngressSettings(
    listen=Address("127.0.0.1", 8000),
    api=(Address("127.0.0.1", 8080),),
    authz=(Address("127.0.0.1", 8081),),
    grpc=(Address("127.0.0.1", 9090),),
    temporal_ui=(Address("127.0.0.1", 8233),),
)
COMPOSE = IngressSettings(
    listen=Address("0.0.0.0", 8000),
    api=(Address("api", 8080),),
    authz=(Address("authz", 8081),),
    grpc=(Address("api", 9090),),
    temporal_ui=(Address("temporal-ui", 8080),),
)
ROOT = Path(__file__).resolve().parents[2]
SECTIONS = {"default": ["192.168.1.0/24:80"], "sections": {"default/cold-store": ["10.0.0.0/8:80-90", "fd00::/8"]}}
VARIANTS = {
    "local": LOCAL,
    "compose": COMPOSE,
    "two instances": replace(LOCAL, api=(Address("127.0.0.1", 8080), Address("::1", 8080))),
    "no gRPC": replace(LOCAL, grpc=()),
    "no Web UI": replace(COMPOSE, temporal_ui=()),
    "least": replace(LOCAL, grpc=(), temporal_ui=()),
    "behind a proxy": replace(COMPOSE, trusted_hops=1),
    "metrics": replace(COMPOSE, metrics=Address("0.0.0.0", 9903)),
    "traced": replace(LOCAL, tracing=Tracing(collector=Address("127.0.0.1", 4317))),
    "traced, by name": replace(COMPOSE, tracing=Tracing(collector=Address("otel-collector", 4317), askers=())),
    "IPv6": replace(LOCAL, listen=Address("::1", 8000), admin=Address("::1", 9901)),
}


EGRESS = EgressSettings(listen=Address("127.0.0.1", 3128), admin=Address("127.0.0.1", 9902))
EGRESS_VARIANTS = {
    "default": EGRESS,
    "containers": replace(
        EGRESS, listen=Address("0.0.0.0", 3128), policies=load_policies(str(ROOT / "deploy/compose/egress.json"))
    ),
    "metrics": replace(EGRESS, metrics=Address("0.0.0.0", 9903)),
    "sections": replace(EGRESS, policies=load_policies(json.dumps(SECTIONS))),
}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "gateway.yaml"


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Tls:
    folder = tmp_path_factory.mktemp("tls")
    signed = trustme.CA().issue_cert("localhost")
    signed.cert_chain_pems[0].write_to_path(folder / "gateway.pem")
    signed.private_key_pem.write_to_path(folder / "gateway.key")
    return Tls(folder / "gateway.pem", folder / "gateway.key")


@pytest.mark.parametrize("with_tls", [False, True], ids=["clear", "tls"])
@pytest.mark.parametrize("name", VARIANTS)
def test_envoy_would_run_with_it(file: Path, tls: Tls, name: str, with_tls: bool) -> None:
    file.write_text(render_ingress(replace(VARIANTS[name], tls=tls if with_tls else None)))
    assert findings(file) == []


@pytest.mark.parametrize("name", EGRESS_VARIANTS)
def test_envoy_would_run_with_the_egress_proxys(file: Path, name: str) -> None:
    file.write_text(render_egress(EGRESS_VARIANTS[name]))
    assert findings(file) == []


@pytest.mark.parametrize(
    ("good", "bad", "found"),
    [
        ("cluster: authz, timeout", "cluster: gate, timeout", "there is no cluster gate"),
        ("  - name: authz\n", "  - name: gate\n", "there is no cluster authz"),
        ("    lb_policy: ROUND_ROBIN", "    lb_policy: ROUND_ROBIN\n    http2_protocol_options: {}", "deprecated"),
        ("merge_slashes", "merge_slashs", "unknown fields"),
        ("cluster: temporal_ui, timeout", "cluster: ui, timeout", "unknown cluster 'ui'"),
    ],
)
def test_a_planted_fault_is_found(file: Path, good: str, bad: str, found: str) -> None:
    text = render_ingress(LOCAL)
    assert good in text
    file.write_text(text.replace(good, bad, 1))
    assert any(found in line for line in findings(file)), findings(file)


def test_files_that_it_names_must_be_there(file: Path, tls: Tls) -> None:
    file.write_text(render_ingress(replace(LOCAL, tls=replace(tls, key=file.with_name("gone.key")))))
    assert any("gone.key" in line for line in findings(file))


@pytest.mark.parametrize("text", ["[", "- 1", None])
def test_what_is_no_configuration_is_refused(file: Path, text: str | None) -> None:
    if text is not None:
        file.write_text(text)
    with pytest.raises(InvalidFieldError) as caught:
        findings(file)
    assert caught.value.field == "file"


@pytest.mark.parametrize(
    "text", ["static_resources: {clusters: [{type: STATIC}]}\n", "static_resources: {clusters: [1]}\n"]
)
def test_what_envoy_refuses_may_have_any_shape(file: Path, text: str) -> None:
    file.write_text(text)
    assert findings(file) != []
