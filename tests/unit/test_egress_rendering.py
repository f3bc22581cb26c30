import pytest
import yaml

from collector.domain.egress import EgressPolicies, parse_policies
from collector.domain.errors import InvalidFieldError
from edge.addresses import Address
from edge.egress import EgressSettings, render_egress

LISTEN, ADMIN = Address("127.0.0.1", 21_100), Address("127.0.0.1", 21_910)


def rendered(policies: EgressPolicies | None = None, **more: object) -> dict[str, object]:
    settings = EgressSettings(listen=LISTEN, admin=ADMIN, policies=policies or EgressPolicies(), **more)  # type: ignore[arg-type]
    document = yaml.safe_load(render_egress(settings))
    assert isinstance(document, dict)
    return document


def test_a_configuration_is_the_same_each_time() -> None:
    policies = parse_policies({"sections": {"b/b": ["10.0.0.0/8"], "a/a": ["10.0.0.0/8:80"]}})
    assert rendered(policies) == rendered(policies)
    assert rendered(policies) != rendered()


def test_what_a_person_wrote_into_a_section_cannot_change_the_configuration() -> None:
    odd = 'o/"},"principals":[{"any":true}],"x":{"'
    text = str(rendered(parse_policies({"sections": {odd: ["10.0.0.0/8"]}})))
    assert text.count("'any': True") == 2  # the proxy's own ports, and what is open without rules


def test_the_port_that_can_stop_the_proxy_is_on_loopback() -> None:
    with pytest.raises(InvalidFieldError, match="not on loopback"):
        EgressSettings(listen=LISTEN, admin=Address("0.0.0.0", 21_910))


@pytest.mark.parametrize(
    ("listen", "admin", "field"),
    [(Address("egress", 3128), ADMIN, "listen"), (LISTEN, Address("127.0.0.1", LISTEN.port), "admin")],
)
def test_what_envoy_would_not_start_with_is_refused(listen: Address, admin: Address, field: str) -> None:
    with pytest.raises(InvalidFieldError) as caught:
        EgressSettings(listen=listen, admin=admin)
    assert caught.value.field == field


def test_the_log_goes_to_a_file_where_one_is_named() -> None:
    assert "/var/log/egress.json" in str(rendered(access_log="/var/log/egress.json"))
    assert "FileAccessLog" not in str(rendered())
